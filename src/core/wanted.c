/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which entries records ask for. A record owns one for each host port that the kernel carries, and what
 * its allow list needs; several records of one container share what keeps the container's own traffic
 * right, and what keeps other networks from its address.
 */
#include "portpub/entry.h"
#include "portpub/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A key under construction: the same bytes for both ends, where they do not differ. */
struct cursor {
	struct pp_entry *entry;
	size_t at;
};

static void put(struct cursor *cursor, enum pp_field field, const void *first, const void *last)
{
	memcpy(cursor->entry->key + cursor->at, first, pp_field_size(field));
	if (pp_set_shape(cursor->entry->set)->interval)
		memcpy(cursor->entry->last + cursor->at, last, pp_field_size(field));
	cursor->at += pp_field_room(field);
}

static void put_protocol(struct cursor *cursor, enum pp_protocol protocol)
{
	static const uint8_t numbers[] = {
		[PP_TCP] = IPPROTO_TCP, [PP_UDP] = IPPROTO_UDP, [PP_SCTP] = IPPROTO_SCTP
	};

	put(cursor, PP_FIELD_PROTOCOL, &numbers[protocol], &numbers[protocol]);
}

static void put_ports(struct cursor *cursor, uint16_t first, uint16_t last)
{
	uint8_t from[2] = { (uint8_t)(first >> 8), (uint8_t)first },
		to[2] = { (uint8_t)(last >> 8), (uint8_t)last };

	put(cursor, PP_FIELD_PORT, from, to);
}

static enum pp_field address_field(sa_family_t family)
{
	return family == AF_INET ? PP_FIELD_IPV4 : PP_FIELD_IPV6;
}

static void put_address(struct cursor *cursor, const struct pp_address *address)
{
	put(cursor, address_field(address->family), address->bytes, address->bytes);
}

/* Every address of @family from @first on, below a network of @prefix bits. */
static void put_network(struct cursor *cursor, sa_family_t family, const struct pp_network *network)
{
	struct pp_address last = pp_network_last(network);

	put(cursor, address_field(family), network->address.bytes, last.bytes);
}

static void put_value(struct pp_entry *entry, const struct pp_address *target, uint16_t port)
{
	enum pp_field field = address_field(target->family);
	uint8_t *at = entry->value + pp_field_room(field);

	memcpy(entry->value, target->bytes, pp_field_size(field));
	at[0] = (uint8_t)(port >> 8);
	at[1] = (uint8_t)port;
}

struct pp_entry pp_entry_of_port(enum pp_protocol protocol, const struct pp_address *address, uint16_t port)
{
	bool any = pp_address_is_any(address);
	struct pp_entry entry = { .set = pp_set_of(any ? PP_SET_ANY4 : PP_SET_HOST4, address->family) };
	struct cursor cursor = { &entry, 0 };

	put_protocol(&cursor, protocol);
	if (!any)
		put_address(&cursor, address);
	put_ports(&cursor, port, port);
	return entry;
}

/*
 * Is what @publication opens in @family carried by the kernel? The way of its own class of address counts:
 * an any-address element covers 127/8, and the rules leave ::1 and fe80::/10 out.
 */
static bool in_kernel(const struct pp_publication *publication, const struct pp_request *request,
		      sa_family_t family)
{
	enum pp_address_class class = pp_address_class(&publication->address);
	struct pp_error ignored; /* a plan that cannot be made carries nothing */
	struct pp_plan plan;

	if (pp_publication_is_free(publication) || pp_plan_make(publication, request, &plan, &ignored) < 0)
		return false;
	for (size_t i = 0; i < plan.count; i++) {
		if (plan.ways[i].family == family && plan.ways[i].class == class)
			return plan.ways[i].path == PP_PATH_KERNEL;
	}
	return false;
}

struct build {
	const struct pp_record *record;
	const struct pp_publication *publication;
	sa_family_t family;
	struct pp_entries *out;
	struct pp_error *err;
};

static int add_ports(const struct build *build)
{
	const struct pp_publication *p = build->publication;
	struct pp_address address = p->address;
	int ret = 0;

	address.family = build->family; /* "every address" is of both */
	for (uint32_t i = 0; ret == 0 && i < p->count; i++) {
		struct pp_entry entry = pp_entry_of_port(p->protocol, &address, (uint16_t)(p->host_port + i));

		put_value(&entry, pp_target_of(&build->record->request.target, build->family),
			  (uint16_t)(p->container_port + i));
		memcpy(entry.owner, build->record->id, sizeof(entry.owner));
		ret = pp_entries_append(build->out, &entry, build->err);
	}
	return ret;
}

