/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_PUBLISH_DEL_H
#define PORTPUB_PUBLISH_DEL_H

#include "portpub/publish.h"

/*
 * Unpublish what has this id, which may be nothing. As pp_publish_del, but other networks of a CNI container do not get
 * what they have waited for.
 */
int del_id(const char *id, const struct pp_keeping *keeping, const struct pp_report *report,
	   struct pp_error *err);

#endif
