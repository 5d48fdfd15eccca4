/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/hold.h"

#include "portpub/array.h"
#include "portpub/descriptors.h"
#include "portpub/holder.h"
#include "portpub/listen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { OTHER_DESCRIPTORS = 16 };

void pp_held_fini(struct pp_held *held)
{
	for (size_t i = 0; i < held->count; i++) {
		if (held->items[i].fd >= 0)
			close(held->items[i].fd);
	}
	free(held->items);
	*held = PP_HELD_INIT;
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
static int fail_taken(const struct pp_publication *publication, uint16_t port, struct pp_error *err)
{
	struct pp_publication one = *publication;
	struct pp_holders holders = PP_HOLDERS_INIT;
	char text[PP_PUBLICATION_TEXT], words[PP_HOLDER_WORDS] = "in use";
	struct pp_error ignored;

	one.container_port = (uint16_t)(one.container_port + (port - one.host_port));
	one.host_port = port;
	one.count = 1;
	(void)pp_holders_find(one.protocol, port, &holders, &ignored);
	for (size_t i = holders.count; i-- > 0;) {
		if (pp_address_overlaps(&holders.items[i].address, &one.address))
			pp_holder_describe(&holders.items[i], words);
	}
	pp_holders_fini(&holders);
	return pp_fail(err, EADDRINUSE, "%s: already %s", pp_publication_format(&one, text), words);
}

static int fail_privileged(uint16_t port, struct pp_error *err)
{
	return pp_fail(err, EACCES,
		       "port %u is for root: sysctl net.ipv4.ip_unprivileged_port_start=%u would allow it",
		       port, port);
}

static int open_one(const struct pp_request *request, const struct pp_publication *publication, uint16_t port,
		    int *fd, struct pp_error *err)
{
	int ret = listen_at(publication, port, &request->allow, fd, err);

	if (ret == -EADDRINUSE && !pp_publication_is_pool(publication) && port)
		return fail_taken(publication, port, err);
	if (ret == -EACCES && port < IPPORT_RESERVED)
		return fail_privileged(port, err);
	return ret;
}

static int keep(struct pp_held *held, int fd, enum pp_protocol protocol, uint16_t container_port,
		struct pp_error *err)
{
	struct pp_held_port *items = pp_grown(held->items, held->count, &held->capacity, sizeof(*items));

	if (!items) {
		close(fd);
		return pp_fail(err, ENOMEM, "out of memory");
	}
	held->items = items;
	held->items[held->count++] = (struct pp_held_port){ fd, protocol, container_port };
	return 0;
}

static int hold_range(const struct pp_request *request, const struct pp_publication *range,
		      struct pp_held *held, struct pp_error *err)
{
	int ret = 0, fd;

	for (uint16_t i = 0; ret == 0 && i < range->count; i++) {
		ret = open_one(request, range, (uint16_t)(range->host_port + i), &fd, err);
		if (ret == 0)
			ret = keep(held, fd, range->protocol, (uint16_t)(range->container_port + i), err);
	}
	return ret;
}

static int fail_exhausted(const struct pp_publication *pool, struct pp_error *err)
{
	char text[PP_PUBLICATION_TEXT];

	return pp_fail(err, EADDRINUSE, "%s: every port of the range is taken",
		       pp_publication_format(pool, text));
}

static int hold_pool(const struct pp_request *request, struct pp_publication *pool, struct pp_held *held,
		     struct pp_error *err)
{
	int ret = -EADDRINUSE, fd;
	uint32_t port = pool->host_port;

	while (ret == -EADDRINUSE && port <= pool->host_port_last)
		ret = open_one(request, pool, (uint16_t)port++, &fd, err);
	if (ret == -EADDRINUSE)
		return fail_exhausted(pool, err);
	if (ret < 0)
		return ret;
	pool->host_port = (uint16_t)(port - 1);
	pool->host_port_last = 0;
	return keep(held, fd, pool->protocol, pool->container_port, err);
}

static int hold_free(const struct pp_request *request, struct pp_publication *one, struct pp_held *held,
		     struct pp_error *err)
{
	int fd, ret = open_one(request, one, 0, &fd, err);
	enum pp_protocol protocol;
	struct pp_address address;

	if (ret < 0)
		return ret;
	pp_listen_look(fd, &protocol, &address, &one->host_port);
	return keep(held, fd, one->protocol, one->container_port, err);
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

/* Each free port becomes a publication of its own, in its place. */
static int spread_free(struct pp_publications *list, struct pp_error *err)
{
	struct pp_publications spread = PP_PUBLICATIONS_INIT;
	int ret = pp_publications_spread(list, &spread, err);

	if (ret < 0) {
		pp_publications_fini(&spread);
		return ret;
	}
	pp_publications_fini(list);
	*list = spread;
	return 0;
}

/* What is asked for exactly comes before what can be had elsewhere. */
static int hold_all(struct pp_request *request, struct pp_held *held, struct pp_error *err)
{
	struct pp_publications *list = &request->publications;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		if (!pp_publication_is_pool(&list->items[i]) && !pp_publication_is_free(&list->items[i]))
			ret = hold_range(request, &list->items[i], held, err);
	}
	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		if (pp_publication_is_pool(&list->items[i]))
			ret = hold_pool(request, &list->items[i], held, err);
	}
	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		if (pp_publication_is_free(&list->items[i]))
			ret = hold_free(request, &list->items[i], held, err);
	}
	return ret;
}

int pp_hold(struct pp_request *request, struct pp_held *out, struct pp_error *err)
{
	struct pp_held held = PP_HELD_INIT;
	int ret = make_room(count_ports(&request->publications), err);

	if (ret == 0)
		ret = spread_free(&request->publications, err);
	if (ret == 0)
		ret = hold_all(request, &held, err);
	if (ret < 0) {
		pp_held_fini(&held);
		return ret;
	}
	*out = held;
	return 0;
}

int pp_held_forward(struct pp_held *held, const struct pp_target *target, struct pp_forwarder *forwarder,
		    struct pp_error *err)
{
	for (size_t i = 0; i < held->count; i++) {
		struct pp_held_port *port = &held->items[i];
		int ret = pp_forwarder_add(forwarder, port->fd, port->protocol, target, port->container_port,
					   err);

		if (ret < 0)
			return ret;
		port->fd = -1;
	}
	return 0;
}