/*
 * [container .] protocol [. host address] . host port: one for each port, though it might be one for a range. Sets of
 * ranges take a time that grows with the square of their size.
 */
static int add_each(const struct build *build, enum pp_set set, enum pp_set any_set,
		    const struct pp_address *container)
{
	const struct pp_publication *p = build->publication;
	bool any = pp_address_is_any(&p->address);
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < p->count; i++) {
		struct pp_entry entry = { .set = pp_set_of(any ? any_set : set, build->family) };
		struct cursor cursor = { &entry, 0 };

		if (container)
			put_address(&cursor, container);
		put_protocol(&cursor, p->protocol);
		if (!any)
			put_address(&cursor, &p->address);
		put_ports(&cursor, (uint16_t)(p->host_port + i), (uint16_t)(p->host_port + i));
		memcpy(entry.owner, build->record->id, sizeof(entry.owner));
		ret = pp_entries_append(build->out, &entry, build->err);
	}
	return ret;
}

static int add_closed(const struct build *build)
{
	if (!build->record->request.allow.count)
		return 0;
	return add_each(build, PP_SET_CLOSED_HOST4, PP_SET_CLOSED_ANY4, NULL);
}

static int add_alone(const struct build *build)
{
	if (!build->record->request.alone[build->family == AF_INET6])
		return 0;
	return add_each(build, PP_SET_ALONE_HOST4, PP_SET_ALONE_ANY4,
			pp_target_of(&build->record->request.target, build->family));
}

/* Host ports for packets by one interface: of every address, or CNI would have refused them. */
static int add_bound(const struct build *build, const char *interface)
{
	const struct pp_publication *p = build->publication;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && i < p->count; i++) {
		struct pp_entry entry = { .set = pp_set_of(PP_SET_VIA4, build->family) };
		struct cursor cursor = { &entry, 0 };
		char name[IF_NAMESIZE] = "";

		snprintf(name, sizeof(name), "%s", interface);
		put(&cursor, PP_FIELD_INTERFACE, name, name);
		put_protocol(&cursor, p->protocol);
		put_ports(&cursor, (uint16_t)(p->host_port + i), (uint16_t)(p->host_port + i));
		memcpy(entry.owner, build->record->id, sizeof(entry.owner));
		ret = pp_entries_append(build->out, &entry, build->err);
	}
	return ret == 0 ? add_each(build, PP_SET_BOUND4, PP_SET_BOUND4, NULL) : ret;
}

/* Which source address the container sees. Several host ports may lead to one of its. */
static int add_masquerade(const struct build *build)
{
	static const enum pp_set sets[] = {
		[PP_MASQUERADE_NEVER] = PP_SET_PLAIN4, [PP_MASQUERADE_ALL] = PP_SET_MASKED4
	};
	const struct pp_publication *p = build->publication;
	enum pp_masquerade masquerade = build->record->request.masquerade;
	int ret = 0;

	for (uint32_t i = 0; ret == 0 && masquerade != PP_MASQUERADE_NEEDED && i < p->count; i++) {
		struct pp_entry entry = { .set = pp_set_of(sets[masquerade], build->family) };
		struct cursor cursor = { &entry, 0 };

		put_protocol(&cursor, p->protocol);
		put_address(&cursor, pp_target_of(&build->record->request.target, build->family));
		put_ports(&cursor, (uint16_t)(p->container_port + i), (uint16_t)(p->container_port + i));
		memcpy(entry.owner, build->record->id, sizeof(entry.owner));
		ret = pp_entries_append(build->out, &entry, build->err);
	}
	return ret;
}

/* host ports . protocol [. host address] . network */
static int add_admit(const struct build *build, const struct pp_network *network)
{
	const struct pp_publication *p = build->publication;
	bool any = pp_address_is_any(&p->address);
	struct pp_entry entry = { .set = pp_set_of(any ? PP_SET_ADMIT_ANY4 : PP_SET_ADMIT_HOST4,
						   build->family) };
	struct cursor cursor = { &entry, 0 };

	put_ports(&cursor, p->host_port, (uint16_t)(p->host_port + p->count - 1));
	put_protocol(&cursor, p->protocol);
	if (!any)
		put_address(&cursor, &p->address);
	put_network(&cursor, build->family, network);
	memcpy(entry.owner, build->record->id, sizeof(entry.owner));
	return pp_entries_append(build->out, &entry, build->err);
}

