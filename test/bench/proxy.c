/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * proxy serve PORT                                 what stands for a container
 * proxy WHAT FIGURE RATE CPU ROUNDS ADDRESS OURS PEER
 *
 * Theory of operation
 *
 * Ours and the peer's are ports of one host, which lead to the same server by two forwarders; OURS and PEER are
 * PORT,PID,PID...: the first of the ports, and the processes that forward, or whose time is asked for (0: the client,
 * this one). Each round works for SLICE_MS through the one and then through the other, every second round in the
 * opposite order; the rows have the medians of all rounds. The rate is by the clock, and CPU is the time that those
 * processes have had, for each unit. RATE and CPU are what is promised of the two; "skip" prints no row.
 *
 * WHAT is what is done:
 *
 *	down, up   one connection, as fast as it goes, in Gbit/s; CPU in seconds a GB
 *	request    CONNECTIONS connections, on each a request as soon as the last one is answered
 *	connect    one connection after the other, with a request each
 *	in-a-row   IN_A_ROW connections, one after the other, each with a request, and ended by the client: seconds. No
 *		   slice is that long, and none may fail. Each has its own port: the kernel would search for one that
 *		   is not in TIME_WAIT, the longer the more there are.
 *	latency	   CONNECTIONS connections, requests at half the rate that the peer can do: the time that the
 *		   slowest hundredth takes at least, in microseconds; of the rounds the quietest quarter, since what
 *		   others do meanwhile makes it many times as long, and never shorter
 *	overload   datagrams of 64 bytes, of which as many are sent as can be: those that arrive
 *	overload1400
 *	lossless   the highest rate of datagrams of 64 bytes of which none is lost in a slice
 *
 * The server answers each message on PORT; reads what comes on PORT + 1, and says so at its end; sends without end
 * on PORT + 2, and reads nothing; on PORT + 3 it tells how many datagrams have come to PORT; on PORT + 4 and PORT + 5
 * it does as on PORT, for those who need all local ports towards it.
 */
#include "table.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	SLICE_MS = 120,
	IN_A_ROW = 24000,
	FIRST_SOURCE = 10000,
	CONNECTIONS = 64,
	MESSAGE = 100,
	BUFFER = 256 << 10,
	BATCH = 64,
	ROUNDS_MAX = 200,
	PIDS_MAX = 32,
	SOCKETS_MAX = 4096,
	SAMPLES_MAX = 1 << 20,
	RECEIVE_BUFFER = 16 << 20,
};

enum service { ECHO, SINK, SOURCE, COUNT, ECHO_1, ECHO_2, SERVICES };

static char buffer[BUFFER];

static void die(const char *what)
{
	fprintf(stderr, "proxy: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void watch(int epoll, int fd, uint32_t events)
{
	struct epoll_event event = { .events = events, .data.fd = fd };

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0)
		die("epoll");
}

static void set_option(int fd, int level, int name, int value)
{
	(void)setsockopt(fd, level, name, &value, sizeof(value));
}

/* The server */

static struct {
	enum service service;
	int listens;
} sockets[SOCKETS_MAX];

static unsigned long long datagrams;

static int serve_at(int type, int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };
	int fd = socket(AF_INET, type | SOCK_NONBLOCK, 0);

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, 1);
	if (type == SOCK_DGRAM) { /* the server loses none: by the first where the second is not allowed */
		set_option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
		set_option(fd, SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER);
	}
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
	    (type == SOCK_STREAM && listen(fd, SOMAXCONN) < 0))
		die("bind");
	return fd;
}

static void count_datagrams(int fd)
{
	static struct mmsghdr messages[BATCH];
	static struct iovec place = { buffer, 2048 };
	int count;

	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &place, .msg_iovlen = 1 };
	while ((count = recvmmsg(fd, messages, BATCH, MSG_DONTWAIT, NULL)) > 0)
		datagrams += (unsigned long long)count;
}

static void accept_all(int epoll, int listener)
{
	enum service service = sockets[listener].service;
	int fd;

	while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0 && fd < SOCKETS_MAX) {
		sockets[fd].service = service;
		sockets[fd].listens = 0;
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
		if (service == COUNT) {
			dprintf(fd, "%llu\n", datagrams);
			close(fd);
			continue;
		}
		watch(epoll, fd, service == SOURCE ? EPOLLOUT : EPOLLIN);
	}
}

static void answer(int fd, uint32_t events)
{
	ssize_t count;

	if (sockets[fd].service == SOURCE && !(events & (EPOLLHUP | EPOLLERR))) {
		if (send(fd, buffer, BUFFER, MSG_NOSIGNAL) >= 0 || errno == EAGAIN)
			return;
	} else {
		count = recv(fd, buffer, BUFFER, 0);
		if (count > 0 && sockets[fd].service == ECHO)
			count = send(fd, buffer, (size_t)count, MSG_NOSIGNAL);
		if (count > 0 || (count < 0 && errno == EAGAIN))
			return;
		if (count == 0 && sockets[fd].service == SINK)
			(void)send(fd, buffer, 1, MSG_NOSIGNAL);
	}
	close(fd);
}

