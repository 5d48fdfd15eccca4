/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Processes are sorted by their network namespace (places.c); each namespace is then opened, entered and
 * read once (inside.c), whatever the number of its processes. Those end, and their pids are used again,
 * while one looks: the namespace that is opened is compared with the one that was seen.
 */
#include "portpub/container.h"

#include "inside.h"
#include "places.h"
#include "portpub/array.h"
#include "portpub/cgroup.h"
#include "proc.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/nsfs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

static_assert(sizeof(((struct pp_container *)0)->name) == PP_CGROUP_NAME &&
		      sizeof(((struct pp_container *)0)->name) == PP_PROC_NAME,
	      "either name fits");

void pp_container_fini(struct pp_container *container)
{
	pp_interface_addresses_fini(&container->addresses);
	pp_sockets_fini(&container->sockets);
}

void pp_containers_fini(struct pp_containers *list)
{
	for (size_t i = 0; i < list->count; i++)
		pp_container_fini(&list->items[i]);
	free(list->items);
	*list = PP_CONTAINERS_INIT;
}

/* Room for one more, zeroed and not counted yet; NULL when memory runs out. */
static struct pp_container *add(struct pp_containers *list)
{
	struct pp_container *items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));

	if (!items)
		return NULL;
	list->items = items;
	list->items[list->count] = PP_CONTAINER_INIT;
	return &list->items[list->count];
}

static void name_by_process(int proc, struct pp_container *container)
{
	char text[4096];

	if (pp_proc_read(proc, container->pid, "cgroup", text, sizeof(text)) &&
	    pp_cgroup_container(text, container->name))
		return;
	if (!pp_proc_name(proc, container->pid, container->name))
		snprintf(container->name, sizeof(container->name), "pid %d", (int)container->pid);
}

static void name_by_path(const char *path, struct pp_container *container)
{
	const char *slash = strrchr(path, '/');
	const char *name = slash ? slash + 1 : path;

	pp_show(container->name, sizeof(container->name), name, strlen(name));
}

/* A namespace that has changed hands or is gone since it was seen is passed over. */
static int read_place(int proc, const struct pp_home *home, const struct pp_place *place,
		      struct pp_containers *list, struct pp_error *err)
{
	int netns = pp_proc_open(proc, place->pid, "ns/net", 0), ret;
	struct pp_container *container;
	struct stat st;

	if (netns < 0 || fstat(netns, &st) < 0 || st.st_ino != place->ino || st.st_dev != place->dev) {
		if (netns >= 0)
			close(netns);
		return 0;
	}
	container = add(list);
	if (!container) {
		close(netns);
		return pp_fail(err, ENOMEM, "out of memory");
	}
	container->pid = place->pid;
	container->dev = place->dev;
	container->ino = place->ino;
	name_by_process(proc, container);
	list->count++;
	ret = pp_inside_read(home, netns, container, err);
	close(netns);
	return ret;
}

static int read_places(DIR *proc, const struct pp_home *home, struct pp_containers *list,
		       struct pp_error *err)
{
	struct pp_places places = PP_PLACES_INIT;
	int ret = pp_places_read(proc, home, &places, err);

	for (size_t i = 0; ret == 0 && i < places.count; i++)
		ret = read_place(dirfd(proc), home, &places.items[i], list, err);
	list->hidden = places.hidden;
	pp_places_fini(&places);
	return ret;
}

int pp_containers_read(struct pp_containers *out, struct pp_error *err)
{
	struct pp_containers list = PP_CONTAINERS_INIT;
	struct pp_home home = PP_HOME_INIT;
	DIR *proc = opendir("/proc");
	int ret;

	if (!proc)
		return pp_fail(err, errno, "cannot read /proc: %s", strerror(errno));
	ret = pp_home_open(&home, err);
	if (ret == 0)
		ret = read_places(proc, &home, &list, err);
	pp_home_close(&home);
	closedir(proc);
	if (ret < 0)
		pp_containers_fini(&list);
	else
		*out = list;
	return ret;
}

/* @netns stays the caller's. @container comes with its pid and its name; @what is what the user said. */
static int read_one(int netns, const char *what, struct pp_container *container, struct pp_error *err)
{
	struct pp_home home = PP_HOME_INIT;
	struct stat st;
	int ret;

	if (fstat(netns, &st) < 0)
		return pp_fail(err, errno, "cannot tell the network namespace: %s", strerror(errno));
	container->dev = st.st_dev;
	container->ino = st.st_ino;
	ret = pp_home_open(&home, err);
	if (ret < 0)
		return ret;
	if (home.ino == st.st_ino && home.dev == st.st_dev)
		ret = pp_fail(err, EINVAL, "%s is in this host's own network namespace: no container", what);
	else
		ret = pp_inside_read(&home, netns, container, err);
	pp_home_close(&home);
	return ret;
}

static int fail_pid(struct pp_error *err, pid_t pid, int code)
{
	if (code == ENOENT || code == ESRCH)
		return pp_fail(err, ESRCH, "there is no process %d", (int)pid);
	if (code == EACCES || code == EPERM)
		return pp_fail(err, EPERM, "may not look at the network namespace of process %d", (int)pid);
	return pp_fail(err, code, "cannot open the network namespace of process %d: %s", (int)pid,
		       strerror(code));
}

