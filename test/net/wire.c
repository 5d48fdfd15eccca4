/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One end of a connection that does what it is told, step by step:
 *
 *	wire serve PORT STEP...			prints "ready"; a process for each client takes the steps
 *	wire [mptcp] ADDRESS PORT STEP...	connects, prints "connected" or why not, and takes the steps
 *
 *	say:TEXT urgent:TEXT	send it
 *	hear:COUNT hex:COUNT	print so many bytes
 *	me			print the port of this end
 *	send:COUNT recv:COUNT	so many bytes, each of which is known by its place; "COUNT bytes" if all are right
 *	both:COUNT		the same both ways at once, in pieces of every size
 *	slow:COUNT		recv in small pieces, with pauses
 *	fill			send until nobody has taken anything for a quarter of a second: "full"
 *	end			wait for it: "eof", "reset", or "silence" after five seconds
 *	gone			after the end: wait for a reset: "reset", or "silence"
 *	fin rst			say that there is no more; reset and go
 *	touch:PATH wait:PATH	make a file; wait for it
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PIECE = 1 << 18, SMALL = 3000, PATIENCE_MS = 5000, FULL_MS = 250 };

struct wire {
	int fd;
	uint64_t sent, heard; /* bytes that are known by their place */
};

static int fail(const char *what)
{
	fprintf(stderr, "wire: %s: %s\n", what, strerror(errno));
	return 1;
}

static char byte_at(uint64_t place)
{
	return (char)((place * 0x9e3779b97f4a7c15U) >> 56);
}

static bool wait_for(int fd, short events, int patience)
{
	struct pollfd poller = { fd, events, 0 };

	return poll(&poller, 1, patience) > 0;
}

/* At most @most; the bytes, 0 where nobody takes any now, or -1. */
static ssize_t send_some(struct wire *wire, size_t most)
{
	static char piece[PIECE];
	ssize_t n;

	if (most > sizeof(piece))
		most = sizeof(piece);
	for (size_t i = 0; i < most; i++)
		piece[i] = byte_at(wire->sent + i);
	n = send(wire->fd, piece, most, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0)
		return errno == EAGAIN ? 0 : -1;
	wire->sent += (uint64_t)n;
	return n;
}

/* The same; -1 also at the end, and where a byte is wrong. */
static ssize_t recv_some(struct wire *wire, size_t most)
{
	static char piece[PIECE];
	ssize_t n = recv(wire->fd, piece, most < sizeof(piece) ? most : sizeof(piece), MSG_DONTWAIT);

	if (n <= 0)
		return n < 0 && errno == EAGAIN ? 0 : -1;
	for (ssize_t i = 0; i < n; i++) {
		if (piece[i] != byte_at(wire->heard++))
			return -1;
	}
	return n;
}

/* Both ways until so many bytes have gone each way. Every piece is of another size, a few bytes or many. */
static bool move(struct wire *wire, uint64_t to_send, uint64_t to_hear, size_t piece)
{
	uint64_t sent_at_last = wire->sent + to_send, heard_at_last = wire->heard + to_hear;

	for (unsigned turn = 0; wire->sent < sent_at_last || wire->heard < heard_at_last; turn++) {
		size_t size = piece ? piece : turn % 5 == 0 ? PIECE : turn * 7919 % 2048 + 1;
		uint64_t left = sent_at_last - wire->sent, missing = heard_at_last - wire->heard;
		short events = (short)((left ? POLLOUT : 0) | (missing ? POLLIN : 0));

		if (!wait_for(wire->fd, events, PATIENCE_MS) ||
		    (left && send_some(wire, left < size ? left : size) < 0) ||
		    (missing && recv_some(wire, missing < size ? missing : size) < 0))
			return false;
		if (piece == SMALL && turn % 64 == 0)
			usleep(1000);
	}
	return true;
}

static void tell(struct wire *wire, uint64_t count, bool all)
{
	if (all)
		printf("%llu bytes\n", (unsigned long long)count);
	else
		printf("sent %llu, heard %llu, then %s\n", (unsigned long long)wire->sent,
		       (unsigned long long)wire->heard, strerror(errno));
}

static void hear(int fd, size_t count, bool hex)
{
	char text[512];
	size_t have = 0;

	while (have < count && have < sizeof(text) && wait_for(fd, POLLIN, PATIENCE_MS)) {
		ssize_t n = recv(fd, text + have, count - have, 0);

		if (n <= 0)
			break;
		have += (size_t)n;
	}
	for (size_t i = 0; i < have; i++)
		printf(hex ? "%02x" : "%c", (unsigned char)text[i]);
	putchar('\n');
}

static void tell_port(int fd)
{
	struct sockaddr_in6 in6;
	socklen_t length = sizeof(in6);

	getsockname(fd, (void *)&in6, &length);
	printf("%u\n", ntohs(in6.sin6_port));
}

