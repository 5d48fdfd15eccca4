/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/array.h"

#include <stdlib.h>

enum { FIRST = 8 };

void *pp_grown(void *items, size_t count, size_t *capacity, size_t size)
{
	size_t wanted = *capacity ? *capacity + *capacity / 2 : FIRST;
	void *grown;

	if (count < *capacity)
		return items;
	grown = reallocarray(items, wanted, size);
	if (grown)
		*capacity = wanted;
	return grown;
}
