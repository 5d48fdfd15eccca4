/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * traffic serve PORT                               what stands for a container
 * traffic hold ADDRESS PORT                        one connection that stays
 * traffic FIGURE LIMIT WHAT ROUNDS PORT OURS PEER  rows of the table; WHAT: connect, request or stream; OURS
 *                                                  and PEER: ADDRESS,PID of the server behind it
 *
 * Theory of operation
 *
 * Ours and the peer's are two addresses of two hosts that are built alike, each with a server behind it. A
 * round does a few milliseconds' work through the one and the same through the other, every second round in
 * the opposite order, and the rows have the medians of all rounds.
 *
 * What is compared is processor time, the client's and the server's together: the kernel takes a packet through
 * a veth, the host and its rules in the time of whoever sent it. With processors to itself that is what the rate
 * depends on; where others have them half of the time, the same against the same differs by a tenth by the
 * clock, and by less than a hundredth so. The rate by the clock is a row of its own, for information.
 *
 *	connect	 connections one after the other, each reset at once: nothing is left in TIME_WAIT
 *	request	 CONNECTIONS connections, on each a request of MESSAGE bytes as soon as the last one is
 *		 answered
 *	stream	 one connection, CHUNK bytes and the one byte by which the server says that it has them
 *
 * The server answers each message on PORT, and each CHUNK bytes on PORT + 1.
 */
#include "table.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
	ROUNDS_MAX = 1000,
	FILES_MAX = 1024,
	CONNECTS = 40,
	CONNECTIONS = 16,
	REQUESTS = 160,
	MESSAGE = 64,
	CHUNK = 16 << 20,
};

static char buffer[1 << 18];

static void fail(const char *what)
{
	fprintf(stderr, "traffic: %s: %s\n", what, strerror(errno));
	exit(2);
}

static int check(int value, const char *what)
{
	if (value < 0)
		fail(what);
	return value;
}

static void pin(int processor)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(processor, &set);
	sched_setaffinity(0, sizeof(set), &set); /* where there is only one, it is shared */
}

static struct sockaddr_in name_of(const char *address, int port)
{
	struct sockaddr_in name = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (address && inet_pton(AF_INET, address, &name.sin_addr) != 1)
		fail(address);
	return name;
}

static void set_option(int fd, int level, int option, int value)
{
	check(setsockopt(fd, level, option, &value, sizeof(value)), "setsockopt");
}

static int listen_on(int epoll, int port)
{
	struct sockaddr_in name = name_of(NULL, port);
	int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");
	struct epoll_event event = { EPOLLIN, { .fd = fd } };

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	check(bind(fd, (struct sockaddr *)&name, sizeof(name)), "bind");
	check(listen(fd, SOMAXCONN), "listen");
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event), "epoll");
	return fd;
}

/* What the server knows of a connection. */
static struct {
	int bulk;
	size_t received;
} peers[FILES_MAX];

static void take(int epoll, int listener, int bulk)
{
	struct epoll_event event = { EPOLLIN, { .fd = accept(listener, NULL, NULL) } };

	if (event.data.fd < 0)
		return; /* reset already */
	if (event.data.fd >= FILES_MAX)
		fail("too many connections");
	set_option(event.data.fd, IPPROTO_TCP, TCP_NODELAY, 1);
	peers[event.data.fd].bulk = bulk;
	peers[event.data.fd].received = 0;
	check(epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event), "epoll");
}

static void answer(int fd)
{
	ssize_t n = read(fd, buffer, sizeof(buffer));
	ssize_t len = peers[fd].bulk ? 1 : n;

	if (n <= 0) {
		close(fd);
		return;
	}
	peers[fd].received += (size_t)n;
	if (peers[fd].bulk && peers[fd].received < CHUNK)
		return;
	peers[fd].received = 0;
	if (write(fd, buffer, (size_t)len) != len)
		close(fd);
}

static void serve(int port)
{
	int epoll = check(epoll_create1(0), "epoll"), few = listen_on(epoll, port),
	    bulk = listen_on(epoll, port + 1);
	struct epoll_event events[64];

	pin(1);
	for (;;) {
		int count = epoll_wait(epoll, events, 64, -1);

		for (int i = 0; i < count; i++) {
			if (events[i].data.fd == few || events[i].data.fd == bulk)
				take(epoll, events[i].data.fd, events[i].data.fd == bulk);
			else
				answer(events[i].data.fd);
		}
	}
}

