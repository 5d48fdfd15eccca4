/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/port.h"
#include "portpub/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *print(const char *const specs[], size_t count, const char *to)
{
	struct pp_publications list = unit_publications(specs, count);
	struct pp_plan_input input = { 0 };
	struct pp_ruleset ruleset = { &list, &input, { "br0", "br0" } };
	struct pp_error err;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(pp_target_parse(to, strlen(to), &input.target, &err), 0);
	ck_assert_int_eq(pp_ruleset_check(&ruleset, &err), 0);
	pp_ruleset_print(&ruleset, out);
	fclose(out);
	pp_publications_fini(&list);
	return text;
}

static const struct {
	const char *spec, *to, *element; /* NULL: no element at all */
} elements[] = {
	{ "80:81", "10.0.0.2",
	  "map any4 {\n\t\ttype inet_proto . inet_service : ipv4_addr . inet_service\n\t\tcounter\n"
	  "\t\telements = { tcp . 80 counter packets 0 bytes 0 : 10.0.0.2 . 81 }\n" },
	{ "[::]:80:81/udp", "fd00::2",
	  "\t\telements = { udp . 80 counter packets 0 bytes 0 : fd00::2 . 81 }\n" },
	{ "192.0.2.1:80:81/sctp", "10.0.0.2",
	  "\t\telements = { sctp . 192.0.2.1 . 80 counter packets 0 bytes 0 : 10.0.0.2 . 81 }\n" },
	{ "65534-65535:65534-65535", "10.0.0.2",
	  "tcp . 65534 counter packets 0 bytes 0 : 10.0.0.2 . 65534,\n\t\t\t     tcp . 65535 counter packets "
	  "0 bytes 0"
	  " : 10.0.0.2 . 65535 }\n" },
	{ "8000-8010:80", "10.0.0.2", "tcp . 8000 counter packets 0 bytes 0 : 10.0.0.2 . 80 }\n" },
	{ "[::1]:80:80", "fd00::2", NULL },
	{ "[2001:db8::1]:80:80", "10.0.0.2", NULL },
};

START_TEST(ruleset_has_the_elements_of_a_publication)
{
	char *text = print((const char *const[]){ elements[_i].spec }, 1, elements[_i].to);

	if (elements[_i].element)
		ck_assert_msg(strstr(text, elements[_i].element) != NULL, "%s", text);
	else
		ck_assert_msg(strstr(text, "packets") == NULL, "%s", text);
	free(text);
}
END_TEST

START_TEST(ruleset_keeps_other_networks_from_a_loopback_port_unless_it_is_open_elsewhere)
{
	const char *const alone[] = { "127.0.0.1:80:3000" }, *const both[] = { "127.0.0.1:80:3000",
									       "81:3000" };
	char *text = print(alone, 1, "10.0.0.2,fd00::2");

	ck_assert_ptr_nonnull(strstr(text, "elements = { tcp . 10.0.0.2 . 3000 }"));
	ck_assert_ptr_nonnull(strstr(text, "elements = { tcp . fd00::2 . 3000 }"));
	ck_assert_ptr_nonnull(strstr(text, "route_localnet"));
	free(text);
	text = print(both, 2, "10.0.0.2,fd00::2");
	ck_assert_ptr_null(strstr(text, "elements = { tcp . 10.0.0.2 . 3000 }"));
	free(text);
}
END_TEST

START_TEST(ruleset_says_what_it_does_not_hold)
{
	const char *const specs[] = { "8000-8010:80" };
	char *text = print(specs, 1, "10.0.0.2");

	ck_assert_ptr_nonnull(
		strstr(text, "# 8000-8010:80/tcp: the first free port is taken; 8000 stands for it here\n"));
	ck_assert_ptr_nonnull(strstr(text, "# 8000-8010:80/tcp: ipv6 any is carried in userspace: "));
	free(text);
}
END_TEST

START_TEST(ruleset_needs_a_target_and_named_ports)
{
	struct pp_publications list = unit_publications((const char *const[]){ "80" }, 1);
	struct pp_plan_input input = { 0 };
	struct pp_ruleset ruleset = { &list, &input, { "", "" } };
	struct pp_error err;

	ck_assert_int_eq(pp_ruleset_check(&ruleset, &err), -EINVAL);
	ck_assert_str_eq(err.message, "rules need a target: --to ADDRESS");
	ck_assert_int_eq(pp_target_parse("10.0.0.2", 8, &input.target, &err), 0);
	ck_assert_int_eq(pp_ruleset_check(&ruleset, &err), -EINVAL);
	ck_assert_str_eq(err.message,
			 "80/tcp: a free port is not known before it is taken: name a host port to see its"
			 " rules");
	pp_publications_fini(&list);
}
END_TEST

START_TEST(port_classes_meet_without_a_gap)
{
	static const struct {
		uint16_t port;
		const char *name;
	} rows[] = {
		{ 1, "standard" },       { 1023, "standard" }, { 1024, "registered" },
		{ 49151, "registered" }, { 49152, "dynamic" }, { 65535, "dynamic" },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++)
		ck_assert_str_eq(pp_port_class_name(pp_port_class(rows[i].port)), rows[i].name);
}
END_TEST

Suite *suite_ruleset(void)
{
	Suite *suite = suite_create("ruleset");
	TCase *tcase = tcase_create("ruleset");

	tcase_add_loop_test(tcase, ruleset_has_the_elements_of_a_publication, 0, UNIT_COUNT(elements));
	tcase_add_test(tcase, ruleset_keeps_other_networks_from_a_loopback_port_unless_it_is_open_elsewhere);
	tcase_add_test(tcase, ruleset_says_what_it_does_not_hold);
	tcase_add_test(tcase, ruleset_needs_a_target_and_named_ports);
	tcase_add_test(tcase, port_classes_meet_without_a_gap);
	suite_add_tcase(suite, tcase);
	return suite;
}
