/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_PUBLISH_FORWARD6_H
#define PORTPUB_PUBLISH_FORWARD6_H

#include "setting.h"

/* Does this host forward IPv6 packets that come in by @interface? */
bool forward6_is_on(const char *interface);

/*
 * Make it forward from the interfaces that have a global IPv6 address, by which clients come in, and from
 * @interface, by which the container's answers do.
 */
int forward6_set(const struct pp_store *store, const char *interface, const struct pp_report *report,
		 struct pp_error *err);

#endif
