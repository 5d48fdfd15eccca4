/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table that carries publications, in nft's own language. */
#ifndef PORTPUB_RULESET_H
#define PORTPUB_RULESET_H

#include "portpub/record.h"

#include <stdio.h>

/*
 * Check that rules can be written for every publication: -EINVAL for a free port, which is not known
 * before it is taken, for a pool whose first port another publication takes, and for a missing target.
 */
int pp_ruleset_check(const struct pp_request *request, struct pp_error *err);

/*
 * Print the table so that `nft -f` loads it; `nft list` then shows it in the same words. For a pool the
 * first port stands. The caller looks at ferror(@out). -ENOMEM, before anything is printed.
 */
int pp_ruleset_print(const struct pp_record *record, FILE *out, struct pp_error *err);

/* The rule of @chain that is number @index, counted from 0; "" where there is none. Returns @out. */
const char *pp_ruleset_rule(const char *chain, size_t index, char *out, size_t size);

#endif
