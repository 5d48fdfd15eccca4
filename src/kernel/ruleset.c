/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The rules are the same on every host; what is published is elements of the maps, whatever the number of
 * ports. A specific address is looked up before any address, and only packets for this host are looked up
 * at all, so that traffic that is routed through to somebody else's port of the same number passes by.
 *
 *	prerouting, output	DNAT by map, but not of ports that have conditions, which are left alone for packets
 *				that they do not hold for. Never for ::1 and link-local clients, which the kernel would
 *				not route further: the keeper's sockets get those.
 *	postrouting		masquerade what would come back past us: from 127/8, from a neighbour on the
 *				container's own bridge, from the container to itself. Nobody else, unless
 *				it has been asked for everybody, or for nobody.
 *	guard			127/8 stays on lo, also while route_localnet is on
 *	admit			who may connect, for ports with an allow list; before DNAT, so that it reads
 *				the host's port
 *	direct			a port published on loopback only is not to be had from other networks by the
 *				container's own address either
 */
#include "portpub/ruleset.h"

#include "portpub/conflict.h"
#include "portpub/entry.h"

#include <errno.h>
#include <string.h>

/* Elements are written one a line; the first opens the list, and the list is closed if it was opened. */
struct list {
	FILE *out;
	bool open;
};

static void begin_element(struct list *list)
{
	fputs(list->open ? ",\n\t\t\t     " : "\t\telements = { ", list->out);
	list->open = true;
}

static void end_list(const struct list *list)
{
	fputs(list->open ? " }\n\t}\n\n" : "\t}\n\n", list->out);
}

static void print_entry(const struct pp_entry *entry, FILE *out)
{
	char key[PP_ENTRY_TEXT], value[PP_ENTRY_TEXT];
	bool map = pp_set_shape(entry->set)->map;

	fprintf(out, "%s%s", pp_entry_format_key(entry, key), map ? " counter packets 0 bytes 0" : "");
	if (entry->owner[0])
		fprintf(out, " comment \"%s\"", entry->owner);
	if (map)
		fprintf(out, " : %s", pp_entry_format_value(entry, value));
}

static void print_type(const struct pp_shape *shape, FILE *out)
{
	fputs("\t\ttype ", out);
	for (size_t i = 0; i < shape->count; i++)
		fprintf(out, "%s%s", i ? " . " : "", pp_field_type(shape->fields[i]));
	if (shape->map)
		fprintf(out, " : %s . inet_service\n\t\tcounter",
			pp_field_type(shape->family == AF_INET ? PP_FIELD_IPV4 : PP_FIELD_IPV6));
	fputs(shape->interval ? "\n\t\tflags interval\n" : "\n", out);
}

static void print_set(enum pp_set set, const struct pp_entries *entries, FILE *out)
{
	const struct pp_shape *shape = pp_set_shape(set);
	struct list list = { out, false };

	fprintf(out, "\t%s %s {\n", shape->map ? "map" : "set", shape->name);
	print_type(shape, out);
	for (size_t i = 0; i < entries->count; i++) {
		if (entries->items[i].set != set)
			continue;
		begin_element(&list);
		print_entry(&entries->items[i], out);
	}
	end_list(&list);
}

#define TRANSLATE                                                                                            \
	"\t\tfib daddr type local dnat ip to meta l4proto . ip daddr . th dport map @host4\n"                \
	"\t\tmeta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . th dport map @any4\n"          \
	"\t\tip6 daddr != ::1 ip6 saddr != fe80::/10 fib daddr type local dnat ip6 to"                       \
	" meta l4proto . ip6 daddr . th dport map @host6\n"                                                  \
	"\t\tip6 daddr != ::1 ip6 saddr != fe80::/10 fib daddr type local dnat ip6 to"                       \
	" meta l4proto . th dport map @any6\n"

#define SOME                                                                                                 \
	"\t\tfib daddr type local th dport . meta l4proto . ip daddr @some4"                                 \
	" th dport . meta l4proto . ip daddr . ip saddr != @when4 accept\n"                                  \
	"\t\tfib daddr type local th dport . meta l4proto . ip6 daddr @some6"                                \
	" th dport . meta l4proto . ip6 daddr . ip6 saddr != @when6 accept\n"

#define BOUND4 "\t\tmeta nfproto ipv4 fib daddr type local meta l4proto . th dport @bound4"
#define BOUND6 "\t\tmeta nfproto ipv6 fib daddr type local meta l4proto . th dport @bound6"

