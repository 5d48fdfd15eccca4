/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub metrics: what is published, in the text that Prometheus reads. */
#include "cli.h"
#include "state.h"

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <string.h>

/* Every sample of a metric follows its heading. */
static void head(const char *name, const char *type, const char *help)
{
	printf("# HELP portpub_%s %s\n# TYPE portpub_%s %s\n", name, help, name, type);
}

/* A label's value: quotes, backslashes and line ends have to be escaped. */
static void print_escaped(const char *text)
{
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", stdout);
		else if (*text == '"' || *text == '\\')
			printf("\\%c", *text);
		else
			putchar(*text);
	}
}

static void print_info(const struct state *state)
{
	head("info", "gauge", "What is published, and for which container.");
	for (size_t i = 0; i < state->records.count; i++) {
		const struct pp_record *record = state->items[i].record;

		printf("portpub_info{id=\"%s\",container=\"", record->id);
		print_escaped(pp_record_container(record));
		printf("\"} 1\n");
	}
}

static void print_ports(const struct state *state)
{
	head("ports", "gauge", "Host ports that are published.");
	for (size_t i = 0; i < state->records.count; i++) {
		const struct pp_publications *list = &state->items[i].record->request.publications;
		uint64_t ports = 0;

		for (size_t p = 0; p < list->count; p++)
			ports += list->items[p].count;
		printf("portpub_ports{id=\"%s\"} %" PRIu64 "\n", state->items[i].record->id, ports);
	}
}

static void print_kernel(const struct state *state)
{
	head("kernel_connections_total", "counter",
	     "Connections that the kernel has translated; their bytes are not counted.");
	for (size_t i = 0; i < state->records.count; i++) {
		const struct published *item = &state->items[i];
		uint64_t count = 0;

		if (!item->connections)
			continue;
		for (size_t p = 0; p < item->record->request.publications.count; p++)
			count += item->connections[p];
		printf("portpub_kernel_connections_total{id=\"%s\"} %" PRIu64 "\n", item->record->id, count);
	}
}

static void print_up(const struct state *state)
{
	head("keeper_up", "gauge", "Whether the keeper lives.");
	for (size_t i = 0; i < state->records.count; i++) {
		if (state->items[i].record->keeper)
			printf("portpub_keeper_up{id=\"%s\"} %d\n", state->items[i].record->id,
			       state->items[i].keeper != NULL);
	}
}

static void print_restores(const struct state *state)
{
	head("restores_total", "counter", "How often the keeper has put back rules that were gone.");
	for (size_t i = 0; i < state->records.count; i++) {
		if (state->items[i].keeper)
			printf("portpub_restores_total{id=\"%s\"} %" PRIu64 "\n", state->items[i].record->id,
			       state->items[i].keeper->restores);
	}
}

/* Of one counter of the userspace path, which may be two: from clients, and from the container. */
static void print_counter(const struct state *state, const struct pp_counter *counter)
{
	char name[64], help[128];

	snprintf(name, sizeof(name), "userspace_%s%s", counter->name, counter->now ? "" : "_total");
	snprintf(help, sizeof(help), "In userspace: %s.", counter->help);
	head(name, counter->now ? "gauge" : "counter", help);
	for (size_t i = 0; i < state->records.count; i++) {
		for (size_t way = 0; state->items[i].keeper && way < counter->count; way++)
			printf("portpub_%s{id=\"%s\"%s} %" PRIu64 "\n", name, state->items[i].record->id,
			       counter->count == 1 ? ""
			       : way == 0          ? ",from=\"clients\""
						   : ",from=\"container\"",
			       pp_counter_value(&state->items[i].keeper->counters, counter, way));
	}
}

static void print(const struct state *state)
{
	print_info(state);
	print_ports(state);
	print_kernel(state);
	print_up(state);
	print_restores(state);
	for (size_t i = 0; i < pp_counter_count; i++)
		print_counter(state, &pp_counter_table[i]);
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_error err;
	struct state state = { 0 };
	bool whole;
	int ret = cli_options(self, argc, argv, NULL, NULL, &err), status;

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && argc > optind)
		ret = pp_fail(&err, EINVAL, "metrics takes nothing");
	if (ret == 0)
		ret = state_read(&state, NULL, &err);
	if (ret < 0)
		return cli_fail(&err);
	print(&state);
	whole = state_is_whole(&state);
	state_fini(&state);
	status = cli_finish();
	return status == CLI_DONE && !whole ? CLI_FAILED : status;
}

const struct cli_command cli_metrics = {
	.name = "metrics",
	.synopsis = "",
	.summary = "Tell what is published and carried, in the text that Prometheus reads",
	.run = run,
};
