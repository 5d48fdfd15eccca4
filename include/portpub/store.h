/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The records on disk: what has been published in one network namespace.
 *
 *	/run/portpub/NAMESPACE/		$XDG_RUNTIME_DIR/portpub/NAMESPACE/ for those who are not root
 *		lock			held by the one command that changes anything
 *		active/ID.json		published
 *		adding/ID.json		on its way in: undone by the next command, if this one was killed
 *		deleting/ID.json	on its way out: back in active/ by the next command, or
 *		decided			... done by it, all of them together, and so are those in adding/
 *		handing-over		there may be keepers of records that have been replaced: they retire
 *		use/NAME/ID		who shares what; the last one to go puts it back
 *		was/NAME		what a sysctl was before it was set
 *		kept/ID/NUMBER		who keeps it: see portpub/kept.h
 *
 * NAMESPACE is the cookie of the network namespace, which no other one has until the next boot, and the id of
 * this boot: where the directory is on a disk, what was published before the machine was started is not looked
 * at. A file is written beside and renamed, so that it is there whole or not at all.
 */
#ifndef PORTPUB_STORE_H
#define PORTPUB_STORE_H

#include "portpub/record.h"

/* The table's comment names the directory. A runtime directory has sockets in it, whose paths are no longer. */
enum { PP_STORE_BASE = 112, PP_STORE_PATH = PP_STORE_BASE + 48 };

struct pp_store {
	int dir, lock;
	char base[PP_STORE_BASE]; /* "/run/portpub" */
	char path[PP_STORE_PATH]; /* "/run/portpub/NAMESPACE" */
};

#define PP_STORE_INIT ((struct pp_store){ -1, -1, "", "" })

enum pp_stage { PP_STAGE_ACTIVE, PP_STAGE_ADDING, PP_STAGE_DELETING, PP_STAGE_COUNT };

/*
 * What stands in the place of a record and cannot be read as one: a file that somebody has edited, or a disk has
 * spoilt. It is passed over and told; what it published is known by its id alone, until that is removed.
 */
struct pp_broken {
	char id[PP_ID_SIZE];
	char words[sizeof((struct pp_error){ 0 }.message)];
};

struct pp_records {
	struct pp_record *items;
	size_t count, capacity;
	struct pp_broken *broken;
	size_t broken_count, broken_capacity;
};

#define PP_RECORDS_INIT ((struct pp_records){ 0 })

/* Make it if need be, and wait for the lock; or do not wait: -EAGAIN where somebody has it. */
int pp_store_open(struct pp_store *store, struct pp_error *err);
int pp_store_try_open(struct pp_store *store, struct pp_error *err);

/*
 * For a process that stays: without the lock, which it takes for a while by pp_store_lock. -EAGAIN: somebody has it, and
 * @wait is false; -EINTR: who has a handler of signals got one.
 */
int pp_store_open_unlocked(struct pp_store *store, struct pp_error *err);
int pp_store_lock(struct pp_store *store, bool wait, struct pp_error *err);
void pp_store_unlock(struct pp_store *store);

/*
 * To read only, while nobody changes anything; who may not lock, since the records are somebody else's, reads
 * without. Whoever has no records of their own for this network namespace reads those of the machine. -ENOENT, and
 * @base and @path, where nothing has ever been published; -ENXIO where nobody can know, for want of a place.
 */
int pp_store_open_to_read(struct pp_store *store, struct pp_error *err);
void pp_store_close(struct pp_store *store);

void pp_records_fini(struct pp_records *list);

/* Takes @record over, or leaves it with the caller where it fails. */
int pp_records_append(struct pp_records *list, struct pp_record *record, struct pp_error *err);
int pp_records_append_broken(struct pp_records *list, const char *id, const char *words,
			     struct pp_error *err);

/* -ENOENT without such a record, -ENODATA for one that is broken. */
int pp_store_load(const struct pp_store *store, enum pp_stage stage, const char *id, struct pp_record *out,
		  struct pp_error *err);

/* Append every record of @stage, in the order of their ids, and those that are broken to @out->broken. */
int pp_store_load_all(const struct pp_store *store, enum pp_stage stage, struct pp_records *out,
		      struct pp_error *err);

int pp_store_save(const struct pp_store *store, enum pp_stage stage, const struct pp_record *record,
		  struct pp_error *err);

/* -ENOENT without such a record. */
int pp_store_move(const struct pp_store *store, enum pp_stage from, enum pp_stage to, const char *id,
		  struct pp_error *err);

/* No error where there is none. */
int pp_store_drop(const struct pp_store *store, enum pp_stage stage, const char *id, struct pp_error *err);

/* All of a removal is in deleting/, and in adding/ what is to stay: from here to the end it is gone through with. */
int pp_store_decide(const struct pp_store *store, struct pp_error *err);
bool pp_store_is_decided(const struct pp_store *store);
int pp_store_settle(const struct pp_store *store, struct pp_error *err);

/* A record is about to take the place of another, whose keeper is to retire then; from here until that is told to. */
int pp_store_hand_over(const struct pp_store *store, struct pp_error *err);
bool pp_store_is_handing_over(const struct pp_store *store);
int pp_store_handed_over(const struct pp_store *store, struct pp_error *err);

/* @id uses what @name stands for; saying so twice is once. */
int pp_store_use(const struct pp_store *store, const char *name, const char *id, struct pp_error *err);

/* It does no longer; *@last is true where nobody does. */
int pp_store_leave(const struct pp_store *store, const char *name, const char *id, bool *last,
		   struct pp_error *err);

/* True for an id that is to be passed over. */
typedef bool pp_store_skip(const char *id, void *data);

/* Call @take with every name that has users, or whose last one was killed while it left; it may leave it. */
void pp_store_each_used(const struct pp_store *store, void (*take)(const char *name, void *data), void *data);

/* Append the active records that use @name: all of them are needed, -ENODATA where one is broken. */
int pp_store_load_users(const struct pp_store *store, const char *name, pp_store_skip *skip, void *data,
			struct pp_records *out, struct pp_error *err);

/* Is there a user of @name that is not passed over? */
bool pp_store_is_used(const struct pp_store *store, const char *name, pp_store_skip *skip, void *data);

enum { PP_STORE_VALUE = 64 };

/* What @name was before. Keeping it twice keeps the first. */
int pp_store_keep(const struct pp_store *store, const char *name, const char *value, struct pp_error *err);

/* False where nothing is kept. */
bool pp_store_kept(const struct pp_store *store, const char *name, char out[static PP_STORE_VALUE]);
void pp_store_forget(const struct pp_store *store, const char *name);

/* Call @take with every name that begins with @prefix and of which something is kept; it may forget it. */
void pp_store_each_kept(const struct pp_store *store, const char *prefix,
			void (*take)(const char *name, void *data), void *data);

#endif
