/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "limits.h"

#include "portpub/duration.h"

#include <errno.h>
#include <getopt.h>
#include <string.h>

static int take_count(const char *text, uint32_t *out, struct pp_error *err)
{
	struct pp_piece piece = { text, strlen(text), 0, strlen(text) };
	uint64_t number = 0;

	for (const char *c = text; *c; c++) {
		if (*c < '0' || *c > '9')
			return pp_fail_at(err, piece, "a number is wanted here");
		number = number * 10 + (uint64_t)(*c - '0');
		if (number > 1000000000)
			return pp_fail_at(err, piece, "more than there can be");
	}
	if (number == 0)
		return pp_fail_at(err, piece, "a number is wanted here, and not 0");
	*out = (uint32_t)number;
	return 0;
}

static int take_time(const char *text, int64_t *out, struct pp_error *err)
{
	return pp_duration_parse(text, strlen(text), out, err);
}

int limits_take(int key, struct pp_limits *limits, struct pp_error *err)
{
	switch (key) {
	case LIMITS_OPTION_MAX_CONNS:
		return take_count(optarg, &limits->connections, err);
	case LIMITS_OPTION_MAX_FLOWS:
		return take_count(optarg, &limits->flows, err);
	case LIMITS_OPTION_CONNECT:
		return take_time(optarg, &limits->connect, err);
	case LIMITS_OPTION_IDLE:
		return take_time(optarg, &limits->idle, err);
	case LIMITS_OPTION_HALF_OPEN:
		return take_time(optarg, &limits->half_open, err);
	case LIMITS_OPTION_UDP:
		return take_time(optarg, &limits->flow, err);
	case LIMITS_OPTION_PROXY:
		if (!pp_proxy_header_parse(optarg, &limits->proxy_header))
			return pp_fail(err, EINVAL, "--proxy-protocol is v1 or v2");
		return 0;
	default:
		return -ENOSYS;
	}
}
