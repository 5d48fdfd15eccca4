/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is published, and how it does: the records, what the kernel has counted, what the keepers say. */
#ifndef PORTPUB_CLI_STATE_H
#define PORTPUB_CLI_STATE_H

#include "portpub/connections.h"
#include "published.h"

struct state {
	struct pp_records records;
	struct pp_connections connections;
	struct pp_kept_page *pages; /* by record; pid 0 where there is no keeper that lives */
	struct published *items;    /* by record; into the others */
};

/*
 * Read all of it, of @id alone where that is not NULL: -ENOENT where there is none. What the kernel has counted may not
 * be known, as to an ordinary user, which is no error.
 */
int state_read(struct state *state, const char *id, struct pp_error *err);
void state_fini(struct state *state);

/* On standard error, what could not be read. True where there was nothing of it. */
bool state_is_whole(const struct state *state);

#endif
