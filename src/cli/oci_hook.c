/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portpub oci-hook: what an OCI runtime calls when it has made a container, and when that has ended.
 *
 * The container's state is on stdin. What it asks for by annotations is published before its process runs, to the
 * container of that process, as `add --pid` does; where that fails, so does this, and the runtime gives the container
 * up. The runtime waits for our end, and for that of stdout and stderr, which the keeper does not have.
 *
 * Some runtimes drop what a hook says, so an error is told to the system's log, too; what else there is to say, to that alone.
 */
#include "cli.h"
#include "portpub/hook_state.h"
#include "portpub/keeper.h"
#include "publishing.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>

static void log_line(const char *line, void *data)
{
	(void)data;
	syslog(LOG_DAEMON | LOG_INFO, "portpub: %s", line);
}

static const struct pp_report report = { log_line, NULL };

/* What its process calls itself is the runtime, still. */
static void name_container(const struct pp_hook_state *state, struct pp_record *record)
{
	pp_show(record->container, sizeof(record->container), state->container, strlen(state->container));
}

static int publish(const struct cli_command *self, const struct pp_hook_state *state, struct pp_error *err)
{
	struct publishing publishing;
	struct pp_record *record = &publishing.record;
	char *none[] = { NULL };
	int ret;

	if (!state->pid)
		return pp_fail(err, EINVAL, "the state of the container has no pid");
	publishing_init(&publishing);
	ret = pp_hook_state_request(state, &record->request, &publishing.arguments.is_via_said, err);
	if (ret == 0 && record->request.publications.count) {
		publishing.container.pid = state->pid;
		pp_hook_state_id(state, record->id);
		ret = publishing_complete(self->name, none, &publishing, err);
		name_container(state, record);
		if (ret == 0)
			ret = pp_publish_add(record, true, &pp_keeping_in_background, &report, err);
	}
	publishing_fini(&publishing);
	return ret;
}

/* There may be nothing: it was not published, or the keeper has been faster. */
static int unpublish(const struct pp_hook_state *state, struct pp_error *err)
{
	char id[PP_HOOK_ID], *names[] = { id };
	int ret;

	pp_hook_state_id(state, id);
	ret = pp_publish_del(names, 1, &pp_keeping_in_background, &report, err);
	return ret == -ENOENT ? 0 : ret;
}

static int act(const struct cli_command *self, const char *stage, const struct pp_hook_state *state,
	       struct pp_error *err)
{
	enum pp_hook_task task;
	int ret = pp_hook_state_task(state, stage, &task, err);

	if (ret < 0 || !pp_hook_state_has_ports(state))
		return ret;
	return task == PP_HOOK_PUBLISH ? publish(self, state, err) : unpublish(state, err);
}

static int read_state(struct pp_hook_state *state, struct pp_error *err)
{
	char *text;
	size_t len;
	int ret = cli_read_file("-", PP_HOOK_STATE_MAX, &text, &len, err);

	if (ret < 0)
		return ret;
	ret = pp_hook_state_read(text, len, state, err);
	free(text);
	return ret;
}

/* In one line, and one status: a runtime has no use for more. */
static int fail(const struct pp_hook_state *state, const struct pp_error *err)
{
	char line[PP_ERROR_LINE], container[64] = "";
	const char *colon = state->container ? ": " : "";

	if (state->container)
		pp_show(container, sizeof(container), state->container, strlen(state->container));
	pp_error_line(err, line);
	fprintf(stderr, "portpub: %s%s%s\n", container, colon, line);
	syslog(LOG_DAEMON | LOG_ERR, "portpub: %s%s%s", container, colon, line);
	return CLI_FAILED;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_hook_state state = PP_HOOK_STATE_INIT;
	struct pp_error err;
	int ret = cli_options(self, argc, argv, NULL, NULL, &err);

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && argc - optind > 1)
		ret = pp_fail(&err, EINVAL, "oci-hook takes one stage, or none");
	if (ret == 0)
		ret = read_state(&state, &err);
	if (ret == 0)
		ret = act(self, argv[optind], &state, &err);
	if (ret < 0)
		ret = fail(&state, &err);
	pp_hook_state_fini(&state);
	return ret;
}

const struct cli_command cli_oci_hook = {
	.name = "oci-hook",
	.synopsis = "[STAGE]",
	.summary = "Called by an OCI runtime: publish what a container's annotations say, or take it back",
	.run = run,
};
