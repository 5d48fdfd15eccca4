/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which container: the options that name one, and the search for the one that listens. */
#ifndef PORTPUB_CLI_CONTAINER_H
#define PORTPUB_CLI_CONTAINER_H

#include "portpub/container.h"
#include "request.h"

/* A command's own options count on from CONTAINER_OPTION_END. */
enum { CONTAINER_OPTION_PID = REQUEST_OPTION_END, CONTAINER_OPTION_NETNS, CONTAINER_OPTION_END };

/* Rows for a command's table of options. */
#define CONTAINER_OPTIONS                                                                                    \
	{ CONTAINER_OPTION_PID, "pid", "PID", "the container is the one of this process", false },           \
	{                                                                                                    \
		CONTAINER_OPTION_NETNS, "netns", "PATH", "the container is this network namespace", false    \
	}

struct container_arguments {
	const char *netns;
	pid_t pid;
};

bool container_is_named(const struct container_arguments *arguments);

/* Take one of the options above, or one of request.h's. */
int container_take(int key, struct container_arguments *arguments,
		   struct request_arguments *request_arguments, struct pp_request *request,
		   struct pp_error *err);

/* The container that is named, into @out, which is empty. */
int container_named(const struct container_arguments *arguments, struct pp_container *out,
		    struct pp_error *err);

/*
 * The container that listens for @publications, into @out, which is empty: it is told on standard error, and so is
 * what there is to choose from when there is not exactly one.
 */
int container_search(const struct pp_publications *publications, struct pp_container *out,
		     struct pp_error *err);

#endif
