/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A single publication as people name it: by its spec, as add printed it, or by its host port as list shows it,
 * "127.0.0.1:8080/tcp", of TCP without that word, too. That is no spec, or one of a free port, which nothing that is
 * published has.
 */
#ifndef PORTPUB_PUBLISH_NAME_H
#define PORTPUB_PUBLISH_NAME_H

#include "portpub/publication.h"

/* What @name says, for name_means; -EINVAL where it says nothing. */
int name_parse(const char *name, struct pp_publication *out, struct pp_error *err);

/* Is @publication, which is published, the one that @named says? */
bool name_means(const struct pp_publication *named, const struct pp_publication *publication);

#endif
