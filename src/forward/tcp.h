/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Connections: TCP, and SCTP sockets of the one-to-one style, which are used alike. */
#ifndef PORTPUB_FORWARD_TCP_H
#define PORTPUB_FORWARD_TCP_H

#include "endpoint.h"
#include "local_ports.h"
#include "portpub/loop.h"
#include "portpub/forwarder.h"
#include "stream.h"

struct pp_tcp_port;

struct pp_tcp {
	struct pp_loop *loop;
	const struct pp_limits *limits;
	struct pp_counters *counters;
	/* Where a connection is; see tcp.c. */
	struct pp_queue waiting, searching, portless, connecting, open, half_open, dead;
	struct pp_queue paused; /* ports that do not accept for now */
	struct pp_tcp_port *ports;
	struct pp_mover mover;
	struct pp_local_ports local;
	size_t count; /* of connections */
	size_t peak;  /* of these, since there were none */
	bool starved; /* of what a connection gives back when it ends */
};

int pp_tcp_init(struct pp_tcp *tcp, struct pp_loop *loop, const struct pp_limits *limits,
		struct pp_counters *counters, struct pp_error *err);
void pp_tcp_fini(struct pp_tcp *tcp);

/* Accept what comes to @socket, which listens and is ours if this returns 0. -ENOMEM, or what the kernel says. */
int pp_tcp_add(struct pp_tcp *tcp, int socket, enum pp_protocol protocol, const struct pp_destination *to,
	       struct pp_error *err);

/* Accept no more, and close the listening sockets. */
void pp_tcp_drain(struct pp_tcp *tcp);

#endif
