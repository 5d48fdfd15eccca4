/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A host port may be taken by a publication, which the kernel's maps know, or by a socket, which sock_diag
 * tells. The kernel itself refuses an element that is there; what it cannot see is that an element for one
 * address and one for any address are the same port, so that is looked up here.
 *
 * Exact ports have been seen to by conflict.c. Pools come next: of each the first port that neither has, as they were
 * read. Free ports come last, and are bound for real, since only so the kernel says which it would give; they stay
 * bound until the batch is in, so that nobody else is given the same.
 */
#include "ports.h"

#include "portpub/array.h"
#include "portpub/descriptors.h"
#include "portpub/holder.h"
#include "portpub/port.h"
#include "portpub/process.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	FEW = 16 /* questions that are cheaper than reading all */,
	TRIES = 1000,
};

void held_fini(struct held *held)
{
	for (size_t i = 0; i < held->count; i++)
		close(held->sockets[i]);
	free(held->sockets);
	*held = HELD_INIT;
}

/* What is taken, by protocol: all elements of the maps, all sockets. Read once for a list of pools. */
struct taken {
	struct pp_entries entries;
	struct pp_sockets sockets;
};

static void taken_fini(struct taken *taken)
{
	pp_entries_fini(&taken->entries);
	pp_sockets_fini(&taken->sockets);
}

/* For whom to look, and what for; the latter may be NULL. */
struct filter {
	const char *id;
	const struct pp_port_set *ports;
};

static bool keep_others(const struct pp_entry *entry, void *data)
{
	const struct filter *filter = data;

	return strcmp(entry->owner, filter->id) != 0 &&
	       (!filter->ports ||
		pp_port_set_has(filter->ports, pp_entry_protocol(entry), pp_entry_port(entry)));
}

static int read_map(const struct ports *ports, enum pp_set set, const struct pp_port_set *of,
		    struct pp_entries *out, struct pp_error *err)
{
	struct filter filter = { ports->id, of };
	int ret = 0;

	if (!ports->wanted && !pp_nft_is_open(ports->nft))
		return 0;
	if (!ports->wanted)
		return pp_nft_read(ports->nft, set, keep_others, &filter, out, err);
	for (size_t i = 0; ret == 0 && i < ports->wanted->count; i++) {
		const struct pp_entry *entry = &ports->wanted->items[i];

		if (entry->set == set && keep_others(entry, &filter))
			ret = pp_entries_append(out, entry, err);
	}
	return ret;
}

int ports_read_published(const struct ports *ports, struct pp_entries *out, struct pp_error *err)
{
	int ret = 0;

	for (int set = PP_SET_HOST4; ret == 0 && set <= PP_SET_ANY6; set++)
		ret = read_map(ports, (enum pp_set)set, NULL, out, err);
	return ret;
}

static int read_taken(const struct ports *ports, struct taken *taken, struct pp_error *err)
{
	int ret = ports_read_published(ports, &taken->entries, err);

	for (int protocol = 0; ret == 0 && protocol < PP_PROTOCOL_COUNT; protocol++)
		ret = pp_sockets_read_bound((enum pp_protocol)protocol, 0, &taken->sockets, err);
	return ret;
}

bool ports_is_published(const struct pp_entries *published, const struct pp_publication *publication,
			uint16_t port)
{
	for (size_t i = 0; i < published->count; i++) {
		const struct pp_entry *entry = &published->items[i];
		struct pp_address theirs;

		if (pp_entry_port(entry) != port || pp_entry_protocol(entry) != publication->protocol)
			continue;
		theirs = pp_entry_address(entry);
		if (pp_address_overlaps(&theirs, &publication->address))
			return true;
	}
	return false;
}

static bool is_held(const struct taken *taken, enum pp_protocol protocol, const struct pp_address *address,
		    uint16_t port)
{
	for (size_t i = 0; i < taken->sockets.count; i++) {
		const struct pp_socket *socket = &taken->sockets.items[i];

		if (socket->port == port && socket->protocol == protocol &&
		    pp_socket_overlaps(socket, address))
			return true;
	}
	return false;
}

static bool is_exact(const struct pp_publication *publication)
{
	return !pp_publication_is_pool(publication) && !pp_publication_is_free(publication);
}

