/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Pipes, for what the kernel moves from socket to socket without a copy. A connection has one while it needs it. */
#ifndef PORTPUB_FORWARD_PIPES_H
#define PORTPUB_FORWARD_PIPES_H

#include <stddef.h>

struct pp_pipe {
	int fds[2]; /* read from [0], written to [1] */
	struct pp_pipe *next;
};

struct pp_pipes {
	struct pp_pipe *spare;
	size_t count;         /* of these */
	unsigned int refused; /* so often it is no use to ask for another */
};

#define PP_PIPES_INIT ((struct pp_pipes){ 0 })

/* An empty pipe; NULL where there is no descriptor or no memory for one, or it would be too small to be of use. */
struct pp_pipe *pp_pipes_get(struct pp_pipes *pipes);
/* @bytes are left in it, and are lost. NULL is allowed. */
void pp_pipes_put(struct pp_pipes *pipes, struct pp_pipe *pipe, size_t bytes);
/* Close what is spare. */
void pp_pipes_fini(struct pp_pipes *pipes);

#endif
