/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Processes, as /proc shows them. They come and go while one looks: nothing that is missing is an error. */
#ifndef PORTPUB_KERNEL_PROC_H
#define PORTPUB_KERNEL_PROC_H

#include <dirent.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

enum { PP_PROC_NAME = 64 }; /* fifteen bytes, each shown in four columns at most */

/* The next process of an open /proc, in the order of the pids; false at the end. */
bool pp_proc_next(DIR *proc, pid_t *pid);

/* /proc/PID/@file opened for reading, or -1 with errno. @proc is a descriptor of /proc. */
int pp_proc_open(int proc, pid_t pid, const char *file, int flags);

/* The beginning of /proc/PID/@file as a string; false where there is nothing to read. */
bool pp_proc_read(int proc, pid_t pid, const char *file, char *out, size_t size);

/* What the process calls itself, printable. */
bool pp_proc_name(int proc, pid_t pid, char out[static PP_PROC_NAME]);

#endif
