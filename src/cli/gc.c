/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub gc: drop what is dead. */
#include "cli.h"
#include "portpub/keeper.h"

#include <errno.h>
#include <getopt.h>

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_error err;
	int ret = cli_options(self, argc, argv, NULL, NULL, &err);

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && argc > optind)
		ret = pp_fail(&err, EINVAL, "gc takes nothing: it drops all that is dead");
	if (ret == 0)
		ret = pp_publish_gc(&pp_keeping_in_background, &cli_report, &err);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_gc = {
	.name = "gc",
	.synopsis = "",
	.summary = "Unpublish what has outlived its container or its lease",
	.run = run,
};
