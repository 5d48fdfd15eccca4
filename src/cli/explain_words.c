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

bool explain_warning(const struct pp_publication *publication, char out[static EXPLAIN_WARNING_TEXT])
{
	char local[PP_PUBLICATION_TEXT], address[PP_ADDRESS_TEXT];

	if (pp_plan_reach(publication) == PP_REACH_ALL) {
		format_local(publication, local);
		snprintf(out, EXPLAIN_WARNING_TEXT, "reachable from every network; %s limits it to this host",
			 local);
		return true;
	}
	if (pp_plan_reach(publication) == PP_REACH_LINK) {
		snprintf(out, EXPLAIN_WARNING_TEXT,
			 "%s is on every link at once: no socket can be bound to it alone",
			 pp_address_format(&publication->address, address));
		return true;
	}
	if (pp_address_is_multicast(&publication->address)) {
		snprintf(out, EXPLAIN_WARNING_TEXT, "%s is a multicast or broadcast address: no host owns it",
			 pp_address_format(&publication->address, address));
		return true;
	}
	return false;
}
