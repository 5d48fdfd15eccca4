/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proxy_header.h"

#include <stdio.h>
#include <string.h>

/* Of version 2: twelve bytes that no other protocol begins with. */
static const char signature[12] = { '\r', '\n', '\r', '\n', '\0', '\r', '\n', 'Q', 'U', 'I', 'T', '\n' };

enum { VERSION_2_PROXY = 0x21, TCP_OVER_IPV4 = 0x11, TCP_OVER_IPV6 = 0x21 };

/* One address of IPv4 and one of IPv6, which a dual-stack socket does not have: both as IPv6. */
static void unite(struct pp_address *a, struct pp_address *b)
{
	static const uint8_t mapped[12] = { [10] = 0xff, [11] = 0xff };
	struct pp_address *pair[] = { a, b };

	if (a->family == b->family)
		return;
	for (int i = 0; i < 2; i++) {
		if (pair[i]->family == AF_INET6)
			continue;
		memmove(pair[i]->bytes + sizeof(mapped), pair[i]->bytes, 4);
		memcpy(pair[i]->bytes, mapped, sizeof(mapped));
		pair[i]->family = AF_INET6;
	}
}

static size_t write_text(const struct pp_address *client, uint16_t client_port, const struct pp_address *host,
			 uint16_t host_port, char *out)
{
	char from[PP_ADDRESS_TEXT], to[PP_ADDRESS_TEXT];

	return (size_t)snprintf(out, PP_PROXY_HEADER_MAX, "PROXY %s %s %s %u %u\r\n",
				client->family == AF_INET ? "TCP4" : "TCP6", pp_address_format(client, from),
				pp_address_format(host, to), client_port, host_port);
}

static size_t put(char *out, size_t at, const void *bytes, size_t count)
{
	memcpy(out + at, bytes, count);
	return at + count;
}

static size_t write_binary(const struct pp_address *client, uint16_t client_port,
			   const struct pp_address *host, uint16_t host_port, char *out)
{
	size_t length = client->family == AF_INET ? 4 : 16, at;
	uint16_t rest_be = htons((uint16_t)(2 * length + 4));
	uint16_t from_be = htons(client_port), to_be = htons(host_port);
	uint8_t kind[] = { VERSION_2_PROXY, client->family == AF_INET ? TCP_OVER_IPV4 : TCP_OVER_IPV6 };

	at = put(out, 0, signature, sizeof(signature));
	at = put(out, at, kind, sizeof(kind));
	at = put(out, at, &rest_be, sizeof(rest_be));
	at = put(out, at, client->bytes, length);
	at = put(out, at, host->bytes, length);
	at = put(out, at, &from_be, sizeof(from_be));
	return put(out, at, &to_be, sizeof(to_be));
}

size_t pp_proxy_header(enum pp_proxy_header version, const struct pp_endpoint *client,
		       const struct pp_endpoint *host, char out[static PP_PROXY_HEADER_MAX])
{
	struct pp_address from = pp_endpoint_address(client), to = pp_endpoint_address(host);

	if (version == PP_PROXY_NONE)
		return 0;
	unite(&from, &to);
	return (version == PP_PROXY_V1 ? write_text : write_binary)(&from, pp_endpoint_port(client), &to,
								    pp_endpoint_port(host), out);
}
