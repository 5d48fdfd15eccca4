/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a container's own packets come back to it: it asks a port of its host, and DNAT sends the packet
 * back to where it came from. Reads only; needs no privilege.
 */
#ifndef PORTPUB_BRIDGE_H
#define PORTPUB_BRIDGE_H

#include "portpub/address.h"
#include "portpub/error.h"

/* The last two are false for what is no bridge. */
struct pp_bridge {
	bool is_bridge;
	bool netfilter; /* DNAT happens while the packet is still being bridged (bridge-nf-call-iptables) */
	bool hairpin;   /* the container's port sends back what came from it; see below */
};

/*
 * What the interface @name is to the container behind it, for the family of its address @container. Behind
 * which port the container is, the kernel may not have learnt yet; hairpin is then true when every port has
 * it on. -ENODEV where there is no such interface, or what else the kernel says.
 */
int pp_bridge_read(const char *name, const struct pp_address *container, struct pp_bridge *out,
		   struct pp_error *err);

/*
 * True when a packet from the container to the container gets there. A packet that is routed leaves by any
 * port, but what is only bridged never leaves by the port it came in, unless that has hairpin on.
 */
static inline bool pp_bridge_returns(const struct pp_bridge *bridge)
{
	return !bridge->is_bridge || !bridge->netfilter || bridge->hairpin;
}

#endif
