/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To keep what is published in the kernel, whatever others do to the rulesets: see guard.c. */
#ifndef PORTPUB_KEEPER_GUARD_H
#define PORTPUB_KEEPER_GUARD_H

#include "portpub/anchor.h"
#include "portpub/generation.h"
#include "portpub/loop.h"
#include "portpub/publish.h"

/* What one pass has said. */
struct guard_lines {
	char text[2048];
	size_t len;
};

/* For whom it works, and what that is told; each of the functions may be NULL. */
struct guard_master {
	const struct pp_report *report;
	struct pp_publisher *publisher; /* with @id: who looks first whether that one lacks anything */
	const char *id;                 /* or NULL: everything that is published */
	const struct pp_keeping *keeping;
	void (*settled)(void *data); /* there has been a pass */
	void (*restored)(void *data);
	void *data;
};

struct guard {
	struct pp_loop *loop;
	struct guard_master master;
	struct pp_generation generation;
	struct pp_anchor anchor;
	struct pp_event changed, timer;     /* the rulesets have */
	struct pp_event owners[PP_ANCHORS]; /* of the anchors, whose end we wait for without one */
	bool wants_anchor;

	bool due;                         /* there has been a change since the last pass */
	int64_t rested;                   /* when there may be a pass again */
	int64_t put_back;                 /* when there was anything to put back last */
	size_t in_a_row;                  /* how often there was, up to then */
	struct guard_lines lines, before; /* of this pass, and of the one before it */
};

/*
 * Own an anchor if there is one to be had, and from here on put back, in @loop, what is missing after each change of the
 * rulesets; @at_once also now. -EPERM without CAP_NET_ADMIN, -EOPNOTSUPP without nf_tables.
 */
int guard_open(struct guard *guard, struct pp_loop *loop, const struct guard_master *master, bool at_once,
	       struct pp_error *err);
void guard_close(struct guard *guard);

#endif
