/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Datagrams: a flow is a client, and the address of this host that it asked. */
#ifndef PORTPUB_FORWARD_UDP_H
#define PORTPUB_FORWARD_UDP_H

#include "endpoint.h"
#include "portpub/loop.h"
#include "portpub/forwarder.h"

struct pp_udp_port;
struct pp_udp_flow;

struct pp_udp {
	struct pp_loop *loop;
	const struct pp_limits *limits;
	struct pp_counters *counters;
	struct pp_queue flows; /* the one that has been silent longest first */
	struct pp_queue dead;
	struct pp_udp_flow **buckets;
	size_t bucket_count, count;
	struct pp_udp_port *ports;
	char *memory;         /* for the datagrams of one system call */
	struct pp_queue used; /* the memory has been, not long ago */
	struct pp_timer tidy;
	uint64_t key;
	bool draining;
};

int pp_udp_init(struct pp_udp *udp, struct pp_loop *loop, const struct pp_limits *limits,
		struct pp_counters *counters, struct pp_error *err);
void pp_udp_fini(struct pp_udp *udp);

/* Forward what comes to @socket, which is bound and ours if this returns 0. -ENOMEM, or what the kernel says. */
int pp_udp_add(struct pp_udp *udp, int socket, const struct pp_destination *to, struct pp_error *err);

/* No new clients. */
void pp_udp_drain(struct pp_udp *udp);

/* No clients at all: the ports are given back. */
void pp_udp_close(struct pp_udp *udp);

#endif
