/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"

#include <assert.h>
#include <getopt.h>
#include <string.h>

enum { OPTIONS_MAX = 16 };

static const struct cli_option help_option = { 'h', "help", NULL, "this text" };

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

static int complain(const struct cli_command *command, int answer, char **argv)
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
	cli_fail_usage("%s: %s %s; see: portpub help %s", command->name, shown, fault, command->name);
	return '?';
}

int cli_next_option(const struct cli_command *command, int argc, char **argv)
{
	struct option long_options[OPTIONS_MAX + 2];
	char letters[2 * (OPTIONS_MAX + 1) + 2] = ":", *letter = letters + 1;
	size_t count = 0;
	int answer;

	for (const struct cli_option *o = command->options; o && o->name; o++) {
		assert(count < OPTIONS_MAX);
		translate(o, &long_options[count++], &letter);
	}
	translate(&help_option, &long_options[count++], &letter);
	long_options[count] = (struct option){ 0 };

	opterr = 0;
	answer = getopt_long(argc, argv, letters, long_options, NULL);
	return answer == '?' || answer == ':' ? complain(command, answer, argv) : answer;
}

static void print_option(const struct cli_option *option, FILE *out)
{
	char letter[5] = "    ", name[48];

	if (option->key <= 255)
		snprintf(letter, sizeof(letter), "-%c, ", option->key);
	snprintf(name, sizeof(name), "--%s%s%s", option->name, option->value ? " " : "",
		 option->value ? option->value : "");
	fprintf(out, "  %s%-22s %s\n", letter, name, option->help);
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