bool ports_is_wanted(const struct pp_publications *list, const struct pp_publication *publication,
		     uint16_t port)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct pp_publication *p = &list->items[i];

		if (p->protocol == publication->protocol && is_exact(p) && port >= p->host_port &&
		    port - p->host_port < p->count && pp_address_overlaps(&p->address, &publication->address))
			return true;
	}
	return false;
}

static bool is_to_be_had(const struct taken *taken, const struct pp_publications *list,
			 const struct pp_publication *publication, uint16_t port)
{
	return !ports_is_wanted(list, publication, port) &&
	       !ports_is_published(&taken->entries, publication, port) &&
	       !is_held(taken, publication->protocol, &publication->address, port);
}

static int choose_of_pool(const struct taken *taken, const struct pp_publications *list,
			  struct pp_publication *pool, struct pp_error *err)
{
	char text[PP_PUBLICATION_TEXT];

	for (uint32_t port = pool->host_port; port <= pool->host_port_last; port++) {
		if (is_to_be_had(taken, list, pool, (uint16_t)port)) {
			pool->host_port = (uint16_t)port;
			pool->host_port_last = 0;
			return 0;
		}
	}
	return pp_fail(err, EADDRINUSE, "%s: every host port of the pool is taken",
		       pp_publication_format(pool, text));
}

static int hold(struct held *held, int fd)
{
	int *sockets = pp_grown(held->sockets, held->count, &held->capacity, sizeof(*sockets));

	if (!sockets)
		return -ENOMEM;
	held->sockets = sockets;
	held->sockets[held->count++] = fd;
	return 0;
}

/*
 * Bind *@port, or any where it is 0. One socket for both families where the address is of both. Returns the socket,
 * or a negative errno.
 */
static int bind_port(const struct pp_publication *publication, uint16_t *port)
{
	static const int types[] = { [PP_TCP] = SOCK_STREAM, [PP_UDP] = SOCK_DGRAM, [PP_SCTP] = SOCK_STREAM };
	const struct pp_address *address = &publication->address;
	sa_family_t family = address->family == AF_INET ? AF_INET : AF_INET6;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(*port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(*port) };
	struct sockaddr *name = family == AF_INET ? (void *)&in : (void *)&in6;
	socklen_t len = family == AF_INET ? sizeof(in) : sizeof(in6);
	int only = address->family == AF_INET6, code,
	    fd = socket(family, types[publication->protocol] | SOCK_CLOEXEC,
			publication->protocol == PP_SCTP ? IPPROTO_SCTP : 0);

	if (fd < 0)
		return -errno;
	memcpy(&in.sin_addr, address->bytes, sizeof(in.sin_addr));
	memcpy(&in6.sin6_addr, address->bytes, sizeof(in6.sin6_addr));
	if (family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only));
	if (bind(fd, name, len) < 0 || getsockname(fd, name, &len) < 0) {
		code = errno;
		close(fd);
		return -code;
	}
	*port = ntohs(family == AF_INET ? in.sin_port : in6.sin6_port);
	return fd;
}

/* The kernel has no SCTP: nobody can hold a port of it, and any number will do. */
static int guess_port(uint16_t *port)
{
	uint16_t number;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return -errno;
	*port = (uint16_t)(32768 + number % 28232);
	return 0;
}

/* The port is @fd's alone once it listens: until then another socket with SO_REUSEADDR could bind it, too. */
static int keep(struct held *held, enum pp_protocol protocol, int fd)
{
	int ret = protocol != PP_UDP && listen(fd, 1) < 0 ? -errno : hold(held, fd);

	if (ret < 0)
		close(fd);
	return ret;
}

/* One free port; a host without IPv6 has it free on IPv4. What else is wrong is wrong, of SCTP too. */
static int take_free_port(struct pp_publication *publication, uint16_t *port, struct held *held)
{
	int fd;

	*port = 0;
	fd = bind_port(publication, port);
	if (fd == -EAFNOSUPPORT && publication->address.family == AF_UNSPEC) {
		struct pp_publication ipv4 = *publication;

		ipv4.address.family = AF_INET;
		fd = bind_port(&ipv4, port);
	}
	if (publication->protocol == PP_SCTP && (fd == -EPROTONOSUPPORT || fd == -ESOCKTNOSUPPORT))
		return guess_port(port);
	return fd < 0 ? fd : keep(held, publication->protocol, fd);
}

