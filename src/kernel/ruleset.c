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

#include <errno.h>
#include <string.h>

struct map {
	const char *name;
	sa_family_t family;
	bool any; /* keyed without the host address */
};

static const struct map maps[] = {
	{ "host4", AF_INET, false },
	{ "any4", AF_INET, true },
	{ "host6", AF_INET6, false },
	{ "any6", AF_INET6, true },
};

static const sa_family_t families[] = { AF_INET, AF_INET6 };

/* Elements are written one a line; the first opens the list, and the list is closed if it was opened. */
struct elements {
	FILE *out;
	bool open;
};

static void begin_element(struct elements *elements)
{
	fputs(elements->open ? ",\n\t\t\t     " : "\t\telements = { ", elements->out);
	elements->open = true;
}

static void end_elements(const struct elements *elements)
{
	if (elements->open)
		fputs(" }\n", elements->out);
}

static const char *type_of(sa_family_t family)
{
	return family == AF_INET ? "ipv4_addr" : "ipv6_addr";
}

static const struct pp_address *target_of(const struct pp_ruleset *ruleset, sa_family_t family)
{
	return family == AF_INET ? &ruleset->input->target.ipv4 : &ruleset->input->target.ipv6;
}

/* Is what @publication opens in @family, for its own class of address, carried by the kernel? */
static bool in_kernel(const struct pp_ruleset *ruleset, const struct pp_publication *publication,
		      sa_family_t family)
{
	enum pp_address_class class = pp_address_class(&publication->address);
	struct pp_error ignored;
	struct pp_plan plan;

	if (pp_plan_make(publication, ruleset->input, &plan, &ignored) < 0)
		return false;
	for (size_t i = 0; i < plan.count; i++) {
		if (plan.ways[i].family == family && plan.ways[i].class == class)
			return plan.ways[i].path == PP_PATH_KERNEL;
	}
	return false;
}

static void print_map(const struct pp_ruleset *ruleset, const struct map *map, FILE *out)
{
	char host[PP_ADDRESS_TEXT], target[PP_ADDRESS_TEXT];
	struct elements elements = { out, false };

	fprintf(out, "\tmap %s {\n\t\ttype inet_proto . %s%sinet_service : %s . inet_service\n\t\tcounter\n",
		map->name, map->any ? "" : type_of(map->family), map->any ? "" : " . ", type_of(map->family));
	pp_address_format(target_of(ruleset, map->family), target);

	for (size_t i = 0; i < ruleset->publications->count; i++) {
		const struct pp_publication *p = &ruleset->publications->items[i];

		if (pp_address_is_any(&p->address) != map->any || !in_kernel(ruleset, p, map->family))
			continue;
		pp_address_format(&p->address, host);
		for (uint32_t k = 0; k < p->count; k++) {
			begin_element(&elements);
			fprintf(out, "%s . %s%s%u counter packets 0 bytes 0 : %s . %u",
				pp_protocol_name(p->protocol), map->any ? "" : host, map->any ? "" : " . ",
				p->host_port + k, target, p->container_port + k);
		}
	}
	end_elements(&elements);
	fputs("\t}\n\n", out);
}

static void print_hairpin(const struct pp_ruleset *ruleset, FILE *out)
{
	const char *a = ruleset->interfaces[0], *b = ruleset->interfaces[1];
	struct elements elements = { out, false };

	fputs("\tset hairpin {\n\t\ttype ifname . ifname\n", out);
	if (a[0]) {
		begin_element(&elements);
		fprintf(out, "\"%s\" . \"%s\"", a, a);
	}
	if (b[0] && strcmp(a, b) != 0) {
		begin_element(&elements);
		fprintf(out, "\"%s\" . \"%s\"", b, b);
	}
	end_elements(&elements);
	fputs("\t}\n\n", out);
}

static bool any_in_kernel(const struct pp_ruleset *ruleset, sa_family_t family)
{
	for (size_t i = 0; i < ruleset->publications->count; i++) {
		if (in_kernel(ruleset, &ruleset->publications->items[i], family))
			return true;
	}
	return false;
}

static void print_own(const struct pp_ruleset *ruleset, sa_family_t family, FILE *out)
{
	struct elements elements = { out, false };
	char target[PP_ADDRESS_TEXT];

	fprintf(out, "\tset own%c {\n\t\ttype %s . %s\n", family == AF_INET ? '4' : '6', type_of(family),
		type_of(family));
	if (any_in_kernel(ruleset, family)) {
		begin_element(&elements);
		pp_address_format(target_of(ruleset, family), target);
		fprintf(out, "%s . %s", target, target);
	}
	end_elements(&elements);
	fputs("\t}\n\n", out);
}

