/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Runs a program, and all that it begins, as in a kernel before Linux 5.12: without_owners COMMAND... A table that is to
 * have an owner is refused. A process of its own sees to that, until the last of them has ended.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

enum { FLAG_OWNER = 1 << 1 }; /* which not every header has */

/* Every sendto is asked about; the descriptor by which that is answered. */
static int ask_about_sendto(void)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_sendto, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_USER_NOTIF),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -1;
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_NEW_LISTENER, &program);
}

static bool wants_owner(const struct nlmsghdr *message)
{
	const struct nlattr *attr;

	if (message->nlmsg_type != (NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_NEWTABLE))
		return false;
	mnl_attr_for_each (attr, message, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == NFTA_TABLE_FLAGS && ntohl(mnl_attr_get_u32(attr)) & FLAG_OWNER)
			return true;
	}
	return false;
}

static bool is_refused(const struct seccomp_notif *question)
{
	static _Alignas(struct nlmsghdr) char buffer[1 << 16];
	struct iovec here = { buffer, sizeof(buffer) };
	struct iovec there = { (void *)(uintptr_t)question->data.args[1], question->data.args[2] };
	const struct nlmsghdr *message = (void *)buffer;
	int left;

	if (there.iov_len > sizeof(buffer))
		return false;
	left = (int)process_vm_readv((pid_t)question->pid, &here, 1, &there, 1, 0);
	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		if (wants_owner(message))
			return true;
	}
	return false;
}

static void answer_all(int listener)
{
	struct pollfd asked = { .fd = listener, .events = POLLIN };

	while (poll(&asked, 1, -1) > 0 && (asked.revents & POLLIN)) {
		struct seccomp_notif question = { 0 };
		struct seccomp_notif_resp answer = { 0 };

		if (ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &question) < 0)
			continue; /* who asked has been killed */
		answer.id = question.id;
		if (is_refused(&question))
			answer.error = -EINVAL;
		else
			answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
		ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);
	}
}

/* Takes the descriptor from its parent, which becomes the program then. */
static int supervise(int from, int to)
{
	int null = open("/dev/null", O_RDWR), pidfd = (int)syscall(SYS_pidfd_open, getppid(), 0), number,
	    listener;

	if (read(from, &number, sizeof(number)) != sizeof(number))
		return 125;
	listener = (int)syscall(SYS_pidfd_getfd, pidfd, number, 0);
	if (listener < 0 || null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0)
		return 125;
	close(to);
	close(from);
	answer_all(listener);
	return 0;
}

int main(int argc, char **argv)
{
	int there[2], back[2], listener;
	char byte;

	if (argc < 2 || pipe2(there, O_CLOEXEC) < 0 || pipe2(back, O_CLOEXEC) < 0) {
		fprintf(stderr, "without_owners COMMAND...\n");
		return 125;
	}
	if (fork() == 0) {
		close(there[1]);
		close(back[0]);
		_exit(supervise(there[0], back[1]));
	}
	close(back[1]);
	listener = ask_about_sendto();
	/* The end of the pipe says that the other has it, or has ended; then it is missed at once. */
	if (listener >= 0 && write(there[1], &listener, sizeof(listener)) == sizeof(listener) &&
	    read(back[0], &byte, 1) == 0) {
		close(listener);
		execvp(argv[1], argv + 1);
	}
	fprintf(stderr, "without_owners: %s\n", strerror(errno));
	return 125;
}
