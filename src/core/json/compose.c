/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compose's ports: objects ({"target": 80, "published": "8080", ...}), short-form strings ("8080:80") and
 * bare container ports (80), mixed in one list.
 *
 * Compose takes a list in which one port is said twice, as long as both times say the same: what the
 * entries have in common counts once. Entries of a kind that differ only in where they begin are sorted
 * side by side, those that overlap become one, and the order in which they were written is restored.
 */
#include "../range.h"
#include "portpub/spec.h"
#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool tells(const json_t *entry)
{
	return json_is_string(entry) || json_is_integer(entry) || json_object_get(entry, "target") ||
	       json_object_get(entry, "published");
}

static int read_short(const json_t *entry, const struct place *place, struct pp_publication *out,
		      struct pp_error *err)
{
	if (pp_spec_parse(json_string_value(entry), json_string_length(entry), PP_SPEC_SHORT, out, err) < 0)
		return json_fail_inside(err, place);
	return 0;
}

static int target(const json_t *value, const struct place *place, uint16_t *out, struct pp_error *err)
{
	if (!json_is_string(value))
		return json_port(value, place, out, err);
	if (pp_port_parse(json_piece(value), PP_CONTAINER_PORT, out, err) < 0)
		return json_fail_inside(err, place);
	return 0;
}

static int published(const json_t *value, const struct place *place, struct pp_publication *out,
		     struct pp_error *err)
{
	if (!value)
		return 0;
	if (json_is_integer(value))
		return json_number(value, place, 0, UINT16_MAX, &out->host_port, err);
	if (!json_is_string(value))
		return json_fail(err, place, "must be a whole number or text, not %s", json_kind(value));
	return json_host_ports(json_piece(value), place, out, err);
}

static int host_ip(const json_t *value, const struct place *place, struct pp_address *out,
		   struct pp_error *err)
{
	if (!value)
		return 0;
	if (json_is_string(value) && json_string_length(value) == 0)
		return json_fail(err, place, "is empty: leave the key out to open every address");
	return json_address(value, place, out, err);
}

/* The keys that publish nothing: checked all the same, a document is right or wrong as a whole. */
static int check_rest(const json_t *entry, const struct place *place, struct pp_error *err)
{
	static const char *const texts[] = { "mode", "name", "app_protocol" };
	struct pp_piece text;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const json_t *value = json_object_get(entry, texts[i]);
		struct place here = place_key(place, texts[i]);
		int ret = value ? json_text(value, &here, &text, err) : 0;

		if (ret < 0)
			return ret;
		if (value && i == 0 && strcmp(text.whole, "host") != 0 && strcmp(text.whole, "ingress") != 0)
			return json_fail(err, &here, "must be \"host\" or \"ingress\"");
	}
	return 0;
}

static int read_long(const json_t *entry, const struct place *place, struct pp_publication *out,
		     struct pp_error *err)
{
	static const char *const known[] = { "target", "published", "host_ip",      "protocol",
					     "mode",   "name",      "app_protocol", NULL };
	struct place at_target = place_key(place, "target"), at_published = place_key(place, "published"),
		     at_ip = place_key(place, "host_ip"), at_protocol = place_key(place, "protocol");
	const json_t *protocol = json_object_get(entry, "protocol");
	int ret;

	ret = json_known_keys(entry, place, known, true, err);
	if (ret == 0)
		ret = target(json_object_get(entry, "target"), &at_target, &out->container_port, err);
	if (ret == 0)
		ret = published(json_object_get(entry, "published"), &at_published, out, err);
	if (ret == 0)
		ret = host_ip(json_object_get(entry, "host_ip"), &at_ip, &out->address, err);
	if (ret == 0 && protocol && !(json_is_string(protocol) && json_string_length(protocol) == 0))
		ret = json_protocol(protocol, &at_protocol, &out->protocol, err);
	return ret < 0 ? ret : check_rest(entry, place, err);
}

