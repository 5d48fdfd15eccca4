/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Keys are concatenations: each field at a multiple of four bytes, its first byte first, the rest zero.
 * pack and the pp_entry_* readers are the only code that knows.
 */
#include "portpub/entry.h"

#include "portpub/array.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pp_entries_fini(struct pp_entries *list)
{
	free(list->items);
	*list = PP_ENTRIES_INIT;
}

int pp_entries_append(struct pp_entries *list, const struct pp_entry *entry, struct pp_error *err)
{
	struct pp_entry *items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));

	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	list->items = items;
	list->items[list->count++] = *entry;
	return 0;
}

int pp_entry_compare(const struct pp_entry *a, const struct pp_entry *b)
{
	const struct pp_shape *shape = pp_set_shape(a->set);
	int order = (int)a->set - (int)b->set;

	if (order == 0)
		order = memcmp(a->key, b->key, pp_key_size(shape));
	if (order == 0 && shape->interval)
		order = memcmp(a->last, b->last, pp_key_size(shape));
	return order;
}

static int compare_all(const struct pp_entry *a, const struct pp_entry *b)
{
	int order = pp_entry_compare(a, b);

	return order ? order : memcmp(a->value, b->value, sizeof(a->value));
}

static int compare_refs(const void *left, const void *right)
{
	const struct pp_entry *const *a = left, *const *b = right;

	return compare_all(*a, *b);
}

static const struct pp_entry **sorted(const struct pp_entries *list)
{
	const struct pp_entry **refs = calloc(list->count + 1, sizeof(const struct pp_entry *));

	for (size_t i = 0; refs && i < list->count; i++)
		refs[i] = &list->items[i];
	if (refs)
		qsort(refs, list->count, sizeof(const struct pp_entry *), compare_refs);
	return refs;
}

/* Both sorted: keep in @a what is not in @b. */
static size_t subtract(const struct pp_entry **a, size_t count, const struct pp_entry *const *b,
		       size_t b_count)
{
	size_t kept = 0, j = 0;

	for (size_t i = 0; i < count; i++) {
		while (j < b_count && compare_all(b[j], a[i]) < 0)
			j++;
		if (j == b_count || compare_all(b[j], a[i]) != 0)
			a[kept++] = a[i];
	}
	return kept;
}

int pp_entries_minus(const struct pp_entries *a, const struct pp_entries *b, struct pp_entry_refs *out,
		     struct pp_error *err)
{
	const struct pp_entry **mine = sorted(a), **others = sorted(b);

	if (!mine || !others) {
		free(mine);
		free(others);
		return pp_fail(err, ENOMEM, "out of memory");
	}
	out->count = subtract(mine, a->count, others, b->count);
	out->items = mine;
	free(others);
	return 0;
}

static int compare_place(const void *place, const void *ref)
{
	return pp_entry_compare(place, *(const struct pp_entry *const *)ref);
}

const struct pp_entry *pp_entry_refs_find(const struct pp_entry_refs *refs, const struct pp_entry *place)
{
	const struct pp_entry *const *found = NULL;

	if (refs->count)
		found = bsearch(place, refs->items, refs->count, sizeof(const struct pp_entry *),
				compare_place);
	return found ? *found : NULL;
}

/* Where field @wanted of its kind, counted from 0, stands in a key; -1 if there is none. */
static int offset_of(const struct pp_shape *shape, enum pp_field field)
{
	int offset = 0;

	for (size_t i = 0; i < shape->count; i++) {
		if (shape->fields[i] == field)
			return offset;
		offset += (int)pp_field_room(shape->fields[i]);
	}
	return -1;
}

