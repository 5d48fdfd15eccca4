/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The keepers that are at work, by the files that they lock. */
#ifndef PORTPUB_PUBLISH_KEEPERS_H
#define PORTPUB_PUBLISH_KEEPERS_H

#include "portpub/hold.h"
#include "portpub/kept.h"
#include "portpub/publish.h"

/*
 * End those of @id whose numbers are above @above, and wait until they have ended; they leave everything as it is. A keeper
 * cannot end others, from its sandbox, and goes on itself: others that live have been retired, and end by themselves.
 */
int keepers_end(const struct pp_store *store, const char *id, uint32_t above, bool by_keeper,
		struct pp_error *err);

/* Does this one live? One that is about to end has closed its sockets when the answer is no. */
bool keepers_live(const struct pp_store *store, const char *id, uint32_t number);

/* Might this one be ended from here, if it lives? -EXDEV: it is in another pid namespace. */
int keepers_check(const struct pp_store *store, const char *id, uint32_t number, struct pp_error *err);

/* Those below @below take nothing new, give back their ports, and end with their last connection. */
void keepers_retire(const struct pp_store *store, const char *id, uint32_t below);

/* Append to @out the sockets by which a keeper holds its ports: they are both's then. -ESRCH: there is no such keeper. */
int keepers_borrow(const struct pp_store *store, const char *id, uint32_t number, struct pp_held *out,
		   struct pp_error *err);

/* Say what the one that has begun for @record does without. */
void keepers_tell(const struct pp_store *store, const struct pp_record *record,
		  const struct pp_report *report);

/* It may go on alone: what it keeps is published. */
void keepers_release(int leash);

#endif
