/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "table.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is printed of a limit, and how it is written in a script. */
static const struct {
	const char *word, *shown;
} kinds[] = {
	[TABLE_NONE] = { "none", "" },           [TABLE_RATIO_MOST] = { "most", "<=" },
	[TABLE_RATIO_LEAST] = { "least", ">=" }, [TABLE_FASTER] = { "faster", "1/" },
	[TABLE_MOST] = { "at-most", "<=" },
};

int table_limit_parse(const char *text, enum table_limit *kind, double *limit)
{
	char word[16];

	*limit = 0;
	if (sscanf(text, "%15s %lf", word, limit) < 1)
		return 0;
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		*kind = (enum table_limit)i;
		if (strcmp(word, kinds[i].word) == 0)
			return i == TABLE_NONE || *limit > 0;
	}
	return 0;
}

static int is_over(double ours, double ratio, enum table_limit kind, double limit)
{
	switch (kind) {
	case TABLE_RATIO_MOST:
		return ratio > limit;
	case TABLE_RATIO_LEAST:
		return ratio < limit;
	case TABLE_FASTER:
		return ratio > 1 / limit;
	case TABLE_MOST:
		return ours > limit;
	default:
		return 0;
	}
}

int table_row(const char *figure, double ours, double peer, const char *unit, enum table_limit kind,
	      double limit)
{
	int over = is_over(ours, peer > 0 ? ours / peer : 0, kind, limit);
	char peers[32] = "", ratio[16] = "", limits[32] = "";

	if (peer > 0) {
		snprintf(peers, sizeof(peers), "%.2f", peer);
		snprintf(ratio, sizeof(ratio), "%.3f", ours / peer);
	}
	if (kind != TABLE_NONE)
		snprintf(limits, sizeof(limits), "%s %g%s%s", kinds[kind].shown, limit,
			 kind == TABLE_MOST ? " " : "", kind == TABLE_MOST ? unit : "");
	printf("%-52s %10.2f %10s %-6s %8s  %-10s %s\n", figure, ours, peers, unit, ratio, limits,
	       over                 ? "OVER"
	       : kind == TABLE_NONE ? ""
				    : "ok");
	fflush(stdout);
	return over;
}

double table_now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

double table_dirty(int pid)
{
	char path[64], line[256];
	double size = 0;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/smaps_rollup", pid);
	file = fopen(path, "r");
	if (!file) {
		perror(path);
		exit(2);
	}
	while (fgets(line, sizeof(line), file)) {
		if (strncmp(line, "Private_Dirty:", 14) == 0)
			size = strtod(line + 14, NULL) * 1024;
	}
	fclose(file);
	return size;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

double table_median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[count / 2];
}
