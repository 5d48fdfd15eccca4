/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * bench PORTPUB: what is promised about speed, measured beside a peer in the same run. Whole processes
 * are run in turn, ours and the peer's, so that both see the same noise; medians are compared. Exit
 * status 1 when a promise is not kept.
 */
#include "portpub/spec.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>

extern char **environ;

enum { PAIRS = 400 };

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static double run(const char *const argv[])
{
	posix_spawn_file_actions_t quiet;
	double start = now(), took;
	int status;
	pid_t pid;

	posix_spawn_file_actions_init(&quiet);
	posix_spawn_file_actions_addopen(&quiet, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawnp(&pid, argv[0], &quiet, NULL, (char *const *)argv, environ) != 0 ||
	    waitpid(pid, &status, 0) < 0 || status != 0) {
		fprintf(stderr, "bench: %s failed\n", argv[0]);
		exit(EXIT_FAILURE);
	}
	took = now() - start;
	posix_spawn_file_actions_destroy(&quiet);
	return took;
}

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double median(double *values, size_t count)
{
	qsort(values, count, sizeof(*values), ascending);
	return values[count / 2];
}

static int verdict(const char *what, double value, const char *unit, double limit, const char *detail)
{
	printf("%-42.42s %8.2f %-6s at most %7.2f  %-4s %s\n", what, value, unit, limit,
	       value <= limit ? "ok" : "OVER", detail);
	return value > limit;
}

/* @ours against @peer, run in turn: the ratio of the medians. */
static int compare(const char *what, const char *const ours[], const char *const peer[], double limit)
{
	static double a[PAIRS], b[PAIRS];
	double a_median, b_median;
	char detail[80];

	run(ours);
	run(peer);
	for (size_t i = 0; i < PAIRS; i++) {
		a[i] = run(ours);
		b[i] = run(peer);
	}
	a_median = median(a, PAIRS);
	b_median = median(b, PAIRS);
	snprintf(detail, sizeof(detail), "%.2f ms, %s %.2f ms", a_median * 1e3, peer[0], b_median * 1e3);
	return verdict(what, a_median / b_median, "times", limit, detail);
}

/* The best of several rounds: a parser cannot be faster than it is. */
static int parse(const char *spec, double limit_us)
{
	enum { ROUNDS = 10, PARSES = 10000 };
	struct pp_publication publication;
	struct pp_error err;
	char detail[80];
	double best = 1e9;

	for (int round = 0; round < ROUNDS; round++) {
		double start = now(), took;

		for (int i = 0; i < PARSES; i++) {
			if (pp_spec_parse(spec, strlen(spec), PP_SPEC_ALL, &publication, &err) < 0)
				return 1;
		}
		took = (now() - start) / PARSES;
		if (took < best)
			best = took;
	}
	snprintf(detail, sizeof(detail), "%zu bytes", sizeof(publication));
	return verdict(spec, best * 1e6, "us", limit_us, detail);
}

int main(int argc, char **argv)
{
	int over;

	if (argc != 2) {
		fputs("usage: bench PORTPUB\n", stderr);
		return EXIT_FAILURE;
	}
	over = compare("explain 80:80, a whole process",
		       (const char *const[]){ argv[1], "explain", "80:80", NULL },
		       (const char *const[]){ "true", NULL }, 2.0);
	over |= parse("1-65535:1-65535", 1000);
	over |= parse("[2001:db8::6]:8000-8010:80/udp", 1000);
	return over;
}
