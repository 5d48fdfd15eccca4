/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/port.h"
#include "portpub/ruleset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static char *print_via(enum pp_via via, const char *const specs[], size_t count, const char *to)
{
	struct pp_record record = { .request = { .publications = unit_publications(specs, count),
						 .via = via },
				    .interfaces = { "br0", "br0" } };
	struct pp_error err;
	char *text;
	size_t size;
	FILE *out = open_memstream(&text, &size);

	ck_assert_int_eq(pp_target_parse(to, strlen(to), &record.request.target, &err), 0);
	ck_assert_int_eq(pp_ruleset_check(&record.request, &err), 0);
	ck_assert_int_eq(pp_ruleset_print(&record, out, &err), 0);
	fclose(out);
	pp_record_fini(&record);
	return text;
}

static char *print(const char *const specs[], size_t count, const char *to)
{
	return print_via(PP_VIA_AUTO, specs, count, to);
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

START_TEST(ruleset_refuses_what_has_no_rules_yet)
{
	static const struct {
		const char *specs[2], *to, *message;
	} rows[] = {
		{ { "80:80", "81:81" }, NULL, "rules need a target: --to ADDRESS" },
		{ { "80:80", "81" },
		  "10.0.0.2",
		  "81/tcp: a free port is not known before it is taken: name a host port to"
		  " see its rules" },
		{ { "8000-8010:80", "8000:81" },
		  "10.0.0.2",
		  "a pool is shown by its first port, which another publication"
		  " takes here: name the port" },
		{ { "8000-8010:80", "8000-8010:80" },
		  "10.0.0.2",
		  "a pool is shown by its first port, which another"
		  " publication takes here: name the port" },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct pp_request request = { .publications = unit_publications(rows[i].specs, 2) };
		struct pp_error err;

		if (rows[i].to)
			ck_assert_int_eq(
				pp_target_parse(rows[i].to, strlen(rows[i].to), &request.target, &err), 0);
		ck_assert_int_eq(pp_ruleset_check(&request, &err), -EINVAL);
		ck_assert_str_eq(err.message, rows[i].message);
		pp_publications_fini(&request.publications);
	}
}
END_TEST

START_TEST(ruleset_leaves_the_kernel_alone_via_userspace)
{
	char *text = print_via(PP_VIA_USERSPACE, (const char *const[]){ "127.0.0.1:80:80", "81:81" }, 2,
			       "10.0.0.2");

	ck_assert_msg(strstr(text, " = { tcp") == NULL && strstr(text, " = { 10") == NULL, "%s", text);
	free(text);
}
END_TEST

START_TEST(ruleset_has_no_element_twice)
{
	const char *const specs[] = { "127.0.0.1:80:3000", "[::1]:80:3000" };
	char *text = print(specs, 2, "10.0.0.2,fd00::2"), *first = strstr(text, "{ tcp . 10.0.0.2 . 3000 }");

	ck_assert_ptr_nonnull(first);
	ck_assert_ptr_null(strstr(first + strlen("{ t"), "tcp . 10.0.0.2 . 3000"));
	free(text);
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
	tcase_add_test(tcase, ruleset_refuses_what_has_no_rules_yet);
	tcase_add_test(tcase, ruleset_leaves_the_kernel_alone_via_userspace);
	tcase_add_test(tcase, ruleset_has_no_element_twice);
	tcase_add_test(tcase, port_classes_meet_without_a_gap);
	suite_add_tcase(suite, tcase);
	return suite;
}
