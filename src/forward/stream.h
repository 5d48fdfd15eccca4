/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two connected sockets, and what one says carried to the other. */
#ifndef PORTPUB_FORWARD_STREAM_H
#define PORTPUB_FORWARD_STREAM_H

#include "portpub/loop.h"
#include "pipes.h"
#include "portpub/counters.h"

struct pp_side {
	struct pp_event event;
	struct pp_pipe *pipe; /* what this side has said and the other has not taken yet, or else in */
	char *rest;           /* memory */
	uint32_t at, held;    /* in it; `at` only in memory */
	bool readable, writable;
	bool waits_to_write; /* the loop looks for it */
	bool bulk;
	bool in_pieces; /* a short read does not mean that it has said no more */
	bool ending;    /* the loop has told of its end, which is still to be read */
	bool failed;    /* it takes nothing more; what it has said before may still be read */
	bool ended;     /* nothing more is read from it: it has said its last word */
	bool cut;       /* or else not all of it has arrived, nor will it */
	bool passed;    /* and the other side has been told */
};

struct pp_stream {
	struct pp_side sides[2]; /* the client, the container */
};

/* What all streams share. */
struct pp_mover {
	struct pp_loop *loop;
	struct pp_counters *counters;
	struct pp_pipes pipes;
	char *buffer;
};

enum pp_stream_state {
	PP_STREAM_OPEN,
	PP_STREAM_HALF_OPEN, /* one side has said its last word, or is gone and the other has yet to take it */
	PP_STREAM_DONE,      /* both have, and all of it has arrived */
	PP_STREAM_BROKEN,    /* one side is gone, and the other has what it said */
};

/* What the loop is to look for in a socket that there is nothing to write to. */
enum { PP_STREAM_EVENTS = EPOLLIN | EPOLLPRI | EPOLLRDHUP | EPOLLET };

int pp_mover_init(struct pp_mover *mover, struct pp_loop *loop, struct pp_counters *counters,
		  struct pp_error *err);
void pp_mover_fini(struct pp_mover *mover);

/* Note what the loop has told of @side. */
void pp_side_note(struct pp_side *side, uint32_t events);

/* Move what can be moved now, both ways; the sockets are connected, and watched with PP_STREAM_EVENTS at least. */
enum pp_stream_state pp_stream_step(struct pp_stream *stream, struct pp_mover *mover);

/* Close both sockets. After @reset the peers see a reset, else the end of what was said. */
void pp_stream_close(struct pp_stream *stream, struct pp_mover *mover, bool reset);

#endif
