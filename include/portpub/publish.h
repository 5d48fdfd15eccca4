/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Publish and unpublish: all of it or nothing, beside other commands that do the same. */
#ifndef PORTPUB_PUBLISH_H
#define PORTPUB_PUBLISH_H

#include "portpub/hold.h"
#include "portpub/nft.h"
#include "portpub/store.h"

/* Where a command tells what it does besides: one line each, without an end. */
struct pp_report {
	void (*say)(const char *line, void *data);
	void *data;
};

__attribute__((format(printf, 2, 3))) void pp_report_say(const struct pp_report *report, const char *format,
							 ...);

/*
 * Who keeps what is published, of the room above. @start begins to keep @record, in adding/, with the sockets of
 * @held, of which it takes what it wants; *@leash is a socket by which the keeper is told that it may go on alone: when
 * it is closed before, the keeper ends. A target that only the inside of the container knows is written to @record.
 * Where it fails, nobody keeps it. @held: ports that are bound already, or NULL: what fits is taken over. @many: so any
 * number of keepers is begun, and not that of one command alone.
 */
struct pp_keeping {
	int (*start)(const struct pp_store *store, struct pp_record *record, struct pp_held *held, int *leash,
		     void *data, struct pp_error *err);
	void *data;
	struct pp_held *held;
	bool many;
};

/*
 * Set by which interface @record's target of @family is reached, and whether it is alone behind it. Reads only; needs
 * no privilege. -ENETUNREACH where there is no way, or what else the kernel says.
 */
int pp_publish_find_way(struct pp_record *record, sa_family_t family, struct pp_error *err);

/*
 * Publish @record, whose target is known; pools and free ports are chosen, and stand in it afterwards, as do
 * an id where it had none, and the interfaces. It gets a keeper unless its request says otherwise. With @replace, a record of the same id gives way in the same
 * instant. Fails with -EADDRINUSE and who has the port, -EEXIST where the id is taken, -EPERM without
 * CAP_NET_ADMIN, -EOPNOTSUPP without nf_tables, and then nothing has changed.
 */
int pp_publish_add(struct pp_record *record, bool replace, const struct pp_keeping *keeping,
		   const struct pp_report *report, struct pp_error *err);

/*
 * Unpublish what @names say: the ids of records, or specs of single publications in them. All are found before
 * any is removed: -ENOENT for one that is not there, -EINVAL for a spec that is none.
 */
int pp_publish_del(char *const names[], size_t count, const struct pp_keeping *keeping,
		   const struct pp_report *report, struct pp_error *err);
int pp_publish_del_all(const struct pp_keeping *keeping, const struct pp_report *report,
		       struct pp_error *err);

/* Unpublish what has outlived its container or its lease. */
int pp_publish_gc(const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err);

/* What was missing, and is there again. */
struct pp_restored {
	bool table; /* all of it: it was gone, or damaged */
	size_t elements, sysctls;
	size_t keepers;
	size_t failed; /* records that are broken, elements in whose place is somebody else's, sysctls, keepers */
};

/*
 * Put back what the kernel lacks of all records. Unless @keeping is NULL, begin new keepers in the place of those that
 * have ended, and unpublish what these would have, since its container has ended, or its lease. What cannot be put back
 * is told by @report, and does not keep the rest from it. UDP flows that have come meanwhile are forgotten; no
 * connection of TCP is. Waits for other commands, or does not: -EAGAIN, where one is at work, which rebuilds a table
 * that is not whole by itself. -EBUSY where the table is of other records.
 */
int pp_publish_restore(struct pp_restored *out, const struct pp_keeping *keeping,
		       const struct pp_report *report, struct pp_error *err);
int pp_publish_try_restore(struct pp_restored *out, const struct pp_keeping *keeping,
			   const struct pp_report *report, struct pp_error *err);

/* "put back: the table inet portpub, 6 elements, 1 sysctl", or "nothing was missing". Returns @out. */
enum { PP_RESTORED_TEXT = 128 };
const char *pp_restored_format(const struct pp_restored *restored, char out[static PP_RESTORED_TEXT]);

/*
 * Compare records and kernel; @differ gets a line for each difference. Of @id alone where it is not NULL:
 * -ENOENT where there is none.
 */
int pp_publish_check(const char *id, void (*differ)(const char *line, void *data), void *data,
		     struct pp_error *err);

/*
 * What a process that stays needs to unpublish later, opened while it may still open it: the namespace that it is in
 * then counts, wherever it goes.
 */
struct pp_publisher {
	struct pp_store store; /* not locked */
	struct pp_nft nft;     /* open, if rules are to do with it, and the kernel lets us */
	bool spares_connections; /* of TCP and SCTP, that the kernel carries: they outlive what is unpublished */
};

#define PP_PUBLISHER_INIT ((struct pp_publisher){ PP_STORE_INIT, PP_NFT_INIT, false })

int pp_publisher_open(struct pp_publisher *publisher, bool with_rules, struct pp_error *err);
void pp_publisher_close(struct pp_publisher *publisher);

/* *@lacks: the kernel has not all of what @id wants, or the table is not whole. Reads only, and without the lock. */
int pp_publisher_look(struct pp_publisher *publisher, const char *id, bool *lacks, struct pp_error *err);

/* Unpublish @id, if it is still kept by the keeper of that number; waits for the lock. */
int pp_publisher_end(struct pp_publisher *publisher, const char *id, uint32_t keeper,
		     const struct pp_report *report, struct pp_error *err);

#endif
