/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pipes.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

enum {
	SPARE = 8,
	SIZE = 1 << 20,
	SIZE_LEAST = 1 << 16, /* of the default: a copy is cheaper than to splice a page or two at a time */
	PATIENCE = 256,
};

static void destroy(struct pp_pipe *pipe)
{
	close(pipe->fds[0]);
	close(pipe->fds[1]);
	free(pipe);
}

/*
 * A user with more pipes than fs.pipe-user-pages-soft allows, in all processes, and without CAP_SYS_RESOURCE, gets
 * pipes of a page or two.
 */
static bool is_large(int fd)
{
	return fcntl(fd, F_SETPIPE_SZ, SIZE) >= SIZE_LEAST || fcntl(fd, F_GETPIPE_SZ) >= SIZE_LEAST;
}

static struct pp_pipe *make(void)
{
	struct pp_pipe *pipe = malloc(sizeof(*pipe));

	if (pipe && pipe2(pipe->fds, O_NONBLOCK | O_CLOEXEC) < 0) {
		free(pipe);
		return NULL;
	}
	if (pipe && !is_large(pipe->fds[1])) {
		destroy(pipe);
		return NULL;
	}
	return pipe;
}

struct pp_pipe *pp_pipes_get(struct pp_pipes *pipes)
{
	struct pp_pipe *pipe = pipes->spare;

	if (pipe) {
		pipes->spare = pipe->next;
		pipes->count--;
		return pipe;
	}
	if (pipes->refused > 0) {
		pipes->refused--;
		return NULL;
	}
	pipe = make();
	if (!pipe)
		pipes->refused = PATIENCE;
	return pipe;
}

void pp_pipes_put(struct pp_pipes *pipes, struct pp_pipe *pipe, size_t bytes)
{
	if (!pipe)
		return;
	if (bytes || pipes->count == SPARE) {
		destroy(pipe);
		return;
	}
	pipe->next = pipes->spare;
	pipes->spare = pipe;
	pipes->count++;
}

void pp_pipes_fini(struct pp_pipes *pipes)
{
	while (pipes->spare) {
		struct pp_pipe *pipe = pipes->spare;

		pipes->spare = pipe->next;
		destroy(pipe);
	}
	*pipes = PP_PIPES_INIT;
}
