/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "cli.h"
#include "portpub/publish.h"

#include <errno.h>
#include <stdarg.h>
#include <string.h>

static const char prefix[] = "portpub: ";

static int status_of(int code)
{
	switch (code) {
	case EINVAL:
	case EBADMSG:
		return CLI_USAGE;
	case EADDRINUSE:
		return CLI_TAKEN;
	case EPERM:
	case EACCES:
	case EOPNOTSUPP:
		return CLI_NOT_PERMITTED;
	default:
		return CLI_FAILED;
	}
}

static void repeat(char c, size_t count)
{
	while (count--)
		fputc(c, stderr);
}

int cli_fail(const struct pp_error *err)
{
	const char *separator = err->where[0] ? ": " : "";
	size_t indent = sizeof(prefix) - 1 + strlen(err->where) + strlen(separator) + err->column;

	fprintf(stderr, "%s%s%s", prefix, err->where, separator);
	if (err->input[0] || err->width) {
		fprintf(stderr, "%s\n", err->input);
		repeat(' ', indent);
		repeat('^', err->width);
		fputc(' ', stderr);
	}
	fprintf(stderr, "%s\n", err->message);
	return status_of(err->code);
}

int cli_fail_usage(const char *format, ...)
{
	va_list args;

	fputs(prefix, stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return CLI_USAGE;
}

static void say(const char *line, void *data)
{
	(void)data;
	fprintf(stderr, "%s%s\n", prefix, line);
}

const struct pp_report cli_report = { say, NULL };

int cli_finish(void)
{
	struct pp_error err;

	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return CLI_DONE;
	pp_fail(&err, EIO, "cannot write the answer%s%s", errno ? ": " : "", errno ? strerror(errno) : "");
	return cli_fail(&err);
}