static void serve(int port)
{
	int epoll = epoll_create1(0), udp = serve_at(SOCK_DGRAM, port);
	struct epoll_event events[BATCH];

	for (int i = 0; i < SERVICES; i++) {
		int fd = serve_at(SOCK_STREAM, port + i);

		sockets[fd].service = i > COUNT ? ECHO : (enum service)i;
		sockets[fd].listens = 1;
		watch(epoll, fd, EPOLLIN);
	}
	watch(epoll, udp, EPOLLIN);
	for (;;) {
		int count = epoll_wait(epoll, events, BATCH, -1);

		for (int i = 0; i < count; i++) {
			int fd = events[i].data.fd;

			if (fd == udp)
				count_datagrams(fd);
			else if (sockets[fd].listens)
				accept_all(epoll, fd);
			else
				answer(fd, events[i].events);
		}
	}
}

/* The client */

static const char *host;

struct side {
	int port;
	int pids[PIDS_MAX];
	size_t pid_count;
	double rate[ROUNDS_MAX], cpu[ROUNDS_MAX];
};

static struct sockaddr_in address_of(int port)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_port = htons((uint16_t)port) };

	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		die("ADDRESS");
	return address;
}

/* @source: the port to come from, 0 for any. */
static int dial_from(int type, int source, int port)
{
	struct sockaddr_in address = address_of(port),
			   own = { .sin_family = AF_INET, .sin_port = htons((uint16_t)source) };
	int fd = socket(AF_INET, type, 0);

	set_option(fd, SOL_SOCKET, SO_REUSEADDR, source != 0);
	if (source && bind(fd, (struct sockaddr *)&own, sizeof(own)) < 0)
		die("bind");
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		die("connect");
	if (type == SOCK_STREAM)
		set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
	return fd;
}

static int dial(int type, int port)
{
	return dial_from(type, 0, port);
}

static void hang_up(int fd)
{
	struct linger at_once = { 1, 0 };

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
	close(fd);
}

static void ask(int fd)
{
	if (send(fd, buffer, MESSAGE, MSG_NOSIGNAL) != MESSAGE)
		die("send");
}

/* The client speaks first: there are forwarders through which nobody else can (pasta of 2023). */
static double down(int port, double end)
{
	int fd = dial(SOCK_STREAM, port + SOURCE);
	double bytes = 0;

	ask(fd);
	while (table_now() < end) {
		ssize_t count = recv(fd, buffer, BUFFER, 0);

		if (count <= 0)
			die("recv");
		bytes += (double)count;
	}
	hang_up(fd);
	return bytes / 1e9;
}

static double up(int port, double end)
{
	int fd = dial(SOCK_STREAM, port + SINK);
	double bytes = 0;

	while (table_now() < end) {
		ssize_t count = send(fd, buffer, BUFFER, 0);

		if (count <= 0)
			die("send");
		bytes += (double)count;
	}
	shutdown(fd, SHUT_WR);
	if (recv(fd, buffer, 1, 0) != 1)
		die("the last byte");
	close(fd);
	return bytes / 1e9;
}

/* A message, which may come in parts. */
static void hear(int fd)
{
	for (ssize_t count, got = 0; got < MESSAGE; got += count) {
		count = recv(fd, buffer, (size_t)(MESSAGE - got), 0);
		if (count <= 0)
			die("recv");
	}
}

static int dial_many(int port, int fds[static CONNECTIONS])
{
	int epoll = epoll_create1(0);

	for (int i = 0; i < CONNECTIONS; i++) {
		fds[i] = dial(SOCK_STREAM, port + ECHO);
		watch(epoll, fds[i], EPOLLIN);
	}
	return epoll;
}

static void hang_up_many(int epoll, const int fds[static CONNECTIONS])
{
	for (int i = 0; i < CONNECTIONS; i++)
		hang_up(fds[i]);
	close(epoll);
}

static double request(int port, double end)
{
	struct epoll_event events[CONNECTIONS];
	int fds[CONNECTIONS], epoll = dial_many(port, fds);
	double answers = 0;

	for (int i = 0; i < CONNECTIONS; i++)
		ask(fds[i]);
	while (table_now() < end) {
		int count = epoll_wait(epoll, events, CONNECTIONS, 100);

		for (int i = 0; i < count; i++) {
			hear(events[i].data.fd);
			ask(events[i].data.fd);
			answers++;
		}
	}
	hang_up_many(epoll, fds);
	return answers;
}

