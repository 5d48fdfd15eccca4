/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table as the kernel has it, against what rules.c makes: its flags, its chains, and the rules of each chain.
 * Rules have no names; the longest sequence that both sides have in common tells which of them is missing, and
 * which is somebody else's.
 */
#include "nft.h"
#include "portpub/array.h"
#include "portpub/ruleset.h"
#include "rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { RULE_TEXT = 2048, SHOWN = 200 /* of a rule that is somebody else's */ };

/* Rules in words, of one chain. */
struct texts {
	char (*items)[RULE_TEXT];
	size_t count, capacity;
};

struct comparison {
	struct pp_nft *nft;
	bool there[RULES_CHAINS]; /* the chains that the kernel has */
	struct texts lines; /* what differs: told at the end, since a question may have to be asked again */
	int ret;
};

static void texts_fini(struct texts *texts)
{
	free(texts->items);
	*texts = (struct texts){ 0 };
}

static int texts_append(struct texts *texts, const char *text)
{
	char(*items)[RULE_TEXT] = pp_grown(texts->items, texts->count, &texts->capacity, sizeof(*items));

	if (!items)
		return -ENOMEM;
	texts->items = items;
	snprintf(items[texts->count++], sizeof(*items), "%s", text);
	return 0;
}

__attribute__((format(printf, 2, 3))) static void differ(struct comparison *comparison, const char *format,
							 ...)
{
	char line[RULE_TEXT];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	if (comparison->ret == 0)
		comparison->ret = texts_append(&comparison->lines, line);
}

/* nft swaps the one byte of a protocol that it looks up among intervals, which changes nothing. */
static bool is_idle(const struct nftnl_expr *expression)
{
	return strcmp(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME), "byteorder") == 0 &&
	       nftnl_expr_get_u32(expression, NFTNL_EXPR_BYTEORDER_LEN) == 1;
}

/* A rule in the words of libnftnl, without what differs from one table to the next. */
static void describe_rule(struct nftnl_rule *rule, char *out, size_t size)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(rule);
	struct nftnl_expr *expression;
	int used = snprintf(out, size, "%s:", nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));

	while (iter && (expression = nftnl_expr_iter_next(iter)) && (size_t)used < size - 1) {
		if (is_idle(expression))
			continue;
		used += snprintf(out + used, size - (size_t)used, " ");
		used += nftnl_expr_snprintf(out + used, size - (size_t)used, expression, NFTNL_OUTPUT_DEFAULT,
					    0);
	}
	if (iter)
		nftnl_expr_iter_destroy(iter);
}

static int append_rule(struct texts *texts, struct nftnl_rule *rule)
{
	char text[RULE_TEXT];

	describe_rule(rule, text, sizeof(text));
	return texts_append(texts, text);
}

static int take_rule(const struct nlmsghdr *message, void *data)
{
	struct nftnl_rule *rule = nftnl_rule_alloc();
	int ret = rule ? 0 : -ENOMEM;

	if (ret == 0 && nftnl_rule_nlmsg_parse(message, rule) < 0)
		ret = -EIO;
	if (ret == 0)
		ret = append_rule(data, rule);
	if (rule)
		nftnl_rule_free(rule);
	errno = -ret;
	return ret == 0 ? MNL_CB_OK : MNL_CB_ERROR;
}

static int read_rules(struct pp_nft *nft, const char *chain, struct texts *out)
{
	int ret;

	do {
		_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
		struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETRULE, NLM_F_DUMP);

		texts_fini(out);
		mnl_attr_put_strz(question, NFTA_RULE_TABLE, PP_TABLE_NAME);
		mnl_attr_put_strz(question, NFTA_RULE_CHAIN, chain);
		ret = nft_ask(nft, question, take_rule, out);
	} while (ret == -EINTR); /* somebody changed a ruleset meanwhile */
	return ret;
}

