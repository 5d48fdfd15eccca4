/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record for the eye and for programs: what `add` and `list` answer. */
#ifndef PORTPUB_CLI_PUBLISHED_H
#define PORTPUB_CLI_PUBLISHED_H

#include "portpub/kept.h"

#include <jansson.h>
#include <stdio.h>

/*
 * A record, how many connections each of its publications has had by the kernel, where that is known, and what its
 * keeper says, where it has one that lives.
 */
struct published {
	const struct pp_record *record;
	const uint64_t *connections;       /* or NULL */
	const struct pp_kept_page *keeper; /* or NULL */
};

/* A line for each publication, under a heading. */
void published_print(const struct published *items, size_t count, FILE *out);

/* A new reference; NULL when memory runs out. */
json_t *published_json(const struct published *item);

#endif
