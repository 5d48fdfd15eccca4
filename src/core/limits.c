/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/limits.h"

#include <assert.h>
#include <string.h>

const struct pp_limits pp_limits_default = {
	.connections = 0,
	.flows = 4096,
	.connect = INT64_C(10) * 1000,
	.idle = 0,
	.half_open = INT64_C(600) * 1000,
	.flow = INT64_C(90) * 1000,
};

bool pp_limits_are_default(const struct pp_limits *limits)
{
	const struct pp_limits *normal = &pp_limits_default;

	return limits->connections == normal->connections && limits->flows == normal->flows &&
	       limits->connect == normal->connect && limits->idle == normal->idle &&
	       limits->half_open == normal->half_open && limits->flow == normal->flow &&
	       limits->proxy_header == normal->proxy_header;
}

static const char *const headers[] = {
	[PP_PROXY_NONE] = "",
	[PP_PROXY_V1] = "v1",
	[PP_PROXY_V2] = "v2",
};
static_assert(sizeof(headers) / sizeof(headers[0]) == PP_PROXY_COUNT, "a name for each");

const char *pp_proxy_header_name(enum pp_proxy_header version)
{
	return headers[version];
}

bool pp_proxy_header_parse(const char *text, enum pp_proxy_header *out)
{
	for (int i = PP_PROXY_NONE + 1; i < PP_PROXY_COUNT; i++) {
		if (strcmp(text, headers[i]) == 0) {
			*out = (enum pp_proxy_header)i;
			return true;
		}
	}
	return false;
}
