/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How long: "90s", "5m", "1h30m", "250ms". */
#ifndef PORTPUB_DURATION_H
#define PORTPUB_DURATION_H

#include "portpub/error.h"

#include <stdint.h>

/* At most this: a year. */
#define PP_DURATION_MAX_MS (365LL * 24 * 3600 * 1000)

/*
 * Numbers with a unit each (ms, s, m, h), the largest first; a number alone is seconds. 0 is what the caller says
 * it is. Returns 0, or -EINVAL with the error pointing at the part that is wrong.
 */
int pp_duration_parse(const char *text, size_t len, int64_t *out_ms, struct pp_error *err);

#endif
