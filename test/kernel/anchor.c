/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include "portpub/anchor.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static char records[64];

static void make_records(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(records, sizeof(records), "%s/anchor-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(records));
}

static void remove_records(void)
{
	kernel_sh("rm -r %s", records);
}

static struct pp_anchor open_anchor(void)
{
	struct pp_anchor anchor = PP_ANCHOR_INIT;
	int dir = open(records, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	struct pp_error err;

	ck_assert_msg(pp_anchor_open(&anchor, dir, &err) == 0, "%s", err.message);
	close(dir);
	return anchor;
}

static bool is_ready(int fd, int patience)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, patience) == 1;
}

struct owner {
	pid_t pid;
	int number;
};

/* Another process that takes an anchor and stays, until it is killed. */
static struct owner start_owner(void)
{
	struct owner owner;
	int pipe_fds[2];

	ck_assert_int_eq(pipe(pipe_fds), 0);
	owner.pid = fork();
	if (owner.pid == 0) {
		struct pp_anchor anchor = open_anchor();
		struct pp_error err;

		pp_anchor_take(&anchor, &err);
		if (write(pipe_fds[1], &anchor.number, sizeof(anchor.number)) > 0)
			pause();
		_exit(1);
	}
	ck_assert_int_eq(read(pipe_fds[0], &owner.number, sizeof(owner.number)), sizeof(owner.number));
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	return owner;
}

static void kill_owner(struct owner owner)
{
	ck_assert_int_eq(kill(owner.pid, SIGKILL), 0);
	ck_assert_int_eq(waitpid(owner.pid, NULL, 0), owner.pid);
}

START_TEST(anchor_outlives_a_flush_and_is_refused_to_everybody_else)
{
	struct pp_anchor anchor = open_anchor();
	struct pp_error err;

	ck_assert_int_eq(pp_anchor_owner(&anchor, 1), 0);
	ck_assert_msg(pp_anchor_take(&anchor, &err) == 0, "%s", err.message);
	ck_assert_int_eq(anchor.number, 1);
	ck_assert_int_eq(pp_anchor_take(&anchor, &err), 0);
	ck_assert_int_eq(anchor.number, 1);
	kernel_sh("nft list table inet portpub-anchor >%s/before", records);
	kernel_sh("nft flush ruleset");
	kernel_sh("nft list ruleset | cmp - %s/before", records);
	kernel_sh("! nft delete table inet portpub-anchor 2>/dev/null");
	kernel_sh("! nft flush chain inet portpub-anchor guard 2>/dev/null");
	kernel_sh("! nft -f %s/before 2>/dev/null", records);
	kernel_sh("grep -q 'ip saddr 127.0.0.0/8 iif != \"lo\" drop' %s/before", records);
	kernel_sh("grep -q 'ip daddr 127.0.0.0/8 iif != \"lo\" drop' %s/before", records);
	kernel_sh("grep -q 'ct state established accept' %s/before", records);
	kernel_sh("[ $(grep -c 'type nat hook p[a-z]*routing' %s/before) = 2 ]", records);
	pp_anchor_close(&anchor);
	pp_anchor_close(&anchor);
	kernel_sh("[ -z \"$(nft list ruleset)\" ]");
}
END_TEST

START_TEST(anchor_replaces_a_table_of_its_name_that_has_no_owner)
{
	struct pp_anchor anchor = open_anchor();
	struct pp_error err;

	kernel_sh("nft 'add table inet portpub-anchor; add chain inet portpub-anchor saved'");
	ck_assert_msg(pp_anchor_take(&anchor, &err) == 0, "%s", err.message);
	kernel_sh("nft list table inet portpub-anchor | grep -q 'flags owner'");
	kernel_sh("! nft list table inet portpub-anchor | grep -q saved");
	pp_anchor_close(&anchor);
}
END_TEST

