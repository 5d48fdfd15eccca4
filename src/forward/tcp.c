/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A connection is in one of these queues, and moves on:
 *
 *	waiting	    its client is accepted, but there is no descriptor, or no memory, to go on with
 *	searching   there is no local port to connect from among those that were looked at; others are next
 *	portless    there is none at all
 *	connecting  to the container
 *	open	    both sides may speak
 *	half_open   one side has said its last word
 *	dead	    both sockets are closed; the memory lasts until the loop has told all it had to tell at once
 *
 * What waits too long in one of them is reset, except that the first three try again. A client whom the container
 * refuses, or does not answer, is reset as well: it would take an end of file for an empty answer.
 *
 * Running out of descriptors, of local ports or of `connections` pauses the port: its clients wait in the
 * kernel's queue, and get their turn when a connection ends, or a moment later. Whoever is accepted already
 * waits as well, one client a port at most.
 */
#include "tcp.h"

#include "proxy_header.h"
#include "stream.h"

#include <errno.h>
#include <linux/sctp.h>
#include <malloc.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	ACCEPTED_AT_ONCE = 16,
	PAUSE_MS = 100,
	SEARCH_MS = 1,
	PORTLESS_MS = 1000, /* to look at all ports may take 30, in parts */
	MANY = 128,
	KEEPALIVE_IDLE = 60, /* seconds; a peer that is gone is noticed after two minutes */
	KEEPALIVE_INTERVAL = 15,
	KEEPALIVE_COUNT = 4,
};

struct pp_tcp_port {
	struct pp_event event;
	struct pp_timer timer; /* in `paused`, or in none */
	struct pp_tcp *tcp;
	struct pp_tcp_port *next;
	struct pp_destination to;
	int protocol;      /* of IP */
	bool settled;      /* nobody is left who came before the options were set */
	bool waits;        /* one who is accepted does, for what a connection needs */
	uint16_t searches; /* for a local port, in vain */
};

struct connection {
	struct pp_stream stream;
	struct pp_timer timer;
	struct pp_tcp_port *port;
};

static struct connection *of_timer(struct pp_timer *timer)
{
	return container_of(timer, struct connection, timer);
}

static void move(struct connection *connection, struct pp_queue *queue)
{
	pp_timer_move(connection->port->tcp->loop, &connection->timer, queue);
}

static void pause_port(struct pp_tcp_port *port)
{
	if (port->timer.next)
		return;
	(void)pp_loop_change(port->tcp->loop, &port->event, 0);
	pp_timer_move(port->tcp->loop, &port->timer, &port->tcp->paused);
}

static void resume_expired(struct pp_timer *timer)
{
	struct pp_tcp_port *port = container_of(timer, struct pp_tcp_port, timer);

	/* Whoever is accepted already comes first. */
	if (port->waits) {
		pp_timer_move(port->tcp->loop, timer, &port->tcp->paused);
		return;
	}
	if (!pp_queue_first(&port->tcp->waiting))
		port->tcp->starved = false;
	(void)pp_loop_change(port->tcp->loop, &port->event, EPOLLIN);
}

/* No connection more for now, until one of those that are there ends. */
static void starve(struct pp_tcp_port *port)
{
	port->tcp->starved = true;
	pause_port(port);
}

/* The same, for want of descriptors or memory. */
static void run_short(struct pp_tcp_port *port)
{
	pp_pipes_fini(&port->tcp->mover.pipes);
	starve(port);
}

/* One has ended: whoever waits longest for what it had is next. */
static void feed(struct pp_tcp *tcp)
{
	struct pp_timer *next = pp_queue_first(&tcp->waiting);

	if (!next)
		next = pp_queue_first(&tcp->paused);
	if (tcp->starved && next)
		pp_timer_hurry(next);
}

static void bury(struct connection *connection, bool reset)
{
	struct pp_tcp *tcp = connection->port->tcp;

	pp_stream_close(&connection->stream, &tcp->mover, reset);
	connection->stream.sides[0].event.ready = pp_event_ignore;
	connection->stream.sides[1].event.ready = pp_event_ignore;
	move(connection, &tcp->dead);
	tcp->counters->open = --tcp->count;
	feed(tcp);
}

static void refuse(struct connection *connection)
{
	connection->port->tcp->counters->refused++;
	bury(connection, true);
}

