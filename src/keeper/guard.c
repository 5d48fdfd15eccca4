/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Everything is waited for in one loop: a change of the rulesets, and the end of those who own the anchors where both
 * have owners. Nothing ticks.
 *
 *	change		one pass, at once: what is missing is put back. What our own commands and keepers change is
 *			none. A keeper looks at its own publication first, which costs the same however many others
 *			there are: every keeper hears of every change.
 *	rest		no pass follows another before a rest, of four times the processor time of that one: those who
 *			change rulesets all the time cost a fifth of a processor at most. Changes wait meanwhile,
 *			and any number of them is one.
 *	fight		after ten passes, each less than a second after the one before, that had to put something
 *			back, somebody is at work against us: the rest is a tenth of a second then, until there is
 *			nothing to put back for a second. Both ends of it are told, and nothing in between.
 *	lock		held by a command: the same pass is tried again after a rest. To wait for it would be to
 *			wait as long for SIGTERM.
 *
 *	shortage	of memory, or of descriptors, which clients may have taken: a second later the same pass is
 *			tried again. Some descriptors are spared for it.
 *
 * A pass that fails otherwise is told, and the next change is the next try. What is told pass after pass is told once.
 */
#include "guard.h"

#include "portpub/descriptors.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

enum {
	REST_LEAST_MS = 5,
	REST_MOST_MS = 100,
	REST_SHARE = 4,
	FIGHT = 10,
	PEACE_MS = 1000,
	RETRY_MS = 1000, /* for an anchor whose owner cannot be seen, and where something is short */
	SPARE = 8,       /* descriptors: a pass takes five at once */
};

static int64_t read_us(clockid_t clock)
{
	struct timespec time;

	clock_gettime(clock, &time);
	return (int64_t)time.tv_sec * 1000000 + time.tv_nsec / 1000;
}

static int64_t now_ms(void)
{
	return read_us(CLOCK_MONOTONIC) / 1000;
}

static void collect(const char *line, void *data)
{
	struct guard_lines *lines = data;
	size_t len = strlen(line) + 1;

	if (len > sizeof(lines->text) - lines->len)
		return;
	memcpy(lines->text + lines->len, line, len);
	lines->len += len;
}

static void say_lines(const struct guard *guard)
{
	for (size_t at = 0; at < guard->lines.len; at += strlen(guard->lines.text + at) + 1)
		guard->master.report->say(guard->lines.text + at, guard->master.report->data);
}

static bool is_anything(const struct pp_restored *restored)
{
	return restored->table || restored->elements || restored->sysctls || restored->keepers;
}

static void say_fight(const struct guard *guard)
{
	const char *who = guard->generation.name;

	pp_report_say(guard->master.report,
		      "%s removes what is published again and again: until that ends it is put back"
		      " every %d ms, and not told",
		      who[0] ? who : "somebody", REST_MOST_MS);
}

static void say_put_back(const struct guard *guard, const struct pp_restored *restored)
{
	const char *who = guard->generation.name;
	char text[PP_RESTORED_TEXT];

	pp_report_say(guard->master.report, "%s%s%s", pp_restored_format(restored, text),
		      who[0] ? "; the last to change the rulesets was " : "", who);
}

static bool is_fighting(const struct guard *guard)
{
	return guard->in_a_row > FIGHT;
}

static void count_put_back(struct guard *guard, const struct pp_restored *restored)
{
	guard->put_back = now_ms();
	guard->in_a_row++;
	if (!is_fighting(guard))
		say_put_back(guard, restored);
	else if (guard->in_a_row == FIGHT + 1)
		say_fight(guard);
}

static void make_peace(struct guard *guard)
{
	if (now_ms() - guard->put_back < PEACE_MS)
		return;
	if (is_fighting(guard))
		pp_report_say(guard->master.report,
			      "what is published stays: it was put back %zu times meanwhile",
			      guard->in_a_row - FIGHT);
	guard->in_a_row = 0;
}

static bool is_news(const struct guard *guard)
{
	return guard->lines.len != guard->before.len ||
	       memcmp(guard->lines.text, guard->before.text, guard->lines.len) != 0;
}

