/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The rules are the same on every host; what is published is elements of the maps, whatever the number of
 * ports. A specific address is looked up before any address, and only packets for this host are looked up
 * at all, so that traffic that is routed through to somebody else's port of the same number passes by.
 *
 *	prerouting, output	DNAT by map. Never for ::1 and link-local clients, which the kernel would
 *				not route further: the keeper's sockets get those.
 *	postrouting		masquerade what would come back past us: from 127/8, from a neighbour on the
 *				container's own bridge, from the container to itself. Nobody else.
 *	guard			127/8 stays on lo, also while route_localnet is on
 *	direct			a port published on loopback only is not to be had from other networks by the
 *				container's own address either
 */
#include "portpub/ruleset.h"

#include "portpub/conflict.h"
#include "portpub/element.h"

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

static const char *type_of(sa_family_t family)
{
	return family == AF_INET ? "ipv4_addr" : "ipv6_addr";
}

static void print_element(const struct pp_element *element, FILE *out)
{
	char address[PP_ADDRESS_TEXT], target[PP_ADDRESS_TEXT];
	bool any = pp_address_is_any(&element->address);

	fprintf(out, "%s . %s%s%u counter packets 0 bytes 0 : %s . %u", pp_protocol_name(element->protocol),
		any ? "" : pp_address_format(&element->address, address), any ? "" : " . ",
		element->host_port, pp_address_format(&element->target, target), element->container_port);
}

static void print_map(const struct pp_ruleset *ruleset, enum pp_map map, FILE *out)
{
	struct pp_elements walk = { .request = ruleset->request, .host = ruleset->host };
	const char *type = type_of(map == PP_MAP_HOST4 || map == PP_MAP_ANY4 ? AF_INET : AF_INET6);
	bool any = map == PP_MAP_ANY4 || map == PP_MAP_ANY6;
	struct list list = { out, false };
	struct pp_element element;

	fprintf(out, "\tmap %s {\n\t\ttype inet_proto . %s%sinet_service : %s . inet_service\n\t\tcounter\n",
		pp_map_name(map), any ? "" : type, any ? "" : " . ", type);
	while (pp_elements_next(&walk, &element)) {
		if (element.map != map)
			continue;
		begin_element(&list);
		print_element(&element, out);
	}
	end_list(&list);
}

/* Does the kernel carry anything to the target of @family? */
static bool is_used(const struct pp_ruleset *ruleset, sa_family_t family)
{
	struct pp_elements walk = { .request = ruleset->request, .host = ruleset->host };
	struct pp_element element;

	while (pp_elements_next(&walk, &element)) {
		if (element.target.family == family)
			return true;
	}
	return false;
}

static void print_hairpin(const struct pp_ruleset *ruleset, FILE *out)
{
	const char *seen = "";
	struct list list = { out, false };

	fputs("\tset hairpin {\n\t\ttype ifname . ifname\n", out);
	for (size_t i = 0; i < 2; i++) {
		const char *name = ruleset->interfaces[i];

		if (!name[0] || strcmp(name, seen) == 0 || !is_used(ruleset, pp_families[i]))
			continue;
		begin_element(&list);
		fprintf(out, "\"%s\" . \"%s\"", name, name);
		seen = name;
	}
	end_list(&list);
}

static void print_own(const struct pp_ruleset *ruleset, sa_family_t family, FILE *out)
{
	struct list list = { out, false };
	char target[PP_ADDRESS_TEXT];

	fprintf(out, "\tset own%c {\n\t\ttype %s . %s\n", family == AF_INET ? '4' : '6', type_of(family),
		type_of(family));
	if (is_used(ruleset, family)) {
		begin_element(&list);
		pp_address_format(pp_target_of(&ruleset->request->target, family), target);
		fprintf(out, "%s . %s", target, target);
	}
	end_list(&list);
}

static void print_direct(const struct pp_ruleset *ruleset, sa_family_t family, FILE *out)
{
	struct list list = { out, false };
	char target[PP_ADDRESS_TEXT];
	struct pp_port_set ports;

	fprintf(out, "\tset direct%c {\n\t\ttype inet_proto . %s . inet_service\n",
		family == AF_INET ? '4' : '6', type_of(family));
	pp_address_format(pp_target_of(&ruleset->request->target, family), target);
	pp_ports_of_this_host(ruleset->request, ruleset->host, family, &ports);
	for (int p = 0; target[0] && p < PP_PROTOCOL_COUNT; p++) {
		for (uint32_t port = 1; port <= UINT16_MAX; port++) {
			if (!pp_port_set_has(&ports, (enum pp_protocol)p, (uint16_t)port))
				continue;
			begin_element(&list);
			fprintf(out, "%s . %s . %u", pp_protocol_name((enum pp_protocol)p), target, port);
		}
	}
	end_list(&list);
}

