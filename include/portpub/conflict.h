/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Publications that cannot all be had, found before any of them has an effect. */
#ifndef PORTPUB_CONFLICT_H
#define PORTPUB_CONFLICT_H

#include "portpub/publication.h"

/*
 * -EINVAL when two of @list ask for the same protocol, address and port; an any-address overlaps every
 * address of its family. Pools and free ports give way to what is asked for exactly; whether any port is
 * left for them is seen when they are bound. *@which, unless @which is NULL, is then the index of the later
 * of the two. -ENOMEM.
 */
int pp_conflicts_find(const struct pp_publications *list, size_t *which, struct pp_error *err);

#endif
