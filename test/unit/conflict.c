/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/conflict.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *specs[4];
	const char *message; /* NULL: no conflict */
} conflicts[] = {
	{ { "80:80" }, NULL },
	{ { "80:80", "80:80/udp", "80:80/sctp" }, NULL },
	{ { "80:80", "80:81" },
	  "80:81/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request" },
	{ { "80:80", "80:80" },
	  "80:80/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request" },
	{ { "80:80", "127.0.0.1:80:80" },
	  "127.0.0.1:80:80/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request" },
	{ { "127.0.0.1:80:80", "80:80" },
	  "80:80/tcp: host port 80/tcp is already taken by 127.0.0.1:80:80/tcp in the same request" },
	{ { "80:80", "[::1]:80:80" },
	  "[::1]:80:80/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request" },
	{ { "0.0.0.0:80:80", "[::]:80:80" }, NULL },
	{ { "0.0.0.0:80:80", "[::1]:80:80" }, NULL },
	{ { "[::]:80:80", "127.0.0.1:80:80" }, NULL },
	{ { "[::]:80:80", "[2001:db8::1]:80:80" },
	  "[2001:db8::1]:80:80/tcp: host port 80/tcp is already taken by [::]:80:80/tcp in the same "
	  "request" },
	{ { "127.0.0.1:80:80", "127.0.0.2:80:80", "10.0.0.1:80:80" }, NULL },
	{ { "127.0.0.1:8000-8010:1-11", "127.0.0.1:8011-8020:1-10" }, NULL },
	{ { "127.0.0.1:8000-8010:1-11", "127.0.0.1:8010-8020:1-11" },
	  "127.0.0.1:8010-8020:1-11/tcp: host port 8010/tcp is already taken by 127.0.0.1:8000-8010:1-11/tcp "
	  "in the"
	  " same request" },
	{ { "127.0.0.1:1-65535:1-65535", "0.0.0.0:65535:1" },
	  "0.0.0.0:65535:1/tcp: host port 65535/tcp is already taken by 127.0.0.1:1-65535:1-65535/tcp in the "
	  "same"
	  " request" },
	{ { "10-20:10-20", "30-40:30-40", "127.0.0.1:25:25", "127.0.0.1:21-29:1-9/udp" }, NULL },
	{ { "10-20:10-20", "30-40:30-40", "127.0.0.1:25:25", "127.0.0.1:21-30:1-10" },
	  "127.0.0.1:21-30:1-10/tcp: host port 25/tcp is already taken by 127.0.0.1:25:25/tcp in the same "
	  "request" },
	{ { "80", "80", "8000-8010:80", "8000-8010:80" }, NULL },
	{ { "8000-8010:80", "8005:80" }, NULL },
};

START_TEST(conflict_names_the_port_that_is_asked_for_twice)
{
	size_t count = 0;
	struct pp_publications list;
	struct pp_error err = { 0 };
	int ret;

	while (count < 4 && conflicts[_i].specs[count])
		count++;
	list = unit_publications(conflicts[_i].specs, count);
	ret = pp_conflicts_find(&list, NULL, &err);
	if (conflicts[_i].message) {
		ck_assert_int_eq(ret, -EINVAL);
		ck_assert_str_eq(err.message, conflicts[_i].message);
	} else {
		ck_assert_msg(ret == 0, "%s", err.message);
	}
	pp_publications_fini(&list);
}
END_TEST

/* Do two publications want the same port of the same address? Port by port, as slowly as it is plain. */
static bool clash(const struct pp_publication *a, const struct pp_publication *b)
{
	bool families = a->address.family == b->address.family || a->address.family == AF_UNSPEC ||
			b->address.family == AF_UNSPEC;
	bool addresses = pp_address_is_any(&a->address) || pp_address_is_any(&b->address) ||
			 memcmp(a->address.bytes, b->address.bytes, 16) == 0;

	return a->protocol == b->protocol && families && addresses &&
	       a->host_port <= pp_publication_last(b) && b->host_port <= pp_publication_last(a);
}

START_TEST(conflict_agrees_with_the_plain_definition_on_random_lists)
{
	static const char *const addresses[] = { "",          "0.0.0.0:", "[::]:",     "127.0.0.1:",
						 "10.0.0.1:", "[::1]:",   "[fd00::1]:" };
	unsigned int seed = (unsigned int)_i;
	int found = 0;

	for (int round = 0; round < 500; round++) {
		struct pp_publications list = PP_PUBLICATIONS_INIT;
		struct pp_error err;
		bool wanted = false;

		for (int i = 0; i < 6; i++) {
			struct pp_publication publication;
			int first = 1 + rand_r(&seed) % 60, length = rand_r(&seed) % 4;
			char text[96];

			snprintf(text, sizeof(text), "%s%d-%d:%d-%d/%s",
				 addresses[(size_t)rand_r(&seed) % UNIT_COUNT(addresses)], first,
				 first + length, 1, 1 + length, rand_r(&seed) % 2 ? "tcp" : "udp");
			publication = unit_publication(text);
			for (size_t k = 0; k < list.count; k++)
				wanted |= clash(&list.items[k], &publication);
			pp_publications_append(&list, &publication, &err);
		}
		ck_assert_msg((pp_conflicts_find(&list, NULL, &err) < 0) == wanted, "seed %d, round %d", _i,
			      round);
		found += wanted;
		pp_publications_fini(&list);
	}
	ck_assert_int_gt(found, 50);
	ck_assert_int_lt(found, 450);
}
END_TEST

START_TEST(conflict_looks_through_the_longest_list_in_no_time)
{
	struct pp_publications list = PP_PUBLICATIONS_INIT;
	struct pp_publication publication = unit_publication("10.0.0.1:80:80");
	struct pp_error err;

	/* One port on as many addresses as there may be publications: no two overlap. */
	for (uint32_t i = 0; i < PP_PUBLICATIONS_MAX; i++) {
		publication.address.bytes[1] = (uint8_t)(i >> 16);
		publication.address.bytes[2] = (uint8_t)(i >> 8);
		publication.address.bytes[3] = (uint8_t)i;
		ck_assert_int_eq(pp_publications_append(&list, &publication, &err), 0);
	}
	ck_assert_int_eq(pp_conflicts_find(&list, NULL, &err), 0);
	list.items[PP_PUBLICATIONS_MAX - 1] = unit_publication("80:80");
	ck_assert_int_eq(pp_conflicts_find(&list, NULL, &err), -EINVAL);
	pp_publications_fini(&list);
}
END_TEST

Suite *suite_conflict(void)
{
	Suite *suite = suite_create("conflict");
	TCase *tcase = tcase_create("conflict");

	tcase_set_timeout(tcase, 30);
	tcase_add_loop_test(tcase, conflict_names_the_port_that_is_asked_for_twice, 0, UNIT_COUNT(conflicts));
	tcase_add_loop_test(tcase, conflict_agrees_with_the_plain_definition_on_random_lists, 1, 9);
	tcase_add_test(tcase, conflict_looks_through_the_longest_list_in_no_time);
	suite_add_tcase(suite, tcase);
	return suite;
}
