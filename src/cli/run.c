/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub run: hold the publication in the foreground. */
#include "answer.h"
#include "limits.h"
#include "portpub/counters_page.h"
#include "portpub/duration.h"
#include "portpub/enter.h"
#include "portpub/hold.h"
#include "portpub/interface.h"
#include "warnings.h"

#include <errno.h>
#include <getopt.h>
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_DRAIN = LIMITS_OPTION_END, OPT_JSON };

static const struct cli_option options[] = {
	REQUEST_OPTIONS,
	CONTAINER_OPTIONS,
	LIMITS_OPTIONS,
	{ OPT_DRAIN, "drain", "TIME", "on SIGTERM let connections finish, for so long", false },
	{ OPT_JSON, "json", NULL, "answer in JSON", false },
	{ 0 },
};

struct run {
	struct request_arguments arguments;
	struct container_arguments container;
	struct pp_request request;
	struct pp_limits limits;
	struct pp_door door;
	int64_t drain;
	bool json;
};

static int take_option(int key, void *data, struct pp_error *err)
{
	struct run *run = data;
	int ret;

	switch (key) {
	case OPT_DRAIN:
		return pp_duration_parse(optarg, strlen(optarg), &run->drain, err);
	case OPT_JSON:
		run->json = true;
		return 0;
	default:
		ret = limits_take(key, &run->limits, err);
		return ret == -ENOSYS
			       ? container_take(key, &run->container, &run->arguments, &run->request, err)
			       : ret;
	}
}

static int check_options(const struct run *run, struct pp_error *err)
{
	if (run->request.via != PP_VIA_USERSPACE)
		return pp_fail(err, EINVAL,
			       "this version runs what is forwarded in userspace alone: say --via userspace");
	if (run->container.pid && run->container.netns)
		return pp_fail(err, EINVAL, "--pid and --netns each name the container: choose one");
	return 0;
}

/* Nobody has said which: the one that listens, from outside where there is a way, or else from inside. */
static int find_container(struct run *run, struct pp_error *err)
{
	struct pp_container container = PP_CONTAINER_INIT;
	int ret = container_search(&run->request.publications, &container, err);

	if (ret == 0 && !pp_container_target(&container, &run->request.publications, &run->request.target))
		ret = pp_door_open(container.pid, NULL, &run->door, err);
	pp_container_fini(&container);
	return ret;
}

/* A container that is named is entered: what is forwarded comes from inside of it. */
static int find_target(struct run *run, struct pp_error *err)
{
	if (container_is_named(&run->container))
		return pp_door_open(run->container.pid, run->container.netns, &run->door, err);
	return pp_target_is_known(&run->request.target) ? 0 : find_container(run, err);
}

/*
 * The container's own address, asked for inside. Loopback is not meant unless it is said: what trusts 127.0.0.1
 * trusts the container's own processes, and not everybody who asks a port of this host.
 */
static int aim_inside(struct pp_target *target, struct pp_error *err)
{
	struct pp_interface_addresses list = PP_INTERFACE_ADDRESSES_INIT;
	int ret = pp_interface_addresses_read(&list, err);

	pp_interface_addresses_keep_offered(&list);
	for (size_t i = list.count; i-- > 0;) { /* the first of each family is what stays */
		const struct pp_address *address = &list.items[i].address;

		*(address->family == AF_INET ? &target->ipv4 : &target->ipv6) = *address;
	}
	pp_interface_addresses_fini(&list);
	if (ret < 0 || pp_target_is_known(target))
		return ret;
	return pp_fail(err, EADDRNOTAVAIL,
		       "the container has no address but loopback: say --to 127.0.0.1 if what listens there "
		       "may be open to its clients");
}

static int enter(struct run *run, struct pp_error *err)
{
	int ret = run->door.netns < 0 ? 0 : pp_door_enter(&run->door, err);

	pp_door_close(&run->door);
	return ret < 0 || pp_target_is_known(&run->request.target) ? ret
								   : aim_inside(&run->request.target, err);
}

static int print_json(const struct pp_publications *list, struct pp_error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		answer_append(&array, pp_publication_to_json(&list->items[i]));
	return answer_print(array ? json_pack("{s:o}", "publications", array) : NULL, err);
}

