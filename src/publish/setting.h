/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sysctls that are set while something needs them, and are put back as they were. */
#ifndef PORTPUB_PUBLISH_SETTING_H
#define PORTPUB_PUBLISH_SETTING_H

#include "portpub/publish.h"
#include "portpub/sysctl.h"

/* Is it anything but 0? False where there is no such sysctl. */
bool setting_is_on(const char *sysctl);

/* Set it, if it is not @value already; what it was is on disk before. */
int setting_set(const struct pp_store *store, const char *sysctl, const char *value,
		const struct pp_report *report, struct pp_error *err);

/*
 * For a value that will be lost when another sysctl is put back: from @value to @lost. It is put back like any
 * other, behind that one.
 */
int setting_remember(const struct pp_store *store, const char *sysctl, const char *value, const char *lost,
		     struct pp_error *err);

/*
 * Back to what they were: every sysctl that was set and has this beginning and end, if it still is what we made
 * it.
 */
int setting_put_back(const struct pp_store *store, const char *prefix, const char *suffix,
		     struct pp_error *err);

/* Was one set that begins with @prefix, and is it still so? */
bool setting_is_ours(const struct pp_store *store, const char *prefix);

/* Leave them as they are, for good. */
void setting_give_up(const struct pp_store *store, const char *prefix, const char *suffix);

#endif
