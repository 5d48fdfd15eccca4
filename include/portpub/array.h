/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_ARRAY_H
#define PORTPUB_ARRAY_H

#include <stddef.h>

/*
 * Arrays that grow, a half at a time:
 *
 *	struct pp_entry *items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));
 *
 *	if (!items)
 *		return -ENOMEM;
 *	list->items = items;
 *	list->items[list->count++] = *entry;
 */

/* @items, or where they have moved to, with room for one more than @count; NULL, and nothing changed, without memory. */
void *pp_grown(void *items, size_t count, size_t *capacity, size_t size) __attribute__((warn_unused_result));

#endif
