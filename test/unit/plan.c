/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/plan.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pp_target target(const char *text)
{
	struct pp_target parsed = { 0 };
	struct pp_error err;

	if (text && pp_target_parse(text, strlen(text), &parsed, &err) < 0)
		ck_abort_msg("%s: %s", text, err.message);
	return parsed;
}

/* "ipv4 any kernel; ipv6 loopback userspace" */
static void join(const struct pp_plan *plan, char *out, size_t size)
{
	out[0] = '\0';
	for (size_t i = 0; i < plan->count; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s%s %s %s", i ? "; " : "",
			 pp_family_name(plan->ways[i].family), pp_address_class_name(plan->ways[i].class),
			 pp_path_name(plan->ways[i].path));
}

static const struct {
	const char *spec, *to;
	enum pp_via via;
	bool no_nftables, no_admin;
	const char *ways;
} plans[] = {
	{ "80:80", NULL, PP_VIA_AUTO, false, false,
	  "ipv4 any kernel; ipv4 loopback kernel; ipv6 any kernel; ipv6 loopback userspace; ipv6 link-local "
	  "userspace" },
	{ "0.0.0.0:80:80", NULL, PP_VIA_AUTO, false, false, "ipv4 any kernel; ipv4 loopback kernel" },
	{ "[::]:80:80", NULL, PP_VIA_AUTO, false, false,
	  "ipv6 any kernel; ipv6 loopback userspace; ipv6 link-local userspace" },
	{ "127.0.0.2:80:80", NULL, PP_VIA_AUTO, false, false, "ipv4 loopback kernel" },
	{ "[::1]:80:80", "fd00::2", PP_VIA_AUTO, false, false, "ipv6 loopback userspace" },
	{ "[fe80::1]:80:80", "fd00::2", PP_VIA_AUTO, false, false, "ipv6 link-local userspace" },
	{ "192.0.2.1:80:80", "10.0.0.2", PP_VIA_AUTO, false, false, "ipv4 specific kernel" },
	{ "192.0.2.1:80:80", "fd00::2", PP_VIA_AUTO, false, false, "ipv4 specific userspace" },
	{ "[2001:db8::1]:80:80", "10.0.0.2", PP_VIA_AUTO, false, false, "ipv6 specific userspace" },
	{ "80:80", "10.0.0.2", PP_VIA_AUTO, false, false,
	  "ipv4 any kernel; ipv4 loopback kernel; ipv6 any userspace; ipv6 loopback userspace; ipv6 "
	  "link-local"
	  " userspace" },
	{ "80:80", "10.0.0.2,fd00::2", PP_VIA_USERSPACE, false, false,
	  "ipv4 any userspace; ipv4 loopback userspace; ipv6 any userspace; ipv6 loopback userspace; ipv6 "
	  "link-local"
	  " userspace" },
	{ "127.0.0.1:80:80", "127.0.0.1", PP_VIA_AUTO, false, false, "ipv4 loopback userspace" },
	{ "0.0.0.0:80:80", NULL, PP_VIA_AUTO, true, false, "ipv4 any userspace; ipv4 loopback userspace" },
	{ "0.0.0.0:80:80", NULL, PP_VIA_AUTO, false, true, "ipv4 any userspace; ipv4 loopback userspace" },
	{ "80:80", "10.0.0.2", PP_VIA_KERNEL, false, false,
	  "ipv4 any kernel; ipv4 loopback kernel; ipv6 any none; ipv6 loopback none; ipv6 link-local none" },
	{ "80:80/sctp", "10.0.0.2,fd00::2", PP_VIA_AUTO, false, false,
	  "ipv4 any kernel; ipv4 loopback kernel; ipv6 any kernel; ipv6 loopback userspace; ipv6 link-local "
	  "userspace" },
};

START_TEST(plan_gives_each_way_its_path_and_reason)
{
	struct pp_publication publication = unit_publication(plans[_i].spec);
	struct pp_plan_input input = { target(plans[_i].to), plans[_i].via, plans[_i].no_nftables,
				       plans[_i].no_admin };
	struct pp_plan plan;
	struct pp_error err;
	char text[512];

	ck_assert_int_eq(pp_plan_make(&publication, &input, &plan, &err), 0);
	join(&plan, text, sizeof(text));
	ck_assert_msg(strcmp(text, plans[_i].ways) == 0, "%s to %s:\n%s", plans[_i].spec, plans[_i].to, text);
	for (size_t i = 0; i < plan.count; i++)
		ck_assert_uint_gt(strlen(plan.ways[i].reason), 10);
}
END_TEST

