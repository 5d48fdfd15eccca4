/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub check: are records and kernel in agreement? */
#include "cli.h"
#include "portpub/publish.h"

#include <errno.h>
#include <getopt.h>

static void print_difference(const char *line, void *data)
{
	++*(size_t *)data;
	puts(line);
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	size_t differences = 0;
	struct pp_error err;
	int ret = cli_options(self, argc, argv, NULL, NULL, &err), status;

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && argc - optind > 1)
		ret = pp_fail(&err, EINVAL, "check takes one id, or none for everything");
	if (ret == 0 && argc > optind)
		ret = pp_id_check(argv[optind], &err);
	if (ret == 0)
		ret = pp_publish_check(argv[optind], print_difference, &differences, &err);
	if (ret < 0)
		return cli_fail(&err);
	status = cli_finish();
	return status == CLI_DONE && differences ? CLI_FAILED : status;
}

const struct cli_command cli_check = {
	.name = "check",
	.synopsis = "[ID]",
	.summary = "Compare what should be published with what the kernel has",
	.run = run,
};
