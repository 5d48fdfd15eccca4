/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub restore: put back what is missing. */
#include "answer.h"
#include "portpub/keeper.h"

#include <errno.h>
#include <getopt.h>

static int print(const struct pp_restored *restored, bool json, struct pp_error *err)
{
	char text[PP_RESTORED_TEXT];

	if (!json) {
		puts(pp_restored_format(restored, text));
		return 0;
	}
	return answer_print(json_pack("{s:b, s:I, s:I, s:I, s:I}", "table", restored->table, "elements",
				      (json_int_t)restored->elements, "sysctls",
				      (json_int_t)restored->sysctls, "keepers", (json_int_t)restored->keepers,
				      "failed", (json_int_t)restored->failed),
			    err);
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_restored restored = { 0 };
	struct pp_error err;
	bool json = false;
	int ret = cli_options(self, argc, argv, answer_take_option, &json, &err), status;

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && optind < argc)
		ret = pp_fail(&err, EINVAL, "restore takes no names: it puts back all that is published");
	if (ret == 0)
		ret = pp_publish_restore(&restored, &pp_keeping_in_background, &cli_report, &err);
	if (ret == 0)
		ret = print(&restored, json, &err);
	if (ret < 0)
		return cli_fail(&err);
	status = cli_finish();
	return status == CLI_DONE && restored.failed ? CLI_FAILED : status;
}

const struct cli_command cli_restore = {
	.name = "restore",
	.synopsis = "[--json]",
	.summary = "Put back what is missing of what is published: rules, sysctls, keepers",
	.options = answer_options,
	.run = run,
};