START_TEST(anchor_has_two_owners_and_a_third_learns_of_the_end_of_either)
{
	for (int ends = 0; ends < PP_ANCHORS; ends++) {
		struct owner owners[PP_ANCHORS] = { start_owner(), start_owner() };
		struct pp_anchor third = open_anchor();
		struct pp_error err;
		int ended[PP_ANCHORS];

		for (int i = 0; i < PP_ANCHORS; i++) {
			ck_assert_int_eq(owners[i].number, i + 1);
			ck_assert_int_eq(pp_anchor_owner(&third, i + 1), owners[i].pid);
			ended[i] = pp_anchor_watch(&third, i + 1);
			ck_assert_int_ge(ended[i], 0);
			ck_assert(!is_ready(ended[i], 0));
		}
		ck_assert_int_eq(pp_anchor_take(&third, &err), -EBUSY);
		kernel_sh("[ $(nft list tables | grep -c portpub-anchor) = 2 ]");
		ck_assert_int_eq(kill(owners[ends].pid, SIGKILL), 0);
		ck_assert(is_ready(ended[ends], 5000));
		ck_assert(!is_ready(ended[1 - ends], 0));
		/* Nobody has waited for the child: what it had has ended all the same. */
		ck_assert_msg(pp_anchor_take(&third, &err) == 0, "%s", err.message);
		ck_assert_int_eq(third.number, ends + 1);
		ck_assert_int_eq(pp_anchor_watch(&third, third.number), -ESRCH);
		kernel_sh("[ $(nft list tables | grep -c portpub-anchor) = 2 ]");
		ck_assert_int_eq(waitpid(owners[ends].pid, NULL, 0), owners[ends].pid);
		kill_owner(owners[1 - ends]);
		pp_anchor_close(&third);
		for (int i = 0; i < PP_ANCHORS; i++)
			close(ended[i]);
	}
}
END_TEST

/* One that has the lock of no file: by other records, or a program of somebody else's. */
START_TEST(anchor_that_somebody_unknown_owns_is_taken_and_its_lock_is_given_back)
{
	struct pp_anchor strangers[PP_ANCHORS], late;
	struct pp_error err;

	for (int i = 0; i < PP_ANCHORS; i++) {
		strangers[i] = open_anchor();
		ck_assert_msg(pp_anchor_take(&strangers[i], &err) == 0, "%s", err.message);
		kernel_sh("rm %s/anchor-*", records);
	}
	ck_assert_int_eq(strangers[1].number, 2);
	late = open_anchor();
	ck_assert_int_eq(pp_anchor_take(&late, &err), -EBUSY);
	ck_assert_int_eq(late.number, 0);
	ck_assert_int_eq(pp_anchor_watch(&late, 1), -ESRCH);
	pp_anchor_close(&strangers[1]);
	ck_assert_msg(pp_anchor_take(&late, &err) == 0, "%s", err.message);
	ck_assert_int_eq(late.number, 2);
	pp_anchor_close(&strangers[0]);
	pp_anchor_close(&late);
}
END_TEST

START_TEST(anchor_refused_by_the_kernel_is_told_by_why)
{
	static const struct {
		int code, want;
		const char *part;
	} rows[] = {
		{ EINVAL, -EOPNOTSUPP, "Linux 5.12" },
		{ EOPNOTSUPP, -EOPNOTSUPP, "established connections through published ports are reset" },
		{ EPERM, -EPERM, "CAP_NET_ADMIN" },
		{ ENOMEM, -ENOMEM, "nf_tables: " },
	};

	for (size_t i = 0; i < KERNEL_COUNT(rows); i++) {
		struct pp_error err;

		ck_assert_int_eq(pp_anchor_fail(&err, rows[i].code), rows[i].want);
		ck_assert_msg(strstr(err.message, rows[i].part), "%d: %s", rows[i].code, err.message);
	}
}
END_TEST

Suite *suite_anchor(void)
{
	Suite *suite = suite_create("anchor");
	TCase *tcase = tcase_create("anchor");

	tcase_set_timeout(tcase, 60);
	tcase_add_checked_fixture(tcase, kernel_new_host, NULL);
	tcase_add_checked_fixture(tcase, make_records, remove_records);
	tcase_add_test(tcase, anchor_outlives_a_flush_and_is_refused_to_everybody_else);
	tcase_add_test(tcase, anchor_replaces_a_table_of_its_name_that_has_no_owner);
	tcase_add_test(tcase, anchor_has_two_owners_and_a_third_learns_of_the_end_of_either);
	tcase_add_test(tcase, anchor_that_somebody_unknown_owns_is_taken_and_its_lock_is_given_back);
	tcase_add_test(tcase, anchor_refused_by_the_kernel_is_told_by_why);
	suite_add_tcase(suite, tcase);
	return suite;
}
