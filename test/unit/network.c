/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/network.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct {
	const char *text, *canonical, *last;
} good[] = {
	{ "10.0.0.0/8", "10.0.0.0/8", "10.255.255.255" },
	{ "10.0.0.5", "10.0.0.5/32", "10.0.0.5" },
	{ "10.0.0.4/31", "10.0.0.4/31", "10.0.0.5" },
	{ "172.16.0.0/12", "172.16.0.0/12", "172.31.255.255" },
	{ "0.0.0.0/0", "0.0.0.0/0", "255.255.255.255" },
	{ "255.255.255.255/32", "255.255.255.255/32", "255.255.255.255" },
	{ "::/0", "::/0", "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "2001:DB8::/33", "2001:db8::/33", "2001:db8:7fff:ffff:ffff:ffff:ffff:ffff" },
	{ "fe80::/10", "fe80::/10", "febf:ffff:ffff:ffff:ffff:ffff:ffff:ffff" },
	{ "::1", "::1/128", "::1" },
	{ "fd00::2/127", "fd00::2/127", "fd00::3" },
	{ "::ffff:10.0.0.5", "10.0.0.5/32", "10.0.0.5" },
	{ "::ffff:10.0.0.0/104", "10.0.0.0/8", "10.255.255.255" },
	{ "::ffff:0:0/96", "0.0.0.0/0", "255.255.255.255" },
};

START_TEST(network_reads_every_written_form_as_one_value)
{
	char text[PP_NETWORK_TEXT], last_text[PP_ADDRESS_TEXT];
	struct pp_network network;
	struct pp_address last;
	struct pp_error err;

	ck_assert_msg(pp_network_parse(good[_i].text, strlen(good[_i].text), &network, &err) == 0, "%s: %s",
		      good[_i].text, err.message);
	last = pp_network_last(&network);
	ck_assert_str_eq(pp_network_format(&network, text), good[_i].canonical);
	ck_assert_str_eq(pp_address_format(&last, last_text), good[_i].last);
}
END_TEST

#define FORM "a network is an address and a prefix: 10.0.0.0/8, 2001:db8::/32"
#define PREFIX4 "the prefix of an IPv4 network is 0 to 32"
#define PREFIX6 "the prefix of an IPv6 network is 0 to 128"
#define MAPPED "the prefix of an IPv4-mapped network is 96 to 128"
#define MEANT "bits are set past the prefix: did you mean "

static const struct {
	const char *text, *carets;
} bad[] = {
	{ "", "^ " FORM },
	{ "/8", "^ " FORM },
	{ "10/8", "^^ " FORM },
	{ "10.0.0.0 /8", "^^^^^^^^^ " FORM },
	{ "localhost", "^^^^^^^^^ " FORM },
	{ "10.0.0.0-10.0.0.9", "^^^^^^^^^^^^^^^^^ " FORM },
	{ "fe80::%eth0/64", "^^^^^^^^^^^ " FORM },
	{ "10.0.0.0/", "         ^ " PREFIX4 },
	{ "10.0.0.0/33", "         ^^ " PREFIX4 },
	{ "10.0.0.0/08", "         ^^ " PREFIX4 },
	{ "10.0.0.0/+8", "         ^^ " PREFIX4 },
	{ "10.0.0.0/-1", "         ^^ " PREFIX4 },
	{ "10.0.0.0/8 ", "         ^^ " PREFIX4 },
	{ "10.0.0.0/8/8", "         ^^^ " PREFIX4 },
	{ "10.0.0.0/4294967304", "         ^^^^^^^^^^ " PREFIX4 },
	{ "10.0.0.0/255.0.0.0", "         ^^^^^^^^^ " PREFIX4 },
	{ "fd00::/129", "       ^^^ " PREFIX6 },
	{ "fd00::/x", "       ^ " PREFIX6 },
	{ "::ffff:10.0.0.0/8", "                ^ " MAPPED },
	{ "::ffff:10.0.0.0/129", "                ^^^ " MAPPED },
	{ "10.0.0.5/8", "^^^^^^^^ " MEANT "10.0.0.0/8 or 10.0.0.5/32?" },
	{ "10.0.0.1/31", "^^^^^^^^ " MEANT "10.0.0.0/31 or 10.0.0.1/32?" },
	{ "1.2.3.4/0", "^^^^^^^ " MEANT "0.0.0.0/0 or 1.2.3.4/32?" },
	{ "fd00::1/64", "^^^^^^^ " MEANT "fd00::/64 or fd00::1/128?" },
	{ "::ffff:10.0.0.5/104", "^^^^^^^^^^^^^^^ " MEANT "10.0.0.0/8 or 10.0.0.5/32?" },
	{ "0.0.0.0", "^^^^^^^ no host has this address: did you mean 0.0.0.0/0?" },
	{ "::", "^^ no host has this address: did you mean ::/0?" },
};

START_TEST(network_error_points_at_the_part_that_is_wrong)
{
	struct pp_network network;
	struct pp_error err;

	ck_assert_msg(pp_network_parse(bad[_i].text, strlen(bad[_i].text), &network, &err) == -EINVAL,
		      "\"%s\" was accepted", bad[_i].text);
	ck_assert_str_eq(unit_carets(&err), bad[_i].carets);
}
END_TEST

/* The list that @words are, separated by spaces. */
static struct pp_networks networks_of(const char *words)
{
	struct pp_networks list = PP_NETWORKS_INIT;
	char *copy = strdup(words), *rest = NULL;
	struct pp_network network;
	struct pp_error err;

	for (char *word = strtok_r(copy, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		ck_assert_int_eq(pp_network_parse(word, strlen(word), &network, &err), 0);
		ck_assert_int_eq(pp_networks_append(&list, &network, &err), 0);
	}
	free(copy);
	return list;
}

static const char *words_of(const struct pp_networks *list)
{
	static char words[4096];
	char text[PP_NETWORK_TEXT];

	words[0] = '\0';
	for (size_t i = 0; i < list->count; i++) {
		strcat(words, i ? " " : "");
		strcat(words, pp_network_format(&list->items[i], text));
	}
	return words;
}

static const struct {
	const char *before, *after;
} merges[] = {
	{ "", "" },
	{ "10.0.0.0/8", "10.0.0.0/8" },
	{ "10.0.0.0/8 10.0.0.0/8", "10.0.0.0/8" },
	{ "10.1.0.0/16 10.0.0.0/8", "10.0.0.0/8" },
	{ "10.0.0.0/8 10.255.255.255", "10.0.0.0/8" },
	{ "10.0.0.0/9 10.128.0.0/9", "10.0.0.0/8" },
	{ "10.0.0.3 10.0.0.1 10.0.0.0 10.0.0.2", "10.0.0.0/30" },
	{ "10.0.0.1 10.0.0.2", "10.0.0.1/32 10.0.0.2/32" }, /* side by side, but halves of two networks */
	{ "10.0.0.0/9 11.0.0.0/9", "10.0.0.0/9 11.0.0.0/9" },
	{ "10.0.0.0/24 10.0.1.0/25 10.0.1.128/25", "10.0.0.0/23" },
	{ "0.0.0.0/1 128.0.0.0/1", "0.0.0.0/0" },
	{ "0.0.0.0/0 0.0.0.0/0", "0.0.0.0/0" },
	{ "::/1 8000::/1 10.0.0.0/8", "10.0.0.0/8 ::/0" },
	{ "::/0 0.0.0.0/0", "0.0.0.0/0 ::/0" },
	{ "fd00::3 fd00::2 fd00::/127", "fd00::/126" },
	{ "a00::/8 10.0.0.0/8", "10.0.0.0/8 a00::/8" }, /* the same leading bytes */
};

START_TEST(network_merge_leaves_the_fewest_that_do_not_overlap)
{
	struct pp_networks list = networks_of(merges[_i].before);

	pp_networks_merge(&list);
	ck_assert_str_eq(words_of(&list), merges[_i].after);
	pp_networks_fini(&list);
}
END_TEST

/* One family, 256 addresses: every one can be asked. */
static struct pp_address small(sa_family_t family, unsigned int low)
{
	struct pp_address address = { .family = family, .bytes = { 10 } };

	address.bytes[family == AF_INET ? 3 : 15] = (uint8_t)low;
	return address;
}

static void append_random(struct pp_networks *list, unsigned int *seed)
{
	sa_family_t family = pp_families[rand_r(seed) % 2];
	unsigned int size = (unsigned int)rand_r(seed) % 7, low = (unsigned int)rand_r(seed) % 256;
	struct pp_network network = { small(family, low >> size << size),
				      (uint8_t)((family == AF_INET ? 32 : 128) - size) };
	struct pp_error err;

	ck_assert_int_eq(pp_networks_append(list, &network, &err), 0);
}

/* A run of addresses begins anew wherever one is missing: the fewest networks of a run are known by size. */
static size_t fewest(const bool has[256])
{
	size_t count = 0;

	for (unsigned int low = 0; low < 256;) {
		unsigned int size = 1;

		if (!has[low]) {
			low++;
			continue;
		}
		while (low % (size * 2) == 0 && low + size * 2 <= 256 &&
		       !memchr(has + low, false, (size_t)size * 2))
			size *= 2;
		low += size;
		count++;
	}
	return count;
}

START_TEST(network_merge_changes_no_answer)
{
	unsigned int seed = (unsigned int)_i + 1;
	struct pp_networks list = PP_NETWORKS_INIT;
	bool before[2][256];
	size_t n = (size_t)rand_r(&seed) % 40;

	while (n--)
		append_random(&list, &seed);
	for (unsigned int i = 0; i < 512; i++) {
		struct pp_address address = small(pp_families[i / 256], i % 256);

		before[i / 256][i % 256] = pp_networks_have(&list, &address);
	}
	pp_networks_merge(&list);
	for (unsigned int i = 0; i < 512; i++) {
		struct pp_address address = small(pp_families[i / 256], i % 256);

		ck_assert_msg(pp_networks_have(&list, &address) == before[i / 256][i % 256],
			      "seed %d, address %u: %s", _i + 1, i, words_of(&list));
	}
	ck_assert_uint_eq(list.count, fewest(before[0]) + fewest(before[1]));
	pp_networks_fini(&list);
}
END_TEST

START_TEST(network_has_its_ends_and_nothing_beside_them)
{
	struct pp_networks list = networks_of("10.0.0.64/26 fd00::40/122");
	static const struct {
		const char *text;
		bool has;
	} rows[] = {
		{ "10.0.0.63", false },  { "10.0.0.64", true }, { "10.0.0.127", true },
		{ "10.0.0.128", false }, { "fd00::3f", false }, { "fd00::40", true },
		{ "fd00::7f", true },    { "fd00::80", false }, { "10.1.0.64", false },
		{ "a00:40::", false },
	};
	struct pp_address address;

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		ck_assert(pp_address_parse(rows[i].text, strlen(rows[i].text), &address));
		ck_assert_msg(pp_networks_have(&list, &address) == rows[i].has, "%s", rows[i].text);
	}
	address.family = AF_UNSPEC;
	ck_assert(!pp_networks_have(&list, &address));
	pp_networks_fini(&list);
	pp_networks_fini(&list);
}
END_TEST

Suite *suite_network(void)
{
	Suite *suite = suite_create("network");
	TCase *tcase = tcase_create("network");

	tcase_add_loop_test(tcase, network_reads_every_written_form_as_one_value, 0, UNIT_COUNT(good));
	tcase_add_loop_test(tcase, network_error_points_at_the_part_that_is_wrong, 0, UNIT_COUNT(bad));
	tcase_add_loop_test(tcase, network_merge_leaves_the_fewest_that_do_not_overlap, 0,
			    UNIT_COUNT(merges));
	tcase_add_loop_test(tcase, network_merge_changes_no_answer, 0, 100);
	tcase_add_test(tcase, network_has_its_ends_and_nothing_beside_them);
	suite_add_tcase(suite, tcase);
	return suite;
}
