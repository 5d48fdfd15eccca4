/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the commands share: options, the one way to print an error, the exit status. */
#ifndef PORTPUB_CLI_H
#define PORTPUB_CLI_H

#include "portpub/error.h"

#include <stdbool.h>
#include <stdio.h>

enum cli_status {
	CLI_DONE = 0,
	CLI_FAILED = 1,
	CLI_USAGE = 2,
	CLI_TAKEN = 3,
	CLI_NOT_PERMITTED = 4,
};

/* An option of a command; a row without a name ends the list. The help text is made of these. */
struct cli_option {
	int key; /* the letter, or above 255 where there is only a name */
	const char *name;
	const char *value; /* what it takes, or NULL */
	const char *help;
	bool many; /* may be given more than once */
};

struct cli_command {
	const char *name;
	const char *synopsis;
	const char *summary;
	const struct cli_option *options; /* or NULL */
	int (*run)(const struct cli_command *self, int argc, char **argv);
};

extern const struct cli_command cli_add;
extern const struct cli_command cli_check;
extern const struct cli_command cli_del;
extern const struct cli_command cli_doctor;
extern const struct cli_command cli_explain;
extern const struct cli_command cli_gc;
extern const struct cli_command cli_list;
extern const struct cli_command cli_metrics;
extern const struct cli_command cli_oci_hook;
extern const struct cli_command cli_restore;
extern const struct cli_command cli_run;
extern const struct cli_command cli_targets;
extern const struct cli_command cli_watch;
extern const struct cli_command cli_who;

/*
 * getopt_long by the command's table: @take, which a command without options has not (NULL), gets the key of each
 * option, with its value in optarg, and what is left begins at optind. -h and --help are always known. Returns 0, CLI_HELPED where the help has
 * been printed and nothing is left to do, or a negative errno: -EINVAL for what the table does not have.
 */
enum { CLI_HELPED = 1 };
int cli_options(const struct cli_command *command, int argc, char **argv,
		int (*take)(int key, void *data, struct pp_error *err), void *data, struct pp_error *err);

void cli_print_help(const struct cli_command *command, FILE *out);

/* "portpub: ..." on stderr, with carets where the error points at something. Returns the exit status. */
int cli_fail(const struct pp_error *err);
__attribute__((format(printf, 1, 2))) int cli_fail_usage(const char *format, ...);

/* Where a command says on stderr what it does besides. */
struct pp_report;
extern const struct pp_report cli_report;

/* Flush stdout: an answer that could not be written is a failure. Returns the exit status. */
int cli_finish(void);

/* The whole of a file, or of stdin for "-"; *@text is the caller's to free. Refuses what is over @max. */
int cli_read_file(const char *path, size_t max, char **text, size_t *len, struct pp_error *err);

#endif
