/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"

#include <assert.h>
#include <errno.h>
#include <getopt.h>
#include <string.h>

enum { OPTIONS_MAX = 31 };

static const struct cli_option help_option = { 'h', "help", NULL, "this text", false };

static void translate(const struct cli_option *from, struct option *into, char **letters)
{
	*into = (struct option){ from->name, from->value ? required_argument : no_argument, NULL, from->key };
	if (from->key <= 255) {
		*(*letters)++ = (char)from->key;
		if (from->value)
			*(*letters)++ = ':';
	}
	**letters = '\0';
}

static int complain(const struct cli_command *command, int answer, char **argv, struct pp_error *err)
{
	const char *fault = "is not an option of this command";
	char shown[64], letter[2] = { '-' };

	if (optopt > 0 && optopt <= 255) {
		letter[1] = (char)optopt;
		pp_show(shown, sizeof(shown), letter, sizeof(letter));
	} else {
		pp_show(shown, sizeof(shown), argv[optind - 1], strlen(argv[optind - 1]));
	}
	if (answer == ':')
		fault = "needs a value";
	else if (optopt && strchr(argv[optind - 1], '='))
		fault = "takes no value";
	return pp_fail(err, EINVAL, "%s: %s %s; see: portpub help %s", command->name, shown, fault,
		       command->name);
}

/* getopt_long() takes the beginning of a name for the name. A later version may have another option that begins so. */
static int refuse_shortened(const struct cli_command *command, const char *name, char **argv,
			    struct pp_error *err)
{
	const char *word = argv[optind - 1] == optarg ? argv[optind - 2] : argv[optind - 1];
	char shown[64];

	if (strcspn(word + 2, "=") == strlen(name))
		return 0;
	pp_show(shown, sizeof(shown), word, strcspn(word, "="));
	return pp_fail(err, EINVAL, "%s: %s is not an option of this command; --%s is; see: portpub help %s",
		       command->name, shown, name, command->name);
}

static size_t count_options(const struct cli_option *options)
{
	size_t count = 0;

	while (options && options[count].name)
		count++;
	return count;
}

/* Remember in @seen which options there were, by their row. */
static int refuse_repeated(const struct cli_command *command, int key, unsigned int *seen,
			   struct pp_error *err)
{
	size_t row = 0;

	while (command->options[row].key != key)
		row++;
	if (*seen & 1U << row && !command->options[row].many)
		return pp_fail(err, EINVAL, "--%s is given twice", command->options[row].name);
	*seen |= 1U << row;
	return 0;
}

int cli_options(const struct cli_command *command, int argc, char **argv,
		int (*take)(int key, void *data, struct pp_error *err), void *data, struct pp_error *err)
{
	struct option long_options[OPTIONS_MAX + 2];
	char letters[2 * (OPTIONS_MAX + 1) + 2] = ":", *letter = letters + 1;
	size_t count = count_options(command->options);
	unsigned int seen = 0;
	int key, row = -1, ret = 0;

	assert(count <= OPTIONS_MAX);
	for (size_t i = 0; i < count; i++)
		translate(&command->options[i], &long_options[i], &letter);
	translate(&help_option, &long_options[count], &letter);
	long_options[count + 1] = (struct option){ 0 };

	opterr = 0;
	while (ret == 0 && (key = getopt_long(argc, argv, letters, long_options, &row)) != -1) {
		if (key == '?' || key == ':')
			return complain(command, key, argv, err);
		if (row >= 0)
			ret = refuse_shortened(command, long_options[row].name, argv, err);
		if (ret == 0 && key == 'h') {
			cli_print_help(command, stdout);
			return CLI_HELPED;
		}
		if (ret == 0)
			ret = refuse_repeated(command, key, &seen, err);
		if (ret == 0)
			ret = take(key, data, err);
		row = -1;
	}
	return ret;
}

/* As the completions of the shells read it: a value stands behind one space, the words behind two. */
static void print_option(const struct cli_option *option, FILE *out)
{
	char letter[5] = "    ", name[64];

	if (option->key <= 255)
		snprintf(letter, sizeof(letter), "-%c, ", option->key);
	snprintf(name, sizeof(name), "--%s%s%s", option->name, option->value ? " " : "",
		 option->value ? option->value : "");
	fprintf(out, "  %s%-22s  %s\n", letter, name, option->help);
}

void cli_print_help(const struct cli_command *command, FILE *out)
{
	fprintf(out, "usage: portpub %s %s\n\n%s.\n", command->name, command->synopsis, command->summary);
	if (!command->options)
		return;
	fputc('\n', out);
	for (const struct cli_option *o = command->options; o->name; o++)
		print_option(o, out);
	print_option(&help_option, out);
}
