/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The port of a docker-proxy, published by rules as well: `docker-proxy.kernel = on` of the configuration.
 *
 * docker-proxy is the keeper of its port then, as `run` is: it holds the port, carries what the kernel does not, puts
 * rules back that somebody has flushed, and removes them when it ends. Its record is named by protocol, address and
 * port, so that the next one for this port takes over what one has left that was killed. The record's process is
 * docker-proxy itself: what is left at ports that nobody asks for again is removed by restore, watch and gc.
 *
 * When it ends, connections of TCP that the kernel carries are left alone, as Docker's own rules leave them: mostly the
 * container has ended, and they with it; and where it lives on, as with dockerd --live-restore, they do. To look for
 * them would be to walk the kernel's table once for each port, while dockerd waits.
 *
 * dockerd ends one after the other, and waits for each, which takes 13 ms here: whoever closes a netlink socket waits until
 * what has just been removed is destroyed, one grace period of RCU later, and everybody else's transactions wait with them
 * (nft_rcv_nl_event flushes that work, and has the mutex of all commits meanwhile). To leave the closing to a child is
 * nothing gained, therefore: the next docker-proxy's removal waits in its place (tried: 1.6 s for 100 ports, and 1.9 s
 * without a child). What would help is to remove the rules of all ports of a container with the first; but one that is
 * ended by hand would take those of the others, which live, along. dockerd's own rules take three times as long.
 */
#ifndef PORTPUB_TOOLS_DOCKER_RULES_H
#define PORTPUB_TOOLS_DOCKER_RULES_H

#include "portpub/keeper.h"

/*
 * Publish what @socket is bound to, if it is of @protocol, and goes to @port of @target: this process is the keeper, and
 * has the socket a second time. *@kept is false where the kernel carries nothing of it. -EADDRINUSE: it is published by
 * another; any other failure is no reason not to forward in userspace.
 */
int docker_rules_publish(struct pp_stay *stay, int socket, enum pp_protocol protocol,
			 const struct pp_target *target, uint16_t port, bool *kept, struct pp_error *err);

#endif
