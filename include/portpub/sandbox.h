/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving up, for good, what is not needed to keep a publication. */
#ifndef PORTPUB_SANDBOX_H
#define PORTPUB_SANDBOX_H

#include "portpub/error.h"

#include <stdbool.h>
#include <stddef.h>

/* What is not given up. */
struct pp_sandbox_needs {
	bool admin;               /* CAP_NET_ADMIN, and no other capability */
	const char *const *paths; /* files, and directories with all below them, to be read and written */
	size_t count;
};

/* What is in force, to be told to the user: any of it may be missing in the kernel, or not be ours to use. */
struct pp_sandbox {
	bool no_new_privs; /* no program that it could run has more rights than it */
	bool capabilities; /* it has none but what it needs */
	bool locked;       /* nor ever will: an ordinary user may not say so, who has none to begin with */
	bool landlock;     /* no file but those it needs */
	bool seccomp;      /* no system call but those it needs */
};

/*
 * From here on the process forwards, keeps records and rules, and waits, with the descriptors it has and those
 * that it opens below the paths. It runs no program, and gets nothing back. It has one thread. Each part that
 * is not to be had is left out, and *@out says so. Fails with what the kernel says where a path is not there;
 * then nothing has changed.
 */
int pp_sandbox_enter(const struct pp_sandbox_needs *needs, struct pp_sandbox *out, struct pp_error *err);

#endif