static int read_entry(const json_t *entry, const struct place *place, struct pp_publication *out,
		      struct pp_error *err)
{
	if (json_is_object(entry))
		return read_long(entry, place, out, err);
	if (json_is_string(entry))
		return read_short(entry, place, out, err);
	if (json_is_integer(entry))
		return json_port(entry, place, &out->container_port, err);
	return json_fail(err, place, "must be an object, text or a container port, not %s", json_kind(entry));
}

/* One entry, how it is told from others of its kind, and where it stood. */
struct item {
	struct pp_publication publication;
	size_t order;
};

enum kind { FREE, POOL, ONE_TO_ONE };

static enum kind kind_of(const struct pp_publication *publication)
{
	if (pp_publication_is_free(publication))
		return FREE;
	return pp_publication_is_pool(publication) ? POOL : ONE_TO_ONE;
}

static int sign(long a, long b)
{
	return (a > b) - (a < b);
}

/* 0 when @a and @b are alike but for where their ports begin: then overlapping ones say the same. */
static int compare_likeness(const struct pp_publication *a, const struct pp_publication *b)
{
	int order = sign(a->protocol, b->protocol);

	if (order == 0)
		order = sign(a->address.family, b->address.family);
	if (order == 0)
		order = memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes));
	if (order == 0)
		order = sign(kind_of(a), kind_of(b));
	if (order == 0 && kind_of(a) == ONE_TO_ONE)
		order = sign(a->host_port - a->container_port, b->host_port - b->container_port);
	if (order == 0 && kind_of(a) == POOL)
		order = sign(a->host_port, b->host_port);
	if (order == 0 && kind_of(a) == POOL)
		order = sign(a->host_port_last, b->host_port_last);
	return order;
}

static int by_likeness(const void *left, const void *right)
{
	const struct item *a = left, *b = right;
	int order = compare_likeness(&a->publication, &b->publication);

	return order ? order : sign(a->publication.container_port, b->publication.container_port);
}

static int by_order(const void *left, const void *right)
{
	const struct item *a = left, *b = right;

	return sign((long)a->order, (long)b->order);
}

/* Container ports stand for both sides: the offset to the host port is the same. */
static bool absorb(struct item *into, const struct item *next)
{
	struct pp_publication *a = &into->publication;
	const struct pp_publication *b = &next->publication;
	uint32_t a_end = (uint32_t)a->container_port + a->count,
		 b_end = (uint32_t)b->container_port + b->count;

	if (compare_likeness(a, b) != 0 || b->container_port >= a_end)
		return false;
	if (b_end > a_end)
		a->count = (uint16_t)(b_end - a->container_port);
	if (next->order < into->order)
		into->order = next->order;
	return true;
}

static size_t collapse(struct item *items, size_t count)
{
	size_t kept = 0;

	if (count == 0)
		return 0;
	qsort(items, count, sizeof(*items), by_likeness);
	for (size_t i = 1; i < count; i++) {
		if (!absorb(&items[kept], &items[i]))
			items[++kept] = items[i];
	}
	qsort(items, kept + 1, sizeof(*items), by_order);
	return kept + 1;
}

static int read_all(json_t *whole, const struct place *place, struct pp_publications *out,
		    struct pp_error *err)
{
	size_t first = out->count, count;
	struct item *items;
	int ret = json_read_list(whole, &dialect_compose, place, out, err);

	if (ret < 0)
		return ret;
	count = out->count - first;
	items = calloc(count ? count : 1, sizeof(*items));
	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		items[i] = (struct item){ out->items[first + i], i };
	count = collapse(items, count);
	for (size_t i = 0; i < count; i++)
		out->items[first + i] = items[i].publication;
	out->count = first + count;
	free(items);
	return 0;
}

const struct dialect dialect_compose = {
	.name = "compose",
	.holder = "ports",
	.tells = tells,
	.read_entry = read_entry,
	.read_all = read_all,
};
