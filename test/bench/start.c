/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * start FIGURE LIMIT ROUNDS OURS PEER: from exec to the bytes by which a docker-proxy says that it is ready.
 *
 * OURS and PEER are command lines without quotes. They are started in turn, with the pipe that dockerd would give
 * them as descriptor 3, and ended by SIGINT, as dockerd does; the row has the medians.
 */
#include "table.h"

#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MAX = 500, WORDS_MAX = 32, STATUS = 3 };

extern char **environ;

static void split(char *text, char *words[static WORDS_MAX])
{
	size_t count = 0;

	for (char *word = strtok(text, " "); word && count < WORDS_MAX - 1; word = strtok(NULL, " "))
		words[count++] = word;
	words[count] = NULL;
}

/* Milliseconds. */
static double start(char *const words[])
{
	posix_spawn_file_actions_t files;
	char said[16];
	int pipe_ends[2];
	double begin;
	pid_t pid;

	if (pipe2(pipe_ends, O_CLOEXEC) < 0)
		exit(2);
	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, pipe_ends[1], STATUS);
	begin = table_now();
	if (posix_spawn(&pid, words[0], &files, NULL, words, environ) != 0) {
		fprintf(stderr, "start: %s cannot be run\n", words[0]);
		exit(2);
	}
	close(pipe_ends[1]);
	if (read(pipe_ends[0], said, sizeof(said)) != 2 || memcmp(said, "0\n", 2) != 0) {
		fprintf(stderr, "start: %s does not get ready\n", words[0]);
		exit(2);
	}
	begin = table_now() - begin;
	close(pipe_ends[0]);
	kill(pid, SIGINT);
	waitpid(pid, NULL, 0);
	posix_spawn_file_actions_destroy(&files);
	return begin * 1e3;
}

int main(int argc, char **argv)
{
	static double ours[ROUNDS_MAX], peer[ROUNDS_MAX];
	char *our_words[WORDS_MAX], *peer_words[WORDS_MAX];
	enum table_limit kind;
	size_t rounds;
	double limit;

	if (argc != 6 || !table_limit_parse(argv[2], &kind, &limit)) {
		fputs("usage: start FIGURE LIMIT ROUNDS OURS PEER\n", stderr);
		return 2;
	}
	rounds = (size_t)atoi(argv[3]);
	if (rounds == 0 || rounds > ROUNDS_MAX)
		return 2;
	split(argv[4], our_words);
	split(argv[5], peer_words);
	for (size_t i = 0; i < rounds; i++) {
		ours[i] = start(our_words);
		peer[i] = start(peer_words);
	}
	return table_row(argv[1], table_median(ours, rounds), table_median(peer, rounds), "ms", kind, limit);
}
