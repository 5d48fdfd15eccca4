/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Starts a docker-proxy as dockerd does, and tells what dockerd would see:
 *
 *	as_dockerd [-l KIND[:ADDRESS:PORT]] [-w MS[:ADDRESS]] [-k SIGNAL] [-s SIGNALS] [-g] PROGRAM ARGUMENT...
 *
 * Descriptors 0 to 2 are /dev/null, 3 is the status pipe, and with -l 4 is a socket that is bound: tcp or mptcp
 * (listens; with an IPv6 address for both families), bound (TCP that does not listen) or udp; or unix, or file, which are
 * none. With -w a client of it has been waiting in it for so long, and has said "early"; with ADDRESS from 127.0.0.1 to
 * there. Everything above is closed.
 * SIGNALS are what the program inherits: all blocked, the default, as a runtime's thread may have them; open; or
 * ignored. With -g dockerd has given up by the time that it is told.
 *
 * Prints "read TEXT", what the first write gave, since a pipe of packets gives no more at once; "rest TEXT", what came
 * after it until the end of file; "pid PID"; and, when the program has ended, "exit STATUS" or "signal NUMBER". SIGINT
 * and SIGTERM are passed on to the program, and with -k one is sent as soon as the first read is done: "took US" tells
 * how long it then took to end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { STATUS_FD = 3, LISTEN_FD = 4, FIRST_FREE = 10 };

static int fail(const char *what)
{
	fprintf(stderr, "as_dockerd: %s: %s\n", what, strerror(errno));
	return 1;
}

enum signals { BLOCKED, OPEN, IGNORED };

struct order {
	int listener, client; /* -1: none */
	int kill;             /* 0: none */
	enum signals signals;
	bool gives_up;
};

static volatile sig_atomic_t child;
static struct timespec asked;

/* ADDRESS:PORT; the port is what follows the last colon. An IPv6 socket is of both families. */
static int open_socket(const char *kind, char *address)
{
	char *colon = address ? strrchr(address, ':') : NULL;
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	bool udp = strcmp(kind, "udp") == 0, mptcp = strcmp(kind, "mptcp") == 0;
	int family, fd, on = 1, off = 0;

	if (!colon)
		return -1;
	*colon = '\0';
	family = strchr(address, ':') ? AF_INET6 : AF_INET;
	in.sin_port = in6.sin6_port = htons((uint16_t)atoi(colon + 1));
	if (inet_pton(family, address, family == AF_INET ? (void *)&in.sin_addr : (void *)&in6.sin6_addr) !=
	    1)
		return -1;
	fd = socket(family, udp ? SOCK_DGRAM : SOCK_STREAM, mptcp ? IPPROTO_MPTCP : 0);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof(off));
	if (bind(fd, family == AF_INET ? (void *)&in : (void *)&in6,
		 family == AF_INET ? sizeof(in) : sizeof(in6)) < 0)
		return -1;
	return (strcmp(kind, "tcp") != 0 && !mptcp) || listen(fd, 16) == 0 ? fd : -1;
}

static int open_listener(char *text)
{
	const char *kind = strtok(text, ":");

	if (strcmp(kind, "unix") == 0)
		return socket(AF_UNIX, SOCK_STREAM, 0);
	if (strcmp(kind, "file") == 0)
		return open("/dev/zero", O_RDWR);
	return open_socket(kind, strtok(NULL, ""));
}

/* The client is at an address that the kernel would not answer from if it were left to choose. */
static int ask_from_loopback(int fd, struct sockaddr_storage *to, const char *text)
{
	struct sockaddr_in loopback = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	struct in_addr address;

	if (to->ss_family != AF_INET || inet_pton(AF_INET, text, &address) != 1)
		return -1;
	memcpy((char *)to + offsetof(struct sockaddr_in, sin_addr), &address, sizeof(address));
	return bind(fd, (const void *)&loopback, sizeof(loopback));
}

