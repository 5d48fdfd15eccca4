/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The containers of this host: network namespaces that processes are in and that are not our own. Reading
 * them changes nothing, but the calling thread goes into each and comes back; -EIO is then that it did not
 * come back, and must not go on.
 */
#ifndef PORTPUB_CONTAINER_H
#define PORTPUB_CONTAINER_H

#include "portpub/interface.h"
#include "portpub/plan.h"
#include "portpub/socket.h"

#include <sys/types.h>

struct pp_container {
	char name[64]; /* printable: what its runtime calls it, or else what its process calls itself */
	pid_t pid;     /* of its first process; 0 where only a path is known */
	dev_t dev;     /* with the inode: which network namespace it is */
	ino_t ino;
	int closed; /* an errno: why it could not be looked into; what follows is empty then */
	struct pp_interface_addresses addresses; /* at which others may reach it */
	struct pp_sockets sockets; /* that others may reach, ordered by protocol and port, none twice */
};

struct pp_containers {
	struct pp_container *items;
	size_t count, capacity;
	bool hidden; /* there are processes whose namespace may not be known */
};

#define PP_CONTAINER_INIT ((struct pp_container){ 0 })
#define PP_CONTAINERS_INIT ((struct pp_containers){ 0 })

void pp_container_fini(struct pp_container *container);
void pp_containers_fini(struct pp_containers *list);

/* All of them, in the order of their processes, into @out, which is empty. */
int pp_containers_read(struct pp_containers *out, struct pp_error *err);

/*
 * The one of a process: -ESRCH when there is none, -EPERM when its namespace may not be known, -EINVAL when
 * that is our own. A namespace that is known and may not be entered is `closed`, and no error.
 */
int pp_container_of_pid(pid_t pid, struct pp_container *out, struct pp_error *err);

/* The one of a file, in /run/netns or /proc/PID/ns: -ENOENT, -EPERM, -EINVAL also when it is none. */
int pp_container_of_netns(const char *path, struct pp_container *out, struct pp_error *err);

/*
 * That file from the root, and without symbolic links, which may outlive what they lead to. What is not there is told as
 * it was said. The caller's to free; NULL: out of memory.
 */
char *pp_container_netns_path(const char *path);

/*
 * Go into the container's namespace, call @look, and come back. -EPERM and the like when it cannot be entered,
 * -ESRCH when it is gone: @look has not been called then. Only for one that has a process.
 * -EIO, as above.
 */
int pp_container_visit(const struct pp_container *container, void (*look)(void *data), void *data,
		       struct pp_error *err);

/* Whether something listens on one of the container ports of @publication at least. */
bool pp_container_listens(const struct pp_container *container, const struct pp_publication *publication);

/*
 * The addresses, one of each family at most, at which this host reaches the container, and at which it
 * listens for every publication that it listens for at all; @publications may be NULL. False, and both
 * AF_UNSPEC, where there is none: only the inside of its namespace reaches it.
 */
bool pp_container_target(const struct pp_container *container, const struct pp_publications *publications,
			 struct pp_target *out);

/*
 * Leave in @list the one container that listens for every publication, and return 0. -ENOENT when there is
 * none: all stay, for the user to choose from; -ENOTUNIQ when there are several, which stay. The error says
 * how to choose; the list is the caller's to show.
 */
int pp_containers_choose(struct pp_containers *list, const struct pp_publications *publications,
			 struct pp_error *err);

/* The same of all containers of this host, into @out, which is empty and stays so after any other error. */
int pp_container_find(const struct pp_publications *publications, struct pp_containers *out,
		      struct pp_error *err);

#endif
