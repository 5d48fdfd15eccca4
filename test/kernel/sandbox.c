/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each act is done by a child, since there is no way out of the sandbox. */
#include "kernel.h"

#include "portpub/publish.h"
#include "portpub/sandbox.h"
#include "portpub/spec.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/netlink.h>
#include <linux/securebits.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#endif

enum { WRONG = 255 }; /* no errno */

#ifdef PORTPUB_INSTRUMENTED
static const bool instrumented = true;
#else
static const bool instrumented = false;
#endif

static char directory[] = "/tmp/portpub-sandbox-XXXXXX";
static int own_status = -1; /* /proc/self/status of the child, open before */

static void make_directory(void)
{
	snprintf(directory, sizeof(directory), "/tmp/portpub-sandbox-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(directory));
}

static void remove_directory(void)
{
	kernel_sh("rm -rf %s", directory);
}

/* Can this kernel let a file be renamed to another directory? Not to be asked inside. */
static bool has_landlock;

static void look_for_landlock(void)
{
	has_landlock = !instrumented && syscall(SYS_landlock_create_ruleset, NULL, 0, 1) >= 2;
}

/* Is there in force what this kernel has? */
static bool is_whole(const struct pp_sandbox *sandbox)
{
	return sandbox->no_new_privs && sandbox->capabilities && sandbox->landlock == has_landlock &&
	       sandbox->seccomp == !instrumented;
}

static int enter_and(bool admin, int (*act)(void))
{
	const char *const paths[] = { directory, "/proc/sys/net", "/proc/sys/kernel/random/boot_id" };
	const struct pp_sandbox_needs needs = { admin, paths, KERNEL_COUNT(paths) };
	struct pp_sandbox sandbox;
	struct pp_error err;

	own_status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (pp_sandbox_enter(&needs, &sandbox, &err) < 0 || !is_whole(&sandbox))
		return WRONG;
	return act();
}

/* What waitpid tells of a child that acts in the sandbox. */
static int in_sandbox(bool admin, int (*act)(void))
{
	pid_t child = fork();
	int status;

	ck_assert_int_ge(child, 0);
	if (child == 0)
		exit(enter_and(admin, act));
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	return status;
}

static int result(long ret)
{
	return ret < 0 ? errno : 0;
}

static int opens_a_file(void)
{
	return result(open("/etc/passwd", O_RDONLY | O_CLOEXEC));
}

static int opens_its_memory(void)
{
	return result(open("/proc/self/mem", O_RDWR | O_CLOEXEC));
}

static int lists_a_directory(void)
{
	return result(open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
}

static int makes_a_file(void)
{
	return result(open("/tmp/portpub-sandbox-escaped", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

static int sets_another_sysctl(void)
{
	return result(open("/proc/sys/kernel/core_pattern", O_WRONLY | O_CLOEXEC));
}

static const struct {
	const char *what;
	int (*act)(void);
	int want;
} files[] = {
	{ "read a file", opens_a_file, EACCES },
	{ "write to its own memory", opens_its_memory, EACCES },
	{ "list a directory", lists_a_directory, EACCES },
	{ "make a file", makes_a_file, EACCES },
	{ "set another sysctl", sets_another_sysctl, EACCES },
};

START_TEST(sandbox_keeps_files_out_of_reach)
{
	int status;

	if (!has_landlock)
		return;
	status = in_sandbox(true, files[_i].act);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == files[_i].want, "%s: %x", files[_i].what,
		      status);
}
END_TEST

/* As many as there are registers; nothing is there behind the addresses. */
static const struct {
	const char *what;
	long call, arguments[4];
} calls[] = {
	{ "fork", SYS_clone, { SIGCHLD } },
	{ "fork anew", SYS_clone3, { 0 } },
	{ "unshare", SYS_unshare, { CLONE_NEWUSER } },
	{ "setns", SYS_setns, { 0, CLONE_NEWNET } },
	{ "mount", SYS_mount, { 0 } },
	{ "chroot", SYS_chroot, { 0 } },
	{ "bpf", SYS_bpf, { 0 } },
	{ "perf_event_open", SYS_perf_event_open, { 0 } },
	{ "add_key", SYS_add_key, { 0 } },
	{ "keyctl", SYS_keyctl, { 0 } },
	{ "io_uring_setup", SYS_io_uring_setup, { 8, 0 } },
	{ "userfaultfd", SYS_userfaultfd, { 0 } },
	{ "memfd_create", SYS_memfd_create, { 0 } },
	{ "capset", SYS_capset, { 0 } },
	{ "setuid", SYS_setuid, { 0 } },
	{ "prctl", SYS_prctl, { PR_GET_DUMPABLE } },
	{ "seccomp", SYS_seccomp, { 0 } },
	{ "init_module", SYS_init_module, { 0 } },
	{ "mknodat", SYS_mknodat, { 0 } },
	{ "fchmodat", SYS_fchmodat, { 0 } },
	{ "symlinkat", SYS_symlinkat, { 0 } },
	{ "linkat", SYS_linkat, { 0 } },
	{ "kill", SYS_kill, { 1, 0 } },
	{ "tgkill", SYS_tgkill, { 1, 1, 0 } },
	{ "a local socket", SYS_socket, { AF_UNIX, SOCK_STREAM, 0 } },
	{ "a packet socket", SYS_socket, { AF_PACKET, SOCK_RAW, 0 } },
	{ "a crypto socket", SYS_socket, { AF_ALG, SOCK_SEQPACKET, 0 } },
	{ "another netlink", SYS_socket, { AF_NETLINK, SOCK_RAW, NETLINK_GENERIC } },
	{ "an owner for signals", SYS_fcntl, { 0, F_SETOWN, 1 } },
	{ "typing on a terminal", SYS_ioctl, { 0, TIOCSTI, 0 } },
	{ "memory as a program", SYS_mmap, { 0, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS } },
	{ "a program of memory", SYS_mprotect, { 0, 4096, PROT_EXEC } },
	{ "limits of others", SYS_prlimit64, { 1, RLIMIT_NOFILE, 0, 0 } },
	{ "a signal", SYS_pidfd_send_signal, { 0, SIGTERM, 0, 0 } },
	{ "what is unknown", 100000, { 0 } },
};

static int row;

static int makes_the_call(void)
{
	const long *a = calls[row].arguments;

	return result(syscall(calls[row].call, a[0], a[1], a[2], a[3], -1L, 0L));
}

START_TEST(sandbox_lacks_the_call)
{
	int status;

	if (instrumented)
		return;
	row = _i;
	status = in_sandbox(true, makes_the_call);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == ENOSYS, "%s: %x", calls[_i].what, status);
}
END_TEST

static const struct {
	const char *what;
	long call;
} fatal[] = {
	{ "execve", SYS_execve },
	{ "execveat", SYS_execveat },
	{ "ptrace", SYS_ptrace },
	{ "process_vm_readv", SYS_process_vm_readv },
	{ "process_vm_writev", SYS_process_vm_writev },
};

static int makes_the_last_call(void)
{
	return result(syscall(fatal[row].call, 0L, 0L, 0L, 0L, 0L, 0L));
}

START_TEST(sandbox_ends_what_would_run_a_program_or_reach_into_another)
{
	int status;

	if (instrumented)
		return;
	row = _i;
	status = in_sandbox(true, makes_the_last_call);
	ck_assert_msg(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS, "%s: %x", fatal[_i].what, status);
}
END_TEST

static bool says(const char *text, const char *name, unsigned long long want)
{
	const char *at = strstr(text, name);

	return at && strtoull(at + strlen(name), NULL, 16) == want;
}

/* Which capabilities there are, as the kernel tells it. */
static int lacks_all_but(unsigned long long mask)
{
	char text[8192] = "";

	if (pread(own_status, text, sizeof(text) - 1, 0) <= 0)
		return errno;
	if (!says(text, "NoNewPrivs:", 1) || !says(text, "\nSeccomp:", instrumented ? 0 : 2))
		return 1;
	return says(text, "CapEff:", mask) && says(text, "CapPrm:", mask) && says(text, "CapInh:", 0) &&
			       says(text, "CapAmb:", 0)
		       ? 0
		       : 2;
}

static int lacks_a_bounding_set(void)
{
	char text[8192] = "";

	return pread(own_status, text, sizeof(text) - 1, 0) > 0 && says(text, "CapBnd:", 0) ? 0 : 3;
}

/* Being root is no reason to have any. Seccomp lets nobody ask for it: -1 has all bits. */
static bool is_locked(void)
{
	return prctl(PR_GET_SECUREBITS, 0, 0, 0, 0) & SECBIT_NOROOT_LOCKED;
}

static int has_admin_alone(void)
{
	int ret = lacks_all_but(CAP_TO_MASK(CAP_NET_ADMIN));

	return ret ? ret : lacks_a_bounding_set();
}

static int has_nothing(void)
{
	int ret = is_locked() ? lacks_all_but(0) : 4;

	return ret ? ret : lacks_a_bounding_set();
}

START_TEST(sandbox_leaves_one_capability_or_none)
{
	ck_assert_int_eq(in_sandbox(true, has_admin_alone), 0);
	ck_assert_int_eq(in_sandbox(false, has_nothing), 0);
}
END_TEST

/* By capset, and by being root, which a program is when it is run, or a process that changes its user. */
static int gets_something_back(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct all[_LINUX_CAPABILITY_U32S_3] = { { ~0U, ~0U, 0 }, { ~0U, ~0U, 0 } };

	return syscall(SYS_capset, &header, all) == 0 || prctl(PR_SET_SECUREBITS, 0) == 0 ||
	       prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0) == 0;
}

START_TEST(sandbox_gives_no_capability_back)
{
	ck_assert_int_eq(in_sandbox(true, gets_something_back), 0);
}
END_TEST

/* One who has no capability cannot lock what there is not. */
static int enter_as_ordinary_user(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };
	const struct pp_sandbox_needs needs = { .admin = true };
	struct pp_sandbox sandbox;
	struct pp_error err;

	own_status = open("/proc/self/status", O_RDONLY | O_CLOEXEC);
	if (syscall(SYS_capset, &header, none) < 0 || pp_sandbox_enter(&needs, &sandbox, &err) < 0 ||
	    !is_whole(&sandbox) || sandbox.locked)
		return WRONG;
	return lacks_all_but(0);
}

START_TEST(sandbox_says_what_an_ordinary_user_cannot_lock)
{
	pid_t child = fork();
	int status;

	if (child == 0)
		exit(enter_as_ordinary_user());
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}
END_TEST

START_TEST(sandbox_says_which_path_is_not_there)
{
	const char *const paths[] = { directory, "/no/such\n" };
	const struct pp_sandbox_needs needs = { false, paths, KERNEL_COUNT(paths) };
	struct pp_sandbox sandbox;
	struct pp_error err;

	if (!has_landlock)
		return;
	ck_assert_int_eq(pp_sandbox_enter(&needs, &sandbox, &err), -ENOENT);
	ck_assert_str_eq(err.message, "cannot keep /no/such\\x0a for the sandbox: No such file or directory");
	ck_assert_int_eq(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0), 0);
}
END_TEST

