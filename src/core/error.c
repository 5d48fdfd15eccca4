/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/error.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static size_t shown_width(unsigned char byte)
{
	return byte >= 0x20 && byte < 0x7f ? 1 : sizeof("\\xff") - 1;
}

static size_t columns(const char *text, size_t len)
{
	size_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += shown_width((unsigned char)text[i]);
	return sum;
}

size_t pp_show(char *out, size_t size, const char *text, size_t len)
{
	static const char cut[] = "...";
	bool fits = columns(text, len) < size;
	size_t used = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (!fits && used + shown_width(byte) + sizeof(cut) > size) {
			memcpy(out + used, cut, sizeof(cut));
			return used + sizeof(cut) - 1;
		}
		if (shown_width(byte) == 1)
			out[used++] = (char)byte;
		else
			used += (size_t)snprintf(out + used, size - used, "\\x%02x", byte);
	}
	out[used] = '\0';
	return used;
}

__attribute__((format(printf, 3, 0))) static void begin(struct pp_error *err, int code, const char *format,
							va_list args)
{
	err->code = code;
	err->where[0] = '\0';
	err->input[0] = '\0';
	err->column = err->width = 0;
	vsnprintf(err->message, sizeof(err->message), format, args);
}

int pp_fail(struct pp_error *err, int code, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	begin(err, code, format, args);
	va_end(args);
	return -code;
}

int pp_fail_at(struct pp_error *err, struct pp_piece piece, const char *format, ...)
{
	va_list args;
	size_t shown;

	va_start(args, format);
	begin(err, EINVAL, format, args);
	va_end(args);

	shown = pp_show(err->input, sizeof(err->input), piece.whole, piece.whole_len);
	err->column = columns(piece.whole, piece.at);
	err->width = columns(pp_piece_text(piece), piece.len);
	if (err->column > shown)
		err->column = shown;
	if (err->width > shown - err->column)
		err->width = shown - err->column;
	if (err->width == 0)
		err->width = 1; /* what is missing is pointed at where it should be */
	return -EINVAL;
}

const char *pp_error_line(const struct pp_error *err, char out[static PP_ERROR_LINE])
{
	snprintf(out, PP_ERROR_LINE, "%s%s%s%s%s", err->where, err->where[0] ? ": " : "", err->input,
		 err->input[0] ? ": " : "", err->message);
	return out;
}
