/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is to be found in a container's network namespace. */
#ifndef PORTPUB_KERNEL_INSIDE_H
#define PORTPUB_KERNEL_INSIDE_H

#include "netns.h"
#include "portpub/container.h"

/*
 * Go into the namespace @netns, fill in what @container offers there, and come back. Not to be let in, or
 * not to learn anything there, closes the container and is no error; -EIO is not to have come back.
 */
int pp_inside_read(const struct pp_home *home, int netns, struct pp_container *container,
		   struct pp_error *err);

#endif
