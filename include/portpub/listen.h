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

/* Let @allow connect to @fd, which is such a socket, and nobody else outside this host; an empty list: everybody. */
int pp_listen_admit(int fd, const struct pp_networks *allow, struct pp_error *err);

/*
 * What port a socket has: on *@address, AF_UNSPEC where it is of both families. False for what is no socket with a
 * port, or has been connected.
 */
bool pp_listen_look(int fd, enum pp_protocol *protocol, struct pp_address *address, uint16_t *port);

#endif
