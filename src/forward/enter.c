/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/enter.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

static int fail_open(struct pp_error *err, pid_t pid, const char *shown, int code)
{
	if (pid && (code == ENOENT || code == ESRCH))
		return pp_fail(err, ESRCH, "there is no process %d", (int)pid);
	if (pid && code == EACCES)
		return pp_fail(err, EPERM, "may not look at the network namespace of process %d", (int)pid);
	return pp_fail(err, code == EACCES ? EPERM : code, "%s: %s", shown, strerror(code));
}

/* What is forwarded from our own namespace to our own address would come back to us, and again. */
static bool is_own(int netns)
{
	struct stat theirs, own;

	return fstat(netns, &theirs) == 0 && stat("/proc/thread-self/ns/net", &own) == 0 &&
	       theirs.st_ino == own.st_ino && theirs.st_dev == own.st_dev;
}

int pp_door_open(pid_t pid, const char *path, struct pp_door *out, struct pp_error *err)
{
	char by_pid[64], shown[128];
	int netns;

	if (pid) {
		snprintf(by_pid, sizeof(by_pid), "/proc/%d/ns/net", (int)pid);
		path = by_pid;
	}
	pp_show(shown, sizeof(shown), path, strlen(path));
	/* O_NONBLOCK: a path may name a FIFO, too. */
	netns = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (netns < 0)
		return fail_open(err, pid, shown, errno);
	if (ioctl(netns, NS_GET_NSTYPE) != CLONE_NEWNET) {
		close(netns);
		return pp_fail(err, EINVAL, "%s is no network namespace", shown);
	}
	if (is_own(netns)) {
		close(netns);
		return pp_fail(err, EINVAL, "%s is this host's own network namespace: no container", shown);
	}
	*out = (struct pp_door){ netns, ioctl(netns, NS_GET_USERNS) };
	return 0;
}

void pp_door_close(struct pp_door *door)
{
	if (door->netns >= 0)
		close(door->netns);
	if (door->userns >= 0)
		close(door->userns);
	*door = PP_DOOR_INIT;
}

int pp_door_enter(const struct pp_door *door, struct pp_error *err)
{
	int code;

	if (setns(door->netns, CLONE_NEWNET) == 0)
		return 0;
	code = errno;
	if (code == EPERM && door->userns >= 0 && setns(door->userns, CLONE_NEWUSER) == 0 &&
	    setns(door->netns, CLONE_NEWNET) == 0)
		return 0;
	if (code == EPERM)
		return pp_fail(
			err, EPERM,
			"may not go into the container's network namespace: only root may, and who has "
			"made it in a user namespace of their own");
	return pp_fail(err, code, "cannot go into the container's network namespace: %s", strerror(code));
}
