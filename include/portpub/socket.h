/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The sockets that hold a port, in the network namespace of the calling thread. Needs no privilege. */
#ifndef PORTPUB_SOCKET_H
#define PORTPUB_SOCKET_H

#include "portpub/publication.h"

struct pp_socket {
	enum pp_protocol protocol;
	/* AF_UNSPEC: an IPv6 wildcard that takes IPv4 too; else zero bytes are every address of the family */
	struct pp_address address;
	uint16_t port;
	uint32_t uid;
	uint32_t inode; /* which process has it: process.h */
};

struct pp_sockets {
	struct pp_socket *items;
	size_t count, capacity;
};

#define PP_SOCKETS_INIT ((struct pp_sockets){ 0 })

void pp_sockets_fini(struct pp_sockets *list);

/*
 * Append the sockets of @protocol that hold @port, or any port when @port is 0: those that listen, and of
 * UDP those that are bound and not connected. Of SCTP there are none where the kernel has no SCTP, and of a
 * socket with several addresses the first is told. @out keeps what it had when this fails: -ENOMEM, or what
 * the kernel says.
 */
int pp_sockets_read(enum pp_protocol protocol, uint16_t port, struct pp_sockets *out, struct pp_error *err);

/*
 * The same, and those whose ports nobody else can bind though they do not serve: of UDP those that are connected, of
 * TCP those that are bound and do not listen, which Linux tells since 6.8. Of TCP it costs half a millisecond.
 */
int pp_sockets_read_bound(enum pp_protocol protocol, uint16_t port, struct pp_sockets *out,
			  struct pp_error *err);

/* Whether a bind of @address to the same port of the same protocol would collide with @socket. */
bool pp_socket_overlaps(const struct pp_socket *socket, const struct pp_address *address);

#endif
