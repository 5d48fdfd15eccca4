/* SPDX-License-Identifier: GPL-2.0-or-later */
/* row FIGURE LIMIT UNIT OURS [PEER]: a row of the table, of what a script has measured: values, with spaces between. */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>

enum { VALUES_MAX = 100, FAILED = 2 };

static double median_of(const char *text)
{
	double values[VALUES_MAX];
	size_t count = 0;
	char *end;

	for (double value = strtod(text, &end); end != text && count < VALUES_MAX;
	     value = strtod(text, &end)) {
		values[count++] = value;
		text = end;
	}
	if (!count) {
		fputs("row: nothing was measured\n", stderr);
		exit(FAILED);
	}
	return table_median(values, count);
}

int main(int argc, char **argv)
{
	enum table_limit kind;
	double limit;

	if (argc < 5 || !table_limit_parse(argv[2], &kind, &limit)) {
		fputs("usage: row FIGURE LIMIT UNIT OURS [PEER]\n", stderr);
		return FAILED;
	}
	return table_row(argv[1], median_of(argv[4]), argc > 5 ? median_of(argv[5]) : 0, argv[3], kind,
			 limit);
}
