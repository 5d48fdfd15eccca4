/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Compose takes a list in which one port is said twice, as long as both times say the same: what the
 * entries have in common counts once. Entries that are alike but for where their ports begin are sorted
 * side by side, those that overlap become one, and the order in which they were written is restored.
 */
#include "reader.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

	qsort(items, count, sizeof(*items), by_likeness);
	for (size_t i = 1; i < count; i++) {
		if (!absorb(&items[kept], &items[i]))
			items[++kept] = items[i];
	}
	qsort(items, kept + 1, sizeof(*items), by_order);
	return kept + 1;
}

int json_collapse(struct pp_publications *list, size_t first, struct pp_error *err)
{
	size_t count = list->count - first;
	struct item *items;

	if (count < 2)
		return 0;
	items = calloc(count, sizeof(*items));
	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < count; i++)
		items[i] = (struct item){ list->items[first + i], i };
	count = collapse(items, count);
	for (size_t i = 0; i < count; i++)
		list->items[first + i] = items[i].publication;
	list->count = first + count;
	free(items);
	return 0;
}
