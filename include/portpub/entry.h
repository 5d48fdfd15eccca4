/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The elements of the table, byte for byte as the kernel has them. What should be there is a pure function
 * of the records; publishing, unpublishing and checking are differences between two lists of entries.
 */
#ifndef PORTPUB_ENTRY_H
#define PORTPUB_ENTRY_H

#include "portpub/record.h"
#include "portpub/table.h"

enum { PP_KEY_MAX = 40, PP_VALUE_MAX = 20 };

struct pp_entry {
	enum pp_set set;
	uint8_t key[PP_KEY_MAX];
	uint8_t last[PP_KEY_MAX]; /* of an interval set: the upper end of every field */
	uint8_t value[PP_VALUE_MAX];
	char owner[PP_ID_SIZE]; /* the record; "" where several share the entry */
	uint64_t packets;       /* connections, where the kernel told them */
};

struct pp_entries {
	struct pp_entry *items;
	size_t count, capacity;
};

/* Some entries of other lists. */
struct pp_entry_refs {
	const struct pp_entry **items;
	size_t count;
};

#define PP_ENTRIES_INIT ((struct pp_entries){ 0 })

void pp_entries_fini(struct pp_entries *list);
int pp_entries_append(struct pp_entries *list, const struct pp_entry *entry, struct pp_error *err);

/* Append what @record alone owns: an element for each host port, its allow list, its exceptions. */
int pp_entries_owned(const struct pp_record *record, struct pp_entries *out, struct pp_error *err);

/*
 * Append what @records have in common with others of the same container, none twice: the container with
 * itself, its bridge with itself, and the container ports that are published for this host alone and by
 * none of @records elsewhere. All records that go to one container must be among @records.
 */
int pp_entries_shared(const struct pp_record *const records[], size_t count, struct pp_entries *out,
		      struct pp_error *err);

/* What @a has and @b has not, by key and value; free @out->items. */
int pp_entries_minus(const struct pp_entries *a, const struct pp_entries *b, struct pp_entry_refs *out,
		     struct pp_error *err);

/* The one among @refs, which are sorted, that has the place of @place in the table; or NULL. */
const struct pp_entry *pp_entry_refs_find(const struct pp_entry_refs *refs, const struct pp_entry *place);

/* By set, key and interval; 0 for the same place in the table. */
int pp_entry_compare(const struct pp_entry *a, const struct pp_entry *b);

/* The entry's fields, where it has them. */
enum pp_protocol pp_entry_protocol(const struct pp_entry *entry);
uint16_t pp_entry_port(const struct pp_entry *entry);
struct pp_address pp_entry_address(const struct pp_entry *entry);
struct pp_address pp_entry_target(const struct pp_entry *entry);
uint16_t pp_entry_target_port(const struct pp_entry *entry);

/* The key under which (@protocol, @address, @port) stands in its map; an any-address in any4 or any6. */
struct pp_entry pp_entry_of_port(enum pp_protocol protocol, const struct pp_address *address, uint16_t port);

enum { PP_ENTRY_TEXT = 256 };

/* In nft's words: "tcp . 127.0.0.1 . 80", and the value "10.0.0.2 . 80", "" where there is none. */
const char *pp_entry_format_key(const struct pp_entry *entry, char out[static PP_ENTRY_TEXT]);
const char *pp_entry_format_value(const struct pp_entry *entry, char out[static PP_ENTRY_TEXT]);

#endif
