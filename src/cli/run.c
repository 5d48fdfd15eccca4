/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub run: hold the publication in the foreground. */
#include "cli.h"
#include "portpub/duration.h"
#include "portpub/forwarder.h"
#include "portpub/keeper.h"
#include "portpub/notify.h"
#include "publishing.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <limits.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

enum { OPT_DRAIN = PUBLISHING_OPTION_END, OPT_STATUS_FD, OPT_DIE_WITH_PARENT };

static const struct cli_option options[] = {
	PUBLISHING_OPTIONS,
	{ OPT_DRAIN, "drain", "TIME", "on SIGTERM let connections finish, for so long", false },
	{ OPT_STATUS_FD, "status-fd", "N", "tell the descriptor N, too, whether it is published", false },
	{ OPT_DIE_WITH_PARENT, "die-with-parent", NULL, "end when whoever started it ends", false },
	{ 0 },
};

struct run {
	struct publishing publishing;
	int64_t drain;
	int status_fd; /* or -1 */
	int manager;   /* or -1: see pp_notify_open */
};

static int take_status_fd(struct run *run, struct pp_error *err)
{
	struct pp_piece piece = { optarg, strlen(optarg), 0, strlen(optarg) };
	char *end;
	long number = strtol(optarg, &end, 10);

	if (*optarg < '0' || *optarg > '9' || *end || number > INT_MAX || fcntl((int)number, F_GETFD) < 0)
		return pp_fail_at(err, piece, "the number of an open descriptor is wanted here");
	run->status_fd = (int)number;
	return fcntl(run->status_fd, F_SETFD, FD_CLOEXEC) < 0 ? pp_fail(err, errno, "%s", strerror(errno))
							      : 0;
}

/* Whoever started us may be gone before the kernel knows that it matters. */
static int take_die_with_parent(struct pp_error *err)
{
	pid_t parent = getppid();

	if (prctl(PR_SET_PDEATHSIG, SIGTERM) < 0 || (getppid() != parent && raise(SIGTERM) != 0))
		return pp_fail(err, errno, "--die-with-parent: %s", strerror(errno));
	return 0;
}

static int take_option(int key, void *data, struct pp_error *err)
{
	struct run *run = data;

	switch (key) {
	case OPT_DRAIN:
		return pp_duration_parse(optarg, strlen(optarg), &run->drain, err);
	case OPT_STATUS_FD:
		return take_status_fd(run, err);
	case OPT_DIE_WITH_PARENT:
		return take_die_with_parent(err);
	default:
		return publishing_take(key, &run->publishing, err);
	}
}

/* As dockerd is told by its proxies: in one write, "0" and a line end, or "1", a line end and the words. */
static void tell_status(struct run *run, const char *words)
{
	if (run->status_fd < 0)
		return;
	if (words)
		dprintf(run->status_fd, "1\n%s", words);
	else
		dprintf(run->status_fd, "0\n");
	if (run->status_fd > STDERR_FILENO) /* or else a client would get what is said */
		close(run->status_fd);
	run->status_fd = -1;
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
	if (ret == 0) {
		pp_notify(run->manager, "READY=1");
		tell_status(run, NULL);
	}
	return ret;
}

static void begin_to_stop(void *data)
{
	struct run *run = data;

	pp_notify(run->manager, "STOPPING=1");
}

static int keep(struct run *run, struct pp_error *err)
{
	const struct pp_ending ending = { run->drain, begin_to_stop, run };
	struct publishing *publishing = &run->publishing;
	struct pp_error fault;
	struct pp_stay stay;
	int answered, ret;

	pp_stay_init(&stay);
	run->manager = pp_notify_open();
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
	if (run->manager >= 0)
		close(run->manager);
	return ret;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct run run = { .status_fd = -1, .manager = -1 };
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
	if (ret < 0)
		tell_status(&run, err.message);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_run = {
	.name = "run",
	.synopsis = PUBLISHING_SYNOPSIS
	"[--drain TIME] [--status-fd N]\n               [--die-with-parent] [--json]",
	.summary = "Publish SPEC for as long as it runs: by a signal, or with the container, it ends",
	.options = options,
	.run = run,
};
