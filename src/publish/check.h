/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_PUBLISH_CHECK_H
#define PORTPUB_PUBLISH_CHECK_H

#include "portpub/error.h"

/* @owner is the id of the record that it is about, or "" where it is about all. */
typedef void check_differ(const char *owner, const char *line, void *data);

/* What pp_publish_check compares, of all records, but for the sysctls. */
int check_rules(check_differ *differ, void *data, struct pp_error *err);

#endif
