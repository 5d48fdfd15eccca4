/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UDP, both ends of it:
 *
 *	udp serve ADDRESS PORT NAME	answers every datagram with "hello from NAME, PEER", and prints the peer;
 *					"" is every address of both families. Prints "ready" first.
 *	udp ask ADDRESS PORT		sends one datagram, and prints the answer, or why there is none. An answer
 *					is waited for one second.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

/* The length of the name, or 0 if @text is no address. */
static socklen_t parse(const char *text, const char *port, struct sockaddr_storage *out)
{
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)out;
	struct sockaddr_in *in = (struct sockaddr_in *)out;

	memset(out, 0, sizeof(*out));
	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons((unsigned short)atoi(port));
		return sizeof(*in);
	}
	if (text[0] && inet_pton(AF_INET6, text, &in6->sin6_addr) != 1)
		return 0;
	in6->sin6_family = AF_INET6;
	in6->sin6_port = htons((unsigned short)atoi(port));
	return sizeof(*in6);
}

static const char *name_of(const struct sockaddr_storage *peer, char text[static INET6_ADDRSTRLEN])
{
	const void *address = peer->ss_family == AF_INET
				      ? (const void *)&((const struct sockaddr_in *)peer)->sin_addr
				      : (const void *)&((const struct sockaddr_in6 *)peer)->sin6_addr;

	if (!inet_ntop(peer->ss_family, address, text, INET6_ADDRSTRLEN))
		return "?";
	return strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text;
}

/* Errors that ICMP brings for an answer are of no matter to the next who asks. */
static void answer(int fd, const char *self)
{
	char request[512], reply[128], text[INET6_ADDRSTRLEN];
	struct sockaddr_storage peer;
	socklen_t size = sizeof(peer);
	const char *name;

	if (recvfrom(fd, request, sizeof(request), 0, (struct sockaddr *)&peer, &size) < 0)
		return;
	name = name_of(&peer, text);
	printf("%s\n", name);
	fflush(stdout);
	snprintf(reply, sizeof(reply), "hello from %s, %s\n", self, name);
	(void)!sendto(fd, reply, strlen(reply), 0, (const struct sockaddr *)&peer, size);
}

static int serve(const char *address, const char *port, const char *self)
{
	struct sockaddr_storage name;
	socklen_t size = parse(address, port, &name);
	int fd = size ? socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1, off = 0;

	if (fd >= 0 && !address[0])
		setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (fd < 0 || bind(fd, (const struct sockaddr *)&name, size) < 0) {
		fprintf(stderr, "udp serve %s %s: %s\n", address, port, strerror(errno));
		return 1;
	}
	puts("ready");
	fflush(stdout);
	for (;;)
		answer(fd, self);
}

static int ask(const char *address, const char *port)
{
	struct timeval second = { .tv_sec = 1 };
	struct sockaddr_storage name;
	socklen_t size = parse(address, port, &name);
	int fd = size ? socket(name.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0) : -1;
	char reply[128];
	ssize_t len = -1;

	if (fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &second, sizeof(second)) == 0 &&
	    connect(fd, (const struct sockaddr *)&name, size) == 0 && send(fd, "who?", 4, 0) == 4)
		len = recv(fd, reply, sizeof(reply), 0);
	if (len < 0) {
		printf("udp: %s\n", errno == EAGAIN ? "no answer" : strerror(errno));
		return 1;
	}
	fwrite(reply, 1, (size_t)len, stdout);
	return 0;
}

int main(int argc, char **argv)
{
	if (argc == 5 && strcmp(argv[1], "serve") == 0)
		return serve(argv[2], argv[3], argv[4]);
	if (argc == 4 && strcmp(argv[1], "ask") == 0)
		return ask(argv[2], argv[3]);
	fputs("udp serve ADDRESS PORT NAME | udp ask ADDRESS PORT\n", stderr);
	return 1;
}