static int compare_host_side(const void *left, const void *right)
{
	const struct pp_publication *a = left, *b = right;
	int order = (int)a->protocol - (int)b->protocol;

	if (order == 0)
		order = memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes));
	return order ? order : (int)a->host_port - (int)b->host_port;
}

/* Make one of those that lie side by side at one address; what they lead to is lost. */
static void join(struct pp_publications *list)
{
	struct pp_publication *items = list->items, one;
	size_t kept = 0;

	if (list->count == 0)
		return;
	qsort(items, list->count, sizeof(items[0]), compare_host_side);
	for (size_t i = 1; i < list->count; i++) {
		one = items[kept];
		one.host_port = (uint16_t)(one.host_port + one.count);
		if (compare_host_side(&one, &items[i]) == 0)
			items[kept].count = (uint16_t)(items[kept].count + items[i].count);
		else
			items[++kept] = items[i];
	}
	list->count = kept + 1;
}

/* What the kernel has of @record in @family, in as few ranges as will do; the caller frees it. */
static int find_ranges(const struct pp_record *record, sa_family_t family, struct pp_publications *out,
		       struct pp_error *err)
{
	const struct pp_publications *list = &record->request.publications;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		if (in_kernel(&list->items[i], &record->request, family))
			ret = pp_publications_append(out, &list->items[i], err);
	}
	join(out);
	return ret;
}

/* Who may connect to what @record has in @family. */
static int add_admits(const struct pp_record *record, sa_family_t family, struct pp_entries *out,
		      struct pp_error *err)
{
	const struct pp_networks *allow = &record->request.allow;
	struct pp_publications ranges = PP_PUBLICATIONS_INIT;
	int ret = find_ranges(record, family, &ranges, err);

	for (size_t i = 0; ret == 0 && i < ranges.count * allow->count; i++) {
		struct build build = { record, &ranges.items[i / allow->count], family, out, err };
		const struct pp_network *network = &allow->items[i % allow->count];

		if (network->address.family == family)
			ret = add_admit(&build, network);
	}
	pp_publications_fini(&ranges);
	return ret;
}

/* host ports . protocol . addresses of the host [. where from]; @from may be NULL */
static int add_range(const struct build *build, enum pp_set set, const struct pp_address_range *to,
		     const struct pp_address_range *from)
{
	const struct pp_publication *p = build->publication;
	enum pp_field field = address_field(build->family);
	struct pp_entry entry = { .set = pp_set_of(set, build->family) };
	struct cursor cursor = { &entry, 0 };

	put_ports(&cursor, p->host_port, (uint16_t)(p->host_port + p->count - 1));
	put_protocol(&cursor, p->protocol);
	put(&cursor, field, to->first.bytes, to->last.bytes);
	if (from)
		put(&cursor, field, from->first.bytes, from->last.bytes);
	memcpy(entry.owner, build->record->id, sizeof(entry.owner));
	return pp_entries_append(build->out, &entry, build->err);
}

static bool is_in(const struct pp_address *address, const struct pp_address_range *range)
{
	return memcmp(address->bytes, range->first.bytes, sizeof(address->bytes)) >= 0 &&
	       memcmp(address->bytes, range->last.bytes, sizeof(address->bytes)) <= 0;
}

/* A port that is for some packets only, and for which. */
static int add_some(const struct build *build, const struct pp_condition *only)
{
	static const struct pp_network everywhere;
	const struct pp_address *address = &build->publication->address;
	struct pp_address_range all[2], to[2], from[2], here = { *address, *address };
	size_t to_count = pp_condition_ranges(&only->destination, only->not_destination, build->family, to),
	       from_count = pp_condition_ranges(&only->source, only->not_source, build->family, from);
	bool any = pp_address_is_any(address);
	int ret;

	pp_condition_ranges(&everywhere, false, build->family, all);
	ret = add_range(build, PP_SET_SOME4, any ? &all[0] : &here, NULL);
	for (size_t i = 0; ret == 0 && i < to_count * from_count; i++) {
		const struct pp_address_range *range = &to[i / from_count];

		if (any)
			ret = add_range(build, PP_SET_WHEN4, range, &from[i % from_count]);
		else if (is_in(address, range))
			ret = add_range(build, PP_SET_WHEN4, &here, &from[i % from_count]);
	}
	return ret;
}

