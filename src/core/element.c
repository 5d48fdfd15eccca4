/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/element.h"

#include <assert.h>
#include <string.h>

const char *pp_map_name(enum pp_map map)
{
	static const char *const names[] = {
		[PP_MAP_HOST4] = "host4",
		[PP_MAP_ANY4] = "any4",
		[PP_MAP_HOST6] = "host6",
		[PP_MAP_ANY6] = "any6",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == PP_MAP_COUNT, "a name for each map");

	return names[map];
}

static enum pp_map map_of(sa_family_t family, bool any)
{
	if (family == AF_INET)
		return any ? PP_MAP_ANY4 : PP_MAP_HOST4;
	return any ? PP_MAP_ANY6 : PP_MAP_HOST6;
}

/*
 * Is what @publication opens in @family carried by the kernel? The way of its own class of address counts:
 * an any-address element covers 127/8, and the rules leave ::1 and fe80::/10 out.
 */
static bool in_kernel(const struct pp_elements *walk, const struct pp_publication *publication,
		      sa_family_t family)
{
	enum pp_address_class class = pp_address_class(&publication->address);
	struct pp_error ignored; /* a plan that cannot be made carries nothing */
	struct pp_plan plan;

	if (pp_plan_make(publication, walk->request, walk->host, &plan, &ignored) < 0)
		return false;
	for (size_t i = 0; i < plan.count; i++) {
		if (plan.ways[i].family == family && plan.ways[i].class == class)
			return plan.ways[i].path == PP_PATH_KERNEL;
	}
	return false;
}

static void fill(const struct pp_elements *walk, const struct pp_publication *publication,
		 struct pp_element *out)
{
	sa_family_t family = pp_families[walk->family];

	*out = (struct pp_element){
		.map = map_of(family, pp_address_is_any(&publication->address)),
		.protocol = publication->protocol,
		.address = publication->address,
		.host_port = (uint16_t)(publication->host_port + walk->port),
		.target = *pp_target_of(&walk->request->target, family),
		.container_port = (uint16_t)(publication->container_port + walk->port),
		.publication = walk->publication,
	};
}

bool pp_elements_next(struct pp_elements *walk, struct pp_element *out)
{
	const struct pp_publications *list = &walk->request->publications;

	for (; walk->publication < list->count; walk->publication++, walk->family = 0) {
		const struct pp_publication *publication = &list->items[walk->publication];

		if (pp_publication_is_free(publication))
			continue;
		for (; walk->family < 2; walk->family++, walk->port = 0) {
			if (walk->port == publication->count ||
			    (walk->port == 0 && !in_kernel(walk, publication, pp_families[walk->family])))
				continue;
			fill(walk, publication, out);
			walk->port++;
			return true;
		}
	}
	return false;
}

static bool opens(const struct pp_publication *publication, sa_family_t family)
{
	return publication->address.family == AF_UNSPEC || publication->address.family == family;
}

void pp_ports_of_this_host(const struct pp_request *request, const struct pp_host *host, sa_family_t family,
			   struct pp_port_set *out)
{
	const struct pp_publications *list = &request->publications;

	memset(out, 0, sizeof(*out));
	if (request->via == PP_VIA_USERSPACE || host->no_nftables || host->no_admin)
		return;
	for (size_t i = 0; i < list->count; i++) {
		if (pp_plan_reach(&list->items[i]) == PP_REACH_HOST)
			pp_port_set_change(out, &list->items[i], true);
	}
	for (size_t i = 0; i < list->count; i++) {
		if (pp_plan_reach(&list->items[i]) != PP_REACH_HOST && opens(&list->items[i], family))
			pp_port_set_change(out, &list->items[i], false);
	}
}
