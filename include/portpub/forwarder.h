/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The userspace path: carry connections and datagrams from ports of this host to a container. One thread,
 * any number of ports and of clients.
 */
#ifndef PORTPUB_FORWARDER_H
#define PORTPUB_FORWARDER_H

#include "portpub/counters.h"
#include "portpub/limits.h"
#include "portpub/plan.h"

struct pp_forwarder;

/*
 * Sockets to the container are made in the network namespace that the calling thread is in, now and when it runs:
 * which ports there are in it is looked up here. @counters are the caller's and outlive it. -ENOMEM, -EMFILE.
 */
int pp_forwarder_new(const struct pp_limits *limits, struct pp_counters *counters, struct pp_forwarder **out,
		     struct pp_error *err);
void pp_forwarder_free(struct pp_forwarder *forwarder);

/*
 * Forward what comes to @socket to @port of @target: clients to its address of their own family, or else to
 * the other. The socket is bound, a TCP socket listens; it belongs to the forwarder if this returns 0.
 * -EINVAL when it is of another kind than @protocol, -ENOMEM, or what else the kernel says.
 */
int pp_forwarder_add(struct pp_forwarder *forwarder, int socket, enum pp_protocol protocol,
		     const struct pp_target *target, uint16_t port, struct pp_error *err);

/* Carry nothing of what comes to such a socket: connections are reset at once, and datagrams dropped. */
int pp_forwarder_refuse(struct pp_forwarder *forwarder, int socket, enum pp_protocol protocol,
			struct pp_error *err);

enum { PP_FORWARDER_RETIRE = 1, PP_FORWARDER_END };

/* How it is to end; all of it may be 0. */
struct pp_ending {
	int64_t drain;              /* milliseconds */
	void (*begins)(void *data); /* is called once, when nothing new is accepted any longer */
	void *data;
};

/*
 * Forward until SIGINT or SIGTERM, which end it at once, or, after SIGUSR1, until the last connection has
 * ended: nothing new is accepted then. With `drain` the first SIGTERM or SIGINT is like SIGUSR1 for
 * so long, whether SIGUSR1 came before, or comes after it. The caller has blocked these signals by
 * pp_forwarder_block_signals: those that came before are obeyed, too. SIGUSR1 that was queued with the value
 * PP_FORWARDER_RETIRE says that somebody else has the ports, by the same sockets: they are given back, which ends UDP
 * flows, and the counters tell it. With PP_FORWARDER_END it ends at once, and says that the ports are nobody's any more: see
 * pp_forwarder_is_over.
 *
 * Sockets to the container are made in the network namespace that the calling thread is in.
 */
int pp_forwarder_run(struct pp_forwarder *forwarder, const struct pp_ending *ending, struct pp_error *err);

/* Has whoever has removed what it forwards told it so? */
bool pp_forwarder_is_over(const struct pp_forwarder *forwarder);

void pp_forwarder_block_signals(void);

/* What it waits in, for others to wait in, too. */
struct pp_loop *pp_forwarder_loop(struct pp_forwarder *forwarder);

#endif
