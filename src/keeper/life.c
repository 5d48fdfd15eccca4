/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A container that is named by a process ends with that process: its pidfd tells. One that is named by a path ends when
 * the path goes, since a socket inside, such as the keeper's own, keeps the namespace itself; the path of a process's
 * namespace is that process.
 */
#include "life.h"

#include "portpub/process.h"

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/syscall.h>
#include <sys/timerfd.h>
#include <unistd.h>

static struct life *of_process(struct pp_event *event)
{
	return container_of(event, struct life, process);
}

static void process_ended(struct pp_event *event, uint32_t events)
{
	(void)events;
	of_process(event)->loop->ended = true;
}

static void lease_ended(struct pp_event *event, uint32_t events)
{
	(void)events;
	container_of(event, struct life, lease)->loop->ended = true;
}

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static bool is_gone(const char *path)
{
	return access(path, F_OK) < 0 && (errno == ENOENT || errno == ENOTDIR);
}

/* Something has gone from the directory, or more than the kernel could tell: is it what we look for? */
static bool says_gone(const struct life *life, const struct inotify_event *event)
{
	if (event->mask & IN_Q_OVERFLOW)
		return is_gone(life->path);
	return event->mask & (IN_IGNORED | IN_MOVE_SELF) ||
	       (event->len && strcmp(event->name, name_of(life->path)) == 0);
}

static void netns_changed(struct pp_event *event, uint32_t events)
{
	struct life *life = container_of(event, struct life, netns);
	union {
		struct inotify_event first;
		char bytes[sizeof(struct inotify_event) + NAME_MAX + 1];
	} buffer;
	ssize_t len = read(event->fd, &buffer, sizeof(buffer));

	(void)events;
	for (ssize_t at = 0; at < len;) {
		const struct inotify_event *one = (const void *)(buffer.bytes + at);

		if (says_gone(life, one))
			life->loop->ended = true;
		at += (ssize_t)(sizeof(*one) + one->len);
	}
}

static int watch(struct life *life, struct pp_event *event, struct pp_error *err)
{
	int ret = pp_loop_watch(life->loop, event, EPOLLIN);

	return ret < 0 ? pp_fail(err, -ret, "cannot watch the container: %s", strerror(-ret)) : 0;
}

static int fail_gone(struct pp_error *err)
{
	return pp_fail(err, ESRCH, "the container has ended");
}

static int watch_process(struct life *life, pid_t pid, uint64_t start, struct pp_error *err)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return errno == ESRCH ? fail_gone(err)
				      : pp_fail(err, errno, "cannot watch process %d: %s", (int)pid,
						strerror(errno));
	life->process = (struct pp_event){ process_ended, fd };
	if (start && pp_process_start(pid) != start) /* another one has its number */
		return fail_gone(err);
	return watch(life, &life->process, err);
}

/* Whose end is that of @path, or 0; *@is_its: it is a namespace of that process, and no file that it sees. */
static pid_t process_of(const char *path, bool *is_its)
{
	static const char proc[] = "/proc/";
	char *end;
	long pid;

	*is_its = false;
	if (strncmp(path, proc, sizeof(proc) - 1) != 0)
		return 0;
	pid = strtol(path + sizeof(proc) - 1, &end, 10);
	if (*end != '/' || pid <= 0 || pid > INT_MAX)
		return 0;
	*is_its = strncmp(end, "/ns/", strlen("/ns/")) == 0 || strncmp(end, "/task/", strlen("/task/")) == 0;
	return (pid_t)pid;
}

static int watch_path(struct life *life, const char *path, struct pp_error *err)
{
	char *copy = strdup(path), *dir = copy ? dirname(copy) : NULL;
	int ret = 0;

	life->path = strdup(path);
	life->netns = (struct pp_event){ netns_changed, inotify_init1(IN_NONBLOCK | IN_CLOEXEC) };
	if (!copy || !life->path)
		ret = pp_fail(err, ENOMEM, "out of memory");
	else if (life->netns.fd < 0 || inotify_add_watch(life->netns.fd, dir,
							 IN_DELETE | IN_MOVED_FROM | IN_DELETE_SELF |
								 IN_MOVE_SELF | IN_ONLYDIR) < 0)
		ret = errno == ENOENT ? fail_gone(err)
				      : pp_fail(err, errno, "cannot watch %s: %s", dir, strerror(errno));
	free(copy);
	if (ret == 0 && access(path, F_OK) < 0)
		ret = fail_gone(err);
	return ret < 0 ? ret : watch(life, &life->netns, err);
}

static int watch_lease(struct life *life, int64_t expires, struct pp_error *err)
{
	struct itimerspec once = { .it_value = { .tv_sec = expires } };

	life->lease = (struct pp_event){ lease_ended,
					 timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC) };
	if (life->lease.fd < 0 || timerfd_settime(life->lease.fd, TFD_TIMER_ABSTIME, &once, NULL) < 0)
		return pp_fail(err, errno, "cannot wait for the end of the lease: %s", strerror(errno));
	return watch(life, &life->lease, err);
}

int life_begin(struct life *life, struct pp_loop *loop, const struct pp_record *record, struct pp_error *err)
{
	bool is_its = true;
	pid_t pid = record->netns ? process_of(record->netns, &is_its) : (pid_t)record->pid;
	int ret = 0;

	*life = (struct life){ .loop = loop, .process.fd = -1, .netns.fd = -1, .lease.fd = -1 };
	if (pid)
		ret = watch_process(life, pid, record->pid_start, err);
	if (ret == 0 && record->netns && !is_its)
		ret = watch_path(life, record->netns, err);
	if (ret == 0 && record->expires)
		ret = watch_lease(life, record->expires, err);
	if (ret < 0)
		life_end(life);
	return ret;
}

void life_end(struct life *life)
{
	struct pp_event *events[] = { &life->process, &life->netns, &life->lease };

	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		if (events[i]->fd >= 0)
			close(events[i]->fd);
		events[i]->fd = -1;
	}
	free(life->path);
	life->path = NULL;
}
