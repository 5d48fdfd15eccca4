/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/spec.h"

#include <errno.h>
#include <string.h>
#include <time.h>

static const struct {
	const char *spec, *same_as;
} good[] = {
	{ "80", "80/tcp" },
	{ ":80", "80/tcp" },
	{ "::80", "80/tcp" },
	{ ":80:80", "80:80/tcp" },
	{ "0:80", "80/tcp" },
	{ "0-0:80", "80/tcp" },
	{ "00000:0080/", "80/tcp" },
	{ "80:80-80", "80:80/tcp" },
	{ "8000-8010:80-80", "8000-8010:80/tcp" },
	{ "65535:65535", "65535:65535/tcp" },
	{ "1-65535", "1-65535/tcp" },
	{ "::::80", "[::]::80/tcp" },
	{ "::1::80-81", "[::1]::80-81/tcp" },
	{ "::1:80:80", "[::1]:80:80/tcp" },
	{ "[0.0.0.0]:80:80", "0.0.0.0:80:80/tcp" },
	{ "1:2:3:4:5:6:7:8:80:81", "[1:2:3:4:5:6:7:8]:80:81/tcp" },
	{ "target=80", "80/tcp" },
	{ "published=,target=80,protocol=", "80/tcp" },
	{ "published=0,target=80", "80/tcp" },
	{ "protocol=SCTP,target=80,published=8000-8010", "8000-8010:80/sctp" },
};

START_TEST(spec_reads_every_way_to_say_it)
{
	struct pp_publication publication = unit_publication(good[_i].spec);
	char text[PP_PUBLICATION_TEXT];

	ck_assert_msg(strcmp(pp_publication_format(&publication, text), good[_i].same_as) == 0, "%s is %s",
		      good[_i].spec, text);
}
END_TEST

/* What the user sees: the spec, and below it where and why. */
static const struct {
	const char *spec, *carets;
} bad[] = {
	{ "127.0.0.1:70000:3000/tcp", "          ^^^^^ host port must be 1 to 65535, or 0 for a free one" },
	{ "65536:80", "^^^^^ host port must be 1 to 65535, or 0 for a free one" },
	{ "1-65536:80", "  ^^^^^ host port must be 1 to 65535, or 0 for a free one" },
	{ "127.0.0.1:65536:80", "          ^^^^^ host port must be 1 to 65535, or 0 for a free one" },
	{ "80:65536", "   ^^^^^ container port must be 1 to 65535" },
	{ "80:70000", "   ^^^^^ container port must be 1 to 65535" },
	{ "80:0", "   ^ container port must be 1 to 65535" },
	{ "0-0", "^^^ container port must be 1 to 65535" },
	{ "8000-70000:80", "     ^^^^^ host port must be 1 to 65535, or 0 for a free one" },
	{ "", "^ the container port is missing" },
	{ "80:", "   ^ the container port is missing" },
	{ "80:/tcp", "   ^ the container port is missing" },
	{ "published=80", "            ^ the container port is missing" },
	{ "9-8:80", "^^^ a range ascends: did you mean 8-9?" },
	{ "0-10:80", "^ a range of ports cannot contain 0" },
	{ "80:0-10", "   ^ a range of ports cannot contain 0" },
	{ "80-:80", "^^^ a range is written FIRST-LAST, as in 8000-8010" },
	{ "8000-8002:80-81",
	  "^^^^^^^^^ 3 host ports for 2 container ports: give as many of each, or one container port" },
	{ "127.0.0.1:", "          ^ the container port is missing" },
	{ "127.0.0.1:0", "          ^ container port must be 1 to 65535" },
	{ "localhost:80",
	  "^^^^^^^^^ neither a host port, 1 to 65535, nor an address with a port behind it; names are not"
	  " looked up" },
	{ "5-0:80", "  ^ a range of ports cannot contain 0" },
	{ "8000:80-82",
	  "^^^^ 1 host port for 3 container ports: give as many of each, or one container port" },
	{ "0:80-82", "^ 0 is one free port, for 3 container ports: leave it out to have as many" },
	{ "127.0.0.1:80",
	  "^^^^^^^^^ no host port behind the address: did you mean 127.0.0.1::80 (a free port)"
	  " or 127.0.0.1:80:80?" },
	{ "[::1]:80/udp", "^^^^^ no host port behind the address: did you mean [::1]::80/udp (a free port)"
			  " or [::1]:80:80/udp?" },
	{ "2001:db8::5:80", "^^^^^^^^^^^ no host port behind the address: did you mean [2001:db8::5]::80"
			    " (a free port) or [2001:db8::5]:80:80?" },
	{ "10.0.0.1",
	  "^^^^^^^^ no container port behind the address: 10.0.0.1::80 is its port 80 on a free port of"
	  " that address" },
	{ "localhost:80:80",
	  "^^^^^^^^^ host address must be an IPv4 or IPv6 address, not a name, zone or prefix" },
	{ "[]:80:80", "^^ host address must be an IPv4 or IPv6 address, not a name, zone or prefix" },
	{ "80:80/icmp", "      ^^^^ protocol must be tcp, udp or sctp" },
	{ "80/tcp:80",
	  "   ^^^^^^ behind a slash is the protocol, which comes last; an address has no prefix" },
	{ "80/tcp/udp", "      ^^^^ one slash only, before the protocol" },
	{ "80 :80", "  ^ this byte has no place in a spec" },
	{ "+80", "^ this byte has no place in a spec" },
	{ "80,81", "  ^ this byte has no place in a spec" },
	{ "fe80::1%eth0:80:80", "       ^ this byte has no place in a spec" },
	{ "target=80,target=81", "          ^^^^^^ target is given twice" },
	{ "target=80,host_ip=::1",
	  "          ^^^^^^^ this form takes no address: write 127.0.0.1:8080:80 to open one"
	  " address only" },
	{ "target=80,mode=host", "          ^^^^ mode belongs to swarm: leave it out" },
	{ "target=80,Published=1", "          ^^^^^^^^^ the keys are published, target and protocol" },
	{ "target=80,", "          ^ each part is KEY=VALUE, as in published=8080,target=80" },
	{ "=80", "^^^ each part is KEY=VALUE, as in published=8080,target=80" },
	{ "target=80=81", "       ^^^^^ container port must be 1 to 65535" },
	{ "target=80,protocol=icmp", "                   ^^^^ protocol must be tcp, udp or sctp" },
};

