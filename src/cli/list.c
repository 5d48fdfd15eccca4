/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub list: what is published, by which path, and how many connections there were. */
#include "answer.h"
#include "portpub/connections.h"
#include "published.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static int load(const char *id, struct pp_records *out, struct pp_error *err)
{
	struct pp_store store = PP_STORE_INIT;
	struct pp_record record = { 0 };
	int ret = pp_store_open_to_read(&store, err);

	if (ret == -ENOENT) /* nothing has ever been published */
		return id ? pp_fail(err, ENOENT, "nothing is published as %s", id) : 0;
	if (ret == 0 && !id)
		ret = pp_store_load_all(&store, PP_STAGE_ACTIVE, out, err);
	else if (ret == 0)
		ret = pp_store_load(&store, PP_STAGE_ACTIVE, id, &record, err);
	if (ret == 0 && id)
		ret = pp_records_append(out, &record, err);
	pp_record_fini(&record);
	pp_store_close(&store);
	return ret;
}

static int print_json(const struct published *items, size_t count, struct pp_error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < count; i++)
		answer_append(&array, published_json(&items[i]));
	return answer_print(array, err);
}

/* An ordinary user sees what is published, but not what the kernel has counted. */
static int print(const struct pp_records *records, bool json, struct pp_error *err)
{
	struct published *items = calloc(records->count + 1, sizeof(*items));
	struct pp_connections connections = PP_CONNECTIONS_INIT;
	struct pp_error unknown;
	int ret = 0;

	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	if (records->count && pp_connections_read(records, &connections, &unknown) < 0 &&
	    unknown.code != EPERM)
		fprintf(stderr, "portpub: no connections are shown: %s\n", unknown.message);
	for (size_t i = 0; i < records->count; i++)
		items[i] = (struct published){ &records->items[i],
					       connections.counts ? connections.counts + connections.first[i]
								  : NULL };
	if (json)
		ret = print_json(items, records->count, err);
	else if (records->count)
		published_print(items, records->count, stdout);
	pp_connections_fini(&connections);
	free(items);
	return ret;
}

static void print_broken(const struct pp_records *records)
{
	for (size_t i = 0; i < records->broken_count; i++)
		fprintf(stderr, "portpub: %s\n", records->broken[i].words);
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_records records = PP_RECORDS_INIT;
	struct pp_error err;
	bool json = false, whole;
	int ret = cli_options(self, argc, argv, answer_take_option, &json, &err), status;

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && argc - optind > 1)
		ret = pp_fail(&err, EINVAL, "list takes one id, or none for everything");
	if (ret == 0 && argc > optind)
		ret = pp_id_check(argv[optind], &err);
	if (ret == 0)
		ret = load(argv[optind], &records, &err);
	if (ret == 0)
		ret = print(&records, json, &err);
	print_broken(&records);
	whole = records.broken_count == 0;
	pp_records_fini(&records);
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
