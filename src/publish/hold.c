/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A port that is bound is nobody else's, and only binding it tells whether it is to be had: there is no asking first.
 * What is asked for exactly comes before what can be had elsewhere. Publications without a keeper have no sockets,
 * and are looked up where they matter: for pools and free ports, and where there will be no rules, which the kernel
 * would refuse.
 */
#include "hold.h"

#include "portpub/array.h"
#include "portpub/descriptors.h"
#include "portpub/holder.h"
#include "portpub/listen.h"
#include "portpub/port.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OTHER_DESCRIPTORS = 32, TRIES = 1000 };

void pp_held_fini(struct pp_held *held)
{
	for (size_t i = 0; i < held->count; i++) {
		if (held->items[i].fd >= 0)
			close(held->items[i].fd);
	}
	free(held->items);
	*held = PP_HELD_INIT;
}

static int append(struct pp_held *held, const struct pp_held_port *port, struct pp_error *err)
{
	struct pp_held_port *items = pp_grown(held->items, held->count, &held->capacity, sizeof(*items));

	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	held->items = items;
	held->items[held->count++] = *port;
	return 0;
}

int pp_held_append(struct pp_held *held, int fd, struct pp_error *err)
{
	struct pp_held_port port = { .fd = fd };

	if (!pp_listen_look(fd, &port.protocol, &port.address, &port.port))
		return pp_fail(err, EINVAL, "descriptor %d is no socket with a port", fd);
	return append(held, &port, err);
}

static bool has(const struct pp_publication *publication, const struct pp_held_port *port)
{
	const struct pp_address *address = &publication->address;

	if (publication->protocol != port->protocol || port->port < publication->host_port ||
	    port->port - publication->host_port >= publication->count)
		return false;
	if (address->family == AF_UNSPEC) /* of IPv4 alone, where IPv6 is switched off */
		return pp_address_is_any(&port->address);
	return address->family == port->address.family && pp_address_compare(address, &port->address) == 0;
}

uint16_t pp_held_leads_to(const struct pp_held_port *port, const struct pp_publications *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (has(&list->items[i], port))
			return (uint16_t)(list->items[i].container_port +
					  (port->port - list->items[i].host_port));
	}
	return 0;
}

/* What is at hand while ports are chosen. */
struct choice {
	const struct holding *holding;
	bool by_rules;
	struct pp_entries others; /* what other publications have in the kernel's maps */
	struct pp_port_set ports; /* of those */
	struct pp_publications *list;
	struct pp_held *held;
};

static bool is_published(const struct choice *choice, const struct pp_publication *publication, uint16_t port)
{
	return pp_port_set_has(&choice->ports, publication->protocol, port) &&
	       ports_is_published(&choice->others, publication, port);
}

/* A socket that is held already, for @publication at @port; -1 where there is none. */
static int take_over(struct pp_held *had, const struct pp_publication *publication, uint16_t port)
{
	struct pp_publication one = *publication;

	one.host_port = port;
	one.count = 1;
	for (size_t i = 0; had && port && i < had->count; i++) {
		int fd = had->items[i].fd;

		if (fd < 0 || !has(&one, &had->items[i]))
			continue;
		had->items[i].fd = -1;
		return fd;
	}
	return -1;
}

/* Where IPv6 is switched off, every address is every address of IPv4. */
static int listen_at(const struct pp_publication *publication, uint16_t port, const struct pp_networks *allow,
		     int *fd, struct pp_error *err)
{
	static const struct pp_address any4 = { .family = AF_INET };
	int ret = pp_listen(publication->protocol, &publication->address, port, allow, fd, err);

	if ((ret == -EAFNOSUPPORT || ret == -EADDRNOTAVAIL) && publication->address.family == AF_UNSPEC)
		ret = pp_listen(publication->protocol, &any4, port, allow, fd, err);
	return ret;
}

/* In the words of the other commands, with who has it where that can be told. */
static int fail_taken(const struct choice *choice, const struct pp_publication *publication, uint16_t port,
		      struct pp_error *err)
{
	struct pp_publication one = *publication;
	char text[PP_PUBLICATION_TEXT], words[PP_HOLDER_WORDS];

	one.container_port = (uint16_t)(one.container_port + (port - one.host_port));
	one.host_port = port;
	one.count = 1;
	pp_holder_of(choice->holding->store, one.protocol, port, &one.address, words);
	return pp_fail(err, EADDRINUSE, "%s: already %s", pp_publication_format(&one, text), words);
}

static int fail_privileged(uint16_t port, struct pp_error *err)
{
	return pp_fail(err, EACCES,
		       "port %u is for root: sysctl net.ipv4.ip_unprivileged_port_start=%u would allow it",
		       port, port);
}

/* A socket for @port, 0 for a free one. 0 without a socket: it is left to the rules. */
static int open_one(const struct choice *choice, const struct pp_publication *publication, uint16_t port,
		    int *fd, struct pp_error *err)
{
	int ret;

	*fd = take_over(choice->holding->had, publication, port);
	if (*fd >= 0)
		return 0;
	ret = listen_at(publication, port, choice->holding->allow, fd, err);
	if (ret == -EPROTONOSUPPORT && choice->by_rules && port)
		return 0;
	if (ret == -EACCES && port < IPPORT_RESERVED)
		return fail_privileged(port, err);
	return ret;
}

