/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "warnings.h"

#include "explain.h"

/* Which things have been said. */
struct said {
	bool reach[PP_REACH_ADDRESS + 1];
	bool way[2][PP_CLASS_COUNT];
};

static void warn(const struct pp_publication *publication, const struct pp_request *request,
		 struct said *said, FILE *out)
{
	char warnings[EXPLAIN_WARNINGS_MAX][EXPLAIN_WARNING_TEXT], text[PP_PUBLICATION_TEXT];
	bool *known = &said->reach[pp_plan_reach(publication)];
	size_t count = *known ? 0 : explain_warnings(publication, request, warnings);

	*known |= count > 0;
	for (size_t i = 0; i < count; i++)
		fprintf(out, "portpub: %s: %s\n", pp_publication_format(publication, text), warnings[i]);
}

static void tell_missing(const struct pp_publication *publication, const struct pp_request *request,
			 struct said *said, FILE *out)
{
	char text[PP_PUBLICATION_TEXT];
	struct pp_error ignored;
	struct pp_plan plan;

	if (pp_plan_make(publication, request, &plan, &ignored) < 0)
		return;
	for (size_t i = 0; i < plan.count; i++) {
		const struct pp_way *way = &plan.ways[i];
		bool *known = &said->way[way->family == AF_INET6][way->class];

		if (way->path != PP_PATH_NONE || *known)
			continue;
		*known = true;
		fprintf(out, "portpub: %s: %s %s is not carried: %s\n",
			pp_publication_format(publication, text), pp_family_name(way->family),
			pp_address_class_name(way->class), way->reason);
	}
}

void warnings_print(const struct pp_request *request, FILE *out)
{
	struct said said = { 0 };

	for (size_t i = 0; i < request->publications.count; i++) {
		warn(&request->publications.items[i], request, &said, out);
		tell_missing(&request->publications.items[i], request, &said, out);
	}
}
