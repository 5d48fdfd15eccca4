/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Datagrams, told apart by what is in them:
 *
 *	datagrams serve ADDRESS PORT			prints "ready", and for each datagram the port it came from
 *	datagrams burst ADDRESS PORT SIZE[xN]...	sends them all at once; each has to come back as it was sent,
 *							in order: prints "all" or what was different
 *	datagrams train ADDRESS PORT SEGMENT TOTAL	the same, sent by one call with UDP_SEGMENT
 *	datagrams reverse ADDRESS PORT SEGMENT TOTAL	the same, sent by the server alone
 *	datagrams ask SOURCE_PORT PORT ADDRESS...	of one socket to each: prints the port that the server has seen,
 *							and the address that answered; or "lost" after half a second
 *	datagrams crowd ADDRESS PORT COUNT [STEP]	so many clients, one datagram each, STEP of them at once;
 *							prints how many got an answer, and stays until its input ends
 *	datagrams drip ADDRESS PORT COUNT MS		one client that sends, each time after so long, and hears nothing
 *	datagrams listen ADDRESS PORT COUNT MS		one that hears so many, each after so long, and sends but the first;
 *							prints how many came
 *	datagrams flood ADDRESS PORT COUNT		prints "ready"; sends trains to the first so many who ask, for ever
 *
 * The server answers what begins with "who" with the port it came from, with "train SEGMENT TOTAL" by a train,
 * with "stream COUNT MS" by so many, each after so long, with "mute" not at all, and everything else with the same.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/udp.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	LARGEST = 65536,
	MOST = 4096,
	BUFFER = 4 << 20,
	PATIENCE_MS = 500,
	AFTERWARDS_MS = 50,
	FLOOD_SEGMENT = 1400
};

static char memory[LARGEST], expected[LARGEST];

static int fail(const char *what)
{
	fprintf(stderr, "datagrams: %s: %s\n", what, strerror(errno));
	return 1;
}

/* Of both families in one type; the scope stands behind a %. */
static bool parse(const char *text, const char *port, struct sockaddr_in6 *out)
{
	char address[INET6_ADDRSTRLEN + IFNAMSIZ + 8], *scope;

	*out = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)atoi(port)) };
	snprintf(address, sizeof(address), "%s%s", strchr(text, ':') ? "" : "::ffff:", text);
	scope = strchr(address, '%');
	if (scope) {
		*scope = '\0';
		out->sin6_scope_id = if_nametoindex(scope + 1);
	}
	return inet_pton(AF_INET6, address, &out->sin6_addr) == 1;
}

static int open_at(const struct sockaddr_in6 *name)
{
	int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0), off = 0, on = 1, size = BUFFER;

	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	setsockopt(fd, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	if (fd >= 0 && bind(fd, (const struct sockaddr *)name, sizeof(*name)) < 0) {
		close(fd);
		return -1;
	}
	return fd;
}

static int open_any(void)
{
	return open_at(&(struct sockaddr_in6){ .sin6_family = AF_INET6 });
}

/* What datagram @number has in it. */
static void fill(char *out, size_t size, unsigned int number)
{
	unsigned int state = number * 2654435761U + (unsigned int)size;

	for (size_t i = 0; i < size; i++) {
		state = state * 1103515245U + 12345;
		out[i] = (char)(state >> 16);
	}
}

static size_t segment_at(size_t at, size_t segment, size_t total)
{
	return total - at < segment ? total - at : segment;
}

static bool send_train(int fd, const struct sockaddr_in6 *to, size_t segment, size_t total)
{
	char control[CMSG_SPACE(sizeof(uint16_t))] = { 0 };
	struct iovec io = { memory, total };
	struct msghdr message = { .msg_name = (void *)(uintptr_t)to,
				  .msg_namelen = sizeof(*to),
				  .msg_iov = &io,
				  .msg_iovlen = 1,
				  .msg_control = control,
				  .msg_controllen = sizeof(control) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&message);
	uint16_t size = (uint16_t)segment;
	unsigned int number = 0;

	for (size_t at = 0; at < total; at += segment)
		fill(memory + at, segment_at(at, segment, total), number++);
	*c = (struct cmsghdr){ CMSG_LEN(sizeof(size)), IPPROTO_UDP, UDP_SEGMENT };
	memcpy(CMSG_DATA(c), &size, sizeof(size));
	return sendmsg(fd, &message, 0) == (ssize_t)total;
}

static void stream(int fd, const struct sockaddr_in6 *to, unsigned int count, unsigned int ms)
{
	while (count--) {
		usleep(ms * 1000);
		(void)!sendto(fd, "drop", 4, 0, (const struct sockaddr *)to, sizeof(*to));
	}
}