static void warn_unintroduced(const struct run *run)
{
	const struct pp_publications *list = &run->request.publications;
	char text[PP_PUBLICATION_TEXT];

	for (size_t i = 0; run->limits.proxy_header != PP_PROXY_NONE && i < list->count; i++) {
		if (list->items[i].protocol == PP_TCP)
			continue;
		fprintf(stderr,
			"portpub: %s: --proxy-protocol is for tcp alone: the container is not told who "
			"asks\n",
			pp_publication_format(&list->items[i], text));
		return;
	}
}

/* The ports are open, and this is what they are. */
static int answer(const struct run *run, struct pp_error *err)
{
	const struct pp_publications *list = &run->request.publications;
	char text[PP_PUBLICATION_TEXT];
	int ret = 0;

	warnings_print(&run->request, stderr);
	warn_unintroduced(run);
	if (run->json)
		ret = print_json(list, err);
	for (size_t i = 0; !run->json && i < list->count; i++)
		puts(pp_publication_format(&list->items[i], text));
	if (ret == 0 && fflush(stdout) != 0)
		ret = pp_fail(err, errno == EINVAL ? EIO : errno, "cannot write the answer: %s",
			      strerror(errno));
	return ret;
}

/* Forget what was needed to begin with: this process may run for years. */
static void forget(struct run *run, struct pp_held *held)
{
	pp_held_fini(held);
	pp_request_fini(&run->request);
	malloc_trim(0);
}

static int forward(struct run *run, struct pp_held *held, struct pp_error *err)
{
	struct pp_forwarder *forwarder = NULL;
	struct pp_counters_page page = PP_COUNTERS_PAGE_INIT;
	int ret = pp_counters_open(&page, err);

	if (ret == 0)
		ret = pp_forwarder_new(&run->limits, page.counters, &forwarder, err);
	if (ret == 0)
		ret = pp_held_forward(held, &run->request.target, forwarder, err);
	if (ret == 0)
		ret = answer(run, err);
	if (ret == 0) {
		forget(run, held);
		ret = pp_forwarder_run(forwarder, &(struct pp_ending){ .drain = run->drain }, err);
	}
	pp_forwarder_free(forwarder);
	pp_counters_close(&page);
	return ret;
}

/* The ports are bound here, and only then are new sockets the container's. */
static int publish(struct run *run, struct pp_error *err)
{
	struct pp_held held = PP_HELD_INIT;
	int ret = pp_hold(&run->request, &held, err);

	if (ret == 0 && run->door.netns < 0)
		ret = pp_hold_refuse_itself(&run->request, err);
	if (ret == 0)
		ret = enter(run, err);
	if (ret == 0) {
		pp_forwarder_block_signals();
		ret = forward(run, &held, err);
	}
	pp_held_fini(&held);
	return ret;
}

static int prepare(const struct cli_command *self, int argc, char **argv, struct run *run,
		   struct pp_error *err)
{
	int ret = cli_options(self, argc, argv, take_option, run, err);

	if (ret == 0)
		ret = request_complete(self->name, &run->arguments, argv + optind, &run->request, err);
	if (ret == 0)
		ret = check_options(run, err);
	if (ret == 0 && run->request.publications.count)
		ret = find_target(run, err);
	if (ret == 0)
		ret = request_plan(&run->request, err);
	return ret;
}

static int run_run(const struct cli_command *self, int argc, char **argv)
{
	struct run run = { .limits = pp_limits_default, .door = PP_DOOR_INIT };
	struct pp_error err;
	int ret = prepare(self, argc, argv, &run, &err);

	/* An empty document is no error, and nothing to publish. */
	if (ret == 0 && run.request.publications.count)
		ret = publish(&run, &err);
	pp_door_close(&run.door);
	pp_request_fini(&run.request);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_run = {
	.name = "run",
	.synopsis =
		"[[-p] SPEC...] [--from FILE|- [--dialect NAME] [--service NAME]]\n               [--to "
		"ADDR[,ADDR6]] [--pid PID | --netns PATH] --via userspace\n               [--allow CIDR]... "
		"[--max-conns N] [--max-flows N] [--connect-timeout TIME]\n               [--idle-timeout "
		"TIME] "
		"[--half-open-timeout TIME] [--udp-timeout TIME]\n               [--proxy-protocol v1|v2] "
		"[--drain TIME] [--json]",
	.summary = "Publish SPEC for as long as this runs: forward in the foreground",
	.options = options,
	.run = run_run,
};
