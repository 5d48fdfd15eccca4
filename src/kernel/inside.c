/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Only what others can reach is told. Left out are listeners on the container's loopback addresses (Docker's
 * resolver has one in every container), and UDP sockets on ports that the kernel chose: those are clients.
 */
#include "inside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The ports that the kernel chooses from, in the namespace that the thread is in. */
struct port_range {
	unsigned int first, last;
};

static struct port_range read_ephemeral(void)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	struct port_range range = { 32768, 60999 }; /* the kernel's default */
	char line[64], *end;

	if (file && fgets(line, sizeof(line), file)) {
		range.first = (unsigned int)strtoul(line, &end, 10);
		range.last = (unsigned int)strtoul(end, NULL, 10);
	}
	if (file)
		fclose(file);
	return range;
}

static bool is_listener(const struct pp_socket *socket, struct port_range ephemeral)
{
	enum pp_address_class class = pp_address_class(&socket->address);

	if (class == PP_CLASS_LOOPBACK || class == PP_CLASS_LINK_LOCAL ||
	    pp_address_is_multicast(&socket->address))
		return false;
	return socket->protocol != PP_UDP || socket->port < ephemeral.first || socket->port > ephemeral.last;
}

static int compare_sockets(const void *left, const void *right)
{
	const struct pp_socket *a = left, *b = right;

	if (a->protocol != b->protocol)
		return (int)a->protocol - (int)b->protocol;
	if (a->port != b->port)
		return (int)a->port - (int)b->port;
	if (a->address.family != b->address.family)
		return (int)a->address.family - (int)b->address.family;
	return memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes));
}

/* Workers that share a port by SO_REUSEPORT have a socket each: one of them is told. */
static void keep_listeners(struct pp_sockets *list, struct port_range ephemeral)
{
	size_t kept = 0;

	if (list->count)
		qsort(list->items, list->count, sizeof(*list->items), compare_sockets);
	for (size_t i = 0; i < list->count; i++) {
		if (is_listener(&list->items[i], ephemeral) &&
		    (kept == 0 || compare_sockets(&list->items[kept - 1], &list->items[i]) != 0))
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}

static int read_here(struct pp_container *container)
{
	struct pp_error ignored;
	int ret = pp_interface_addresses_read(&container->addresses, &ignored);

	for (int i = 0; ret == 0 && i < PP_PROTOCOL_COUNT; i++)
		ret = pp_sockets_read((enum pp_protocol)i, 0, &container->sockets, &ignored);
	if (ret < 0) {
		pp_container_fini(container);
		return ret;
	}
	pp_interface_addresses_keep_offered(&container->addresses);
	keep_listeners(&container->sockets, read_ephemeral());
	return 0;
}

int pp_inside_read(const struct pp_home *home, int netns, struct pp_container *container,
		   struct pp_error *err)
{
	int ret = pp_home_leave(home, netns);

	container->closed = -ret;
	if (ret < 0)
		return 0;
	container->closed = -read_here(container);
	return pp_home_return(home, err);
}
