/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub run: hold the publication in the foreground. */
#include "cli.h"
#include "portpub/duration.h"
#include "portpub/forwarder.h"
#include "portpub/keeper.h"
#include "publishing.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_DRAIN = PUBLISHING_OPTION_END };

static const struct cli_option options[] = {
	PUBLISHING_OPTIONS,
	{ OPT_DRAIN, "drain", "TIME", "on SIGTERM let connections finish, for so long", false },
	{ 0 },
};

struct run {
	struct publishing publishing;
	int64_t drain;
};

static int take_option(int key, void *data, struct pp_error *err)
{
	struct run *run = data;

	switch (key) {
	case OPT_DRAIN:
		return pp_duration_parse(optarg, strlen(optarg), &run->drain, err);
	default:
		return publishing_take(key, &run->publishing, err);
	}
}

/* The ports are open, and this is what they are. */
static int answer(struct run *run, struct pp_error *err)
{
	const struct pp_publications *list = &run->publishing.record.request.publications;
	char text[PP_PUBLICATION_TEXT];
	int ret = publishing_answer(&run->publishing, err);

	for (size_t i = 0; !run->publishing.json && i < list->count; i++)
		puts(pp_publication_format(&list->items[i], text));
	if (ret == 0 && fflush(stdout) != 0)
		ret = pp_fail(err, errno == EINVAL ? EIO : errno, "cannot write the answer: %s",
			      strerror(errno));
	return ret;
}

static int keep(struct run *run, struct pp_error *err)
{
	const struct pp_ending ending = { .drain = run->drain };
	struct publishing *publishing = &run->publishing;
	struct pp_error fault;
	struct pp_stay stay;
	int answered, ret;

	pp_stay_init(&stay);
	pp_forwarder_block_signals();
	ret = pp_publish_add(&publishing->record, publishing->replace, &stay.keeping, &cli_report, err);
	if (ret == 0) {
		answered = answer(run, &fault);
		publishing_fini(publishing);
		ret = answered < 0 ? pp_stay_end(&stay, &cli_report, err)
				   : pp_stay(&stay, &ending, &cli_report, err);
		if (answered < 0) {
			*err = fault;
			ret = answered;
		}
	}
	pp_stay_fini(&stay);
	return ret;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct run run = { 0 };
	struct pp_error err;
	int ret;

	publishing_init(&run.publishing);
	ret = cli_options(self, argc, argv, take_option, &run, &err);
	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0)
		ret = publishing_complete(self->name, argv + optind, &run.publishing, &err);
	if (ret == 0 && run.publishing.record.request.publications.count)
		ret = keep(&run, &err); /* an empty document is no error, and nothing to hold */
	publishing_fini(&run.publishing);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_run = {
	.name = "run",
	.synopsis = PUBLISHING_SYNOPSIS "[--drain TIME] [--json]",
	.summary = "Publish SPEC for as long as it runs: by a signal, or with the container, it ends",
	.options = options,
	.run = run,
};
