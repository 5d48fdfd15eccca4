/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/forwarder.h"

#include "tcp.h"
#include "udp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

enum { LOOK_MS = 20 };

enum phase {
	FORWARDING,
	FINISHING, /* nobody new; it ends when the last connection does */
	LEAVING,   /* the same, but at the deadline at last */
};

struct pp_forwarder {
	struct pp_loop loop;
	struct pp_limits limits;
	struct pp_counters *counters;
	struct pp_tcp tcp;
	struct pp_udp udp;
	struct pp_event signals;
	struct pp_queue draining; /* looked at now and then whether the last connection has ended */
	struct pp_timer timer;
	struct pp_ending ending;
	enum phase phase;
	uint64_t deadline; /* LEAVING */
	bool over;
};

static sigset_t our_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGUSR1);
	return set;
}

void pp_forwarder_block_signals(void)
{
	sigset_t set = our_signals();

	sigprocmask(SIG_BLOCK, &set, NULL);
}

static void look_expired(struct pp_timer *timer)
{
	struct pp_forwarder *forwarder = container_of(timer, struct pp_forwarder, timer);

	if (forwarder->tcp.count == 0 ||
	    (forwarder->phase == LEAVING && forwarder->loop.now >= forwarder->deadline))
		forwarder->loop.ended = true;
	else
		pp_timer_move(&forwarder->loop, timer, &forwarder->draining);
}

static void tell_ending(struct pp_forwarder *forwarder)
{
	if (forwarder->ending.begins)
		forwarder->ending.begins(forwarder->ending.data);
	forwarder->ending.begins = NULL;
}

static void finish(struct pp_forwarder *forwarder)
{
	tell_ending(forwarder);
	forwarder->phase = FINISHING;
	pp_tcp_drain(&forwarder->tcp);
	pp_udp_drain(&forwarder->udp);
	pp_timer_move(&forwarder->loop, &forwarder->timer, &forwarder->draining);
}

static void leave(struct pp_forwarder *forwarder)
{
	finish(forwarder);
	forwarder->phase = LEAVING;
	forwarder->deadline = forwarder->loop.now + (uint64_t)forwarder->ending.drain;
}

/* Another has its ports already, and its sockets: a datagram that is read here is lost to that. */
static void retire(struct pp_forwarder *forwarder)
{
	pp_udp_close(&forwarder->udp);
	forwarder->counters->retired = 1;
}

/* SIGUSR1 with a value is a command's. */
static void obey(struct pp_forwarder *forwarder, int what)
{
	if (what == PP_FORWARDER_RETIRE)
		retire(forwarder);
	if (what == PP_FORWARDER_END)
		forwarder->over = forwarder->loop.ended = true;
}

static void signalled(struct pp_event *event, uint32_t events)
{
	struct pp_forwarder *forwarder = container_of(event, struct pp_forwarder, signals);
	struct signalfd_siginfo info;

	(void)events;
	if (read(event->fd, &info, sizeof(info)) != (ssize_t)sizeof(info))
		return;
	if (info.ssi_signo != SIGUSR1 && (forwarder->ending.drain == 0 || forwarder->phase == LEAVING))
		forwarder->loop.ended = true;
	else if (info.ssi_signo != SIGUSR1)
		leave(forwarder);
	else if (forwarder->phase == FORWARDING)
		finish(forwarder);
	if (info.ssi_signo == SIGUSR1 && info.ssi_code == SI_QUEUE)
		obey(forwarder, info.ssi_int);
}

static int open_signals(struct pp_forwarder *forwarder, struct pp_error *err)
{
	sigset_t set = our_signals();
	int ret;

	forwarder->signals.ready = signalled;
	forwarder->signals.fd = signalfd(-1, &set, SFD_NONBLOCK | SFD_CLOEXEC);
	if (forwarder->signals.fd < 0)
		return pp_fail(err, errno, "cannot wait for signals: %s", strerror(errno));
	forwarder->loop.urgent = &forwarder->signals;
	ret = pp_loop_watch(&forwarder->loop, &forwarder->signals, EPOLLIN);
	return ret < 0 ? pp_fail(err, -ret, "cannot wait for signals: %s", strerror(-ret)) : 0;
}

static int open_parts(struct pp_forwarder *forwarder, struct pp_error *err)
{
	int ret = pp_loop_open(&forwarder->loop, err);

	if (ret == 0)
		ret = open_signals(forwarder, err);
	if (ret == 0)
		ret = pp_tcp_init(&forwarder->tcp, &forwarder->loop, &forwarder->limits, forwarder->counters,
				  err);
	if (ret == 0)
		ret = pp_udp_init(&forwarder->udp, &forwarder->loop, &forwarder->limits, forwarder->counters,
				  err);
	return ret;
}

