/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Choosing host ports by binding them. */
#ifndef PORTPUB_PUBLISH_HOLD_H
#define PORTPUB_PUBLISH_HOLD_H

#include "ports.h"

#include "portpub/hold.h"

struct holding {
	const struct pp_store *store; /* who has what is taken */
	const struct ports *ports;    /* where other publications, which may have no sockets, are looked up */
	const struct pp_networks *allow; /* who may connect */
	/* What is held already, by a keeper that is still at work, or NULL. What fits is taken, as it is. */
	struct pp_held *had;
};

/*
 * Bind every port of @asked, into @held, which is empty, and write to @out, which is empty too, what was bound: of a
 * pool the first that is to be had, for a free one what the kernel gives. All or none. -EADDRINUSE with the holder,
 * or when a pool is exhausted; -EACCES for a privileged port; -EMFILE with the numbers.
 *
 * @by_rules: there will be rules for them, too. A port of SCTP, in a kernel that has no SCTP, is nobody's to hold, and
 * left to these.
 */
int hold_ports(const struct holding *holding, const struct pp_publications *asked, bool by_rules,
	       struct pp_publications *out, struct pp_held *held, struct pp_error *err);

/*
 * -EINVAL where a port of @request, which is held, would be forwarded to itself: its target is an address of this
 * network namespace, which the port is open at, too.
 */
int hold_refuse_itself(const struct pp_request *request, struct pp_error *err);

#endif