static const char translate[] =
	"\t\tfib daddr type local dnat ip to meta l4proto . ip daddr . th dport map @host4\n"
	"\t\tmeta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . th dport map @any4\n"
	"\t\tip6 daddr != ::1 ip6 saddr != fe80::/10 fib daddr type local dnat ip6 to"
	" meta l4proto . ip6 daddr . th dport map @host6\n"
	"\t\tip6 daddr != ::1 ip6 saddr != fe80::/10 fib daddr type local dnat ip6 to"
	" meta l4proto . th dport map @any6\n";

static void print_chain(FILE *out, const char *name, const char *hook, const char *rules)
{
	fprintf(out, "\tchain %s {\n\t\ttype %s; policy accept;\n%s\t}\n", name, hook, rules);
}

static void print_chains(FILE *out)
{
	print_chain(out, "guard", "filter hook prerouting priority raw",
		    "\t\tiif != \"lo\" ip saddr 127.0.0.0/8 drop\n"
		    "\t\tiif != \"lo\" ip daddr 127.0.0.0/8 drop\n");
	fputc('\n', out);
	print_chain(out, "prerouting", "nat hook prerouting priority dstnat", translate);
	fputc('\n', out);
	print_chain(out, "output", "nat hook output priority -100", translate);
	fputc('\n', out);
	print_chain(out, "direct", "filter hook forward priority filter",
		    "\t\tct status dnat accept\n"
		    "\t\tiifname . oifname != @hairpin ct state new meta l4proto . ip daddr . th dport "
		    "@direct4 drop\n"
		    "\t\tiifname . oifname != @hairpin ct state new meta l4proto . ip6 daddr . th dport "
		    "@direct6 drop\n");
	fputc('\n', out);
	print_chain(out, "postrouting", "nat hook postrouting priority srcnat",
		    "\t\tct status dnat ip saddr 127.0.0.0/8 masquerade\n"
		    "\t\tct status dnat iifname . oifname @hairpin masquerade\n"
		    "\t\tct status dnat ip saddr . ip daddr @own4 masquerade\n"
		    "\t\tct status dnat ip6 saddr . ip6 daddr @own6 masquerade\n");
}

/* What is not in the table, and what goes with it. */
static void print_notes_of(const struct pp_ruleset *ruleset, const struct pp_publication *publication,
			   FILE *out, bool *loopback)
{
	char text[PP_PUBLICATION_TEXT];
	struct pp_error ignored;
	struct pp_plan plan;

	pp_publication_format(publication, text);
	if (pp_publication_is_pool(publication))
		fprintf(out, "# %s: the first free port is taken; %u stands for it here\n", text,
			publication->host_port);
	if (pp_plan_make(publication, ruleset->request, ruleset->host, &plan, &ignored) < 0)
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

static void print_notes(const struct pp_ruleset *ruleset, FILE *out)
{
	const struct pp_publications *list = &ruleset->request->publications;
	bool loopback = false;

	for (size_t i = 0; i < list->count; i++)
		print_notes_of(ruleset, &list->items[i], out, &loopback);
	if (loopback && ruleset->interfaces[0][0])
		fprintf(out, "# net.ipv4.conf.%s.route_localnet=1 is set once the guard stands\n",
			ruleset->interfaces[0]);
	for (size_t i = 0; i < 2; i++) {
		if (is_used(ruleset, pp_families[i]))
			fprintf(out, "# %s forwarding must be on for clients outside\n",
				pp_family_name(pp_families[i]));
	}
	if (is_used(ruleset, AF_INET) || is_used(ruleset, AF_INET6))
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

int pp_ruleset_check(const struct pp_ruleset *ruleset, struct pp_error *err)
{
	const struct pp_publications *list = &ruleset->request->publications;
	char text[PP_PUBLICATION_TEXT];

	if (!pp_target_is_known(&ruleset->request->target))
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

void pp_ruleset_print(const struct pp_ruleset *ruleset, FILE *out)
{
	print_notes(ruleset, out);
	fputs("table inet portpub {\n", out);
	for (int map = 0; map < PP_MAP_COUNT; map++)
		print_map(ruleset, (enum pp_map)map, out);
	print_hairpin(ruleset, out);
	for (size_t i = 0; i < 2; i++)
		print_own(ruleset, pp_families[i], out);
	for (size_t i = 0; i < 2; i++)
		print_direct(ruleset, pp_families[i], out);
	print_chains(out);
	fputs("}\n", out);
}
