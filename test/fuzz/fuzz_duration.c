/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Durations: within bounds, the sum of the parts, and written another way the same. */
#include "claims.h"

#include "portpub/duration.h"

#include <inttypes.h>
#include <stdio.h>

static int64_t worth(const char *unit, size_t len)
{
	if (len == 2)
		return memcmp(unit, "ms", 2) == 0 ? 1 : 0;
	return len != 1 ? 0 : *unit == 's' ? 1000 : *unit == 'm' ? 60000 : *unit == 'h' ? 3600000 : 0;
}

/* Part by part, by somebody else's reader of numbers; what is accepted has a unit each, but for seconds alone. */
static int64_t sum_of(const char *text)
{
	int64_t sum = 0;

	while (*text) {
		char *unit;
		uint64_t number = strtoull(text, &unit, 10);
		size_t len = strcspn(unit, "0123456789");
		int64_t each = *unit ? worth(unit, len) : 1000;

		claim(*text >= '0' && *text <= '9' && each > 0 && number <= PP_DURATION_MAX_MS);
		sum += (int64_t)number * each;
		text = unit + len;
	}
	return sum;
}

static void claim_reads_as(const char *text, int64_t want)
{
	struct pp_error err;
	int64_t ms = -1;

	claim(pp_duration_parse(text, strlen(text), &ms, &err) == 0 && ms == want);
}

static void claim_duration(int64_t ms)
{
	char text[64];

	snprintf(text, sizeof(text), "%" PRId64 "ms", ms);
	claim_reads_as(text, ms);
	snprintf(text, sizeof(text), "%" PRId64 "h%" PRId64 "m%" PRId64 "s%" PRId64 "ms", ms / 3600000,
		 ms / 60000 % 60, ms / 1000 % 60, ms % 1000);
	claim_reads_as(text, ms);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_error err = { 0 };
	int64_t ms = -1;
	char *text;

	if (pp_duration_parse((const char *)data, size, &ms, &err) < 0) {
		claim(ms == -1);
		claim_error(&err);
		return 0;
	}
	claim(ms >= 0 && ms <= PP_DURATION_MAX_MS);
	claim_duration(ms);
	text = strndup((const char *)data, size);
	claim(text && sum_of(text) == ms);
	free(text);
	return 0;
}
