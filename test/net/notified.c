/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A service manager: notified PATH prints "listening", and then a line for each message to its socket there. @NAME is in no file system. */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

int main(int argc, char **argv)
{
	struct sockaddr_un at = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	char text[256];
	socklen_t size;
	ssize_t n;

	if (argc != 2 || strlen(argv[1]) >= sizeof(at.sun_path)) {
		fprintf(stderr, "notified PATH\n");
		return 1;
	}
	memcpy(at.sun_path, argv[1], strlen(argv[1]));
	size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(argv[1]));
	if (at.sun_path[0] == '@')
		at.sun_path[0] = '\0';
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (bind(fd, (const struct sockaddr *)&at, size) < 0) {
		fprintf(stderr, "notified: %s\n", strerror(errno));
		return 1;
	}
	puts("listening");
	while ((n = recv(fd, text, sizeof(text), 0)) >= 0)
		printf("%.*s\n", (int)n, text);
	return 0;
}
