/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs every suite, as test/unit does, in a user and a network namespace of its own: nothing needs root and
 * nothing is left over. CK_FORK=no for the debugger.
 */
#include "kernel.h"

#include <fcntl.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : write(fd, text, strlen(text));

	if (fd >= 0)
		close(fd);
	return n < 0 ? -1 : 0;
}

/* Root of its own, as unshare -Urn makes it; programs such as ip drop what they may do when they are not. */
static int become_root(void)
{
	char uid_map[32], gid_map[32];

	snprintf(uid_map, sizeof(uid_map), "0 %u 1", geteuid());
	snprintf(gid_map, sizeof(gid_map), "0 %u 1", getegid());
	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return unshare(CLONE_NEWNET); /* root can do without a user namespace */
	if (write_file("/proc/self/uid_map", uid_map) < 0 || write_file("/proc/self/setgroups", "deny") < 0)
		return -1;
	return write_file("/proc/self/gid_map", gid_map);
}

void kernel_sh(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	ck_assert_msg(system(command) == 0, "%s", command); /* NOLINT(cert-env33-c): it is a test's own */
}

void kernel_new_host(void)
{
	ck_assert_int_eq(unshare(CLONE_NEWNET), 0);
	kernel_sh("ip link set lo up");
}

int main(void)
{
	SRunner *runner;
	int failed;

	if (become_root() < 0) {
		puts("1..0 # SKIP no user namespaces here; needs root");
		return EXIT_SUCCESS;
	}
	runner = srunner_create(suite_sysctl());
	srunner_add_suite(runner, suite_conntrack());
	srunner_add_suite(runner, suite_bridge());
	srunner_add_suite(runner, suite_nft());
	srunner_add_suite(runner, suite_generation());
	srunner_add_suite(runner, suite_anchor());
	srunner_add_suite(runner, suite_sandbox());
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