/* What came of a pass. */
static void tell(struct guard *guard, const struct pp_restored *restored)
{
	if (is_news(guard) || (is_anything(restored) && !is_fighting(guard)))
		say_lines(guard);
	guard->before = guard->lines;
	if (!is_anything(restored))
		return;
	count_put_back(guard, restored);
	if (guard->master.restored)
		guard->master.restored(guard->master.data);
}

/* Does it lack anything? Who works for all of them finds out on the way. */
static int look(struct guard *guard, bool *lacks, struct pp_error *err)
{
	*lacks = true;
	return guard->master.id ? pp_publisher_look(guard->master.publisher, guard->master.id, lacks, err)
				: 0;
}

static bool is_shortage(int code)
{
	return code == -EMFILE || code == -ENFILE || code == -ENOMEM || code == -ENOBUFS;
}

/* Returns how long to rest, in milliseconds. */
static int64_t try_pass(struct guard *guard)
{
	const struct pp_report collected = { collect, &guard->lines };
	struct pp_restored restored = { 0 };
	struct pp_error err;
	bool lacks;
	int ret;

	guard->lines.len = 0;
	pp_generation_drain(&guard->generation);
	ret = look(guard, &lacks, &err);
	if (ret == 0 && lacks)
		ret = pp_publish_try_restore(&restored, guard->master.keeping, &collected, &err);
	malloc_trim(0); /* it may be long until the next one */
	guard->due = ret == -EAGAIN;
	if (guard->due)
		return REST_LEAST_MS;
	if (ret < 0)
		collect(err.message, &guard->lines);
	tell(guard, &restored);
	guard->due = is_shortage(ret);
	if (guard->due)
		return RETRY_MS;
	return is_fighting(guard) ? REST_MOST_MS : REST_LEAST_MS;
}

static void pass(struct guard *guard)
{
	int64_t begin = read_us(CLOCK_PROCESS_CPUTIME_ID), rest, share;

	pp_descriptors_raise();
	rest = try_pass(guard);
	pp_descriptors_spare(SPARE);
	share = REST_SHARE * (read_us(CLOCK_PROCESS_CPUTIME_ID) - begin) / 1000;
	guard->rested = now_ms() + (rest > share ? rest : share);
}

static void forget_owners(struct guard *guard)
{
	for (size_t i = 0; i < PP_ANCHORS; i++)
		pp_loop_close_event(guard->loop, &guard->owners[i]);
}

static bool is_any_owner_unseen(const struct guard *guard)
{
	bool unseen = false;

	for (size_t i = 0; i < PP_ANCHORS; i++)
		unseen |= guard->owners[i].fd < 0;
	return unseen;
}

static void watch_owners(struct guard *guard)
{
	for (int i = 0; i < PP_ANCHORS; i++) {
		struct pp_event *owner = &guard->owners[i];

		owner->fd = pp_anchor_watch(&guard->anchor, i + 1);
		if (owner->fd >= 0 && pp_loop_watch(guard->loop, owner, EPOLLIN) < 0) {
			close(owner->fd);
			owner->fd = -1;
		}
	}
}

/* @tell that others have them: once, and a keeper, of which there are many, not at all. */
static void take_anchor(struct guard *guard, bool tell)
{
	struct pp_error err;
	int ret = pp_anchor_take(&guard->anchor, &err);

	forget_owners(guard);
	guard->wants_anchor = ret == -EBUSY;
	if (guard->wants_anchor)
		watch_owners(guard);
	if (ret == 0)
		pp_report_say(guard->master.report,
			      "the table inet %s is ours: established connections live through a flush of the"
			      " rulesets",
			      pp_anchor_tables[guard->anchor.number - 1]);
	else if (ret != -EBUSY)
		pp_report_say(guard->master.report, "%s", err.message);
	else if (tell)
		pp_report_say(guard->master.report,
			      "two others keep established connections already (the tables inet"
			      " %s and %s): this one takes the place of the first to end",
			      pp_anchor_tables[0], pp_anchor_tables[1]);
}

/* When there is something to do without being woken, or 0: never. */
static int64_t next_time(const struct guard *guard)
{
	int64_t at = INT64_MAX;

	if (guard->due)
		at = guard->rested;
	if (is_fighting(guard) && guard->put_back + PEACE_MS < at)
		at = guard->put_back + PEACE_MS;
	if (guard->wants_anchor && is_any_owner_unseen(guard) && now_ms() + RETRY_MS < at)
		at = now_ms() + RETRY_MS;
	return at == INT64_MAX ? 0 : at;
}