static uint16_t read_port(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

enum pp_protocol pp_entry_protocol(const struct pp_entry *entry)
{
	switch (entry->key[offset_of(pp_set_shape(entry->set), PP_FIELD_PROTOCOL)]) {
	case IPPROTO_TCP:
		return PP_TCP;
	case IPPROTO_UDP:
		return PP_UDP;
	default:
		return PP_SCTP;
	}
}

uint16_t pp_entry_port(const struct pp_entry *entry)
{
	return read_port(entry->key + offset_of(pp_set_shape(entry->set), PP_FIELD_PORT));
}

static enum pp_field address_field(sa_family_t family)
{
	return family == AF_INET ? PP_FIELD_IPV4 : PP_FIELD_IPV6;
}

struct pp_address pp_entry_address(const struct pp_entry *entry)
{
	const struct pp_shape *shape = pp_set_shape(entry->set);
	struct pp_address address = { .family = shape->family };
	int offset = offset_of(shape, address_field(shape->family));

	if (offset >= 0)
		memcpy(address.bytes, entry->key + offset, pp_field_size(address_field(shape->family)));
	return address;
}

struct pp_address pp_entry_target(const struct pp_entry *entry)
{
	const struct pp_shape *shape = pp_set_shape(entry->set);
	struct pp_address address = { .family = shape->family };

	memcpy(address.bytes, entry->value, pp_field_size(address_field(shape->family)));
	return address;
}

uint16_t pp_entry_target_port(const struct pp_entry *entry)
{
	return read_port(entry->value + pp_field_room(address_field(pp_set_shape(entry->set)->family)));
}

static void format_address(const uint8_t *bytes, enum pp_field field, char out[static PP_ADDRESS_TEXT])
{
	struct pp_address address = { .family = field == PP_FIELD_IPV4 ? AF_INET : AF_INET6 };

	memcpy(address.bytes, bytes, pp_field_size(field));
	if (!inet_ntop(address.family, address.bytes, out, PP_ADDRESS_TEXT))
		out[0] = '\0';
}

/* How many leading bits @first and @last share, if they are the ends of a network; -1 otherwise. */
static int prefix_of(const uint8_t *first, const uint8_t *last, size_t size)
{
	int prefix = 0, bits = (int)size * 8;

	while (prefix < bits && !((first[prefix / 8] ^ last[prefix / 8]) & (0x80 >> prefix % 8)))
		prefix++;
	for (int i = prefix; i < bits; i++) {
		if ((first[i / 8] & (0x80 >> i % 8)) || !(last[i / 8] & (0x80 >> i % 8)))
			return -1;
	}
	return prefix;
}

static int format_addresses(const uint8_t *first, const uint8_t *last, enum pp_field field, char *out,
			    size_t size)
{
	char from[PP_ADDRESS_TEXT], to[PP_ADDRESS_TEXT];
	int prefix = prefix_of(first, last, pp_field_size(field));

	format_address(first, field, from);
	format_address(last, field, to);
	if (strcmp(from, to) == 0)
		return snprintf(out, size, "%s", from);
	if (prefix >= 0)
		return snprintf(out, size, "%s/%d", from, prefix);
	return snprintf(out, size, "%s-%s", from, to);
}

static int format_field(const uint8_t *first, const uint8_t *last, enum pp_field field, char *out,
			size_t size)
{
	static const char *const protocols[] = {
		[IPPROTO_TCP] = "tcp", [IPPROTO_UDP] = "udp", [IPPROTO_SCTP] = "sctp"
	};

	switch (field) {
	case PP_FIELD_PROTOCOL:
		if (*first < sizeof(protocols) / sizeof(protocols[0]) && protocols[*first])
			return snprintf(out, size, "%s", protocols[*first]);
		return snprintf(out, size, "%u", *first);
	case PP_FIELD_PORT:
		if (read_port(first) == read_port(last))
			return snprintf(out, size, "%u", read_port(first));
		return snprintf(out, size, "%u-%u", read_port(first), read_port(last));
	case PP_FIELD_INTERFACE:
		return snprintf(out, size, "\"%.*s\"", IF_NAMESIZE, (const char *)first);
	default:
		return format_addresses(first, last, field, out, size);
	}
}

const char *pp_entry_format_key(const struct pp_entry *entry, char out[static PP_ENTRY_TEXT])
{
	const struct pp_shape *shape = pp_set_shape(entry->set);
	const uint8_t *last = shape->interval ? entry->last : entry->key;
	size_t at = 0, used = 0;

	for (size_t i = 0; i < shape->count; i++) {
		used += (size_t)snprintf(out + used, PP_ENTRY_TEXT - used, "%s", i ? " . " : "");
		used += (size_t)format_field(entry->key + at, last + at, shape->fields[i], out + used,
					     PP_ENTRY_TEXT - used);
		at += pp_field_room(shape->fields[i]);
	}
	return out;
}

const char *pp_entry_format_value(const struct pp_entry *entry, char out[static PP_ENTRY_TEXT])
{
	struct pp_address target;
	char text[PP_ADDRESS_TEXT];

	out[0] = '\0';
	if (pp_set_shape(entry->set)->map) {
		target = pp_entry_target(entry);
		snprintf(out, PP_ENTRY_TEXT, "%s . %u", pp_address_format(&target, text),
			 pp_entry_target_port(entry));
	}
	return out;
}
