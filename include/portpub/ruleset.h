/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table that carries publications, in nft's own language. */
#ifndef PORTPUB_RULESET_H
#define PORTPUB_RULESET_H

#include "portpub/plan.h"

#include <net/if.h>
#include <stdio.h>

struct pp_ruleset {
	const struct pp_request *request;
	const struct pp_host *host;
	char interfaces[2][IF_NAMESIZE]; /* the way to the IPv4 and the IPv6 target; "" where there is none */
};

/*
 * Check that rules can be written for every publication: -EINVAL for a free port, which is not known
 * before it is taken, for a pool whose first port another publication takes, and for a missing target.
 */
int pp_ruleset_check(const struct pp_ruleset *ruleset, struct pp_error *err);

/*
 * Print the table so that `nft -f` loads it; `nft list` then shows it in the same words. For a pool the
 * first port stands. The caller looks at ferror(@out).
 */
void pp_ruleset_print(const struct pp_ruleset *ruleset, FILE *out);

#endif
