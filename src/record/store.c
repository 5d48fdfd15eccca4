/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/store.h"

#include "files.h"
#include "format.h"
#include "portpub/array.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef SO_NETNS_COOKIE
#define SO_NETNS_COOKIE 71 /* Linux 5.14 */
#endif

enum { FILE_SIZE = PP_ID_SIZE + sizeof("deleting/.json") };

static const char *const stages[] = {
	[PP_STAGE_ACTIVE] = "active",
	[PP_STAGE_ADDING] = "adding",
	[PP_STAGE_DELETING] = "deleting",
};

static const char decided[] = "decided", handing_over[] = "handing-over";

enum { BOOT_SIZE = 8 + 1 };

/* Root of the machine, and not of a user namespace of somebody's. */
static bool is_root_of_the_machine(void)
{
	static const char whole[] = " 4294967295\n"; /* of all users, the first user namespace has all */
	char map[256];
	FILE *file;
	size_t len;

	if (geteuid() != 0)
		return false;
	file = fopen("/proc/self/uid_map", "re");
	if (!file)
		return true; /* a kernel without user namespaces */
	len = fread(map, 1, sizeof(map) - 1, file);
	fclose(file);
	map[len] = '\0';
	return len >= sizeof(whole) && strcmp(map + len - (sizeof(whole) - 1), whole) == 0;
}

/* It stands in a comment of nft's, which knows no escapes. */
static int check_base(const char *base, struct pp_error *err)
{
	for (const char *at = base; *at; at++) {
		if (*at < ' ' || *at > '~' || *at == '"' || *at == '\\')
			return pp_fail(
				err, EINVAL,
				"the path of the directory for records may have printable ASCII, and no"
				" quotes or backslashes");
	}
	return 0;
}

static const char of_the_machine[] = "/run/portpub";

/* The directory that the caller has chosen, or NULL. */
static const char *chosen(void)
{
	const char *own = getenv("PORTPUB_RUNTIME_DIR");

	return own && *own ? own : NULL;
}

/* -ENXIO where there is no place for it. */
static int find_base(char out[static PP_STORE_BASE], struct pp_error *err)
{
	const char *own = chosen(), *user = getenv("XDG_RUNTIME_DIR");
	int len;

	if (own)
		len = snprintf(out, PP_STORE_BASE, "%s", own);
	else if (is_root_of_the_machine())
		len = snprintf(out, PP_STORE_BASE, "%s", of_the_machine);
	else if (user && *user)
		len = snprintf(out, PP_STORE_BASE, "%s/portpub", user);
	else
		return pp_fail(
			err, ENXIO,
			"no place for records: XDG_RUNTIME_DIR is not set, nor is PORTPUB_RUNTIME_DIR");
	if (out[0] != '/')
		return pp_fail(err, EINVAL, "the directory for records must be an absolute path");
	if (len >= PP_STORE_BASE)
		return pp_fail(err, ENAMETOOLONG,
			       "the path of the directory for records is too long: it may have %d bytes",
			       PP_STORE_BASE - 1);
	while (len > 1 && out[len - 1] == '/')
		out[--len] = '\0';
	return check_base(out, err);
}

/* What tells this boot from every other one; the first digits will do. */
static int read_boot(char out[static BOOT_SIZE], struct pp_error *err)
{
	static const char path[] = "/proc/sys/kernel/random/boot_id";
	int fd = open(path, O_RDONLY | O_CLOEXEC), code;
	ssize_t len;

	if (fd < 0 && errno == ENOENT) /* which is not that there are no records */
		return pp_fail(err, EIO, "cannot open %s: is /proc mounted?", path);
	if (fd < 0)
		return files_fail(err, errno, "open", path, NULL);
	len = read(fd, out, BOOT_SIZE - 1);
	code = len < 0 ? errno : EIO;
	close(fd);
	if (len != BOOT_SIZE - 1)
		return files_fail(err, code, "read", path, NULL);
	out[BOOT_SIZE - 1] = '\0';
	return 0;
}

/* What tells this network namespace from every other one since boot. */
static int name_namespace(char *out, size_t size, const char *boot, struct pp_error *err)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE); /* any socket will do */
	socklen_t len = sizeof(uint64_t);
	struct stat status;
	uint64_t cookie;
	int got;

	if (fd < 0)
		return pp_fail(err, errno, "cannot make a socket: %s", strerror(errno));
	got = getsockopt(fd, SOL_SOCKET, SO_NETNS_COOKIE, &cookie, &len);
	close(fd);
	if (got == 0) {
		snprintf(out, size, "net-%s-%llx", boot, (unsigned long long)cookie);
		return 0;
	}
	if (stat("/proc/self/ns/net", &status) < 0)
		return files_fail(err, errno, "look at", "/proc/self/ns/net", NULL);
	snprintf(out, size, "netns-%s-%llu", boot, (unsigned long long)status.st_ino);
	return 0;
}

