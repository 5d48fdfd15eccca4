/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "explain.h"

#include <string.h>

const char *explain_reach(const struct pp_publication *publication, char out[static EXPLAIN_REACH_TEXT])
{
	char address[PP_ADDRESS_TEXT];

	switch (pp_plan_reach(publication)) {
	case PP_REACH_ALL:
		snprintf(out, EXPLAIN_REACH_TEXT, "every network");
		break;
	case PP_REACH_HOST:
		snprintf(out, EXPLAIN_REACH_TEXT, "this host only");
		break;
	case PP_REACH_LINK:
		snprintf(out, EXPLAIN_REACH_TEXT, "the machines on one link");
		break;
	case PP_REACH_ADDRESS:
		snprintf(out, EXPLAIN_REACH_TEXT, "every network from which %s is reachable",
			 pp_address_format(&publication->address, address));
	}
	return out;
}

/* The spec that opens the same ports to this host alone, in the shortest form. */
static void format_local(const struct pp_publication *publication, char out[static PP_PUBLICATION_TEXT])
{
	struct pp_publication local = *publication;
	bool ipv6 = publication->address.family == AF_INET6;
	char *suffix;

	pp_address_parse(ipv6 ? "::1" : "127.0.0.1", ipv6 ? 3 : 9, &local.address);
	pp_publication_format(&local, out);
	suffix = strstr(out, "/tcp");
	if (suffix)
		*suffix = '\0';
}

static bool uses_userspace(const struct pp_publication *publication, const struct pp_request *request)
{
	struct pp_error ignored;
	struct pp_plan plan;

	if (pp_plan_make(publication, request, &plan, &ignored) < 0)
		return false;
	for (size_t i = 0; i < plan.count; i++) {
		if (plan.ways[i].path == PP_PATH_USERSPACE)
			return true;
	}
	return false;
}

size_t explain_warnings(const struct pp_publication *publication, const struct pp_request *request,
			char out[static EXPLAIN_WARNINGS_MAX][EXPLAIN_WARNING_TEXT])
{
	char local[PP_PUBLICATION_TEXT], address[PP_ADDRESS_TEXT];
	enum pp_reach reach = pp_plan_reach(publication);
	size_t count = 0;

	pp_address_format(&publication->address, address);
	if (reach == PP_REACH_ALL && !request->allow.count) {
		format_local(publication, local);
		snprintf(out[count++], EXPLAIN_WARNING_TEXT,
			 "reachable from every network; %s limits it to this host", local);
	}
	if (reach == PP_REACH_LINK)
		snprintf(out[count++], EXPLAIN_WARNING_TEXT,
			 "%s is on every link at once: no socket can be bound to it alone", address);
	if (pp_address_is_multicast(&publication->address))
		snprintf(out[count++], EXPLAIN_WARNING_TEXT,
			 "%s is a multicast or broadcast address: no host owns it", address);
	if (publication->protocol == PP_SCTP && uses_userspace(publication, request))
		snprintf(out[count++], EXPLAIN_WARNING_TEXT,
			 "sctp in userspace needs a kernel that has SCTP; message boundaries are not kept");
	return count;
}
