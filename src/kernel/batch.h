/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Messages for nf_tables, one behind the other in one growing buffer: what the kernel takes as one
 * transaction has to be one datagram.
 */
#ifndef PORTPUB_KERNEL_BATCH_H
#define PORTPUB_KERNEL_BATCH_H

#include "portpub/entry.h"

#include <libmnl/libmnl.h>

struct batch {
	char *data;
	size_t size, capacity;
	uint32_t sequence; /* of the last message */
};

void batch_fini(struct batch *batch);

/* Make room for @size more bytes; what there was may move. */
int batch_reserve(struct batch *batch, size_t size, struct pp_error *err);

/* Begin a message in room that is there. It ends when batch_end adds what it has become. */
struct nlmsghdr *batch_begin(struct batch *batch, uint16_t type, uint16_t family, uint16_t flags);
void batch_end(struct batch *batch, const struct nlmsghdr *message);

/* The brackets of a transaction; with a @generation it is refused where the rulesets have another. */
int batch_open(struct batch *batch, const uint32_t *generation, struct pp_error *err);
int batch_close(struct batch *batch, struct pp_error *err);

/*
 * Messages that add (or remove) entries of one set, as many as fit below @limit bytes of the whole batch, from
 * @entries[*next] on; *next counts on.
 */
int batch_entries(struct batch *batch, bool add, const struct pp_entry *const entries[], size_t count,
		  size_t *next, size_t limit, struct pp_error *err);

/* nft's own user data, in the place of attribute @type: "comment ..." in what it lists. */
enum { COMMENT_MAX = 128 };
void batch_put_comment(struct nlmsghdr *message, uint16_t type, const char *text);

/* The comment in the user data @attr; false where there is none, or none that fits. */
bool comment_parse(const struct nlattr *attr, char *out, size_t size);

/* An element of a dump or an answer. */
bool entry_parse(const struct nlattr *element, enum pp_set set, struct pp_entry *out);

/* NFTA_SET_ELEM_LIST_ELEMENTS with the keys of @entries, of one set, for a question. */
void batch_put_keys(struct nlmsghdr *message, const struct pp_entry *const entries[], size_t count);

#endif
