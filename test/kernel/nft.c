/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include "portpub/nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { FIXED = 2000, COMES_AND_GOES = 100, READS = 200 };

static const struct pp_address any = { .family = AF_INET };

/* Elements for @count ports from @first on, of every IPv4 address. */
struct elements {
	struct pp_entries list;
	struct pp_entry_refs refs;
};

static struct elements elements_of(uint16_t first, size_t count)
{
	struct elements out = { PP_ENTRIES_INIT, { calloc(count, sizeof(const struct pp_entry *)), count } };
	struct pp_error err;

	ck_assert_ptr_nonnull(out.refs.items);
	for (size_t i = 0; i < count; i++) {
		struct pp_entry entry = pp_entry_of_port(PP_TCP, &any, (uint16_t)(first + i));

		memcpy(entry.value, "\x0a\x00\x00\x02\x00\x50", 6);
		memcpy(entry.owner, "web", sizeof("web"));
		ck_assert_int_eq(pp_entries_append(&out.list, &entry, &err), 0);
	}
	for (size_t i = 0; i < count; i++)
		out.refs.items[i] = &out.list.items[i];
	return out;
}

static void elements_fini(struct elements *elements)
{
	pp_entries_fini(&elements->list);
	free(elements->refs.items);
}

static void open_nft(struct pp_nft *nft)
{
	struct pp_error err;

	ck_assert_msg(pp_nft_open(nft, &err) == 0, "%s", err.message);
}

/* Look, and make the change. */
static int change(struct pp_nft *nft, const struct pp_entry_refs *remove, const struct pp_entry_refs *add,
		  struct pp_error *err)
{
	struct pp_nft_change change = { 0 };
	int ret = pp_nft_look(nft, &change.found, err);
	size_t fault;

	if (remove)
		change.remove = *remove;
	if (add)
		change.add = *add;
	return ret == 0 ? pp_nft_commit(nft, &change, &fault, err) : ret;
}

static size_t count_there(struct pp_nft *nft)
{
	struct pp_entries there = PP_ENTRIES_INIT;
	struct pp_error err;
	size_t count;

	ck_assert_msg(pp_nft_read(nft, PP_SET_ANY4, NULL, NULL, &there, &err) == 0, "%s", err.message);
	count = there.count;
	pp_entries_fini(&there);
	return count;
}

START_TEST(nft_refuses_a_change_decided_on_rulesets_that_have_changed_since)
{
	struct elements first = elements_of(1, 1), second = elements_of(2, 1);
	struct pp_nft late = PP_NFT_INIT, early = PP_NFT_INIT;
	struct pp_nft_change decided = { .add = second.refs };
	struct pp_error err;
	size_t fault;

	open_nft(&late);
	open_nft(&early);
	ck_assert_int_eq(change(&early, NULL, &first.refs, &err), 0);
	ck_assert_int_eq(pp_nft_look(&late, &decided.found, &err), 0);
	ck_assert_int_eq(decided.found, PP_NFT_WHOLE);
	ck_assert_int_eq(change(&early, &first.refs, NULL, &err), 0);
	ck_assert_int_eq(pp_nft_commit(&late, &decided, &fault, &err), -EAGAIN);
	ck_assert_uint_eq(count_there(&late), 0);
	kernel_sh("nft add table ip other"); /* a ruleset of anybody's counts */
	ck_assert_int_eq(pp_nft_commit(&early, &decided, &fault, &err), -EAGAIN);
	ck_assert_int_eq(change(&late, NULL, &second.refs, &err), 0);
	ck_assert_uint_eq(count_there(&late), 1);
	pp_nft_close(&late);
	pp_nft_close(&early);
	elements_fini(&first);
	elements_fini(&second);
}
END_TEST

START_TEST(nft_looks_again_when_somebody_has_changed_anything)
{
	struct elements first = elements_of(1, 1);
	struct pp_nft nft = PP_NFT_INIT;
	enum pp_nft_state state;
	struct pp_error err;
	static const struct {
		const char *command;
		enum pp_nft_state state;
	} cases[] = {
		{ "true", PP_NFT_WHOLE },
		{ "nft add table ip elsewhere", PP_NFT_WHOLE },
		{ "nft flush chain inet portpub postrouting", PP_NFT_DAMAGED },
		{ "true", PP_NFT_DAMAGED },
		{ "nft delete table inet portpub", PP_NFT_ABSENT },
		{ "nft add table inet portpub '{ flags dormant; }'", PP_NFT_DAMAGED },
		{ "nft flush ruleset", PP_NFT_ABSENT },
		{ "true", PP_NFT_ABSENT },
	};

	open_nft(&nft);
	ck_assert_int_eq(pp_nft_look(&nft, &state, &err), 0);
	ck_assert_int_eq(state, PP_NFT_ABSENT);
	ck_assert_int_eq(change(&nft, NULL, &first.refs, &err), 0);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		kernel_sh("%s", cases[i].command);
		ck_assert_int_eq(pp_nft_look(&nft, &state, &err), 0);
		ck_assert_msg(state == cases[i].state, "%s: %d", cases[i].command, (int)state);
	}
	pp_nft_close(&nft);
	elements_fini(&first);
}
END_TEST