#define ADMIT "\t\tct state new iif != \"lo\" fib daddr type local "

static const struct {
	const char *name, *hook, *rules;
} chains[] = {
	{ "guard", "filter hook prerouting priority raw",
	  "\t\tip saddr 127.0.0.0/8 iif != \"lo\" drop\n"
	  "\t\tip daddr 127.0.0.0/8 iif != \"lo\" drop\n" },
	{ "admit", "filter hook prerouting priority dstnat - 10",
	  ADMIT "meta l4proto . ip daddr . th dport @closed_host4"
		" th dport . meta l4proto . ip daddr . ip saddr != @admit_host4 drop\n" ADMIT
		"meta l4proto . ip6 daddr . th dport @closed_host6"
		" th dport . meta l4proto . ip6 daddr . ip6 saddr != @admit_host6 drop\n" ADMIT
		"meta l4proto . th dport @closed_any4"
		" th dport . meta l4proto . ip saddr != @admit_any4 drop\n" ADMIT
		"meta l4proto . th dport @closed_any6"
		" th dport . meta l4proto . ip6 saddr != @admit_any6 drop\n" },
	{ "prerouting", "nat hook prerouting priority dstnat",
	  "\t\tfib daddr type local ip saddr . meta l4proto . ip daddr . th dport @alone_host4 accept\n"
	  "\t\tfib daddr type local ip6 saddr . meta l4proto . ip6 daddr . th dport @alone_host6 accept\n"
	  "\t\tfib daddr type local ip saddr . meta l4proto . th dport @alone_any4 accept\n"
	  "\t\tfib daddr type local ip6 saddr . meta l4proto . th dport @alone_any6 accept\n" SOME BOUND4
	  " iifname . meta l4proto . th dport != @via4 accept\n" BOUND6
	  " iifname . meta l4proto . th dport != @via6 accept\n" TRANSLATE },
	{ "output", "nat hook output priority -100", SOME BOUND4 " accept\n" BOUND6 " accept\n" TRANSLATE },
	{ "direct", "filter hook forward priority filter",
	  "\t\tct status dnat accept\n"
	  "\t\tct state new iifname . oifname != @hairpin meta l4proto . ip daddr . th dport @direct4 drop\n"
	  "\t\tct state new iifname . oifname != @hairpin meta l4proto . ip6 daddr . th dport @direct6 "
	  "drop\n" },
	{ "postrouting", "nat hook postrouting priority srcnat",
	  "\t\tct status dnat meta l4proto . ip daddr . th dport @plain4 accept\n"
	  "\t\tct status dnat meta l4proto . ip6 daddr . th dport @plain6 accept\n"
	  "\t\tct status dnat meta l4proto . ip daddr . th dport @masked4 masquerade\n"
	  "\t\tct status dnat meta l4proto . ip6 daddr . th dport @masked6 masquerade\n"
	  "\t\tct status dnat ip saddr 127.0.0.0/8 masquerade\n"
	  "\t\tct status dnat iifname . oifname @hairpin masquerade\n"
	  "\t\tct status dnat ip saddr . ip daddr @own4 masquerade\n"
	  "\t\tct status dnat ip6 saddr . ip6 daddr @own6 masquerade\n" },
};

static void print_chains(FILE *out)
{
	for (size_t i = 0; i < sizeof(chains) / sizeof(chains[0]); i++)
		fprintf(out, "%s\tchain %s {\n\t\ttype %s; policy accept;\n%s\t}\n", i ? "\n" : "",
			chains[i].name, chains[i].hook, chains[i].rules);
}

const char *pp_ruleset_rule(const char *chain, size_t index, char *out, size_t size)
{
	const char *rule = "";
	size_t i = 0;

	while (i < sizeof(chains) / sizeof(chains[0]) && strcmp(chains[i].name, chain) != 0)
		i++;
	if (i < sizeof(chains) / sizeof(chains[0]))
		rule = chains[i].rules;
	while (index-- > 0 && *rule)
		rule += strcspn(rule, "\n") + 1;
	rule += strspn(rule, "\t");
	snprintf(out, size, "%.*s", (int)strcspn(rule, "\n"), rule);
	return out;
}

