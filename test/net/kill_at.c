/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kills a program on the threshold of its Nth effect: kill_at [-f|-s] N COMMAND... An effect is a system call that
 * makes, renames, removes or writes a file, tells the kernel to change rules or to forget a connection, or begins a
 * process, ends one, or tells it something.
 * Exit status 137 if it was killed; its own if it had fewer effects than that. With -f the effects of what it begins are
 * counted as well, and whoever is on the threshold is killed, alone. With -s it is not killed: it stops behind that
 * effect, until somebody continues it.
 *
 * A program built to measure coverage writes its counts when it ends, or becomes another program: those are no
 * effects, and nothing it does itself comes after them.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/netlink.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* The type of the first message, which is asked for by its address in @child. */
static unsigned int type_of(pid_t child, uint64_t message)
{
	_Static_assert(sizeof(long) == 8, "a word has the length and the type");

	return (unsigned int)((unsigned long)ptrace(PTRACE_PEEKDATA, child, message, NULL) >> 32) & 0xffff;
}

/* Is the file at @path in @child one of counts? */
static bool is_of_coverage(pid_t child, uint64_t path)
{
	static const char ending[] = ".gcda";
	char text[PATH_MAX] = "";
	struct iovec here = { .iov_base = text, .iov_len = sizeof(text) - 1 };
	struct iovec there = { .iov_base = (void *)(uintptr_t)path, .iov_len = sizeof(text) - 1 };
	size_t length;

	if (process_vm_readv(child, &here, 1, &there, 1, 0) < 0)
		return false;
	length = strlen(text);
	return length >= strlen(ending) && strcmp(text + length - strlen(ending), ending) == 0;
}

static bool is_effect(pid_t child, const struct __ptrace_syscall_info *call)
{
	static bool has_ended;
	unsigned int type;

	if (call->entry.nr == SYS_execve)
		has_ended = false;
	if (call->entry.nr == SYS_openat && (call->entry.args[2] & O_CREAT) &&
	    is_of_coverage(child, call->entry.args[1]))
		has_ended = true;
	if (has_ended)
		return false;
	switch (call->entry.nr) {
	case SYS_openat:
		return call->entry.args[2] & O_CREAT;
	case SYS_write:
	case SYS_writev:
	case SYS_pwrite64:
		return call->entry.args[0] > STDERR_FILENO;
	case SYS_clone:
	case SYS_pidfd_send_signal:
	case SYS_mkdirat:
	case SYS_unlinkat:
	case SYS_ftruncate:
	case SYS_renameat2:
#ifdef SYS_renameat
	case SYS_renameat:
#endif
#ifdef SYS_mkdir
	case SYS_mkdir:
	case SYS_rmdir:
	case SYS_unlink:
	case SYS_rename:
#endif
		return true;
	case SYS_sendto:
		if (call->entry.args[2] == 1) /* the word to a keeper */
			return true;
		type = type_of(child, call->entry.args[1]);
		return type == NFNL_MSG_BATCH_BEGIN ||
		       type == (NFNL_SUBSYS_CTNETLINK << 8 | IPCTNL_MSG_CT_DELETE);
	default:
		return false;
	}
}

/* Is @child, which has stopped, about to have an effect? */
static bool is_on_the_threshold(pid_t child, int status)
{
	struct __ptrace_syscall_info call;

	return WIFSTOPPED(status) && WSTOPSIG(status) == (SIGTRAP | 0x80) &&
	       ptrace(PTRACE_GET_SYSCALL_INFO, child, sizeof(call), &call) > 0 &&
	       call.op == PTRACE_SYSCALL_INFO_ENTRY && is_effect(child, &call);
}

/* A stop that is no signal; a process that was begun stops with SIGSTOP. */
static bool is_of_tracing(int signal)
{
	return signal == (SIGTRAP | 0x80) || signal == SIGTRAP || signal == SIGSTOP;
}

static int let_go_and_stop(pid_t child)
{
	int status;

	if (kill(child, SIGSTOP) < 0 || ptrace(PTRACE_DETACH, child, NULL, NULL) < 0 ||
	    waitpid(child, &status, 0) < 0)
		return 125;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int follow(pid_t child, long left, bool family, bool stops)
{
	long options = PTRACE_O_TRACESYSGOOD |
		       (family ? PTRACE_O_TRACEFORK | PTRACE_O_TRACECLONE : PTRACE_O_EXITKILL);
	int status, signal = 0;
	bool killed = false;

	if (waitpid(child, &status, 0) < 0 || ptrace(PTRACE_SETOPTIONS, child, NULL, options) < 0)
		return 125;
	for (pid_t pid = child;;) {
		if (ptrace(PTRACE_SYSCALL, pid, NULL, (void *)(intptr_t)signal) < 0 && errno != ESRCH)
			return 125;
		pid = waitpid(-1, &status, __WALL);
		if (pid < 0)
			return 125;
		if (pid == child && WIFEXITED(status))
			return killed ? 137 : WEXITSTATUS(status);
		if (pid == child && WIFSIGNALED(status))
			return 128 + WTERMSIG(status);
		signal = 0;
		if (!WIFSTOPPED(status))
			continue;
		if (is_on_the_threshold(pid, status) && --left == 0) {
			if (stops)
				return let_go_and_stop(pid);
			killed = true;
			kill(pid, SIGKILL);
		}
		if (!is_of_tracing(WSTOPSIG(status)))
			signal = WSTOPSIG(status);
	}
}

int main(int argc, char **argv)
{
	bool family = argc > 1 && strcmp(argv[1], "-f") == 0, stops = argc > 1 && strcmp(argv[1], "-s") == 0;
	char **words = argv + (family || stops);
	long number = argc - (words - argv) > 2 ? strtol(words[1], NULL, 10) : 0;
	pid_t child;

	if (number < 1) {
		fprintf(stderr, "kill_at [-f|-s] N COMMAND...\n");
		return 125;
	}
	child = fork();
	if (child < 0)
		return 125;
	if (child > 0)
		return follow(child, number, family, stops);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0) {
		fprintf(stderr, "kill_at: %s\n", strerror(errno));
		_exit(125);
	}
	raise(SIGSTOP);
	execvp(words[2], words + 2);
	fprintf(stderr, "kill_at: %s: %s\n", words[2], strerror(errno));
	_exit(125);
}
