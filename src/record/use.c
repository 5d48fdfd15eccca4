/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What records share: an address, a bridge, a sysctl. Each such thing is a directory with an empty file for
 * each record that uses it, so that the last one to go is known without reading the others, however many
 * there are, and saying the same thing again after a crash changes nothing.
 */
#include "portpub/store.h"

#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { USE_SIZE = 128 + PP_ID_SIZE };

int pp_store_use(const struct pp_store *store, const char *name, const char *id, struct pp_error *err)
{
	char path[USE_SIZE];
	int fd;

	snprintf(path, sizeof(path), "use/%s", name);
	if (mkdirat(store->dir, path, 0755) < 0 && errno != EEXIST)
		return files_fail(err, errno, "make", store->path, path);
	snprintf(path, sizeof(path), "use/%s/%s", name, id);
	fd = openat(store->dir, path, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (fd < 0)
		return files_fail(err, errno, "make", store->path, path);
	close(fd);
	return 0;
}

int pp_store_leave(const struct pp_store *store, const char *name, const char *id, bool *last,
		   struct pp_error *err)
{
	char path[USE_SIZE];

	snprintf(path, sizeof(path), "use/%s/%s", name, id);
	if (unlinkat(store->dir, path, 0) < 0 && errno != ENOENT)
		return files_fail(err, errno, "remove", store->path, path);
	snprintf(path, sizeof(path), "use/%s", name);
	*last = unlinkat(store->dir, path, AT_REMOVEDIR) == 0 || errno == ENOENT;
	return 0;
}

static void each_name(const struct pp_store *store, const char *room, const char *prefix,
		      void (*take)(const char *name, void *data), void *data)
{
	DIR *list = files_list(store->dir, room);
	struct dirent *entry;

	while (list && (entry = readdir(list))) {
		if (entry->d_name[0] != '.' && strncmp(entry->d_name, prefix, strlen(prefix)) == 0)
			take(entry->d_name, data);
	}
	if (list)
		closedir(list);
}

void pp_store_each_used(const struct pp_store *store, void (*take)(const char *name, void *data), void *data)
{
	each_name(store, "use", "", take, data);
}

static DIR *open_users(const struct pp_store *store, const char *name)
{
	char path[USE_SIZE];

	snprintf(path, sizeof(path), "use/%s", name);
	return files_list(store->dir, path);
}

int pp_store_load_users(const struct pp_store *store, const char *name, pp_store_skip *skip, void *data,
			struct pp_records *out, struct pp_error *err)
{
	DIR *list = open_users(store, name);
	struct dirent *entry;
	int ret = 0;

	if (!list)
		return errno == ENOENT ? 0 : files_fail(err, errno, "open", store->path, "use");
	while (ret == 0 && (entry = readdir(list))) {
		struct pp_record record = { 0 };

		if (entry->d_name[0] == '.' || skip(entry->d_name, data))
			continue;
		ret = pp_store_load(store, PP_STAGE_ACTIVE, entry->d_name, &record, err);
		if (ret == 0)
			ret = pp_records_append(out, &record, err);
		else if (ret == -ENOENT)
			ret = 0; /* on its way in or out */
		pp_record_fini(&record);
	}
	closedir(list);
	return ret;
}

bool pp_store_is_used(const struct pp_store *store, const char *name, pp_store_skip *skip, void *data)
{
	DIR *list = open_users(store, name);
	struct dirent *entry;
	bool used = false;

	while (list && !used && (entry = readdir(list)))
		used = entry->d_name[0] != '.' && !skip(entry->d_name, data);
	if (list)
		closedir(list);
	return used;
}

int pp_store_keep(const struct pp_store *store, const char *name, const char *value, struct pp_error *err)
{
	char path[USE_SIZE];
	int ret;

	snprintf(path, sizeof(path), "was/%s", name);
	if (faccessat(store->dir, path, F_OK, 0) == 0)
		return 0;
	ret = files_write(store->dir, path, value, strlen(value));
	return ret < 0 ? files_fail(err, -ret, "write", store->path, path) : 0;
}

bool pp_store_kept(const struct pp_store *store, const char *name, char out[static PP_STORE_VALUE])
{
	char path[USE_SIZE], *text;
	size_t len;

	snprintf(path, sizeof(path), "was/%s", name);
	if (files_read(store->dir, path, &text, &len) < 0)
		return false;
	snprintf(out, PP_STORE_VALUE, "%.*s", (int)len, text);
	free(text);
	return true;
}

void pp_store_forget(const struct pp_store *store, const char *name)
{
	char path[USE_SIZE];

	snprintf(path, sizeof(path), "was/%s", name);
	unlinkat(store->dir, path, 0);
}

void pp_store_each_kept(const struct pp_store *store, const char *prefix,
			void (*take)(const char *name, void *data), void *data)
{
	each_name(store, "was", prefix, take, data);
}
