/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which system calls there are in the sandbox: the build makes it of src/calls.c. */
#ifndef PORTPUB_KEEPER_CALLS_H
#define PORTPUB_KEEPER_CALLS_H

#include <linux/filter.h>

extern const struct sock_filter calls_filter[];
extern const unsigned short calls_count;

#endif
