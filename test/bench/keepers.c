/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * keepers TARGET PORTPUB [DOCKER_PROXY]: what it costs to keep ports, in one process for all, or in one for each.
 *
 * A keeper with FEW ports: its memory, and the processor time it has when nobody asks anything. MANY ports: from the
 * command to its answer, of which the fastest round counts, since it cannot be faster than it is; beside it docker-proxies
 * for as many ports, one after the other, as dockerd starts them, which wait until they are ready. SOME are started, and
 * what they cost is taken times MANY / SOME. dockerd starts two for a port that is published by both families, and here is
 * one. Memory is Private_Dirty.
 */
#include "portpub/kept.h"
#include "table.h"

#include <fcntl.h>
#include <glob.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FEW = 100, MANY = 1000, SOME = 200, ROUNDS = 10, FIRST = 30001, STATUS = 3, IDLE_S = 1 };

extern char **environ;

static const char *target, *portpub;

static void die(const char *what)
{
	fprintf(stderr, "keepers: %s\n", what);
	exit(2);
}

static pid_t start(const char *const words[], int status)
{
	posix_spawn_file_actions_t files;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (status >= 0)
		posix_spawn_file_actions_adddup2(&files, status, STATUS);
	if (posix_spawn(&pid, words[0], &files, NULL, (char *const *)words, environ) != 0)
		die(words[0]);
	posix_spawn_file_actions_destroy(&files);
	return pid;
}

/* Milliseconds. */
static double run(const char *const words[])
{
	double begin = table_now();
	int status;

	if (waitpid(start(words, -1), &status, 0) < 0 || status != 0)
		die(words[1]);
	return (table_now() - begin) * 1e3;
}

static double add(int ports)
{
	char spec[64];

	snprintf(spec, sizeof(spec), "%d-%d:%d-%d", FIRST, FIRST + ports - 1, FIRST, FIRST + ports - 1);
	return run((const char *[]){ portpub, "add", "--to", target, "--id", "bench", spec, NULL });
}

static void del(void)
{
	run((const char *[]){ portpub, "del", "bench", NULL });
}

/* The keeper of what is published, by its file. */
static int keeper(void)
{
	struct pp_kept_page page = { 0 };
	char pattern[256];
	glob_t found;
	int fd;

	snprintf(pattern, sizeof(pattern), "%s/*/kept/bench/*", getenv("PORTPUB_RUNTIME_DIR"));
	if (glob(pattern, 0, NULL, &found) != 0)
		die("no keeper");
	fd = open(found.gl_pathv[0], O_RDONLY | O_CLOEXEC);
	globfree(&found);
	if (fd < 0 || pread(fd, &page, sizeof(page), 0) <= 0)
		die("no keeper");
	close(fd);
	return (int)page.pid;
}

/* Milliseconds of processor time it has had. */
static double processor(int pid)
{
	char path[64];
	double ns;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/schedstat", pid);
	file = fopen(path, "r");
	if (!file || fscanf(file, "%lf", &ns) != 1)
		die(path);
	fclose(file);
	return ns / 1e6;
}

static int measure_few(void)
{
	double before;
	int over, pid;

	add(FEW);
	pid = keeper();
	usleep(200000); /* what it does after its beginning */
	before = processor(pid);
	sleep(IDLE_S);
	over = table_row("memory of a keeper with 100 ports", table_dirty(pid) / 1024, 0, "kB", TABLE_MOST,
			 350);
	over |= table_row("processor time of an idle keeper in a second", processor(pid) - before, 0, "ms",
			  TABLE_MOST, 0);
	del();
	return over;
}

/* What is added up of docker-proxies. */
struct swarm {
	double ms, memory;
};

static pid_t start_proxy(const char *program, int port)
{
	char host[16], said[2];
	const char *words[] = { program,        "-proto",          "tcp", "-host-ip",
				"0.0.0.0",      "-host-port",      host,  "-container-ip",
				(char *)target, "-container-port", host,  NULL };
	int ends[2];
	pid_t pid;

	snprintf(host, sizeof(host), "%d", port);
	if (pipe2(ends, O_CLOEXEC) < 0)
		die("pipe");
	pid = start(words, ends[1]);
	close(ends[1]);
	if (read(ends[0], said, sizeof(said)) != 2 || said[0] != '0')
		die("a docker-proxy does not get ready");
	close(ends[0]);
	return pid;
}

static struct swarm measure_swarm(const char *program)
{
	struct swarm swarm = { 0 };
	double begin = table_now();
	pid_t pids[SOME];

	for (int i = 0; i < SOME; i++)
		pids[i] = start_proxy(program, FIRST + i);
	swarm.ms = (table_now() - begin) * 1e3 * MANY / SOME;
	for (int i = 0; i < SOME; i++)
		swarm.memory += table_dirty(pids[i]) * MANY / SOME;
	for (int i = 0; i < SOME; i++)
		kill(pids[i], SIGINT);
	for (int i = 0; i < SOME; i++)
		waitpid(pids[i], NULL, 0);
	return swarm;
}

static int measure_many(const char *program)
{
	struct swarm swarm = program ? measure_swarm(program) : (struct swarm){ 0 };
	double best = 0, memory = 0;
	int over;

	for (int round = 0; round < ROUNDS; round++) {
		double took = add(MANY);

		if (round == 0 || took < best)
			best = took;
		memory = table_dirty(keeper());
		del();
	}
	over = table_row("add 1,000 ports with a keeper; docker-proxies", best, swarm.ms, "ms", TABLE_MOST,
			 60);
	over |= table_row("processes of 1,000 ports; docker-proxies", 1, program ? MANY : 0, "", TABLE_NONE,
			  0);
	over |= table_row("memory of 1,000 ports; docker-proxies", memory / 1024, swarm.memory / 1024, "kB",
			  TABLE_NONE, 0);
	return over;
}

int main(int argc, char **argv)
{
	int over;

	if (argc < 3 || !getenv("PORTPUB_RUNTIME_DIR")) {
		fputs("usage: PORTPUB_RUNTIME_DIR=... keepers TARGET PORTPUB [DOCKER_PROXY]\n", stderr);
		return 2;
	}
	target = argv[1];
	portpub = argv[2];
	over = measure_few();
	return measure_many(argv[3]) | over;
}
