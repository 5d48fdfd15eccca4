/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Each way is moved by itself, from one socket to the other, until the one has nothing more to say or the
 * other takes no more; epoll is edge-triggered, so what it told is remembered in `readable` and `writable` until a
 * system call says otherwise. Reading less than was asked for says so, too: the next byte, or the end, is a
 * new edge, unless the end has been told already.
 *
 * Small messages are read into one buffer that all connections share, and written from it: two system calls.
 * What fills the buffer is bulk, and goes on by splice, through a pipe, without a copy, until the socket is
 * drained; splicing small messages would take two more calls each. What the other side does not take stays
 * in the pipe, or in memory of just its size; nothing more is read from this side then, so that the kernel
 * slows down whoever sends. A connection where nothing is on its way has neither pipe nor memory.
 *
 * The end of what one side says is passed on when all of it has arrived, and the other may go on speaking.
 *
 * An error tells which side has failed: nothing is sent to it any more. What it had said before is read to the
 * end and passed on all the same: a server that refuses an upload answers, and closes while its client still sends.
 * Then both are reset, so that nobody takes a part for the whole; a reset discards what the kernel has not sent
 * yet, so it waits until that is on its way.
 *
 * Reading ends early, too, at a byte that TCP calls urgent, and after each message of SCTP. Such a side is read
 * until there is nothing, and always by copying: splice may take urgent data for the end. An urgent byte goes on
 * as any other.
 *
 * One way that moves TURN bytes lets others have theirs; changing nothing in what epoll looks for makes it
 * tell again what is true.
 */
#include "stream.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
	BUFFER = 64 << 10,
	PIPEFUL = 1 << 20,
	TURN = 512 << 10,
};

