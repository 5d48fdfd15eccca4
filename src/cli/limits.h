/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much is forwarded at once, and for how long it is waited: options of who publishes with a keeper. */
#ifndef PORTPUB_CLI_LIMITS_H
#define PORTPUB_CLI_LIMITS_H

#include "container.h"
#include "portpub/limits.h"

/* A command's own options count on from LIMITS_OPTION_END. */
enum {
	LIMITS_OPTION_MAX_CONNS = CONTAINER_OPTION_END,
	LIMITS_OPTION_MAX_FLOWS,
	LIMITS_OPTION_CONNECT,
	LIMITS_OPTION_IDLE,
	LIMITS_OPTION_HALF_OPEN,
	LIMITS_OPTION_UDP,
	LIMITS_OPTION_PROXY,
	LIMITS_OPTION_END,
};

/* Rows for a command's table of options. */
#define LIMITS_OPTIONS                                                                                       \
	{ LIMITS_OPTION_MAX_CONNS, "max-conns", "N", "connections at once; further ones wait", false },      \
		{ LIMITS_OPTION_MAX_FLOWS, "max-flows", "N",                                                 \
		  "UDP clients at once; the most silent makes room (4096)", false },                         \
		{ LIMITS_OPTION_CONNECT, "connect-timeout", "TIME", "for the container to accept (10s)",     \
		  false },                                                                                   \
		{ LIMITS_OPTION_IDLE, "idle-timeout", "TIME",                                                \
		  "end a silent connection; 0, the default, never does", false },                            \
		{ LIMITS_OPTION_HALF_OPEN, "half-open-timeout", "TIME",                                      \
		  "the same, after one side has said its last word (10m)", false },                          \
		{ LIMITS_OPTION_UDP, "udp-timeout", "TIME", "forget a UDP client (90s)", false },            \
	{                                                                                                    \
		LIMITS_OPTION_PROXY, "proxy-protocol", "v1|v2", "tell the container who its client is",      \
			false                                                                                \
	}

/* Take one of the options above; -ENOSYS where it is none of them. */
int limits_take(int key, struct pp_limits *limits, struct pp_error *err);

#endif