/* Reset at the end: no port is left in TIME_WAIT here, and how the proxies do with those is another figure. */
static double connect_once(int port, double end)
{
	double connections = 0;

	while (table_now() < end) {
		int fd = dial(SOCK_STREAM, port + ECHO);

		ask(fd);
		hear(fd);
		hang_up(fd);
		connections++;
	}
	return connections;
}

static double in_a_row(int port, double end)
{
	double begin = table_now();

	(void)end;
	for (int i = 0; i < IN_A_ROW; i++) {
		int fd = dial_from(SOCK_STREAM, FIRST_SOURCE + i, port + ECHO);

		ask(fd);
		hear(fd);
		close(fd);
	}
	return table_now() - begin;
}

static unsigned long long ask_count(int port)
{
	int fd = dial(SOCK_STREAM, port + COUNT);
	char text[32] = "";

	if (recv(fd, text, sizeof(text) - 1, MSG_WAITALL) <= 0)
		die("count");
	close(fd);
	return strtoull(text, NULL, 10);
}

/* What is still on its way arrives: two answers alike, a moment apart. */
static unsigned long long settled_count(int port)
{
	unsigned long long last, now = ask_count(port);

	do {
		last = now;
		usleep(5000);
		now = ask_count(port);
	} while (now != last);
	return now;
}

/* @rate of them a second, in bursts, or 0: as many as can be. How many were sent. */
static double send_datagrams(int port, size_t size, double rate, double end)
{
	struct mmsghdr messages[BATCH] = { 0 };
	struct iovec data = { buffer, size };
	int fd = dial(SOCK_DGRAM, port);
	double sent = 0, begin = table_now(), now;

	for (int i = 0; i < BATCH; i++)
		messages[i].msg_hdr = (struct msghdr){ .msg_iov = &data, .msg_iovlen = 1 };
	while ((now = table_now()) < end) {
		double due = rate > 0 ? (now - begin) * rate - sent : BATCH;
		int count = due >= BATCH ? BATCH : due >= 1 ? (int)due : 0;

		if (count == 0)
			continue;
		count = sendmmsg(fd, messages, (unsigned int)count, 0);
		sent += count > 0 ? count : 0;
	}
	close(fd);
	return sent;
}

static double overload(int port, size_t size, double end)
{
	unsigned long long before = settled_count(port);

	send_datagrams(port, size, 0, end);
	return (double)(settled_count(port) - before);
}

static double overload64(int port, double end)
{
	return overload(port, 64, end);
}

static double overload1400(int port, double end)
{
	return overload(port, 1400, end);
}

/*
 * Half and half again: eight slices find it within a few hundredths. In a shorter one, buffers would hold all there is,
 * and the rate would be theirs. What is asked for may be more than this can send.
 */
static double lossless(int port, double end)
{
	double low = 0, high = 400000, most = 0, slice = end - table_now();

	for (int i = 0; i < 8; i++) {
		unsigned long long before = settled_count(port);
		double rate = (low + high) / 2, begin = table_now();
		double sent = send_datagrams(port, 64, rate, begin + slice), took = table_now() - begin;

		if ((double)(settled_count(port) - before) < sent) {
			high = rate;
			continue;
		}
		low = rate;
		if (most < sent / took)
			most = sent / took;
	}
	return most;
}

/* Of the next latency. */
static double asked_rate;

static double percentile(double *samples, size_t count)
{
	table_median(samples, count); /* sorts them */
	return samples[count - 1 - count / 100];
}

/* Requests are due at even intervals; each that is late has waited since it was due. */
static double latency(int port, double end)
{
	static double samples[SAMPLES_MAX], due[SOCKETS_MAX];
	struct epoll_event events[CONNECTIONS];
	int fds[CONNECTIONS], idle[CONNECTIONS], idle_count = 0, epoll = dial_many(port, fds);
	double next = table_now();
	size_t count = 0;

	for (int i = 0; i < CONNECTIONS; i++)
		idle[idle_count++] = fds[i];
	while (table_now() < end && count < SAMPLES_MAX - CONNECTIONS) {
		int ready;

		while (idle_count && next <= table_now()) {
			int fd = idle[--idle_count];

			due[fd] = next;
			next += 1 / asked_rate;
			ask(fd);
		}
		ready = epoll_wait(epoll, events, CONNECTIONS, 0);
		for (int i = 0; i < ready; i++) {
			hear(events[i].data.fd);
			samples[count++] = (table_now() - due[events[i].data.fd]) * 1e6;
			idle[idle_count++] = events[i].data.fd;
		}
	}
	hang_up_many(epoll, fds);
	return count ? percentile(samples, count) : 0;
}

/* The figures */

