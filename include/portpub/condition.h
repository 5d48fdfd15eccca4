/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which packets for a host port are its publication's at all: the others find the port as if nobody had it. */
#ifndef PORTPUB_CONDITION_H
#define PORTPUB_CONDITION_H

#include "portpub/network.h"

#include <net/if.h>

/* All of it holds. A network of AF_UNSPEC is everybody, and an interface "" is every one, and this host itself. */
struct pp_condition {
	struct pp_network source, destination;
	bool not_source, not_destination;
	char interface[IF_NAMESIZE]; /* by which the packet comes in */
};

/*
 * Add what @words say: "-s" or "-d" with a network, "!" before it or not; "-i" with an interface; and in nft's words
 * "ip saddr", "ip6 daddr" and so on, "!=" or not, with a network. Each at most once, and of @family. -EINVAL for
 * anything else.
 */
int pp_condition_parse(const char *const words[], size_t count, sa_family_t family, struct pp_condition *out,
		       struct pp_error *err);

/* The same in the words of iptables: "! -s 10.0.0.0/8 -i eth0"; "" where it holds for all. Returns @out. */
enum { PP_CONDITION_TEXT = 2 * PP_NETWORK_TEXT + IF_NAMESIZE + sizeof("! -s ! -d  -i ") };
const char *pp_condition_format(const struct pp_condition *condition, char out[static PP_CONDITION_TEXT]);

bool pp_condition_is_any(const struct pp_condition *condition);

/*
 * What is in @network, or what is not, as ranges: none to two of them. AF_UNSPEC: all of @family. Returns how many.
 */
struct pp_address_range {
	struct pp_address first, last;
};
size_t pp_condition_ranges(const struct pp_network *network, bool negated, sa_family_t family,
			   struct pp_address_range out[static 2]);

#endif
