/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To keep what is published in the kernel, whatever others do to the rulesets. */
#ifndef PORTPUB_WATCH_H
#define PORTPUB_WATCH_H

#include "portpub/publish.h"

/*
 * Own an anchor if there is one to be had, put back what is missing, and do so again after each change of the
 * rulesets, until SIGTERM or SIGINT: 0. -EPERM without CAP_NET_ADMIN, -EOPNOTSUPP without nf_tables.
 */
int pp_watch(const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err);

#endif
