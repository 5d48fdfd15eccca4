/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include "portpub/sysctl.h"

#include <errno.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>

static void assert_value(const char *name, const char *want)
{
	char value[PP_SYSCTL_VALUE];
	struct pp_error err;

	ck_assert_msg(pp_sysctl_read(name, value, &err) == 0, "%s", err.message);
	ck_assert_str_eq(value, want);
}

START_TEST(sysctl_reads_what_it_wrote)
{
	struct pp_error err;

	assert_value("net/ipv4/ip_forward", "0");
	ck_assert_int_eq(pp_sysctl_write("net/ipv4/ip_forward", "1", &err), 0);
	assert_value("net/ipv4/ip_forward", "1");
	kernel_sh("test \"$(cat /proc/sys/net/ipv4/ip_forward)\" = 1");
}
END_TEST

START_TEST(sysctl_is_of_the_namespace_of_the_caller)
{
	struct pp_error err;

	ck_assert_int_eq(pp_sysctl_write("net/ipv4/ip_forward", "1", &err), 0);
	kernel_new_host();
	assert_value("net/ipv4/ip_forward", "0");
}
END_TEST

START_TEST(sysctl_finds_an_interface_with_dots_in_its_name)
{
	char name[PP_SYSCTL_NAME];
	struct pp_error err;

	kernel_sh("ip link add eth0.5 type veth peer name p");
	ck_assert_int_eq(pp_sysctl_of_interface(AF_INET, "eth0.5", "route_localnet", name, &err), 0);
	ck_assert_str_eq(name, "net/ipv4/conf/eth0.5/route_localnet");
	ck_assert_int_eq(pp_sysctl_write(name, "1", &err), 0);
	assert_value(name, "1");
	assert_value("net/ipv4/conf/all/route_localnet", "0");
	ck_assert_int_eq(pp_sysctl_of_interface(AF_INET6, "eth0.5", "forwarding", name, &err), 0);
	assert_value(name, "0");
}
END_TEST

static const char *const no_interface[] = {
	"", ".", "..", "all", "default", "a/b", "../all", "eth0:1", "eth 0", "eth0\n", "sixteen_bytes_is",
};

START_TEST(sysctl_refuses_what_is_no_name_of_an_interface)
{
	char name[PP_SYSCTL_NAME] = "as it was";
	struct pp_error err;

	ck_assert_int_eq(pp_sysctl_of_interface(AF_INET, no_interface[_i], "route_localnet", name, &err),
			 -EINVAL);
	ck_assert_str_eq(name, "as it was");
	for (const char *c = err.message; *c; c++)
		ck_assert_msg(*c >= ' ' && *c <= '~', "%s", err.message);
}
END_TEST

static const char *const elsewhere[] = {
	"kernel/ostype",
	"net/../kernel/ostype",
	"net/ipv6/../../kernel/ostype",
	"../../proc/sys/kernel/ostype",
	"net/ipv4/../ipv4/ip_forward",
	"/net/ipv4/ip_forward",
};

START_TEST(sysctl_is_none_that_is_not_of_the_network)
{
	char value[PP_SYSCTL_VALUE];
	struct pp_error err;

	ck_assert_int_eq(pp_sysctl_read(elsewhere[_i], value, &err), -ENOENT);
	ck_assert_int_eq(pp_sysctl_write(elsewhere[_i], "1", &err), -ENOENT);
}
END_TEST

START_TEST(sysctl_says_what_is_missing)
{
	char value[PP_SYSCTL_VALUE];
	struct pp_error err;

	ck_assert_int_eq(pp_sysctl_read("net/ipv4/conf/br-1.2/route_localnet", value, &err), -ENOENT);
	ck_assert_str_eq(err.message, "there is no net/ipv4/conf/br-1.2/route_localnet here");
	ck_assert_int_eq(pp_sysctl_write("net/ipv4/no_such", "1", &err), -ENOENT);
	ck_assert_str_eq(err.message, "cannot set net.ipv4.no_such: there is none here");
	ck_assert_int_eq(pp_sysctl_write("net/ipv4/ip_default_ttl", "0", &err), -EIO);
	ck_assert_str_eq(err.message, "the kernel does not take 0 for net.ipv4.ip_default_ttl");
}
END_TEST

START_TEST(sysctl_reads_no_half_of_a_value)
{
	char value[PP_SYSCTL_VALUE] = "as it was";
	struct pp_error err;

	kernel_sh("echo 1-2,10-12,100-102,1000-1002,10000-10002,20000 "
		  ">/proc/sys/net/ipv4/ip_local_reserved_ports");
	ck_assert_int_eq(pp_sysctl_read("net/ipv4/ip_local_reserved_ports", value, &err), -EOVERFLOW);
	ck_assert_str_eq(value, "as it was");
}
END_TEST

START_TEST(sysctl_names_the_command_where_proc_is_read_only)
{
	struct pp_error err;

	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("/proc/sys", "/proc/sys", NULL, MS_BIND | MS_REC, NULL), 0);
	ck_assert_int_eq(mount(NULL, "/proc/sys", NULL,
			       MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL),
			 0);
	ck_assert_int_eq(pp_sysctl_write("net/ipv4/ip_forward", "1", &err), -EROFS);
	ck_assert_str_eq(err.message, "cannot set net.ipv4.ip_forward: /proc/sys is read-only here; where it "
				      "is not: sysctl -w net.ipv4.ip_forward=1");
}
END_TEST

/* One that nobody may set: privilege would have to be missing in other ways for each who runs this. */
START_TEST(sysctl_names_the_command_where_privilege_is_missing)
{
	struct pp_error err;

	ck_assert_int_eq(pp_sysctl_write("net/ipv4/tcp_available_congestion_control", "1", &err), -EACCES);
	ck_assert_str_eq(err.message, "not permitted to set net.ipv4.tcp_available_congestion_control; with "
				      "CAP_NET_ADMIN: sysctl -w net.ipv4.tcp_available_congestion_control=1");
}
END_TEST

Suite *suite_sysctl(void)
{
	Suite *suite = suite_create("sysctl");
	TCase *tcase = tcase_create("sysctl");

	tcase_add_checked_fixture(tcase, kernel_new_host, NULL);
	tcase_add_test(tcase, sysctl_reads_what_it_wrote);
	tcase_add_test(tcase, sysctl_is_of_the_namespace_of_the_caller);
	tcase_add_test(tcase, sysctl_finds_an_interface_with_dots_in_its_name);
	tcase_add_loop_test(tcase, sysctl_refuses_what_is_no_name_of_an_interface, 0,
			    KERNEL_COUNT(no_interface));
	tcase_add_loop_test(tcase, sysctl_is_none_that_is_not_of_the_network, 0,
			    sizeof(elsewhere) / sizeof(elsewhere[0]));
	tcase_add_test(tcase, sysctl_says_what_is_missing);
	tcase_add_test(tcase, sysctl_reads_no_half_of_a_value);
	tcase_add_test(tcase, sysctl_names_the_command_where_proc_is_read_only);
	tcase_add_test(tcase, sysctl_names_the_command_where_privilege_is_missing);
	suite_add_tcase(suite, tcase);
	return suite;
}
