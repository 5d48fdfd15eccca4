/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/duration.h"

#include <stdbool.h>
#include <string.h>

static const struct {
	const char *name;
	int64_t ms;
} units[] = { { "h", INT64_C(3600) * 1000 }, { "m", INT64_C(60) * 1000 }, { "s", 1000 }, { "ms", 1 } };

enum { UNITS = sizeof(units) / sizeof(units[0]) };

static size_t count_digits(const char *text, size_t len)
{
	size_t count = 0;

	while (count < len && text[count] >= '0' && text[count] <= '9')
		count++;
	return count;
}

static size_t count_letters(const char *text, size_t len)
{
	size_t count = 0;

	while (count < len && (text[count] < '0' || text[count] > '9'))
		count++;
	return count;
}

/* UNITS where it is none. */
static size_t find_unit(const char *text, size_t len)
{
	size_t i = 0;

	while (i < UNITS && (strlen(units[i].name) != len || memcmp(units[i].name, text, len) != 0))
		i++;
	return i;
}

/* Never past the maximum by more than one digit: so many hours are not too many milliseconds for the type. */
static int64_t read_number(const char *text, size_t len)
{
	int64_t number = 0;

	for (size_t i = 0; i < len && number <= PP_DURATION_MAX_MS; i++)
		number = number * 10 + (text[i] - '0');
	return number;
}

int pp_duration_parse(const char *text, size_t len, int64_t *out_ms, struct pp_error *err)
{
	struct pp_piece piece = { text, len, 0, len };
	int64_t sum = 0;
	size_t next = 0; /* units before this one have been */

	for (size_t at = 0; at < len || at == 0;) {
		size_t digits = count_digits(text + at, len - at);
		size_t letters = count_letters(text + at + digits, len - at - digits);
		size_t unit = find_unit(text + at + digits, letters);
		int64_t number = read_number(text + at, digits);

		if (at == 0 && digits == len && len > 0)
			unit = 2; /* seconds */
		piece.at = at;
		piece.len = digits + letters;
		if (digits == 0 || unit == UNITS || unit < next)
			return pp_fail_at(err, piece, "a duration is like 90s, 5m or 1h30m");
		sum += number * units[unit].ms;
		if (sum > PP_DURATION_MAX_MS)
			return pp_fail_at(err, piece, "longer than a year");
		next = unit + 1;
		at += digits + letters;
	}
	*out_ms = sum;
	return 0;
}
