/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a command that changes something has in hand: the lock, the kernel, and nothing left over from before. */
#ifndef PORTPUB_PUBLISH_SESSION_H
#define PORTPUB_PUBLISH_SESSION_H

#include "transaction.h"

struct session {
	struct pp_store store;
	struct pp_nft nft;
	const struct pp_keeping
		*keeping; /* NULL: a keeper is at work, who can neither begin others nor end them */
	const struct pp_report *report;
	struct pp_error unfinished; /* why not all could be finished, or code 0: see session_repair */
	bool spares_connections;    /* see struct pp_publisher */
	bool leaves;                /* a removal that was interrupted, to the next command */
};

/* Waits for the lock, or does not: -EAGAIN; and finishes what a command that was killed has left: see session.c. */
int session_begin(struct session *session, const struct pp_keeping *keeping, const struct pp_report *report,
		  struct pp_error *err);
int session_try_begin(struct session *session, const struct pp_keeping *keeping,
		      const struct pp_report *report, struct pp_error *err);
void session_end(struct session *session);

/* The same with what a process that stays has open. -EAGAIN: another command is at work, and @wait is false. */
int session_borrow(struct session *session, struct pp_publisher *publisher, bool wait,
		   const struct pp_report *report, struct pp_error *err);
void session_give_back(struct session *session, struct pp_publisher *publisher);

/*
 * What it finishes at the beginning, once more. A broken record may be in the way: it is all that can be removed
 * then, and session_check fails with the words for everything else.
 */
int session_repair(struct session *session, struct pp_error *err);
int session_check(const struct session *session, struct pp_error *err);

/*
 * Take back what @record, in adding/, has had for an effect: its id gets back what it has in active/, or nothing.
 * Where it fails, the next command tries again.
 */
int session_undo(struct session *session, const struct pp_record *record, struct pp_error *err);

/*
 * @record, in adding/, is active from here on, in the place of @before, or of none. Its keeper, by @leash, which is
 * closed, or -1, may go on alone, and that of @before retires.
 */
int session_activate(struct session *session, const struct pp_record *before, const struct pp_record *record,
		     int leash, struct pp_error *err);

/*
 * Carry out @changes, which get sorted by id: records that are active go, or give way to ones that ask for less of the same.
 * One batch for all of them; killed at any time, all of it is done, or nothing.
 */
int session_change(struct session *session, struct change *changes, size_t count, struct pp_error *err);

#endif
