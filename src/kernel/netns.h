/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Going into another network namespace for a moment. */
#ifndef PORTPUB_KERNEL_NETNS_H
#define PORTPUB_KERNEL_NETNS_H

#include "portpub/error.h"

#include <stdbool.h>
#include <sys/stat.h>

/* The namespace that the thread is in, and comes back to. */
struct pp_home {
	int fd;
	dev_t dev;
	ino_t ino;
	int refused; /* an errno: from elsewhere, coming back would not be permitted */
};

#define PP_HOME_INIT ((struct pp_home){ .fd = -1 })

int pp_home_open(struct pp_home *home, struct pp_error *err);
void pp_home_close(struct pp_home *home);

/* 0 or -errno: then the thread is where it was. */
int pp_home_leave(const struct pp_home *home, int netns);

/* -EIO when the thread is still away: it must not go on as if it were home. */
int pp_home_return(const struct pp_home *home, struct pp_error *err);

#endif