START_TEST(spec_says_what_is_wrong_and_where)
{
	struct pp_publication publication;
	struct pp_error err;
	int ret = pp_spec_parse(bad[_i].spec, strlen(bad[_i].spec), PP_SPEC_ALL, &publication, &err);

	ck_assert_msg(ret == -EINVAL, "%s was accepted", bad[_i].spec);
	ck_assert_msg(strcmp(unit_carets(&err), bad[_i].carets) == 0, "\n%s\n%s\nwanted\n%s", err.input,
		      unit_carets(&err), bad[_i].carets);
	ck_assert_str_eq(err.input, bad[_i].spec);
}
END_TEST

START_TEST(spec_of_257_bytes_is_refused_and_shortened)
{
	struct pp_publication publication;
	struct pp_error err;
	char text[258];

	memset(text, '0', sizeof(text));
	text[255] = '8';
	ck_assert_int_eq(pp_spec_parse(text, 256, PP_SPEC_ALL, &publication, &err), 0);
	ck_assert_int_eq(pp_spec_parse(text, 257, PP_SPEC_ALL, &publication, &err), -EINVAL);
	ck_assert_uint_lt(strlen(err.input), 80);
	ck_assert_str_eq(err.message, "257 bytes are too long for a spec: at most 256");
}
END_TEST

START_TEST(spec_writes_its_output_on_success_only)
{
	struct pp_publication publication;
	struct pp_error err;

	memset(&publication, 0x5a, sizeof(publication));
	ck_assert_int_eq(pp_spec_parse("80:80/icmp", 10, PP_SPEC_ALL, &publication, &err), -EINVAL);
	ck_assert_uint_eq(publication.host_port, 0x5a5a);
}
END_TEST

START_TEST(spec_short_form_knows_no_keys)
{
	struct pp_publication publication;
	struct pp_error err;

	ck_assert_int_eq(pp_spec_parse("target=80", 9, PP_SPEC_SHORT, &publication, &err), -EINVAL);
}
END_TEST

START_TEST(spec_takes_every_byte_in_every_place)
{
	struct pp_publication publication;
	struct pp_error err;
	char text[] = "127.0.0.1:80-81:80-81/tcp";

	for (size_t at = 0; at < sizeof(text) - 1; at++) {
		char saved = text[at];

		for (int byte = 0; byte < 256; byte++) {
			text[at] = (char)byte;
			int ret = pp_spec_parse(text, sizeof(text) - 1, PP_SPEC_ALL, &publication, &err);

			ck_assert(ret == 0 || ret == -EINVAL);
			ck_assert(ret == 0 || err.message[0]);
		}
		text[at] = saved;
	}
}
END_TEST

static double seconds(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

START_TEST(spec_of_every_port_takes_less_than_a_millisecond_and_one_publication)
{
	struct pp_publication publication;
	double best = 1;

	for (int i = 0; i < 100; i++) {
		double start = seconds(), took;

		publication = unit_publication("1-65535:1-65535");
		took = seconds() - start;
		if (took < best)
			best = took;
	}
	ck_assert_msg(best < 0.001, "%f s", best);
	ck_assert_uint_eq(publication.count, 65535);
	ck_assert_uint_eq(pp_publication_last(&publication), 65535);
}
END_TEST

Suite *suite_spec(void)
{
	Suite *suite = suite_create("spec");
	TCase *tcase = tcase_create("spec");

	tcase_add_loop_test(tcase, spec_reads_every_way_to_say_it, 0, UNIT_COUNT(good));
	tcase_add_loop_test(tcase, spec_says_what_is_wrong_and_where, 0, UNIT_COUNT(bad));
	tcase_add_test(tcase, spec_of_257_bytes_is_refused_and_shortened);
	tcase_add_test(tcase, spec_writes_its_output_on_success_only);
	tcase_add_test(tcase, spec_short_form_knows_no_keys);
	tcase_add_test(tcase, spec_takes_every_byte_in_every_place);
	tcase_add_test(tcase, spec_of_every_port_takes_less_than_a_millisecond_and_one_publication);
	suite_add_tcase(suite, tcase);
	return suite;
}