/* Make @path and what leads to it, below what is there. */
static int make_path(char *path, struct pp_error *err)
{
	for (char *at = path + 1;; at++) {
		char c = *at;

		if (c != '/' && c != '\0')
			continue;
		*at = '\0';
		if (mkdir(path, 0755) < 0 && errno != EEXIST)
			return files_fail(err, errno, "make", path, NULL);
		*at = c;
		if (c == '\0')
			return 0;
	}
}

static int make_rooms(int dir, const char *path, struct pp_error *err)
{
	static const char *const rooms[] = { "active", "adding", "deleting", "use", "was", "kept" };

	for (size_t i = 0; i < sizeof(rooms) / sizeof(rooms[0]); i++) {
		if (mkdirat(dir, rooms[i], 0755) < 0 && errno != EEXIST)
			return files_fail(err, errno, "make", path, rooms[i]);
	}
	return 0;
}

/* Below its base. */
static int find_path(struct pp_store *store, struct pp_error *err)
{
	size_t len = (size_t)snprintf(store->path, sizeof(store->path), "%s/", store->base);
	char boot[BOOT_SIZE];
	int ret = read_boot(boot, err);

	if (ret < 0)
		return ret;
	return name_namespace(store->path + len, sizeof(store->path) - len, boot, err);
}