START_TEST(plan_refuses_via_kernel_where_nothing_is_left)
{
	static const struct {
		const char *spec, *to;
		bool no_nftables, no_admin;
		int code;
		const char *message;
	} rows[] = {
		{ "[::1]:80:80", "fd00::2", false, false, EINVAL,
		  "[::1]:80:80/tcp: nothing is left with --via kernel: the kernel does not route ::1 away "
		  "from lo, not"
		  " even after DNAT" },
		{ "[::]:80:80", "10.0.0.2", false, false, EINVAL,
		  "[::]:80:80/tcp: nothing is left with --via kernel: DNAT cannot turn IPv6 into IPv4, and "
		  "the container"
		  " has no IPv6" },
		{ "80:80", NULL, true, false, EPERM,
		  "80:80/tcp: nothing is left with --via kernel: this kernel has no nf_tables" },
		{ "80:80", NULL, false, true, EPERM,
		  "80:80/tcp: nothing is left with --via kernel: rules need CAP_NET_ADMIN" },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct pp_publication publication = unit_publication(rows[i].spec);
		struct pp_plan_input input = { target(rows[i].to), PP_VIA_KERNEL, rows[i].no_nftables,
					       rows[i].no_admin };
		struct pp_plan plan;
		struct pp_error err;

		ck_assert_int_eq(pp_plan_make(&publication, &input, &plan, &err), -rows[i].code);
		ck_assert_str_eq(err.message, rows[i].message);
	}
}
END_TEST

static const struct {
	const char *specs[4];
	const char *message; /* NULL: no conflict */
} conflicts[] = {
	{ { "80:80" }, NULL },
	{ { "80:80", "80:80/udp", "80:80/sctp" }, NULL },
	{ { "80:80", "80:81" },
	  "80:81/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request" },
	{ { "80:80", "80:80" },
	  "80:80/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request" },
	{ { "80:80", "127.0.0.1:80:80" },
	  "127.0.0.1:80:80/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request" },
	{ { "127.0.0.1:80:80", "80:80" },
	  "80:80/tcp: host port 80/tcp is already taken by 127.0.0.1:80:80/tcp in the same request" },
	{ { "80:80", "[::1]:80:80" },
	  "[::1]:80:80/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request" },
	{ { "0.0.0.0:80:80", "[::]:80:80" }, NULL },
	{ { "0.0.0.0:80:80", "[::1]:80:80" }, NULL },
	{ { "[::]:80:80", "127.0.0.1:80:80" }, NULL },
	{ { "[::]:80:80", "[2001:db8::1]:80:80" },
	  "[2001:db8::1]:80:80/tcp: host port 80/tcp is already taken by [::]:80:80/tcp in the same "
	  "request" },
	{ { "127.0.0.1:80:80", "127.0.0.2:80:80", "10.0.0.1:80:80" }, NULL },
	{ { "127.0.0.1:8000-8010:1-11", "127.0.0.1:8011-8020:1-10" }, NULL },
	{ { "127.0.0.1:8000-8010:1-11", "127.0.0.1:8010-8020:1-11" },
	  "127.0.0.1:8010-8020:1-11/tcp: host port 8010/tcp is already taken by 127.0.0.1:8000-8010:1-11/tcp "
	  "in the"
	  " same request" },
	{ { "127.0.0.1:1-65535:1-65535", "0.0.0.0:65535:1" },
	  "0.0.0.0:65535:1/tcp: host port 65535/tcp is already taken by 127.0.0.1:1-65535:1-65535/tcp in the "
	  "same"
	  " request" },
	{ { "10-20:10-20", "30-40:30-40", "127.0.0.1:25:25", "127.0.0.1:21-29:1-9/udp" }, NULL },
	{ { "10-20:10-20", "30-40:30-40", "127.0.0.1:25:25", "127.0.0.1:21-30:1-10" },
	  "127.0.0.1:21-30:1-10/tcp: host port 25/tcp is already taken by 127.0.0.1:25:25/tcp in the same "
	  "request" },
	{ { "80", "80", "8000-8010:80", "8000-8010:80" }, NULL },
	{ { "8000-8010:80", "8005:80" }, NULL },
};

START_TEST(plan_finds_the_port_that_is_asked_for_twice)
{
	size_t count = 0;
	struct pp_publications list;
	struct pp_error err = { 0 };
	int ret;

	while (count < 4 && conflicts[_i].specs[count])
		count++;
	list = unit_publications(conflicts[_i].specs, count);
	ret = pp_plan_conflicts(&list, &err);
	if (conflicts[_i].message) {
		ck_assert_int_eq(ret, -EINVAL);
		ck_assert_str_eq(err.message, conflicts[_i].message);
	} else {
		ck_assert_msg(ret == 0, "%s", err.message);
	}
	pp_publications_fini(&list);
}
END_TEST

/* Do two publications want the same port of the same address? Port by port, as slowly as it is plain. */
static bool clash(const struct pp_publication *a, const struct pp_publication *b)
{
	bool families = a->address.family == b->address.family || a->address.family == AF_UNSPEC ||
			b->address.family == AF_UNSPEC;
	bool addresses = pp_address_is_any(&a->address) || pp_address_is_any(&b->address) ||
			 memcmp(a->address.bytes, b->address.bytes, 16) == 0;

	return a->protocol == b->protocol && families && addresses &&
	       a->host_port <= pp_publication_last(b) && b->host_port <= pp_publication_last(a);
}

