/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Holds sockets: hold PROTOCOL ADDRESS PORT [...]. ADDRESS "" is every address of both families, and ::
 * those of IPv6 alone. PROTOCOL "bound" is TCP that does not listen. Prints "ready" when all are open, and waits to
 * be killed.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static bool bind_to(int fd, const char *text, unsigned short port)
{
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6, .sin6_port = htons(port) };
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_port = htons(port) };

	if (inet_pton(AF_INET, text, &in.sin_addr) == 1)
		return bind(fd, (const struct sockaddr *)&in, sizeof(in)) == 0;
	return (!text[0] || inet_pton(AF_INET6, text, &in6.sin6_addr) == 1) &&
	       bind(fd, (const struct sockaddr *)&in6, sizeof(in6)) == 0;
}

static bool hold(const char *protocol, const char *text, const char *port)
{
	bool listens = strcmp(protocol, "tcp") == 0, tcp = listens || strcmp(protocol, "bound") == 0;
	int family = text[0] && !strchr(text, ':') ? AF_INET : AF_INET6, only = text[0] != '\0', on = 1;
	int fd = socket(family, (tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);

	if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof(on)) < 0)
		return false;
	if (family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof(only)) < 0)
		return false;
	return bind_to(fd, text, (unsigned short)atoi(port)) && (!listens || listen(fd, 16) == 0);
}

int main(int argc, char **argv)
{
	for (int i = 1; i + 2 < argc; i += 3) {
		if (!hold(argv[i], argv[i + 1], argv[i + 2])) {
			fprintf(stderr, "hold %s %s %s: %s\n", argv[i], argv[i + 1], argv[i + 2],
				strerror(errno));
			return 1;
		}
	}
	puts("ready");
	fflush(stdout);
	pause();
	return 0;
}