int pp_mover_init(struct pp_mover *mover, struct pp_loop *loop, struct pp_counters *counters,
		  struct pp_error *err)
{
	/* Pages of its own: those that no message was long enough for are never there. */
	void *buffer = mmap(NULL, BUFFER, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (buffer == MAP_FAILED)
		return pp_fail(err, ENOMEM, "out of memory");
	*mover = (struct pp_mover){ .loop = loop, .counters = counters, .buffer = buffer };
	return 0;
}

void pp_mover_fini(struct pp_mover *mover)
{
	if (mover->buffer)
		munmap(mover->buffer, BUFFER);
	pp_pipes_fini(&mover->pipes);
	mover->buffer = NULL;
}

void pp_side_note(struct pp_side *side, uint32_t events)
{
	if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		side->readable = true;
	if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
		side->ending = true;
	if (events & EPOLLPRI)
		side->in_pieces = true;
	if (events & EPOLLERR)
		side->failed = true;
	if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
		side->writable = true;
}

static void wait_to_write(struct pp_mover *mover, struct pp_side *side)
{
	side->writable = false;
	if (!side->waits_to_write)
		side->waits_to_write = pp_loop_change(mover->loop, &side->event,
						      PP_STREAM_EVENTS | EPOLLOUT) == 0;
}

static void flush(struct pp_mover *mover, struct pp_side *from, struct pp_side *to)
{
	while (from->held && to->writable) {
		ssize_t n = from->pipe ? splice(from->pipe->fds[0], NULL, to->event.fd, NULL, from->held,
						SPLICE_F_MOVE | SPLICE_F_NONBLOCK)
				       : send(to->event.fd, from->rest + from->at, from->held,
					      MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0) {
			to->failed = n < 0 && errno != EAGAIN;
			wait_to_write(mover, to);
			return;
		}
		from->held -= (uint32_t)n;
		from->at += (uint32_t)n;
	}
	if (from->held == 0) {
		free(from->rest);
		from->rest = NULL;
	}
}

/* What @from said stands in the buffer: pass it on, and keep what is not taken. */
static void pass(struct pp_mover *mover, struct pp_side *from, struct pp_side *to, size_t count)
{
	ssize_t sent = send(to->event.fd, mover->buffer, count, MSG_DONTWAIT | MSG_NOSIGNAL);

	if (sent < 0 && errno != EAGAIN && errno != EINTR) {
		to->failed = true;
		return;
	}
	if (sent < 0)
		sent = 0;
	if ((size_t)sent == count)
		return;
	from->rest = malloc(count - (size_t)sent);
	if (!from->rest) {
		from->failed = to->failed = true;
		return;
	}
	from->held = (uint32_t)(count - (size_t)sent);
	from->at = 0;
	memcpy(from->rest, mover->buffer + sent, from->held);
	wait_to_write(mover, to);
}

static void put_pipe(struct pp_mover *mover, struct pp_side *side)
{
	pp_pipes_put(&mover->pipes, side->pipe, side->held);
	side->pipe = NULL;
}

static void drop(struct pp_mover *mover, struct pp_side *side)
{
	put_pipe(mover, side);
	free(side->rest);
	side->rest = NULL;
	side->held = 0;
}

/* A turn of one way by copying; the bytes read, 0 at the end of what there is, or -errno. */
static ssize_t copy(struct pp_mover *mover, struct pp_side *from, struct pp_side *to)
{
	ssize_t count = recv(from->event.fd, mover->buffer, BUFFER, MSG_DONTWAIT);

	if (count < 0)
		return -errno;
	if (count < BUFFER && !from->ending && !from->in_pieces)
		from->readable = false;
	from->bulk = count == BUFFER && !from->in_pieces;
	if (count > 0)
		pass(mover, from, to, (size_t)count);
	return count;
}

static ssize_t move(struct pp_mover *mover, struct pp_side *from, struct pp_side *to)
{
	ssize_t count = splice(from->event.fd, NULL, from->pipe->fds[1], NULL, PIPEFUL,
			       SPLICE_F_MOVE | SPLICE_F_NONBLOCK);

	if (count < 0)
		return -errno;
	from->held = (uint32_t)count;
	flush(mover, from, to);
	return count;
}

/* By which road @from is read next; nothing is on its way. */
static void choose(struct pp_mover *mover, struct pp_side *from)
{
	if (from->in_pieces)
		from->bulk = false;
	if (!from->bulk)
		put_pipe(mover, from);
	else if (!from->pipe)
		from->pipe = pp_pipes_get(&mover->pipes);
}

/* As far as this way gets now; which side fails is told by it. */
static void shovel(struct pp_mover *mover, struct pp_side *from, struct pp_side *to, uint64_t *bytes)
{
	size_t moved = 0;

	while (moved < TURN) {
		ssize_t count;

		if (from->held)
			flush(mover, from, to);
		if (from->held || !from->readable || from->ended || to->failed)
			return;
		choose(mover, from);
		count = from->pipe ? move(mover, from, to) : copy(mover, from, to);
		if (count > 0) {
			moved += (size_t)count;
			*bytes += (size_t)count;
			continue;
		}
		if (count == -EINTR)
			continue;
		if (count == 0 && from->pipe) { /* so says splice: see what recv says */
			from->bulk = false;
			continue;
		}
		from->failed |= count < 0 && count != -EAGAIN;
		from->cut = count < 0 && from->failed;
		from->ended = count == 0 || from->failed;
		from->readable = false;
		from->bulk = false;
	}
	/* Others first: what there is, the loop tells again. */
	(void)pp_loop_change(mover->loop, &from->event,
			     PP_STREAM_EVENTS | (from->waits_to_write ? EPOLLOUT : 0U));
}

/* All that @from has said has arrived, or nothing more of it does. */
static bool is_over(const struct pp_side *from)
{
	return from->ended && from->held == 0;
}

static void carry(struct pp_mover *mover, struct pp_side *from, struct pp_side *to, uint64_t *bytes)
{
	if (!to->failed)
		shovel(mover, from, to, bytes);
	if (to->failed && !is_over(from)) {
		drop(mover, from);
		from->ended = from->cut = true;
	}
	if (from->pipe && from->held == 0 && !from->bulk)
		put_pipe(mover, from);
}

/* Nothing is left of what we have sent to @side, so that a reset comes after it; or else the loop tells when. */
static bool has_left(struct pp_mover *mover, struct pp_side *side)
{
	int unsent = 0, none = 1;

	if (ioctl(side->event.fd, SIOCOUTQNSD, &unsent) < 0 || unsent == 0)
		return true;
	(void)setsockopt(side->event.fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &none, sizeof(none));
	(void)pp_loop_change(mover->loop, &side->event, PP_STREAM_EVENTS | EPOLLOUT);
	return false;
}

/* One side has failed: the other gets what that one had said before. */
static enum pp_stream_state end_broken(struct pp_stream *stream, struct pp_mover *mover)
{
	for (int i = 0; i < 2; i++) {
		const struct pp_side *from = &stream->sides[i];
		struct pp_side *to = &stream->sides[!i];

		if (!to->failed && (!is_over(from) || !has_left(mover, to)))
			return PP_STREAM_HALF_OPEN;
	}
	return PP_STREAM_BROKEN;
}

enum pp_stream_state pp_stream_step(struct pp_stream *stream, struct pp_mover *mover)
{
	struct pp_side *sides = stream->sides;

	for (int i = 0; i < 2; i++)
		carry(mover, &sides[i], &sides[!i], &mover->counters->bytes[i]);
	if (is_over(&sides[0]) && is_over(&sides[1]) && !sides[0].cut && !sides[1].cut)
		return PP_STREAM_DONE;
	if (sides[0].failed || sides[1].failed)
		return end_broken(stream, mover);
	for (int i = 0; i < 2; i++) {
		if (!is_over(&sides[i]) || sides[i].passed)
			continue;
		/* Where the other has failed meanwhile, the loop tells. */
		(void)shutdown(sides[!i].event.fd, SHUT_WR);
		sides[i].passed = true;
	}
	return sides[0].ended || sides[1].ended ? PP_STREAM_HALF_OPEN : PP_STREAM_OPEN;
}

void pp_stream_close(struct pp_stream *stream, struct pp_mover *mover, bool reset)
{
	static const struct linger at_once = { .l_onoff = 1, .l_linger = 0 };

	for (int i = 0; i < 2; i++) {
		struct pp_side *side = &stream->sides[i];

		if (side->event.fd >= 0 && reset)
			(void)setsockopt(side->event.fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
		pp_loop_close_event(mover->loop, &side->event);
		drop(mover, side);
	}
}