static void fill(struct wire *wire)
{
	while (wait_for(wire->fd, POLLOUT, FULL_MS)) {
		if (send_some(wire, PIECE) < 0) {
			puts(strerror(errno));
			return;
		}
	}
	puts("full");
}

static void end(int fd)
{
	char piece[4096];
	size_t more = 0;
	ssize_t n = -1;

	while (wait_for(fd, POLLIN, PATIENCE_MS) && (n = recv(fd, piece, sizeof(piece), 0)) > 0)
		more += (size_t)n;
	if (more)
		printf("%zu more bytes, ", more);
	puts(n > 0 || (n < 0 && errno == EAGAIN) ? "silence"
	     : n == 0                            ? "eof"
	     : errno == ECONNRESET               ? "reset"
						 : "silence");
}

/* After the end of what the other says, recv() has nothing to add. */
static void gone(int fd)
{
	puts(wait_for(fd, 0, PATIENCE_MS) ? "reset" : "silence");
}

static void wait_for_file(const char *path)
{
	for (int i = 0; access(path, F_OK) < 0 && i < 2 * PATIENCE_MS / 10; i++)
		usleep(10000);
}

static void reset(int fd)
{
	struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void take(struct wire *wire, char *step)
{
	char *what = strtok(step, ":"), *value = strtok(NULL, "");
	uint64_t count = value ? strtoull(value, NULL, 10) : 0;

	errno = EAGAIN;
	if (strcmp(what, "say") == 0 || strcmp(what, "urgent") == 0)
		send(wire->fd, value, strlen(value), MSG_NOSIGNAL | (what[0] == 'u' ? MSG_OOB : 0));
	else if (strcmp(what, "hear") == 0)
		hear(wire->fd, count, false);
	else if (strcmp(what, "hex") == 0)
		hear(wire->fd, count, true);
	else if (strcmp(what, "me") == 0)
		tell_port(wire->fd);
	else if (strcmp(what, "send") == 0)
		tell(wire, count, move(wire, count, 0, PIECE));
	else if (strcmp(what, "recv") == 0)
		tell(wire, count, move(wire, 0, count, PIECE));
	else if (strcmp(what, "both") == 0)
		tell(wire, count, move(wire, count, count, 0));
	else if (strcmp(what, "slow") == 0)
		tell(wire, count, move(wire, 0, count, SMALL));
	else if (strcmp(what, "fill") == 0)
		fill(wire);
	else if (strcmp(what, "end") == 0)
		end(wire->fd);
	else if (strcmp(what, "gone") == 0)
		gone(wire->fd);
	else if (strcmp(what, "fin") == 0)
		shutdown(wire->fd, SHUT_WR);
	else if (strcmp(what, "rst") == 0)
		reset(wire->fd);
	else if (strcmp(what, "touch") == 0)
		close(open(value, O_CREAT | O_WRONLY, 0600));
	else if (strcmp(what, "wait") == 0)
		wait_for_file(value);
	else
		printf("no such step: %s\n", what);
}

static int follow(int fd, char **steps)
{
	struct wire wire = { .fd = fd };

	for (; *steps; steps++)
		take(&wire, *steps);
	return 0;
}

static int serve(const char *port, char **steps)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, off = 0;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (const struct sockaddr *)&in6, sizeof(in6)) < 0 || listen(fd, 128) < 0)
		return fail("serve");
	signal(SIGCHLD, SIG_IGN);
	puts("ready");
	for (;;) {
		int client = accept(fd, NULL, NULL);

		if (client < 0)
			return fail("accept");
		if (fork() == 0) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			close(fd);
			return follow(client, steps);
		}
		close(client);
	}
}

static int call(int protocol, const char *address, const char *port, char **steps)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = in6.sin6_port };
	bool ipv4 = inet_pton(AF_INET, address, &in.sin_addr) == 1;
	int fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, protocol);

	if (!ipv4 && inet_pton(AF_INET6, address, &in6.sin6_addr) != 1)
		return fail(address);
	if (connect(fd, ipv4 ? (const void *)&in : (const void *)&in6, ipv4 ? sizeof(in) : sizeof(in6)) < 0) {
		puts(strerror(errno));
		return 1;
	}
	puts("connected");
	return follow(fd, steps);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc >= 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2], argv + 3);
	if (argc >= 4 && strcmp(argv[1], "mptcp") == 0)
		return call(IPPROTO_MPTCP, argv[2], argv[3], argv + 4);
	if (argc >= 3)
		return call(0, argv[1], argv[2], argv + 3);
	fprintf(stderr, "wire serve PORT STEP..., or wire [mptcp] ADDRESS PORT STEP...\n");
	return 1;
}
