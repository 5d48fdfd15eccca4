/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "published.h"

#include "portpub/json.h"

#include <string.h>

enum {
	HOST_TEXT = PP_ADDRESS_TEXT + sizeof("[]:65535-65535/sctp"),
	PATH_TEXT = 32,
	COUNT_TEXT = 24,
	COLUMNS = 5
};

static void format_ports(uint16_t first, uint16_t count, char *out, size_t size)
{
	if (count == 1)
		snprintf(out, size, "%u", first);
	else
		snprintf(out, size, "%u-%u", first, first + count - 1U);
}

/* "8080/tcp", "127.0.0.1:8080/tcp", "[::1]:8000-8010/udp" */
static void format_host(const struct pp_publication *publication, char out[static HOST_TEXT])
{
	char address[PP_ADDRESS_TEXT], ports[16];
	bool ipv6 = publication->address.family == AF_INET6;

	pp_address_format(&publication->address, address);
	format_ports(publication->host_port, publication->count, ports, sizeof(ports));
	snprintf(out, HOST_TEXT, "%s%s%s%s%s/%s", ipv6 ? "[" : "", address, ipv6 ? "]" : "",
		 address[0] ? ":" : "", ports, pp_protocol_name(publication->protocol));
}

static void format_target(const struct pp_record *record, const struct pp_publication *publication,
			  char out[static HOST_TEXT])
{
	const struct pp_target *target = &record->request.target;
	const struct pp_address *to = target->ipv4.family != AF_UNSPEC &&
						      publication->address.family != AF_INET6
					      ? &target->ipv4
					      : &target->ipv6;
	char address[PP_ADDRESS_TEXT], ports[16];

	if (to->family == AF_UNSPEC)
		to = &target->ipv4;
	pp_address_format(to, address);
	format_ports(publication->container_port, publication->count, ports, sizeof(ports));
	snprintf(out, HOST_TEXT, to->family == AF_INET6 ? "[%s]:%s" : "%s:%s", address, ports);
}

/* "kernel", "userspace", "both" or "none": how what is carried goes. What is not is told by the paths in JSON. */
static const char *path_of(const struct pp_record *record, const struct pp_publication *publication)
{
	bool used[PP_PATH_COUNT] = { false };
	struct pp_error ignored;
	struct pp_plan plan;

	if (pp_plan_make(publication, &record->request, &plan, &ignored) < 0)
		return "none";
	for (size_t i = 0; i < plan.count; i++)
		used[plan.ways[i].path] = true;
	if (used[PP_PATH_KERNEL])
		return used[PP_PATH_USERSPACE] ? "both" : "kernel";
	return used[PP_PATH_USERSPACE] ? "userspace" : "none";
}

struct row {
	const char *id, *path;
	char host[HOST_TEXT], target[HOST_TEXT], connections[COUNT_TEXT];
};

/*
 * By both paths. A keeper counts for all of its publications together: where there are several, their rows have what the
 * kernel has counted, and JSON tells the rest.
 */
static void format_connections(const struct published *item, size_t p, char out[static COUNT_TEXT])
{
	bool is_only = item->record->request.publications.count == 1;
	unsigned long long count = item->connections ? item->connections[p] : 0;

	if (item->keeper && is_only)
		count += item->keeper->counters.connections + item->keeper->counters.flows;
	if (item->connections || (item->keeper && is_only))
		snprintf(out, COUNT_TEXT, "%llu", count);
	else
		snprintf(out, COUNT_TEXT, "-");
}

static void make_row(const struct published *item, size_t p, struct row *row)
{
	const struct pp_publication *publication = &item->record->request.publications.items[p];

	row->id = item->record->id;
	row->path = path_of(item->record, publication);
	format_host(publication, row->host);
	format_target(item->record, publication, row->target);
	format_connections(item, p, row->connections);
}

static void widen(int *width, const char *text)
{
	if (*width < (int)strlen(text))
		*width = (int)strlen(text);
}

void published_print(const struct published *items, size_t count, FILE *out)
{
	static const struct row head = { "ID", "PATH", "HOST PORT", "CONTAINER", "CONNECTIONS" };
	int id = (int)strlen(head.id), host = (int)strlen(head.host), target = (int)strlen(head.target);
	struct row row;

	for (size_t i = 0; i < count; i++) {
		for (size_t p = 0; p < items[i].record->request.publications.count; p++) {
			make_row(&items[i], p, &row);
			widen(&id, row.id);
			widen(&host, row.host);
			widen(&target, row.target);
		}
	}
	fprintf(out, "%-*s  %-*s  %-*s  %-9s  %s\n", id, head.id, host, head.host, target, head.target,
		head.path, head.connections);
	for (size_t i = 0; i < count; i++) {
		for (size_t p = 0; p < items[i].record->request.publications.count; p++) {
			make_row(&items[i], p, &row);
			fprintf(out, "%-*s  %-*s  %-*s  %-9s  %s\n", id, row.id, host, row.host, target,
				row.target, row.path, row.connections);
		}
	}
}

