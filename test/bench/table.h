/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What all figures have in common: the clock, medians, memory, and a row of the table. */
#ifndef BENCH_TABLE_H
#define BENCH_TABLE_H

#include <stddef.h>

/* What is promised of a figure. */
enum table_limit {
	TABLE_NONE,        /* nothing: for information */
	TABLE_RATIO_MOST,  /* ours is at most so many times the peer's */
	TABLE_RATIO_LEAST, /* ours is at least so many times the peer's */
	TABLE_FASTER,      /* the peer takes at least so many times as long */
	TABLE_MOST,        /* ours is at most that */
};

/* The limit in words, "none", "most 2.0", "least 0.97", "faster 20" or "at-most 15"; false if it is none. */
int table_limit_parse(const char *text, enum table_limit *kind, double *limit);

/* Prints it; @peer is 0 where there is none. Returns whether it is over its limit. */
int table_row(const char *figure, double ours, double peer, const char *unit, enum table_limit kind,
	      double limit);

double table_now(void); /* in seconds */

/* Private_Dirty of the process, in bytes. It has to be there. */
double table_dirty(int pid);

/* Sorts @values. */
double table_median(double *values, size_t count);

#endif
