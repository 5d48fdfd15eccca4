/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host ports that are held: bound by sockets of ours, so that they are nobody else's. */
#ifndef PORTPUB_HOLD_H
#define PORTPUB_HOLD_H

#include "portpub/plan.h"

/* A socket, and which port it has. */
struct pp_held_port {
	int fd;
	enum pp_protocol protocol;
	struct pp_address address; /* AF_UNSPEC: of both families */
	uint16_t port;
};

struct pp_held {
	struct pp_held_port *items;
	size_t count, capacity;
};

#define PP_HELD_INIT ((struct pp_held){ 0 })

/* Closes what is still open. */
void pp_held_fini(struct pp_held *held);

/* Append a socket that has a port of this host, which is @held's from here on. -EINVAL: it is of another kind. */
int pp_held_append(struct pp_held *held, int fd, struct pp_error *err);

/* The container port that @port leads to, 0 where it is none of @list. */
uint16_t pp_held_leads_to(const struct pp_held_port *port, const struct pp_publications *list);

#endif