int pp_forwarder_new(const struct pp_limits *limits, struct pp_counters *counters, struct pp_forwarder **out,
		     struct pp_error *err)
{
	struct pp_forwarder *forwarder = calloc(1, sizeof(*forwarder));
	int ret;

	if (!forwarder)
		return pp_fail(err, ENOMEM, "out of memory");
	forwarder->loop = PP_LOOP_INIT;
	forwarder->signals.fd = -1;
	forwarder->limits = *limits;
	forwarder->counters = counters;
	ret = open_parts(forwarder, err);
	if (ret < 0) {
		pp_forwarder_free(forwarder);
		return ret;
	}
	pp_loop_add_queue(&forwarder->loop, &forwarder->draining, LOOK_MS, look_expired);
	*out = forwarder;
	return 0;
}

void pp_forwarder_free(struct pp_forwarder *forwarder)
{
	if (!forwarder)
		return;
	pp_udp_fini(&forwarder->udp);
	pp_tcp_fini(&forwarder->tcp);
	forwarder->counters->retired = 1;
	if (forwarder->signals.fd >= 0)
		close(forwarder->signals.fd);
	pp_loop_close(&forwarder->loop);
	free(forwarder);
}

struct pp_loop *pp_forwarder_loop(struct pp_forwarder *forwarder)
{
	return &forwarder->loop;
}

static int option(int fd, int name)
{
	int value = -1;
	socklen_t length = sizeof(value);

	return getsockopt(fd, SOL_SOCKET, name, &value, &length) < 0 ? -1 : value;
}

static bool is_of(int fd, enum pp_protocol protocol)
{
	static const int numbers[] = {
		[PP_TCP] = IPPROTO_TCP, [PP_UDP] = IPPROTO_UDP, [PP_SCTP] = IPPROTO_SCTP
	};
	int family = option(fd, SO_DOMAIN), number = option(fd, SO_PROTOCOL);

	if (number == IPPROTO_MPTCP) /* as Go opens them, from 1.24 on: TCP to whoever knows no better */
		number = IPPROTO_TCP;
	return number == numbers[protocol] && (family == AF_INET || family == AF_INET6) &&
	       (protocol == PP_UDP || option(fd, SO_ACCEPTCONN) == 1);
}

static struct pp_endpoint end_for(const struct pp_target *target, sa_family_t client, uint16_t port)
{
	const struct pp_address *address = pp_target_of(target, client);

	if (address->family == AF_UNSPEC)
		address = pp_target_of(target, client == AF_INET ? AF_INET6 : AF_INET);
	return pp_endpoint_make(address, port);
}

static int add(struct pp_forwarder *forwarder, int socket, enum pp_protocol protocol,
	       const struct pp_destination *to, struct pp_error *err)
{
	if (!is_of(socket, protocol))
		return pp_fail(err, EINVAL, "descriptor %d is not a %s socket%s", socket,
			       pp_protocol_name(protocol), protocol == PP_UDP ? "" : " that listens");
	if (fcntl(socket, F_SETFL, O_NONBLOCK) < 0 || fcntl(socket, F_SETFD, FD_CLOEXEC) < 0)
		return pp_fail(err, errno, "descriptor %d: %s", socket, strerror(errno));
	if (protocol == PP_UDP)
		return pp_udp_add(&forwarder->udp, socket, to, err);
	return pp_tcp_add(&forwarder->tcp, socket, protocol, to, err);
}

int pp_forwarder_add(struct pp_forwarder *forwarder, int socket, enum pp_protocol protocol,
		     const struct pp_target *target, uint16_t port, struct pp_error *err)
{
	struct pp_destination to = { .of = { end_for(target, AF_INET, port),
					     end_for(target, AF_INET6, port) } };

	return add(forwarder, socket, protocol, &to, err);
}

int pp_forwarder_refuse(struct pp_forwarder *forwarder, int socket, enum pp_protocol protocol,
			struct pp_error *err)
{
	const struct pp_destination nowhere = { 0 };

	return add(forwarder, socket, protocol, &nowhere, err);
}

int pp_forwarder_run(struct pp_forwarder *forwarder, const struct pp_ending *ending, struct pp_error *err)
{
	int ret;

	signal(SIGPIPE, SIG_IGN); /* of splice, which has no flag against it */
	forwarder->ending = *ending;
	ret = pp_loop_run(&forwarder->loop, err);
	tell_ending(forwarder);
	return ret;
}

bool pp_forwarder_is_over(const struct pp_forwarder *forwarder)
{
	return forwarder->over;
}