static int make_rules(const struct rules_chain *chain, struct texts *out)
{
	size_t first, count = rules_of(chain->name, &first);
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < count; i++) {
		struct nftnl_rule *rule = rules_make(first + i);

		if (!rule)
			return -ENOMEM;
		ret = append_rule(out, rule);
		nftnl_rule_free(rule);
	}
	return ret;
}

static void tell_missing(struct comparison *comparison, const struct rules_chain *chain, size_t i)
{
	char rule[RULE_TEXT / 2];

	differ(comparison, "missing in the kernel: rule of chain %s: %s", chain->name,
	       pp_ruleset_rule(chain->name, i, rule, sizeof(rule)));
}

struct alignment {
	const struct texts *want, *have;
	unsigned char
		*common; /* how many rules from w and h on are the same, in their order: see common_at */
};

static unsigned char *common_at(const struct alignment *a, size_t w, size_t h)
{
	return &a->common[w * (a->have->count + 1) + h];
}

static bool is_same(const struct alignment *a, size_t w, size_t h)
{
	return strcmp(a->want->items[w], a->have->items[h]) == 0;
}

static void align(const struct alignment *a)
{
	for (size_t w = a->want->count; w-- > 0;) {
		for (size_t h = a->have->count; h-- > 0;) {
			unsigned char without_w = *common_at(a, w + 1, h),
				      without_h = *common_at(a, w, h + 1);

			if (is_same(a, w, h))
				*common_at(a, w, h) = (unsigned char)(*common_at(a, w + 1, h + 1) + 1);
			else
				*common_at(a, w, h) = without_w > without_h ? without_w : without_h;
		}
	}
}

static void tell_rules(struct comparison *comparison, const struct rules_chain *chain,
		       const struct alignment *a)
{
	size_t w = 0, h = 0;

	while (w < a->want->count || h < a->have->count) {
		bool more = w < a->want->count && h < a->have->count;

		if (more && is_same(a, w, h)) {
			w++;
			h++;
		} else if (w == a->want->count ||
			   (more && *common_at(a, w, h + 1) >= *common_at(a, w + 1, h))) {
			differ(comparison, "another rule in the kernel: %.*s", SHOWN, a->have->items[h++]);
		} else {
			tell_missing(comparison, chain, w++);
		}
	}
}

static int compare_rules(struct comparison *comparison, const struct rules_chain *chain)
{
	struct texts want = { 0 }, have = { 0 };
	struct alignment alignment = { &want, &have, NULL };
	int ret = read_rules(comparison->nft, chain->name, &have);

	if (ret == 0)
		ret = make_rules(chain, &want);
	if (ret == 0) {
		alignment.common = calloc(want.count + 1, have.count + 1);
		ret = alignment.common ? 0 : -ENOMEM;
	}
	if (ret == 0 && have.count == 0) {
		differ(comparison, "missing in the kernel: all %zu rules of chain %s", want.count,
		       chain->name);
	} else if (ret == 0) {
		align(&alignment);
		tell_rules(comparison, chain, &alignment);
	}
	free(alignment.common);
	texts_fini(&want);
	texts_fini(&have);
	return ret;
}

/* As nft writes it, but for the names of the priorities. */
static void describe_chain(const struct rules_chain *chain, uint32_t policy, char *out, size_t size)
{
	static const char *const hooks[] = {
		[NF_INET_PRE_ROUTING] = "prerouting",   [NF_INET_LOCAL_IN] = "input",
		[NF_INET_FORWARD] = "forward",          [NF_INET_LOCAL_OUT] = "output",
		[NF_INET_POST_ROUTING] = "postrouting",
	};

	if (!chain->type)
		snprintf(out, size, "no hook");
	else
		snprintf(out, size, "type %s hook %s priority %d; policy %s", chain->type,
			 chain->hook < sizeof(hooks) / sizeof(hooks[0]) ? hooks[chain->hook] : "another",
			 chain->priority, policy == NF_ACCEPT ? "accept" : "drop");
}

