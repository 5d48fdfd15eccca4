/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Probes go in batches, each as long as the slowest of its probes and no longer than their time: open, in waves (the
 * sockets of a client outside are opened there, and polled from here), poll, close, and then ask conntrack where
 * each went. It knows only of packets that have left: a probe that it does not know was dropped before, by this
 * host. What it knows is forgotten at once, but for connections that were made: their resets may still be on their
 * way, and without its help would not find it. The kernel forgets them by itself in ten seconds.
 */
#include "portpub/probe.h"

#include "portpub/conntrack.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { BATCH = 800 /* below the usual limit of descriptors */, WAVE = 8, WAVE_MS = 4 };

union address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct batch {
	struct pp_probe *probes;
	size_t count;
	struct pollfd fds[BATCH]; /* fd -1: done */
};

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static socklen_t make_address(const struct pp_address *address, uint16_t port, union address *out)
{
	memset(out, 0, sizeof(*out));
	out->any.sa_family = address->family;
	if (address->family == AF_INET) {
		out->in.sin_port = htons(port);
		memcpy(&out->in.sin_addr, address->bytes, sizeof(out->in.sin_addr));
		return sizeof(out->in);
	}
	out->in6.sin6_port = htons(port);
	memcpy(&out->in6.sin6_addr, address->bytes, sizeof(out->in6.sin6_addr));
	return sizeof(out->in6);
}

static void read_own_address(int fd, struct pp_probe *probe)
{
	union address own = { .any = { .sa_family = AF_UNSPEC } };
	socklen_t size = sizeof(own);

	if (getsockname(fd, &own.any, &size) < 0)
		return;
	probe->from_port = ntohs(own.any.sa_family == AF_INET ? own.in.sin_port : own.in6.sin6_port);
	probe->from = pp_address_of_bytes(own.any.sa_family, own.any.sa_family == AF_INET
								     ? (const void *)&own.in.sin_addr
								     : (const void *)&own.in6.sin6_addr);
}

static void finish(struct pp_probe *probe, struct pollfd *fd, enum pp_probe_result result, int code)
{
	probe->result = result;
	probe->code = code;
	if (fd->fd >= 0)
		close(fd->fd);
	fd->fd = -1;
}

/* Where a connection ends in a reset, there is none that has to be waited out. */
static int open_socket(const struct pp_probe *probe)
{
	static const struct linger reset = { .l_onoff = 1 };
	bool udp = probe->protocol == PP_UDP;
	int fd = socket(probe->to.family, (udp ? SOCK_DGRAM : SOCK_STREAM) | SOCK_NONBLOCK | SOCK_CLOEXEC,
			probe->protocol == PP_SCTP ? IPPROTO_SCTP : 0);

	if (fd >= 0 && !udp)
		setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof(reset));
	return fd;
}

static void start(struct pp_probe *probe, struct pollfd *fd)
{
	union address to;
	socklen_t size = make_address(&probe->to, probe->port, &to);
	bool udp = probe->protocol == PP_UDP;

	fd->fd = open_socket(probe);
	fd->events = udp ? POLLIN : POLLOUT;
	probe->result = PP_PROBE_SILENT;
	if (fd->fd < 0) {
		finish(probe, fd, PP_PROBE_UNTRIED, errno);
		return;
	}
	if (connect(fd->fd, &to.any, size) < 0 && errno != EINPROGRESS) {
		finish(probe, fd, PP_PROBE_FAILED, errno);
		return;
	}
	read_own_address(fd->fd, probe);
	if (udp && send(fd->fd, "", 0, 0) < 0)
		finish(probe, fd, PP_PROBE_FAILED, errno);
}

static void look(struct pp_probe *probe, struct pollfd *fd)
{
	int code = 0;
	socklen_t size = sizeof(code);
	char byte;

	if (!fd->revents)
		return;
	if (probe->protocol == PP_UDP)
		code = recv(fd->fd, &byte, sizeof(byte), MSG_DONTWAIT) < 0 ? errno : 0;
	else if (getsockopt(fd->fd, SOL_SOCKET, SO_ERROR, &code, &size) < 0)
		code = errno;
	if (code != EAGAIN)
		finish(probe, fd, code ? PP_PROBE_FAILED : PP_PROBE_ANSWERED, code);
}

