/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "proc.h"

#include "portpub/error.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

bool pp_proc_next(DIR *proc, pid_t *pid)
{
	const struct dirent *entry;

	while ((entry = readdir(proc))) {
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9') {
			*pid = (pid_t)strtol(entry->d_name, NULL, 10);
			return true;
		}
	}
	return false;
}

int pp_proc_open(int proc, pid_t pid, const char *file, int flags)
{
	char path[64];

	snprintf(path, sizeof(path), "%d/%s", (int)pid, file);
	return openat(proc, path, flags | O_RDONLY | O_CLOEXEC);
}

bool pp_proc_read(int proc, pid_t pid, const char *file, char *out, size_t size)
{
	int fd = pp_proc_open(proc, pid, file, 0);
	size_t used = 0;
	ssize_t n = 1;

	if (fd < 0)
		return false;
	while (n > 0 && used < size - 1) {
		n = read(fd, out + used, size - 1 - used);
		if (n > 0)
			used += (size_t)n;
	}
	close(fd);
	out[used] = '\0';
	return used > 0;
}

bool pp_proc_name(int proc, pid_t pid, char out[static PP_PROC_NAME])
{
	char comm[32];

	if (!pp_proc_read(proc, pid, "comm", comm, sizeof(comm)))
		return false;
	pp_show(out, PP_PROC_NAME, comm, strcspn(comm, "\n"));
	return true;
}