/* As many sockets as there are free ports of one command may be open at a time. */
static size_t count_free(const struct pp_publications *list)
{
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += pp_publication_is_free(&list->items[i]);
	return count;
}

static int fail_free(const struct pp_publication *publication, size_t sockets, int code, struct pp_error *err)
{
	char text[PP_PUBLICATION_TEXT];
	struct rlimit limit;

	pp_publication_format(publication, text);
	if (code == EMFILE && getrlimit(RLIMIT_NOFILE, &limit) == 0)
		return pp_fail(
			err, code,
			"%s: %zu free ports are held by as many sockets until they are published, and "
			"this process may have %llu descriptors: raise its hard limit (ulimit -Hn), or "
			"publish them in parts",
			text, sockets, (unsigned long long)limit.rlim_cur);
	return pp_fail(err, code == EINVAL ? EIO : code, "%s: no free port: %s", text, strerror(code));
}

/* @sockets: how many the command needs. */
static int choose_free(const struct taken *taken, const struct pp_publications *list,
		       struct pp_publication *publication, size_t sockets, struct held *held,
		       struct pp_error *err)
{
	char text[PP_PUBLICATION_TEXT];
	uint16_t port;
	int ret;

	for (int i = 0; i < TRIES; i++) {
		ret = take_free_port(publication, &port, held);
		if (ret < 0)
			return fail_free(publication, sockets, -ret, err);
		if (ports_is_wanted(list, publication, port) ||
		    ports_is_published(&taken->entries, publication, port))
			continue; /* stays bound, so that the next is another */
		publication->host_port = port;
		return 0;
	}
	return pp_fail(err, EADDRINUSE, "%s: no free port was found",
		       pp_publication_format(publication, text));
}

bool ports_are_exact(const struct pp_publications *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!is_exact(&list->items[i]))
			return false;
	}
	return true;
}

int ports_choose(const struct ports *ports, const struct pp_publications *asked, struct pp_publications *out,
		 struct held *held, struct pp_error *err)
{
	struct taken taken = { PP_ENTRIES_INIT, PP_SOCKETS_INIT };
	size_t sockets;
	int ret = pp_publications_spread(asked, out, err);

	if (ret < 0 || ports_are_exact(out))
		return ret;
	sockets = count_free(out);
	pp_descriptors_raise(); /* what is not enough then will be told by the socket that cannot be had */
	ret = read_taken(ports, &taken, err);
	for (size_t i = 0; ret == 0 && i < out->count; i++) {
		if (pp_publication_is_pool(&out->items[i]))
			ret = choose_of_pool(&taken, out, &out->items[i], err);
	}
	for (size_t i = 0; ret == 0 && i < out->count; i++) {
		if (pp_publication_is_free(&out->items[i]))
			ret = choose_free(&taken, out, &out->items[i], sockets, held, err);
	}
	taken_fini(&taken);
	return ret;
}

/* Pools and free ports have been chosen among those that no socket holds. */
static bool covers(const struct pp_publication *publication, const struct pp_socket *socket)
{
	return is_exact(publication) && publication->protocol == socket->protocol &&
	       socket->port >= publication->host_port &&
	       socket->port - publication->host_port < publication->count &&
	       pp_socket_overlaps(socket, &publication->address);
}

static bool had(const struct pp_publications *before, const struct pp_socket *socket)
{
	for (size_t i = 0; before && i < before->count; i++) {
		if (covers(&before->items[i], socket))
			return true;
	}
	return false;
}

static int check_sockets(const struct pp_store *store, const struct pp_sockets *sockets,
			 const struct pp_publications *after, const struct pp_publications *before,
			 struct pp_error *err)
{
	char text[PP_PUBLICATION_TEXT], words[PP_HOLDER_WORDS];

	for (size_t s = 0; s < sockets->count; s++) {
		const struct pp_socket *socket = &sockets->items[s];

		for (size_t i = 0; i < after->count; i++) {
			if (!covers(&after->items[i], socket) || had(before, socket))
				continue;
			pp_holder_of(store, socket->protocol, socket->port, &socket->address, words);
			return pp_fail(err, EADDRINUSE, "%s: host port %u/%s is %s",
				       pp_publication_format(&after->items[i], text), socket->port,
				       pp_protocol_name(socket->protocol), words);
		}
	}
	return 0;
}

