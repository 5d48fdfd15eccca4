/* SPDX-License-Identifier: GPL-2.0-or-later */
/* To hear that somebody has changed a ruleset of this network namespace. */
#ifndef PORTPUB_GENERATION_H
#define PORTPUB_GENERATION_H

#include "portpub/error.h"

#include <stdbool.h>

enum { PP_GENERATION_NAME = 16 };

struct pp_generation {
	int fd; /* readable once there has been a change */
	char name
		[PP_GENERATION_NAME]; /* of the program that made the last one, unless it has our name; or "" */
};

#define PP_GENERATION_INIT ((struct pp_generation){ -1, "" })

/* -EPERM without CAP_NET_ADMIN, -EOPNOTSUPP in a kernel that has no nf_tables. */
int pp_generation_open(struct pp_generation *generation, struct pp_error *err);
void pp_generation_close(struct pp_generation *generation);

/*
 * Take what is there to be read, without waiting: has anybody made a change since the last time? A program whose
 * name begins as ours is one of us, and what it has made of the rulesets is right.
 */
bool pp_generation_drain(struct pp_generation *generation);

#endif
