/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Rules are walked as the kernel walks them, along every path that the packet may take: a rule that surely matches
 * ends the path or leads it elsewhere, one that may match opens a second one. What stands at the end of each path
 * is what may come of the packet; if it is the same for all, that is sure. Paths multiply with jumps that are not
 * sure, so that their number has a limit; past it, anything may come of the packet.
 */
#include "portpub/judge.h"

#include "match.h"
#include "nft.h"
#include "portpub/array.h"

#include <errno.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdlib.h>
#include <string.h>

enum { BUDGET = 20000 /* rules */, DEPTH = 16 /* as the kernel has it */ };

struct walk {
	struct pp_nft *nft;
	const struct pp_foreign_rules *rules;
	const struct pp_packet *packet;
	const char *table;
	uint8_t family;
	unsigned int depth, budget;
	struct pp_judgement *out;
};

void pp_foreign_rules_fini(struct pp_foreign_rules *list)
{
	for (size_t i = 0; i < list->count; i++)
		nftnl_rule_free(list->items[i]);
	free(list->items);
	*list = PP_FOREIGN_RULES_INIT;
}

static int append(struct pp_foreign_rules *list, struct nftnl_rule *rule)
{
	struct nftnl_rule **items = pp_grown(list->items, list->count, &list->capacity,
					     sizeof(struct nftnl_rule *));

	if (!items)
		return -ENOMEM;
	list->items = items;
	list->items[list->count++] = rule;
	return 0;
}

static bool is_ours(const struct nftnl_rule *rule)
{
	return pp_foreign_is_ours((uint8_t)nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY),
				  nftnl_rule_get_str(rule, NFTNL_RULE_TABLE));
}

/* What libnftnl cannot read to its end may do anything, as what a queue hands out. */
static int leave_open(struct nftnl_rule *rule)
{
	struct nftnl_expr *e = nftnl_expr_alloc("queue");

	if (!e)
		return -ENOMEM;
	nftnl_rule_add_expr(rule, e);
	return 0;
}

static int take_rule(const struct nlmsghdr *message, void *data)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	bool whole = rule && nftnl_rule_nlmsg_parse(message, rule) == 0;

	if (rule && (!nftnl_rule_is_set(rule, NFTNL_RULE_CHAIN) || is_ours(rule))) {
		nftnl_rule_free(rule);
		return MNL_CB_OK;
	}
	if (rule && (whole || leave_open(rule) == 0) && append(data, rule) == 0)
		return MNL_CB_OK;
	if (rule)
		nftnl_rule_free(rule);
	errno = ENOMEM;
	return MNL_CB_ERROR;
}

int pp_foreign_rules_read(struct pp_nft *nft, struct pp_foreign_rules *out, struct pp_error *err)
{
	int ret;

	do {
		_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
		struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_UNSPEC, NFT_MSG_GETRULE,
						      NLM_F_DUMP);

		pp_foreign_rules_fini(out);
		ret = nft_ask(nft, question, take_rule, out);
	} while (ret == -EINTR);
	return ret < 0 ? nft_fail(err, -ret) : 0;
}

static bool is_of(const struct nftnl_rule *rule, uint8_t family, const char *table, const char *chain)
{
	return nftnl_rule_get_u32(rule, NFTNL_RULE_FAMILY) == family &&
	       strcmp(nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN), chain) == 0 &&
	       strcmp(nftnl_rule_get_str(rule, NFTNL_RULE_TABLE), table) == 0;
}

static void blame(const struct walk *walk, const struct nftnl_rule *rule)
{
	struct pp_judgement *out = walk->out;
	const char *chain = nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN);

	if (out->chain[0])
		return;
	pp_show(out->chain, sizeof(out->chain), chain, strlen(chain));
	out->handle = nftnl_rule_get_u64(rule, NFTNL_RULE_HANDLE);
}

static void record(const struct walk *walk, const struct nftnl_rule *rule, enum effect effect)
{
	walk->out->passes |= effect == EFFECT_ACCEPT || effect == EFFECT_ANY;
	walk->out->drops |= effect == EFFECT_DROP || effect == EFFECT_ANY;
	walk->out->translates |= effect == EFFECT_TRANSLATE;
	if (effect == EFFECT_DROP || effect == EFFECT_TRANSLATE)
		blame(walk, rule);
}

/* True where the packet may come out at the end of @chain again. */
static bool walk_chain(struct walk *walk, const char *chain);

static bool jump(struct walk *walk, const char *chain)
{
	bool returns;

	if (walk->depth == DEPTH)
		return true;
	walk->depth++;
	returns = walk_chain(walk, chain);
	walk->depth--;
	return returns;
}

/* True where the packet may go on to the next rule; *@out where it may leave the chain. */
static bool walk_rule(struct walk *walk, const struct nftnl_rule *rule, bool *out)
{
	struct verdict verdict = match_rule(walk->nft, rule, walk->packet);
	bool sure = verdict.match == MATCH_YES;

	if (verdict.match == MATCH_NO || verdict.effect == EFFECT_NONE)
		return true;
	switch (verdict.effect) {
	case EFFECT_JUMP:
		return jump(walk, verdict.chain) || !sure;
	case EFFECT_GOTO:
		*out |= jump(walk, verdict.chain);
		return !sure;
	case EFFECT_RETURN:
		*out = true;
		return !sure;
	default:
		record(walk, rule, verdict.effect);
		return !sure || verdict.effect == EFFECT_ANY;
	}
}

static bool walk_chain(struct walk *walk, const char *chain)
{
	bool out = false;

	for (size_t i = 0; i < walk->rules->count; i++) {
		const struct nftnl_rule *rule = walk->rules->items[i];

		if (!is_of(rule, walk->family, walk->table, chain))
			continue;
		if (walk->budget == 0) {
			walk->out->passes = walk->out->drops = true;
			return true;
		}
		walk->budget--;
		if (!walk_rule(walk, rule, &out))
			return out;
	}
	return true;
}

void pp_judge(struct pp_nft *nft, const struct pp_foreign_rules *rules, const struct pp_foreign_chain *chain,
	      const struct pp_packet *packet, struct pp_judgement *out)
{
	struct walk walk = { .nft = nft,
			     .rules = rules,
			     .packet = packet,
			     .table = chain->table,
			     .family = chain->family,
			     .budget = BUDGET,
			     .out = out };

	*out = (struct pp_judgement){ 0 };
	if (!walk_chain(&walk, chain->name))
		return;
	out->passes |= !chain->drops;
	out->drops |= chain->drops;
}

static bool has_jump(const struct nftnl_rule *rule, const char *to)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(rule);
	const struct nftnl_expr *e;
	bool found = false;

	while (iter && !found && (e = nftnl_expr_iter_next(iter))) {
		const char *chain = NULL;

		if (strcmp(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "immediate") == 0)
			chain = nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN);
		found = chain && strcmp(chain, to) == 0;
	}
	if (iter)
		nftnl_expr_iter_destroy(iter);
	return found;
}

bool pp_foreign_jumps(const struct pp_foreign_rules *rules, const struct pp_foreign_chain *chain,
		      const char *to)
{
	for (size_t i = 0; i < rules->count; i++) {
		if (is_of(rules->items[i], chain->family, chain->table, chain->name) &&
		    has_jump(rules->items[i], to))
			return true;
	}
	return false;
}