int pp_container_of_pid(pid_t pid, struct pp_container *out, struct pp_error *err)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), netns, ret;
	struct pp_container container = { .pid = pid };
	char what[32];

	if (proc < 0)
		return pp_fail(err, errno, "cannot read /proc: %s", strerror(errno));
	netns = pp_proc_open(proc, pid, "ns/net", 0);
	if (netns < 0) {
		ret = fail_pid(err, pid, errno);
	} else {
		snprintf(what, sizeof(what), "process %d", (int)pid);
		name_by_process(proc, &container);
		ret = read_one(netns, what, &container, err);
		close(netns);
	}
	close(proc);
	if (ret == 0)
		*out = container;
	else
		pp_container_fini(&container);
	return ret;
}

static int visit(int netns, void (*look)(void *data), void *data, struct pp_error *err)
{
	struct pp_home home = PP_HOME_INIT;
	int ret = pp_home_open(&home, err);

	if (ret == 0) {
		ret = pp_home_leave(&home, netns);
		if (ret < 0) {
			pp_fail(err, -ret, "cannot go into the container: %s", strerror(-ret));
		} else {
			look(data);
			ret = pp_home_return(&home, err);
		}
	}
	pp_home_close(&home);
	return ret;
}

int pp_container_visit(const struct pp_container *container, void (*look)(void *data), void *data,
		       struct pp_error *err)
{
	int proc = open("/proc", O_RDONLY | O_DIRECTORY | O_CLOEXEC), netns = -1, ret;
	struct stat st;

	if (proc >= 0) {
		netns = pp_proc_open(proc, container->pid, "ns/net", 0);
		close(proc);
	}
	if (netns < 0)
		return fail_pid(err, container->pid, errno);
	if (fstat(netns, &st) < 0 || st.st_ino != container->ino || st.st_dev != container->dev)
		ret = pp_fail(err, ESRCH, "the container of process %d is gone", (int)container->pid);
	else
		ret = visit(netns, look, data, err);
	close(netns);
	return ret;
}

/* A path that names a process, as runtimes write it: the process is worth knowing. */
static bool parse_pid(const char *path, pid_t *pid)
{
	static const char prefix[] = "/proc/";
	char *end;
	long number;

	if (strncmp(path, prefix, sizeof(prefix) - 1) != 0 || path[sizeof(prefix) - 1] < '1' ||
	    path[sizeof(prefix) - 1] > '9')
		return false;
	number = strtol(path + sizeof(prefix) - 1, &end, 10);
	*pid = (pid_t)number;
	return number <= INT_MAX && strcmp(end, "/ns/net") == 0;
}

/* O_NONBLOCK: a path may name a FIFO, too. */
static int open_netns(const char *path, const char *shown, struct pp_error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		return pp_fail(err, errno == EACCES ? EPERM : errno, "%s: %s", shown, strerror(errno));
	if (ioctl(fd, NS_GET_NSTYPE) != CLONE_NEWNET) {
		close(fd);
		return pp_fail(err, EINVAL, "%s is no network namespace", shown);
	}
	return fd;
}

int pp_container_of_netns(const char *path, struct pp_container *out, struct pp_error *err)
{
	struct pp_container container = PP_CONTAINER_INIT;
	char shown[128];
	pid_t pid;
	int netns, ret;

	if (parse_pid(path, &pid))
		return pp_container_of_pid(pid, out, err);
	pp_show(shown, sizeof(shown), path, strlen(path));
	netns = open_netns(path, shown, err);
	if (netns < 0)
		return netns;
	name_by_path(path, &container);
	ret = read_one(netns, shown, &container, err);
	close(netns);
	if (ret == 0)
		*out = container;
	else
		pp_container_fini(&container);
	return ret;
}

enum { LINKS = 40 }; /* as many as the kernel follows */

/* Of the directory that leads to it, and with its own name; NULL with errno. */
static char *find_directory(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
	char *dir = slash ? strndup(path, (size_t)(slash - path) + 1) : strdup(".");
	char *real = dir ? realpath(dir, NULL) : NULL, *out;

	if (!real || asprintf(&out, "%s/%s", real, name) < 0)
		out = NULL;
	free(dir);
	free(real);
	return out;
}

/* Where the symbolic link @path leads to; NULL where it is none. That of a process reads as no path. */
static char *follow(const char *path)
{
	char link[PATH_MAX], *out;
	ssize_t len = readlink(path, link, sizeof(link) - 1);

	if (len <= 0)
		return NULL;
	link[len] = '\0';
	if (strncmp(link, "net:[", strlen("net:[")) == 0)
		return NULL;
	if (asprintf(&out, "%.*s%s", link[0] == '/' ? 0 : (int)(strrchr(path, '/') + 1 - path), path, link) <
	    0)
		out = NULL;
	return out;
}

static bool is_same(const char *path, const char *other)
{
	struct stat one, two;

	return stat(path, &one) == 0 && stat(other, &two) == 0 && one.st_ino == two.st_ino &&
	       one.st_dev == two.st_dev;
}

char *pp_container_netns_path(const char *path)
{
	char *at = find_directory(path), here[PATH_MAX], *next;

	for (int i = 0; at && i < LINKS && (next = follow(at)); i++) {
		free(at);
		at = find_directory(next);
		free(next);
	}
	if (at && is_same(at, path)) /* /proc/PID/root reads as a path of ours */
		return at;
	free(at);
	if (path[0] == '/' || !getcwd(here, sizeof(here)))
		return strdup(path);
	return asprintf(&at, "%s/%s", here, path) < 0 ? NULL : at;
}