/* The publication of @list that alone asks for a port of @protocol, and for no more than one; or NULL. */
static const struct pp_publication *only_one(const struct pp_publications *list, enum pp_protocol protocol,
					     bool *any)
{
	const struct pp_publication *one = NULL;
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].protocol != protocol || !is_exact(&list->items[i]))
			continue;
		one = &list->items[i];
		count += one->count;
	}
	*any = count > 0;
	return count == 1 ? one : NULL;
}

/*
 * If we can bind it, nobody has it: that is a hundred times cheaper than to ask, but of UDP it might take a datagram
 * from whoever is about to get it. If we cannot, there may be many reasons, and somebody to be named.
 */
static bool can_be_bound(const struct pp_publication *publication)
{
	uint16_t port = publication->host_port;
	int fd = publication->protocol == PP_TCP ? bind_port(publication, &port) : -1;

	if (fd >= 0)
		close(fd);
	return fd >= 0;
}

int ports_check_sockets(const struct pp_store *store, const struct pp_publications *asked,
			const struct pp_publications *before, struct pp_error *err)
{
	int ret = 0;

	for (int p = 0; ret == 0 && p < PP_PROTOCOL_COUNT; p++) {
		struct pp_sockets sockets = PP_SOCKETS_INIT;
		const struct pp_publication *one;
		bool any;

		one = only_one(asked, (enum pp_protocol)p, &any);
		if (!any || (one && can_be_bound(one)))
			continue;
		ret = pp_sockets_read_bound((enum pp_protocol)p, one ? one->host_port : 0, &sockets, err);
		if (ret == 0)
			ret = check_sockets(store, &sockets, asked, before, err);
		pp_sockets_fini(&sockets);
	}
	return ret;
}

/* The publication of a keeper that has the port of @socket, at an address that @asked is for. */
static int find_kept(const struct pp_store *store, const struct pp_socket *socket,
		     const struct pp_publication *asked, struct pp_entry *other, struct pp_error *err)
{
	struct pp_holders holders = PP_HOLDERS_INIT;
	int ret = pp_holders_find_kept(store, socket->protocol, socket->port, &holders, err);

	for (size_t i = 0; ret == 0 && i < holders.count; i++) {
		const struct pp_holder *holder = &holders.items[i];
		struct pp_address address = holder->address;

		if (!pp_address_overlaps(&address, &asked->address))
			continue;
		if (address.family == AF_UNSPEC)
			address.family = AF_INET;
		*other = pp_entry_of_port(holder->protocol, &address, holder->port);
		memcpy(other->owner, holder->id, sizeof(other->owner));
		ret = -EADDRINUSE;
	}
	pp_holders_fini(&holders);
	return ret;
}

/* What of @publication a container with @target opens: one family, where it has an address of no other. */
static struct pp_publication opened(const struct pp_publication *publication, const struct pp_target *target)
{
	struct pp_publication one = *publication;

	if (one.address.family == AF_UNSPEC && target->ipv4.family == AF_UNSPEC)
		one.address.family = AF_INET6;
	else if (one.address.family == AF_UNSPEC && target->ipv6.family == AF_UNSPEC)
		one.address.family = AF_INET;
	return one;
}

static int tell_socket(const struct pp_store *store, const struct pp_socket *socket,
		       const struct pp_publication *asked, const struct pp_target *target,
		       struct pp_entry *other, const struct pp_report *report, struct pp_error *err)
{
	struct pp_publication one = opened(asked, target);
	char text[PP_PUBLICATION_TEXT], holder[PP_HOLDER_TEXT];
	int ret;

	if (!covers(&one, socket))
		return 0;
	ret = find_kept(store, socket, &one, other, err);
	if (ret < 0)
		return ret;
	pp_socket_holder(socket, holder, sizeof(holder));
	pp_report_say(report, "%s: host port %u/%s is in use by %s, too: from now on the container has it",
		      pp_publication_format(asked, text), socket->port, pp_protocol_name(socket->protocol),
		      holder);
	return 0;
}

