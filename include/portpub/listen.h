/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host sockets: a port that is bound is nobody else's. */
#ifndef PORTPUB_LISTEN_H
#define PORTPUB_LISTEN_H

#include "portpub/network.h"
#include "portpub/publication.h"

/*
 * A socket on @address, AF_UNSPEC for both families at once, and @port, 0 for a free one, into *@out; a TCP or SCTP
 * socket listens. With @allow, which may be empty, it is deaf for everybody else outside this host. -EADDRINUSE,
 * -EACCES for a privileged port, -EADDRNOTAVAIL where the address is not this host's, -EPROTONOSUPPORT, -E2BIG for
 * too many networks. The error is in the words that docker-proxy uses.
 */
int pp_listen(enum pp_protocol protocol, const struct pp_address *address, uint16_t port,
	      const struct pp_networks *allow, int *out, struct pp_error *err);

/* The port of a socket, 0 where it has none. */
uint16_t pp_listen_port(int fd);

#endif
