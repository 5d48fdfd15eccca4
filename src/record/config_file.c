/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/config_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Up to one byte over the maximum, which tells that there is more. */
static ssize_t read_file(const char *path, char text[static PP_CONFIG_MAX + 1])
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), code = 0;
	ssize_t used = 0, n;

	if (fd < 0)
		return -errno;
	do {
		n = read(fd, text + used, (size_t)(PP_CONFIG_MAX + 1 - used));
		code = n < 0 ? errno : 0;
		used += n > 0 ? n : 0;
	} while (n > 0 && used <= PP_CONFIG_MAX);
	close(fd);
	return code ? -code : used;
}

static int fail_file(struct pp_error *err, const char *path, int code)
{
	char shown[160];

	pp_show(shown, sizeof(shown), path, strlen(path));
	return pp_fail(err, code, "the configuration %s cannot be read: %s", shown, strerror(code));
}

int pp_config_load(struct pp_config *out, struct pp_error *err)
{
	const char *named = getenv("PORTPUB_CONFIG"), *path = named ? named : "/etc/portpub.conf";
	char text[PP_CONFIG_MAX + 1];
	ssize_t len = *path ? read_file(path, text) : 0;

	if (len == -ENOENT && !named)
		len = 0;
	if (len < 0)
		return fail_file(err, path, (int)-len);
	if (len > PP_CONFIG_MAX)
		return fail_file(err, path, EFBIG);
	return pp_config_parse(path, text, (size_t)len, out, err);
}
