/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/record.h"
#include "portpub/spec.h"

#include <errno.h>
#include <string.h>

static const struct {
	const char *id, *carets; /* NULL: it is one */
} ids[] = {
	{ "web", NULL },
	{ "8080", NULL },
	{ "a.b_c-D9", NULL },
	{ "x", NULL },
	{ "012345678901234567890123456789012345678901234567890123456789012", NULL },
	{ "0123456789012345678901234567890123456789012345678901234567890123",
	  "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^ an id has at most 63 "
	  "characters" },
	{ ".", "^ an id begins with a letter or a digit" },
	{ "..", "^ an id begins with a letter or a digit" },
	{ "-rf", "^ an id begins with a letter or a digit" },
	{ "_a", "^ an id begins with a letter or a digit" },
	{ "a/b", " ^ an id is made of letters, digits, '.', '_' and '-'" },
	{ "a b", " ^ an id is made of letters, digits, '.', '_' and '-'" },
	{ "a\nb", " ^^^^ an id is made of letters, digits, '.', '_' and '-'" },
	{ "a\"", " ^ an id is made of letters, digits, '.', '_' and '-'" },
};

START_TEST(id_is_safe_as_the_name_of_a_file)
{
	struct pp_error err;
	int ret = pp_id_check(ids[_i].id, &err);

	if (ids[_i].carets) {
		ck_assert_int_eq(ret, -EINVAL);
		ck_assert_str_eq(unit_carets(&err), ids[_i].carets);
	} else {
		ck_assert_int_eq(ret, 0);
	}
}
END_TEST

START_TEST(id_has_at_least_one_character)
{
	struct pp_error err;

	ck_assert_int_eq(pp_id_check("", &err), -EINVAL);
	ck_assert_str_eq(err.message, "an id has at least one letter or digit");
}
END_TEST

START_TEST(id_that_is_made_up_is_a_name_and_another_one_each_time)
{
	static char made[1000][PP_ID_SIZE];
	struct pp_publication publication;
	struct pp_error err;

	for (size_t i = 0; i < UNIT_COUNT(made); i++) {
		ck_assert_int_eq(pp_id_make(made[i], &err), 0);
		ck_assert_int_eq(pp_id_check(made[i], &err), 0);
		ck_assert_uint_eq(strlen(made[i]), 8);
		ck_assert_msg(pp_spec_parse(made[i], 8, PP_SPEC_ALL, &publication, &err) < 0, "%s", made[i]);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(made[i], made[j]);
	}
}
END_TEST

Suite *suite_record(void)
{
	Suite *suite = suite_create("record");
	TCase *tcase = tcase_create("record");

	tcase_add_loop_test(tcase, id_is_safe_as_the_name_of_a_file, 0, UNIT_COUNT(ids));
	tcase_add_test(tcase, id_has_at_least_one_character);
	tcase_add_test(tcase, id_that_is_made_up_is_a_name_and_another_one_each_time);
	suite_add_tcase(suite, tcase);
	return suite;
}
