/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool bad_input(int code)
{
	return code == ENOENT || code == ENOTDIR || code == EISDIR || code == ENAMETOOLONG || code == EFBIG;
}

/* A file that is not there, no file at all or too large is bad input; the rest is the machine's. */
static int fail_file(struct pp_error *err, const char *path, int code)
{
	char shown[128];

	pp_show(shown, sizeof(shown), path, strlen(path));
	return pp_fail(err, bad_input(code) ? EINVAL : code, "%s: %s", shown, strerror(code));
}

/* Doubles up to one byte over @max, which tells that there is more. */
static int read_stream(FILE *file, size_t max, char **text, size_t *len)
{
	size_t size = 0, used = 0, room;
	char *buffer = NULL, *grown;

	do {
		size = size ? size * 2 : 16384;
		if (size > max + 1)
			size = max + 1;
		grown = realloc(buffer, size);
		if (!grown) {
			free(buffer);
			return ENOMEM;
		}
		buffer = grown;
		room = size - used;
		used += fread(buffer + used, 1, room, file);
	} while (used == size && used <= max);

	if (ferror(file)) {
		int code = errno;

		free(buffer);
		return code;
	}
	*text = buffer;
	*len = used;
	return 0;
}

int cli_read_file(const char *path, size_t max, char **text, size_t *len, struct pp_error *err)
{
	FILE *file = strcmp(path, "-") == 0 ? stdin : fopen(path, "re");
	int code;

	if (!file)
		return fail_file(err, path, errno);
	code = read_stream(file, max, text, len);
	if (file != stdin)
		fclose(file);
	if (code)
		return fail_file(err, path, code);
	if (*len > max) {
		free(*text);
		return fail_file(err, path, EFBIG);
	}
	return 0;
}