static void refuse_expired(struct pp_timer *timer)
{
	refuse(of_timer(timer));
}

static void reset_expired(struct pp_timer *timer)
{
	bury(of_timer(timer), true);
}

/* After the last of many, give back what malloc keeps. */
static void free_expired(struct pp_timer *timer)
{
	struct pp_tcp *tcp = of_timer(timer)->port->tcp;

	free(of_timer(timer));
	if (tcp->count == 0 && tcp->peak >= MANY && !pp_queue_first(&tcp->dead)) {
		tcp->peak = 0;
		pp_pipes_fini(&tcp->mover.pipes);
		malloc_trim(0);
	}
}

static void step(struct connection *connection)
{
	struct pp_tcp *tcp = connection->port->tcp;

	switch (pp_stream_step(&connection->stream, &tcp->mover)) {
	case PP_STREAM_OPEN:
		move(connection, &tcp->open);
		break;
	case PP_STREAM_HALF_OPEN:
		move(connection, &tcp->half_open);
		break;
	case PP_STREAM_DONE:
		bury(connection, false);
		break;
	case PP_STREAM_BROKEN:
		bury(connection, true);
		break;
	}
}

static void client_ready(struct pp_event *event, uint32_t events)
{
	struct connection *connection = container_of(event, struct connection, stream.sides[0].event);

	pp_side_note(&connection->stream.sides[0], events);
	step(connection);
}

static void container_ready(struct pp_event *event, uint32_t events)
{
	struct connection *connection = container_of(event, struct connection, stream.sides[1].event);

	pp_side_note(&connection->stream.sides[1], events);
	step(connection);
}

/* Tell the container who its client is. The socket is new: it takes a hundred bytes, or it is broken. */
static bool introduce(struct connection *connection)
{
	enum pp_proxy_header version = connection->port->tcp->limits->proxy_header;
	const struct pp_side *sides = connection->stream.sides;
	struct pp_endpoint client = { .length = sizeof(client.in6) }, host = client;
	char header[PP_PROXY_HEADER_MAX];
	size_t length;

	if (version == PP_PROXY_NONE || connection->port->protocol != IPPROTO_TCP)
		return true;
	if (getpeername(sides[0].event.fd, &client.any, &client.length) < 0 ||
	    getsockname(sides[0].event.fd, &host.any, &host.length) < 0)
		return false;
	length = pp_proxy_header(version, &client, &host, header);
	return send(sides[1].event.fd, header, length, MSG_DONTWAIT | MSG_NOSIGNAL) == (ssize_t)length;
}

static bool is_shortage(int code)
{
	return code == EMFILE || code == ENFILE || code == ENOBUFS || code == ENOMEM || code == ENOSPC;
}

static void wait_for_what_is_short(struct connection *connection)
{
	move(connection, &connection->port->tcp->waiting);
	connection->port->waits = true;
	run_short(connection->port);
}

/* The container may speak before its client can be watched. */
static void container_early(struct pp_event *event, uint32_t events)
{
	struct connection *connection = container_of(event, struct connection, stream.sides[1].event);

	pp_side_note(&connection->stream.sides[1], events);
}

/* Most clients have spoken by now: try at once. */
static void open_up(struct connection *connection)
{
	struct pp_side *sides = connection->stream.sides;
	int ret = pp_loop_watch(connection->port->tcp->loop, &sides[0].event, PP_STREAM_EVENTS);

	sides[1].event.ready = ret == 0 ? container_ready : container_early;
	if (ret == 0)
		step(connection);
	else if (is_shortage(-ret))
		wait_for_what_is_short(connection);
	else
		bury(connection, true);
}

/* The container has answered. */
static void connected(struct pp_event *event, uint32_t events)
{
	struct connection *connection = container_of(event, struct connection, stream.sides[1].event);
	struct pp_side *sides = connection->stream.sides;

	if (events & (EPOLLERR | EPOLLHUP)) {
		refuse(connection);
		return;
	}
	sides[0].readable = sides[0].writable = true;
	pp_side_note(&sides[1], events);
	if (introduce(connection))
		open_up(connection);
	else
		bury(connection, true);
}

