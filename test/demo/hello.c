/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The smallest HTTP server that tells who it is and who asked: hello PORT NAME. It stands for the
 * container in the demo and in the network tests, and prints "ready" once it listens. It answers one
 * client after the other.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static int listen_on(unsigned short port)
{
	struct sockaddr_in6 any = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1, off = 0;

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) < 0 ||
	    setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off)) < 0 ||
	    bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 || listen(fd, 16) < 0)
		return -1;
	return fd;
}

static void answer(int client, const struct sockaddr_in6 *peer, const char *self)
{
	char request[2048], text[INET6_ADDRSTRLEN], body[128], reply[256];
	const char *name = inet_ntop(AF_INET6, &peer->sin6_addr, text, sizeof(text));
	int len;

	if (!name || read(client, request, sizeof(request)) <= 0)
		return;
	if (strncmp(name, "::ffff:", 7) == 0)
		name += 7;
	snprintf(body, sizeof(body), "hello from %s, %s\n", self, name);
	len = snprintf(reply, sizeof(reply),
		       "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: "
		       "close\r\n\r\n%s",
		       strlen(body), body);
	if (write(client, reply, (size_t)len) == len)
		shutdown(client, SHUT_WR);
}

int main(int argc, char **argv)
{
	int fd = argc == 3 ? listen_on((unsigned short)atoi(argv[1])) : -1;

	if (fd < 0) {
		fprintf(stderr, "hello PORT NAME: %s\n", argc == 3 ? strerror(errno) : "two arguments");
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		struct sockaddr_in6 peer;
		socklen_t size = sizeof(peer);
		int client = accept4(fd, (struct sockaddr *)&peer, &size, SOCK_CLOEXEC);

		if (client < 0)
			return 1;
		answer(client, &peer, argv[2]);
		close(client);
	}
}
