/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Connections that go on:
 *
 *	keepalive serve PORT		answers each byte with itself; prints "ready"
 *	keepalive ask N ADDRESS PORT GO	N connections, on each of which a byte goes there and back every few milliseconds, until
 *					the file GO is there. Prints "ready" when each has had an answer, and at the end
 *					"N connections, B broken", and "worst T ms, E exchanges"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 64, PACE_MS = 5, PATIENCE_MS = 5000 };

struct client {
	int fd;
	bool waits; /* for an answer, since then */
	long since;
};

static int fail(const char *what)
{
	fprintf(stderr, "keepalive: %s: %s\n", what, strerror(errno));
	return 1;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void answer(int fd)
{
	char buffer[256];
	ssize_t n = recv(fd, buffer, sizeof(buffer), 0);

	if (n <= 0)
		close(fd);
	else
		send(fd, buffer, (size_t)n, MSG_NOSIGNAL);
}

static int serve(const char *port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET6, SOCK_STREAM, 0), epoll = epoll_create1(0), on = 1;
	struct epoll_event events[EVENTS] = { { .events = EPOLLIN, .data.fd = fd } };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&in6, sizeof(in6)) < 0 || listen(fd, 1024) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &events[0]) < 0)
		return fail("serve");
	puts("ready");
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			struct epoll_event client = { .events = EPOLLIN };

			if (events[i].data.fd != fd) {
				answer(events[i].data.fd);
				continue;
			}
			client.data.fd = accept(fd, NULL, NULL);
			epoll_ctl(epoll, EPOLL_CTL_ADD, client.data.fd, &client);
		}
	}
}

static int call(const char *address, const char *port)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = in.sin_port };
	bool ipv4 = inet_pton(AF_INET, address, &in.sin_addr) == 1;
	int fd = socket(ipv4 ? AF_INET : AF_INET6, SOCK_STREAM, 0);

	if (!ipv4)
		inet_pton(AF_INET6, address, &in6.sin6_addr);
	if (connect(fd, ipv4 ? (const struct sockaddr *)&in : (const struct sockaddr *)&in6,
		    ipv4 ? sizeof(in) : sizeof(in6)) < 0)
		return -1;
	return fd;
}

/* Take an answer that is there, and notice an end. */
static void look(struct client *client, long *worst, long *exchanges)
{
	char byte;
	ssize_t n = recv(client->fd, &byte, 1, MSG_DONTWAIT);

	if (n < 0 && errno == EAGAIN) {
		if (!client->waits || now_ms() - client->since < PATIENCE_MS)
			return;
	} else if (n > 0) {
		if (now_ms() - client->since > *worst)
			*worst = now_ms() - client->since;
		client->waits = false;
		++*exchanges;
		return;
	}
	close(client->fd);
	client->fd = -1;
}

static int ask(int count, char *const argv[])
{
	struct client *clients = calloc((size_t)count, sizeof(*clients));
	long worst = 0, exchanges = 0;
	bool ready = false;
	int broken = 0;

	for (int i = 0; clients && i < count; i++) {
		clients[i].fd = call(argv[0], argv[1]);
		if (clients[i].fd < 0)
			return fail("connect");
	}
	while (clients && access(argv[2], F_OK) < 0) {
		poll(NULL, 0, PACE_MS);
		for (int i = 0; i < count; i++) {
			if (clients[i].fd < 0)
				continue;
			if (clients[i].waits)
				look(&clients[i], &worst, &exchanges);
			if (clients[i].fd < 0 || clients[i].waits)
				continue;
			clients[i].waits = send(clients[i].fd, "!", 1, MSG_NOSIGNAL) == 1;
			clients[i].since = now_ms();
		}
		if (!ready && exchanges > 4L * count) {
			puts("ready");
			ready = true;
		}
	}
	for (int i = 0; clients && i < count; i++)
		broken += clients[i].fd < 0;
	printf("%d connections, %d broken\nworst %ld ms, %ld exchanges\n", count, broken, worst, exchanges);
	return 0;
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2]);
	if (argc == 6 && strcmp(argv[1], "ask") == 0)
		return ask(atoi(argv[2]), argv + 3);
	fprintf(stderr, "keepalive serve PORT | ask N ADDRESS PORT GO\n");
	return 1;
}