static void set_option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* Send small messages at once, lose no urgent byte, and notice a peer that is gone. */
static void set_options(int fd, int protocol)
{
	set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
	set_option(fd, SOL_SOCKET, SO_OOBINLINE, 1);
	if (protocol == IPPROTO_SCTP) {
		set_option(fd, IPPROTO_SCTP, SCTP_NODELAY, 1);
		return;
	}
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, KEEPALIVE_IDLE);
	set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, KEEPALIVE_INTERVAL);
	set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, KEEPALIVE_COUNT);
}

static const struct pp_endpoint *destination(const struct connection *connection)
{
	const struct pp_destination *to = &connection->port->to;
	struct pp_endpoint client = { .length = sizeof(client.in6) };
	struct pp_address address;

	if (to->of[0].any.sa_family == to->of[1].any.sa_family ||
	    getpeername(connection->stream.sides[0].event.fd, &client.any, &client.length) < 0)
		return &to->of[0];
	address = pp_endpoint_address(&client);
	return pp_destination_of(to, address.family);
}

/* 0, or -errno. */
static int connect_out(struct connection *connection)
{
	struct pp_tcp *tcp = connection->port->tcp;
	struct pp_event *event = &connection->stream.sides[1].event;
	const struct pp_endpoint *to = destination(connection);
	int ret;

	if (!to->length)
		return -ECONNREFUSED;
	if (event->fd < 0) {
		event->fd = socket(to->any.sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
				   connection->port->protocol);
		if (event->fd < 0)
			return -errno;
		set_options(event->fd, connection->port->protocol);
	}
	ret = pp_local_ports_connect(&tcp->local, event->fd, to);
	if (ret < 0 && ret != -EINPROGRESS)
		return ret;
	connection->stream.sides[1].waits_to_write = true;
	ret = pp_loop_watch(tcp->loop, event, PP_STREAM_EVENTS | EPOLLOUT);
	if (ret < 0) { /* nobody would hear of it: it begins anew */
		close(event->fd);
		event->fd = -1;
	}
	return ret;
}

static void search_on(struct connection *connection)
{
	struct pp_tcp_port *port = connection->port;
	bool all = ++port->searches >= pp_local_ports_calls(&port->tcp->local);

	if (all)
		port->searches = 0;
	move(connection, all ? &port->tcp->portless : &port->tcp->searching);
	port->waits = true;
	pause_port(port);
}

static void try_connect(struct connection *connection)
{
	struct pp_tcp *tcp = connection->port->tcp;
	int ret = connect_out(connection);

	if (ret == 0) {
		move(connection, &tcp->connecting);
	} else if (is_shortage(-ret)) {
		wait_for_what_is_short(connection);
	} else if (ret == -EADDRNOTAVAIL || ret == -EAGAIN) {
		search_on(connection);
	} else {
		refuse(connection);
	}
}

static void retry_expired(struct pp_timer *timer)
{
	struct connection *connection = of_timer(timer);

	connection->port->tcp->starved = false;
	connection->port->waits = false;
	if (connection->stream.sides[1].event.ready == container_early)
		open_up(connection);
	else
		try_connect(connection);
}

static void begin(struct connection *connection, struct pp_tcp_port *port, int client)
{
	struct pp_tcp *tcp = port->tcp;

	connection->port = port;
	for (int i = 0; i < 2; i++)
		connection->stream.sides[i].in_pieces = port->protocol == IPPROTO_SCTP;
	connection->stream.sides[0].event = (struct pp_event){ client_ready, client };
	connection->stream.sides[1].event = (struct pp_event){ connected, -1 };
	tcp->counters->connections++;
	tcp->counters->open = ++tcp->count;
	if (tcp->peak < tcp->count)
		tcp->peak = tcp->count;
	try_connect(connection);
}

static bool is_full(const struct pp_tcp *tcp)
{
	return tcp->limits->connections && tcp->count >= tcp->limits->connections;
}

