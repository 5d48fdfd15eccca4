/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which container is meant, told by what it listens on, and by which addresses this host gets there. */
#include "portpub/container.h"

#include "portpub/route.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* The first socket at or behind @port, which may be the end of the list. */
static size_t first_at(const struct pp_sockets *sockets, enum pp_protocol protocol, uint16_t port)
{
	size_t low = 0, high = sockets->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct pp_socket *socket = &sockets->items[middle];

		if (socket->protocol < protocol || (socket->protocol == protocol && socket->port < port))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

/* Whether the socket at @at is there, and listens on one of the container ports of @publication. */
static bool is_for(const struct pp_sockets *sockets, size_t at, const struct pp_publication *publication)
{
	return at < sockets->count && sockets->items[at].protocol == publication->protocol &&
	       sockets->items[at].port < publication->container_port + publication->count;
}

bool pp_container_listens(const struct pp_container *container, const struct pp_publication *publication)
{
	const struct pp_sockets *sockets = &container->sockets;

	return is_for(sockets, first_at(sockets, publication->protocol, publication->container_port),
		      publication);
}

/* What nobody listens for is not held against any address: it may come later. */
static bool listens_at(const struct pp_container *container, const struct pp_publication *publication,
		       const struct pp_address *address)
{
	const struct pp_sockets *sockets = &container->sockets;
	size_t first = first_at(sockets, publication->protocol, publication->container_port);

	for (size_t i = first; is_for(sockets, i, publication); i++) {
		if (pp_socket_overlaps(&sockets->items[i], address))
			return true;
	}
	return !is_for(sockets, first, publication);
}

static bool listens_at_for_all(const struct pp_container *container,
			       const struct pp_publications *publications, const struct pp_address *address)
{
	for (size_t i = 0; publications && i < publications->count; i++) {
		if (!listens_at(container, &publications->items[i], address))
			return false;
	}
	return true;
}

static struct pp_address address_of(const struct pp_container *container,
				    const struct pp_publications *publications, sa_family_t family)
{
	for (size_t i = 0; i < container->addresses.count; i++) {
		const struct pp_address *address = &container->addresses.items[i].address;

		if (address->family == family && listens_at_for_all(container, publications, address) &&
		    pp_route_reaches(address))
			return *address;
	}
	return (struct pp_address){ .family = AF_UNSPEC };
}

bool pp_container_target(const struct pp_container *container, const struct pp_publications *publications,
			 struct pp_target *out)
{
	out->ipv4 = address_of(container, publications, AF_INET);
	out->ipv6 = address_of(container, publications, AF_INET6);
	return pp_target_is_known(out);
}

static bool listens_for_all(const struct pp_container *container, const struct pp_publications *publications)
{
	for (size_t i = 0; i < publications->count; i++) {
		if (!pp_container_listens(container, &publications->items[i]))
			return false;
	}
	return true;
}

/* Those that listen for all come first; how many they are. */
static size_t sort_out(struct pp_containers *list, const struct pp_publications *publications)
{
	size_t fit = 0;

	for (size_t i = 0; i < list->count; i++) {
		struct pp_container container = list->items[i];

		if (listens_for_all(&container, publications)) {
			memmove(&list->items[fit + 1], &list->items[fit], (i - fit) * sizeof(container));
			list->items[fit++] = container;
		}
	}
	return fit;
}

static void cut(struct pp_containers *list, size_t count)
{
	while (list->count > count)
		pp_container_fini(&list->items[--list->count]);
}

enum { TOLD = 3, PORTS_TEXT = 128 };

/* "80/tcp, 8000-8010/tcp and 7 more" */
static void format_ports(const struct pp_publications *publications, char out[static PORTS_TEXT])
{
	size_t used = 0, told = publications->count > TOLD ? TOLD : publications->count;

	for (size_t i = 0; i < told; i++) {
		const struct pp_publication *publication = &publications->items[i];
		unsigned int last = publication->container_port + publication->count - 1U;
		const char *separator = i == 0 ? "" : i + 1 == publications->count ? " and " : ", ";
		char end[16] = "";

		if (publication->count > 1)
			snprintf(end, sizeof(end), "-%u", last);
		used += (size_t)snprintf(out + used, PORTS_TEXT - used, "%s%u%s/%s", separator,
					 publication->container_port, end,
					 pp_protocol_name(publication->protocol));
	}
	if (told < publications->count)
		snprintf(out + used, PORTS_TEXT - used, " and %zu more", publications->count - told);
}

static bool is_all(const struct pp_containers *list)
{
	bool all = !list->hidden;

	for (size_t i = 0; i < list->count; i++)
		all &= list->items[i].closed == 0;
	return all;
}

static int fail_none(const struct pp_containers *list, const char *ports, struct pp_error *err)
{
	const char *more = is_all(list) ? "" : "; not all processes of this host could be looked into";

	if (list->count == 0)
		return pp_fail(err, ENOENT,
			       "no container is to be found here: say where to by --to ADDRESS%s", more);
	return pp_fail(err, ENOENT, "no container listens on %s: choose one by --pid PID or --to ADDRESS%s",
		       ports, more);
}

int pp_containers_choose(struct pp_containers *list, const struct pp_publications *publications,
			 struct pp_error *err)
{
	size_t fit = sort_out(list, publications);
	char ports[PORTS_TEXT] = "";

	format_ports(publications, ports);
	if (fit == 0)
		return fail_none(list, ports, err);
	cut(list, fit);
	if (fit > 1)
		return pp_fail(err, ENOTUNIQ,
			       "%zu containers listen on %s: choose one by --pid PID or --to ADDRESS", fit,
			       ports);
	return 0;
}

int pp_container_find(const struct pp_publications *publications, struct pp_containers *out,
		      struct pp_error *err)
{
	int ret = pp_containers_read(out, err);

	return ret < 0 ? ret : pp_containers_choose(out, publications, err);
}