static const struct what {
	const char *name;
	double (*work)(int port, double end);
	const char *unit;
	double scale; /* of the rate, into that unit */
	const char *cpu_unit;
	double cpu_scale;
	int absolute; /* it is no rate */
} works[] = {
	{ "down", down, "Gbit/s", 8, "s/GB", 1, 0 },
	{ "up", up, "Gbit/s", 8, "s/GB", 1, 0 },
	{ "request", request, "1/s", 1, "us", 1e6, 0 },
	{ "connect", connect_once, "1/s", 1, "us", 1e6, 0 },
	{ "in-a-row", in_a_row, "s", 1, "", 0, 1 },
	{ "latency", latency, "us", 1, "", 0, 1 },
	{ "overload", overload64, "1/s", 1, "us", 1e6, 0 },
	{ "overload1400", overload1400, "1/s", 1, "us", 1e6, 0 },
	{ "lossless", lossless, "1/s", 1, "", 0, 1 },
};

static const struct what *find(const char *name)
{
	for (size_t i = 0; i < sizeof(works) / sizeof(works[0]); i++) {
		if (strcmp(works[i].name, name) == 0)
			return &works[i];
	}
	fprintf(stderr, "proxy: %s is nothing to do\n", name);
	exit(2);
}

/* Of all threads of a process, in seconds. @pid is 0 for the client, which is this one. */
static double cpu_of(int pid)
{
	char path[64 + sizeof(((struct dirent *)0)->d_name)];
	unsigned long long sum = 0, one;
	struct dirent *entry;
	DIR *tasks;

	pid = pid ? pid : getpid();
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	tasks = opendir(path);
	while (tasks && (entry = readdir(tasks))) {
		FILE *file;

		if (entry->d_name[0] == '.') /* ".." has the first one's once more */
			continue;
		snprintf(path, sizeof(path), "/proc/%d/task/%s/schedstat", pid, entry->d_name);
		file = fopen(path, "r");
		if (file && fscanf(file, "%llu", &one) == 1)
			sum += one;
		if (file)
			fclose(file);
	}
	if (tasks)
		closedir(tasks);
	return (double)sum / 1e9;
}

static double cpu(const struct side *side)
{
	double sum = 0;

	for (size_t i = 0; i < side->pid_count; i++)
		sum += cpu_of(side->pids[i]);
	return sum;
}

static void work(const struct what *what, struct side *side, size_t round)
{
	double cpu_before = cpu(side), begin = table_now();
	double units = what->work(side->port, begin + SLICE_MS / 1e3);

	side->rate[round] = what->absolute ? units : units / (table_now() - begin) * what->scale;
	usleep(2000); /* what it still has to do is its own */
	side->cpu[round] = units > 0 ? (cpu(side) - cpu_before) / units * what->cpu_scale : 0;
}

static void read_side(char *text, struct side *side)
{
	char *word = strtok(text, ",");

	side->port = word ? atoi(word) : 0;
	while ((word = strtok(NULL, ",")) && side->pid_count < PIDS_MAX)
		side->pids[side->pid_count++] = atoi(word);
}

/* Which of its rounds a figure goes by. */
static double typical(const struct what *what, double *values, size_t rounds)
{
	double median = table_median(values, rounds); /* sorts them */

	return what->work == latency ? values[rounds / 4] : median;
}

static int row(const struct what *what, const char *figure, const char *of, double *ours, double *peer,
	       size_t rounds, const char *unit, const char *promise)
{
	enum table_limit kind;
	char title[80];
	double limit;

	if (strcmp(promise, "skip") == 0)
		return 0;
	if (!table_limit_parse(promise, &kind, &limit))
		die(promise);
	snprintf(title, sizeof(title), "%s%s", figure, of);
	return table_row(title, typical(what, ours, rounds), typical(what, peer, rounds), unit, kind, limit);
}

int main(int argc, char **argv)
{
	static struct side sides[2];
	const struct what *what;
	size_t rounds;
	int over;

	if (argc == 3 && strcmp(argv[1], "serve") == 0)
		serve(atoi(argv[2]));
	if (argc != 9) {
		fprintf(stderr, "proxy WHAT FIGURE RATE CPU ROUNDS ADDRESS OURS PEER\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	what = find(argv[1]);
	rounds = (size_t)atoi(argv[5]);
	host = argv[6];
	read_side(argv[7], &sides[0]);
	read_side(argv[8], &sides[1]);
	if (rounds == 0 || rounds > ROUNDS_MAX)
		return 2;
	if (what->work == latency)
		asked_rate = request(sides[1].port, table_now() + 0.5) / 0.5 / 2;
	for (size_t i = 0; i < rounds; i++) {
		work(what, &sides[i % 2], i);
		work(what, &sides[!(i % 2)], i);
	}
	over = row(what, argv[2], "", sides[0].rate, sides[1].rate, rounds, what->unit, argv[3]);
	over |= row(what, argv[2], ", CPU", sides[0].cpu, sides[1].cpu, rounds, what->cpu_unit, argv[4]);
	return over;
}
