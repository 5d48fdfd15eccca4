/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/loop.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	EVENTS = 64, /* told at once */
	URGENT_MS = 4,
};

static uint64_t clock_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

void pp_event_ignore(struct pp_event *event, uint32_t events)
{
	(void)event;
	(void)events;
}

int pp_loop_open(struct pp_loop *loop, struct pp_error *err)
{
	int fd = epoll_create1(EPOLL_CLOEXEC);

	if (fd < 0)
		return pp_fail(err, errno, "cannot wait for connections: epoll: %s", strerror(errno));
	*loop = (struct pp_loop){ .epoll = fd, .now = clock_ms() };
	return 0;
}

void pp_loop_close(struct pp_loop *loop)
{
	if (loop->epoll >= 0)
		close(loop->epoll);
	*loop = PP_LOOP_INIT;
}

void pp_loop_add_queue(struct pp_loop *loop, struct pp_queue *queue, int64_t patience,
		       void (*expired)(struct pp_timer *timer))
{
	*queue = (struct pp_queue){ { &queue->head, &queue->head, 0 }, patience, expired, loop->queues };
	loop->queues = queue;
}

void pp_timer_leave(struct pp_timer *timer)
{
	if (!timer->next)
		return;
	timer->prev->next = timer->next;
	timer->next->prev = timer->prev;
	timer->prev = timer->next = NULL;
}

void pp_timer_move(struct pp_loop *loop, struct pp_timer *timer, struct pp_queue *queue)
{
	pp_timer_leave(timer);
	timer->since = loop->now;
	timer->prev = queue->head.prev;
	timer->next = &queue->head;
	timer->prev->next = timer;
	queue->head.prev = timer;
}

void pp_timer_hurry(struct pp_timer *timer)
{
	timer->since = 0;
}

struct pp_timer *pp_queue_first(const struct pp_queue *queue)
{
	return queue->head.next == &queue->head ? NULL : queue->head.next;
}

static int control(struct pp_loop *loop, int operation, struct pp_event *event, uint32_t events)
{
	struct epoll_event wanted = { .events = events, .data.ptr = event };

	return epoll_ctl(loop->epoll, operation, event->fd, &wanted) < 0 ? -errno : 0;
}

int pp_loop_watch(struct pp_loop *loop, struct pp_event *event, uint32_t events)
{
	return control(loop, EPOLL_CTL_ADD, event, events);
}

int pp_loop_change(struct pp_loop *loop, struct pp_event *event, uint32_t events)
{
	return control(loop, EPOLL_CTL_MOD, event, events);
}

void pp_loop_close_event(struct pp_loop *loop, struct pp_event *event)
{
	if (event->fd < 0)
		return;
	(void)control(loop, EPOLL_CTL_DEL, event, 0); /* it may not be watched yet */
	close(event->fd);
	event->fd = -1;
}

/* Milliseconds until the first timer of all is due; -1 where nobody waits for time. */
static int until_due(const struct pp_loop *loop)
{
	uint64_t soonest = INT_MAX;
	bool waits = false;

	for (const struct pp_queue *queue = loop->queues; queue; queue = queue->other) {
		const struct pp_timer *first = pp_queue_first(queue);
		uint64_t due;

		if (!first || queue->patience == PP_FOREVER)
			continue;
		due = first->since + (uint64_t)queue->patience;
		if (due <= loop->now)
			return 0;
		if (due - loop->now < soonest)
			soonest = due - loop->now;
		waits = true;
	}
	return waits ? (int)soonest : -1;
}

static void expire(struct pp_loop *loop, struct pp_queue *queue)
{
	struct pp_timer *first;

	while ((first = pp_queue_first(queue)) && queue->patience != PP_FOREVER &&
	       first->since + (uint64_t)queue->patience <= loop->now) {
		pp_timer_leave(first);
		queue->expired(first);
	}
}

static void dispatch(struct pp_loop *loop, const struct epoll_event *events, int count)
{
	uint64_t asked = loop->now, now;

	for (int i = 0; i < count && !loop->ended; i++) {
		struct pp_event *event = events[i].data.ptr;

		event->ready(event, events[i].events);
		now = clock_ms();
		if (loop->urgent && now - asked >= URGENT_MS) {
			loop->urgent->ready(loop->urgent, 0);
			asked = now;
		}
	}
}

int pp_loop_run(struct pp_loop *loop, struct pp_error *err)
{
	struct epoll_event events[EVENTS];

	while (!loop->ended) {
		int count = epoll_wait(loop->epoll, events, EVENTS, until_due(loop));

		if (count < 0 && errno != EINTR)
			return pp_fail(err, errno, "cannot wait for connections: epoll: %s", strerror(errno));
		loop->now = clock_ms();
		dispatch(loop, events, count);
		for (struct pp_queue *queue = loop->queues; queue; queue = queue->other)
			expire(loop, queue);
	}
	return 0;
}
