/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who keeps a publication: a process, which has a file for as long as it lives.
 *
 *	kept/ID/NUMBER		one for each keeper of a record. The record names the number of the one that keeps it;
 *				lower ones have been replaced, and carry their last connections to the end.
 *
 * That a keeper lives is told by the lock that it holds on its file, and not by its pid, which another process may
 * get. The lock is on the open file, so that a command can take it for the keeper that it starts. The file is a page
 * of memory that the keeper writes and everybody may read, at any time, without asking.
 */
#ifndef PORTPUB_KEPT_H
#define PORTPUB_KEPT_H

#include "portpub/counters.h"
#include "portpub/store.h"

/* What a keeper has given up, for good. */
enum {
	PP_KEPT_NO_NEW_PRIVS = 1 << 0,
	PP_KEPT_CAPABILITIES = 1 << 1,
	PP_KEPT_LOCKED = 1 << 2, /* and it will never get them back */
	PP_KEPT_LANDLOCK = 1 << 3,
	PP_KEPT_SECCOMP = 1 << 4,
};

enum { PP_KEPT_SAID = 160 };

/* It grows at its end alone. */
struct pp_kept_page {
	uint32_t size; /* of this struct, in the version that writes it */
	uint32_t pid;
	uint64_t pid_namespace; /* its inode: elsewhere the pid is another's */
	uint32_t sandbox;       /* PP_KEPT_... */
	uint32_t anchor;        /* the number of the anchor that it owns, or 0 */
	uint64_t restores;
	char said[PP_KEPT_SAID]; /* the last of what went wrong, or "" */
	struct pp_counters counters;
};

/* One's own. */
struct pp_kept {
	int fd;
	struct pp_kept_page *page;
};

#define PP_KEPT_INIT ((struct pp_kept){ -1, NULL })

/* Make the file, locked and zeroed; -EBUSY while a keeper of this number lives. */
int pp_kept_make(const struct pp_store *store, const char *id, uint32_t number, struct pp_kept *out,
		 struct pp_error *err);

/* The file that is open as @fd, which is the caller's from here on if this succeeds. */
int pp_kept_take(int fd, struct pp_kept *out, struct pp_error *err);

/* This process is the keeper. */
void pp_kept_begin(struct pp_kept *kept);
void pp_kept_close(struct pp_kept *kept);

/* Does this keeper live? *@page is what it says. */
bool pp_kept_look(const struct pp_store *store, const char *id, uint32_t number, struct pp_kept_page *page);

/* The pid namespace that this process is in, by its inode; 0: not known. */
uint64_t pp_kept_namespace(void);

/* Is the pid that it says one of ours, or of another pid namespace? */
bool pp_kept_is_here(const struct pp_kept_page *page);

/* Has the process the keeper's file open? A keeper that somebody has taken over may write any pid to it. */
bool pp_kept_is_open_in(const struct pp_store *store, const char *id, uint32_t number, uint32_t pid);

/* Call @take with the number of each keeper that @id has or had; it may drop it. */
void pp_kept_each(const struct pp_store *store, const char *id, void (*take)(uint32_t number, void *data),
		  void *data);

/* The same with every id that has any. */
void pp_kept_each_id(const struct pp_store *store, void (*take)(const char *id, void *data), void *data);

/* The file is no longer needed. No error where there is none. */
int pp_kept_drop(const struct pp_store *store, const char *id, uint32_t number, struct pp_error *err);

#endif
