/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Many connections:
 *
 *	crowd serve PORT stay|go	greets each client with a byte, and closes when the client does, or at once
 *	crowd hold N ADDRESS PORT GO	N clients at once, who stay until the file GO is there, then leave as they
 *					are greeted. Prints "greeted G, waiting W, reset R" when nothing has happened for
 *					a while, and once more at the end
 *	crowd file N ADDRESS PORT FIRST LAST
 *					N clients one after the other, from these local ports in turn; each leaves
 *					when greeted, or, with 0 0, from any port and when the server has left. Prints "N greeted, R reset, T ms"
 *	crowd sink PORT			takes what its clients send
 *	crowd pour N ADDRESS PORT	N clients who send as fast as can be, for ever. Prints "pouring"
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256, QUIET_MS = 400, PATIENCE_MS = 20000, PIECE = 1 << 18 };

struct client {
	int fd;
	bool greeted, gone, reset;
};

struct peer {
	struct sockaddr_in6 in6;
	struct sockaddr_in in;
	bool ipv4;
};

static int fail(const char *what)
{
	fprintf(stderr, "crowd: %s: %s\n", what, strerror(errno));
	return 1;
}

static long now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void greet(int listener, int epoll, bool stay)
{
	struct epoll_event event = { .events = EPOLLIN };
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		send(fd, "!", 1, MSG_NOSIGNAL);
		event.data.fd = fd;
		if (!stay || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
			close(fd);
	}
}

enum manner { GO, STAY, SINK };

static int serve(const char *port, enum manner manner)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0), epoll = epoll_create1(0), on = 1, off = 0;
	struct epoll_event events[EVENTS] = { { .events = EPOLLIN, .data.fd = fd } };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, (const struct sockaddr *)&in6, sizeof(in6)) < 0 || listen(fd, 4096) < 0 ||
	    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &events[0]) < 0)
		return fail("serve");
	puts("ready");
	for (;;) {
		int count = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < count; i++) {
			/* Of TCP, MSG_TRUNC is to throw it away. */
			size_t size = manner == SINK ? PIECE : 1;

			if (events[i].data.fd == fd)
				greet(fd, epoll, manner != GO);
			else if (recv(events[i].data.fd, NULL, size, MSG_TRUNC) <= 0)
				close(events[i].data.fd);
		}
	}
}

static int call(const struct peer *peer, uint16_t from, bool wait)
{
	int fd = socket(peer->ipv4 ? AF_INET : AF_INET6, SOCK_STREAM | (wait ? 0 : SOCK_NONBLOCK), 0), on = 1,
	    ret;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(from) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(from) };

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (from &&
	    bind(fd, peer->ipv4 ? (void *)&in : (void *)&in6, peer->ipv4 ? sizeof(in) : sizeof(in6)) < 0)
		perror("crowd: bind");
	ret = connect(fd, peer->ipv4 ? (const void *)&peer->in : (const void *)&peer->in6,
		      peer->ipv4 ? sizeof(peer->in) : sizeof(peer->in6));
	if (ret == 0 || errno == EINPROGRESS)
		return fd;
	close(fd);
	return -1;
}

/* What has become of @client; true when it is something new. */
static bool look(struct client *client, bool go)
{
	char byte;
	ssize_t n;

	if (client->gone)
		return false;
	if (!client->greeted) {
		n = recv(client->fd, &byte, 1, MSG_DONTWAIT);
		if (n < 0 && errno == EAGAIN)
			return false;
		client->greeted = n == 1;
		client->gone = client->reset = n != 1;
	} else if (go) {
		client->gone = true;
	} else {
		return false;
	}
	if (client->gone)
		close(client->fd);
	return true;
}

static void tell(const struct client *clients, int count)
{
	int greeted = 0, reset = 0;

	for (int i = 0; i < count; i++) {
		greeted += clients[i].greeted;
		reset += clients[i].reset;
	}
	printf("greeted %d, waiting %d, reset %d\n", greeted, count - greeted - reset, reset);
}

