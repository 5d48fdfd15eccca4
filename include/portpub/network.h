/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks in CIDR notation, and lists of them: who may connect. */
#ifndef PORTPUB_NETWORK_H
#define PORTPUB_NETWORK_H

#include "portpub/address.h"
#include "portpub/error.h"

/* Bits of the address past the prefix are zero. */
struct pp_network {
	struct pp_address address; /* AF_INET or AF_INET6 */
	uint8_t prefix;
};

enum { PP_NETWORK_TEXT = PP_ADDRESS_TEXT + sizeof("/128") - 1 };

/*
 * Read ADDR/PREFIX, or ADDR for that one address; an IPv4-mapped network of ::ffff:0:0/96 becomes the IPv4
 * network it means. *@out is written on success only. Returns 0, or -EINVAL with the error pointing at the
 * part that is wrong; where bits are set past the prefix, it names what was probably meant.
 */
int pp_network_parse(const char *text, size_t len, struct pp_network *out, struct pp_error *err);

/* ADDR/PREFIX, for a single address too. Returns @out. */
const char *pp_network_format(const struct pp_network *network, char out[static PP_NETWORK_TEXT]);

/* The first address is network->address; this is the last. */
struct pp_address pp_network_last(const struct pp_network *network);

/* True when @address lies in @network; an address of the other family, or AF_UNSPEC, never does. */
bool pp_network_has(const struct pp_network *network, const struct pp_address *address);

struct pp_networks {
	struct pp_network *items;
	size_t count, capacity;
};

#define PP_NETWORKS_INIT ((struct pp_networks){ 0 })

void pp_networks_fini(struct pp_networks *list);

/* -ENOMEM. */
int pp_networks_append(struct pp_networks *list, const struct pp_network *network, struct pp_error *err);

/*
 * Write @list as the fewest networks that hold the same addresses: in order, IPv4 first, none overlapping
 * another. The interval sets of nftables refuse intervals that overlap.
 */
void pp_networks_merge(struct pp_networks *list);

/* True when any network of @list, merged or not, has @address. */
bool pp_networks_have(const struct pp_networks *list, const struct pp_address *address);

#endif
