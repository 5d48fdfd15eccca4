/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The way from what records ask for to what the kernel has, in one step and back. */
#ifndef PORTPUB_PUBLISH_TRANSACTION_H
#define PORTPUB_PUBLISH_TRANSACTION_H

#include "portpub/nft.h"
#include "portpub/publish.h"

/* What becomes of one id: a record before, a record after, or both. */
struct change {
	const struct pp_record *before, *after;
};

struct transaction {
	struct pp_store *store;
	struct pp_nft *nft;
	const struct pp_report *report;
	const struct change *changes; /* sorted by id */
	size_t count;
	bool restore; /* all that they ask for afterwards, should some of it be lost that they asked for before */
	bool spares_connections; /* none of TCP and SCTP is forgotten */
	bool yield;              /* what is in the way of an entry stays, and is told: it is no error */

	struct pp_entries before, after;              /* what the changes and their neighbours ask for */
	struct pp_entry_refs remove, add;             /* what changes */
	struct pp_entry_refs batch_remove, batch_add; /* of that, what the kernel has still to be told */

	char taken_by[PP_ID_SIZE]; /* the record that has a port, by transaction_fail_taken */

	struct pp_entry
		foreign; /* the first of what stands where something is to go, and is somebody else's */
	char foreign_for[PP_ID_SIZE];
	size_t foreign_count;

	enum pp_nft_state found; /* the table, before the batch that has been committed */
};

void transaction_fini(struct transaction *transaction);

/* The entries to remove and to add. */
int transaction_plan(struct transaction *transaction, struct pp_error *err);

/*
 * Look at what the kernel has: leave out what it has not, or has already, and what is somebody else's, which
 * transaction_commit tells. Whoever removes anything has to.
 */
int transaction_match(struct transaction *transaction, struct pp_error *err);

/*
 * The batch, on the rulesets as pp_nft_look has found them; where the table is not whole, all that is published
 * goes into the new one. -EAGAIN: they have changed since. -EADDRINUSE: an entry is somebody's.
 */
int transaction_commit(struct transaction *transaction, enum pp_nft_state found, struct pp_error *err);

/* The same for who does not care how it looked before: look and match until it is done. */
int transaction_force(struct transaction *transaction, struct pp_error *err);

/* -EADDRINUSE: the port of @entry is "already published by web (pid 4242)". */
int transaction_fail_taken(struct transaction *transaction, const struct pp_entry *entry, const char *owner,
			   struct pp_error *err);

/* The id of a change. */
const char *change_id(const struct change *change);

/* For pp_store_is_used: is @id one of those that change? @data is the transaction. */
bool transaction_has(const char *id, void *data);

#endif
