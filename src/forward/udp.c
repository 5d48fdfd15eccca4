/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A flow is a client's endpoint and the address of this host that it asked. It has a socket of its own,
 * connected to the container, so that what comes back is known to be for this client, and is sent from the
 * address it asked. A datagram either way keeps the flow: one that only ever sends stays as long as it does.
 *
 * All flows stand in one queue, and the one that has been silent longest makes room when there are too many of
 * them, or no descriptor is left for another.
 *
 * An ICMP error of the container (nothing listens there yet) is told by the next call on the flow's socket, and
 * means neither the datagram of that call nor the flow.
 *
 * A socket's turn ends after TURN bytes, of which a datagram is LEAST. One call may receive eight times as much in
 * trains, so where the last ones were long, the next call asks for fewer.
 *
 * What one call receives is sorted by flow before it is sent on, so that one client's datagrams go out in one
 * call, too. The memory for them is given back when there has been nothing to do for a moment.
 */
#include "udp.h"

#include "datagrams.h"

#include <errno.h>
#include <malloc.h>
#include <netinet/udp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <unistd.h>

enum {
	TURN = 512 << 10,
	LEAST = 2 << 10,
	FIRST_ASKED = 8,
	TIDY_MS = 1000,
	BUFFER = 4 << 20,
	FIRST_BUCKETS = 64,
	NONE = -1,
};

struct pp_udp_port {
	struct pp_event event;
	struct pp_udp *udp;
	struct pp_udp_port *next;
	struct pp_destination to;
	uint8_t most;
};

struct pp_udp_flow {
	struct pp_event event;
	struct pp_timer timer;
	struct pp_udp_flow *next; /* in its bucket */
	struct pp_udp_port *port;
	struct pp_endpoint client;
	struct pp_address local;
	uint32_t interface;
	int16_t first, last; /* of its datagrams in the batch at hand */
	bool alone[2];       /* no trains to the container, to the client */
	uint8_t most;        /* that the next call asks for */
};

static uint64_t mix(uint64_t hash, const void *bytes, size_t count)
{
	uint64_t word;

	for (size_t at = 0; at < count; at += sizeof(word)) {
		word = 0;
		memcpy(&word, (const char *)bytes + at,
		       count - at < sizeof(word) ? count - at : sizeof(word));
		hash = (hash ^ word) * 0x9e3779b97f4a7c15;
		hash ^= hash >> 29;
	}
	return hash;
}

/* Keyed, so that nobody can choose clients that fall into one bucket. */
static struct pp_udp_flow **bucket_of(const struct pp_udp *udp, const struct pp_udp_port *port,
				      const struct pp_endpoint *client, const struct pp_address *local)
{
	uintptr_t place = (uintptr_t)port;
	uint64_t hash = mix(udp->key, &place, sizeof(place));

	hash = mix(hash, &client->any, client->length);
	hash = mix(hash, local->bytes, sizeof(local->bytes));
	return &udp->buckets[hash >> 32 & (udp->bucket_count - 1)];
}

static struct pp_udp_flow *find(const struct pp_udp_port *port, const struct pp_datagram *datagram)
{
	struct pp_udp_flow *flow = *bucket_of(port->udp, port, &datagram->from, &datagram->local);

	while (flow && (flow->port != port || flow->client.length != datagram->from.length ||
			memcmp(&flow->client.any, &datagram->from.any, flow->client.length) != 0 ||
			pp_address_compare(&flow->local, &datagram->local) != 0))
		flow = flow->next;
	return flow;
}

/* Where there is no memory for more buckets, the chains get longer. */
static void resize(struct pp_udp *udp, size_t count)
{
	struct pp_udp_flow **buckets = calloc(count, sizeof(struct pp_udp_flow *)), **old = udp->buckets;
	size_t old_count = udp->bucket_count;

	if (!buckets)
		return;
	udp->buckets = buckets;
	udp->bucket_count = count;
	for (size_t i = 0; i < old_count; i++) {
		for (struct pp_udp_flow *flow = old[i], *next; flow; flow = next) {
			struct pp_udp_flow **bucket = bucket_of(udp, flow->port, &flow->client, &flow->local);

			next = flow->next;
			flow->next = *bucket;
			*bucket = flow;
		}
	}
	free(old);
}