/* What is not in the table, and what goes with it. */
static void print_notes_of(const struct pp_request *request, const struct pp_publication *publication,
			   FILE *out, bool *loopback)
{
	char text[PP_PUBLICATION_TEXT];
	struct pp_error ignored;
	struct pp_plan plan;

	pp_publication_format(publication, text);
	if (pp_publication_is_pool(publication))
		fprintf(out, "# %s: the first free port is taken; %u stands for it here\n", text,
			publication->host_port);
	if (pp_plan_make(publication, request, &plan, &ignored) < 0)
		return;
	for (size_t i = 0; i < plan.count; i++) {
		const struct pp_way *way = &plan.ways[i];

		*loopback |= way->path == PP_PATH_KERNEL && way->class == PP_CLASS_LOOPBACK;
		if (way->path != PP_PATH_KERNEL)
			fprintf(out, "# %s: %s %s is %s: %s\n", text, pp_family_name(way->family),
				pp_address_class_name(way->class),
				way->path == PP_PATH_NONE ? "not carried" : "carried in userspace",
				way->reason);
	}
}

/* Does the kernel carry anything to the target of @family? */
static bool is_used(const struct pp_entries *entries, sa_family_t family)
{
	for (size_t i = 0; i < entries->count; i++) {
		const struct pp_shape *shape = pp_set_shape(entries->items[i].set);

		if (shape->map && shape->family == family)
			return true;
	}
	return false;
}

static void print_notes(const struct pp_record *record, const struct pp_entries *entries, FILE *out)
{
	const struct pp_publications *list = &record->request.publications;
	bool loopback = false;

	for (size_t i = 0; i < list->count; i++)
		print_notes_of(&record->request, &list->items[i], out, &loopback);
	if (loopback && record->interfaces[0][0])
		fprintf(out, "# net.ipv4.conf.%s.route_localnet=1 is set once the guard stands\n",
			record->interfaces[0]);
	for (size_t i = 0; i < 2; i++) {
		if (is_used(entries, pp_families[i]))
			fprintf(out, "# %s forwarding must be on for clients outside\n",
				pp_family_name(pp_families[i]));
	}
	if (!record->request.alone[0] && !record->request.alone[1] &&
	    (is_used(entries, AF_INET) || is_used(entries, AF_INET6)))
		fputs("# with bridge-nf-call-iptables=1 the container reaches its own host port only if its"
		      " bridge port has hairpin on\n",
		      out);
}

/* The first port of a pool stands for it: nobody else may have that one. */
static int check_pools(const struct pp_publications *list, struct pp_error *err)
{
	struct pp_publications firsts = PP_PUBLICATIONS_INIT;
	struct pp_error conflict;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		struct pp_publication first = list->items[i];

		first.host_port_last = 0;
		ret = pp_publications_append(&firsts, &first, err);
	}
	if (ret == 0 && pp_conflicts_find(&firsts, NULL, &conflict) < 0)
		ret = pp_fail(err, conflict.code,
			      "a pool is shown by its first port, which another publication takes here: name "
			      "the port");
	pp_publications_fini(&firsts);
	return ret;
}

int pp_ruleset_check(const struct pp_request *request, struct pp_error *err)
{
	const struct pp_publications *list = &request->publications;
	char text[PP_PUBLICATION_TEXT];

	if (!pp_target_is_known(&request->target))
		return pp_fail(err, EINVAL, "rules need a target: --to ADDRESS");
	for (size_t i = 0; i < list->count; i++) {
		if (pp_publication_is_free(&list->items[i]))
			return pp_fail(
				err, EINVAL,
				"%s: a free port is not known before it is taken: name a host port to see its"
				" rules",
				pp_publication_format(&list->items[i], text));
	}
	return check_pools(list, err);
}

int pp_ruleset_print(const struct pp_record *record, FILE *out, struct pp_error *err)
{
	struct pp_entries entries = PP_ENTRIES_INIT;
	int ret = pp_entries_owned(record, &entries, err);

	if (ret == 0)
		ret = pp_entries_shared(&record, 1, &entries, err);
	if (ret == 0) {
		print_notes(record, &entries, out);
		fputs("table inet " PP_TABLE_NAME " {\n", out);
		for (int set = 0; set < PP_SET_COUNT; set++)
			print_set((enum pp_set)set, &entries, out);
		print_chains(out);
		fputs("}\n", out);
	}
	pp_entries_fini(&entries);
	return ret;
}
