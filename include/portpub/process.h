/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which process has a socket, as far as the caller may see. */
#ifndef PORTPUB_PROCESS_H
#define PORTPUB_PROCESS_H

#include "portpub/socket.h"

#include <sys/types.h>

struct pp_process {
	pid_t pid;     /* of several that share the socket, the lowest */
	char name[64]; /* printable */
};

/* Fill @out by one walk over /proc, for @count inodes at once; pid 0 where no process can be seen. */
void pp_processes_of_sockets(const uint32_t *inodes, size_t count, struct pp_process *out);

/* The same for one; false where none can be seen. */
bool pp_process_of_socket(uint32_t inode, struct pp_process *out);

/* When the process began, in the kernel's own ticks: another one with the same pid has another. 0: not known. */
uint64_t pp_process_start(pid_t pid);

enum { PP_HOLDER_TEXT = 96 };

/*
 * Who has the socket, in words: "nginx (pid 811)", "the kernel", or "a process of uid 33 that cannot be
 * seen from here". PP_HOLDER_TEXT bytes always do.
 */
void pp_socket_holder(const struct pp_socket *socket, char *out, size_t size);

#endif
