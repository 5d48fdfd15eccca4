/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub add: publish. */
#include "answer.h"
#include "container.h"
#include "portpub/nft.h"
#include "portpub/publish.h"
#include "published.h"
#include "warnings.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_ID = CONTAINER_OPTION_END, OPT_NO_KEEPER, OPT_REPLACE, OPT_JSON };

static const struct cli_option options[] = {
	REQUEST_OPTIONS,
	CONTAINER_OPTIONS,
	{ OPT_ID, "id", "ID", "the name of the publication; made up if left out", false },
	{ OPT_REPLACE, "replace", NULL, "put it in the place of what has the same id", false },
	{ OPT_NO_KEEPER, "no-keeper", NULL, "rules only: nothing is carried in userspace", false },
	{ OPT_JSON, "json", NULL, "answer in JSON", false },
	{ 0 },
};

struct addition {
	struct request_arguments arguments;
	struct container_arguments container;
	struct pp_record record;
	bool replace, json;
};

static int take_option(int key, void *data, struct pp_error *err)
{
	struct addition *addition = data;
	int ret;

	switch (key) {
	case OPT_ID:
		ret = pp_id_check(optarg, err);
		if (ret == 0)
			snprintf(addition->record.id, sizeof(addition->record.id), "%s", optarg);
		return ret;
	case OPT_NO_KEEPER:
		addition->record.request.no_keeper = true;
		return 0;
	case OPT_REPLACE:
		addition->replace = true;
		return 0;
	case OPT_JSON:
		addition->json = true;
		return 0;
	default:
		return container_take(key, &addition->container, &addition->arguments,
				      &addition->record.request, err);
	}
}

static int check_options(const struct addition *addition, struct pp_error *err)
{
	const struct pp_request *request = &addition->record.request;
	const struct container_arguments *named = &addition->container;
	int ways = pp_target_is_known(&request->target) + (named->pid != 0) + (named->netns != NULL);

	if (ways > 1)
		return pp_fail(err, EINVAL, "--to, --pid and --netns each name the container: choose one");
	if (addition->replace && !addition->record.id[0])
		return pp_fail(err, EINVAL, "--replace needs the --id of what it replaces");
	if (!request->no_keeper && request->via != PP_VIA_KERNEL)
		return pp_fail(err, EINVAL,
			       "this version has no keeper, which would carry what the kernel cannot: say "
			       "--no-keeper"
			       " to publish with rules alone");
	if (request->no_keeper && request->via == PP_VIA_USERSPACE)
		return pp_fail(err, EINVAL, "--no-keeper leaves nobody to forward in userspace");
	return 0;
}

/* Who may not publish is told that, and not first that no container was found. */
static int check_rights(struct pp_error *err)
{
	struct pp_nft nft = PP_NFT_INIT;
	int ret = pp_nft_open(&nft, err);

	pp_nft_close(&nft);
	return ret;
}

static int use_container(struct addition *addition, const struct pp_container *container,
			 const struct pp_publications *listening, struct pp_error *err)
{
	struct pp_record *record = &addition->record;

	if (container->closed)
		return pp_fail(err, container->closed, "%s cannot be looked into: %s; say --to ADDRESS",
			       container->name, strerror(container->closed));
	if (!pp_container_target(container, listening, &record->request.target))
		return pp_fail(err, ENETUNREACH,
			       "%s has no address that this host has a way to: rules alone cannot reach it",
			       container->name);
	record->pid = container->pid;
	snprintf(record->container, sizeof(record->container), "%s", container->name);
	return 0;
}

/* The one that is named, or else the one that listens. */
static int find_target(struct addition *addition, struct pp_error *err)
{
	const struct pp_publications *publications = &addition->record.request.publications;
	bool named = container_is_named(&addition->container);
	struct pp_container container = PP_CONTAINER_INIT;
	int ret;

	if (pp_target_is_known(&addition->record.request.target) || !publications->count)
		return 0;
	ret = named ? container_named(&addition->container, &container, err)
		    : container_search(publications, &container, err);
	if (ret == 0)
		ret = use_container(addition, &container, named ? NULL : publications, err);
	pp_container_fini(&container);
	return ret;
}

/* What was published, with the ports that were chosen. */
static int answer(const struct addition *addition, struct pp_error *err)
{
	struct published item = { .record = &addition->record };
	const struct pp_publications *list = &addition->record.request.publications;
	char text[PP_PUBLICATION_TEXT];

	warnings_print(&addition->record.request, stderr);
	if (addition->json)
		return answer_print(published_json(&item), err);
	for (size_t i = 0; i < list->count; i++)
		printf("%s  %s\n", addition->record.id, pp_publication_format(&list->items[i], text));
	return 0;
}

static int add(const struct cli_command *self, int argc, char **argv, struct addition *addition,
	       struct pp_error *err)
{
	struct pp_request *request = &addition->record.request;
	int ret = cli_options(self, argc, argv, take_option, addition, err);

	if (ret == 0)
		ret = request_complete(self->name, &addition->arguments, argv + optind, request, err);
	if (ret == 0)
		ret = check_options(addition, err);
	if (ret == 0)
		ret = check_rights(err);
	if (ret == 0)
		ret = find_target(addition, err);
	if (ret == 0)
		ret = request_plan(request, err);
	if (ret == 0 && request->publications.count == 0)
		return 0; /* an empty document is no error, and nothing to publish */
	if (ret == 0)
		ret = pp_publish_add(&addition->record, addition->replace, &cli_report, err);
	return ret == 0 ? answer(addition, err) : ret;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct addition addition = { 0 };
	struct pp_error err;
	int ret = add(self, argc, argv, &addition, &err);

	pp_record_fini(&addition.record);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_add = {
	.name = "add",
	.synopsis = "[[-p] SPEC...] [--from FILE|- [--dialect NAME] [--service NAME]]\n               [--to "
		    "ADDR[,ADDR6] | --pid PID | --netns PATH] [--via PATH] [--allow CIDR]...\n               "
		    "[--id ID "
		    "[--replace]] --no-keeper [--json]",
	.summary = "Publish SPEC: make a container's port reachable on a port of this host",
	.options = options,
	.run = run,
};
