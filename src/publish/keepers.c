/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A pid may become another process's while one looks, and what a keeper says of itself may be a lie. So a process is
 * opened by that pid, and it is the keeper if it has the keeper's file open then.
 *
 * SIGUSR1 with a value asks it to take no new connections, and for the ports; or, by whoever has taken away what is
 * published, to end: it has nothing left to put in order, and must not wait for the very lock that the command holds. It
 * may be stopped: one that does not end is killed.
 */
#include "keepers.h"

#include "portpub/forwarder.h"

#include <dirent.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { PATIENCE_MS = 10000, RETIRING_MS = 1000, ENDING_MS = 2000, DYING_MS = 1000 };

/* Does it live? One whose command was killed may not have begun yet: it will, or it ends. */
static bool look(const struct pp_store *store, const char *id, uint32_t number, struct pp_kept_page *page)
{
	for (int i = 0; i < PATIENCE_MS && pp_kept_look(store, id, number, page); i++) {
		if (page->pid)
			return true;
		poll(NULL, 0, 1);
	}
	return false;
}

static int fail_elsewhere(struct pp_error *err, const char *id)
{
	return pp_fail(err, EXDEV,
		       "the keeper of %s is in another pid namespace: go there, or stop it from there", id);
}

int keepers_check(const struct pp_store *store, const char *id, uint32_t number, struct pp_error *err)
{
	struct pp_kept_page page;

	return look(store, id, number, &page) && !pp_kept_is_here(&page) ? fail_elsewhere(err, id) : 0;
}

/* A process that is about to end has none already, while its files and sockets are being closed. */
static bool has_descriptors(uint32_t pid)
{
	struct dirent *entry;
	bool found = false;
	char path[32];
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	list = opendir(path);
	while (list && !found && (entry = readdir(list)))
		found = entry->d_name[0] != '.';
	if (list)
		closedir(list);
	return found;
}

static void wait_for_end(const struct pp_kept_page *page)
{
	int fd = pp_kept_is_here(page) ? (int)syscall(SYS_pidfd_open, (pid_t)page->pid, 0) : -1;
	struct pollfd ended = { .fd = fd, .events = POLLIN };

	if (fd < 0)
		return;
	if (!has_descriptors(page->pid))
		poll(&ended, 1, DYING_MS);
	close(fd);
}

bool keepers_live(const struct pp_store *store, const char *id, uint32_t number)
{
	struct pp_kept_page page = { 0 };

	if (pp_kept_look(store, id, number, &page) && (!pp_kept_is_here(&page) || has_descriptors(page.pid)))
		return true;
	wait_for_end(&page);
	return pp_kept_look(store, id, number, &page);
}

/* A pidfd, or -ESRCH where it does not live. */
static int open_keeper(const struct pp_store *store, const char *id, uint32_t number,
		       struct pp_kept_page *page, struct pp_error *err)
{
	int fd;

	*page = (struct pp_kept_page){ 0 };
	if (!look(store, id, number, page)) {
		wait_for_end(page);
		return -ESRCH;
	}
	if (!pp_kept_is_here(page))
		return fail_elsewhere(err, id);
	fd = (int)syscall(SYS_pidfd_open, (pid_t)page->pid, 0);
	if (fd < 0 && errno == ESRCH)
		return -ESRCH;
	if (fd < 0)
		return pp_fail(err, errno, "cannot open the keeper of %s (pid %u): %s", id, page->pid,
			       strerror(errno));
	if (pp_kept_is_open_in(store, id, number, page->pid))
		return fd;
	close(fd);
	wait_for_end(page);
	if (!pp_kept_look(store, id, number, page))
		return -ESRCH;
	return pp_fail(err, EUCLEAN,
		       "the keeper of %s says that it is process %u, which is none of ours: end it by hand",
		       id, page->pid);
}

static bool ask(int pidfd, int what)
{
	siginfo_t info = { .si_signo = SIGUSR1, .si_code = SI_QUEUE };

	info.si_value.sival_int = what;
	return syscall(SYS_pidfd_send_signal, pidfd, SIGUSR1, &info, 0) == 0;
}

static bool has_ended(int pidfd, int within_ms)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	int ret;

	do
		ret = poll(&ended, 1, within_ms);
	while (ret < 0 && errno == EINTR);
	return ret > 0;
}

