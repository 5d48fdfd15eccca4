/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To remove what was published by a record that cannot be read any longer: see pp_broken. */
#ifndef PORTPUB_PUBLISH_BROKEN_H
#define PORTPUB_PUBLISH_BROKEN_H

#include "session.h"

/* Append what is broken, at any stage. */
int broken_load(const struct session *session, struct pp_records *out, struct pp_error *err);

/* Is there something broken that a command which was killed has left of @id? */
bool broken_is_left(const struct session *session, const char *id);

/* Remove what the kernel has by @id, and then its files. What was killed on the way is done again. */
int broken_drop(struct session *session, const char *id, struct pp_error *err);

#endif