/* When all have gone, or nothing has happened for too long. */
static void watch(struct client *clients, int count, const char *path)
{
	long last = now_ms();
	bool told = false;

	for (;;) {
		bool go = access(path, F_OK) == 0, news = false, all_gone = true;

		for (int i = 0; i < count; i++) {
			news |= look(&clients[i], go);
			all_gone &= clients[i].gone;
		}
		if (news)
			last = now_ms();
		if (all_gone || now_ms() - last > PATIENCE_MS)
			return;
		if (!told && now_ms() - last > QUIET_MS) {
			tell(clients, count);
			told = true;
		}
		usleep(2000);
	}
}

static int hold(int count, const struct peer *peer, const char *path)
{
	struct rlimit limit;
	struct client *clients = calloc((size_t)count, sizeof(*clients));

	getrlimit(RLIMIT_NOFILE, &limit);
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	for (int i = 0; clients && i < count; i++) {
		clients[i].fd = call(peer, 0, false);
		if (clients[i].fd < 0)
			return fail("connect");
	}
	if (!clients)
		return fail("hold");
	watch(clients, count, path);
	tell(clients, count);
	free(clients);
	return 0;
}

static int pour(int count, const struct peer *peer)
{
	static char piece[PIECE];
	struct epoll_event event = { .events = EPOLLOUT }, events[EVENTS];
	int epoll = epoll_create1(0);

	for (int i = 0; i < count; i++) {
		event.data.fd = call(peer, 0, true);
		if (event.data.fd < 0 || fcntl(event.data.fd, F_SETFL, O_NONBLOCK) < 0 ||
		    epoll_ctl(epoll, EPOLL_CTL_ADD, event.data.fd, &event) < 0)
			return fail("pour");
	}
	puts("pouring");
	for (;;) {
		int ready = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < ready; i++) {
			if (send(events[i].data.fd, piece, sizeof(piece), MSG_NOSIGNAL) < 0 &&
			    errno != EAGAIN)
				close(events[i].data.fd);
		}
	}
}

static int file(int count, const struct peer *peer, int first, int last)
{
	struct timeval patience = { .tv_sec = PATIENCE_MS / 1000 };
	int greeted = 0, failed = 0;
	long start = now_ms();

	for (int i = 0; i < count; i++) {
		int fd = call(peer, (uint16_t)(first ? first + i % (last - first + 1) : 0), true);
		char byte;

		if (fd >= 0)
			setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
		if (fd >= 0 && recv(fd, &byte, 1, 0) == 1)
			greeted++;
		else if (failed++ == 0)
			perror("crowd");
		while (fd >= 0 && !first && recv(fd, &byte, 1, 0) > 0)
			;
		if (fd >= 0)
			close(fd);
	}
	printf("%d greeted, %d not, %ld ms\n", greeted, failed, now_ms() - start);
	return 0;
}

int main(int argc, char **argv)
{
	struct peer peer = { { .sin6_family = AF_INET6 }, { .sin_family = AF_INET }, false };

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc == 4 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2], strcmp(argv[3], "stay") == 0 ? STAY : GO);
	if (argc == 3 && strcmp(argv[1], "sink") == 0)
		return serve(argv[2], SINK);
	if (argc < 5) {
		fprintf(stderr, "crowd serve PORT stay|go, crowd hold N ADDRESS PORT GO, "
				"crowd file N ADDRESS PORT FIRST LAST, crowd sink PORT, "
				"or crowd pour N ADDRESS PORT\n");
		return 1;
	}
	peer.in.sin_port = peer.in6.sin6_port = htons((uint16_t)atoi(argv[4]));
	peer.ipv4 = inet_pton(AF_INET, argv[3], &peer.in.sin_addr) == 1;
	if (!peer.ipv4 && inet_pton(AF_INET6, argv[3], &peer.in6.sin6_addr) != 1)
		return fail(argv[3]);
	if (strcmp(argv[1], "pour") == 0)
		return pour(atoi(argv[2]), &peer);
	if (argc == 6 && strcmp(argv[1], "hold") == 0)
		return hold(atoi(argv[2]), &peer, argv[5]);
	return argc == 7 ? file(atoi(argv[2]), &peer, atoi(argv[5]), atoi(argv[6])) : fail("FIRST LAST");
}
