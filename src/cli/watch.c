/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub watch: keep what is published in the kernel. */
#include "cli.h"
#include "portpub/keeper.h"
#include "portpub/watch.h"

#include <errno.h>
#include <getopt.h>

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_error err;
	int ret = cli_options(self, argc, argv, NULL, NULL, &err);

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && optind < argc)
		ret = pp_fail(&err, EINVAL, "watch takes nothing: it watches over all that is published");
	if (ret == 0)
		ret = pp_watch(&pp_keeping_in_background, &cli_report, &err);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_watch = {
	.name = "watch",
	.synopsis = "",
	.summary = "Put back what is removed, and keep established connections, for as long as this runs",
	.run = run,
};
