/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A program of the build, and no part of portpub: writes the filter of system calls of the sandbox, as C, so that
 * libseccomp need not be loaded wherever portpub starts, nor a filter be compiled there.
 *
 * The list is what the forwarder and the commands were seen to call in all of their tests, what they would call
 * on another architecture or with another libc, and what they call where something fails. Three things become of
 * the others:
 *
 *	ENOSYS		as if the kernel were too old for it. This is what a libc that is newer than this list
 *			understands: it tries the older call. EPERM it would take for the last word, and so fail
 *			where it need not.
 *	end		of the process, for what runs another program or reaches into another process. Nothing here
 *			does either, not by way of libc; whoever tries has taken the process over, and gets no
 *			second try.
 *	end		for calls by the numbers of another architecture, which this list says nothing about.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/netlink.h>
#include <linux/sockios.h>
#include <seccomp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>

static const char *const allowed[] = {
	/* Memory; mmap and mprotect are below. */
	"brk", "madvise", "mremap", "munmap",

	/* Waiting. */
	"epoll_create1", "epoll_ctl", "epoll_wait", "epoll_pwait", "epoll_pwait2", "poll", "ppoll",
	"eventfd2", "timerfd_create", "timerfd_settime", "signalfd4", "inotify_init1", "inotify_add_watch",
	"inotify_rm_watch", "restart_syscall", "futex",

	/* Clients, the container, netlink. Which sockets there may be is below. */
	"accept4", "bind", "connect", "getpeername", "getsockname", "getsockopt", "listen", "recvfrom",
	"recvmmsg", "recvmsg", "sendmmsg", "sendmsg", "sendto", "setsockopt", "shutdown", "pipe2", "splice",

	/* Files: which ones is for Landlock to say. */
	"openat", "open", "read", "readv", "pread64", "write", "writev", "pwrite64", "lseek", "ftruncate",
	"fsync", "fdatasync", "flock", "close", "dup", "dup3", "fstat", "newfstatat", "stat", "lstat",
	"statx", "access", "faccessat", "faccessat2", "readlink", "readlinkat", "getdents64", "mkdir",
	"mkdirat", "unlink", "unlinkat", "rmdir", "rename", "renameat", "renameat2", "umask",

	/* Time and chance: the vDSO asks the kernel for some clocks. */
	"clock_gettime", "clock_getres", "gettimeofday", "clock_nanosleep", "nanosleep", "getrandom",

	/* Itself, and whether others are there. */
	"getpid", "getppid", "gettid", "getuid", "geteuid", "getgid", "getegid", "sysinfo", "uname",
	"rt_sigaction", "rt_sigprocmask", "rt_sigreturn", "sigaltstack", "pidfd_open", "exit", "exit_group"
};

static const char *const fatal[] = { "execve", "execveat", "ptrace", "process_vm_readv",
				     "process_vm_writev" };

/* Allowed where an argument, which they are counted from 0, is this. */
static const struct {
	const char *call;
	unsigned int argument;
	scmp_datum_t value;
} with[] = {
	/* No AF_UNIX, which would reach what listens on this machine. */
	{ "socket", 0, AF_INET },
	{ "socket", 0, AF_INET6 },

	/* Not F_SETOWN, by which root could send any signal to any process of root's. */
	{ "fcntl", 1, F_GETFL },
	{ "fcntl", 1, F_SETFL },
	{ "fcntl", 1, F_GETFD },
	{ "fcntl", 1, F_SETFD },
	{ "fcntl", 1, F_DUPFD_CLOEXEC },
	{ "fcntl", 1, F_GETPIPE_SZ },
	{ "fcntl", 1, F_SETPIPE_SZ },
	{ "fcntl", 1, F_GETLK },
	{ "fcntl", 1, F_SETLK },
	{ "fcntl", 1, F_OFD_GETLK },
	{ "fcntl", 1, F_OFD_SETLK },

	/* Not TIOCSTI, which types on the terminal that somebody works at. */
	{ "ioctl", 1, FIONREAD },
	{ "ioctl", 1, SIOCOUTQNSD },
	{ "ioctl", 1, SIOCGIFNAME },
	{ "ioctl", 1, SIOCGIFINDEX },
	{ "ioctl", 1, TCGETS }, /* libc, before the first line to a terminal */

	/* Its own limits; of others, whether they are there: a signal that is none. */
	{ "prlimit64", 0, 0 },
	{ "pidfd_send_signal", 1, 0 },
};