static void answer(int fd)
{
	struct sockaddr_in6 peer;
	socklen_t length = sizeof(peer);
	ssize_t n = recvfrom(fd, memory, sizeof(memory) - 1, 0, (struct sockaddr *)&peer, &length);
	unsigned int count, ms;
	size_t segment, total;

	if (n < 0)
		return;
	memory[n] = '\0';
	printf("%u\n", ntohs(peer.sin6_port));
	fflush(stdout);
	if (n >= 4 && memcmp(memory, "mute", 4) == 0)
		return;
	if (n >= 3 && memcmp(memory, "who", 3) == 0)
		n = snprintf(memory, sizeof(memory), "%u", ntohs(peer.sin6_port));
	if (sscanf(memory, "train %zu %zu", &segment, &total) == 2)
		(void)send_train(fd, &peer, segment, total);
	else if (sscanf(memory, "stream %u %u", &count, &ms) == 2)
		stream(fd, &peer, count, ms);
	else
		(void)!sendto(fd, memory, (size_t)n, 0, (const struct sockaddr *)&peer, length);
}

static int serve(const char *address, const char *port)
{
	struct sockaddr_in6 name;
	int fd = parse(address, port, &name) ? open_at(&name) : -1;

	if (fd < 0)
		return fail(address);
	puts("ready");
	fflush(stdout);
	for (;;)
		answer(fd);
}

static int flood(const char *address, const char *port, int count)
{
	static struct sockaddr_in6 peers[MOST];
	struct sockaddr_in6 name;
	int fd = parse(address, port, &name) ? open_at(&name) : -1, segment = FLOOD_SEGMENT;
	socklen_t length = sizeof(name);

	if (fd < 0 || count > MOST)
		return fail(address);
	puts("ready");
	fflush(stdout);
	for (int i = 0; i < count; i++, length = sizeof(name)) {
		if (recvfrom(fd, memory, sizeof(memory), 0, (struct sockaddr *)&peers[i], &length) < 0)
			return fail("flood");
	}
	setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	for (int i = 0;; i = (i + 1) % count)
		(void)!sendto(fd, memory, 45 * FLOOD_SEGMENT, 0, (const struct sockaddr *)&peers[i], length);
}

static ssize_t hear_for(int fd, struct sockaddr_in6 *from, int ms)
{
	struct pollfd wait = { fd, POLLIN, 0 };
	socklen_t length = sizeof(*from);

	if (poll(&wait, 1, ms) <= 0)
		return -1;
	return recvfrom(fd, memory, sizeof(memory), 0, (struct sockaddr *)from, &length);
}

static ssize_t hear(int fd, struct sockaddr_in6 *from)
{
	return hear_for(fd, from, PATIENCE_MS);
}

/* They come back as they were sent: this many, of these sizes, in this order. */
static int compare(int fd, const size_t *sizes, unsigned int count)
{
	struct sockaddr_in6 from;

	for (unsigned int i = 0; i < count; i++) {
		ssize_t n = hear(fd, &from);

		fill(expected, sizes[i], i);
		if (n < 0 || (size_t)n != sizes[i] || memcmp(memory, expected, sizes[i]) != 0) {
			printf("datagram %u of %u has %zu bytes, and what came %zd%s\n", i, count, sizes[i],
			       n, n == (ssize_t)sizes[i] ? ", others" : "");
			return 1;
		}
	}
	puts(hear_for(fd, &from, AFTERWARDS_MS) < 0 ? "all" : "more than was sent");
	return 0;
}

static size_t sizes_sent[MOST];

static unsigned int read_sizes(char **words)
{
	unsigned int count = 0;

	for (; *words; words++) {
		char *end;
		size_t size = strtoul(*words, &end, 10), times = *end == 'x' ? strtoul(end + 1, NULL, 10) : 1;

		while (times-- && count < MOST)
			sizes_sent[count++] = size;
	}
	return count;
}

