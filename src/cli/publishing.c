/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "publishing.h"

#include "answer.h"
#include "portpub/duration.h"
#include "portpub/kept.h"
#include "portpub/nft.h"
#include "portpub/process.h"
#include "published.h"
#include "warnings.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

void publishing_init(struct publishing *publishing)
{
	*publishing = (struct publishing){ .record.limits = pp_limits_default };
}

void publishing_fini(struct publishing *publishing)
{
	pp_record_fini(&publishing->record);
}

int publishing_take(int key, void *data, struct pp_error *err)
{
	struct publishing *publishing = data;
	struct pp_record *record = &publishing->record;
	int ret;

	switch (key) {
	case PUBLISHING_OPTION_ID:
		ret = pp_id_check(optarg, err);
		if (ret == 0)
			snprintf(record->id, sizeof(record->id), "%s", optarg);
		return ret;
	case PUBLISHING_OPTION_REPLACE:
		publishing->replace = true;
		return 0;
	case PUBLISHING_OPTION_TTL:
		return pp_duration_parse(optarg, strlen(optarg), &publishing->ttl, err);
	case PUBLISHING_OPTION_JSON:
		publishing->json = true;
		return 0;
	default:
		ret = limits_take(key, &record->limits, err);
		return ret == -ENOSYS ? container_take(key, &publishing->container, &publishing->arguments,
						       &record->request, err)
				      : ret;
	}
}

static int check_options(const struct publishing *publishing, struct pp_error *err)
{
	const struct pp_request *request = &publishing->record.request;
	const struct container_arguments *named = &publishing->container;

	if (named->pid && named->netns)
		return pp_fail(err, EINVAL, "--pid and --netns each name the container: choose one");
	if (publishing->replace && !publishing->record.id[0])
		return pp_fail(err, EINVAL, "--replace needs the --id of what it replaces");
	if ((publishing->record.limits.connections || publishing->record.limits.proxy_header) &&
	    request->via != PP_VIA_USERSPACE)
		return pp_fail(
			err, EINVAL,
			"--max-conns and --proxy-protocol are for what goes through a process, all of it:"
			" say --via userspace");
	if (!request->no_keeper)
		return 0;
	if (request->via == PP_VIA_USERSPACE)
		return pp_fail(err, EINVAL, "--no-keeper leaves nobody to forward in userspace");
	if (!pp_limits_are_default(&publishing->record.limits))
		return pp_fail(err, EINVAL, "--no-keeper leaves nobody to whom limits would matter");
	if (container_is_named(named) && pp_target_is_known(&request->target))
		return pp_fail(err, EINVAL, "--to, --pid and --netns each name the container: choose one");
	return 0;
}

/*
 * May we make rules? Who insists on them is told, and not first that no container was found; otherwise the plan does
 * without.
 */
static int check_rights(struct pp_request *request, struct pp_error *err)
{
	struct pp_nft nft = PP_NFT_INIT;
	int ret;

	if (request->via == PP_VIA_USERSPACE)
		return 0;
	ret = pp_nft_open(&nft, err);
	pp_nft_close(&nft);
	if ((ret != -EPERM && ret != -EOPNOTSUPP) || request->no_keeper || request->via == PP_VIA_KERNEL)
		return ret;
	request->host.no_admin = ret == -EPERM;
	request->host.no_nftables = ret == -EOPNOTSUPP;
	return 0;
}

static int fail_closed(const struct pp_container *container, struct pp_error *err)
{
	return pp_fail(err, container->closed, "%s cannot be looked into: %s; say --to ADDRESS",
		       container->name, strerror(container->closed));
}

/*
 * From this host, where there is a way, or else from inside. Who names a container and asks for userspace gets it from
 * inside: then it does not matter what the host's rules do to it.
 */
static int use_container(struct publishing *publishing, const struct pp_container *container, bool named,
			 struct pp_error *err)
{
	struct pp_request *request = &publishing->record.request;
	const struct pp_publications *listening = named ? NULL : &request->publications;
	bool insists = request->no_keeper || request->via == PP_VIA_KERNEL;

