/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One rule and one packet. */
#ifndef PORTPUB_KERNEL_MATCH_H
#define PORTPUB_KERNEL_MATCH_H

#include "portpub/judge.h"

#include <stdio.h> /* libnftnl's header needs it */

#include <libnftnl/expr.h>
#include <libnftnl/rule.h>

enum match { MATCH_NO, MATCH_MAYBE, MATCH_YES };

enum effect {
	EFFECT_NONE, /* on to the next rule */
	EFFECT_ACCEPT,
	EFFECT_DROP,
	EFFECT_TRANSLATE,
	EFFECT_JUMP,
	EFFECT_GOTO,
	EFFECT_RETURN,
	EFFECT_ANY, /* not to be told */
};

struct verdict {
	enum match match;
	enum effect effect;
	char chain[PP_FOREIGN_NAME]; /* of a jump or goto */
};

struct verdict match_rule(struct pp_nft *nft, const struct nftnl_rule *rule, const struct pp_packet *packet);

/* An nftables verdict: NF_ACCEPT, NFT_JUMP, ... */
enum effect match_effect(uint32_t code);

/* A match of iptables. */
enum match match_xt(const struct nftnl_expr *expression, const struct pp_packet *packet);

/* What a target of iptables does. */
enum effect match_xt_target(const char *name);

/* Is @key in a set? The kernel is asked. Of a map, what it gives for the key: @size bytes, or a verdict. */
struct set_answer {
	enum match match;
	uint8_t data[64];
	size_t size;
	enum effect effect;
	char chain[PP_FOREIGN_NAME];
};
void set_key_size(struct pp_nft *nft, uint8_t family, const char *table, const char *set, uint32_t *size);
struct set_answer set_ask(struct pp_nft *nft, uint8_t family, const char *table, const char *set,
			  const uint8_t *key, size_t size);

#endif
