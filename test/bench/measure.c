/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * measure FIGURE LIMIT UNIT ROUNDS STEP...: whole processes, from spawn to wait; a row of the table.
 *
 * Theory of operation
 *
 * A round is all steps in their order, so that ours and the peer's are run in turn and see the same noise; a
 * figure is the median of its rounds. Where the limit is one of time, and no peer sees the noise, it is the
 * fastest round: a command cannot be faster than it is. A step is what it counts as, and a command without quotes:
 *
 *	"ours portpub add --to 10.0.0.2 @:80"	measured; @ is another port in every round
 *	"peer element add @ 10.0.0.2"		measured, to be compared with
 *	"then portpub del web"			run, and not measured
 *
 * Words with = before the command are its environment, and a last word <FILE is its input. UNIT is ms, or MB
 * for the largest memory a process had. Exit status 1: over the limit; 2: a command failed.
 */
#include "table.h"

#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { ROUNDS_MAX = 1000, WORDS_MAX = 512, FAILED = 2, FIRST_PORT = 2000 };

enum part { OURS, PEER, THEN };

struct samples {
	double values[ROUNDS_MAX];
	size_t count;
};

struct command {
	char *words[WORDS_MAX + 1], *environment[WORDS_MAX + 1];
	const char *input;
};

extern char **environ;

static void fail(const char *what, const char *about)
{
	fprintf(stderr, "measure: %s: %s\n", about, what);
	exit(FAILED);
}

/* A copy of @word with its @ as @port; never freed: the process is short. */
static char *fill(const char *word, unsigned int port)
{
	const char *at = strchr(word, '@');
	char *out;

	if (!at)
		return strdup(word);
	if (asprintf(&out, "%.*s%u%s", (int)(at - word), word, port, at + 1) < 0)
		return NULL;
	return out;
}

static struct command parse(char *text, unsigned int port)
{
	struct command command = { .input = "/dev/null" };
	size_t words = 0, variables = 0;

	for (char **variable = environ; *variable && variables < WORDS_MAX; variable++)
		command.environment[variables++] = *variable;
	for (char *save, *word = strtok_r(text, " ", &save); word; word = strtok_r(NULL, " ", &save)) {
		if (words == WORDS_MAX || variables == WORDS_MAX)
			fail("too many words", text);
		if (word[0] == '<')
			command.input = word + 1;
		else if (words == 0 && strchr(word, '='))
			command.environment[variables++] = word;
		else
			command.words[words++] = fill(word, port);
	}
	return command;
}

/* What the command that failed has said, which is kept until then. */
static void fail_command(int said, const char *text)
{
	char line[512];
	ssize_t n;

	lseek(said, 0, SEEK_SET);
	while ((n = read(said, line, sizeof(line))) > 0)
		fwrite(line, 1, (size_t)n, stderr);
	fail("failed", text);
}

static double run(const struct command *command, const char *text, int memory)
{
	int said = memfd_create("said", MFD_CLOEXEC), status;
	posix_spawn_file_actions_t files;
	struct rusage usage;
	double start, took;
	pid_t pid;

	posix_spawn_file_actions_init(&files);
	posix_spawn_file_actions_addopen(&files, STDIN_FILENO, command->input, O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&files, said, STDERR_FILENO);
	start = table_now();
	if (posix_spawnp(&pid, command->words[0], &files, NULL, command->words, command->environment) != 0)
		fail("cannot be run", text);
	if (wait4(pid, &status, 0, &usage) < 0 || status != 0)
		fail_command(said, text);
	took = table_now() - start;
	close(said);
	posix_spawn_file_actions_destroy(&files);
	return memory ? (double)usage.ru_maxrss / 1024 : took * 1e3;
}

static enum part part_of(const char *step)
{
	static const char *const parts[] = { [OURS] = "ours ", [PEER] = "peer ", [THEN] = "then " };

	for (int i = OURS; i <= THEN; i++) {
		if (strncmp(step, parts[i], strlen(parts[i])) == 0)
			return (enum part)i;
	}
	fail("neither ours, peer nor then", step);
	return THEN;
}

static void take_step(const char *step, unsigned int port, int memory, struct samples samples[2])
{
	enum part part = part_of(step);
	char *text = strdup(step + strlen("ours "));
	struct command command = parse(text, port);
	double value = run(&command, step, memory);

	if (part != THEN && samples[part].count < ROUNDS_MAX)
		samples[part].values[samples[part].count++] = value;
	for (char **word = command.words; *word; word++)
		free(*word);
	free(text);
}

int main(int argc, char **argv)
{
	static struct samples samples[2];
	enum table_limit kind;
	double limit, figures[2] = { 0 };
	int rounds, memory;

	if (argc < 6 || !table_limit_parse(argv[2], &kind, &limit) || (rounds = atoi(argv[4])) < 1 ||
	    rounds > ROUNDS_MAX) {
		fputs("usage: measure FIGURE LIMIT ms|MB ROUNDS STEP...\n", stderr);
		return FAILED;
	}
	memory = strcmp(argv[3], "MB") == 0;
	for (int round = 0; round < rounds; round++) {
		for (int i = 5; i < argc; i++)
			take_step(argv[i], FIRST_PORT + (unsigned int)round, memory, samples);
	}
	for (int i = OURS; i <= PEER; i++) {
		if (samples[i].count)
			figures[i] = table_median(samples[i].values, samples[i].count);
	}
	if (kind == TABLE_MOST)
		figures[OURS] = samples[OURS].values[0]; /* sorted */
	return table_row(argv[1], figures[OURS], figures[PEER], argv[3], kind, limit);
}
