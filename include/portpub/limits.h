/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How much the userspace path carries at once, and how long it waits. */
#ifndef PORTPUB_LIMITS_H
#define PORTPUB_LIMITS_H

#include <stdbool.h>
#include <stdint.h>

enum pp_proxy_header { PP_PROXY_NONE, PP_PROXY_V1, PP_PROXY_V2, PP_PROXY_COUNT };

/* How long to wait for what does not come, in milliseconds; 0 is for ever. */
struct pp_limits {
	uint32_t connections; /* at once; 0: as many as there are descriptors for */
	uint32_t flows;       /* UDP clients at once */
	int64_t connect;      /* until the container has accepted */
	int64_t idle;         /* nothing said on a connection, by neither side */
	int64_t half_open;    /* the same, after one side has said its last word */
	int64_t flow;         /* no datagram either way */
	enum pp_proxy_header proxy_header;
};

extern const struct pp_limits pp_limits_default;

bool pp_limits_are_default(const struct pp_limits *limits);

/* "v1", "v2"; "" for none. */
const char *pp_proxy_header_name(enum pp_proxy_header version);
bool pp_proxy_header_parse(const char *text, enum pp_proxy_header *out);

#endif
