/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/forwarder.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
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

START_TEST(counters_are_nothing_at_first)
{
	struct pp_counters_page page = PP_COUNTERS_PAGE_INIT;
	struct pp_counters none = { .size = sizeof(none) };
	struct pp_error err;

	ck_assert_int_eq(pp_counters_open(&page, &err), 0);
	ck_assert_mem_eq(page.counters, &none, sizeof(none));
	pp_counters_close(&page);
	pp_counters_close(&page);
}
END_TEST

Suite *suite_forwarder(void)
{
	Suite *suite = suite_create("forwarder");
	TCase *cases = tcase_create("forwarder");

	tcase_add_test(cases, forwarder_has_the_limits_that_the_manual_says);
	tcase_add_loop_test(cases, forwarder_refuses_a_socket_of_another_kind, 0, UNIT_COUNT(others));
	tcase_add_test(cases, counters_are_nothing_at_first);
	suite_add_tcase(suite, cases);
	return suite;
}
