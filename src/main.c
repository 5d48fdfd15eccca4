/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table of commands; which tool we are called as. */
#include "cli/cli.h"
#include "portpub/keeper.h"
#include "tools/tools.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#ifndef PORTPUB_VERSION
#error "the Makefile gives the version"
#endif

static const struct cli_command help_command, version_command;

static const struct cli_command *const commands[] = {
	&cli_add,     &cli_del,      &cli_list,        &cli_who,      &cli_check,   &cli_restore,
	&cli_watch,   &cli_gc,       &cli_doctor,      &cli_explain,  &cli_targets, &cli_run,
	&cli_metrics, &cli_oci_hook, &version_command, &help_command,
};

static const struct cli_command *find(const char *name)
{
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(name, commands[i]->name) == 0)
			return commands[i];
	}
	return NULL;
}

static int fail_unknown(const char *name)
{
	char shown[64];

	pp_show(shown, sizeof(shown), name, strlen(name));
	if (name[0] >= '0' && name[0] <= '9')
		return cli_fail_usage("%s is no command: did you mean portpub explain %s?", shown, shown);
	return cli_fail_usage("%s is no command; see: portpub help", shown);
}

static void print_overview(FILE *out)
{
	fputs("usage: portpub COMMAND ...\n\nPublish container ports on this host.\n\n", out);
	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++)
		fprintf(out, "  %-9s %s\n", commands[i]->name, commands[i]->summary);
	fputs("\nportpub help COMMAND tells its options; portpub(8) and portpub-spec(5) tell the rest.\n",
	      out);
}

static int run_help(const struct cli_command *self, int argc, char **argv)
{
	const struct cli_command *about;

	(void)self;
	if (argc > 2)
		return cli_fail_usage("help takes one command");
	if (argc == 2) {
		about = find(argv[1]);
		if (!about)
			return fail_unknown(argv[1]);
		cli_print_help(about, stdout);
	} else {
		print_overview(stdout);
	}
	return cli_finish();
}

static int run_version(const struct cli_command *self, int argc, char **argv)
{
	(void)self;
	(void)argv;
	if (argc > 1)
		return cli_fail_usage("version takes nothing");
	puts("portpub " PORTPUB_VERSION);
	return cli_finish();
}

static const struct cli_command help_command = {
	.name = "help",
	.synopsis = "[COMMAND]",
	.summary = "List the commands, or the options of one",
	.run = run_help,
};

static const struct cli_command version_command = {
	.name = "version",
	.synopsis = "",
	.summary = "Print the version",
	.run = run_version,
};

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

/*
 * What is said goes to 1 and 2, whatever is open as these: the lock of the records, a client. Where nothing is, nothing
 * of ours gets there; what is cannot be read or written.
 */
static void block_standard_descriptors(void)
{
	for (int fd = 0; fd <= STDERR_FILENO; fd++) {
		if (fcntl(fd, F_GETFD) < 0)
			(void)open("/", O_PATH);
	}
}

int main(int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL, *cni = getenv("CNI_COMMAND");
	const struct cli_command *command;

	block_standard_descriptors();
	if (argc > 0 && strcmp(argv[0], PP_KEEPER_NAME) == 0)
		return pp_keeper_main(argc, argv);
	if (argc > 0 && strcmp(base_name(argv[0]), "docker-proxy") == 0)
		return tool_docker_proxy(argc, argv);
	if (name && strcmp(name, "docker-proxy") == 0)
		return tool_docker_proxy(argc - 1, argv + 1);
	if (!name && cni && *cni)
		return tool_cni();
	if (!name && argc > 0 && strcmp(base_name(argv[0]), "portmap") == 0)
		return tool_cni_about();
	if (!name) {
		print_overview(stderr);
		return CLI_USAGE;
	}
	if (strcmp(name, "-h") == 0 || strcmp(name, "--help") == 0)
		name = "help";
	else if (strcmp(name, "-V") == 0 || strcmp(name, "--version") == 0)
		name = "version";
	command = find(name);
	return command ? command->run(command, argc - 1, argv + 1) : fail_unknown(name);
}
