/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What other tables of this network namespace do with packets. */
#ifndef PORTPUB_FOREIGN_H
#define PORTPUB_FOREIGN_H

#include "portpub/nft.h"

enum { PP_FOREIGN_NAME = 128 };

/* A chain that packets come to by a hook. */
struct pp_foreign_chain {
	uint8_t family; /* NFPROTO_IPV4, NFPROTO_INET, ... */
	char table[PP_FOREIGN_NAME], name[PP_FOREIGN_NAME];
	uint32_t hook; /* NF_INET_FORWARD, ... */
	int32_t priority;
	bool drops; /* its policy */
	bool nat;
};

struct pp_foreign_chains {
	struct pp_foreign_chain *items;
	size_t count, capacity;
};

#define PP_FOREIGN_CHAINS_INIT ((struct pp_foreign_chains){ 0 })

void pp_foreign_chains_fini(struct pp_foreign_chains *list);

/* Append the chains of all tables but ours; iptables' are among them where it is iptables-nft. */
int pp_foreign_chains_read(struct pp_nft *nft, struct pp_foreign_chains *out, struct pp_error *err);

/*
 * Has the old iptables of @family, which nf_tables does not show, made @table ("nat") in this network namespace? It
 * does so when it is first asked about it; whether there are rules in it, only it can tell.
 */
bool pp_foreign_is_legacy(sa_family_t family, const char *table);

/* Is it a table of this program? */
bool pp_foreign_is_ours(uint8_t family, const char *table);

/* "ip", "inet", ...: as nft writes it. */
const char *pp_foreign_family(uint8_t family);

#endif
