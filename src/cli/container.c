/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "container.h"

#include "targets.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

static int take_pid(const char *text, pid_t *pid, struct pp_error *err)
{
	struct pp_piece piece = { text, strlen(text), 0, strlen(text) };
	long number = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9' || number > 100000000)
			return pp_fail_at(err, piece, "a pid is a number");
		number = number * 10 + (*c - '0');
	}
	if (number == 0)
		return pp_fail_at(err, piece, "a pid is a number, and not 0");
	*pid = (pid_t)number;
	return 0;
}

int container_take(int key, struct container_arguments *arguments,
		   struct request_arguments *request_arguments, struct pp_request *request,
		   struct pp_error *err)
{
	switch (key) {
	case CONTAINER_OPTION_PID:
		return take_pid(optarg, &arguments->pid, err);
	case CONTAINER_OPTION_NETNS:
		arguments->netns = optarg;
		return 0;
	default:
		return request_take(key, request_arguments, request, err);
	}
}

bool container_is_named(const struct container_arguments *arguments)
{
	return arguments->pid || arguments->netns;
}

int container_named(const struct container_arguments *arguments, struct pp_container *out,
		    struct pp_error *err)
{
	return arguments->pid ? pp_container_of_pid(arguments->pid, out, err)
			      : pp_container_of_netns(arguments->netns, out, err);
}

int container_search(const struct pp_publications *publications, struct pp_container *out,
		     struct pp_error *err)
{
	struct pp_containers list = PP_CONTAINERS_INIT;
	int ret = pp_container_find(publications, &list, err);

	if ((ret == -ENOENT || ret == -ENOTUNIQ) && list.count)
		targets_print(&list, stderr);
	if (ret == 0) {
		fprintf(stderr, "portpub: to %s (pid %d)\n", list.items[0].name, (int)list.items[0].pid);
		*out = list.items[0];
		list.items[0] = PP_CONTAINER_INIT;
	}
	pp_containers_fini(&list);
	return ret;
}
