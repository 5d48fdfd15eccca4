/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parse: how long specs take to parse. The best of several rounds: a parser cannot be faster than it is. */
#include "portpub/spec.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

static int parse(const char *spec, double limit_us)
{
	enum { ROUNDS = 10, PARSES = 10000 };
	struct pp_publication publication;
	struct pp_error err;
	char figure[80];
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		double start = table_now(), took;

		for (int i = 0; i < PARSES; i++) {
			if (pp_spec_parse(spec, strlen(spec), PP_SPEC_ALL, &publication, &err) < 0)
				return 1;
		}
		took = (table_now() - start) / PARSES;
		if (took < best)
			best = took;
	}
	snprintf(figure, sizeof(figure), "parse %s", spec);
	return table_row(figure, best * 1e6, 0, "us", TABLE_MOST, limit_us);
}

int main(void)
{
	int over = parse("1-65535:1-65535", 1000);

	return parse("[2001:db8::6]:8000-8010:80/udp", 1000) | over;
}