/* What is memory does not become a program. */
static const char *const without_exec[] = { "mmap", "mprotect" };

static const scmp_datum_t netlinks[] = { NETLINK_ROUTE, NETLINK_SOCK_DIAG, NETLINK_NETFILTER };

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

/* A call that this architecture does not have needs no rule; one that libseccomp has never heard of is a typo. */
static bool add(scmp_filter_ctx filter, uint32_t action, const char *call, unsigned int count,
		const struct scmp_arg_cmp arguments[])
{
	int number = seccomp_syscall_resolve_name(call), ret = -EINVAL;

	if (number < 0 && number != __NR_SCMP_ERROR)
		return true;
	if (number >= 0)
		ret = seccomp_rule_add_array(filter, action, number, count, arguments);
	if (ret < 0)
		fprintf(stderr, "calls: %s: %s\n", call, strerror(-ret));
	return ret == 0;
}

static bool add_calls(scmp_filter_ctx filter)
{
	bool good = true;

	for (size_t i = 0; i < COUNT(allowed); i++)
		good = add(filter, SCMP_ACT_ALLOW, allowed[i], 0, NULL) && good;
	for (size_t i = 0; i < COUNT(fatal); i++)
		good = add(filter, SCMP_ACT_KILL_PROCESS, fatal[i], 0, NULL) && good;
	return good;
}

static bool add_calls_by_argument(scmp_filter_ctx filter)
{
	const struct scmp_arg_cmp no_exec = { 2, SCMP_CMP_MASKED_EQ, PROT_EXEC, 0 };
	bool good = true;

	for (size_t i = 0; i < COUNT(with); i++) {
		struct scmp_arg_cmp is = { with[i].argument, SCMP_CMP_EQ, with[i].value, 0 };

		good = add(filter, SCMP_ACT_ALLOW, with[i].call, 1, &is) && good;
	}
	for (size_t i = 0; i < COUNT(without_exec); i++)
		good = add(filter, SCMP_ACT_ALLOW, without_exec[i], 1, &no_exec) && good;
	for (size_t i = 0; i < COUNT(netlinks); i++) {
		const struct scmp_arg_cmp are[] = { { 0, SCMP_CMP_EQ, AF_NETLINK, 0 },
						    { 2, SCMP_CMP_EQ, netlinks[i], 0 } };

		good = add(filter, SCMP_ACT_ALLOW, "socket", COUNT(are), are) && good;
	}
	return good;
}

static void print(FILE *compiled)
{
	struct sock_filter step;

	puts("#include \"calls.h\"\n\nconst struct sock_filter calls_filter[] = {");
	while (fread(&step, sizeof(step), 1, compiled) == 1)
		printf("\t{ 0x%02x, %u, %u, 0x%08x },\n", step.code, step.jt, step.jf, step.k);
	puts("};\nconst unsigned short calls_count = sizeof(calls_filter) / sizeof(calls_filter[0]);");
}

/* libseccomp writes to a descriptor only. */
static bool compile(scmp_filter_ctx filter)
{
	FILE *file = tmpfile();
	bool good = file && seccomp_export_bpf(filter, fileno(file)) == 0;

	if (good) {
		rewind(file);
		print(file);
	}
	if (file)
		fclose(file);
	return good && fflush(stdout) == 0;
}

int main(void)
{
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ERRNO(ENOSYS));
	bool good = filter && seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
		    seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2) == 0 && add_calls(filter) &&
		    add_calls_by_argument(filter) && compile(filter);

	seccomp_release(filter);
	return good ? EXIT_SUCCESS : EXIT_FAILURE;
}
