/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cost ADDRESS OURS PEER: what forwarders hold on to, by Private_Dirty of smaps_rollup, and in descriptors.
 *
 * OURS and PEER are PORT,PID,...,PID: the first process forwards TCP from PORT, the last UDP; both have been idle
 * since they were started. COUNT connections are opened, which have each carried a message, and as many clients
 * send a datagram each; SETTLE_MS later it is what has been added, by connection and by client.
 */
#include "table.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { COUNT = 1000, SETTLE_MS = 1500 };

static const char *host;

struct side {
	int port, tcp, udp; /* the two are pids */
	double idle, connection, descriptors, client;
};

static void die(const char *what)
{
	perror(what);
	exit(2);
}

static struct side read_side(const char *text)
{
	const char *last = strrchr(text, ','), *first = strchr(text, ',');

	if (!first)
		die("OURS, PEER");
	return (struct side){ .port = atoi(text), .tcp = atoi(first + 1), .udp = atoi(last + 1) };
}

static double descriptors(int pid)
{
	struct dirent *entry;
	double count = 0;
	char path[64];
	DIR *all;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	all = opendir(path);
	if (!all)
		die(path);
	while ((entry = readdir(all)))
		count += entry->d_name[0] != '.';
	closedir(all);
	return count;
}

static int dial(int type, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	char byte = 'x';
	int fd = socket(AF_INET, type, 0);

	inet_pton(AF_INET, host, &address.sin_addr);
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || send(fd, &byte, 1, 0) != 1 ||
	    (type == SOCK_STREAM && recv(fd, &byte, 1, 0) != 1))
		die("connect");
	return fd;
}

/* COUNT of them: how much memory each has cost @pid, and how many descriptors. */
static double cost(int type, int port, int pid, double *each)
{
	double memory = table_dirty(pid), before = descriptors(pid);
	int fds[COUNT];

	for (int i = 0; i < COUNT; i++)
		fds[i] = dial(type, port);
	usleep(SETTLE_MS * 1000);
	memory = (table_dirty(pid) - memory) / COUNT;
	*each = (descriptors(pid) - before) / COUNT;
	for (int i = 0; i < COUNT; i++)
		close(fds[i]);
	return memory;
}

static void measure(struct side *side)
{
	double ignored;

	side->idle = table_dirty(side->tcp) / 1024;
	side->connection = cost(SOCK_STREAM, side->port, side->tcp, &side->descriptors);
	side->client = cost(SOCK_DGRAM, side->port, side->udp, &ignored);
}

int main(int argc, char **argv)
{
	struct side ours, peer;
	int over = 0;

	if (argc != 4) {
		fputs("usage: cost ADDRESS OURS PEER\n", stderr);
		return 2;
	}
	host = argv[1];
	ours = read_side(argv[2]);
	peer = read_side(argv[3]);
	measure(&ours);
	measure(&peer);
	over |= table_row("memory when idle; docker-proxy", ours.idle, peer.idle, "kB", TABLE_MOST, 300);
	over |= table_row("memory of an idle connection; docker-proxy", ours.connection, peer.connection,
			  "bytes", TABLE_MOST, 300);
	over |= table_row("descriptors of an idle connection; docker-proxy", ours.descriptors,
			  peer.descriptors, "", TABLE_MOST, 2);
	over |= table_row("memory of a UDP client; docker-proxy", ours.client, peer.client, "bytes",
			  TABLE_MOST, 500);
	return over;
}
