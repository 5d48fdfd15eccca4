/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The two ways in which `explain` answers, and the words they share. */
#ifndef PORTPUB_CLI_EXPLAIN_H
#define PORTPUB_CLI_EXPLAIN_H

#include "cli.h"
#include "portpub/plan.h"

enum {
	EXPLAIN_REACH_TEXT = 96,
	EXPLAIN_WARNINGS_MAX = 4,
	EXPLAIN_WARNING_TEXT = PP_PUBLICATION_TEXT + 64,
};

/* Every publication has been planned before: planning it again cannot fail. */
struct explanation {
	struct pp_request request;
};

void explain_text(const struct explanation *explanation);
int explain_json(const struct explanation *explanation, struct pp_error *err);

/* Who can reach it, in words. Returns @out. */
const char *explain_reach(const struct pp_publication *publication, char out[static EXPLAIN_REACH_TEXT]);

/* What to beware of; returns how many of @out are filled. */
size_t explain_warnings(const struct pp_publication *publication, const struct pp_request *request,
			char out[static EXPLAIN_WARNINGS_MAX][EXPLAIN_WARNING_TEXT]);

#endif
