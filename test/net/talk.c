/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Both ends of a conversation, of which every answer names who gave it:
 *
 *	talk serve PROTOCOL PORT NAME			prints "ready"; answers MESSAGE with "NAME: MESSAGE"
 *	talk PROTOCOL SOURCE_PORT ADDRESS PORT		sends each line of standard input; prints the answers
 *
 * In the place of an answer stands "refused", "closed", or "lost" where none came within half a second. A
 * datagram is asked for thrice before it is lost.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { PEERS = 64, SIZE = 512, PATIENCE_MS = 500 };

static int fail(const char *what)
{
	fprintf(stderr, "talk: %s: %s\n", what, strerror(errno));
	return 1;
}

/* A socket at @port of every address of @family; IPv6's is of both. */
static int open_at(bool tcp, int family, const char *port)
{
	int fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0), on = 1, off = 0;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(port)) };
	int ret;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0)
		return -1;
	if (family == AF_INET)
		ret = bind(fd, (const struct sockaddr *)&in, sizeof(in));
	else
		ret = setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0
			      ? -1
			      : bind(fd, (const struct sockaddr *)&in6, sizeof(in6));
	return ret < 0 ? -1 : fd;
}

/* False when the peer has gone. A datagram's answer leaves from the address that was asked. */
static bool answer(int fd, bool tcp, const char *name)
{
	char message[SIZE], text[2 * SIZE], control[256];
	struct sockaddr_in6 peer;
	struct iovec io = { message, sizeof(message) };
	struct msghdr header = { .msg_name = tcp ? NULL : &peer,
				 .msg_namelen = tcp ? 0 : sizeof(peer),
				 .msg_iov = &io,
				 .msg_iovlen = 1,
				 .msg_control = control,
				 .msg_controllen = sizeof(control) };
	ssize_t n = recvmsg(fd, &header, 0);

	if (n <= 0)
		return !tcp;
	io.iov_base = text;
	io.iov_len = (size_t)snprintf(text, sizeof(text), "%s: %.*s", name, (int)n, message);
	return sendmsg(fd, &header, MSG_NOSIGNAL) >= 0 || !tcp;
}

static int serve(bool tcp, const char *port, const char *name)
{
	struct pollfd peers[PEERS] = { { open_at(tcp, AF_INET6, port), POLLIN, 0 } };
	nfds_t count = 1;
	int on = 1;

	if (peers[0].fd < 0 || (tcp && listen(peers[0].fd, 16) < 0))
		return fail("serve");
	setsockopt(peers[0].fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, &on, sizeof(on));
	puts("ready");
	fflush(stdout);
	for (;;) {
		if (poll(peers, count, -1) < 0)
			return fail("poll");
		for (nfds_t i = tcp ? 1 : 0; i < count; i++) {
			if (peers[i].revents && !answer(peers[i].fd, tcp, name)) {
				close(peers[i].fd);
				peers[i--] = peers[--count];
			}
		}
		if (tcp && peers[0].revents && count < PEERS) {
			peers[count] = (struct pollfd){ accept(peers[0].fd, NULL, NULL), POLLIN, 0 };
			count += peers[count].fd >= 0;
		}
	}
}

static const char *ask_once(int fd, const char *line, char *reply)
{
	struct pollfd wait = { fd, POLLIN, 0 };
	ssize_t n = send(fd, line, strlen(line), MSG_NOSIGNAL);

	if (n < 0 && errno == ECONNREFUSED) /* of the one before */
		n = send(fd, line, strlen(line), MSG_NOSIGNAL);
	if (n >= 0 && poll(&wait, 1, PATIENCE_MS) == 0)
		return "lost";
	n = n < 0 ? n : recv(fd, reply, SIZE - 1, 0);
	if (n > 0) {
		reply[n] = '\0';
		return reply;
	}
	return n < 0 && errno == ECONNREFUSED ? "refused" : "closed";
}

static int ask(bool tcp, char *const argv[])
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(argv[2])) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons((uint16_t)atoi(argv[2])) };
	bool ipv4 = inet_pton(AF_INET, argv[1], &in.sin_addr) == 1;
	int fd = open_at(tcp, ipv4 ? AF_INET : AF_INET6, argv[0]);
	char line[SIZE], reply[SIZE];

	if (fd < 0)
		return fail("open");
	if (!ipv4 && inet_pton(AF_INET6, argv[1], &in6.sin6_addr) != 1)
		return fail(argv[1]);
	if (connect(fd, ipv4 ? (const struct sockaddr *)&in : (const struct sockaddr *)&in6,
		    ipv4 ? sizeof(in) : sizeof(in6)) < 0) {
		puts("refused");
		return 0;
	}
	while (fgets(line, sizeof(line), stdin)) {
		const char *text = "lost";

		line[strcspn(line, "\n")] = '\0';
		for (int i = 0; i < (tcp ? 1 : 3) && strcmp(text, "lost") == 0; i++)
			text = ask_once(fd, line, reply);
		puts(text);
		fflush(stdout);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "serve") == 0)
		return serve(strcmp(argv[2], "tcp") == 0, argv[3], argv[4]);
	if (argc == 5)
		return ask(strcmp(argv[1], "tcp") == 0, argv + 2);
	fprintf(stderr, "talk serve PROTOCOL PORT NAME, or talk PROTOCOL SOURCE_PORT ADDRESS PORT\n");
	return 1;
}
