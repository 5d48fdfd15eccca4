/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Publish and unpublish for a CNI runtime: by attachment, as often as it likes, and beside its other networks. */
#ifndef PORTPUB_ATTACH_H
#define PORTPUB_ATTACH_H

#include "portpub/network_config.h"
#include "portpub/publish.h"

/*
 * Publish @record, which has an attachment, in the place of what that has had. A port that another network of the same
 * container has stays there and is waited for; one of a container whose network namespace is gone is taken over; of any
 * other @on_conflict decides. Fails like pp_publish_add, and then nothing has changed.
 */
int pp_attach(struct pp_record *record, enum pp_on_conflict on_conflict, const struct pp_keeping *keeping,
	      const struct pp_report *report, struct pp_error *err);

/*
 * Unpublish what @attachment has, of which the three names count. It may have nothing. What other networks of its
 * container have waited for becomes theirs.
 */
int pp_detach(const struct pp_attachment *attachment, const struct pp_keeping *keeping,
	      const struct pp_report *report, struct pp_error *err);

/* The record of @attachment, whoever asks. -ENOENT where it has none. */
int pp_attach_load(const struct pp_attachment *attachment, struct pp_record *out, struct pp_error *err);

/*
 * Detach all of @network but those that @keep is true for. @failed gets the words for each that could not be: the
 * others go all the same. Returns the last error.
 */
int pp_detach_others(const char *network, bool (*keep)(const struct pp_attachment *attachment, void *data),
		     void (*failed)(const struct pp_error *err, void *data), void *data,
		     const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err);

#endif