START_TEST(plan_agrees_with_the_plain_definition_on_random_lists)
{
	static const char *const addresses[] = { "",          "0.0.0.0:", "[::]:",     "127.0.0.1:",
						 "10.0.0.1:", "[::1]:",   "[fd00::1]:" };
	unsigned int seed = (unsigned int)_i;
	int found = 0;

	for (int round = 0; round < 500; round++) {
		struct pp_publications list = PP_PUBLICATIONS_INIT;
		struct pp_error err;
		bool wanted = false;

		for (int i = 0; i < 6; i++) {
			struct pp_publication publication;
			int first = 1 + rand_r(&seed) % 60, length = rand_r(&seed) % 4;
			char text[96];

			snprintf(text, sizeof(text), "%s%d-%d:%d-%d/%s",
				 addresses[(size_t)rand_r(&seed) % UNIT_COUNT(addresses)], first,
				 first + length, 1, 1 + length, rand_r(&seed) % 2 ? "tcp" : "udp");
			publication = unit_publication(text);
			for (size_t k = 0; k < list.count; k++)
				wanted |= clash(&list.items[k], &publication);
			pp_publications_append(&list, &publication, &err);
		}
		ck_assert_msg((pp_plan_conflicts(&list, &err) < 0) == wanted, "seed %d, round %d", _i, round);
		found += wanted;
		pp_publications_fini(&list);
	}
	ck_assert_int_gt(found, 50);
	ck_assert_int_lt(found, 450);
}
END_TEST

START_TEST(plan_looks_through_the_longest_list_in_no_time)
{
	struct pp_publications list = PP_PUBLICATIONS_INIT;
	struct pp_publication publication = unit_publication("10.0.0.1:80:80");
	struct pp_error err;

	/* One port on as many addresses as there may be publications: no two overlap. */
	for (uint32_t i = 0; i < PP_PUBLICATIONS_MAX; i++) {
		publication.address.bytes[1] = (uint8_t)(i >> 16);
		publication.address.bytes[2] = (uint8_t)(i >> 8);
		publication.address.bytes[3] = (uint8_t)i;
		ck_assert_int_eq(pp_publications_append(&list, &publication, &err), 0);
	}
	ck_assert_int_eq(pp_plan_conflicts(&list, &err), 0);
	list.items[PP_PUBLICATIONS_MAX - 1] = unit_publication("80:80");
	ck_assert_int_eq(pp_plan_conflicts(&list, &err), -EINVAL);
	pp_publications_fini(&list);
}
END_TEST

START_TEST(plan_target_is_one_address_of_each_family)
{
	static const struct {
		const char *text, *carets;
	} rows[] = {
		{ "", "^ the target is an IPv4 address, an IPv6 address, or both: 10.0.0.2,fd00::2" },
		{ "web", "^^^ the target is an IPv4 address, an IPv6 address, or both: 10.0.0.2,fd00::2" },
		{ "10.0.0.2,",
		  "         ^ the target is an IPv4 address, an IPv6 address, or both: 10.0.0.2,fd00::2" },
		{ "10.0.0.2,10.0.0.3", "         ^^^^^^^^ a second address of the same family" },
		{ "0.0.0.0", "^^^^^^^ no container has this address" },
		{ "ff02::1", "^^^^^^^ no container has this address" },
		{ "fe80::1",
		  "^^^^^^^ a link-local address says nothing without its link: give the container's global"
		  " or private address" },
	};
	struct pp_target parsed = target("fd00::2,10.0.0.2");
	struct pp_error err;

	ck_assert_int_eq(parsed.ipv4.family, AF_INET);
	ck_assert_int_eq(parsed.ipv6.family, AF_INET6);
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		ck_assert_int_eq(pp_target_parse(rows[i].text, strlen(rows[i].text), &parsed, &err), -EINVAL);
		ck_assert_str_eq(unit_carets(&err), rows[i].carets);
	}
}
END_TEST

Suite *suite_plan(void)
{
	Suite *suite = suite_create("plan");
	TCase *tcase = tcase_create("plan");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, plan_gives_each_way_its_path_and_reason, 0, UNIT_COUNT(plans));
	tcase_add_test(tcase, plan_refuses_via_kernel_where_nothing_is_left);
	tcase_add_loop_test(tcase, plan_finds_the_port_that_is_asked_for_twice, 0, UNIT_COUNT(conflicts));
	tcase_add_loop_test(tcase, plan_agrees_with_the_plain_definition_on_random_lists, 1, 9);
	tcase_add_test(tcase, plan_looks_through_the_longest_list_in_no_time);
	tcase_add_test(tcase, plan_target_is_one_address_of_each_family);
	suite_add_tcase(suite, tcase);
	return suite;
}