/* What the conditions of @record make of its ports in @family. */
static int add_conditions(const struct pp_record *record, sa_family_t family, struct pp_entries *out,
			  struct pp_error *err)
{
	const struct pp_condition *only = &record->request.only[family == AF_INET6];
	struct pp_publications ranges = PP_PUBLICATIONS_INIT;
	int ret;

	if (pp_condition_is_any(only))
		return 0;
	ret = find_ranges(record, family, &ranges, err);
	for (size_t i = 0; ret == 0 && i < ranges.count; i++) {
		struct build build = { record, &ranges.items[i], family, out, err };

		if (only->source.address.family != AF_UNSPEC || only->destination.address.family != AF_UNSPEC)
			ret = add_some(&build, only);
		if (ret == 0 && only->interface[0])
			ret = add_bound(&build, only->interface);
	}
	pp_publications_fini(&ranges);
	return ret;
}

static int compare_entries(const void *left, const void *right)
{
	return pp_entry_compare(left, right);
}

/* Leave one of each, from @from on. */
static void unite(struct pp_entries *list, size_t from)
{
	struct pp_entry *items = list->items + from;
	size_t count = list->count - from, kept = 0;

	if (count == 0)
		return;
	qsort(items, count, sizeof(items[0]), compare_entries);
	for (size_t i = 1; i < count; i++) {
		if (pp_entry_compare(&items[kept], &items[i]) != 0)
			items[++kept] = items[i];
	}
	list->count = from + kept + 1;
}

int pp_entries_owned(const struct pp_record *record, struct pp_entries *out, struct pp_error *err)
{
	const struct pp_publications *list = &record->request.publications;
	size_t from = out->count;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < 2 * list->count; i++) {
		struct build build = { record, &list->items[i / 2], pp_families[i % 2], out, err };

		if (!in_kernel(build.publication, &record->request, build.family))
			continue;
		ret = add_ports(&build);
		if (ret == 0)
			ret = add_closed(&build);
		if (ret == 0)
			ret = add_alone(&build);
		if (ret == 0)
			ret = add_masquerade(&build);
	}
	if (ret == 0 && record->request.masquerade != PP_MASQUERADE_NEEDED)
		unite(out, from);
	for (size_t f = 0; ret == 0 && f < 2; f++)
		ret = add_conditions(record, pp_families[f], out, err);
	for (size_t f = 0; ret == 0 && record->request.allow.count && f < 2; f++)
		ret = add_admits(record, pp_families[f], out, err);
	return ret;
}

/* Does the kernel carry anything of @record to its target of @family? */
static bool is_used(const struct pp_record *record, sa_family_t family)
{
	const struct pp_publications *list = &record->request.publications;

	for (size_t i = 0; i < list->count; i++) {
		if (in_kernel(&list->items[i], &record->request, family))
			return true;
	}
	return false;
}

static int add_hairpin(const struct pp_record *record, size_t f, struct pp_entries *out, struct pp_error *err)
{
	struct pp_entry entry = { .set = PP_SET_HAIRPIN };
	struct cursor cursor = { &entry, 0 };

	if (!record->interfaces[f][0])
		return 0;
	put(&cursor, PP_FIELD_INTERFACE, record->interfaces[f], record->interfaces[f]);
	put(&cursor, PP_FIELD_INTERFACE, record->interfaces[f], record->interfaces[f]);
	return pp_entries_append(out, &entry, err);
}

static int add_own(const struct pp_record *record, size_t f, struct pp_entries *out, struct pp_error *err)
{
	const struct pp_address *target = pp_target_of(&record->request.target, pp_families[f]);
	struct pp_entry entry = { .set = pp_set_of(PP_SET_OWN4, pp_families[f]) };
	struct cursor cursor = { &entry, 0 };

	put_address(&cursor, target);
	put_address(&cursor, target);
	return pp_entries_append(out, &entry, err);
}

static bool opens(const struct pp_publication *publication, sa_family_t family)
{
	return publication->address.family == AF_UNSPEC || publication->address.family == family;
}

/*
 * By family: a port that is open to others by IPv6 alone must not open the container's IPv4 address. First
 * what is for some alone is put in, then what anybody publishes for all is taken out.
 */
