/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PROXY protocol: what tells the container who its client is, before the client's first byte. */
#ifndef PORTPUB_FORWARD_PROXY_HEADER_H
#define PORTPUB_FORWARD_PROXY_HEADER_H

#include "endpoint.h"
#include "portpub/forwarder.h"

enum { PP_PROXY_HEADER_MAX = 108 };

/*
 * The header for a TCP connection of @client to @host, an address of this host; both may be IPv4-mapped.
 * Returns its length; 0 for PP_PROXY_NONE.
 */
size_t pp_proxy_header(enum pp_proxy_header version, const struct pp_endpoint *client,
		       const struct pp_endpoint *host, char out[static PP_PROXY_HEADER_MAX]);

#endif
