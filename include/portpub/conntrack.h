/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Forget connections. What conntrack has learnt of a connection outlives a change of the rules: until it is
 * forgotten, packets go where they went before.
 */
#ifndef PORTPUB_CONNTRACK_H
#define PORTPUB_CONNTRACK_H

#include "portpub/publication.h"

struct pp_flow {
	enum pp_protocol protocol;
	struct pp_address source, destination; /* who asked, and what was asked for */
	uint16_t source_port, port;
	struct pp_address answerer; /* who answers: with DNAT not the destination */
	uint16_t answerer_port;
	bool dnat;
};

/* True for a flow to be forgotten. */
typedef bool pp_flow_stale(const struct pp_flow *flow, void *data);

/*
 * Ask @stale about every flow of @family, AF_UNSPEC for both, in the calling network namespace, and forget
 * those it says yes to. With @port, only flows of @protocol that asked for it; with port 0, all of tcp, udp
 * and sctp. A flow that begins while this runs may be missed: the new rules must be in place.
 *
 * *@count, unless @count is NULL, is how many were forgotten. None, and no error, where the kernel tracks
 * nothing; that is found out without a walk over its table. -EPERM without CAP_NET_ADMIN, -ENOMEM, or what
 * else the kernel says; some may have been forgotten then.
 */
int pp_conntrack_flush(sa_family_t family, enum pp_protocol protocol, uint16_t port, pp_flow_stale *stale,
		       void *data, size_t *count, struct pp_error *err);

#endif