static int burst(int fd, const struct sockaddr_in6 *to, char **words)
{
	unsigned int count = read_sizes(words);

	for (unsigned int i = 0; i < count; i++) {
		fill(memory, sizes_sent[i], i);
		if (sendto(fd, memory, sizes_sent[i], 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
			return fail("send");
	}
	return compare(fd, sizes_sent, count);
}

static int train(int fd, const struct sockaddr_in6 *to, bool reverse, const char *segment_text,
		 const char *total_text)
{
	size_t segment = strtoul(segment_text, NULL, 10), total = strtoul(total_text, NULL, 10);
	unsigned int count = 0;
	char request[64];

	for (size_t at = 0; at < total; at += segment)
		sizes_sent[count++] = segment_at(at, segment, total);
	snprintf(request, sizeof(request), "train %zu %zu", segment, total);
	if (reverse ? sendto(fd, request, strlen(request), 0, (const struct sockaddr *)to, sizeof(*to)) < 0
		    : !send_train(fd, to, segment, total))
		return fail("send");
	return compare(fd, sizes_sent, count);
}

static void ask_one(int fd, const struct sockaddr_in6 *to)
{
	struct sockaddr_in6 from;
	char text[INET6_ADDRSTRLEN];
	ssize_t n;

	if (sendto(fd, "who", 3, 0, (const struct sockaddr *)to, sizeof(*to)) < 0) {
		puts(strerror(errno));
		return;
	}
	n = hear(fd, &from);
	if (n < 0) {
		puts("lost");
		return;
	}
	inet_ntop(AF_INET6, &from.sin6_addr, text, sizeof(text));
	printf("%.*s %s\n", (int)n, memory, strncmp(text, "::ffff:", 7) == 0 ? text + 7 : text);
}

static int ask(const char *source_port, const char *port, char **addresses)
{
	struct sockaddr_in6 name;
	int fd = parse("::", source_port, &name) ? open_at(&name) : -1;

	if (fd < 0)
		return fail("ask");
	for (; *addresses; addresses++) {
		if (!parse(*addresses, port, &name))
			return fail(*addresses);
		ask_one(fd, &name);
	}
	return 0;
}

static int crowd(const struct sockaddr_in6 *to, int count, int step)
{
	static int fds[1 << 16];
	struct sockaddr_in6 from;
	int heard = 0;

	for (int i = 0; i < count; i += step) {
		int end = i + step < count ? i + step : count;

		for (int k = i; k < end; k++) {
			fds[k] = open_any();
			if (fds[k] < 0)
				return fail("crowd");
			(void)!sendto(fds[k], "who", 3, 0, (const struct sockaddr *)to, sizeof(*to));
		}
		for (int k = i, patience = PATIENCE_MS; k < end; k++) {
			bool answered = hear_for(fds[k], &from, patience) >= 0;

			heard += answered;
			if (!answered)
				patience = 0; /* the others have waited as long */
		}
	}
	printf("%d\n", heard);
	fflush(stdout);
	(void)!read(0, memory, 1);
	return 0;
}

static int drip(int fd, const struct sockaddr_in6 *to, int count, int ms)
{
	while (count--) {
		if (sendto(fd, "mute", 4, 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
			return fail("drip");
		usleep((unsigned int)ms * 1000);
	}
	return 0;
}

static int hear_stream(int fd, const struct sockaddr_in6 *to, const char *count, const char *ms)
{
	struct sockaddr_in6 from;
	char request[64];
	int heard = 0;

	snprintf(request, sizeof(request), "stream %s %s", count, ms);
	if (sendto(fd, request, strlen(request), 0, (const struct sockaddr *)to, sizeof(*to)) < 0)
		return fail("listen");
	while (hear(fd, &from) >= 0)
		heard++;
	printf("%d\n", heard);
	return 0;
}

int main(int argc, char **argv)
{
	const char *verb = argc > 3 ? argv[1] : "";
	struct sockaddr_in6 to;

	if (strcmp(verb, "serve") == 0)
		return serve(argv[2], argv[3]);
	if (strcmp(verb, "ask") == 0)
		return ask(argv[2], argv[3], argv + 4);
	if (argc == 5 && strcmp(verb, "flood") == 0)
		return flood(argv[2], argv[3], atoi(argv[4]));
	if (argc < 5 || !parse(argv[2], argv[3], &to))
		return fail("usage");
	if (strcmp(verb, "burst") == 0)
		return burst(open_any(), &to, argv + 4);
	if (strcmp(verb, "crowd") == 0)
		return crowd(&to, atoi(argv[4]), argc > 5 ? atoi(argv[5]) : 64);
	if (argc == 6 && (strcmp(verb, "train") == 0 || strcmp(verb, "reverse") == 0))
		return train(open_any(), &to, verb[0] == 'r', argv[4], argv[5]);
	if (argc == 6 && strcmp(verb, "drip") == 0)
		return drip(open_any(), &to, atoi(argv[4]), atoi(argv[5]));
	if (argc == 6 && strcmp(verb, "listen") == 0)
		return hear_stream(open_any(), &to, argv[4], argv[5]);
	return fail("usage");
}
