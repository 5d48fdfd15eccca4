/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The kernel tells a socket's inode, not whose it is; /proc/PID/fd has a link "socket:[INODE]" for each
 * descriptor. So every descriptor of every process is looked at, once for all sockets that are asked for,
 * until all are found. The descriptors of others need CAP_SYS_PTRACE, and processes end while one looks:
 * what cannot be seen is passed over.
 */
#include "portpub/process.h"

#include "proc.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static_assert(sizeof(((struct pp_process *)0)->name) == PP_PROC_NAME, "a name fits");

struct search {
	const uint32_t *inodes;
	struct pp_process *found;
	size_t count, left;
};

static void take(struct search *search, unsigned long inode, const struct pp_process *process)
{
	for (size_t i = 0; i < search->count; i++) {
		if (search->inodes[i] == inode && search->found[i].pid == 0) {
			search->found[i] = *process;
			search->left--;
		}
	}
}

static bool parse_socket(const char *link, unsigned long *inode)
{
	static const char prefix[] = "socket:[";

	if (strncmp(link, prefix, sizeof(prefix) - 1) != 0)
		return false;
	*inode = strtoul(link + sizeof(prefix) - 1, NULL, 10);
	return *inode != 0;
}

static void look_at_descriptors(struct search *search, DIR *directory, const struct pp_process *process)
{
	const struct dirent *entry;

	while (search->left && (entry = readdir(directory))) {
		char link[64];
		ssize_t len = readlinkat(dirfd(directory), entry->d_name, link, sizeof(link) - 1);
		unsigned long inode;

		if (len <= 0)
			continue;
		link[len] = '\0';
		if (parse_socket(link, &inode))
			take(search, inode, process);
	}
}

static void look_at_process(struct search *search, int proc, pid_t pid)
{
	struct pp_process process = { .pid = pid };
	int fd = pp_proc_open(proc, pid, "fd", O_DIRECTORY);
	DIR *directory = fd < 0 ? NULL : fdopendir(fd);

	if (directory && pp_proc_name(proc, pid, process.name))
		look_at_descriptors(search, directory, &process);
	if (directory)
		closedir(directory);
	else if (fd >= 0)
		close(fd);
}

void pp_processes_of_sockets(const uint32_t *inodes, size_t count, struct pp_process *out)
{
	struct search search = { inodes, out, count, count };
	DIR *proc = opendir("/proc");
	pid_t pid;

	memset(out, 0, count * sizeof(*out));
	while (proc && search.left && pp_proc_next(proc, &pid))
		look_at_process(&search, dirfd(proc), pid);
	if (proc)
		closedir(proc);
}

bool pp_process_of_socket(uint32_t inode, struct pp_process *out)
{
	struct pp_process process = { 0 };

	if (inode == 0)
		return false;
	pp_processes_of_sockets(&inode, 1, &process);
	if (process.pid == 0)
		return false;
	*out = process;
	return true;
}

void pp_socket_holder(const struct pp_socket *socket, char *out, size_t size)
{
	struct pp_process process;

	if (socket->inode == 0)
		snprintf(out, size, "the kernel");
	else if (pp_process_of_socket(socket->inode, &process))
		snprintf(out, size, "%s (pid %d)", process.name, (int)process.pid);
	else /* the kernel's own sockets, WireGuard's for one, mostly have an inode too, and are root's */
		snprintf(out, size, "a process of uid %u that cannot be seen from here%s", socket->uid,
			 socket->uid == 0 ? ", or the kernel" : "");
}

uint64_t pp_process_start(pid_t pid)
{
	int proc = open("/proc", O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	bool is_read;
	char stat[512], *at;

	if (proc < 0)
		return 0;
	is_read = pp_proc_read(proc, pid, "stat", stat, sizeof(stat));
	close(proc);
	at = is_read ? strrchr(stat, ')') : NULL; /* its name, before, may have anything in it */
	for (int field = 2; at && field < 22; field++)
		at = strchr(at + 1, ' ');
	return at ? strtoull(at, NULL, 10) : 0;
}
