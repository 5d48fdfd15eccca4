/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A keeper at work, in whichever process. */
#ifndef PORTPUB_KEEPER_KEEP_H
#define PORTPUB_KEEPER_KEEP_H

#include "portpub/forwarder.h"
#include "portpub/kept.h"
#include "portpub/publish.h"

struct pp_keeper;

/*
 * Begin to keep @record: its sockets of @held go to the forwarder, and what is to be known of its container is
 * watched. With `inside`, the process goes into the container's network namespace, and a target that is not known is
 * found there. @kept is the keeper's from here on. Nothing is carried before keeper_run.
 */
int keeper_new(struct pp_record *record, struct pp_held *held, const struct pp_kept *kept,
	       struct pp_keeper **out, struct pp_error *err);
void keeper_free(struct pp_keeper *keeper);

/* Enter the sandbox, for good. If it fails, this is to be ended, by keeper_end or keeper_free. */
int keeper_confine(struct pp_keeper *keeper, struct pp_error *err);

/* The kernel's connections go on when it has unpublished. */
void keeper_spare_connections(struct pp_keeper *keeper);

/*
 * Wait until the other end of @leash, which is closed here, says that this is published, or goes without a word. Nobody
 * is let in before: who comes waits, and is not cut off where it is undone. False: it is to be ended by keeper_end.
 */
bool keeper_may_begin(struct pp_keeper *keeper, int leash);

/*
 * Confined, carry until there is an end to it, and unpublish, if it is still this one's to do so. @ending: see
 * pp_forwarder_run.
 */
int keeper_run(struct pp_keeper *keeper, const struct pp_ending *ending, const struct pp_report *report,
	       struct pp_error *err);

/* Unpublish, if it is published, and this one's to do so. */
int keeper_end(struct pp_keeper *keeper, const struct pp_report *report, struct pp_error *err);

#endif
