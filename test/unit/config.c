/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/config.h"

#include <errno.h>
#include <string.h>

static int parse(const char *text, struct pp_config *out, struct pp_error *err)
{
	return pp_config_parse("portpub.conf", text, strlen(text), out, err);
}

static const struct {
	const char *text, *address;
	enum pp_via via;
	bool rules;
} good[] = {
	{ "", "", PP_VIA_AUTO, false },
	{ "\n\n", "", PP_VIA_AUTO, false },
	{ "# via = kernel", "", PP_VIA_AUTO, false },
	{ " \t# nothing\n \t \n", "", PP_VIA_AUTO, false },
	{ "via = auto", "", PP_VIA_AUTO, false },
	{ "via = kernel\n", "", PP_VIA_KERNEL, false },
	{ "via=userspace", "", PP_VIA_USERSPACE, false },
	{ "\t via\t=\tkernel \t# and nothing else", "", PP_VIA_KERNEL, false },
	{ "default-address = 127.0.0.1\nvia = userspace\n", "127.0.0.1", PP_VIA_USERSPACE, false },
	{ "default-address = ::1", "::1", PP_VIA_AUTO, false },
	{ "default-address = 0.0.0.0 # IPv4 alone", "0.0.0.0", PP_VIA_AUTO, false },
	{ "default-address=::ffff:192.0.2.1", "192.0.2.1", PP_VIA_AUTO, false },
	{ "docker-proxy.kernel = on", "", PP_VIA_AUTO, true },
	{ "docker-proxy.kernel = off\nvia = kernel", "", PP_VIA_KERNEL, false },
};

START_TEST(config_is_lines_of_keys_and_values)
{
	char text[PP_ADDRESS_TEXT];
	struct pp_config config;
	struct pp_error err;

	ck_assert_msg(parse(good[_i].text, &config, &err) == 0, "%s: %s", good[_i].text, err.message);
	ck_assert_str_eq(pp_address_format(&config.default_address, text), good[_i].address);
	ck_assert_int_eq(config.via, good[_i].via);
	ck_assert_int_eq(config.docker_proxy_kernel, good[_i].rules);
}
END_TEST

#define KEYS "no such key: there are default-address, via and docker-proxy.kernel"
#define LINE "a line is: key = value"

static const struct {
	const char *text, *where, *carets;
} bad[] = {
	{ "default-adress = 127.0.0.1", "portpub.conf:1", "^^^^^^^^^^^^^^ " KEYS },
	{ "\n# of this machine\n  Via = kernel", "portpub.conf:3", "  ^^^ " KEYS },
	{ "via.x = kernel", "portpub.conf:1", "^^^^^ " KEYS },
	{ "= kernel", "portpub.conf:1", "^ " KEYS },
	{ "vi\xff = kernel", "portpub.conf:1", "^^^^^^ " KEYS },
	{ "via kernel\n", "portpub.conf:1", "^^^^^^^^^^ " LINE },
	{ "via # = kernel", "portpub.conf:1", "^^^ " LINE },
	{ "via = kernel\n\nvia = kernel\n", "portpub.conf:3", "^^^ given twice" },
	{ "via = ", "portpub.conf:1", "      ^ auto, kernel or userspace" },
	{ "via = Kernel", "portpub.conf:1", "      ^^^^^^ auto, kernel or userspace" },
	{ "via = kernel userspace", "portpub.conf:1", "      ^^^^^^^^^^^^^^^^ auto, kernel or userspace" },
	{ "via = kernel\r\n", "portpub.conf:1", "      ^^^^^^^^^^ auto, kernel or userspace" },
	{ "via == kernel", "portpub.conf:1", "     ^^^^^^^^ auto, kernel or userspace" },
	{ "docker-proxy.kernel = yes", "portpub.conf:1", "                      ^^^ on or off" },
	{ "docker-proxy.kernel = on off", "portpub.conf:1", "                      ^^^^^^ on or off" },
	{ "default-address = localhost", "portpub.conf:1",
	  "                  ^^^^^^^^^ an IP address is wanted here, without brackets" },
	{ "default-address = [::1]", "portpub.conf:1",
	  "                  ^^^^^ an IP address is wanted here, without brackets" },
	{ "default-address = ff02::1", "portpub.conf:1",
	  "                  ^^^^^^^ a multicast address is nobody's to publish on" },
};

START_TEST(config_error_names_the_line_and_points_at_the_fault)
{
	struct pp_config config = { .via = PP_VIA_KERNEL };
	struct pp_error err;

	ck_assert_msg(parse(bad[_i].text, &config, &err) == -EINVAL, "\"%s\" was accepted", bad[_i].text);
	ck_assert_str_eq(err.where, bad[_i].where);
	ck_assert_str_eq(unit_carets(&err), bad[_i].carets);
	ck_assert_int_eq(config.via, PP_VIA_KERNEL); /* as it was */
}
END_TEST

/* Nothing behind the length is read, and a NUL is no end of anything. */
START_TEST(config_ends_where_its_length_says)
{
	struct pp_config config;
	struct pp_error err;

	ck_assert_int_eq(pp_config_parse("x", "via = kernels", 12, &config, &err), 0);
	ck_assert_int_eq(config.via, PP_VIA_KERNEL);
	ck_assert_int_eq(pp_config_parse("x", "via = kernel\0", 13, &config, &err), -EINVAL);
	ck_assert_int_eq(pp_config_parse("x", "via = kernel\0nonsense", 21, &config, &err), -EINVAL);
}
END_TEST

/* What says an address, be it that of all of a family, keeps it. */
START_TEST(config_address_is_for_those_that_say_none)
{
	static const char *const specs[] = { "80:80", "0.0.0.0:81:80", "[::1]:82:80" };
	struct pp_publications list = unit_publications(specs, UNIT_COUNT(specs));
	static const char *const wanted[] = { "127.0.0.1", "0.0.0.0", "::1" };
	char text[PP_ADDRESS_TEXT];
	struct pp_config config;
	struct pp_error err;

	ck_assert_int_eq(parse("default-address = 127.0.0.1", &config, &err), 0);
	pp_config_address(&config, &list);
	for (size_t i = 0; i < list.count; i++)
		ck_assert_str_eq(pp_address_format(&list.items[i].address, text), wanted[i]);
	pp_publications_fini(&list);
}
END_TEST

Suite *suite_config(void)
{
	Suite *suite = suite_create("config");
	TCase *tcase = tcase_create("config");

	tcase_add_loop_test(tcase, config_is_lines_of_keys_and_values, 0, UNIT_COUNT(good));
	tcase_add_loop_test(tcase, config_error_names_the_line_and_points_at_the_fault, 0, UNIT_COUNT(bad));
	tcase_add_test(tcase, config_ends_where_its_length_says);
	tcase_add_test(tcase, config_address_is_for_those_that_say_none);
	suite_add_tcase(suite, tcase);
	return suite;
}