static int open_dir(struct pp_store *store)
{
	store->dir = open(store->path, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	return store->dir < 0 ? -errno : 0;
}

/* Records decide over rules, and where files are made: nobody else may have made them. */
static int check_owner(const struct pp_store *store, struct pp_error *err)
{
	struct stat status;

	if (fstat(store->dir, &status) < 0)
		return files_fail(err, errno, "look at", store->path, NULL);
	if (status.st_uid != geteuid() || (status.st_mode & (S_IWGRP | S_IWOTH)))
		return pp_fail(err, EPERM,
			       "%s may be written to by others: remove it, or choose another place",
			       store->path);
	return 0;
}

/* Below its base, which is there or is made. */
static int open_or_make(struct pp_store *store, struct pp_error *err)
{
	int ret = find_path(store, err);

	if (ret < 0)
		return ret;
	umask(022); /* whatever the caller's is, everybody may read what is published */
	ret = open_dir(store);
	if (ret == -ENOENT) {
		ret = make_path(store->path, err);
		if (ret < 0)
			return ret;
		ret = open_dir(store);
	}
	if (ret < 0)
		return files_fail(err, -ret, "open", store->path, NULL);
	store->lock = openat(store->dir, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (store->lock < 0)
		return files_fail(err, errno, "lock", store->path, NULL);
	return check_owner(store, err);
}

int pp_store_open_unlocked(struct pp_store *store, struct pp_error *err)
{
	struct pp_store opened = PP_STORE_INIT;
	int ret = find_base(opened.base, err);

	if (ret == 0)
		ret = open_or_make(&opened, err);
	if (ret < 0)
		pp_store_close(&opened);
	else
		*store = opened;
	return ret;
}

int pp_store_lock(struct pp_store *store, bool wait, struct pp_error *err)
{
	if (flock(store->lock, wait ? LOCK_EX : LOCK_EX | LOCK_NB) < 0) {
		if (errno == EWOULDBLOCK)
			return pp_fail(err, EAGAIN, "another command is at work on %s", store->path);
		return files_fail(err, errno, "lock", store->path, NULL);
	}
	files_clean(store->dir);
	if (faccessat(store->dir, "kept", F_OK, 0) < 0) /* the last one to be made */
		return make_rooms(store->dir, store->path, err);
	return 0;
}

void pp_store_unlock(struct pp_store *store)
{
	flock(store->lock, LOCK_UN);
}

static int open_locked(struct pp_store *store, bool wait, struct pp_error *err)
{
	struct pp_store opened = PP_STORE_INIT;
	int ret = pp_store_open_unlocked(&opened, err);

	if (ret == 0)
		ret = pp_store_lock(&opened, wait, err);
	if (ret < 0)
		pp_store_close(&opened);
	else
		*store = opened;
	return ret;
}

int pp_store_open(struct pp_store *store, struct pp_error *err)
{
	return open_locked(store, true, err);
}

int pp_store_try_open(struct pp_store *store, struct pp_error *err)
{
	return open_locked(store, false, err);
}

/* Below its base. */
static int open_to_read(struct pp_store *store, struct pp_error *err)
{
	int ret = find_path(store, err);

	if (ret < 0)
		return ret;
	ret = open_dir(store);
	if (ret < 0)
		return files_fail(err, -ret, "open", store->path, NULL);
	store->lock = openat(store->dir, "lock", O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	/* Whoever may lock may keep others from it: that is for the owner. A file is whole without it, too. */
	if (store->lock < 0 && (errno == EACCES || errno == ENOENT))
		return 0;
	if (store->lock >= 0 && flock(store->lock, LOCK_SH) == 0)
		return 0;
	ret = files_fail(err, errno, "lock", store->path, NULL);
	pp_store_close(store);
	return ret;
}

int pp_store_open_to_read(struct pp_store *store, struct pp_error *err)
{
	struct pp_store machine = PP_STORE_INIT;
	struct pp_error fault;
	int ret, other;

	*store = PP_STORE_INIT;
	ret = find_base(store->base, err);
	if (ret == 0)
		ret = open_to_read(store, err);
	if ((ret != -ENOENT && ret != -ENXIO) || chosen())
		return ret;
	snprintf(machine.base, sizeof(machine.base), "%s", of_the_machine);
	other = open_to_read(&machine, &fault);
	if (other == -ENOENT)
		return ret;
	*store = machine;
	if (other < 0)
		*err = fault;
	return other;
}

void pp_store_close(struct pp_store *store)
{
	if (store->dir >= 0)
		close(store->dir);
	if (store->lock >= 0)
		close(store->lock);
	*store = PP_STORE_INIT;
}

void pp_records_fini(struct pp_records *list)
{
	for (size_t i = 0; i < list->count; i++)
		pp_record_fini(&list->items[i]);
	free(list->items);
	free(list->broken);
	*list = PP_RECORDS_INIT;
}

int pp_records_append(struct pp_records *list, struct pp_record *record, struct pp_error *err)
{
	struct pp_record *items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));

	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	list->items = items;
	list->items[list->count++] = *record;
	*record = (struct pp_record){ 0 };
	return 0;
}

static void name_file(enum pp_stage stage, const char *id, char out[static FILE_SIZE])
{
	snprintf(out, FILE_SIZE, "%s/%s.json", stages[stage], id);
}

static int fail_broken(const struct pp_store *store, const char *name, const char *id, const char *why,
		       struct pp_error *err)
{
	return pp_fail(err, ENODATA, "%s/%s is no record: %s; portpub del %s drops it", store->path, name,
		       why, id);
}

static int fail_load(const struct pp_store *store, const char *name, const char *id, int code,
		     struct pp_error *err)
{
	switch (code) {
	case ENOENT:
		return pp_fail(err, ENOENT, "nothing is published as %s", id);
	case ENOMEM:
	case EMFILE:
	case ENFILE:
		return files_fail(err, code, "read", store->path, name);
	case EUCLEAN:
		return fail_broken(store, name, id, "it is no file", err);
	default:
		return fail_broken(store, name, id, strerror(code), err);
	}
}

int pp_store_load(const struct pp_store *store, enum pp_stage stage, const char *id, struct pp_record *out,
		  struct pp_error *err)
{
	char name[FILE_SIZE], *text;
	struct pp_error fault;
	size_t len;
	int ret;

	name_file(stage, id, name);
	ret = files_read(store->dir, name, &text, &len);
	if (ret < 0)
		return fail_load(store, name, id, -ret, err);
	ret = format_read(text, len, out, &fault);
	free(text);
	if (ret == 0 && strcmp(out->id, id) != 0) {
		pp_record_fini(out);
		ret = pp_fail(&fault, EUCLEAN, "it has another id");
	}
	if (ret == -ENOMEM)
		return pp_fail(err, ENOMEM, "out of memory");
	return ret < 0 ? fail_broken(store, name, id, fault.message, err) : 0;
}

/* The id in "ID.json"; false for any other name. */
static bool id_of(const char *name, char out[static PP_ID_SIZE])
{
	const char *suffix = strrchr(name, '.');
	struct pp_error ignored;

	if (!suffix || strcmp(suffix, ".json") != 0 || suffix - name >= PP_ID_SIZE)
		return false;
	snprintf(out, PP_ID_SIZE, "%.*s", (int)(suffix - name), name);
	return pp_id_check(out, &ignored) == 0;
}

static int compare_ids(const void *left, const void *right)
{
	const struct pp_record *a = left, *b = right;

	return strcmp(a->id, b->id);
}

int pp_records_append_broken(struct pp_records *list, const char *id, const char *words, struct pp_error *err)
{
	struct pp_broken *broken = pp_grown(list->broken, list->broken_count, &list->broken_capacity,
					    sizeof(*broken));

	if (!broken)
		return pp_fail(err, ENOMEM, "out of memory");
	list->broken = broken;
	broken += list->broken_count++;
	snprintf(broken->id, sizeof(broken->id), "%s", id);
	snprintf(broken->words, sizeof(broken->words), "%s", words);
	return 0;
}

static int load_one(const struct pp_store *store, enum pp_stage stage, const char *id, struct pp_records *out,
		    struct pp_error *err)
{
	struct pp_record record = { 0 };
	int ret = pp_store_load(store, stage, id, &record, err);

	if (ret == 0)
		ret = pp_records_append(out, &record, err);
	else if (ret == -ENODATA)
		ret = pp_records_append_broken(out, id, err->message, err);
	else if (ret == -ENOENT)
		ret = 0; /* it has gone meanwhile, from one who may not lock */
	pp_record_fini(&record);
	return ret;
}

int pp_store_load_all(const struct pp_store *store, enum pp_stage stage, struct pp_records *out,
		      struct pp_error *err)
{
	DIR *list = files_list(store->dir, stages[stage]);
	size_t from = out->count;
	struct dirent *entry;
	int ret = 0;

	if (!list)
		return errno == ENOENT ? 0 : files_fail(err, errno, "open", store->path, stages[stage]);
	while (ret == 0 && (entry = readdir(list))) {
		char id[PP_ID_SIZE];

		if (id_of(entry->d_name, id))
			ret = load_one(store, stage, id, out, err);
	}
	closedir(list);
	if (ret == 0 && out->count > from)
		qsort(out->items + from, out->count - from, sizeof(out->items[0]), compare_ids);
	return ret;
}

int pp_store_save(const struct pp_store *store, enum pp_stage stage, const struct pp_record *record,
		  struct pp_error *err)
{
	char name[FILE_SIZE], *text;
	int ret = format_write(record, &text, err);

	if (ret < 0)
		return ret;
	name_file(stage, record->id, name);
	ret = files_write(store->dir, name, text, strlen(text));
	free(text);
	return ret < 0 ? files_fail(err, -ret, "write", store->path, name) : 0;
}

int pp_store_move(const struct pp_store *store, enum pp_stage from, enum pp_stage to, const char *id,
		  struct pp_error *err)
{
	char old[FILE_SIZE], new[FILE_SIZE];

	name_file(from, id, old);
	name_file(to, id, new);
	if (renameat(store->dir, old, store->dir, new) == 0)
		return 0;
	if (errno == ENOENT)
		return pp_fail(err, ENOENT, "nothing is published as %s", id);
	return files_fail(err, errno, "rename", store->path, old);
}

int pp_store_drop(const struct pp_store *store, enum pp_stage stage, const char *id, struct pp_error *err)
{
	char name[FILE_SIZE];

	name_file(stage, id, name);
	if (unlinkat(store->dir, name, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno == EISDIR && unlinkat(store->dir, name, AT_REMOVEDIR) == 0)
		return 0;
	return files_fail(err, errno, "remove", store->path, name);
}

static int mark(const struct pp_store *store, const char *name, struct pp_error *err)
{
	int fd = openat(store->dir, name, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);

	if (fd < 0)
		return files_fail(err, errno, "make", store->path, name);
	close(fd);
	return 0;
}

static bool is_marked(const struct pp_store *store, const char *name)
{
	return faccessat(store->dir, name, F_OK, 0) == 0;
}

static int unmark(const struct pp_store *store, const char *name, struct pp_error *err)
{
	if (unlinkat(store->dir, name, 0) < 0 && errno != ENOENT)
		return files_fail(err, errno, "remove", store->path, name);
	return 0;
}

int pp_store_decide(const struct pp_store *store, struct pp_error *err)
{
	return mark(store, decided, err);
}

bool pp_store_is_decided(const struct pp_store *store)
{
	return is_marked(store, decided);
}

int pp_store_settle(const struct pp_store *store, struct pp_error *err)
{
	return unmark(store, decided, err);
}

int pp_store_hand_over(const struct pp_store *store, struct pp_error *err)
{
	return mark(store, handing_over, err);
}

bool pp_store_is_handing_over(const struct pp_store *store)
{
	return is_marked(store, handing_over);
}

int pp_store_handed_over(const struct pp_store *store, struct pp_error *err)
{
	return unmark(store, handing_over, err);
}