static void end_flow(struct pp_udp_flow *flow)
{
	struct pp_udp *udp = flow->port->udp;
	struct pp_udp_flow **place = bucket_of(udp, flow->port, &flow->client, &flow->local);

	while (*place != flow)
		place = &(*place)->next;
	*place = flow->next;
	pp_loop_close_event(udp->loop, &flow->event);
	flow->event.ready = pp_event_ignore;
	pp_timer_move(udp->loop, &flow->timer, &udp->dead);
	udp->counters->flows_open = --udp->count;
}

static struct pp_udp_flow *of_timer(struct pp_timer *timer)
{
	return container_of(timer, struct pp_udp_flow, timer);
}

static void end_expired(struct pp_timer *timer)
{
	end_flow(of_timer(timer));
}

static void tidy_expired(struct pp_timer *timer)
{
	struct pp_udp *udp = container_of(timer, struct pp_udp, tidy);

	(void)madvise(udp->memory, PP_DATAGRAM_MEMORY, MADV_DONTNEED);
}

/* After the last of many, fewer buckets are enough again, and what malloc keeps is given back. */
static void shrink(struct pp_udp *udp)
{
	size_t count = udp->bucket_count;

	while (count > FIRST_BUCKETS && udp->count < count / 4)
		count /= 2;
	resize(udp, count);
	malloc_trim(0);
}

static void free_expired(struct pp_timer *timer)
{
	struct pp_udp *udp = of_timer(timer)->port->udp;

	free(of_timer(timer));
	if (!pp_queue_first(&udp->dead) && udp->bucket_count > FIRST_BUCKETS &&
	    udp->count < udp->bucket_count / 8)
		shrink(udp);
}

static bool evict(struct pp_udp *udp)
{
	struct pp_timer *oldest = pp_queue_first(&udp->flows);

	if (!oldest)
		return false;
	end_flow(of_timer(oldest));
	udp->counters->evicted++;
	return true;
}

/* What comes next to a socket, @most at a time; @left of its turn is less then, and 0 when there is no more. */
static int receive(struct pp_udp *udp, int fd, struct pp_datagram *batch, uint8_t *most, int *left)
{
	int received, asked = *most, bytes = 0, next;

	if (!udp->tidy.next)
		pp_timer_move(udp->loop, &udp->tidy, &udp->used);
	received = pp_datagrams_receive(fd, udp->memory, batch, *most);
	for (int i = 0; i < received; i++)
		bytes += batch[i].length > LEAST ? (int)batch[i].length : LEAST;
	if (received > 0) {
		next = 1 + TURN / (bytes / received);
		*most = (uint8_t)(next < PP_BATCH ? next : PP_BATCH);
	}
	*left = received < asked ? 0 : *left - bytes;
	return received;
}

static void count(struct pp_udp *udp, int way, const struct pp_sent *sent)
{
	udp->counters->datagrams[way] += sent->datagrams;
	udp->counters->datagram_bytes[way] += sent->bytes;
	udp->counters->lost[way] += sent->lost;
}

/* The container has answered. */
static void container_ready(struct pp_event *event, uint32_t events)
{
	struct pp_udp_flow *flow = container_of(event, struct pp_udp_flow, event);
	struct pp_route route = { &flow->client, &flow->local, flow->interface };
	struct pp_udp *udp = flow->port->udp;
	struct pp_datagram batch[PP_BATCH];
	const struct pp_datagram *list[PP_BATCH];
	struct pp_sent sent = { 0 };

	(void)events;
	for (int left = TURN; left > 0;) {
		int received = receive(udp, event->fd, batch, &flow->most, &left);

		if (received <= 0)
			break;
		for (int i = 0; i < received; i++)
			list[i] = &batch[i];
		pp_datagrams_send(flow->port->event.fd, &route, list, (size_t)received, &flow->alone[1],
				  &sent);
		pp_timer_move(udp->loop, &flow->timer, &udp->flows);
	}
	count(udp, 1, &sent);
}

/*
 * Bursts have to wait somewhere. So have answers to clients that do not answer ARP, in the one socket that
 * all answers leave from: there they must not stand in the way of others.
 */
