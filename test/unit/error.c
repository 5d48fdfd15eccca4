/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

START_TEST(error_shows_no_raw_byte)
{
	char out[32];

	ck_assert_uint_eq(pp_show(out, sizeof(out), "a\x1b[31m\n\xff\0z", 10), 22);
	ck_assert_str_eq(out, "a\\x1b[31m\\x0a\\xff\\x00z");
}
END_TEST

START_TEST(error_cuts_long_text_between_bytes)
{
	char out[9];

	ck_assert_uint_eq(pp_show(out, sizeof(out), "12345678", 8), 8);
	ck_assert_str_eq(out, "12345678");
	pp_show(out, sizeof(out), "123456789", 9);
	ck_assert_str_eq(out, "12345...");
	pp_show(out, sizeof(out), "123\xff\xff", 5);
	ck_assert_str_eq(out, "123...");
}
END_TEST

START_TEST(error_points_at_the_piece_as_it_is_shown)
{
	struct pp_piece piece = { "\x1b:80", 4, 2, 2 };
	struct pp_error err;

	ck_assert_int_eq(pp_fail_at(&err, piece, "no"), -EINVAL);
	ck_assert_str_eq(err.input, "\\x1b:80");
	ck_assert_uint_eq(err.column, 5);
	ck_assert_uint_eq(err.width, 2);
}
END_TEST

START_TEST(error_of_a_long_input_stays_in_bounds)
{
	static char text[100000];
	struct pp_error err;

	memset(text, 0xff, sizeof(text));
	pp_fail_at(&err, (struct pp_piece){ text, sizeof(text), 90000, 5000 }, "no");
	ck_assert_uint_lt(strlen(err.input), sizeof(err.input));
	ck_assert_uint_le(err.column, strlen(err.input));
}
END_TEST

START_TEST(error_begins_anew)
{
	struct pp_error err;

	pp_fail_at(&err, (struct pp_piece){ "80", 2, 0, 2 }, "first");
	strcpy(err.where, "ports[0]");
	ck_assert_int_eq(pp_fail(&err, ENOMEM, "second %d", 2), -ENOMEM);
	ck_assert_str_eq(err.where, "");
	ck_assert_str_eq(err.input, "");
	ck_assert_str_eq(err.message, "second 2");
}
END_TEST

START_TEST(error_is_said_in_one_line)
{
	char line[PP_ERROR_LINE];
	struct pp_error err;

	pp_fail(&err, ENOENT, "nothing there");
	ck_assert_str_eq(pp_error_line(&err, line), "nothing there");
	pp_fail_at(&err, (struct pp_piece){ "a = yes", 7, 4, 3 }, "on or off");
	ck_assert_str_eq(pp_error_line(&err, line), "a = yes: on or off");
	snprintf(err.where, sizeof(err.where), "conf:1");
	ck_assert_str_eq(pp_error_line(&err, line), "conf:1: a = yes: on or off");

	memset(err.where, 'w', sizeof(err.where) - 1);
	memset(err.input, 'i', sizeof(err.input) - 1);
	memset(err.message, 'm', sizeof(err.message) - 1);
	err.where[sizeof(err.where) - 1] = err.input[sizeof(err.input) - 1] =
		err.message[sizeof(err.message) - 1] = '\0';
	pp_error_line(&err, line);
	ck_assert_uint_eq(strlen(line),
			  sizeof(err.where) + sizeof(err.input) + sizeof(err.message) - 3 + 2 * strlen(": "));
}
END_TEST

Suite *suite_error(void)
{
	Suite *suite = suite_create("error");
	TCase *tcase = tcase_create("error");

	tcase_add_test(tcase, error_shows_no_raw_byte);
	tcase_add_test(tcase, error_cuts_long_text_between_bytes);
	tcase_add_test(tcase, error_points_at_the_piece_as_it_is_shown);
	tcase_add_test(tcase, error_of_a_long_input_stays_in_bounds);
	tcase_add_test(tcase, error_begins_anew);
	tcase_add_test(tcase, error_is_said_in_one_line);
	suite_add_tcase(suite, tcase);
	return suite;
}
