/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Port numbers and ranges as people write them; for the readers of this room. */
#ifndef PORTPUB_CORE_RANGE_H
#define PORTPUB_CORE_RANGE_H

#include "portpub/error.h"

#include <stdint.h>

/* first and last are both 0 for "choose a free one". */
struct pp_range {
	uint16_t first, last;
};

static inline uint32_t pp_range_length(struct pp_range range)
{
	return (uint32_t)range.last - range.first + 1;
}

enum pp_range_kind {
	PP_HOST_PORT,      /* 0 (or 0-0) is allowed */
	PP_CONTAINER_PORT, /* 1 to 65535 */
};

/*
 * Read FIRST[-LAST] in decimal, leading zeros allowed, ascending. -EINVAL with the error pointing at the
 * number that is wrong. @piece is not empty: what that means is for the caller to say.
 */
int pp_range_parse(struct pp_piece piece, enum pp_range_kind kind, struct pp_range *out,
		   struct pp_error *err);

/* The same without a range: digits only. */
int pp_port_parse(struct pp_piece piece, enum pp_range_kind kind, uint16_t *out, struct pp_error *err);

#endif