static bool ports_for_some(const struct pp_record *const records[], size_t count, sa_family_t family,
			   struct pp_port_set *out)
{
	bool any = false;

	for (int pass = 0; pass < 2; pass++) {
		for (size_t r = 0; r < count; r++) {
			const struct pp_publications *list = &records[r]->request.publications;

			for (size_t i = 0; i < list->count; i++) {
				bool some = pp_plan_is_for_some(&list->items[i], &records[r]->request);

				if (some && records[r]->attachment)
					continue; /* what a runtime's network lets through is its own affair */
				if (pass == 0 && some && !any) {
					memset(out, 0, sizeof(*out));
					any = true;
				}
				if (pass == 0 ? some : any && !some && opens(&list->items[i], family))
					pp_port_set_change(out, &list->items[i], pass == 0);
			}
		}
	}
	return any;
}

static int add_direct(const struct pp_address *target, enum pp_protocol protocol, uint16_t port,
		      struct pp_entries *out, struct pp_error *err)
{
	struct pp_entry entry = { .set = pp_set_of(PP_SET_DIRECT4, target->family) };
	struct cursor cursor = { &entry, 0 };

	put_protocol(&cursor, protocol);
	put_address(&cursor, target);
	put_ports(&cursor, port, port);
	return pp_entries_append(out, &entry, err);
}

/* @records have one target of @family. */
static int add_directs(const struct pp_record *const records[], size_t count, sa_family_t family,
		       struct pp_entries *out, struct pp_error *err)
{
	const struct pp_address *target = pp_target_of(&records[0]->request.target, family);
	struct pp_port_set ports;
	int ret = 0;

	if (target->family == AF_UNSPEC || !ports_for_some(records, count, family, &ports))
		return 0;
	for (int p = 0; p < PP_PROTOCOL_COUNT; p++) {
		for (uint32_t port = 1; ret == 0 && port <= UINT16_MAX; port++) {
			if (pp_port_set_has(&ports, (enum pp_protocol)p, (uint16_t)port))
				ret = add_direct(target, (enum pp_protocol)p, (uint16_t)port, out, err);
		}
	}
	return ret;
}

static int compare_targets(const void *left, const void *right, void *family)
{
	const struct pp_record *const *a = left, *const *b = right;
	const struct pp_address *x = pp_target_of(&(*a)->request.target, *(sa_family_t *)family);
	const struct pp_address *y = pp_target_of(&(*b)->request.target, *(sa_family_t *)family);

	return pp_address_compare(x, y);
}

static int add_all_directs(const struct pp_record **records, size_t count, sa_family_t family,
			   struct pp_entries *out, struct pp_error *err)
{
	size_t from = 0;
	int ret = 0;

	if (count)
		qsort_r(records, count, sizeof(const struct pp_record *), compare_targets, &family);
	for (size_t i = 1; ret == 0 && i <= count; i++) {
		if (i < count && compare_targets(&records[from], &records[i], &family) == 0)
			continue;
		ret = add_directs(records + from, i - from, family, out, err);
		from = i;
	}
	return ret;
}

/* @used: room for as many as @records. */
static int add_shared(const struct pp_record *const records[], size_t count, const struct pp_record *used[],
		      size_t f, struct pp_entries *out, struct pp_error *err)
{
	size_t used_count = 0;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < count; i++) {
		if (pp_plan_makes_rules(&records[i]->request)) /* else nothing is kept from anybody either */
			used[used_count++] = records[i];
		if (!is_used(records[i], pp_families[f]))
			continue;
		if (records[i]->request.masquerade == PP_MASQUERADE_NEVER)
			continue;
		ret = add_hairpin(records[i], f, out, err);
		if (ret == 0)
			ret = add_own(records[i], f, out, err);
	}
	return ret == 0 ? add_all_directs(used, used_count, pp_families[f], out, err) : ret;
}

int pp_entries_shared(const struct pp_record *const records[], size_t count, struct pp_entries *out,
		      struct pp_error *err)
{
	const struct pp_record **used;
	size_t from = out->count;
	int ret = 0;

	if (count == 0)
		return 0;
	used = calloc(count, sizeof(const struct pp_record *));
	if (!used)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t f = 0; ret == 0 && f < 2; f++)
		ret = add_shared(records, count, used, f, out, err);
	if (ret == 0)
		unite(out, from);
	free(used);
	return ret;
}
