/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Moving into a container's network namespace for good. */
#ifndef PORTPUB_ENTER_H
#define PORTPUB_ENTER_H

#include "portpub/error.h"

#include <sys/types.h>

/* Where to go: its network namespace, and the user namespace that it belongs to, -1 where that may not be known. */
struct pp_door {
	int netns, userns;
};

#define PP_DOOR_INIT ((struct pp_door){ -1, -1 })

/*
 * By the process, or, where @pid is 0, by the path. -ESRCH, -ENOENT, -EPERM, -EINVAL when it is no network namespace,
 * or the one that we are in.
 */
int pp_door_open(pid_t pid, const char *path, struct pp_door *out, struct pp_error *err);
void pp_door_close(struct pp_door *door);

/*
 * From here on the sockets that the process makes are the container's, and those that it has stay what they are.
 * Whoever may not enter as they are enters as the container's own root, and leaves behind what they may do on
 * this host. The process has one thread. -EPERM.
 */
int pp_door_enter(const struct pp_door *door, struct pp_error *err);

#endif
