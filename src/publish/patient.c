/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The container of a publication, if it is on this host, and what it listens on. */
#include "doctor.h"

#include "portpub/route.h"

#include <errno.h>
#include <string.h>

unsigned int patient_classes(const struct patient *patient, sa_family_t family)
{
	unsigned int classes = 0;

	for (size_t i = 0; i < patient->plan.count; i++) {
		const struct pp_way *way = &patient->plan.ways[i];

		if (way->family == family && way->path == PP_PATH_KERNEL)
			classes |= 1U << way->class;
	}
	return classes;
}

bool patient_is_open(const struct patient *patient, sa_family_t family)
{
	return patient_classes(patient, family) & (1U << PP_CLASS_ANY | 1U << PP_CLASS_SPECIFIC);
}

static bool has_address(const struct pp_container *container, const struct pp_address *address)
{
	for (size_t i = 0; address->family != AF_UNSPEC && i < container->addresses.count; i++) {
		if (pp_address_compare(&container->addresses.items[i].address, address) == 0)
			return true;
	}
	return false;
}

static bool is_target(const struct pp_container *container, const struct pp_target *target)
{
	return has_address(container, &target->ipv4) || has_address(container, &target->ipv6);
}

/* The one that has the address; of several, which only their own networks know, the one of the record's process. */
static const struct pp_container *find(const struct doctor *doctor, const struct patient *patient)
{
	const struct pp_container *found = NULL;
	size_t count = 0;

	for (size_t i = 0; i < doctor->containers.count; i++) {
		const struct pp_container *container = &doctor->containers.items[i];

		if (!is_target(container, &patient->record->request.target))
			continue;
		if (container->pid == patient->record->pid)
			return container;
		found = container;
		count++;
	}
	return count == 1 ? found : NULL;
}

struct looking {
	struct patient *patient;
	struct pp_sockets sockets;
	bool known; /* who listens */
	struct pp_address client[2];
};

static unsigned int interface_of(const struct pp_container *container, const struct pp_address *address)
{
	for (size_t i = 0; i < container->addresses.count; i++) {
		if (pp_address_compare(&container->addresses.items[i].address, address) == 0)
			return container->addresses.items[i].index;
	}
	return 0;
}

/* In the container: how its answers get to a client outside. */
static void look_for_way_back(struct patient *patient, size_t f, const struct pp_address *client)
{
	unsigned int index = interface_of(&patient->container, target_of(patient, pp_families[f]));
	char interface[IF_NAMESIZE];
	struct pp_error ignored;

	patient->no_way_back[f] = pp_route_interface(client, interface, &ignored) < 0;
	patient->other_way_back[f] = !patient->no_way_back[f] && index && if_nametoindex(interface) != index;
}

/* In the container. */
static void look(void *data)
{
	struct looking *looking = data;
	struct patient *patient = looking->patient;
	const struct pp_publication *publication = patient->publication;
	struct pp_error ignored;

	looking->known = pp_sockets_read(publication->protocol,
					 publication->count == 1 ? publication->container_port : 0,
					 &looking->sockets, &ignored) == 0 &&
			 (publication->protocol != PP_SCTP ||
			  looking->sockets.count); /* a module tells, or nobody */
	for (size_t f = 0; f < 2; f++) {
		if (looking->client[f].family != AF_UNSPEC)
			look_for_way_back(patient, f, &looking->client[f]);
	}
}

static enum listening better(enum listening a, enum listening b)
{
	return a < b ? a : b;
}

static enum listening listening_at(const struct pp_sockets *sockets, uint16_t port,
				   const struct pp_address *target)
{
	enum listening listening = LISTENING_NOT;

	for (size_t i = 0; i < sockets->count; i++) {
		const struct pp_socket *socket = &sockets->items[i];

		if (socket->port != port)
			continue;
		if (pp_socket_overlaps(socket, target))
			return LISTENING;
		listening = better(listening, pp_address_class(&socket->address) == PP_CLASS_LOOPBACK
						      ? LISTENING_LOOPBACK
						      : LISTENING_ELSEWHERE);
	}
	return listening;
}

/* Of a range, the first port that somebody listens on. */
static void choose_port(struct patient *patient, const struct pp_sockets *sockets)
{
	const struct pp_publication *publication = patient->publication;
	uint16_t first = publication->count;

	for (size_t i = 0; i < sockets->count; i++) {
		unsigned int offset = (unsigned int)sockets->items[i].port - publication->container_port;

		if (sockets->items[i].port >= publication->container_port && offset < first)
			first = (uint16_t)offset;
	}
	patient->offset = first < publication->count ? first : 0;
}

int look_into_container(const struct doctor *doctor, struct patient *patient, struct pp_error *err)
{
	const struct pp_container *container = find(doctor, patient);
	struct looking looking = { .patient = patient };
	int ret;

	if (!container) {
		note(&patient->diagnosis.notes,
		     "the container is not to be found on this host: what it listens on is not known%s",
		     doctor->containers.hidden ? "; not all processes could be looked into" : "");
		return 0;
	}
	patient->container = *container;
	for (size_t f = 0; doctor->outside && f < 2; f++)
		looking.client[f] = *pp_outside_client(doctor->outside, pp_families[f]);
	ret = pp_container_visit(container, look, &looking, err);
	if (ret == 0) {
		choose_port(patient, &looking.sockets);
		for (size_t f = 0; looking.known && f < 2; f++)
			patient->listening[f] = listening_at(&looking.sockets, container_port_of(patient),
							     target_of(patient, pp_families[f]));
	} else if (ret != -EIO) {
		note(&patient->diagnosis.notes, "%s", err->message);
	}
	pp_sockets_fini(&looking.sockets);
	return ret == -EIO ? ret : 0;
}
