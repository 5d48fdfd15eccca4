/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/watch.h"

#include "guard.h"
#include "portpub/notify.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

struct watch {
	struct pp_loop loop;
	struct pp_event signals;
	struct guard guard;
	bool ready;  /* it has been told */
	int manager; /* or -1: see pp_notify_open */
};

static void settled(void *data)
{
	struct watch *watch = data;

	if (!watch->ready)
		pp_notify(watch->manager, "READY=1");
	watch->ready = true;
}

static void signalled(struct pp_event *event, uint32_t events)
{
	(void)events;
	container_of(event, struct watch, signals)->loop.ended = true;
}

static int open_signals(struct watch *watch, struct pp_error *err)
{
	sigset_t set;
	int ret;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigprocmask(SIG_BLOCK, &set, NULL);
	watch->signals = (struct pp_event){ signalled, signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK) };
	ret = watch->signals.fd < 0 ? -errno : pp_loop_watch(&watch->loop, &watch->signals, EPOLLIN);
	return ret < 0 ? pp_fail(err, -ret, "cannot wait for signals: %s", strerror(-ret)) : 0;
}

static int run(struct watch *watch, const struct guard_master *master, struct pp_error *err)
{
	int ret = guard_open(&watch->guard, &watch->loop, master, true, err);

	if (ret < 0)
		return ret;
	ret = pp_loop_run(&watch->loop, err);
	pp_notify(watch->manager, "STOPPING=1");
	guard_close(&watch->guard);
	return ret;
}

int pp_watch(const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err)
{
	struct watch watch = { .loop = PP_LOOP_INIT, .signals.fd = -1, .manager = pp_notify_open() };
	struct guard_master master = {
		.report = report, .keeping = keeping, .settled = settled, .data = &watch
	};
	int ret = pp_loop_open(&watch.loop, err);

	if (ret == 0)
		ret = open_signals(&watch, err);
	if (ret == 0)
		ret = run(&watch, &master, err);
	if (watch.signals.fd >= 0)
		close(watch.signals.fd);
	if (watch.manager >= 0)
		close(watch.manager);
	pp_loop_close(&watch.loop);
	return ret;
}