static void set_buffer(int fd, int forced, int allowed)
{
	int size = BUFFER;

	if (setsockopt(fd, SOL_SOCKET, forced, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, allowed, &size, sizeof(size));
}

static int open_one(const struct pp_endpoint *to)
{
	int fd, code;

	if (!to->length)
		return -ECONNREFUSED;
	fd = socket(to->any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	(void)setsockopt(fd, SOL_UDP, UDP_GRO, &(int){ 1 }, sizeof(int));
	if (connect(fd, &to->any, to->length) == 0)
		return fd;
	code = errno;
	close(fd);
	return -code;
}

/*
 * Out of descriptors, or of local ports (EAGAIN); or into the last eighth of the descriptors, which is left to
 * connections. They are numbered from the lowest that is free.
 */
static bool is_scarce(int fd)
{
	struct rlimit limit;

	if (fd < 0)
		return fd == -EMFILE || fd == -ENFILE || fd == -EAGAIN;
	return getrlimit(RLIMIT_NOFILE, &limit) == 0 && (rlim_t)fd >= limit.rlim_cur - limit.rlim_cur / 8;
}

static int open_socket(struct pp_udp *udp, const struct pp_endpoint *to)
{
	int fd = open_one(to);

	if (!is_scarce(fd) || !evict(udp))
		return fd;
	if (fd >= 0)
		close(fd);
	return open_one(to);
}

static struct pp_udp_flow *make(struct pp_udp_port *port, const struct pp_datagram *datagram)
{
	struct pp_address client = pp_endpoint_address(&datagram->from);
	struct pp_udp *udp = port->udp;
	struct pp_udp_flow *flow, **bucket;

	if (udp->draining)
		return NULL;
	if (udp->limits->flows && udp->count >= udp->limits->flows)
		evict(udp);
	flow = calloc(1, sizeof(*flow));
	if (!flow)
		return NULL;
	flow->event.ready = container_ready;
	flow->event.fd = open_socket(udp, pp_destination_of(&port->to, client.family));
	if (flow->event.fd < 0 || pp_loop_watch(udp->loop, &flow->event, EPOLLIN) < 0) {
		if (flow->event.fd >= 0)
			close(flow->event.fd);
		free(flow);
		return NULL;
	}
	flow->port = port;
	flow->client = datagram->from;
	flow->local = datagram->local;
	flow->interface = datagram->interface;
	flow->first = NONE;
	flow->most = FIRST_ASKED;
	if (udp->count >= udp->bucket_count)
		resize(udp, udp->bucket_count * 2);
	bucket = bucket_of(udp, port, &flow->client, &flow->local);
	flow->next = *bucket;
	*bucket = flow;
	udp->counters->flows++;
	udp->counters->flows_open = ++udp->count;
	return flow;
}

/* What clients have sent, in order for each of them. */
struct sorting {
	struct pp_datagram batch[PP_BATCH];
	int16_t next[PP_BATCH];
	struct pp_udp_flow *flows[PP_BATCH];
	size_t flow_count;
};

static void sort_in(struct sorting *sorting, struct pp_udp_port *port, int16_t i)
{
	struct pp_udp_flow *flow = find(port, &sorting->batch[i]);

	if (!flow)
		flow = make(port, &sorting->batch[i]);
	if (!flow) {
		port->udp->counters->lost[0] += pp_datagram_count(&sorting->batch[i]);
		return;
	}
	pp_timer_move(port->udp->loop, &flow->timer, &port->udp->flows);
	sorting->next[i] = NONE;
	if (flow->first == NONE) {
		flow->first = i;
		sorting->flows[sorting->flow_count++] = flow;
	} else {
		sorting->next[flow->last] = i;
	}
	flow->last = i;
}

static void send_on(const struct sorting *sorting, struct pp_udp_flow *flow, struct pp_sent *sent)
{
	const struct pp_datagram *list[PP_BATCH];
	size_t n = 0;

	for (int16_t i = flow->first; i != NONE; i = sorting->next[i])
		list[n++] = &sorting->batch[i];
	flow->first = NONE;
	if (flow->event.fd >= 0) {
		pp_datagrams_send(flow->event.fd, NULL, list, n, &flow->alone[0], sent);
		return;
	}
	/* It has been evicted since, by others of the same batch. */
	for (size_t i = 0; i < n; i++)
		sent->lost += pp_datagram_count(list[i]);
}

static void clients_ready(struct pp_event *event, uint32_t events)
{
	struct pp_udp_port *port = container_of(event, struct pp_udp_port, event);
	struct pp_sent sent = { 0 };
	struct sorting sorting;

	(void)events;
	for (int left = TURN; left > 0;) {
		int received = receive(port->udp, event->fd, sorting.batch, &port->most, &left);

		sorting.flow_count = 0;
		for (int i = 0; i < received; i++)
			sort_in(&sorting, port, (int16_t)i);
		for (size_t i = 0; i < sorting.flow_count; i++)
			send_on(&sorting, sorting.flows[i], &sent);
	}
	count(port->udp, 0, &sent);
}

int pp_udp_init(struct pp_udp *udp, struct pp_loop *loop, const struct pp_limits *limits,
		struct pp_counters *counters, struct pp_error *err)
{
	void *memory = mmap(NULL, PP_DATAGRAM_MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			    0);

	if (memory == MAP_FAILED)
		return pp_fail(err, ENOMEM, "out of memory");
	*udp = (struct pp_udp){ .loop = loop, .limits = limits, .counters = counters, .memory = memory };
	if (getrandom(&udp->key, sizeof(udp->key), GRND_NONBLOCK) < 0)
		udp->key = (uintptr_t)memory;
	pp_loop_add_queue(loop, &udp->flows, limits->flow ? limits->flow : PP_FOREVER, end_expired);
	pp_loop_add_queue(loop, &udp->dead, 0, free_expired);
	pp_loop_add_queue(loop, &udp->used, TIDY_MS, tidy_expired);
	resize(udp, FIRST_BUCKETS);
	return udp->buckets ? 0 : pp_fail(err, ENOMEM, "out of memory");
}

void pp_udp_close(struct pp_udp *udp)
{
	struct pp_timer *timer;

	while ((timer = pp_queue_first(&udp->flows)))
		end_flow(of_timer(timer));
	for (struct pp_udp_port *port = udp->ports; port; port = port->next) {
		pp_loop_close_event(udp->loop, &port->event);
		port->event.ready = pp_event_ignore;
	}
}

void pp_udp_fini(struct pp_udp *udp)
{
	struct pp_timer *timer;

	if (!udp->memory)
		return;
	pp_udp_close(udp);
	while ((timer = pp_queue_first(&udp->dead))) {
		pp_timer_leave(timer);
		free(of_timer(timer));
	}
	while (udp->ports) {
		struct pp_udp_port *port = udp->ports;

		udp->ports = port->next;
		free(port);
	}
	free(udp->buckets);
	munmap(udp->memory, PP_DATAGRAM_MEMORY);
	*udp = (struct pp_udp){ 0 };
}

void pp_udp_drain(struct pp_udp *udp)
{
	udp->draining = true;
}

/* An answer has to come from the address that was asked. */
static void set_options(int fd)
{
	int on = 1;

	(void)setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on));
	(void)setsockopt(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	(void)setsockopt(fd, SOL_UDP, UDP_GRO, &on, sizeof(on));
	set_buffer(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	set_buffer(fd, SO_SNDBUFFORCE, SO_SNDBUF);
}

int pp_udp_add(struct pp_udp *udp, int socket, const struct pp_destination *to, struct pp_error *err)
{
	struct pp_udp_port *port = calloc(1, sizeof(*port));
	int ret;

	if (!port)
		return pp_fail(err, ENOMEM, "out of memory");
	*port = (struct pp_udp_port){ { clients_ready, socket }, udp, udp->ports, *to, FIRST_ASKED };
	set_options(socket);
	ret = pp_loop_watch(udp->loop, &port->event, EPOLLIN);
	if (ret < 0) {
		free(port);
		return pp_fail(err, -ret, "cannot wait for datagrams: epoll: %s", strerror(-ret));
	}
	udp->ports = port;
	return 0;
}
