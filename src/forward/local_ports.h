/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connecting from a local port that the kernel finds quickly.
 *
 * Left alone, the kernel looks through all of its ports for one that is not in use towards the same
 * destination. A client that closes first leaves the port we connected from in TIME_WAIT for a minute; with
 * 14,000 of them every connection looks at thousands of ports, and a proxy is down from thousands of
 * connections a second to a hundred. So the kernel is shown a small window of ports (IP_LOCAL_PORT_RANGE,
 * Linux 6.3), which moves on with each connection: when it comes round again, the ports in it have been left
 * alone the longest. It begins anywhere, since the ports of a forwarder that was here before may still wait.
 */
#ifndef PORTPUB_FORWARD_LOCAL_PORTS_H
#define PORTPUB_FORWARD_LOCAL_PORTS_H

#include "endpoint.h"

struct pp_local_ports {
	uint16_t first, last; /* 0: not known */
	uint16_t next;
};

/* Ask the kernel for its range, in the calling thread's network namespace. */
void pp_local_ports_init(struct pp_local_ports *ports);

/*
 * connect(), from one of @ports. -EINPROGRESS and 0 as the kernel has it; -EADDRNOTAVAIL when no port is left
 * towards @to for now, among the thousand that were looked at: each call goes on where the last one ended, so that
 * none takes long.
 */
int pp_local_ports_connect(struct pp_local_ports *ports, int fd, const struct pp_endpoint *to);

/* How many calls it takes to look at all of them. */
unsigned int pp_local_ports_calls(const struct pp_local_ports *ports);

#endif
