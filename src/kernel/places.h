/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The network namespaces that there are, each with a process that stands for it. */
#ifndef PORTPUB_KERNEL_PLACES_H
#define PORTPUB_KERNEL_PLACES_H

#include "netns.h"

#include <dirent.h>
#include <stddef.h>
#include <sys/types.h>

struct pp_place {
	dev_t dev;
	ino_t ino;
	pid_t pid;
	bool by_init; /* of a pid namespace below ours */
};

struct pp_places {
	struct pp_place *items;
	size_t count, capacity;
	bool hidden; /* there are processes whose namespace may not be known */
};

#define PP_PLACES_INIT ((struct pp_places){ 0 })

void pp_places_fini(struct pp_places *places);

/* All that processes of @proc, an open /proc, are in, but @home and that of pid 1. -ENOMEM. */
int pp_places_read(DIR *proc, const struct pp_home *home, struct pp_places *out, struct pp_error *err);

#endif