/* A file, to another directory and away. */
static int keeps_files(void)
{
	int dir = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC), file, ret = 1;

	if (mkdirat(dir, "a", 0700) < 0 || mkdirat(dir, "b", 0700) < 0)
		return errno;
	file = openat(dir, "a/new", O_RDWR | O_CREAT | O_EXCL | O_TRUNC | O_CLOEXEC, 0600);
	if (flock(file, LOCK_EX) == 0 && pwrite(file, "x", 1, 0) == 1 && ftruncate(file, 0) == 0 &&
	    renameat(dir, "a/new", dir, "b/new") == 0 && faccessat(dir, "b/new", F_OK, 0) == 0 &&
	    unlinkat(dir, "b/new", 0) == 0 && unlinkat(dir, "b", AT_REMOVEDIR) == 0)
		ret = 0;
	return ret;
}

static int sets_a_sysctl(void)
{
	int file = open("/proc/sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC);

	return file < 0 ? errno : result(pwrite(file, "1", 1, 0));
}

static int waits_for_others(void)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), watch = inotify_init1(IN_CLOEXEC);
	int other = (int)syscall(SYS_pidfd_open, getppid(), 0);
	struct epoll_event event = { .events = EPOLLIN };
	sigset_t signals;

	sigemptyset(&signals);
	sigaddset(&signals, SIGTERM);
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, signalfd(-1, &signals, SFD_CLOEXEC), &event) < 0 ||
	    inotify_add_watch(watch, directory, IN_DELETE) < 0)
		return errno;
	if (epoll_ctl(epoll, EPOLL_CTL_ADD, other, &event) < 0 || epoll_wait(epoll, &event, 1, 0) < 0)
		return errno;
	return result(syscall(SYS_pidfd_send_signal, other, 0, NULL, 0));
}