static int keep(const struct choice *choice, int fd, struct pp_error *err)
{
	int ret = fd < 0 ? 0 : pp_held_append(choice->held, fd, err);

	if (ret < 0)
		close(fd);
	return ret;
}

static int hold_range(const struct choice *choice, const struct pp_publication *range, struct pp_error *err)
{
	int ret = 0, fd;

	for (uint16_t i = 0; ret == 0 && i < range->count; i++) {
		uint16_t port = (uint16_t)(range->host_port + i);

		if (is_published(choice, range, port))
			return fail_taken(choice, range, port, err);
		ret = open_one(choice, range, port, &fd, err);
		if (ret == -EADDRINUSE)
			return fail_taken(choice, range, port, err);
		if (ret == 0)
			ret = keep(choice, fd, err);
	}
	return ret;
}

static bool is_free_of_rules(const struct choice *choice, const struct pp_publication *publication,
			     uint16_t port)
{
	return !ports_is_wanted(choice->list, publication, port) && !is_published(choice, publication, port);
}

static int hold_pool(const struct choice *choice, struct pp_publication *pool, struct pp_error *err)
{
	char text[PP_PUBLICATION_TEXT];

	for (uint32_t port = pool->host_port; port <= pool->host_port_last; port++) {
		int fd, ret;

		if (!is_free_of_rules(choice, pool, (uint16_t)port))
			continue;
		ret = open_one(choice, pool, (uint16_t)port, &fd, err);
		if (ret == -EADDRINUSE)
			continue;
		if (ret < 0)
			return ret;
		pool->host_port = (uint16_t)port;
		pool->host_port_last = 0;
		return keep(choice, fd, err);
	}
	return pp_fail(err, EADDRINUSE, "%s: every host port of the pool is taken",
		       pp_publication_format(pool, text));
}

/* What is given and is another publication's stays bound for a while, so that the next is another. */
static int hold_free(const struct choice *choice, struct pp_publication *one, struct pp_error *err)
{
	char text[PP_PUBLICATION_TEXT];
	struct pp_held rejected = PP_HELD_INIT;
	int ret = 0, fd;

	for (int i = 0; ret == 0 && one->host_port == 0 && i < TRIES; i++) {
		struct pp_held_port port = { .fd = -1 };

		ret = open_one(choice, one, 0, &fd, err);
		if (ret < 0)
			break;
		port.fd = fd;
		pp_listen_look(fd, &port.protocol, &port.address, &port.port);
		if (is_free_of_rules(choice, one, port.port))
			one->host_port = port.port;
		ret = append(one->host_port ? choice->held : &rejected, &port, err);
		if (ret < 0)
			close(fd);
	}
	pp_held_fini(&rejected);
	if (ret == -EADDRINUSE || (ret == 0 && one->host_port == 0))
		return pp_fail(err, EADDRINUSE, "%s: no free port was found in net.ipv4.ip_local_port_range",
			       pp_publication_format(one, text));
	return ret;
}

static size_t count_ports(const struct pp_publications *list)
{
	size_t ports = 0;

	for (size_t i = 0; i < list->count; i++)
		ports += list->items[i].count;
	return ports;
}

/* A descriptor for each port, and some for clients. */
static int make_room(size_t ports, struct pp_error *err)
{
	unsigned long long limit = pp_descriptors_raise();

	if (ports + OTHER_DESCRIPTORS <= limit)
		return 0;
	return pp_fail(err, EMFILE,
		       "%zu ports need a descriptor each, and this process may have %llu: "
		       "raise the limit (ulimit -n)",
		       ports, limit);
}

static int hold_all(const struct choice *choice, struct pp_error *err)
{
	struct pp_publications *list = choice->list;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		if (!pp_publication_is_pool(&list->items[i]) && !pp_publication_is_free(&list->items[i]))
			ret = hold_range(choice, &list->items[i], err);
	}
	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		if (pp_publication_is_pool(&list->items[i]))
			ret = hold_pool(choice, &list->items[i], err);
	}
	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		if (pp_publication_is_free(&list->items[i]))
			ret = hold_free(choice, &list->items[i], err);
	}
	return ret;
}

static int read_others(struct choice *choice, struct pp_error *err)
{
	int ret = ports_read_published(choice->holding->ports, &choice->others, err);

	for (size_t i = 0; ret == 0 && i < choice->others.count; i++) {
		const struct pp_entry *entry = &choice->others.items[i];
		struct pp_publication one = { .protocol = pp_entry_protocol(entry),
					      .container_port = pp_entry_port(entry),
					      .count = 1 };

		pp_port_set_change(&choice->ports, &one, true);
	}
	return ret;
}

int hold_ports(const struct holding *holding, const struct pp_publications *asked, bool by_rules,
	       struct pp_publications *out, struct pp_held *held, struct pp_error *err)
{
	struct choice *choice = calloc(1, sizeof(*choice));
	int ret;

	if (!choice)
		return pp_fail(err, ENOMEM, "out of memory");
	*choice = (struct choice){ .holding = holding, .by_rules = by_rules, .list = out, .held = held };
	ret = make_room(count_ports(asked), err);
	if (ret == 0)
		ret = pp_publications_spread(asked, out, err);
	if (ret == 0 && (!by_rules || !ports_are_exact(asked)))
		ret = read_others(choice, err);
	if (ret == 0)
		ret = hold_all(choice, err);
	pp_entries_fini(&choice->others);
	free(choice);
	if (ret < 0) {
		pp_held_fini(held);
		out->count = 0;
	}
	return ret;
}
