/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `add` and `run` have in common: from the command line to a record that can be published, and what is said. */
#ifndef PORTPUB_CLI_PUBLISHING_H
#define PORTPUB_CLI_PUBLISHING_H

#include "limits.h"
#include "portpub/record.h"

/* A command's own options count on from PUBLISHING_OPTION_END. */
enum {
	PUBLISHING_OPTION_ID = LIMITS_OPTION_END,
	PUBLISHING_OPTION_REPLACE,
	PUBLISHING_OPTION_TTL,
	PUBLISHING_OPTION_JSON,
	PUBLISHING_OPTION_END,
};

/* Rows for a command's table of options. */
#define PUBLISHING_OPTIONS                                                                                   \
	REQUEST_OPTIONS, CONTAINER_OPTIONS,                                                                  \
		{ PUBLISHING_OPTION_ID, "id", "ID", "the name of the publication; made up if left out",      \
		  false },                                                                                   \
		{ PUBLISHING_OPTION_REPLACE, "replace", NULL, "put it in the place of what has the same id", \
		  false },                                                                                   \
		{ PUBLISHING_OPTION_TTL, "ttl", "TIME", "a lease: unpublish after so long", false },         \
		LIMITS_OPTIONS,                                                                              \
	{                                                                                                    \
		PUBLISHING_OPTION_JSON, "json", NULL, "answer in JSON", false                                \
	}

#define PUBLISHING_SYNOPSIS                                                                                  \
	"[[-p] SPEC...] [--from FILE|- [--dialect NAME] [--service NAME]]\n"                                 \
	"               [--to ADDR[,ADDR6]] [--pid PID | --netns PATH] [--via PATH] [--allow CIDR]...\n"     \
	"               [--id ID [--replace]] [--ttl TIME] [--max-conns N] [--max-flows N]\n"                \
	"               [--connect-timeout TIME] [--idle-timeout TIME] [--half-open-timeout TIME]\n"         \
	"               [--udp-timeout TIME] [--proxy-protocol v1|v2] "

struct publishing {
	struct request_arguments arguments;
	struct container_arguments container;
	struct pp_record record;
	int64_t ttl; /* milliseconds, 0 for ever */
	bool replace, json;
};

void publishing_init(struct publishing *publishing);
void publishing_fini(struct publishing *publishing);

/* Take one of the options above; @data is the publishing. */
int publishing_take(int key, void *data, struct pp_error *err);

/* With what is left of the command line: find the container, and see that all of it can be carried. */
int publishing_complete(const char *command, char **specs, struct publishing *publishing,
			struct pp_error *err);

/* What is to be said on standard error, and, with --json, the answer. */
int publishing_answer(const struct publishing *publishing, struct pp_error *err);

#endif
