/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_PUBLISH_FORWARD_H
#define PORTPUB_PUBLISH_FORWARD_H

#include "portpub/interface.h"
#include "setting.h"

/* Does this host forward packets of @family that come in by @interface? */
bool forward_is_on(sa_family_t family, const char *interface);

/*
 * Call @lack with each sysctl that keeps packets from being forwarded between clients and @interface, the one to
 * the container: forwarding for all, or of an interface by which they come in. @list has the addresses of this
 * host.
 */
void forward_find_lacking(sa_family_t family, const char *interface,
			  const struct pp_interface_addresses *list,
			  void (*lack)(const char *sysctl, void *data), void *data);

/*
 * Make it forward: IPv6 from the interfaces that have a global address, by which clients come in, and from
 * @interface, by which the container's answers do; IPv4 from all.
 */
int forward_set(const struct pp_store *store, sa_family_t family, const char *interface,
		const struct pp_report *report, struct pp_error *err);

int forward_put_back(const struct pp_store *store, sa_family_t family, struct pp_error *err);

/* Is it on because forward_set made it so? forward_give_up leaves it on. */
bool forward_is_ours(const struct pp_store *store, sa_family_t family);
void forward_give_up(const struct pp_store *store, sa_family_t family);

#endif
