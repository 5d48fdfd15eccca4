/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub add: publish. */
#include "cli.h"
#include "portpub/keeper.h"
#include "publishing.h"

#include <errno.h>
#include <getopt.h>

enum { OPT_NO_KEEPER = PUBLISHING_OPTION_END };

static const struct cli_option options[] = {
	PUBLISHING_OPTIONS,
	{ OPT_NO_KEEPER, "no-keeper", NULL, "rules only: nothing is carried in userspace", false },
	{ 0 },
};

static int take_option(int key, void *data, struct pp_error *err)
{
	struct publishing *publishing = data;

	if (key != OPT_NO_KEEPER)
		return publishing_take(key, data, err);
	publishing->record.request.no_keeper = true;
	return 0;
}

/* What was published, with the ports that were chosen. */
static int answer(const struct publishing *publishing, struct pp_error *err)
{
	const struct pp_publications *list = &publishing->record.request.publications;
	char text[PP_PUBLICATION_TEXT];

	for (size_t i = 0; !publishing->json && i < list->count; i++)
		printf("%s  %s\n", publishing->record.id, pp_publication_format(&list->items[i], text));
	return publishing_answer(publishing, err);
}

static int add(const struct cli_command *self, int argc, char **argv, struct publishing *publishing,
	       struct pp_error *err)
{
	int ret = cli_options(self, argc, argv, take_option, publishing, err);

	if (ret == 0)
		ret = publishing_complete(self->name, argv + optind, publishing, err);
	if (ret == 0 && publishing->record.request.publications.count == 0)
		return 0; /* an empty document is no error, and nothing to publish */
	if (ret == 0)
		ret = pp_publish_add(&publishing->record, publishing->replace, &pp_keeping_in_background,
				     &cli_report, err);
	return ret == 0 ? answer(publishing, err) : ret;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct publishing publishing;
	struct pp_error err;
	int ret;

	publishing_init(&publishing);
	ret = add(self, argc, argv, &publishing, &err);
	publishing_fini(&publishing);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_add = {
	.name = "add",
	.synopsis = PUBLISHING_SYNOPSIS "[--no-keeper] [--json]",
	.summary = "Publish SPEC: make a container's port reachable on a port of this host",
	.options = options,
	.run = run,
};
