/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fixed part of the table, as messages of a batch. */
#ifndef PORTPUB_KERNEL_RULES_H
#define PORTPUB_KERNEL_RULES_H

#include "batch.h"

struct nftnl_rule;

/* How many rules the table has. */
size_t rules_count(void);

/* Append what makes the table anew; @exists where one is there, which goes in the same batch. */
int rules_build(struct batch *batch, bool exists, struct pp_error *err);

/* The rules in their order, of all chains; free each with nftnl_rule_free. NULL when memory runs out. */
struct nftnl_rule *rules_make(size_t index);

#endif
