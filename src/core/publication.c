/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/publication.h"

#include "portpub/array.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static const char *const protocol_names[] = {
	[PP_TCP] = "tcp",
	[PP_UDP] = "udp",
	[PP_SCTP] = "sctp",
};
static_assert(sizeof(protocol_names) / sizeof(protocol_names[0]) == PP_PROTOCOL_COUNT,
	      "a name for each protocol");

const char *pp_protocol_name(enum pp_protocol protocol)
{
	return protocol_names[protocol];
}

bool pp_protocol_parse(const char *text, size_t len, enum pp_protocol *out)
{
	for (int i = 0; i < PP_PROTOCOL_COUNT; i++) {
		if (strlen(protocol_names[i]) == len && strncasecmp(text, protocol_names[i], len) == 0) {
			*out = (enum pp_protocol)i;
			return true;
		}
	}
	return false;
}

void pp_publications_fini(struct pp_publications *list)
{
	free(list->items);
	*list = PP_PUBLICATIONS_INIT;
}

int pp_publications_append(struct pp_publications *list, const struct pp_publication *publication,
			   struct pp_error *err)
{
	struct pp_publication *items;

	if (list->count == PP_PUBLICATIONS_MAX)
		return pp_fail(err, EINVAL, "more than %d publications at once", PP_PUBLICATIONS_MAX);
	items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));
	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	list->items = items;
	list->items[list->count++] = *publication;
	return 0;
}

int pp_publications_spread(const struct pp_publications *asked, struct pp_publications *out,
			   struct pp_error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < asked->count; i++) {
		struct pp_publication one = asked->items[i];

		if (!pp_publication_is_free(&one)) {
			ret = pp_publications_append(out, &one, err);
			continue;
		}
		one.count = 1;
		for (uint32_t n = 0; ret == 0 && n < asked->items[i].count; n++) {
			one.container_port = (uint16_t)(asked->items[i].container_port + n);
			ret = pp_publications_append(out, &one, err);
		}
	}
	return ret;
}

uint16_t pp_publication_last(const struct pp_publication *publication)
{
	if (pp_publication_is_free(publication))
		return 0;
	if (pp_publication_is_pool(publication))
		return publication->host_port_last;
	return (uint16_t)(publication->host_port + publication->count - 1);
}

static int format_range(char *out, size_t size, unsigned int first, unsigned int last)
{
	return first == last ? snprintf(out, size, "%u", first) : snprintf(out, size, "%u-%u", first, last);
}

const char *pp_publication_format(const struct pp_publication *publication,
				  char out[static PP_PUBLICATION_TEXT])
{
	char address[PP_ADDRESS_TEXT], host[sizeof("65535-65535")] = "", container[sizeof("65535-65535")];
	const char *open = "", *close = "", *colon = ":";

	pp_address_format(&publication->address, address);
	if (publication->address.family == AF_INET6) {
		open = "[";
		close = "]:";
	} else if (publication->address.family == AF_INET) {
		close = ":";
	}
	if (!pp_publication_is_free(publication))
		format_range(host, sizeof(host), publication->host_port, pp_publication_last(publication));
	else if (publication->address.family == AF_UNSPEC)
		colon = "";
	format_range(container, sizeof(container), publication->container_port,
		     publication->container_port + publication->count - 1U);

	snprintf(out, PP_PUBLICATION_TEXT, "%s%s%s%s%s%s/%s", open, address, close, host, colon, container,
		 pp_protocol_name(publication->protocol));
	return out;
}
