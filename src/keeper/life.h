/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long a publication lasts: as long as its container, and no longer than its lease. */
#ifndef PORTPUB_KEEPER_LIFE_H
#define PORTPUB_KEEPER_LIFE_H

#include "portpub/loop.h"
#include "portpub/record.h"

struct life {
	struct pp_loop *loop; /* which is ended */
	struct pp_event process, netns, lease;
	char *path; /* of the namespace */
};

/*
 * A process that has ended already, or a path that is gone, is the end: -ESRCH. What the record does not tell is not
 * watched.
 */
int life_begin(struct life *life, struct pp_loop *loop, const struct pp_record *record, struct pp_error *err);
void life_end(struct life *life);

#endif