	if (container->closed && insists)
		return fail_closed(container, err);
	request->inside = (named &&
			   (pp_target_is_known(&request->target) || request->via == PP_VIA_USERSPACE)) ||
			  container->closed || !pp_container_target(container, listening, &request->target);
	if (request->inside && insists)
		return pp_fail(err, ENETUNREACH,
			       "%s has no address that this host has a way to: rules alone cannot reach it",
			       container->name);
	return 0;
}

/* Who it is, for its end to be noticed. */
static void remember(struct publishing *publishing, const struct pp_container *container)
{
	struct pp_record *record = &publishing->record;

	snprintf(record->container, sizeof(record->container), "%s", container->name);
	record->pid = container->pid;
	if (publishing->container.pid)
		record->pid = publishing->container.pid;
	if (record->pid)
		record->pid_start = pp_process_start((pid_t)record->pid);
	if (record->pid)
		record->pid_namespace = pp_kept_namespace();
}

static int find_netns(struct publishing *publishing, struct pp_error *err)
{
	struct container_arguments *named = &publishing->container;

	if (!named->netns)
		return 0;
	publishing->record.netns = pp_container_netns_path(named->netns);
	named->netns = publishing->record.netns;
	return named->netns ? 0 : pp_fail(err, ENOMEM, "out of memory");
}

/* The one that is named, or else the one that listens. */
static int find_target(struct publishing *publishing, struct pp_error *err)
{
	const struct pp_publications *publications = &publishing->record.request.publications;
	bool named = container_is_named(&publishing->container);
	struct pp_container container = PP_CONTAINER_INIT;
	int ret;

	if (!named && (pp_target_is_known(&publishing->record.request.target) || !publications->count))
		return 0;
	ret = find_netns(publishing, err);
	if (ret == 0)
		ret = named ? container_named(&publishing->container, &container, err)
			    : container_search(publications, &container, err);
	if (ret == 0)
		ret = use_container(publishing, &container, named, err);
	if (ret == 0)
		remember(publishing, &container);
	pp_container_fini(&container);
	return ret;
}

int publishing_complete(const char *command, char **specs, struct publishing *publishing,
			struct pp_error *err)
{
	struct pp_request *request = &publishing->record.request;
	int ret = request_complete(command, &publishing->arguments, specs, request, err);

	if (ret == 0)
		ret = check_options(publishing, err);
	if (ret == 0)
		ret = check_rights(request, err);
	if (ret == 0)
		ret = find_target(publishing, err);
	if (ret == 0)
		ret = request_plan(request, err);
	if (ret == 0 && publishing->ttl)
		publishing->record.expires = time(NULL) + (publishing->ttl + 999) / 1000;
	return ret;
}

static void warn_unintroduced(const struct pp_record *record)
{
	const struct pp_publications *list = &record->request.publications;
	char text[PP_PUBLICATION_TEXT];

	for (size_t i = 0; record->limits.proxy_header != PP_PROXY_NONE && i < list->count; i++) {
		if (list->items[i].protocol == PP_TCP)
			continue;
		fprintf(stderr,
			"portpub: %s: --proxy-protocol is for tcp alone: the container is not told who "
			"asks\n",
			pp_publication_format(&list->items[i], text));
		return;
	}
}

int publishing_answer(const struct publishing *publishing, struct pp_error *err)
{
	struct published item = { &publishing->record, NULL, NULL };
	const struct pp_host *host = &publishing->record.request.host;

	if (host->no_admin || host->no_nftables)
		fprintf(stderr, "portpub: all of it is forwarded in userspace: %s\n",
			host->no_admin ? "rules need CAP_NET_ADMIN" : "this kernel has no nf_tables");
	warnings_print(&publishing->record.request, stderr);
	warn_unintroduced(&publishing->record);
	return publishing->json ? answer_print(published_json(&item), err) : 0;
}
