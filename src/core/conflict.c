/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Conflicts are looked for among claims: what a publication takes of one family, as an interval of ports.
 * A group is the claims of one protocol and family. Sorted by protocol, family, address and first port, the
 * claims of one address lie side by side, and the any-address, being all zero, leads its group. A scan then
 * compares each claim with the one before it and with the any-address claims of its group, by binary
 * search: n log n for any list.
 */
#include "portpub/conflict.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct claim {
	const struct pp_publication *by;
	struct pp_address address; /* the family is never AF_UNSPEC */
	uint16_t first, last;
};

struct claims {
	const struct pp_publications *list;
	size_t *which; /* or NULL */
	struct claim *items;
	size_t count;
};

static int compare_group(const struct claim *a, const struct claim *b)
{
	int order = (int)a->by->protocol - (int)b->by->protocol;

	return order ? order : (int)a->address.family - (int)b->address.family;
}

static int compare_address(const struct claim *a, const struct claim *b)
{
	int order = compare_group(a, b);

	return order ? order : memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes));
}

static int compare(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare_address(a, b);

	if (order == 0)
		order = (int)a->first - (int)b->first;
	if (order == 0)
		order = (a->by > b->by) - (a->by < b->by); /* the order in which they were written */
	return order;
}

static void claim(struct claims *claims, const struct pp_publication *by)
{
	for (size_t i = 0; i < 2; i++) {
		struct claim *item = &claims->items[claims->count];

		if (by->address.family != AF_UNSPEC && by->address.family != pp_families[i])
			continue;
		*item = (struct claim){ by, by->address, by->host_port, pp_publication_last(by) };
		item->address.family = pp_families[i];
		claims->count++;
	}
}

static int fail_conflict(const struct claims *claims, const struct claim *a, const struct claim *b,
			 struct pp_error *err)
{
	const struct claim *earlier = a->by < b->by ? a : b, *later = a->by < b->by ? b : a;
	char first[PP_PUBLICATION_TEXT], second[PP_PUBLICATION_TEXT];
	unsigned int port = earlier->first > later->first ? earlier->first : later->first;

	if (claims->which)
		*claims->which = (size_t)(later->by - claims->list->items);
	return pp_fail(err, EINVAL, "%s: host port %u/%s is already taken by %s in the same request",
		       pp_publication_format(later->by, second), port, pp_protocol_name(later->by->protocol),
		       pp_publication_format(earlier->by, first));
}

/* The last claim of items[from..to) that begins at or below @port, or NULL. They do not overlap. */
static const struct claim *at_or_below(const struct claim *items, size_t from, size_t to, uint16_t port)
{
	size_t begin = from;

	while (from < to) {
		size_t middle = from + (to - from) / 2;

		if (items[middle].first <= port)
			from = middle + 1;
		else
			to = middle;
	}
	return from > begin ? &items[from - 1] : NULL;
}

/* The claim of items[from..to) that overlaps first..last, or NULL. */
static const struct claim *overlapping(const struct claim *items, size_t from, size_t to, uint16_t first,
				       uint16_t last)
{
	const struct claim *found = at_or_below(items, from, to, last);

	return found && found->last >= first ? found : NULL;
}

/* items[from..to) is one group; the claims of its any-address, if any, are items[from..specific). */
static int check_group(const struct claims *claims, size_t from, size_t to, struct pp_error *err)
{
	const struct claim *items = claims->items, *other;
	size_t specific = from;

	while (specific < to && pp_address_is_any(&items[specific].address))
		specific++;
	for (size_t i = from + 1; i < to; i++) {
		if (compare_address(&items[i - 1], &items[i]) == 0 && items[i].first <= items[i - 1].last)
			return fail_conflict(claims, &items[i - 1], &items[i], err);
	}
	for (size_t i = specific; i < to; i++) {
		other = overlapping(items, from, specific, items[i].first, items[i].last);
		if (other)
			return fail_conflict(claims, other, &items[i], err);
	}
	return 0;
}

static size_t group_end(const struct claims *claims, size_t from)
{
	size_t to = from + 1;

	while (to < claims->count && compare_group(&claims->items[from], &claims->items[to]) == 0)
		to++;
	return to;
}

static int check_exact(const struct claims *claims, struct pp_error *err)
{
	size_t to;
	int ret;

	for (size_t from = 0; from < claims->count; from = to) {
		to = group_end(claims, from);
		ret = check_group(claims, from, to, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int pp_conflicts_find(const struct pp_publications *list, size_t *which, struct pp_error *err)
{
	struct claims claims = { .list = list, .which = which };
	int ret;

	if (list->count < 2)
		return 0;
	claims.items = calloc(list->count * 2, sizeof(*claims.items));
	if (!claims.items)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < list->count; i++) {
		const struct pp_publication *publication = &list->items[i];

		if (!pp_publication_is_free(publication) && !pp_publication_is_pool(publication))
			claim(&claims, publication);
	}
	qsort(claims.items, claims.count, sizeof(*claims.items), compare);
	ret = check_exact(&claims, err);
	free(claims.items);
	return ret;
}
