/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/forwarder.h"

#include <errno.h>
#include <netinet/in.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

START_TEST(forwarder_has_the_limits_that_the_manual_says)
{
	ck_assert_uint_eq(pp_limits_default.connections, 0);
	ck_assert_uint_eq(pp_limits_default.flows, 4096);
	ck_assert_int_eq(pp_limits_default.connect, 10 * 1000);
	ck_assert_int_eq(pp_limits_default.idle, 0);
	ck_assert_int_eq(pp_limits_default.half_open, 10 * 60 * 1000);
	ck_assert_int_eq(pp_limits_default.flow, 90 * 1000);
}
END_TEST

static const struct {
	int family, type;
	enum pp_protocol protocol;
	const char *words;
} others[] = {
	{ AF_INET, SOCK_DGRAM, PP_TCP, "is not a tcp socket that listens" },
	{ AF_INET, SOCK_STREAM, PP_TCP, "is not a tcp socket that listens" },
	{ AF_UNIX, SOCK_STREAM, PP_TCP, "is not a tcp socket that listens" },
	{ AF_INET6, SOCK_STREAM, PP_UDP, "is not a udp socket" },
	{ AF_UNIX, SOCK_DGRAM, PP_UDP, "is not a udp socket" },
	{ AF_INET6, SOCK_DGRAM, PP_SCTP, "is not a sctp socket that listens" },
};

START_TEST(forwarder_refuses_a_socket_of_another_kind)
{
	struct pp_target target = { .ipv4 = { .family = AF_INET, .bytes = { 127, 0, 0, 1 } } };
	int fd = socket(others[_i].family, others[_i].type, 0);
	struct pp_forwarder *forwarder;
	struct pp_counters counters;
	struct pp_error err;

	ck_assert_int_eq(pp_forwarder_new(&pp_limits_default, &counters, &forwarder, &err), 0);
	ck_assert_int_eq(pp_forwarder_add(forwarder, fd, others[_i].protocol, &target, 80, &err), -EINVAL);
	ck_assert_msg(strstr(err.message, others[_i].words) != NULL, "%s", err.message);
	pp_forwarder_free(forwarder);
	ck_assert_msg(close(fd) == 0, "it is still the caller's");
}
END_TEST

/* In the place of libc's: of what is watched as connections are, the one with this number finds no memory. */
static int refused_watch;

int epoll_ctl(int epoll, int operation, int fd, struct epoll_event *event)
{
	if (operation == EPOLL_CTL_ADD && (event->events & EPOLLET) && refused_watch &&
	    --refused_watch == 0) {
		errno = ENOMEM;
		return -1;
	}
	return (int)syscall(SYS_epoll_ctl, epoll, operation, fd, event);
}

static int listen_on_loopback(struct sockaddr_in *out)
{
	socklen_t length = sizeof(*out);
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	*out = (struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	ck_assert_int_eq(bind(fd, (const struct sockaddr *)out, length), 0);
	ck_assert_int_eq(listen(fd, 4), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)out, &length), 0);
	return fd;
}

static void forward_to(int listener, const struct sockaddr_in *to)
{
	struct pp_target target = { .ipv4 = { .family = AF_INET, .bytes = { 127, 0, 0, 1 } } };
	struct pp_counters counters = { 0 };
	struct pp_forwarder *forwarder;
	struct pp_error err;

	pp_forwarder_block_signals();
	if (pp_forwarder_new(&pp_limits_default, &counters, &forwarder, &err) < 0 ||
	    pp_forwarder_add(forwarder, listener, PP_TCP, &target, ntohs(to->sin_port), &err) < 0)
		_exit(1);
	pp_forwarder_run(forwarder, &(struct pp_ending){ 0 }, &err);
	pp_forwarder_free(forwarder);
	_exit(0);
}

/* The first is the container's socket, the second the client's. */
START_TEST(forwarder_resets_nobody_for_want_of_memory)
{
	struct sockaddr_in host, container;
	int listener = listen_on_loopback(&host), server = listen_on_loopback(&container), client, inside;
	struct timeval patience = { .tv_sec = 3 };
	pid_t child;
	char text[5];

	refused_watch = _i + 1;
	child = fork();
	if (child == 0)
		forward_to(listener, &container);
	setsockopt(server, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	client = socket(AF_INET, SOCK_STREAM, 0);
	setsockopt(client, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	ck_assert_int_eq(connect(client, (const struct sockaddr *)&host, sizeof(host)), 0);
	/* Which of several is the one that goes on is the forwarder's secret. */
	for (int i = 0; i <= 1 - _i; i++) {
		inside = accept(server, NULL, NULL);
		ck_assert_int_ge(inside, 0);
		(void)!send(inside, "hello", 5, MSG_NOSIGNAL);
	}
	ck_assert_int_eq(recv(client, text, sizeof(text), MSG_WAITALL), 5);
	kill(child, SIGTERM);
	ck_assert_int_eq(waitpid(child, NULL, 0), child);
}
END_TEST

Suite *suite_forwarder(void)
{
	Suite *suite = suite_create("forwarder");
	TCase *cases = tcase_create("forwarder");

	tcase_add_test(cases, forwarder_has_the_limits_that_the_manual_says);
	tcase_add_loop_test(cases, forwarder_refuses_a_socket_of_another_kind, 0, UNIT_COUNT(others));
	tcase_add_loop_test(cases, forwarder_resets_nobody_for_want_of_memory, 0, 2);
	suite_add_tcase(suite, cases);
	return suite;
}
