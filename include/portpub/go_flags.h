/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines as Go's flag package reads them: -x v, -x=v, --x v, --x=v, and a switch alone or =true. */
#ifndef PORTPUB_GO_FLAGS_H
#define PORTPUB_GO_FLAGS_H

#include "portpub/error.h"

#include <stdbool.h>

struct pp_go_flag {
	const char *name;
	const char *help;
	const char **text; /* one of these three is what it takes */
	int *number;
	bool *on;
};

enum pp_go_flags_result { PP_GO_FLAGS_READ, PP_GO_FLAGS_HELP, PP_GO_FLAGS_WRONG };

/*
 * Read @argv, after the program's name, into what @flags (to a row without a name) point at. Ends at the first
 * argument that is no flag, and at "--". The error is one line.
 */
enum pp_go_flags_result pp_go_flags_read(const struct pp_go_flag *flags, int argc, char **argv,
					 struct pp_error *err);

#endif
