/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FILE_MAX = 64 << 20 };

int files_fail(struct pp_error *err, int code, const char *what, const char *dir, const char *name)
{
	char path[512], shown[256];
	int len = snprintf(path, sizeof(path), "%s%s%s", dir, name ? "/" : "", name ? name : "");

	pp_show(shown, sizeof(shown), path, len < (int)sizeof(path) ? (size_t)len : sizeof(path) - 1);
	return pp_fail(err, code == EINVAL ? EIO : code, "cannot %s %s: %s", what, shown, strerror(code));
}

int files_read(int dir, const char *name, char **text, size_t *len)
{
	int fd = openat(dir, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), code = 0;
	struct stat status;
	size_t used = 0;
	char *buffer = NULL;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &status) < 0)
		code = errno;
	else if (!S_ISREG(status.st_mode) || status.st_size > FILE_MAX)
		code = EUCLEAN;
	else if (!(buffer = malloc((size_t)status.st_size + 1)))
		code = ENOMEM;
	while (code == 0 && used < (size_t)status.st_size) {
		ssize_t n = read(fd, buffer + used, (size_t)status.st_size - used);

		if (n <= 0)
			code = n < 0 ? errno : EUCLEAN;
		else
			used += (size_t)n;
	}
	close(fd);
	if (code) {
		free(buffer);
		return -code;
	}
	*text = buffer;
	*len = used;
	return 0;
}

int files_write(int dir, const char *name, const char *text, size_t len)
{
	int fd = openat(dir, "new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0644), code = 0;
	size_t done = 0;

	if (fd < 0)
		return -errno;
	while (code == 0 && done < len) {
		ssize_t n = pwrite(fd, text + done, len - done, (off_t)done);

		if (n < 0)
			code = errno;
		else
			done += (size_t)n;
	}
	if (close(fd) < 0 && code == 0)
		code = errno;
	if (code == 0 && renameat(dir, "new", dir, name) < 0)
		code = errno;
	if (code)
		unlinkat(dir, "new", 0);
	return -code;
}

void files_clean(int dir)
{
	unlinkat(dir, "new", 0);
}

DIR *files_list(int dir, const char *name)
{
	int fd = openat(dir, name, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);

	if (!list && fd >= 0)
		close(fd);
	return list;
}
