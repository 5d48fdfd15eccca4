/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed part of the table, as messages of a batch. */
#ifndef PORTPUB_KERNEL_RULES_H
#define PORTPUB_KERNEL_RULES_H

#include "batch.h"

struct nftnl_rule;

/* How many rules the table has, and how many of them, from *@first on, are of one chain. */
size_t rules_count(void);
size_t rules_of(const char *chain, size_t *first);

/* Its chains, each with the policy to accept. */
struct rules_chain {
	const char *name, *type;
	uint32_t hook;
	int32_t priority;
	bool anchored; /* an anchor has it, too */
};
enum { RULES_CHAINS = 6 };
extern const struct rules_chain rules_chains[RULES_CHAINS];

/*
 * Append what makes the table anew, with its sets, and with the comment that names the directory of its @records,
 * unless that is NULL; @exists where one is there, which goes in the same batch.
 */
int rules_build_sets(struct batch *batch, bool exists, const char *records, struct pp_error *err);

/* What stands in that comment before the directory. */
#define RULES_COMMENT "records in "

/* Append the chains and rules that make it work; how much that is at most, and what takes a table away. */
enum { RULES_SIZE = 32768 };
int rules_build_chains(struct batch *batch, struct pp_error *err);
int rules_build_nothing(struct batch *batch, const char *table, struct pp_error *err);

/* Append what makes @table an anchor; @exists as above. */
int rules_build_anchor(struct batch *batch, const char *table, bool exists, struct pp_error *err);

/* The rules in their order, of all chains; free each with nftnl_rule_free. NULL when memory runs out. */
struct nftnl_rule *rules_make(size_t index);

#endif
