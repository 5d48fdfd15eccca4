/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub list: what is published, by which path, and how many connections there were. */
#include "answer.h"
#include "state.h"

#include <errno.h>
#include <getopt.h>

static int print_json(const struct state *state, struct pp_error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < state->records.count; i++)
		answer_append(&array, published_json(&state->items[i]));
	return answer_print(array, err);
}

static int print(const struct state *state, bool json, struct pp_error *err)
{
	if (json)
		return print_json(state, err);
	if (state->records.count)
		published_print(state->items, state->records.count, stdout);
	return 0;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_error err;
	struct state state = { 0 };
	bool json = false, whole;
	int ret = cli_options(self, argc, argv, answer_take_option, &json, &err), status;

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && argc - optind > 1)
		ret = pp_fail(&err, EINVAL, "list takes one id, or none for everything");
	if (ret == 0 && argc > optind)
		ret = pp_id_check(argv[optind], &err);
	if (ret == 0)
		ret = state_read(&state, argv[optind], &err);
	if (ret < 0)
		return cli_fail(&err);
	ret = print(&state, json, &err);
	whole = state_is_whole(&state);
	state_fini(&state);
	if (ret < 0)
		return cli_fail(&err);
	status = cli_finish();
	return status == CLI_DONE && !whole ? CLI_FAILED : status;
}

const struct cli_command cli_list = {
	.name = "list",
	.synopsis = "[ID] [--json]",
	.summary = "Tell what is published, by which path, and how many connections there were",
	.options = answer_options,
	.run = run,
};
