/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses with ports, as the kernel's socket calls take them. */
#ifndef PORTPUB_FORWARD_ENDPOINT_H
#define PORTPUB_FORWARD_ENDPOINT_H

#include "portpub/address.h"

#include <netinet/in.h>
#include <sys/socket.h>

struct pp_endpoint {
	union {
		struct sockaddr any;
		struct sockaddr_in in;
		struct sockaddr_in6 in6;
	};
	socklen_t length;
};

/* Of AF_UNSPEC: every address of both families, as the dual-stack socket's. */
struct pp_endpoint pp_endpoint_make(const struct pp_address *address, uint16_t port);

/* An IPv4-mapped one is IPv4. */
struct pp_address pp_endpoint_address(const struct pp_endpoint *endpoint);
uint16_t pp_endpoint_port(const struct pp_endpoint *endpoint);

/* Where clients of IPv4, and of IPv6, go: each to the container's address of its family, or else to the other. */
struct pp_destination {
	struct pp_endpoint of[2]; /* no length: nowhere */
};

static inline const struct pp_endpoint *pp_destination_of(const struct pp_destination *destination,
							  sa_family_t client)
{
	return &destination->of[client == AF_INET6];
}

#endif
