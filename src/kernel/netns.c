/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "netns.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <string.h>
#include <unistd.h>

/*
 * Going away takes CAP_SYS_ADMIN over the namespace one goes to, coming back over the one that is home. In a
 * user namespace whose network namespace is still the host's (podman unshare) one may go and not come back.
 * So the way home is tried first, from home.
 */
int pp_home_open(struct pp_home *home, struct pp_error *err)
{
	int fd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return pp_fail(err, errno, "cannot tell this host's network namespace: %s", strerror(errno));
	if (fstat(fd, &st) < 0) {
		int code = errno;

		close(fd);
		return pp_fail(err, code, "cannot tell this host's network namespace: %s", strerror(code));
	}
	*home = (struct pp_home){ fd, st.st_dev, st.st_ino, setns(fd, CLONE_NEWNET) < 0 ? errno : 0 };
	return 0;
}

void pp_home_close(struct pp_home *home)
{
	if (home->fd >= 0)
		close(home->fd);
	home->fd = -1;
}

int pp_home_leave(const struct pp_home *home, int netns)
{
	if (home->refused)
		return -home->refused;
	return setns(netns, CLONE_NEWNET) < 0 ? -errno : 0;
}

int pp_home_return(const struct pp_home *home, struct pp_error *err)
{
	if (setns(home->fd, CLONE_NEWNET) == 0)
		return 0;
	return pp_fail(err, EIO, "cannot come back from a container to this host's network namespace: %s",
		       strerror(errno));
}
