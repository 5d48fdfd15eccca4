/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The table inet portpub in the kernel, by netlink.
 *
 * A change is one batch: the kernel takes all of it or nothing, and refuses it where anybody has changed any
 * ruleset of this network namespace since it was last looked at. Every function here may fail with -EPERM
 * without CAP_NET_ADMIN, and with -EOPNOTSUPP in a kernel that has no nf_tables.
 */
#ifndef PORTPUB_NFT_H
#define PORTPUB_NFT_H

#include "portpub/entry.h"

struct mnl_socket;

enum pp_nft_state {
	PP_NFT_ABSENT,  /* there is no such table */
	PP_NFT_DAMAGED, /* rules are missing, or there are others */
	PP_NFT_WHOLE,   /* as many rules as there should be: pp_nft_check tells whether they are the same */
};

/*
 * Two directories of records for one network namespace would each take the table for its own. So the table has
 * a comment, which says where its records are: pp_nft_look refuses one that has elements by other records, and
 * takes one for damaged that has none, so that it is made anew. A table without the comment is anybody's.
 */
struct pp_nft {
	struct mnl_socket *socket;
	const char *records;     /* the directory of those at hand, below PP_NFT_RECORDS bytes; or NULL */
	uint32_t generation;     /* of the rulesets, as last looked at */
	enum pp_nft_state state; /* of the table in that generation, if it is known */
	bool is_known;
	uint32_t sequence;
};

enum { PP_NFT_RECORDS = 112 };

#define PP_NFT_INIT ((struct pp_nft){ 0 })

/* In the network namespace of the caller; it stays the handle's, wherever the caller goes. */
int pp_nft_open(struct pp_nft *nft, struct pp_error *err);
void pp_nft_close(struct pp_nft *nft);

static inline bool pp_nft_is_open(const struct pp_nft *nft)
{
	return nft->socket;
}

/* Look anew: what follows is decided on the rulesets as they are now. -EBUSY: the table is of other records. */
int pp_nft_look(struct pp_nft *nft, enum pp_nft_state *state, struct pp_error *err);

struct pp_nft_change {
	enum pp_nft_state found; /* what pp_nft_look said: unless whole, the table is made anew first */
	struct pp_entry_refs remove, add;
};

/*
 * Make the change. What can be told apart: -EAGAIN, somebody has changed the rulesets since pp_nft_look;
 * -EEXIST, an entry to add is there already, @change->add.items[*fault]; -ENOENT, the table, or an entry to
 * remove, is not there. In each case nothing has been changed.
 *
 * A change that is too large for the socket's buffer, which only CAP_NET_ADMIN of the first user namespace
 * can enlarge at will, goes in several batches, and is undone where a later one fails.
 */
int pp_nft_commit(struct pp_nft *nft, const struct pp_nft_change *change, size_t *fault,
		  struct pp_error *err);

/* Append the entries of @set for which @keep is true; NULL keeps all. No table: none. */
int pp_nft_read(struct pp_nft *nft, enum pp_set set, bool (*keep)(const struct pp_entry *entry, void *data),
		void *data, struct pp_entries *out, struct pp_error *err);

/*
 * Append, in any order, what the kernel has at the places of @refs, which are sorted; it may have something else
 * there, or nothing. This costs the same however much the sets have besides.
 */
int pp_nft_find(struct pp_nft *nft, const struct pp_entry_refs *refs, struct pp_entries *out,
		struct pp_error *err);

/* The entry of @key's set and key, as the kernel has it; -ENOENT. */
int pp_nft_get(struct pp_nft *nft, const struct pp_entry *key, struct pp_entry *out, struct pp_error *err);

/* Call @differ with a line for each fault of the table's fixed part: its flags, chains and rules. */
int pp_nft_check(struct pp_nft *nft, void (*differ)(const char *line, void *data), void *data,
		 struct pp_error *err);

#endif