int ports_tell_sockets(const struct pp_store *store, const struct pp_publications *asked,
		       const struct pp_target *target, struct pp_entry *other, const struct pp_report *report,
		       struct pp_error *err)
{
	struct pp_error ignored; /* nobody is in the way then, as far as is known */
	int ret = 0;

	for (int p = 0; ret == 0 && p < PP_PROTOCOL_COUNT; p++) {
		struct pp_sockets sockets = PP_SOCKETS_INIT;
		const struct pp_publication *one;
		bool any;

		one = only_one(asked, (enum pp_protocol)p, &any);
		if (any)
			pp_sockets_read((enum pp_protocol)p, one ? one->host_port : 0, &sockets, &ignored);
		for (size_t i = 0; ret == 0 && i < sockets.count * asked->count; i++)
			ret = tell_socket(store, &sockets.items[i / asked->count],
					  &asked->items[i % asked->count], target, other, report, err);
		pp_sockets_fini(&sockets);
	}
	return ret;
}

/* Ports to look for, by protocol; the first of them also one by one. */
struct wanted {
	struct pp_port_set ports;
	size_t count;
	const struct pp_entry *first[FEW];
};

static void want(struct wanted *wanted, const struct pp_entry *entry)
{
	struct pp_publication one = { .protocol = pp_entry_protocol(entry),
				      .container_port = pp_entry_port(entry),
				      .count = 1 };

	if (wanted->count == 0)
		memset(&wanted->ports, 0, sizeof(wanted->ports));
	if (wanted->count < FEW)
		wanted->first[wanted->count] = entry;
	wanted->count++;
	pp_port_set_change(&wanted->ports, &one, true);
}

/* Is one of a few ports in the map of any address? */
static int ask_for_each(const struct ports *ports, const struct wanted *wanted, enum pp_set set,
			struct pp_entries *out, struct pp_error *err)
{
	struct pp_address any = { .family = pp_set_shape(set)->family };
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < wanted->count; i++) {
		const struct pp_entry *entry = wanted->first[i];
		struct pp_entry key = pp_entry_of_port(pp_entry_protocol(entry), &any, pp_entry_port(entry)),
				there;

		ret = pp_nft_get(ports->nft, &key, &there, err);
		if (ret == 0 && strcmp(there.owner, ports->id) != 0)
			ret = pp_entries_append(out, &there, err);
		else if (ret == -ENOENT)
			ret = 0;
	}
	return ret;
}

/* @of: the map of the new entries; @in: one in which the same ports would be in their way. */
static int check_map(const struct ports *ports, const struct pp_entry_refs *add, enum pp_set of,
		     enum pp_set in, struct pp_entry *other, struct pp_error *err)
{
	struct pp_entries there = PP_ENTRIES_INIT;
	struct wanted wanted;
	int ret;

	wanted.count = 0;
	for (size_t i = 0; i < add->count; i++) {
		if (add->items[i]->set == of)
			want(&wanted, add->items[i]);
	}
	if (wanted.count == 0)
		return 0;
	if (wanted.count <= FEW && !ports->wanted && (in == PP_SET_ANY4 || in == PP_SET_ANY6))
		ret = ask_for_each(ports, &wanted, in, &there, err);
	else
		ret = read_map(ports, in, &wanted.ports, &there, err);
	for (size_t i = 0; ret == 0 && i < there.count;
	     i++) { /* the lowest: the kernel tells them in no order */
		if (i == 0 || pp_entry_port(&there.items[i]) < pp_entry_port(other))
			*other = there.items[i];
	}
	if (ret == 0 && there.count)
		ret = -EADDRINUSE;
	pp_entries_fini(&there);
	return ret;
}

int ports_check_others(const struct ports *ports, const struct pp_entry_refs *add, struct pp_entry *other,
		       struct pp_error *err)
{
	static const enum pp_set pairs[][2] = {
		{ PP_SET_HOST4, PP_SET_ANY4 },
		{ PP_SET_ANY4, PP_SET_HOST4 },
		{ PP_SET_HOST6, PP_SET_ANY6 },
		{ PP_SET_ANY6, PP_SET_HOST6 },
	};
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sizeof(pairs) / sizeof(pairs[0]); i++)
		ret = check_map(ports, add, pairs[i][0], pairs[i][1], other, err);
	return ret;
}