static json_t *publications_json(const struct published *item)
{
	const struct pp_publications *list = &item->record->request.publications;
	json_t *array = json_array();

	for (size_t i = 0; array && i < list->count; i++) {
		json_t *object = pp_publication_to_json(&list->items[i]);

		if (object && item->connections &&
		    json_object_set_new(object, "connections",
					json_integer((json_int_t)item->connections[i])) < 0) {
			json_decref(object);
			object = NULL;
		}
		if (json_array_append_new(array, object) < 0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

/* All ways in, without saying the same twice. */
static json_t *paths_json(const struct pp_record *record)
{
	const struct pp_publications *list = &record->request.publications;
	bool seen[2][PP_CLASS_COUNT] = { { false } };
	json_t *array = json_array();

	for (size_t i = 0; array && i < list->count; i++) {
		struct pp_error ignored;
		struct pp_plan plan;

		if (pp_plan_make(&list->items[i], &record->request, &plan, &ignored) < 0)
			continue;
		for (size_t w = 0; array && w < plan.count; w++) {
			const struct pp_way *way = &plan.ways[w];
			bool *known = &seen[way->family == AF_INET6][way->class];

			if (*known)
				continue;
			*known = true;
			if (json_array_append_new(
				    array,
				    json_pack("{s:s, s:s, s:s, s:s}", "family", pp_family_name(way->family),
					      "address_class", pp_address_class_name(way->class), "path",
					      pp_path_name(way->path), "reason", way->reason)) < 0) {
				json_decref(array);
				array = NULL;
			}
		}
	}
	return array;
}

static json_t *targets_json(const struct pp_record *record)
{
	json_t *array = json_array();
	char text[PP_ADDRESS_TEXT];

	for (size_t f = 0; array && f < 2; f++) {
		const struct pp_address *to = pp_target_of(&record->request.target, pp_families[f]);

		if (to->family == AF_UNSPEC)
			continue;
		if (json_array_append_new(array,
					  json_pack("{s:s, s:s}", "address", pp_address_format(to, text),
						    "interface", record->interfaces[f])) < 0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static json_t *allow_json(const struct pp_networks *allow)
{
	json_t *array = json_array();
	char text[PP_NETWORK_TEXT];

	for (size_t i = 0; array && i < allow->count; i++) {
		if (json_array_append_new(array, json_string(pp_network_format(&allow->items[i], text))) <
		    0) {
			json_decref(array);
			array = NULL;
		}
	}
	return array;
}

static json_t *counters_json(const struct pp_counters *counters)
{
	json_t *object = json_object();

	for (size_t i = 0; object && i < pp_counter_count; i++) {
		const struct pp_counter *counter = &pp_counter_table[i];
		json_int_t first = (json_int_t)pp_counter_value(counters, counter, 0);
		json_t *value = counter->count == 1
					? json_integer(first)
					: json_pack("[I, I]", first,
						    (json_int_t)pp_counter_value(counters, counter, 1));

		if (json_object_set_new(object, counter->name, value) < 0) {
			json_decref(object);
			object = NULL;
		}
	}
	return object;
}

static json_t *sandbox_json(uint32_t parts)
{
	return json_pack("{s:b, s:b, s:b, s:b, s:b}", "no_new_privs", !!(parts & PP_KEPT_NO_NEW_PRIVS),
			 "capabilities", !!(parts & PP_KEPT_CAPABILITIES), "locked",
			 !!(parts & PP_KEPT_LOCKED), "landlock", !!(parts & PP_KEPT_LANDLOCK), "seccomp",
			 !!(parts & PP_KEPT_SECCOMP));
}

/* null: there are rules alone. A keeper that has ended has no pid. */
static json_t *keeper_json(const struct published *item)
{
	const struct pp_kept_page *page = item->keeper;

	if (!item->record->keeper)
		return json_null();
	if (!page)
		return json_pack("{s:n}", "pid");
	return json_pack("{s:I, s:i, s:I, s:s, s:o, s:o}", "pid", (json_int_t)page->pid, "anchor",
			 (int)page->anchor, "restores", (json_int_t)page->restores, "said", page->said,
			 "sandbox", sandbox_json(page->sandbox), "counters", counters_json(&page->counters));
}

static json_t *expires_json(int64_t expires)
{
	return expires ? json_integer(expires) : json_null();
}

json_t *published_json(const struct published *item)
{
	const struct pp_record *record = item->record;

	/* json_pack takes all references, whether it succeeds or not. */
	return json_pack("{s:s, s:o, s:o, s:o, s:o, s:o, s:s, s:I, s:I, s:o}", "id", record->id,
			 "publications", publications_json(item), "targets", targets_json(record), "paths",
			 paths_json(record), "keeper", keeper_json(item), "allow",
			 allow_json(&record->request.allow), "container", pp_record_container(record), "pid",
			 (json_int_t)record->pid, "created", (json_int_t)record->created, "expires",
			 expires_json(record->expires));
}
