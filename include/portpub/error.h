/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong, in the user's words.
 *
 * A function that can fail returns 0 or -errno and fills the error its caller owns. Everything is in
 * fixed buffers: there is nothing to free, and running out of memory can be told like anything else.
 * Whatever came from outside is made printable on its way in, so that no input reaches a terminal raw.
 */
#ifndef PORTPUB_ERROR_H
#define PORTPUB_ERROR_H

#include <stddef.h>

/* Bytes of input that an error always shows whole; each takes at most four columns ("\xff"). */
enum { PP_ERROR_INPUT_MAX = 256 };

struct pp_error {
	int code;                               /* a positive errno; see below */
	char where[160];                        /* the place in a document, "ports[2].target"; may be "" */
	char input[PP_ERROR_INPUT_MAX * 4 + 4]; /* what was written; "" where the message stands alone */
	size_t column, width;                   /* the fault in `input`, as shown */
	char message[320];                      /* what is wrong, and what would be right */
};

/* A piece of what somebody wrote, which remembers the whole so that an error can point at it. */
struct pp_piece {
	const char *whole;
	size_t whole_len;
	size_t at, len;
};

static inline const char *pp_piece_text(struct pp_piece piece)
{
	return piece.whole + piece.at;
}

/*
 * Fill @err and return -@code. EINVAL (and EBADMSG, for a document that cannot be parsed at all) is kept
 * for what the user wrote: a room that gets EINVAL from the kernel gives it another code. EADDRINUSE is a
 * port that somebody has, EPERM and EACCES a missing privilege, EOPNOTSUPP a missing part of the kernel. The message begins anew; `where` and `input`
 * are cleared.
 */
__attribute__((format(printf, 3, 4))) int pp_fail(struct pp_error *err, int code, const char *format, ...);

/* The same with EINVAL, pointing at @piece: what was written, and carets under the fault. */
__attribute__((format(printf, 3, 4))) int pp_fail_at(struct pp_error *err, struct pp_piece piece,
						     const char *format, ...);

/* All of it in one line, for those who show no carets: where, what was written, and what is wrong with that. */
enum { PP_ERROR_LINE = sizeof(struct pp_error) };
const char *pp_error_line(const struct pp_error *err, char out[static PP_ERROR_LINE]);

/*
 * Write @text to @out with every byte that is not printable ASCII as \xNN, whole or cut with "..." at
 * @size. Returns the columns written.
 */
size_t pp_show(char *out, size_t size, const char *text, size_t len);

#endif