static int end(int pidfd, const char *id, uint32_t pid, struct pp_error *err)
{
	if (ask(pidfd, PP_FORWARDER_END) && has_ended(pidfd, ENDING_MS))
		return 0;
	if (syscall(SYS_pidfd_send_signal, pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return pp_fail(err, errno, "cannot end the keeper of %s (pid %u): %s", id, pid,
			       strerror(errno));
	if (!has_ended(pidfd, PATIENCE_MS))
		return pp_fail(err, ETIMEDOUT, "the keeper of %s (pid %u) does not end", id, pid);
	return 0;
}

struct ending {
	const struct pp_store *store;
	const char *id;
	uint32_t above;
	bool by_keeper;
	struct pp_error *err;
	int ret;
};

/* This process is it: `run`, which undoes what it has begun. */
static bool is_own(const struct ending *ending, uint32_t number)
{
	struct pp_kept_page page = { 0 };
	uint32_t pid = (uint32_t)getpid();

	return pp_kept_look(ending->store, ending->id, number, &page) && pp_kept_is_here(&page) &&
	       page.pid == pid && pp_kept_is_open_in(ending->store, ending->id, number, pid);
}

/* Where it lives and is not to be ended, its file stays, too. */
static int end_or_leave(const struct ending *ending, uint32_t number, bool *stays)
{
	struct pp_kept_page page = { 0 };
	int pidfd, ret;

	if (ending->by_keeper) {
		*stays = pp_kept_look(ending->store, ending->id, number, &page) &&
			 page.pid != (uint32_t)getpid();
		return 0;
	}
	if (is_own(ending, number))
		return 0;
	pidfd = open_keeper(ending->store, ending->id, number, &page, ending->err);
	if (pidfd < 0)
		return pidfd == -ESRCH ? 0 : pidfd;
	ret = end(pidfd, ending->id, page.pid, ending->err);
	close(pidfd);
	return ret;
}

static void end_one(uint32_t number, void *data)
{
	struct ending *ending = data;
	bool stays = false;

	if (number <= ending->above || ending->ret < 0)
		return;
	ending->ret = end_or_leave(ending, number, &stays);
	if (ending->ret == 0 && !stays)
		ending->ret = pp_kept_drop(ending->store, ending->id, number, ending->err);
}

int keepers_end(const struct pp_store *store, const char *id, uint32_t above, bool by_keeper,
		struct pp_error *err)
{
	struct ending ending = { store, id, above, by_keeper, err, 0 };

	pp_kept_each(store, id, end_one, &ending);
	if (ending.ret == 0) /* of one that was to begin or end there may be no more than the place for it */
		ending.ret = pp_kept_drop(store, id, above + 1, err);
	return ending.ret;
}

struct retiring {
	const struct pp_store *store;
	const char *id;
	uint32_t below;
};

/* Until it has given its ports back: what is done next may want them, and what arrives is not for it any more. */
static void wait_for_retirement(int pidfd, const struct retiring *retiring, uint32_t number)
{
	struct pollfd ended = { .fd = pidfd, .events = POLLIN };
	struct pp_kept_page page;

	for (int i = 0; i < RETIRING_MS && poll(&ended, 1, 1) == 0; i++) {
		if (pp_kept_look(retiring->store, retiring->id, number, &page) && page.counters.retired)
			return;
	}
}

static void retire_one(uint32_t number, void *data)
{
	const struct retiring *retiring = data;
	struct pp_kept_page page;
	struct pp_error ignored;
	int pidfd;

	if (number >= retiring->below)
		return;
	pidfd = open_keeper(retiring->store, retiring->id, number, &page, &ignored);
	if (pidfd < 0) {
		if (pidfd == -ESRCH)
			pp_kept_drop(retiring->store, retiring->id, number, &ignored);
		return;
	}
	if (ask(pidfd, PP_FORWARDER_RETIRE))
		wait_for_retirement(pidfd, retiring, number);
	close(pidfd);
}

void keepers_retire(const struct pp_store *store, const char *id, uint32_t below)
{
	struct retiring retiring = { store, id, below };

	pp_kept_each(store, id, retire_one, &retiring);
}

/* One descriptor of the process, if it is a socket that has a port. */
static int borrow_one(int pidfd, int theirs, struct pp_held *out, struct pp_error *err)
{
	struct pp_error ignored;
	int fd = (int)syscall(SYS_pidfd_getfd, pidfd, theirs, 0);

	if (fd < 0 && (errno == EBADF || errno == ESRCH))
		return 0; /* closed since it was listed */
	if (fd < 0)
		return pp_fail(err, errno, "cannot share the sockets of the keeper: %s", strerror(errno));
	if (pp_held_append(out, fd, &ignored) == 0)
		return 0;
	close(fd);
	return ignored.code == ENOMEM ? pp_fail(err, ENOMEM, "out of memory") : 0;
}

static int borrow_all(int pidfd, uint32_t pid, struct pp_held *out, struct pp_error *err)
{
	struct dirent *entry;
	char path[32];
	DIR *list;
	int ret = 0;

	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	list = opendir(path);
	if (!list)
		return pp_fail(err, errno, "cannot share the sockets of the keeper: %s: %s", path,
			       strerror(errno));
	while (ret == 0 && (entry = readdir(list))) {
		if (entry->d_name[0] != '.')
			ret = borrow_one(pidfd, (int)strtol(entry->d_name, NULL, 10), out, err);
	}
	closedir(list);
	return ret;
}

int keepers_borrow(const struct pp_store *store, const char *id, uint32_t number, struct pp_held *out,
		   struct pp_error *err)
{
	struct pp_kept_page page;
	int pidfd = open_keeper(store, id, number, &page, err), ret;

	if (pidfd < 0)
		return pidfd;
	ret = borrow_all(pidfd, page.pid, out, err);
	close(pidfd);
	if (ret == 0 && !pp_kept_is_open_in(store, id, number, page.pid)) { /* it has ended meanwhile */
		wait_for_end(&page);
		return -ESRCH;
	}
	return ret;
}

void keepers_release(int leash)
{
	if (leash < 0)
		return;
	send(leash, "", 1, MSG_NOSIGNAL);
	close(leash);
}

void keepers_tell(const struct pp_store *store, const struct pp_record *record,
		  const struct pp_report *report)
{
	struct pp_kept_page page;

	if (pp_kept_look(store, record->id, record->keeper, &page) && page.anchor == 0 && page.said[0])
		pp_report_say(report, "%s", page.said);
}
