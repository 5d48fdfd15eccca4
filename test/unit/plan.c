/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/plan.h"

#include <errno.h>
#include <stdio.h>
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
	const struct pp_request request = { .target = target(plans[_i].to),
					    .via = plans[_i].via,
					    .host = { plans[_i].no_nftables, plans[_i].no_admin } };
	struct pp_plan plan;
	struct pp_error err;
	char text[512];

	ck_assert_int_eq(pp_plan_make(&publication, &request, &plan, &err), 0);
	join(&plan, text, sizeof(text));
	ck_assert_msg(strcmp(text, plans[_i].ways) == 0, "%s to %s:\n%s", plans[_i].spec, plans[_i].to, text);
	for (size_t i = 0; i < plan.count; i++)
		ck_assert_uint_gt(strlen(plan.ways[i].reason), 10);
}
END_TEST

static const struct {
	const char *spec;
	enum pp_via via;
	bool no_keeper, alone[2];
	const char *ways;
} own[] = {
	{ "192.0.2.1:80:80",
	  PP_VIA_AUTO,
	  false,
	  { true, false },
	  "ipv4 specific kernel; ipv4 own userspace" },
	{ "192.0.2.1:80:80", PP_VIA_AUTO, true, { true, false }, "ipv4 specific kernel; ipv4 own none" },
	{ "192.0.2.1:80:80", PP_VIA_KERNEL, false, { true, false }, "ipv4 specific kernel; ipv4 own none" },
	{ "192.0.2.1:80:80", PP_VIA_USERSPACE, false, { true, true }, "ipv4 specific userspace" },
	{ "192.0.2.1:80:80", PP_VIA_AUTO, false, { false, true }, "ipv4 specific kernel" },
	{ "127.0.0.1:80:80", PP_VIA_AUTO, false, { true, true }, "ipv4 loopback kernel" },
	{ "[::]:80:80",
	  PP_VIA_AUTO,
	  true,
	  { true, true },
	  "ipv6 any kernel; ipv6 loopback none; ipv6 link-local none; ipv6 own none" },
	{ "80:80",
	  PP_VIA_AUTO,
	  false,
	  { true, true },
	  "ipv4 any kernel; ipv4 loopback kernel; ipv6 any kernel; ipv6 loopback userspace; ipv6 link-local "
	  "userspace; ipv4 own userspace; ipv6 own userspace" },
};

START_TEST(plan_tells_the_way_of_the_container_to_itself)
{
	struct pp_publication publication = unit_publication(own[_i].spec);
	const struct pp_request request = { .target = target("10.0.0.2,fd00::2"),
					    .via = own[_i].via,
					    .no_keeper = own[_i].no_keeper,
					    .alone = { own[_i].alone[0], own[_i].alone[1] } };
	struct pp_plan plan;
	struct pp_error err;
	char text[512];

	ck_assert_int_eq(pp_plan_make(&publication, &request, &plan, &err), 0);
	join(&plan, text, sizeof(text));
	ck_assert_msg(strcmp(text, own[_i].ways) == 0, "%s:\n%s", own[_i].spec, text);
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
		const struct pp_request request = { .target = target(rows[i].to),
						    .via = PP_VIA_KERNEL,
						    .host = { rows[i].no_nftables, rows[i].no_admin } };
		struct pp_plan plan;
		struct pp_error err;

		ck_assert_int_eq(pp_plan_make(&publication, &request, &plan, &err), -rows[i].code);
		ck_assert_str_eq(err.message, rows[i].message);
	}
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

	tcase_add_loop_test(tcase, plan_gives_each_way_its_path_and_reason, 0, UNIT_COUNT(plans));
	tcase_add_loop_test(tcase, plan_tells_the_way_of_the_container_to_itself, 0, UNIT_COUNT(own));
	tcase_add_test(tcase, plan_refuses_via_kernel_where_nothing_is_left);
	tcase_add_test(tcase, plan_target_is_one_address_of_each_family);
	suite_add_tcase(suite, tcase);
	return suite;
}