/* A client who was there before the program. Its socket stays open in the parent. */
static int wait_in(int listener, const char *to)
{
	struct sockaddr_storage address;
	socklen_t length = sizeof(address), type_length = sizeof(int);
	struct timeval patience = { .tv_sec = 5 };
	int fd, type;

	if (getsockname(listener, (void *)&address, &length) < 0 ||
	    getsockopt(listener, SOL_SOCKET, SO_TYPE, &type, &type_length) < 0)
		return -1;
	fd = socket(address.ss_family, type | SOCK_CLOEXEC, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	if (fd >= 0 && to && ask_from_loopback(fd, &address, to + 1) < 0)
		return -1;
	if (fd < 0 || connect(fd, (void *)&address, length) < 0 || send(fd, "early\n", 6, 0) != 6)
		return -1;
	return fd;
}

static void move(int from, int to)
{
	if (from != to) {
		dup2(from, to);
		close(from);
	}
}

static void leave_signals(enum signals signals)
{
	sigset_t set;

	sigemptyset(&set);
	if (signals == BLOCKED)
		sigfillset(&set);
	signal(SIGINT, signals == IGNORED ? SIG_IGN : SIG_DFL);
	signal(SIGTERM, signals == IGNORED ? SIG_IGN : SIG_DFL);
	sigprocmask(SIG_SETMASK, &set, NULL);
}

static void become(int status, const struct order *order, char **command)
{
	int null, listener = order->listener;

	leave_signals(order->signals);
	prctl(PR_SET_PDEATHSIG, SIGTERM);
	status = fcntl(status, F_DUPFD, FIRST_FREE);
	listener = listener < 0 ? -1 : fcntl(listener, F_DUPFD, FIRST_FREE);
	null = open("/dev/null", O_RDWR);
	for (int fd = 0; fd < STATUS_FD; fd++)
		dup2(null, fd);
	move(status, STATUS_FD);
	if (listener >= 0)
		move(listener, LISTEN_FD);
	closefrom(listener >= 0 ? LISTEN_FD + 1 : LISTEN_FD);
	execvp(command[0], command);
	_exit(127);
}

/* A line, with what is not printable as \n or \xff. */
static void tell(const char *what, const char *text, ssize_t len)
{
	printf("%s ", what);
	for (ssize_t i = 0; i < len; i++) {
		if (text[i] == '\n')
			fputs("\\n", stdout);
		else if (text[i] >= ' ' && text[i] <= '~')
			putchar(text[i]);
		else
			printf("\\x%02x", (unsigned char)text[i]);
	}
	putchar('\n');
	fflush(stdout);
}

static void pass_on(int number)
{
	clock_gettime(CLOCK_MONOTONIC, &asked);
	kill((pid_t)child, number);
}

/* What the program says, until nobody can say more. */
static void listen_to(int status, const struct order *order)
{
	char first[512], rest[512];
	ssize_t n = read(status, first, sizeof(first)), more = 0, got;

	if (order->kill)
		pass_on(order->kill);
	tell("read", first, n);
	while ((got = read(status, rest + more, sizeof(rest) - (size_t)more)) > 0)
		more += got;
	tell("rest", rest, more);
}

static void tell_end(void)
{
	struct timespec now;
	int status;

	waitpid((pid_t)child, &status, 0);
	clock_gettime(CLOCK_MONOTONIC, &now);
	if (WIFEXITED(status))
		printf("exit %d\n", WEXITSTATUS(status));
	else
		printf("signal %d\n", WTERMSIG(status));
	if (asked.tv_sec)
		printf("took %ld\n",
		       (now.tv_sec - asked.tv_sec) * 1000000 + (now.tv_nsec - asked.tv_nsec) / 1000);
}

static int start(const struct order *order, char **command)
{
	struct sigaction action = { .sa_handler = pass_on, .sa_flags = SA_RESTART };
	char answer[64];
	int ends[2];

	if (pipe2(ends, O_DIRECT) < 0)
		return fail("pipe");
	if (order->gives_up)
		close(ends[0]);
	child = fork();
	if (child == 0)
		become(ends[1], order, command);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	close(ends[1]);
	if (order->listener >= 0)
		close(order->listener);
	if (!order->gives_up)
		listen_to(ends[0], order);
	printf("pid %d\n", (int)child);
	fflush(stdout);
	if (order->client >= 0)
		tell("early", answer, recv(order->client, answer, sizeof(answer), 0));
	tell_end();
	return 0;
}

int main(int argc, char **argv)
{
	struct order order = { .listener = -1, .client = -1 };
	int option;

	while ((option = getopt(argc, argv, "+gk:l:s:w:")) != -1) {
		if (option == 'g')
			order.gives_up = true;
		else if (option == 'k')
			order.kill = atoi(optarg);
		else if (option == 's')
			order.signals = optarg[0] == 'b' ? BLOCKED : optarg[0] == 'o' ? OPEN : IGNORED;
		else if (option == 'l' && (order.listener = open_listener(optarg)) < 0)
			return fail("-l");
		else if (option == 'w' && (order.client = wait_in(order.listener, strchr(optarg, ':'))) < 0)
			return fail("-w");
		else if (option == '?' || optind == argc)
			return fail("as_dockerd [OPTION...] PROGRAM ARGUMENT...");
		if (option == 'w')
			usleep((useconds_t)atoi(optarg) * 1000);
	}
	return start(&order, argv + optind);
}
