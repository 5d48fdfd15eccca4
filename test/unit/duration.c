/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/duration.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *text;
	int64_t ms;
} good[] = {
	{ "0", 0 },
	{ "0s", 0 },
	{ "1", 1000 },
	{ "90s", 90 * 1000 },
	{ "5m", 5 * 60 * 1000 },
	{ "1h", 3600 * 1000 },
	{ "250ms", 250 },
	{ "1h30m", 90 * 60 * 1000 },
	{ "1h2m3s4ms", 3723004 },
	{ "1h4ms", 3600004 },
	{ "90m", 90 * 60 * 1000 },
	{ "8760h", PP_DURATION_MAX_MS },
	{ "8759h60m", PP_DURATION_MAX_MS },
	{ "31536000000ms", PP_DURATION_MAX_MS },
	{ "00000000000000000000000000000000000000007s", 7000 },
};

START_TEST(duration_is_the_sum_of_its_parts)
{
	struct pp_error err;
	int64_t ms = -1;

	ck_assert_msg(pp_duration_parse(good[_i].text, strlen(good[_i].text), &ms, &err) == 0, "%s: %s",
		      good[_i].text, err.message);
	ck_assert_int_eq(ms, good[_i].ms);
}
END_TEST

#define FORM "a duration is like 90s, 5m or 1h30m"
#define LONG "longer than a year"

static const struct {
	const char *text, *carets;
} bad[] = {
	{ "", "^ " FORM },
	{ "s", "^ " FORM },
	{ "-1", "^ " FORM },
	{ "+5s", "^ " FORM },
	{ " 5s", "^ " FORM },
	{ "5 s", "^^^ " FORM },
	{ "5s ", "^^^ " FORM },
	{ "1.5h", "^^ " FORM },
	{ "5S", "^^ " FORM },
	{ "5d", "^^ " FORM },
	{ "5us", "^^^ " FORM },
	{ "0x5s", "^^ " FORM },
	{ "1h30", "  ^^ " FORM },
	{ "30m1h", "   ^^ " FORM },
	{ "1s1s", "  ^^ " FORM },
	{ "1h1hh", "  ^^^ " FORM },
	{ "8761h", "^^^^^ " LONG },
	{ "8760h1ms", "     ^^^ " LONG },
	{ "31536001", "^^^^^^^^ " LONG },
	{ "18446744073709551616s", "^^^^^^^^^^^^^^^^^^^^^ " LONG },
	{ "9223372036854775807ms", "^^^^^^^^^^^^^^^^^^^^^ " LONG },
	{ "99999999999999999999h99999999999999999999m", "^^^^^^^^^^^^^^^^^^^^^ " LONG },
};

START_TEST(duration_error_points_at_the_part_that_is_wrong)
{
	struct pp_error err;
	int64_t ms = -1;

	ck_assert_msg(pp_duration_parse(bad[_i].text, strlen(bad[_i].text), &ms, &err) == -EINVAL,
		      "\"%s\" was accepted", bad[_i].text);
	ck_assert_str_eq(unit_carets(&err), bad[_i].carets);
	ck_assert_int_eq(ms, -1);
}
END_TEST

/* Nothing behind the length is read, and a NUL is no end. */
START_TEST(duration_ends_where_its_length_says)
{
	struct pp_error err;
	int64_t ms;

	ck_assert_int_eq(pp_duration_parse("5m30s", 2, &ms, &err), 0);
	ck_assert_int_eq(ms, 5 * 60 * 1000);
	ck_assert_int_eq(pp_duration_parse("5m\0s", 4, &ms, &err), -EINVAL);
	ck_assert_int_eq(pp_duration_parse("5\0s", 3, &ms, &err), -EINVAL);
}
END_TEST

Suite *suite_duration(void)
{
	Suite *suite = suite_create("duration");
	TCase *tcase = tcase_create("duration");

	tcase_add_loop_test(tcase, duration_is_the_sum_of_its_parts, 0, UNIT_COUNT(good));
	tcase_add_loop_test(tcase, duration_error_points_at_the_part_that_is_wrong, 0, UNIT_COUNT(bad));
	tcase_add_test(tcase, duration_ends_where_its_length_says);
	suite_add_tcase(suite, tcase);
	return suite;
}
