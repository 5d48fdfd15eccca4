/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/attachment.h"
#include "portpub/record.h"

#include <stdio.h>
#include <string.h>

static const struct {
	const char *text;
	bool is_name;
} names[] = {
	{ "podman", true },
	{ "3b589b589218855c24c4831986b6d7330bbe87a16316ffc7e08df8b51013e658", true },
	{ "a.b_c-D9", true },
	{ "9", true },
	{ "", false },
	{ ".a", false },
	{ "-a", false },
	{ "_a", false },
	{ "a/b", false },
	{ "a b", false },
	{ "../../etc", false },
	{ "a\nb", false },
	{ "n\xc3\xa4"
	  "e",
	  false },
};

START_TEST(attachment_names_are_letters_digits_and_a_few_signs)
{
	ck_assert_msg(pp_attachment_is_name(names[_i].text) == names[_i].is_name, "%s", names[_i].text);
}
END_TEST

START_TEST(attachment_names_are_no_longer_than_a_record_has_room_for)
{
	char name[PP_ATTACHMENT_NAME + 1];

	memset(name, 'a', sizeof(name));
	name[PP_ATTACHMENT_NAME] = '\0';
	ck_assert(!pp_attachment_is_name(name));
	name[PP_ATTACHMENT_NAME - 1] = '\0';
	ck_assert(pp_attachment_is_name(name));
}
END_TEST

static struct pp_attachment make(const char *network, const char *container, const char *interface)
{
	struct pp_attachment attachment = { 0 };

	snprintf(attachment.network, sizeof(attachment.network), "%s", network);
	snprintf(attachment.container, sizeof(attachment.container), "%s", container);
	snprintf(attachment.interface, sizeof(attachment.interface), "%s", interface);
	return attachment;
}

/* Each has an id of its own, the names that run into one another, too. */
static const char *const triples[][3] = {
	{ "net", "web", "eth0" },           { "net", "web", "eth1" },
	{ "net2", "web", "eth0" },          { "net", "web2", "eth0" },
	{ "ne", "tweb", "eth0" },           { "netweb", "x", "eth0" },
	{ "net", "webe", "th0" },           { "net", "web", "eth" },
	{ "web", "net", "eth0" },           { "net", "0123456789ab1", "eth0" },
	{ "net", "0123456789ab2", "eth0" },
};

START_TEST(attachment_id_tells_all_three_names_apart)
{
	char ids[UNIT_COUNT(triples)][PP_ATTACHMENT_ID];
	struct pp_error err;

	for (size_t i = 0; i < UNIT_COUNT(triples); i++) {
		struct pp_attachment a = make(triples[i][0], triples[i][1], triples[i][2]);

		ck_assert_int_eq(pp_id_check(pp_attachment_id(&a, ids[i]), &err), 0);
		for (size_t j = 0; j < i; j++)
			ck_assert_str_ne(ids[i], ids[j]);
	}
}
END_TEST

START_TEST(attachment_share_is_of_the_container_alone)
{
	struct pp_attachment a = make("net", "web", "eth0"), b = make("other", "web", "eth1"),
			     c = make("net", "web2", "eth0");
	char shares[3][PP_ATTACHMENT_SHARE];

	ck_assert_str_eq(pp_attachment_share(&a, shares[0]), pp_attachment_share(&b, shares[1]));
	ck_assert_str_ne(shares[0], pp_attachment_share(&c, shares[2]));
}
END_TEST

START_TEST(attachment_copy_has_what_it_waits_for_of_its_own)
{
	struct pp_attachment from = make("net", "web", "eth0"), *to;

	from.waiting = unit_publications((const char *const[]){ "80:80", "0.0.0.0:81:80/udp" }, 2);
	to = pp_attachment_copy(&from);
	ck_assert_str_eq(to->container, "web");
	ck_assert_uint_eq(to->waiting.count, 2);
	ck_assert_ptr_ne(to->waiting.items, from.waiting.items);
	ck_assert_uint_eq(to->waiting.items[1].host_port, 81);
	pp_publications_fini(&from.waiting);
	pp_attachment_free(to);
	pp_attachment_free(NULL);
}
END_TEST

Suite *suite_attachment(void)
{
	Suite *suite = suite_create("attachment");
	TCase *test = tcase_create("attachment");

	tcase_add_loop_test(test, attachment_names_are_letters_digits_and_a_few_signs, 0, UNIT_COUNT(names));
	tcase_add_test(test, attachment_names_are_no_longer_than_a_record_has_room_for);
	tcase_add_test(test, attachment_id_tells_all_three_names_apart);
	tcase_add_test(test, attachment_share_is_of_the_container_alone);
	tcase_add_test(test, attachment_copy_has_what_it_waits_for_of_its_own);
	suite_add_tcase(suite, test);
	return suite;
}
