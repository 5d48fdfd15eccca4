/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which interface this host sends a packet for an address to. Reads only; needs no privilege. */
#ifndef PORTPUB_ROUTE_H
#define PORTPUB_ROUTE_H

#include "portpub/address.h"
#include "portpub/error.h"

#include <net/if.h>

/* The name of the interface; -ENETUNREACH (or what else the kernel says) when there is none. */
int pp_route_interface(const struct pp_address *to, char out[static IF_NAMESIZE], struct pp_error *err);

/*
 * Whether this host has a route to @to that was made for it: not the default route, and not to itself. The
 * default route leads to whoever has the address out there; containers that only their own network
 * namespace reaches have the same addresses everywhere.
 */
bool pp_route_reaches(const struct pp_address *to);

/* Does whoever has @to, on the other side of @interface, not say so? Somebody has to have asked lately. */
bool pp_route_is_deaf(const struct pp_address *to, const char *interface);

#endif