/* As libc does it when there is more and more of it. */
static int takes_memory(void)
{
	char *memory = NULL;

	for (size_t size = 1000; size < 100000000; size *= 10) {
		char *more = realloc(memory, size);

		if (!more)
			return ENOMEM;
		memset(more, 'x', size);
		memory = more;
	}
	free(memory);
	return 0;
}

static const struct {
	const char *what;
	int (*act)(void);
} work[] = {
	{ "keep files", keeps_files },
	{ "set a sysctl", sets_a_sysctl },
	{ "wait for others", waits_for_others },
	{ "take memory", takes_memory },
};

START_TEST(sandbox_lets_it_work)
{
	int status = in_sandbox(true, work[_i].act);

	ck_assert_msg(status == 0, "%s: %x", work[_i].what, status);
}
END_TEST

static bool make_record(struct pp_record *record, struct pp_error *err)
{
	static const char spec[] = "127.0.0.1:3456:80", target[] = "10.0.0.2";
	struct pp_publication publication;

	*record = (struct pp_record){ .id = "web", .request = { .no_keeper = true } };
	return pp_spec_parse(spec, strlen(spec), PP_SPEC_ALL, &publication, err) == 0 &&
	       pp_publications_append(&record->request.publications, &publication, err) == 0 &&
	       pp_target_parse(target, strlen(target), &record->request.target, err) == 0;
}

