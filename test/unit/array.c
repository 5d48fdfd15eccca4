/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/array.h"

#include <stdint.h>
#include <stdlib.h>

START_TEST(array_keeps_what_is_in_it_and_grows_by_a_half)
{
	size_t capacity = 0, moves = 0;
	uint32_t *items = NULL;

	for (uint32_t i = 0; i < 10000; i++) {
		size_t before = capacity;
		uint32_t *grown = pp_grown(items, i, &capacity, sizeof(*grown));

		ck_assert_ptr_nonnull(grown);
		items = grown;
		items[i] = i;
		moves += capacity != before;
		ck_assert_uint_gt(capacity, i);
		ck_assert_uint_le(capacity, 8 + i + i / 2);
	}
	for (uint32_t i = 0; i < 10000; i++)
		ck_assert_uint_eq(items[i], i);
	ck_assert_uint_lt(moves, 20);
	free(items);
}
END_TEST

#ifndef __SANITIZE_ADDRESS__ /* which ends whoever asks for so much */
START_TEST(array_that_cannot_grow_stays_as_it_was)
{
	size_t capacity = 0;
	uint32_t *items = pp_grown(NULL, 0, &capacity, sizeof(*items));
	size_t before = capacity;

	ck_assert_ptr_nonnull(items);
	items[0] = 7;
	ck_assert_ptr_null(pp_grown(items, capacity, &capacity, SIZE_MAX / 8));
	ck_assert_uint_eq(capacity, before);
	ck_assert_uint_eq(items[0], 7);
	free(items);
}
END_TEST
#endif

Suite *suite_array(void)
{
	Suite *suite = suite_create("array");
	TCase *tcase = tcase_create("array");

	tcase_add_test(tcase, array_keeps_what_is_in_it_and_grows_by_a_half);
#ifndef __SANITIZE_ADDRESS__
	tcase_add_test(tcase, array_that_cannot_grow_stays_as_it_was);
#endif
	suite_add_tcase(suite, tcase);
	return suite;
}
