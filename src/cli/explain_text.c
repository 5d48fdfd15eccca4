/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The answer in words, one block a publication: a line for each way in, drawn from the client to the
 * container, with the reason for its path below; then who can reach it, what the ports are called, and
 * what to beware of. Plain ASCII: consoles at 3 a.m. show nothing else reliably.
 */
#include "explain.h"

#include "portpub/port.h"
#include "services.h"

#include <string.h>

enum {
	HOST_TEXT = PP_ADDRESS_TEXT + sizeof("[]:65535-65535"),
	PORTS_TEXT = sizeof("65535-65535"),
};

static const char *client_of(const struct pp_way *way)
{
	switch (way->class) {
	case PP_CLASS_LOOPBACK:
		return "this host";
	case PP_CLASS_LINK_LOCAL:
		return "same link";
	case PP_CLASS_OWN:
		return "container";
	default:
		return "any client";
	}
}

static void format_ports(uint32_t first, uint32_t last, char out[static PORTS_TEXT])
{
	if (first == 0)
		snprintf(out, PORTS_TEXT, "(free)");
	else if (first == last)
		snprintf(out, PORTS_TEXT, "%u", first & 0xffff);
	else
		snprintf(out, PORTS_TEXT, "%u-%u", first & 0xffff, last & 0xffff);
}

static void format_endpoint(const char *address, const char *ports, char out[static HOST_TEXT])
{
	bool ipv6 = strchr(address, ':') != NULL;

	snprintf(out, HOST_TEXT, "%s%s%s:%s", ipv6 ? "[" : "", address, ipv6 ? "]" : "", ports);
}

/* Where the client knocks: for an every-address publication, the addresses that this way stands for. */
static void format_host(const struct pp_publication *publication, const struct pp_way *way,
			char out[static HOST_TEXT])
{
	char text[PP_ADDRESS_TEXT], ports[PORTS_TEXT];
	const char *address = pp_address_format(&publication->address, text);
	bool ipv4 = way->family == AF_INET;

	if (pp_address_is_any(&publication->address)) {
		if (way->class == PP_CLASS_ANY || way->class == PP_CLASS_OWN)
			address = ipv4 ? "0.0.0.0" : "::";
		else if (way->class == PP_CLASS_LOOPBACK)
			address = ipv4 ? "127.0.0.1" : "::1";
		else
			address = "fe80::";
	}
	format_ports(publication->host_port, pp_publication_last(publication), ports);
	format_endpoint(address, ports, out);
}

/* The container's address of the client's family, or of the other one: userspace crosses over. */
static void format_container(const struct pp_publication *publication, const struct pp_way *way,
			     const struct pp_target *target, char out[static HOST_TEXT])
{
	const struct pp_address *own = pp_target_of(target, way->family);
	const struct pp_address *other = pp_target_of(target, way->family == AF_INET ? AF_INET6 : AF_INET);
	char address[PP_ADDRESS_TEXT], ports[PORTS_TEXT];

	format_ports(publication->container_port, publication->container_port + publication->count - 1U,
		     ports);
	pp_address_format(own->family != AF_UNSPEC ? own : other, address);
	format_endpoint(address[0] ? address : "container", ports, out);
}

static void print_ways(const struct pp_publication *publication, const struct explanation *explanation)
{
	static const char *const arrows[] = {
		[PP_PATH_KERNEL] = "==== kernel ====> ",
		[PP_PATH_USERSPACE] = "-- userspace ---> ",
		[PP_PATH_NONE] = "-- not carried --",
	};
	char hosts[PP_WAYS_MAX][HOST_TEXT], container[HOST_TEXT];
	struct pp_error ignored;
	struct pp_plan plan;
	int width = 0;

	if (pp_plan_make(publication, &explanation->request, &plan, &ignored) < 0)
		return;
	for (size_t i = 0; i < plan.count; i++) {
		format_host(publication, &plan.ways[i], hosts[i]);
		if ((int)strlen(hosts[i]) > width)
			width = (int)strlen(hosts[i]);
	}
	for (size_t i = 0; i < plan.count; i++) {
		format_container(publication, &plan.ways[i], &explanation->request.target, container);
		printf("  %-10s --> %-*s %s%s\n", client_of(&plan.ways[i]), width, hosts[i],
		       arrows[plan.ways[i].path], plan.ways[i].path == PP_PATH_NONE ? "" : container);
		printf("                 %s\n", plan.ways[i].reason);
	}
}

static void print_host_port(const struct pp_publication *publication)
{
	uint16_t first = publication->host_port, last = pp_publication_last(publication);
	const char *low = pp_port_class_name(pp_port_class(first)),
		   *high = pp_port_class_name(pp_port_class(last));
	const char *service = first == last ? cli_service_name(first, publication->protocol) : NULL;
	char ports[PORTS_TEXT];

	if (pp_publication_is_free(publication)) {
		printf("  host port       chosen when it is published, from ip_local_port_range\n");
		return;
	}
	format_ports(first, last, ports);
	printf("  host port       %s%s, %s%s%s%s%s\n",
	       pp_publication_is_pool(publication) ? "the first free one of " : "", ports, low,
	       low == high ? "" : " to ", low == high ? "" : high, service ? ", " : "",
	       service ? service : "");
}

static void print_container_port(const struct pp_publication *publication)
{
	const char *service;

	if (publication->count > 1)
		return;
	service = cli_service_name(publication->container_port, publication->protocol);
	if (service)
		printf("  container port  %u, %s\n", publication->container_port, service);
}

static void print_allow(const struct pp_networks *allow)
{
	char network[PP_NETWORK_TEXT];

	for (size_t i = 0; i < allow->count; i++)
		printf("%s%s", i ? ", " : "  allowed         ", pp_network_format(&allow->items[i], network));
	if (allow->count)
		puts(", and this host");
}

static void print_publication(const struct pp_publication *publication, const struct explanation *explanation)
{
	char text[PP_PUBLICATION_TEXT], reach[EXPLAIN_REACH_TEXT];
	char warnings[EXPLAIN_WARNINGS_MAX][EXPLAIN_WARNING_TEXT];
	size_t count;

	printf("%s\n\n", pp_publication_format(publication, text));
	print_ways(publication, explanation);
	printf("\n  open to         %s\n", explain_reach(publication, reach));
	print_allow(&explanation->request.allow);
	print_host_port(publication);
	print_container_port(publication);
	count = explain_warnings(publication, &explanation->request, warnings);
	for (size_t i = 0; i < count; i++)
		printf("  warning         %s\n", warnings[i]);
}

void explain_text(const struct explanation *explanation)
{
	const struct pp_publications *list = &explanation->request.publications;

	if (list->count == 0)
		puts("nothing to publish");
	for (size_t i = 0; i < list->count; i++) {
		if (i)
			putchar('\n');
		print_publication(&list->items[i], explanation);
	}
}
