/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_PUBLISH_DEL_H
#define PORTPUB_PUBLISH_DEL_H

#include "portpub/publish.h"

/*
 * As pp_publish_del, but other networks of a CNI container do not get what they have waited for. @removed, which is
 * empty, gets the records as they were.
 */
int del_records(char *const names[], size_t count, struct pp_records *removed,
		const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err);

#endif
