/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The answer for programs; its shape is promised in portpub(8). */
#include "explain.h"

#include "answer.h"
#include "portpub/json.h"
#include "portpub/port.h"
#include "services.h"

#include <errno.h>
#include <stdlib.h>

/* Publications with the same ways share an object: those of one address class mostly do. */
struct path {
	struct pp_way way;
	json_t *publications; /* borrowed from the object */
};

struct paths {
	struct path *items;
	size_t count;
};

enum { PATHS_MAX = 64 }; /* two families, five classes, three paths: never reached */

static json_t *path_object(const struct pp_way *way, json_t *publications)
{
	return json_pack("{s:s, s:s, s:s, s:s, s:o}", "family", pp_family_name(way->family), "address_class",
			 pp_address_class_name(way->class), "path", pp_path_name(way->path), "reason",
			 way->reason, "publications", publications);
}

static json_t *publications_of(const struct pp_way *way, struct paths *paths, json_t *list)
{
	json_t *publications;

	for (size_t i = 0; i < paths->count; i++) {
		const struct pp_way *seen = &paths->items[i].way;

		if (seen->family == way->family && seen->class == way->class && seen->path == way->path &&
		    seen->reason == way->reason)
			return paths->items[i].publications;
	}
	publications = json_array();
	if (paths->count == PATHS_MAX || json_array_append_new(list, path_object(way, publications)) < 0)
		return NULL;
	paths->items[paths->count++] = (struct path){ *way, publications };
	return publications;
}

/* 0, or -1 when memory runs out, as jansson does. */
static int add_paths(const struct explanation *explanation, json_t *list)
{
	struct path items[PATHS_MAX];
	struct paths paths = { items, 0 };

	for (size_t i = 0; i < explanation->request.publications.count; i++) {
		struct pp_error ignored;
		struct pp_plan plan;

		if (pp_plan_make(&explanation->request.publications.items[i], &explanation->request, &plan,
				 &ignored) < 0)
			return -1;
		for (size_t w = 0; w < plan.count; w++) {
			if (json_array_append_new(publications_of(&plan.ways[w], &paths, list),
						  json_integer((json_int_t)i)) < 0)
				return -1;
		}
	}
	return 0;
}

static json_t *detail(const struct pp_publication *publication)
{
	char text[PP_PUBLICATION_TEXT], reach[EXPLAIN_REACH_TEXT];
	uint16_t first = publication->host_port, last = pp_publication_last(publication);
	const char *service = first == last ? cli_service_name(first, publication->protocol) : NULL;
	const char *low = first ? pp_port_class_name(pp_port_class(first)) : NULL;
	const char *high = first ? pp_port_class_name(pp_port_class(last)) : NULL;

	return json_pack("{s:s, s:s, s:s?, s:s?, s:s?}", "spec", pp_publication_format(publication, text),
			 "open_to", explain_reach(publication, reach), "port_class", low, "port_class_last",
			 high, "service", service);
}

static int add_warnings(const struct explanation *explanation, const struct pp_publication *publication,
			json_t *list)
{
	char warnings[EXPLAIN_WARNINGS_MAX][EXPLAIN_WARNING_TEXT], text[PP_PUBLICATION_TEXT];
	size_t count = explain_warnings(publication, &explanation->request, warnings);

	pp_publication_format(publication, text);
	for (size_t i = 0; i < count; i++) {
		if (json_array_append_new(list, json_sprintf("%s: %s", text, warnings[i])) < 0)
			return -1;
	}
	return 0;
}

static int add_publications(const struct explanation *explanation, json_t *publications, json_t *details,
			    json_t *warnings)
{
	for (size_t i = 0; i < explanation->request.publications.count; i++) {
		const struct pp_publication *p = &explanation->request.publications.items[i];

		if (json_array_append_new(publications, pp_publication_to_json(p)) < 0 ||
		    json_array_append_new(details, detail(p)) < 0 ||
		    add_warnings(explanation, p, warnings) < 0)
			return -1;
	}
	return 0;
}

static json_t *target_object(const struct pp_target *target)
{
	char ipv4[PP_ADDRESS_TEXT], ipv6[PP_ADDRESS_TEXT];

	if (!pp_target_is_known(target))
		return json_null();
	pp_address_format(&target->ipv4, ipv4);
	pp_address_format(&target->ipv6, ipv6);
	return json_pack("{s:s?, s:s?}", "ipv4", ipv4[0] ? ipv4 : NULL, "ipv6", ipv6[0] ? ipv6 : NULL);
}

static json_t *allow_list(const struct pp_networks *allow)
{
	json_t *list = json_array();
	char network[PP_NETWORK_TEXT];

	for (size_t i = 0; list && i < allow->count; i++) {
		if (json_array_append_new(list, json_string(pp_network_format(&allow->items[i], network))) <
		    0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

int explain_json(const struct explanation *explanation, struct pp_error *err)
{
	json_t *publications = json_array(), *paths = json_array(), *details = json_array(),
	       *warnings = json_array(), *root;
	int failed = add_publications(explanation, publications, details, warnings) < 0 ||
		     add_paths(explanation, paths) < 0;

	/* json_pack takes all references, whether it succeeds or not. */
	root = json_pack("{s:o, s:o, s:o, s:o, s:o, s:o}", "publications", publications, "paths", paths,
			 "target", target_object(&explanation->request.target), "allow",
			 allow_list(&explanation->request.allow), "details", details, "warnings", warnings);
	if (!root || failed) {
		json_decref(root);
		return pp_fail(err, ENOMEM, "out of memory");
	}
	return answer_print(root, err);
}
