/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/address.h"

#include <string.h>

static const struct {
	const char *text, *canonical;
	sa_family_t family;
	enum pp_address_class class;
} good[] = {
	{ "0.0.0.0", "0.0.0.0", AF_INET, PP_CLASS_ANY },
	{ "127.0.0.1", "127.0.0.1", AF_INET, PP_CLASS_LOOPBACK },
	{ "127.255.255.254", "127.255.255.254", AF_INET, PP_CLASS_LOOPBACK },
	{ "128.0.0.1", "128.0.0.1", AF_INET, PP_CLASS_SPECIFIC },
	{ "169.254.1.1", "169.254.1.1", AF_INET, PP_CLASS_SPECIFIC },
	{ "255.255.255.255", "255.255.255.255", AF_INET, PP_CLASS_SPECIFIC },
	{ "::", "::", AF_INET6, PP_CLASS_ANY },
	{ "0:0:0:0:0:0:0:0", "::", AF_INET6, PP_CLASS_ANY },
	{ "::1", "::1", AF_INET6, PP_CLASS_LOOPBACK },
	{ "::2", "::2", AF_INET6, PP_CLASS_SPECIFIC },
	{ "fe80::1", "fe80::1", AF_INET6, PP_CLASS_LINK_LOCAL },
	{ "febf::1", "febf::1", AF_INET6, PP_CLASS_LINK_LOCAL },
	{ "fec0::1", "fec0::1", AF_INET6, PP_CLASS_SPECIFIC },
	{ "2001:DB8::A", "2001:db8::a", AF_INET6, PP_CLASS_SPECIFIC },
	{ "::ffff:127.0.0.1", "127.0.0.1", AF_INET, PP_CLASS_LOOPBACK },
	{ "::ffff:0:0", "0.0.0.0", AF_INET, PP_CLASS_ANY },
	{ "::FFFF:7f00:1", "127.0.0.1", AF_INET, PP_CLASS_LOOPBACK },
	{ "64:ff9b::192.0.2.1", "64:ff9b::c000:201", AF_INET6, PP_CLASS_SPECIFIC },
	{ "1111:2222:3333:4444:5555:6666:255.255.255.255", "1111:2222:3333:4444:5555:6666:ffff:ffff",
	  AF_INET6, PP_CLASS_SPECIFIC },
};

START_TEST(address_reads_every_written_form_as_one_value)
{
	char text[PP_ADDRESS_TEXT];
	struct pp_address address;

	ck_assert_msg(pp_address_parse(good[_i].text, strlen(good[_i].text), &address), "%s", good[_i].text);
	ck_assert_str_eq(pp_address_format(&address, text), good[_i].canonical);
	ck_assert_int_eq(address.family, good[_i].family);
	ck_assert_msg(pp_address_class(&address) == good[_i].class, "%s is %s", good[_i].text,
		      pp_address_class_name(pp_address_class(&address)));
}
END_TEST

static const char *const bad[] = {
	"",
	" ",
	"1",
	"1.2.3",
	"1.2.3.4.5",
	"01.2.3.4",
	"1.2.3.04",
	"1.2.3.256",
	"0x7f.0.0.1",
	"1.2.3.-4",
	"1.2.3.4 ",
	" 1.2.3.4",
	"1.2.3.4/8",
	"localhost",
	":",
	":::",
	"1::2::3",
	"12345::",
	"::1%lo",
	"[::1]",
	"1:2:3:4:5:6:7:8:9",
	"::g",
	"::1.2.3",
	"*",
	"fe80::1%eth0",
	"::ffff:1.2.3.04",
	"1111:2222:3333:4444:5555:6666:255.255.255.255:",
};

START_TEST(address_refuses_what_is_no_address)
{
	struct pp_address address;

	ck_assert_msg(!pp_address_parse(bad[_i], strlen(bad[_i]), &address), "\"%s\" was accepted", bad[_i]);
}
END_TEST

START_TEST(address_ends_where_its_length_says)
{
	struct pp_address address;
	char text[PP_ADDRESS_TEXT];

	ck_assert(pp_address_parse("10.0.0.123", 9, &address));
	ck_assert_str_eq(pp_address_format(&address, text), "10.0.0.12");
	ck_assert(!pp_address_parse("10.0.0.1\0", 9, &address));
}
END_TEST

START_TEST(address_of_every_host_address_has_no_text)
{
	struct pp_address every = { .family = AF_UNSPEC };
	char text[PP_ADDRESS_TEXT] = "x";

	ck_assert_str_eq(pp_address_format(&every, text), "");
	ck_assert(pp_address_is_any(&every));
	ck_assert_int_eq(pp_address_class(&every), PP_CLASS_ANY);
}
END_TEST

START_TEST(address_knows_what_no_host_can_own)
{
	static const struct {
		const char *text;
		bool multicast;
	} rows[] = {
		{ "224.0.0.1", true }, { "239.255.255.255", true }, { "255.255.255.255", true },
		{ "ff02::1", true },   { "223.0.0.1", false },      { "240.0.0.1", false },
		{ "fe80::1", false },
	};
	struct pp_address address;

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		ck_assert(pp_address_parse(rows[i].text, strlen(rows[i].text), &address));
		ck_assert_msg(pp_address_is_multicast(&address) == rows[i].multicast, "%s", rows[i].text);
	}
}
END_TEST

Suite *suite_address(void)
{
	Suite *suite = suite_create("address");
	TCase *tcase = tcase_create("address");

	tcase_add_loop_test(tcase, address_reads_every_written_form_as_one_value, 0, UNIT_COUNT(good));
	tcase_add_loop_test(tcase, address_refuses_what_is_no_address, 0, UNIT_COUNT(bad));
	tcase_add_test(tcase, address_ends_where_its_length_says);
	tcase_add_test(tcase, address_of_every_host_address_has_no_text);
	tcase_add_test(tcase, address_knows_what_no_host_can_own);
	suite_add_tcase(suite, tcase);
	return suite;
}