static void compare_chain(struct comparison *comparison, const struct nftnl_chain *chain)
{
	const struct rules_chain there = {
		.name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME),
		.type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE),
		.hook = nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM),
		.priority = nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO),
	};
	char have[RULE_TEXT / 8], want[RULE_TEXT / 8];
	size_t i = 0;

	while (i < RULES_CHAINS && strcmp(rules_chains[i].name, there.name) != 0)
		i++;
	describe_chain(&there, nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY), have, sizeof(have));
	if (i == RULES_CHAINS) {
		differ(comparison, "another in the kernel: chain %.*s with %s", SHOWN, there.name, have);
		return;
	}
	comparison->there[i] = true;
	describe_chain(&rules_chains[i], NF_ACCEPT, want, sizeof(want));
	if (strcmp(have, want) != 0)
		differ(comparison, "another in the kernel: chain %s with %s, in the place of %s", there.name,
		       have, want);
}

static int take_chain(const struct nlmsghdr *message, void *data)
{
	struct nftnl_chain *chain = nftnl_chain_alloc();
	int code = chain ? 0 : ENOMEM;

	if (code == 0 && nftnl_chain_nlmsg_parse(message, chain) < 0)
		code = EIO;
	if (code == 0 && strcmp(nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE), PP_TABLE_NAME) == 0)
		compare_chain(data, chain);
	if (chain)
		nftnl_chain_free(chain);
	errno = code;
	return code == 0 ? MNL_CB_OK : MNL_CB_ERROR;
}

static int compare_chains(struct comparison *comparison)
{
	int ret;

	do {
		_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
		struct nlmsghdr *question = nft_begin(comparison->nft, buffer, NFPROTO_INET, NFT_MSG_GETCHAIN,
						      NLM_F_DUMP);

		texts_fini(&comparison->lines);
		memset(comparison->there, 0, sizeof(comparison->there));
		ret = nft_ask(comparison->nft, question, take_chain, comparison);
	} while (ret == -EINTR);
	return ret;
}

static int take_flags(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *flags = nft_find(message, NFTA_TABLE_FLAGS);

	if (flags && mnl_attr_validate(flags, MNL_TYPE_U32) >= 0)
		*(uint32_t *)data = ntohl(mnl_attr_get_u32(flags));
	return MNL_CB_OK;
}

static int compare_flags(struct comparison *comparison)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
	struct nlmsghdr *question = nft_begin(comparison->nft, buffer, NFPROTO_INET, NFT_MSG_GETTABLE, 0);
	uint32_t flags = 0;
	int ret;

	mnl_attr_put_strz(question, NFTA_TABLE_NAME, PP_TABLE_NAME);
	ret = nft_ask(comparison->nft, question, take_flags, &flags);
	if (ret == 0 && flags & NFT_TABLE_F_DORMANT)
		differ(comparison, "another in the kernel: the table inet " PP_TABLE_NAME
				   " is dormant, so that none of its rules counts");
	else if (ret == 0 && flags)
		differ(comparison,
		       "another in the kernel: the table inet " PP_TABLE_NAME
		       " has the flags %#x, and should have none",
		       flags);
	return ret;
}

int pp_nft_check(struct pp_nft *nft, void (*differs)(const char *line, void *data), void *data,
		 struct pp_error *err)
{
	struct comparison comparison = { .nft = nft };
	int ret = compare_chains(&comparison);

	if (ret == 0)
		ret = compare_flags(&comparison);
	for (size_t i = 0; ret == 0 && i < RULES_CHAINS; i++) {
		if (comparison.there[i])
			ret = compare_rules(&comparison, &rules_chains[i]);
		else
			differ(&comparison, "missing in the kernel: chain %s", rules_chains[i].name);
	}
	if (ret == 0)
		ret = comparison.ret;
	for (size_t i = 0; ret == 0 && i < comparison.lines.count; i++)
		differs(comparison.lines.items[i], data);
	texts_fini(&comparison.lines);
	return ret < 0 ? nft_fail(err, -ret) : 0;
}