static int open_connection(const struct sockaddr_in *to)
{
	int fd = check(socket(AF_INET, SOCK_STREAM, 0), "socket");

	check(connect(fd, (const struct sockaddr *)to, sizeof(*to)), "connect");
	set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

/* One side: ours, or the peer's. */
struct side {
	struct sockaddr_in to;
	clockid_t server; /* its processor time */
	int sockets[CONNECTIONS], epoll;
	double used[ROUNDS_MAX], took[ROUNDS_MAX]; /* seconds, of the processor and of the clock */
};

static void connect_all(struct side *side)
{
	const struct linger reset = { 1, 0 };

	for (int i = 0; i < CONNECTS; i++) {
		int fd = open_connection(&side->to);

		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
		close(fd);
	}
}

static void exchange(int fd, size_t send_size, size_t wanted)
{
	for (size_t sent = 0; sent < send_size;) {
		size_t left = send_size - sent;
		ssize_t n = write(fd, buffer, left < sizeof(buffer) ? left : sizeof(buffer));

		sent += (size_t)check((int)n, "write");
	}
	while (wanted) {
		ssize_t n = check((int)read(fd, buffer, wanted), "read");

		if (n == 0)
			fail("the server has gone");
		wanted -= (size_t)n;
	}
}

static void request_all(struct side *side)
{
	struct epoll_event events[CONNECTIONS];
	int asked = 0, answered = 0;

	for (; asked < CONNECTIONS; asked++)
		exchange(side->sockets[asked], MESSAGE, 0);
	while (answered < REQUESTS) {
		int count = check(epoll_wait(side->epoll, events, CONNECTIONS, 1000), "epoll");

		for (int i = 0; i < count; i++, answered++) {
			exchange(events[i].data.fd, 0, MESSAGE);
			if (asked < REQUESTS) {
				exchange(events[i].data.fd, MESSAGE, 0);
				asked++;
			}
		}
	}
}

static void stream_all(struct side *side)
{
	exchange(side->sockets[0], CHUNK, 1);
}

static const struct kind {
	const char *name, *unit;
	void (*run)(struct side *side);
	double units;          /* in a round */
	int port, connections; /* offset of the port, how many to open beforehand */
} kinds[] = {
	{ "connect", "k/s", connect_all, CONNECTS / 1e3, 0, 0 },
	{ "request", "k/s", request_all, REQUESTS / 1e3, 0, CONNECTIONS },
	{ "stream", "Gbit/s", stream_all, CHUNK * 8.0 / 1e9, 1, 1 },
};

static const struct kind *find(const char *name)
{
	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kinds[i].name, name) == 0)
			return &kinds[i];
	}
	return NULL;
}

/* @where: ADDRESS,PID */
static void begin(struct side *side, const struct kind *kind, const char *where, int port)
{
	char address[INET_ADDRSTRLEN];
	int pid;

	if (sscanf(where, "%15[0-9.],%d", address, &pid) != 2 || clock_getcpuclockid(pid, &side->server) != 0)
		fail(where);
	side->to = name_of(address, port + kind->port);
	side->epoll = check(epoll_create1(0), "epoll");
	for (int i = 0; i < kind->connections; i++) {
		struct epoll_event event = { EPOLLIN, { .fd = open_connection(&side->to) } };

		side->sockets[i] = event.data.fd;
		check(epoll_ctl(side->epoll, EPOLL_CTL_ADD, event.data.fd, &event), "epoll");
	}
	for (int i = 0; i < 3; i++)
		kind->run(side); /* windows open, neighbours get known */
}

static double used(const struct side *side)
{
	struct timespec own, server;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &own);
	clock_gettime(side->server, &server);
	return (double)(own.tv_sec + server.tv_sec) + (double)(own.tv_nsec + server.tv_nsec) / 1e9;
}

static void measure(struct side *side, const struct kind *kind, int round)
{
	double used_before = used(side), start = table_now();

	kind->run(side);
	side->took[round] = table_now() - start;
	side->used[round] = used(side) - used_before;
}

static void hold(const char *address, int port)
{
	struct sockaddr_in to = name_of(address, port);

	open_connection(&to);
	for (;;)
		pause();
}

static int print(const char *figure, const struct kind *kind, struct side sides[2], size_t rounds,
		 enum table_limit limit_kind, double limit)
{
	double ours = kind->units / table_median(sides[0].used, rounds);
	double peer = kind->units / table_median(sides[1].used, rounds);
	int over = table_row(figure, ours, peer, kind->unit, limit_kind, limit);

	ours = kind->units / table_median(sides[0].took, rounds);
	peer = kind->units / table_median(sides[1].took, rounds);
	table_row("  the same by the clock", ours, peer, kind->unit, TABLE_NONE, 0);
	return over;
}

int main(int argc, char **argv)
{
	static struct side sides[2];
	const struct kind *kind;
	enum table_limit limit_kind;
	double limit;
	int rounds;

	signal(SIGPIPE, SIG_IGN);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(atoi(argv[2]));
	if (argc == 4 && strcmp(argv[1], "hold") == 0)
		hold(argv[2], atoi(argv[3]));
	if (argc != 8 || !table_limit_parse(argv[2], &limit_kind, &limit) || !(kind = find(argv[3])) ||
	    (rounds = atoi(argv[4])) < 1 || rounds > ROUNDS_MAX) {
		fputs("usage: traffic FIGURE LIMIT connect|request|stream ROUNDS PORT OURS PEER\n", stderr);
		return 2;
	}
	pin(0);
	for (int i = 0; i < 2; i++)
		begin(&sides[i], kind, argv[6 + i], atoi(argv[5]));
	for (int round = 0; round < rounds; round++) {
		for (int i = 0; i < 2; i++)
			measure(&sides[i ^ (round & 1)], kind, round);
	}
	return print(argv[1], kind, sides, (size_t)rounds, limit_kind, limit);
}
