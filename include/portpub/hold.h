/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host ports of a request, bound, and later given to a forwarder. */
#ifndef PORTPUB_HOLD_H
#define PORTPUB_HOLD_H

#include "portpub/forwarder.h"

/* A socket of ours, -1 once it is the forwarder's, and where what comes to it goes. */
struct pp_held_port {
	int fd;
	enum pp_protocol protocol;
	uint16_t container_port;
};

struct pp_held {
	struct pp_held_port *items;
	size_t count, capacity;
};

#define PP_HELD_INIT ((struct pp_held){ 0 })

void pp_held_fini(struct pp_held *held);

/*
 * Bind every port of @request, into @out, which is empty. Pools and free ports become the ports that were to be
 * had: each of these is a publication of its own then. All or none. -EADDRINUSE with the holder, or when a pool
 * is exhausted; -EACCES for a privileged port; -EMFILE with the numbers.
 */
int pp_hold(struct pp_request *request, struct pp_held *out, struct pp_error *err);

/*
 * -EINVAL where a port of @request, which is held, would be forwarded to itself: its target is an address of this
 * network namespace, which the port is open at, too.
 */
int pp_hold_refuse_itself(const struct pp_request *request, struct pp_error *err);

/* Forward what comes to them to @target. After an error @forwarder has to be freed. */
int pp_held_forward(struct pp_held *held, const struct pp_target *target, struct pp_forwarder *forwarder,
		    struct pp_error *err);

#endif
