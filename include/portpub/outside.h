/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A client outside: a network namespace of its own, which nobody else is in, with a cable to this host and a
 * default route through it. It is there while the process lives, and no longer than that.
 */
#ifndef PORTPUB_OUTSIDE_H
#define PORTPUB_OUTSIDE_H

#include "portpub/address.h"
#include "portpub/error.h"

struct pp_outside;

/*
 * Takes CAP_SYS_ADMIN and CAP_NET_ADMIN: -EPERM without. Its addresses are in 198.18.0.0/15, which is there for
 * tests, and in fd00::/8; they are nobody's that this host knows. The caller has one thread. -EIO is not to have
 * come back home.
 */
int pp_outside_new(struct pp_outside **out, struct pp_error *err);

/* The cable and what goes with it are gone when this returns. NULL is nothing. */
void pp_outside_free(struct pp_outside *outside);

/* AF_UNSPEC where it has none of @family. */
const struct pp_address *pp_outside_client(const struct pp_outside *outside, sa_family_t family);
const struct pp_address *pp_outside_host(const struct pp_outside *outside, sa_family_t family);

/* Go there, to open sockets, which stay there; and come back: -EIO when the thread did not. */
int pp_outside_enter(const struct pp_outside *outside, struct pp_error *err);
int pp_outside_leave(const struct pp_outside *outside, struct pp_error *err);

#endif
