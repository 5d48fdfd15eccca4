/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_PUBLISH_GC_H
#define PORTPUB_PUBLISH_GC_H

#include "session.h"

/* Why there is no more use for @record, as "whose lease is over", or NULL. */
const char *gc_why_over(const struct pp_record *record);

/*
 * Unpublish what of @active has outlived its container or its lease, and take it off the list; with @orphans only what
 * a keeper would have unpublished, had it not been killed.
 */
int gc_drop(struct session *session, struct pp_records *active, bool orphans, struct pp_error *err);

/*
 * Unpublish @id where there is still no more use for it, kept or not. Whoever has seen that without the lock may have
 * waited for a command by which it has come back.
 */
int gc_drop_one(const char *id, const struct pp_keeping *keeping, const struct pp_report *report,
		struct pp_error *err);

#endif
