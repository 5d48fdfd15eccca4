/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "range.h"

#include <stdbool.h>
#include <string.h>

enum { PORT_MAX = 65535 };

/* Checked as it grows, so that no length of digits overflows and nothing is narrowed unseen. */
static bool decimal(struct pp_piece piece, uint16_t *out)
{
	uint32_t value = 0;

	if (piece.len == 0 || piece.len > PP_ERROR_INPUT_MAX)
		return false;
	for (size_t i = 0; i < piece.len; i++) {
		char c = pp_piece_text(piece)[i];

		if (c < '0' || c > '9')
			return false;
		value = value * 10 + (uint32_t)(c - '0');
		if (value > PORT_MAX)
			return false;
	}
	*out = (uint16_t)value;
	return true;
}

static int fail_number(struct pp_error *err, struct pp_piece piece, enum pp_range_kind kind)
{
	return pp_fail_at(err, piece, "%s",
			  kind == PP_HOST_PORT ? "host port must be 1 to 65535, or 0 for a free one"
					       : "container port must be 1 to 65535");
}

int pp_port_parse(struct pp_piece piece, enum pp_range_kind kind, uint16_t *out, struct pp_error *err)
{
	if (!decimal(piece, out) || (*out == 0 && kind == PP_CONTAINER_PORT))
		return fail_number(err, piece, kind);
	return 0;
}

int pp_range_parse(struct pp_piece piece, enum pp_range_kind kind, struct pp_range *out, struct pp_error *err)
{
	const char *text = pp_piece_text(piece), *dash = memchr(text, '-', piece.len);
	struct pp_piece low = piece, high = piece;
	struct pp_range range;

	if (dash) {
		low.len = (size_t)(dash - text);
		high.at += low.len + 1;
		high.len -= low.len + 1;
		if (low.len == 0 || high.len == 0)
			return pp_fail_at(err, piece, "a range is written FIRST-LAST, as in 8000-8010");
	}
	if (!decimal(low, &range.first))
		return fail_number(err, low, kind);
	if (!decimal(high, &range.last))
		return fail_number(err, high, kind);
	if (range.first > range.last && range.last != 0)
		return pp_fail_at(err, piece, "a range ascends: did you mean %u-%u?", range.last,
				  range.first);
	if (range.last == 0 && kind == PP_CONTAINER_PORT)
		return fail_number(err, piece, kind);
	if ((range.first == 0) != (range.last == 0))
		return pp_fail_at(err, range.first == 0 ? low : high, "a range of ports cannot contain 0");
	*out = range;
	return 0;
}