/* How long it is until the next probe has waited long enough; those that have are silent. -1: none is left. */
static int64_t time_left(struct batch *batch, int64_t waited)
{
	int64_t least = -1;

	for (size_t i = 0; i < batch->count; i++) {
		int64_t left = batch->probes[i].timeout_ms - waited;

		if (batch->fds[i].fd < 0)
			continue;
		if (left <= 0)
			finish(&batch->probes[i], &batch->fds[i], PP_PROBE_SILENT, 0);
		else if (least < 0 || left < least)
			least = left;
	}
	return least;
}

static void look_at_all(struct batch *batch, int wait_ms)
{
	if (poll(batch->fds, batch->count, wait_ms) <= 0)
		return;
	for (size_t i = 0; i < batch->count; i++) {
		if (batch->fds[i].fd >= 0)
			look(&batch->probes[i], &batch->fds[i]);
	}
}

static void wait_for_all(struct batch *batch)
{
	int64_t begun = now_ms(), left;

	while ((left = time_left(batch, now_ms() - begun)) > 0)
		look_at_all(batch, (int)left);
}

static bool is_of(const struct pp_flow *flow, const struct pp_probe *probe)
{
	return flow->source_port == probe->from_port && flow->port == probe->port &&
	       flow->protocol == probe->protocol && pp_address_compare(&flow->source, &probe->from) == 0 &&
	       pp_address_compare(&flow->destination, &probe->to) == 0;
}

static bool take_flow(const struct pp_flow *flow, void *data)
{
	struct batch *batch = data;

	for (size_t i = 0; i < batch->count; i++) {
		struct pp_probe *probe = &batch->probes[i];

		if (!is_of(flow, probe))
			continue;
		probe->answerer = flow->answerer;
		probe->answerer_port = flow->answerer_port;
		return probe->protocol == PP_UDP || probe->result != PP_PROBE_ANSWERED;
	}
	return false;
}

/* A busy host has many flows: of one port they are fewer. */
static void ask_conntrack(struct batch *batch)
{
	const struct pp_probe *first = &batch->probes[0];
	uint16_t port = first->port;
	struct pp_error ignored;

	for (size_t i = 1; i < batch->count; i++) {
		if (batch->probes[i].port != port || batch->probes[i].protocol != first->protocol)
			port = 0;
	}
	if (pp_conntrack_flush(AF_UNSPEC, first->protocol, port, take_flow, batch, NULL, &ignored) < 0)
		return;
	for (size_t i = 0; i < batch->count; i++)
		batch->probes[i].traced = true;
}

static bool is_open(const struct batch *batch, size_t from, size_t end)
{
	for (size_t i = from; i < end; i++) {
		if (batch->fds[i].fd >= 0)
			return true;
	}
	return false;
}

/*
 * The ports may be those of one server, which lets few wait, and what it drops is late by a second: each wave has a
 * moment to be answered before the next.
 */
static void start_those(struct batch *batch, bool outside)
{
	for (size_t from = 0; from < batch->count; from += WAVE) {
		size_t end = from + WAVE < batch->count ? from + WAVE : batch->count;
		int64_t begun = now_ms();

		for (size_t i = from; i < end; i++) {
			if (batch->probes[i].outside == outside)
				start(&batch->probes[i], &batch->fds[i]);
		}
		while (is_open(batch, from, end) && now_ms() - begun < WAVE_MS)
			look_at_all(batch, WAVE_MS);
	}
}

static int start_all(struct batch *batch, const struct pp_outside *outside, struct pp_error *err)
{
	int ret;

	for (size_t i = 0; i < batch->count; i++)
		batch->fds[i] = (struct pollfd){ .fd = -1 };
	start_those(batch, false);
	if (!outside)
		return 0;
	ret = pp_outside_enter(outside, err);
	if (ret < 0)
		return ret;
	start_those(batch, true);
	return pp_outside_leave(outside, err);
}

int pp_probes_run(struct pp_probe *probes, size_t count, const struct pp_outside *outside,
		  struct pp_error *err)
{
	int ret = 0;

	for (size_t at = 0; ret == 0 && at < count; at += BATCH) {
		struct batch batch = { .probes = probes + at,
				       .count = count - at < BATCH ? count - at : BATCH };

		ret = start_all(&batch, outside, err);
		if (ret == 0)
			wait_for_all(&batch);
		for (size_t i = 0; i < batch.count; i++) {
			if (batch.fds[i].fd >= 0)
				finish(&batch.probes[i], &batch.fds[i], PP_PROBE_SILENT, 0);
		}
		if (ret == 0)
			ask_conntrack(&batch);
	}
	return ret;
}