static void set_timer(const struct guard *guard)
{
	int64_t at = next_time(guard);
	struct itimerspec once = { .it_value = { at / 1000, at % 1000 * 1000000 } };

	timerfd_settime(guard->timer.fd, TFD_TIMER_ABSTIME, &once, NULL);
}

/* While a pass is due, further changes make no difference, and wake nobody. */
static void go_on(struct guard *guard)
{
	make_peace(guard);
	if (guard->due && now_ms() >= guard->rested) {
		pass(guard);
		if (!guard->due && guard->master.settled)
			guard->master.settled(guard->master.data);
	}
	pp_loop_change(guard->loop, &guard->changed, guard->due ? 0 : EPOLLIN);
	set_timer(guard);
}

static void rulesets_changed(struct pp_event *event, uint32_t events)
{
	struct guard *guard = container_of(event, struct guard, changed);

	(void)events;
	guard->due |= pp_generation_drain(&guard->generation);
	go_on(guard);
}

static void time_has_come(struct pp_event *event, uint32_t events)
{
	struct guard *guard = container_of(event, struct guard, timer);
	uint64_t times;

	(void)events;
	if (read(event->fd, &times, sizeof(times)) < 0)
		return;
	if (guard->wants_anchor && is_any_owner_unseen(guard))
		take_anchor(guard, false);
	go_on(guard);
}

static void owner_ended(struct guard *guard)
{
	take_anchor(guard, false);
	go_on(guard);
}

static void first_owner_ended(struct pp_event *event, uint32_t events)
{
	(void)events;
	owner_ended(container_of(event, struct guard, owners[0]));
}

static void second_owner_ended(struct pp_event *event, uint32_t events)
{
	(void)events;
	owner_ended(container_of(event, struct guard, owners[1]));
}

/* The directory of the records is where the anchors' locks are. */
static int open_anchor(struct pp_anchor *anchor, struct pp_error *err)
{
	struct pp_store store = PP_STORE_INIT;
	int ret = pp_store_open_unlocked(&store, err);

	if (ret == 0)
		ret = pp_anchor_open(anchor, store.dir, err);
	pp_store_close(&store);
	return ret;
}

static int watch(struct guard *guard, struct pp_error *err)
{
	int ret;

	guard->changed = (struct pp_event){ rulesets_changed, guard->generation.fd };
	guard->timer = (struct pp_event){ time_has_come,
					  timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC) };
	ret = guard->timer.fd < 0 ? -errno : pp_loop_watch(guard->loop, &guard->timer, EPOLLIN);
	if (ret == 0)
		ret = pp_loop_watch(guard->loop, &guard->changed, EPOLLIN);
	return ret < 0 ? pp_fail(err, -ret, "cannot wait for changes: %s", strerror(-ret)) : 0;
}

int guard_open(struct guard *guard, struct pp_loop *loop, const struct guard_master *master, bool at_once,
	       struct pp_error *err)
{
	int ret;

	*guard = (struct guard){ .loop = loop,
				 .master = *master,
				 .generation = PP_GENERATION_INIT,
				 .anchor = PP_ANCHOR_INIT,
				 .timer.fd = -1,
				 .owners = { { first_owner_ended, -1 }, { second_owner_ended, -1 } },
				 .due = at_once };
	ret = pp_generation_open(&guard->generation, err);
	if (ret == 0)
		ret = open_anchor(&guard->anchor, err);
	if (ret == 0)
		ret = watch(guard, err);
	if (ret < 0) {
		guard_close(guard);
		return ret;
	}
	pp_descriptors_spare(SPARE);
	take_anchor(guard, !guard->master.id);
	go_on(guard);
	return 0;
}

void guard_close(struct guard *guard)
{
	forget_owners(guard);
	if (guard->timer.fd >= 0)
		close(guard->timer.fd);
	guard->timer.fd = -1;
	pp_anchor_close(&guard->anchor);
	pp_generation_close(&guard->generation);
}
