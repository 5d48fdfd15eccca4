/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * inject PID CALL ARGUMENT...: what somebody gets who has taken a process over. It makes one system call, with
 * arguments that are numbers or text:TEXT, and goes on as if nothing had been.
 *
 * Prints what the call returned, EPERM and the like, or "killed N" where the process has ended by signal N. Exit
 * status 1 where there is no such process or call, 77 on a machine whose registers are not known here.
 */
#include <elf.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#if !defined(__x86_64__) && !defined(__aarch64__)
int main(void)
{
	return 77;
}
#else

enum { ARGUMENTS = 6, ROOM = 256, RED_ZONE = 512 };

static const struct {
	const char *name;
	long number;
} calls[] = {
	{ "openat", SYS_openat },   { "execve", SYS_execve },   { "capset", SYS_capset },
	{ "socket", SYS_socket },   { "unshare", SYS_unshare }, { "clone", SYS_clone },
	{ "setuid", SYS_setuid },   { "ptrace", SYS_ptrace },   { "mount", SYS_mount },
	{ "getppid", SYS_getppid }, { "kill", SYS_kill },       { "close", SYS_close },
};

static const struct {
	const char *name;
	int code;
} errors[] = {
	{ "EACCES", EACCES }, { "EFAULT", EFAULT }, { "EINVAL", EINVAL }, { "ENOENT", ENOENT },
	{ "ENOSYS", ENOSYS }, { "EPERM", EPERM },   { "ESRCH", ESRCH },
};

#ifdef __x86_64__
static unsigned long long stack_of(const struct user_regs_struct *registers)
{
	return registers->rsp;
}

static long long result_of(const struct user_regs_struct *registers)
{
	return (long long)registers->rax;
}

/* It has stopped behind a system call: once more, from the instruction that makes it. */
static void make_call(struct user_regs_struct *registers, long call, const unsigned long long a[ARGUMENTS])
{
	registers->orig_rax = (unsigned long long)-1; /* nothing to be restarted */
	registers->rip -= 2;
	registers->rax = (unsigned long long)call;
	registers->rdi = a[0];
	registers->rsi = a[1];
	registers->rdx = a[2];
	registers->r10 = a[3];
	registers->r8 = a[4];
	registers->r9 = a[5];
}
#else
static unsigned long long stack_of(const struct user_regs_struct *registers)
{
	return registers->sp;
}

static long long result_of(const struct user_regs_struct *registers)
{
	return (long long)registers->regs[0];
}

static void make_call(struct user_regs_struct *registers, long call, const unsigned long long a[ARGUMENTS])
{
	registers->pc -= 4;
	registers->regs[8] = (unsigned long long)call;
	for (int i = 0; i < ARGUMENTS; i++)
		registers->regs[i] = a[i];
}
#endif

static long number_of(const char *name)
{
	for (size_t i = 0; i < sizeof(calls) / sizeof(calls[0]); i++) {
		if (strcmp(calls[i].name, name) == 0)
			return calls[i].number;
	}
	return -1;
}

/* Texts lie below what the stack has in use. */
static bool put_arguments(pid_t pid, char **words, unsigned long long stack,
			  unsigned long long out[ARGUMENTS])
{
	for (int i = 0; i < ARGUMENTS && words[i]; i++) {
		struct iovec here = { .iov_base = words[i] + strlen("text:") }, there;

		if (strncmp(words[i], "text:", strlen("text:")) != 0) {
			out[i] = strtoull(words[i], NULL, 0);
			continue;
		}
		out[i] = stack - RED_ZONE - (unsigned long long)(i + 1) * ROOM;
		here.iov_len = strlen(here.iov_base) + 1;
		there = (struct iovec){ (void *)(uintptr_t)out[i],
					here.iov_len }; /* NOLINT(performance-no-int-to-ptr) */
		if (here.iov_len > ROOM || process_vm_writev(pid, &here, 1, &there, 1, 0) < 0)
			return false;
	}
	return true;
}

static bool stop(pid_t pid)
{
	int status;

	return ptrace(PTRACE_SEIZE, pid, NULL, NULL) == 0 && ptrace(PTRACE_INTERRUPT, pid, NULL, NULL) == 0 &&
	       waitpid(pid, &status, 0) == pid && WIFSTOPPED(status);
}

static void print(long long result)
{
	for (size_t i = 0; i < sizeof(errors) / sizeof(errors[0]); i++) {
		if (result == -errors[i].code) {
			puts(errors[i].name);
			return;
		}
	}
	printf("%lld\n", result);
}

/* The process has stopped; @before is what it goes on with. */
static int inject(pid_t pid, long call, char **words, const struct user_regs_struct *before)
{
	struct user_regs_struct registers = *before;
	struct iovec all = { &registers, sizeof(registers) };
	unsigned long long arguments[ARGUMENTS] = { 0 };
	int status;

	if (!put_arguments(pid, words, stack_of(before), arguments))
		return 1;
	make_call(&registers, call, arguments);
	if (ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &all) < 0 ||
	    ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL) < 0 || waitpid(pid, &status, 0) != pid)
		return 1;
	if (WIFSIGNALED(status)) {
		printf("killed %d\n", WTERMSIG(status));
		return 0;
	}
	if (ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all) < 0)
		return 1;
	print(result_of(&registers));
	registers = *before;
	return ptrace(PTRACE_SETREGSET, pid, NT_PRSTATUS, &all) < 0 ||
	       ptrace(PTRACE_DETACH, pid, NULL, NULL) < 0;
}

int main(int argc, char **argv)
{
	pid_t pid = argc > 2 ? (pid_t)strtol(argv[1], NULL, 10) : 0;
	long call = argc > 2 ? number_of(argv[2]) : -1;
	struct user_regs_struct before;
	struct iovec all = { &before, sizeof(before) };

	if (pid <= 0 || call < 0 || !stop(pid) || ptrace(PTRACE_GETREGSET, pid, NT_PRSTATUS, &all) < 0 ||
	    inject(pid, call, argv + 3, &before) != 0) {
		fprintf(stderr, "inject PID CALL ARGUMENT...: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}
#endif
