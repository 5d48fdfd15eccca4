/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the forwarder waits for: descriptors, and time.
 *
 * Everything that waits for time stands in a queue with others that wait equally long, so the first of each
 * queue is the next to be due, and entering, leaving and beginning anew cost a few words. A queue is also a
 * state: whoever moves something from one queue to another says what it is doing now, and what happens when
 * it does not get on.
 */
#ifndef PORTPUB_LOOP_H
#define PORTPUB_LOOP_H

#include "portpub/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/epoll.h>

/* Whoever has an event or a timer as a part of it. */
#define container_of(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

/* A descriptor; part of whatever it belongs to. */
struct pp_event {
	void (*ready)(struct pp_event *event, uint32_t events);
	int fd;
};

/* A place in a queue; part of whatever waits. */
struct pp_timer {
	struct pp_timer *prev, *next; /* NULL: in no queue */
	uint64_t since;               /* milliseconds */
};

enum { PP_FOREVER = -1 };

struct pp_queue {
	struct pp_timer head;
	int64_t patience;                        /* milliseconds, or PP_FOREVER */
	void (*expired)(struct pp_timer *timer); /* it is in no queue then */
	struct pp_queue *other;
};

struct pp_loop {
	int epoll;
	bool ended;
	uint64_t now; /* milliseconds of CLOCK_MONOTONIC, as of the last return from epoll_wait */
	struct pp_queue *queues;
	struct pp_event *urgent; /* asked every few milliseconds, whatever else there is to do; may be NULL */
};

#define PP_LOOP_INIT ((struct pp_loop){ .epoll = -1 })

/* `ready` of what has ended, and may be told of once more. */
void pp_event_ignore(struct pp_event *event, uint32_t events);

int pp_loop_open(struct pp_loop *loop, struct pp_error *err);
void pp_loop_close(struct pp_loop *loop);

/* @queue belongs to the loop as long as there is one. */
void pp_loop_add_queue(struct pp_loop *loop, struct pp_queue *queue, int64_t patience,
		       void (*expired)(struct pp_timer *timer));

/* At the end of @queue, out of whichever queue it was in. */
void pp_timer_move(struct pp_loop *loop, struct pp_timer *timer, struct pp_queue *queue);
void pp_timer_leave(struct pp_timer *timer);
/* The first of a queue is due now. */
void pp_timer_hurry(struct pp_timer *timer);

/* The one that has waited longest; NULL where nobody does. */
struct pp_timer *pp_queue_first(const struct pp_queue *queue);

/* -ENOMEM, -ENOSPC. */
int pp_loop_watch(struct pp_loop *loop, struct pp_event *event, uint32_t events);
/* Look for other events; what is true already is told again. */
int pp_loop_change(struct pp_loop *loop, struct pp_event *event, uint32_t events);

/*
 * Close the descriptor, if there is one, and be told of nothing more. Closing alone is not enough: where another process
 * has it, too, be it for a moment, what is watched is still there.
 */
void pp_loop_close_event(struct pp_loop *loop, struct pp_event *event);

/*
 * Call `ready` and `expired` until @loop->ended. Timers are seen to after the descriptors, so that what
 * waits in a queue of patience 0 outlives all events that were told together with its own.
 */
int pp_loop_run(struct pp_loop *loop, struct pp_error *err);

#endif
