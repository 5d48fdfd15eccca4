/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The rules of the table as the kernel has them, against those that rules.c makes. */
#include "nft.h"
#include "rules.h"

#include <errno.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <string.h>

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

enum { RULE_TEXT = 2048 };

struct rules_check {
	size_t next; /* of the rules that should be there */
	void (*differ)(const char *line, void *data);
	void *data;
	bool failed;
};

static int check_rule(const struct nlmsghdr *message, void *data)
{
	char have[RULE_TEXT], want[RULE_TEXT] = "", line[RULE_TEXT + 64];
	struct rules_check *check = data;
	struct nftnl_rule *there = nftnl_rule_alloc(), *should = NULL;

	if (!there || nftnl_rule_nlmsg_parse(message, there) < 0) {
		check->failed = true;
	} else {
		describe_rule(there, have, sizeof(have));
		if (check->next < rules_count() && (should = rules_make(check->next)))
			describe_rule(should, want, sizeof(want));
		if (strcmp(have, want) != 0) {
			snprintf(line, sizeof(line), "another rule in the kernel: %.200s", have);
			check->differ(line, check->data);
		}
	}
	check->next++;
	if (there)
		nftnl_rule_free(there);
	if (should)
		nftnl_rule_free(should);
	return MNL_CB_OK;
}

int pp_nft_check(struct pp_nft *nft, void (*differ)(const char *line, void *data), void *data,
		 struct pp_error *err)
{
	struct rules_check check = { .differ = differ, .data = data };
	char line[96];
	int ret;

	do {
		_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE];
		struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETRULE, NLM_F_DUMP);

		check.next = 0;
		mnl_attr_put_strz(question, NFTA_RULE_TABLE, PP_TABLE_NAME);
		ret = nft_ask(nft, question, check_rule, &check);
	} while (ret == -EINTR); /* somebody changed a ruleset meanwhile: what differs is told again */
	if (ret < 0)
		return nft_fail(err, -ret);
	if (check.failed)
		return pp_fail(err, EIO, "cannot read the rules of the table");
	if (check.next < rules_count()) {
		snprintf(line, sizeof(line), "missing in the kernel: %zu of %zu rules",
			 rules_count() - check.next, rules_count());
		differ(line, data);
	}
	return 0;
}
