/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command that changes something has in hand: the lock, the kernel, and nothing left over from before. */
#ifndef PORTPUB_PUBLISH_SESSION_H
#define PORTPUB_PUBLISH_SESSION_H

#include "transaction.h"

struct session {
	struct pp_store store;
	struct pp_nft nft;
	const struct pp_report *report;
};

/* Waits for the lock, and finishes what a command that was killed has left: see session.c. */
int session_begin(struct session *session, const struct pp_report *report, struct pp_error *err);
void session_end(struct session *session);

/* What it finishes at the beginning, once more: a broken record may have been in the way, which is said. */
int session_repair(struct session *session, struct pp_error *err);

/*
 * Take back what @record, in adding/, has had for an effect: its id gets back what it has in active/, or nothing.
 * Where it fails, the next command tries again.
 */
int session_undo(struct session *session, const struct pp_record *record, struct pp_error *err);

/*
 * Carry out @changes, sorted by id: records that are active go, or give way to ones that ask for less of the same.
 * One batch for all of them.
 */
int session_change(struct session *session, const struct change *changes, size_t count, struct pp_error *err);

#endif
