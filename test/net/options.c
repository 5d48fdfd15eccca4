/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * options PID [hurry]: what the connections of a process have been told, a line each, with the port of the other end.
 * With hurry they are told to ask after a silent peer each second, and once.
 */
#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, name, &value, &length) < 0 ? -1 : value;
}

static void hurry(int fd)
{
	int one = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &one, sizeof(one));
	setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &one, sizeof(one));
}

static void tell(int fd)
{
	struct sockaddr_in6 peer;
	socklen_t length = sizeof(peer);

	if (getpeername(fd, (void *)&peer, &length) < 0 || option(fd, SOL_SOCKET, SO_PROTOCOL) != IPPROTO_TCP)
		return;
	printf("%u nodelay %d keepalive %d idle %d interval %d count %d\n", ntohs(peer.sin6_port),
	       option(fd, IPPROTO_TCP, TCP_NODELAY), option(fd, SOL_SOCKET, SO_KEEPALIVE),
	       option(fd, IPPROTO_TCP, TCP_KEEPIDLE), option(fd, IPPROTO_TCP, TCP_KEEPINTVL),
	       option(fd, IPPROTO_TCP, TCP_KEEPCNT));
}

int main(int argc, char **argv)
{
	int process = argc > 1 ? (int)syscall(SYS_pidfd_open, atoi(argv[1]), 0) : -1, fd;
	bool hurries = argc == 3;
	char path[64];
	struct dirent *entry;
	DIR *directory;

	snprintf(path, sizeof(path), "/proc/%d/fd", argc > 1 ? atoi(argv[1]) : 0);
	directory = opendir(path);
	if (process < 0 || !directory) {
		fprintf(stderr, "options PID [hurry]\n");
		return 1;
	}
	while ((entry = readdir(directory))) {
		fd = (int)syscall(SYS_pidfd_getfd, process, atoi(entry->d_name), 0);
		if (fd >= 0 && hurries)
			hurry(fd);
		if (fd >= 0)
			tell(fd);
		close(fd);
	}
	closedir(directory);
	return 0;
}
