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

/* Back to what they were: every sysctl that was set and begins with @prefix, if it still is what we made it. */
int setting_put_back(const struct pp_store *store, const char *prefix, struct pp_error *err);

/* Was one set that begins with @prefix, and is it still so? */
bool setting_is_ours(const struct pp_store *store, const char *prefix);

/* Leave them as they are, for good. */
void setting_give_up(const struct pp_store *store, const char *prefix);

#endif
