/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/kept.h"

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { KEPT_SIZE = sizeof("kept/") + PP_ID_SIZE + sizeof("/4294967295"), TRIES = 100 };

static void name_file(const char *id, uint32_t number, char out[static KEPT_SIZE])
{
	snprintf(out, KEPT_SIZE, "kept/%s/%u", id, number);
}

static void name_dir(const char *id, char out[static KEPT_SIZE])
{
	snprintf(out, KEPT_SIZE, "kept/%s", id);
}

/* A lock that belongs to the open file, and so to whoever has it. */
static bool lock(int fd)
{
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_SETLK, &whole) == 0;
}

/* Asked for reading: who may only read the file cannot pretend to be a keeper. */
static bool is_locked(int fd)
{
	struct flock whole = { .l_type = F_RDLCK, .l_whence = SEEK_SET };

	return fcntl(fd, F_OFD_GETLK, &whole) == 0 && whole.l_type != F_UNLCK;
}

int pp_kept_take(int fd, struct pp_kept *out, struct pp_error *err)
{
	int code = posix_fallocate(fd, 0,
				   sizeof(struct pp_kept_page)); /* to write to a hole may be the end */
	void *page;

	if (code)
		return pp_fail(err, code == EINVAL ? EIO : code, "cannot make room for the keeper's file: %s",
			       strerror(code));
	page = mmap(NULL, sizeof(struct pp_kept_page), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (page == MAP_FAILED)
		return pp_fail(err, errno, "cannot map the keeper's file: %s", strerror(errno));
	*out = (struct pp_kept){ fd, page };
	return 0;
}

/* -EEXIST without words. Others may read it once it is locked: who could lock it first would be in the way. */
static int make_file(const struct pp_store *store, const char *id, uint32_t number, struct pp_error *err)
{
	char name[KEPT_SIZE];
	int fd;

	name_dir(id, name);
	if (mkdirat(store->dir, name, 0755) < 0 && errno != EEXIST)
		return files_fail(err, errno, "make", store->path, name);
	name_file(id, number, name);
	fd = openat(store->dir, name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0 && errno == EEXIST)
		return -EEXIST;
	return fd < 0 ? files_fail(err, errno, "make", store->path, name) : fd;
}

static bool is_linked(int fd)
{
	struct stat status;

	return fstat(fd, &status) == 0 && status.st_nlink > 0;
}

/*
 * The keeper that had the number before, or another of the same id, may remove the file, or the directory, at any time
 * until there is a lock on a file that has a name. What a keeper has left that was killed is no keeper's: on that,
 * anybody who may read it can have a lock.
 */
static int make_locked(const struct pp_store *store, const char *id, uint32_t number, struct pp_error *err)
{
	struct pp_kept_page page;
	int fd = -ENOENT;

	for (int i = 0; i < TRIES; i++) {
		fd = make_file(store, id, number, err);
		if (fd >= 0 && lock(fd) && is_linked(fd))
			return fd;
		if (fd >= 0)
			close(fd);
		else if (fd != -EEXIST && fd != -ENOENT)
			return fd;
		if (pp_kept_look(store, id, number, &page))
			return pp_fail(err, EBUSY, "%s has a keeper already", id);
		if (fd == -EEXIST && pp_kept_drop(store, id, number, err) < 0)
			return -err->code;
	}
	return fd == -ENOENT ? fd : pp_fail(err, EBUSY, "the file of the keeper of %s does not stay", id);
}

int pp_kept_make(const struct pp_store *store, const char *id, uint32_t number, struct pp_kept *out,
		 struct pp_error *err)
{
	int fd = make_locked(store, id, number, err), ret;

	if (fd < 0)
		return fd;
	if (fchmod(fd, 0644) < 0)
		ret = pp_fail(err, errno, "cannot let others read the keeper's file: %s", strerror(errno));
	else
		ret = pp_kept_take(fd, out, err);
	if (ret < 0)
		close(fd);
	return ret;
}

uint64_t pp_kept_namespace(void)
{
	struct stat status;

	return stat("/proc/self/ns/pid", &status) == 0 ? status.st_ino : 0;
}

void pp_kept_begin(struct pp_kept *kept)
{
	kept->page->size = sizeof(*kept->page);
	kept->page->pid_namespace = pp_kept_namespace();
	kept->page->pid = (uint32_t)getpid(); /* the last, by which the rest is known to be there */
}

void pp_kept_close(struct pp_kept *kept)
{
	if (kept->page)
		munmap(kept->page, sizeof(*kept->page));
	if (kept->fd >= 0)
		close(kept->fd);
	*kept = PP_KEPT_INIT;
}

bool pp_kept_look(const struct pp_store *store, const char *id, uint32_t number, struct pp_kept_page *page)
{
	char name[KEPT_SIZE];
	bool lives;
	int fd;

	name_file(id, number, name);
	fd = openat(store->dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return false;
	*page = (struct pp_kept_page){ 0 }; /* one of another version may have less */
	lives = is_locked(fd) && pread(fd, page, sizeof(*page), 0) > 0;
	page->said[sizeof(page->said) - 1] = '\0';
	close(fd);
	return lives;
}

bool pp_kept_is_here(const struct pp_kept_page *page)
{
	return page->pid && page->pid_namespace == pp_kept_namespace();
}

bool pp_kept_is_open_in(const struct pp_store *store, const char *id, uint32_t number, uint32_t pid)
{
	char name[KEPT_SIZE], path[32];
	struct stat file, open;
	struct dirent *entry;
	bool found = false;
	DIR *list;

	name_file(id, number, name);
	snprintf(path, sizeof(path), "/proc/%u/fd", pid);
	list = fstatat(store->dir, name, &file, 0) < 0 ? NULL : opendir(path);
	while (list && !found && (entry = readdir(list)))
		found = fstatat(dirfd(list), entry->d_name, &open, 0) == 0 && open.st_dev == file.st_dev &&
			open.st_ino == file.st_ino;
	if (list)
		closedir(list);
	return found;
}

static void each(const struct pp_store *store, const char *room, void (*take)(const char *name, void *data),
		 void *data)
{
	DIR *list = files_list(store->dir, room);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] != '.')
			take(entry->d_name, data);
	}
	if (list)
		closedir(list);
}

struct numbers {
	void (*take)(uint32_t number, void *data);
	void *data;
};

static void take_number(const char *name, void *data)
{
	const struct numbers *numbers = data;
	char *end;
	unsigned long number = strtoul(name, &end, 10);

	if (*end == '\0' && number > 0 && number <= UINT32_MAX)
		numbers->take((uint32_t)number, numbers->data);
}

void pp_kept_each(const struct pp_store *store, const char *id, void (*take)(uint32_t number, void *data),
		  void *data)
{
	struct numbers numbers = { take, data };
	char name[KEPT_SIZE];

	name_dir(id, name);
	each(store, name, take_number, &numbers);
}

void pp_kept_each_id(const struct pp_store *store, void (*take)(const char *id, void *data), void *data)
{
	each(store, "kept", take, data);
}

int pp_kept_drop(const struct pp_store *store, const char *id, uint32_t number, struct pp_error *err)
{
	char name[KEPT_SIZE];

	name_file(id, number, name);
	if (unlinkat(store->dir, name, 0) < 0 && errno != ENOENT)
		return files_fail(err, errno, "remove", store->path, name);
	name_dir(id, name);
	unlinkat(store->dir, name, AT_REMOVEDIR); /* if it was the last */
	return 0;
}
