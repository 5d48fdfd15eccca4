/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/condition.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

enum { WORDS_MAX = 16 };

static size_t split(char *text, const char *words[WORDS_MAX])
{
	size_t count = 0;
	char *rest;

	for (char *word = strtok_r(text, " ", &rest); word; word = strtok_r(NULL, " ", &rest))
		words[count++] = word;
	return count;
}

static int parse(const char *text, sa_family_t family, struct pp_condition *out)
{
	char copy[256];
	const char *words[WORDS_MAX];
	struct pp_error err;

	snprintf(copy, sizeof(copy), "%s", text);
	*out = (struct pp_condition){ 0 };
	return pp_condition_parse(words, split(copy, words), family, out, &err);
}

static const struct {
	sa_family_t family;
	const char *text, *again; /* NULL: it is refused */
} conditions[] = {
	{ AF_INET, "", "" },
	{ AF_INET, "-s 10.0.0.0/8", "-s 10.0.0.0/8" },
	{ AF_INET, "! -s 10.0.0.1", "! -s 10.0.0.1/32" },
	{ AF_INET, "-d 192.0.2.0/24", "-d 192.0.2.0/24" },
	{ AF_INET, "-i eth0 ! -d 192.0.2.0/24 -s 10.0.0.0/8", "-s 10.0.0.0/8 ! -d 192.0.2.0/24 -i eth0" },
	{ AF_INET6, "! -s fd00::/8", "! -s fd00::/8" },
	{ AF_INET, "ip saddr 10.0.0.0/8", "-s 10.0.0.0/8" },
	{ AF_INET, "ip saddr != 10.0.0.0/8 ip daddr 192.0.2.1", "! -s 10.0.0.0/8 -d 192.0.2.1/32" },
	{ AF_INET6, "ip6 daddr != fd00::/8", "! -d fd00::/8" },
	{ AF_INET6, "ip saddr 10.0.0.0/8", NULL },
	{ AF_INET, "ip6 saddr fd00::/8", NULL },
	{ AF_INET, "-s fd00::/8", NULL },
	{ AF_INET6, "-s 10.0.0.0/8", NULL },
	{ AF_INET, "-s", NULL },
	{ AF_INET, "-s 10.0.0.0/8 -s 10.0.0.0/8", NULL },
	{ AF_INET, "-s 10.0.0.0/8 ip saddr 10.0.0.0/8", NULL },
	{ AF_INET, "-s 10.0.0.1/8", NULL },
	{ AF_INET, "-s localhost", NULL },
	{ AF_INET, "-s 10.0.0.0/255.0.0.0", NULL },
	{ AF_INET, "! -i eth0", NULL },
	{ AF_INET, "-i eth+", NULL },
	{ AF_INET, "-i eth0 -i eth1", NULL },
	{ AF_INET, "-i 0123456789abcdef", NULL },
	{ AF_INET, "-i eth0\n", NULL },
	{ AF_INET, "-i eth0:1", NULL },
	{ AF_INET, "-i", NULL },
	{ AF_INET, "!", NULL },
	{ AF_INET, "! !", NULL },
	{ AF_INET, "! ! -s 10.0.0.0/8", NULL },
	{ AF_INET, "ip", NULL },
	{ AF_INET, "ip saddr", NULL },
	{ AF_INET, "ip saddr !=", NULL },
	{ AF_INET, "ip protocol tcp", NULL },
	{ AF_INET, "-m owner --uid-owner 0", NULL },
	{ AF_INET, "-s 10.0.0.0/8 -j ACCEPT", NULL },
	{ AF_INET, "--source 10.0.0.0/8", NULL },
};

START_TEST(condition_is_read_and_written_in_the_words_of_iptables)
{
	struct pp_condition condition, again;
	char text[PP_CONDITION_TEXT];
	int ret = parse(conditions[_i].text, conditions[_i].family, &condition);

	if (!conditions[_i].again) {
		ck_assert_msg(ret == -EINVAL, "%s", conditions[_i].text);
		return;
	}
	ck_assert_msg(ret == 0, "%s", conditions[_i].text);
	ck_assert_str_eq(pp_condition_format(&condition, text), conditions[_i].again);
	ck_assert_int_eq(parse(text, conditions[_i].family, &again), 0);
	ck_assert_str_eq(pp_condition_format(&again, text), conditions[_i].again);
	ck_assert_int_eq(pp_condition_is_any(&condition), !text[0]);
}
END_TEST

static const struct {
	sa_family_t family;
	const char *text, *ranges;
} ranges[] = {
	{ AF_INET, "", "0.0.0.0-255.255.255.255 " },
	{ AF_INET, "-s 10.0.0.0/8", "10.0.0.0-10.255.255.255 " },
	{ AF_INET, "! -s 10.0.0.0/8", "0.0.0.0-9.255.255.255 11.0.0.0-255.255.255.255 " },
	{ AF_INET, "! -s 0.0.0.0/1", "128.0.0.0-255.255.255.255 " },
	{ AF_INET, "! -s 128.0.0.0/1", "0.0.0.0-127.255.255.255 " },
	{ AF_INET, "! -s 255.255.255.255", "0.0.0.0-255.255.255.254 " },
	{ AF_INET, "! -s 0.0.0.0/0", "" },
	{ AF_INET, "-s 0.0.0.0/0", "0.0.0.0-255.255.255.255 " },
	{ AF_INET6, "! -s 2001:db8::/32",
	  "::-2001:db7:ffff:ffff:ffff:ffff:ffff:ffff 2001:db9::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff " },
	{ AF_INET6, "! -s ::/0", "" },
};

START_TEST(condition_is_at_most_two_ranges)
{
	struct pp_address_range out[2];
	struct pp_condition condition;
	char text[256] = "", first[PP_ADDRESS_TEXT], last[PP_ADDRESS_TEXT];
	size_t used = 0, count;

	ck_assert_int_eq(parse(ranges[_i].text, ranges[_i].family, &condition), 0);
	count = pp_condition_ranges(&condition.source, condition.not_source, ranges[_i].family, out);
	for (size_t i = 0; i < count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s-%s ",
					 pp_address_format(&out[i].first, first),
					 pp_address_format(&out[i].last, last));
	ck_assert_str_eq(text, ranges[_i].ranges);
}
END_TEST

Suite *suite_condition(void)
{
	Suite *suite = suite_create("condition");
	TCase *test = tcase_create("condition");

	tcase_add_loop_test(test, condition_is_read_and_written_in_the_words_of_iptables, 0,
			    UNIT_COUNT(conditions));
	tcase_add_loop_test(test, condition_is_at_most_two_ranges, 0, UNIT_COUNT(ranges));
	suite_add_tcase(suite, test);
	return suite;
}