/* False when nobody is there. */
static bool accept_one(struct pp_tcp_port *port)
{
	/* Before there is a client, who would have to be reset for want of it. */
	struct connection *connection = calloc(1, sizeof(*connection));
	int client, code;

	if (!connection) {
		run_short(port);
		return true;
	}
	client = accept4(port->event.fd, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (client >= 0) {
		if (!port->settled) /* who comes later has them from the socket that listens */
			set_options(client, port->protocol);
		begin(connection, port, client);
		return true;
	}
	code = errno;
	free(connection);
	port->settled |= code == EAGAIN;
	if (is_shortage(code))
		run_short(port);
	else if (code != EAGAIN && code != EINTR && code != ECONNABORTED)
		pause_port(port);
	return code != EAGAIN;
}

/* Until the port has been paused, which has its reasons, or nobody is there. */
static void accept_some(struct pp_event *event, uint32_t events)
{
	struct pp_tcp_port *port = container_of(event, struct pp_tcp_port, event);

	(void)events;
	for (int i = 0; i < ACCEPTED_AT_ONCE && !port->timer.next; i++) {
		if (port->tcp->starved || is_full(port->tcp))
			starve(port);
		else if (!accept_one(port))
			return;
	}
}

static int64_t or_forever(int64_t patience)
{
	return patience ? patience : PP_FOREVER;
}

int pp_tcp_init(struct pp_tcp *tcp, struct pp_loop *loop, const struct pp_limits *limits,
		struct pp_counters *counters, struct pp_error *err)
{
	*tcp = (struct pp_tcp){ .loop = loop, .limits = limits, .counters = counters };
	pp_local_ports_init(&tcp->local);
	pp_loop_add_queue(loop, &tcp->waiting, PAUSE_MS, retry_expired);
	pp_loop_add_queue(loop, &tcp->searching, SEARCH_MS, retry_expired);
	pp_loop_add_queue(loop, &tcp->portless, PORTLESS_MS, retry_expired);
	pp_loop_add_queue(loop, &tcp->connecting, or_forever(limits->connect), refuse_expired);
	pp_loop_add_queue(loop, &tcp->open, or_forever(limits->idle), reset_expired);
	pp_loop_add_queue(loop, &tcp->half_open, or_forever(limits->half_open), reset_expired);
	pp_loop_add_queue(loop, &tcp->dead, 0, free_expired);
	pp_loop_add_queue(loop, &tcp->paused, PAUSE_MS, resume_expired);
	return pp_mover_init(&tcp->mover, loop, counters, err);
}

void pp_tcp_drain(struct pp_tcp *tcp)
{
	for (struct pp_tcp_port *port = tcp->ports; port; port = port->next) {
		pp_timer_leave(&port->timer);
		pp_loop_close_event(tcp->loop, &port->event);
		port->event.ready = pp_event_ignore;
	}
}

static void free_queue(struct pp_tcp *tcp, struct pp_queue *queue)
{
	struct pp_timer *timer;

	while ((timer = pp_queue_first(queue))) {
		pp_timer_leave(timer);
		pp_stream_close(&of_timer(timer)->stream, &tcp->mover, true);
		free(of_timer(timer));
	}
}

void pp_tcp_fini(struct pp_tcp *tcp)
{
	struct pp_queue *queues[] = { &tcp->waiting, &tcp->searching, &tcp->portless, &tcp->connecting,
				      &tcp->open,    &tcp->half_open, &tcp->dead };

	for (size_t i = 0; tcp->loop && i < sizeof(queues) / sizeof(queues[0]); i++)
		free_queue(tcp, queues[i]);
	pp_tcp_drain(tcp);
	while (tcp->ports) {
		struct pp_tcp_port *port = tcp->ports;

		tcp->ports = port->next;
		free(port);
	}
	pp_mover_fini(&tcp->mover);
}

int pp_tcp_add(struct pp_tcp *tcp, int socket, enum pp_protocol protocol, const struct pp_destination *to,
	       struct pp_error *err)
{
	struct pp_tcp_port *port = calloc(1, sizeof(*port));
	int ret;

	if (!port)
		return pp_fail(err, ENOMEM, "out of memory");
	port->event = (struct pp_event){ accept_some, socket };
	port->tcp = tcp;
	port->to = *to;
	port->protocol = protocol == PP_SCTP ? IPPROTO_SCTP : IPPROTO_TCP;
	set_options(socket, port->protocol);
	ret = pp_loop_watch(tcp->loop, &port->event, EPOLLIN);
	if (ret < 0) {
		free(port);
		return pp_fail(err, -ret, "cannot wait for connections: epoll: %s", strerror(-ret));
	}
	port->next = tcp->ports;
	tcp->ports = port;
	return 0;
}