static void say(const char *line, void *data)
{
	(void)data;
	fprintf(stderr, "%s\n", line);
}

static int publishes(void)
{
	const struct pp_report report = { .say = say };
	struct pp_record record;
	struct pp_error err;
	bool made = make_record(&record, &err);

	made = made && pp_publish_add(&record, false, NULL, &report, &err) == 0;
	pp_record_fini(&record);
	if (!made)
		fprintf(stderr, "%s\n", err.message);
	return !made;
}

static int unpublishes(void)
{
	const struct pp_report report = { .say = say };
	char id[] = "web", *const names[] = { id };
	struct pp_error err;

	if (pp_publish_del(names, 1, NULL, &report, &err) == 0)
		return 0;
	fprintf(stderr, "%s\n", err.message);
	return 1;
}

START_TEST(sandbox_lets_it_publish)
{
	ck_assert_int_eq(setenv("PORTPUB_RUNTIME_DIR", directory, 1), 0);
	kernel_sh("ip link add br0 type bridge && ip addr add 10.0.0.1/24 dev br0 && ip link set br0 up");
	ck_assert_int_eq(in_sandbox(true, publishes), 0);
	kernel_sh("nft list ruleset | grep -q '127.0.0.1 . 3456 .* comment \"web'");
	kernel_sh("test $(cat /proc/sys/net/ipv4/conf/br0/route_localnet) = 1");
	kernel_sh("test -e %s/net*/active/web.json", directory);
	ck_assert_int_eq(in_sandbox(true, unpublishes), 0);
	kernel_sh("! nft list ruleset | grep -q 3456");
	kernel_sh("test $(cat /proc/sys/net/ipv4/conf/br0/route_localnet) = 0");
	kernel_sh("! test -e %s/net*/active/web.json", directory);
}
END_TEST

START_TEST(sandbox_without_admin_does_not_publish)
{
	ck_assert_int_eq(setenv("PORTPUB_RUNTIME_DIR", directory, 1), 0);
	ck_assert_int_eq(WEXITSTATUS(in_sandbox(false, publishes)), 1);
}
END_TEST

Suite *suite_sandbox(void)
{
	Suite *suite = suite_create("sandbox");
	TCase *tcase = tcase_create("sandbox");

	tcase_add_checked_fixture(tcase, kernel_new_host, NULL);
	tcase_add_unchecked_fixture(tcase, look_for_landlock, NULL);
	tcase_add_checked_fixture(tcase, make_directory, remove_directory);
	tcase_add_loop_test(tcase, sandbox_keeps_files_out_of_reach, 0, KERNEL_COUNT(files));
	tcase_add_loop_test(tcase, sandbox_lacks_the_call, 0, KERNEL_COUNT(calls));
	tcase_add_loop_test(tcase, sandbox_ends_what_would_run_a_program_or_reach_into_another, 0,
			    KERNEL_COUNT(fatal));
	tcase_add_test(tcase, sandbox_leaves_one_capability_or_none);
	tcase_add_test(tcase, sandbox_gives_no_capability_back);
	tcase_add_test(tcase, sandbox_says_what_an_ordinary_user_cannot_lock);
	tcase_add_test(tcase, sandbox_says_which_path_is_not_there);
	tcase_add_loop_test(tcase, sandbox_lets_it_work, 0, KERNEL_COUNT(work));
	tcase_add_test(tcase, sandbox_lets_it_publish);
	tcase_add_test(tcase, sandbox_without_admin_does_not_publish);
	suite_add_tcase(suite, tcase);
	return suite;
}
