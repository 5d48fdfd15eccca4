/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What container runtimes call a container, told by the cgroup of its processes. */
#ifndef PORTPUB_CGROUP_H
#define PORTPUB_CGROUP_H

#include <stdbool.h>

enum { PP_CGROUP_NAME = 64 };

/*
 * The name, printable, from the text of /proc/PID/cgroup: the first twelve digits of an id of sixty-four,
 * as the runtimes themselves shorten it, or a name in full. False where no runtime is recognised.
 */
bool pp_cgroup_container(const char *text, char out[static PP_CGROUP_NAME]);

#endif
