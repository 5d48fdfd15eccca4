/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What to publish, as it stands on the command line: the options that `explain` and `add` have in common. */
#ifndef PORTPUB_CLI_REQUEST_H
#define PORTPUB_CLI_REQUEST_H

#include "cli.h"
#include "portpub/json.h"
#include "portpub/plan.h"

/* A command's own options count on from REQUEST_OPTION_END. */
enum {
	REQUEST_OPTION_FROM = 256,
	REQUEST_OPTION_DIALECT,
	REQUEST_OPTION_SERVICE,
	REQUEST_OPTION_TO,
	REQUEST_OPTION_VIA,
	REQUEST_OPTION_ALLOW,
	REQUEST_OPTION_END,
};

/* Rows for a command's table of options. */
#define REQUEST_OPTIONS                                                                                      \
	{ 'p', "publish", "SPEC", "the same as a SPEC by itself", true },                                    \
		{ REQUEST_OPTION_FROM, "from", "FILE|-", "read publications from JSON, too", false },        \
		{ REQUEST_OPTION_DIALECT, "dialect", "disco|compose|netavark|cni|docker|oci",                \
		  "what FILE is written for; told by the keys if left out", false },                         \
		{ REQUEST_OPTION_SERVICE, "service", "NAME", "of a file with several services", false },     \
		{ REQUEST_OPTION_TO, "to", "ADDR[,ADDR6]", "the container's address, or one of each family", \
		  false },                                                                                   \
		{ REQUEST_OPTION_VIA, "via", "auto|kernel|userspace", "by which path; auto if left out",     \
		  false },                                                                                   \
	{                                                                                                    \
		REQUEST_OPTION_ALLOW, "allow", "CIDR", "only this network may connect; may be repeated",     \
			true                                                                                 \
	}

struct request_arguments {
	const char *from, *service;
	enum pp_dialect dialect;
	bool is_via_said;
};

/* Take one of the options above; -EINVAL with words, -ENOSYS where it is none of them. */
int request_take(int key, struct request_arguments *arguments, struct pp_request *request,
		 struct pp_error *err);

/*
 * Read @specs (NULL at the end) and the document, fill in what the configuration says of them, merge the networks, and
 * see that the list can be had as a whole. @command stands in the error where there is nothing to publish.
 */
int request_complete(const char *command, const struct request_arguments *arguments, char **specs,
		     struct pp_request *request, struct pp_error *err);

/* Every publication has a way that is carried. */
int request_plan(const struct pp_request *request, struct pp_error *err);

#endif
