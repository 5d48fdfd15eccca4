/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub del: unpublish. */
#include "cli.h"
#include "portpub/keeper.h"

#include <errno.h>
#include <getopt.h>

enum { OPT_ALL = 256 };

static const struct cli_option options[] = {
	{ OPT_ALL, "all", NULL, "everything that is published", false },
	{ 0 },
};

static int take_option(int key, void *data, struct pp_error *err)
{
	(void)key;
	(void)err;
	*(bool *)data = true;
	return 0;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_error err;
	bool all = false;
	int ret = cli_options(self, argc, argv, take_option, &all, &err), count = argc - optind;

	if (ret == 0 && all && count)
		ret = pp_fail(&err, EINVAL, "--all leaves nothing to name");
	else if (ret == 0 && !all && !count)
		ret = pp_fail(
			&err, EINVAL,
			"del what? portpub del ID, a SPEC as it was published, its host port, or --all");
	else if (ret == 0 && all)
		ret = pp_publish_del_all(&pp_keeping_in_background, &cli_report, &err);
	else if (ret == 0)
		ret = pp_publish_del(argv + optind, (size_t)count, &pp_keeping_in_background, &cli_report,
				     &err);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_del = {
	.name = "del",
	.synopsis = "ID|SPEC... | --all",
	.summary =
		"Unpublish: by id, or a single publication by its SPEC as add printed it, or its host port",
	.options = options,
	.run = run,
};
