/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "endpoint.h"

#include <string.h>

struct pp_endpoint pp_endpoint_make(const struct pp_address *address, uint16_t port)
{
	struct pp_endpoint endpoint = { .in6 = { 0 } };

	if (address->family == AF_INET) {
		endpoint.in.sin_family = AF_INET;
		endpoint.in.sin_port = htons(port);
		memcpy(&endpoint.in.sin_addr, address->bytes, sizeof(endpoint.in.sin_addr));
		endpoint.length = sizeof(endpoint.in);
	} else {
		endpoint.in6.sin6_family = AF_INET6;
		endpoint.in6.sin6_port = htons(port);
		memcpy(&endpoint.in6.sin6_addr, address->bytes, sizeof(endpoint.in6.sin6_addr));
		endpoint.length = sizeof(endpoint.in6);
	}
	return endpoint;
}

struct pp_address pp_endpoint_address(const struct pp_endpoint *endpoint)
{
	if (endpoint->any.sa_family == AF_INET)
		return pp_address_of_bytes(AF_INET, &endpoint->in.sin_addr);
	return pp_address_of_bytes(AF_INET6, &endpoint->in6.sin6_addr);
}

uint16_t pp_endpoint_port(const struct pp_endpoint *endpoint)
{
	return ntohs(endpoint->any.sa_family == AF_INET ? endpoint->in.sin_port : endpoint->in6.sin6_port);
}