static void count_difference(const char *line, void *data)
{
	(void)line;
	++*(size_t *)data;
}

/* In another map of the table, and with it its generation, until it is killed. */
static void come_and_go(void)
{
	struct elements some = elements_of(1, COMES_AND_GOES);
	struct pp_nft nft = PP_NFT_INIT;
	struct pp_error err;
	int ret = 0;

	for (size_t i = 0; i < some.list.count; i++)
		some.list.items[i].set = PP_SET_ANY6;
	open_nft(&nft);
	while (ret == 0 || ret == -EAGAIN) {
		ret = change(&nft, NULL, &some.refs, &err);
		if (ret == 0)
			ret = change(&nft, &some.refs, NULL, &err);
	}
	_exit(1);
}

/*
 * The kernel marks dumps of chains and rules that a change has spoilt, but none of elements: whoever changes those
 * of one map takes turns with who reads it.
 */
START_TEST(nft_reads_the_whole_table_while_somebody_changes_another_map)
{
	struct elements fixed = elements_of(1, FIXED);
	struct pp_nft nft = PP_NFT_INIT;
	enum pp_nft_state state;
	size_t differences = 0;
	struct pp_error err;
	pid_t other;
	int status;

	open_nft(&nft);
	ck_assert_msg(change(&nft, NULL, &fixed.refs, &err) == 0, "%s", err.message);
	other = fork();
	if (other == 0)
		come_and_go();
	for (int i = 0; i < READS; i++) {
		ck_assert_uint_eq(count_there(&nft), FIXED);
		ck_assert_int_eq(pp_nft_look(&nft, &state, &err), 0);
		ck_assert_int_eq(state, PP_NFT_WHOLE);
		ck_assert_int_eq(pp_nft_check(&nft, count_difference, &differences, &err), 0);
		ck_assert_uint_eq(differences, 0);
	}
	kill(other, SIGKILL);
	ck_assert_int_eq(waitpid(other, &status, 0), other);
	ck_assert_msg(WIFSIGNALED(status), "the other one has failed");
	pp_nft_close(&nft);
	elements_fini(&fixed);
}
END_TEST

static int compare_found(const void *left, const void *right)
{
	return pp_entry_compare(left, right);
}

/* One by one where the set has many more, and read as a whole where it has not. */
static const uint16_t set_sizes[] = { 300, 2000 };

START_TEST(nft_finds_what_stands_at_some_places_and_nothing_else)
{
	/* Around what one question has room for. */
	static const uint16_t missing[] = { 1, 63, 64, 65, 66, 129, 130, 200 };
	struct elements all = elements_of(1, set_sizes[_i]), asked = elements_of(1, 200), gone;
	struct pp_entries there = PP_ENTRIES_INIT;
	struct pp_nft nft = PP_NFT_INIT;
	struct pp_error err;

	open_nft(&nft);
	ck_assert_int_eq(change(&nft, NULL, &all.refs, &err), 0);
	for (size_t i = 0; i < KERNEL_COUNT(missing); i++) {
		gone = elements_of(missing[i], 1);
		ck_assert_int_eq(change(&nft, &gone.refs, NULL, &err), 0);
		elements_fini(&gone);
	}
	ck_assert_int_eq(pp_nft_find(&nft, &asked.refs, &there, &err), 0);
	ck_assert_uint_eq(there.count, 200 - KERNEL_COUNT(missing));
	qsort(there.items, there.count, sizeof(there.items[0]), compare_found);
	for (size_t i = 0, port = 1; i < there.count; i++, port++) {
		for (size_t m = 0; m < KERNEL_COUNT(missing); m++)
			port += missing[m] == port;
		ck_assert_uint_eq(pp_entry_port(&there.items[i]), port);
		ck_assert_str_eq(there.items[i].owner, "web");
	}
	pp_entries_fini(&there);
	kernel_sh("nft delete table inet portpub");
	ck_assert_int_eq(pp_nft_find(&nft, &asked.refs, &there, &err), 0);
	ck_assert_uint_eq(there.count, 0);
	pp_nft_close(&nft);
	elements_fini(&all);
	elements_fini(&asked);
}
END_TEST

Suite *suite_nft(void)
{
	Suite *suite = suite_create("nft");
	TCase *tcase = tcase_create("nft");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, kernel_new_host, NULL);
	tcase_add_test(tcase, nft_looks_again_when_somebody_has_changed_anything);
	tcase_add_test(tcase, nft_refuses_a_change_decided_on_rulesets_that_have_changed_since);
	tcase_add_test(tcase, nft_reads_the_whole_table_while_somebody_changes_another_map);
	tcase_add_loop_test(tcase, nft_finds_what_stands_at_some_places_and_nothing_else, 0,
			    KERNEL_COUNT(set_sizes));
	suite_add_tcase(suite, tcase);
	return suite;
}