/* A bit for each port of the container that is published beyond this host. */
struct port_set {
	uint8_t bits[PP_PROTOCOL_COUNT][65536 / 8];
};

static bool holds(const struct port_set *set, enum pp_protocol protocol, uint32_t port)
{
	return set->bits[protocol][port / 8] >> (port % 8) & 1;
}

static void open_ports(const struct pp_publications *list, struct port_set *set)
{
	memset(set, 0, sizeof(*set));
	for (size_t i = 0; i < list->count; i++) {
		const struct pp_publication *p = &list->items[i];

		if (pp_plan_reach(p) == PP_REACH_HOST)
			continue;
		for (uint32_t k = 0; k < p->count; k++) {
			uint32_t port = p->container_port + k;

			set->bits[p->protocol][port / 8] |= (uint8_t)(1U << (port % 8));
		}
	}
}

static void print_direct(const struct pp_ruleset *ruleset, sa_family_t family, FILE *out)
{
	struct elements elements = { out, false };
	char target[PP_ADDRESS_TEXT];
	struct port_set open;

	fprintf(out, "\tset direct%c {\n\t\ttype inet_proto . %s . inet_service\n",
		family == AF_INET ? '4' : '6', type_of(family));
	pp_address_format(target_of(ruleset, family), target);
	open_ports(ruleset->publications, &open);
	for (size_t i = 0; i < ruleset->publications->count; i++) {
		const struct pp_publication *p = &ruleset->publications->items[i];

		if (pp_plan_reach(p) != PP_REACH_HOST || target[0] == '\0')
			continue;
		for (uint32_t k = 0; k < p->count; k++) {
			if (holds(&open, p->protocol, p->container_port + k))
				continue;
			begin_element(&elements);
			fprintf(out, "%s . %s . %u", pp_protocol_name(p->protocol), target,
				p->container_port + k);
		}
	}
	end_elements(&elements);
	fputs("\t}\n\n", out);
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
static void print_notes(const struct pp_ruleset *ruleset, FILE *out)
{
	bool loopback = false;

	for (size_t i = 0; i < ruleset->publications->count; i++) {
		const struct pp_publication *p = &ruleset->publications->items[i];
		char text[PP_PUBLICATION_TEXT];
		struct pp_error ignored;
		struct pp_plan plan;

		pp_publication_format(p, text);
		if (pp_publication_is_pool(p))
			fprintf(out, "# %s: the first free port is taken; %u stands for it here\n", text,
				p->host_port);
		if (pp_plan_make(p, ruleset->input, &plan, &ignored) < 0)
			continue;
		for (size_t w = 0; w < plan.count; w++) {
			const struct pp_way *way = &plan.ways[w];

			if (way->path == PP_PATH_KERNEL && way->class == PP_CLASS_LOOPBACK)
				loopback = true;
			if (way->path == PP_PATH_USERSPACE)
				fprintf(out, "# %s: %s %s is carried in userspace: %s\n", text,
					pp_family_name(way->family), pp_address_class_name(way->class),
					way->reason);
		}
	}
	if (loopback && ruleset->interfaces[0][0])
		fprintf(out, "# net.ipv4.conf.%s.route_localnet=1 is set once the guard stands\n",
			ruleset->interfaces[0]);
}

int pp_ruleset_check(const struct pp_ruleset *ruleset, struct pp_error *err)
{
	const struct pp_target *target = &ruleset->input->target;
	char text[PP_PUBLICATION_TEXT];

	if (target->ipv4.family == AF_UNSPEC && target->ipv6.family == AF_UNSPEC)
		return pp_fail(err, EINVAL, "rules need a target: --to ADDRESS");
	for (size_t i = 0; i < ruleset->publications->count; i++) {
		const struct pp_publication *p = &ruleset->publications->items[i];

		if (pp_publication_is_free(p))
			return pp_fail(
				err, EINVAL,
				"%s: a free port is not known before it is taken: name a host port to see its"
				" rules",
				pp_publication_format(p, text));
	}
	return 0;
}

void pp_ruleset_print(const struct pp_ruleset *ruleset, FILE *out)
{
	print_notes(ruleset, out);
	fputs("table inet portpub {\n", out);
	for (size_t i = 0; i < sizeof(maps) / sizeof(maps[0]); i++)
		print_map(ruleset, &maps[i], out);
	print_hairpin(ruleset, out);
	for (size_t i = 0; i < 2; i++)
		print_own(ruleset, families[i], out);
	for (size_t i = 0; i < 2; i++)
		print_direct(ruleset, families[i], out);
	print_chains(out);
	fputs("}\n", out);
}
