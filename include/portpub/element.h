/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the kernel is told for a request: an element of a map for each host port that it carries, and of a
 * set for each container port that must not be reached past this host. Whoever prints, sends or compares
 * them asks here, so that there is one truth.
 */
#ifndef PORTPUB_ELEMENT_H
#define PORTPUB_ELEMENT_H

#include "portpub/plan.h"
#include "portpub/port.h"

enum pp_map { PP_MAP_HOST4, PP_MAP_ANY4, PP_MAP_HOST6, PP_MAP_ANY6, PP_MAP_COUNT };

/* (protocol [. address] . host_port) -> (target . container_port) */
struct pp_element {
	enum pp_map map;
	enum pp_protocol protocol;
	struct pp_address address; /* the key of the host maps */
	uint16_t host_port;
	struct pp_address target;
	uint16_t container_port;
	size_t publication; /* its index in the request */
};

/* Where a walk over the elements is; begin with all but the first two zero. */
struct pp_elements {
	const struct pp_request *request;
	const struct pp_host *host;
	size_t publication, family;
	uint32_t port;
};

/*
 * The next element, in the order of the publications; false at the end. A pool stands for its first port,
 * a free port has no element: both are known once they are bound.
 */
bool pp_elements_next(struct pp_elements *walk, struct pp_element *out);

const char *pp_map_name(enum pp_map map);

/*
 * The container ports that are published for this host alone, and nowhere else in @family: other networks
 * are kept from them at the container's own address of that family, too. None where the kernel is left
 * alone.
 */
void pp_ports_of_this_host(const struct pp_request *request, const struct pp_host *host, sa_family_t family,
			   struct pp_port_set *out);

#endif
