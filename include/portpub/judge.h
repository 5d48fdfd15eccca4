/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules of other tables would do with a packet, as far as can be told without sending one. */
#ifndef PORTPUB_JUDGE_H
#define PORTPUB_JUDGE_H

#include "portpub/foreign.h"

#include <net/if.h>

struct nftnl_rule;

/* What is known of a packet: what is AF_UNSPEC, 0 or "" here may be anything. */
struct pp_packet {
	enum pp_protocol protocol;
	sa_family_t family;
	struct pp_address source, destination;
	uint16_t source_port, port;
	char in[IF_NAMESIZE], out[IF_NAMESIZE];
	bool local;      /* it is for an address of this host */
	bool tracked;    /* conntrack has seen it; what follows is known */
	bool reply;      /* the second packet of its connection, and not the first */
	bool translated; /* its connection by DNAT */
};

/* The rules of all tables but ours. */
struct pp_foreign_rules {
	struct nftnl_rule **items;
	size_t count, capacity;
};

#define PP_FOREIGN_RULES_INIT ((struct pp_foreign_rules){ 0 })

void pp_foreign_rules_fini(struct pp_foreign_rules *list);

/* Into @out, which is empty. */
int pp_foreign_rules_read(struct pp_nft *nft, struct pp_foreign_rules *out, struct pp_error *err);

/* What may come of a packet in one chain with a hook: where several things may, rules ask for what is not known. */
struct pp_judgement {
	bool passes, drops, translates;
	char chain[PP_FOREIGN_NAME]; /* of the first rule that drops or translates; "" where none does */
	uint64_t handle;             /* 0: the policy drops it */
};

/*
 * Sets are looked up in the kernel by @nft. Never fails: what cannot be found out may be either way. @rules
 * are those that were read together with @chain.
 */
void pp_judge(struct pp_nft *nft, const struct pp_foreign_rules *rules, const struct pp_foreign_chain *chain,
	      const struct pp_packet *packet, struct pp_judgement *out);

/* Is there a rule in @chain that jumps to @to? */
bool pp_foreign_jumps(const struct pp_foreign_rules *rules, const struct pp_foreign_chain *chain,
		      const char *to);

#endif
