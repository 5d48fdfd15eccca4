/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What people write on a command line: Docker's -p, read strictly. The grammar is in portpub-spec(5). */
#ifndef PORTPUB_SPEC_H
#define PORTPUB_SPEC_H

#include "portpub/publication.h"

enum { PP_SPEC_MAX = PP_ERROR_INPUT_MAX };

enum pp_spec_forms {
	PP_SPEC_SHORT, /* [[address:]host:]container[/protocol] */
	PP_SPEC_ALL,   /* that, and published=...,target=...,protocol=... */
};

/*
 * Read one spec of @len bytes (any bytes: it need not end in NUL). *@out is written on success only.
 * Returns 0, or -EINVAL with the error pointing at the field that is wrong.
 */
int pp_spec_parse(const char *text, size_t len, enum pp_spec_forms forms, struct pp_publication *out,
		  struct pp_error *err);

#endif
