/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "request.h"

#include "portpub/config_file.h"
#include "portpub/conflict.h"
#include "portpub/spec.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

static int read_spec(const char *text, struct pp_publications *out, struct pp_error *err)
{
	struct pp_publication publication;
	int ret = pp_spec_parse(text, strlen(text), PP_SPEC_ALL, &publication, err);

	return ret < 0 ? ret : pp_publications_append(out, &publication, err);
}

/* Put the file's name in front of where the error is in it. */
static void name_file(struct pp_error *err, const char *path)
{
	char where[sizeof(err->where)], shown[64];

	if (strcmp(path, "-") == 0)
		return;
	pp_show(shown, sizeof(shown), path, strlen(path));
	snprintf(where, sizeof(where), "%s%s%.*s", shown, err->where[0] ? ": " : "",
		 (int)(sizeof(where) - strlen(shown) - sizeof(": ")), err->where);
	memcpy(err->where, where, sizeof(where));
}

static int read_document(const struct request_arguments *arguments, struct pp_publications *out,
			 struct pp_error *err)
{
	char *text;
	size_t len;
	int ret = cli_read_file(arguments->from, PP_JSON_MAX, &text, &len, err);

	if (ret < 0)
		return ret;
	ret = pp_json_read(text, len, arguments->dialect, arguments->service, out, err);
	if (ret < 0)
		name_file(err, arguments->from);
	free(text);
	return ret;
}

static int read_network(const char *text, struct pp_networks *out, struct pp_error *err)
{
	struct pp_network network;
	int ret = pp_network_parse(text, strlen(text), &network, err);

	return ret < 0 ? ret : pp_networks_append(out, &network, err);
}

int request_take(int key, struct request_arguments *arguments, struct pp_request *request,
		 struct pp_error *err)
{
	switch (key) {
	case 'p':
		return read_spec(optarg, &request->publications, err);
	case REQUEST_OPTION_FROM:
		arguments->from = optarg;
		return 0;
	case REQUEST_OPTION_DIALECT:
		if (!pp_dialect_parse(optarg, &arguments->dialect))
			return pp_fail(err, EINVAL,
				       "--dialect is disco, compose, netavark, cni, docker, oci or auto");
		return 0;
	case REQUEST_OPTION_SERVICE:
		arguments->service = optarg;
		return 0;
	case REQUEST_OPTION_TO:
		return pp_target_parse(optarg, strlen(optarg), &request->target, err);
	case REQUEST_OPTION_VIA:
		arguments->is_via_said = true;
		if (!pp_via_parse(optarg, &request->via))
			return pp_fail(err, EINVAL, "--via is auto, kernel or userspace");
		return 0;
	case REQUEST_OPTION_ALLOW:
		return read_network(optarg, &request->allow, err);
	default:
		return pp_fail(err, ENOSYS, "an option of the table is not handled: %d", key);
	}
}

/* Who wants rules alone has said by which path. */
static int use_config(const struct request_arguments *arguments, struct pp_request *request,
		      struct pp_error *err)
{
	struct pp_config config;
	int ret = pp_config_load(&config, err);

	if (ret < 0)
		return ret;
	pp_config_address(&config, &request->publications);
	if (!arguments->is_via_said && !(request->no_keeper && config.via == PP_VIA_USERSPACE))
		request->via = config.via;
	return 0;
}

int request_complete(const char *command, const struct request_arguments *arguments, char **specs,
		     struct pp_request *request, struct pp_error *err)
{
	int ret = 0;

	if (!*specs && !request->publications.count && !arguments->from)
		return pp_fail(err, EINVAL, "%s what? portpub %s 8080:80, or --from FILE", command, command);
	if (!arguments->from && (arguments->service || arguments->dialect != PP_DIALECT_AUTO))
		return pp_fail(err, EINVAL, "--service and --dialect belong to --from");
	for (; ret == 0 && *specs; specs++)
		ret = read_spec(*specs, &request->publications, err);
	if (ret == 0 && arguments->from)
		ret = read_document(arguments, &request->publications, err);
	if (ret == 0)
		ret = use_config(arguments, request, err);
	if (ret == 0)
		ret = pp_conflicts_find(&request->publications, NULL, err);
	pp_networks_merge(&request->allow);
	return ret;
}

int request_plan(const struct pp_request *request, struct pp_error *err)
{
	struct pp_plan ignored;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < request->publications.count; i++)
		ret = pp_plan_make(&request->publications.items[i], request, &ignored, err);
	return ret;
}
