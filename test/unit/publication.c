/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <errno.h>
#include <string.h>

/* Each canonical: what is printed is what was read. */
static const char *const canonical[] = {
	"80/tcp",
	"80-90/udp",
	"8080:80/tcp",
	"1-65535:1-65535/sctp",
	"8000-8010:80/tcp",
	"127.0.0.1::80/tcp",
	"127.0.0.1:8080:80/tcp",
	"0.0.0.0:8080:80/udp",
	"[::]:8080:80/tcp",
	"[::1]::80-81/tcp",
	"[2001:db8:1111:2222:3333:4444:5555:6666]:10000-20000:30000-40000/sctp",
};

START_TEST(publication_text_reads_back_as_itself)
{
	struct pp_publication publication = unit_publication(canonical[_i]);
	char text[PP_PUBLICATION_TEXT];

	ck_assert_str_eq(pp_publication_format(&publication, text), canonical[_i]);
}
END_TEST

START_TEST(publications_are_bounded)
{
	struct pp_publications list = PP_PUBLICATIONS_INIT;
	struct pp_publication publication = unit_publication("80");
	struct pp_error err;

	for (int i = 0; i < PP_PUBLICATIONS_MAX; i++)
		ck_assert_int_eq(pp_publications_append(&list, &publication, &err), 0);
	ck_assert_int_eq(pp_publications_append(&list, &publication, &err), -EINVAL);
	ck_assert_uint_eq(list.count, PP_PUBLICATIONS_MAX);
	pp_publications_fini(&list);
	pp_publications_fini(&list);
}
END_TEST

START_TEST(protocol_is_read_in_any_case_and_nothing_else)
{
	enum pp_protocol protocol;

	ck_assert(pp_protocol_parse("SCTP", 4, &protocol));
	ck_assert_int_eq(protocol, PP_SCTP);
	ck_assert(pp_protocol_parse("uDp", 3, &protocol));
	ck_assert_int_eq(protocol, PP_UDP);
	ck_assert(!pp_protocol_parse("", 0, &protocol));
	ck_assert(!pp_protocol_parse("tc", 2, &protocol));
	ck_assert(!pp_protocol_parse("tcpx", 4, &protocol));
	ck_assert(!pp_protocol_parse("tcp", 4, &protocol));
}
END_TEST

Suite *suite_publication(void)
{
	Suite *suite = suite_create("publication");
	TCase *tcase = tcase_create("publication");

	tcase_add_loop_test(tcase, publication_text_reads_back_as_itself, 0, UNIT_COUNT(canonical));
	tcase_add_test(tcase, publications_are_bounded);
	tcase_add_test(tcase, protocol_is_read_in_any_case_and_nothing_else);
	suite_add_tcase(suite, tcase);
	return suite;
}
