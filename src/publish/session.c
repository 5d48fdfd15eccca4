/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * What survives a command that is killed is its record, which is on its way in or out:
 *
 *	adding/ID	written before the first effect, renamed to active/ID after the last. Found by the next
 *			command, it is undone: nobody was told that it is published. With an active/ID beside it,
 *			which it was to replace, that is what the kernel gets back.
 *	deleting/ID	renamed from active/ID before the first effect, removed after the last. What is to stay of
 *			a record is in adding/ID then, beside it in active/.
 *	decided		made when all that one command removes is there. With it the next command goes through
 *			with all of it; without it there has been no effect, and they go back to active/.
 *
 *	handing-over	made before a record takes the place of another that has a keeper, removed when that has
 *			been told. With it the next command tells it.
 *
 * A keeper outlives the command that has begun it, if its record is active by then.
 *
 * A keeper that puts rules back, or ends, cannot end other keepers, nor begin one or tell it anything: it leaves to the
 * next command what takes that. So does `run`, which has one keeper to begin. One that makes no rules has given up the
 * means to change any, and leaves all that is unfinished.
 *
 * How far the killed command got is not known, so each step can be done again: entries are compared with the
 * kernel's, users are counted by name, and a sysctl's old value is kept until it is back.
 */
#include "session.h"

#include "flows.h"
#include "keepers.h"
#include "share.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

void session_end(struct session *session)
{
	pp_nft_close(&session->nft);
	pp_store_close(&session->store);
}

int session_undo(struct session *session, const struct pp_record *record, struct pp_error *err)
{
	struct pp_record active = { 0 };
	int ret = pp_store_load(&session->store, PP_STAGE_ACTIVE, record->id, &active, err);
	const struct pp_record *after = ret == 0 ? &active : NULL;
	struct change change = { record, after };
	struct transaction transaction = { .store = &session->store,
					   .nft = &session->nft,
					   .report = session->report,
					   .changes = &change,
					   .count = 1,
					   .restore = true };

	if (after) /* it may have been counted off already */
		ret = shares_take(&session->store, after, err);
	if (ret == 0 || ret == -ENOENT)
		ret = transaction_force(&transaction, err);
	if (ret == 0 && after)
		ret = shares_set(&session->store, &session->nft, after, session->report, err);
	if (ret == 0)
		ret = flows_flush(&transaction, err);
	if (ret == 0)
		ret = shares_leave(&session->store, &session->nft, record, after, session->report, err);
	if (ret == 0)
		ret = keepers_end(&session->store, record->id, after ? after->keeper : 0, !session->keeping,
				  err);
	if (ret == 0)
		ret = pp_store_drop(&session->store, PP_STAGE_ADDING, record->id, err);
	transaction_fini(&transaction);
	pp_record_fini(&active);
	return ret;
}

static void retire_before(const struct session *session, const struct pp_record *record)
{
	keepers_retire(&session->store, record->id, record->keeper ? record->keeper : UINT32_MAX);
}

int session_activate(struct session *session, const struct pp_record *before, const struct pp_record *record,
		     int leash, struct pp_error *err)
{
	bool retires = before && before->keeper && before->keeper != record->keeper;
	int ret = retires ? pp_store_hand_over(&session->store, err) : 0;
	struct pp_error ignored;

	if (ret == 0)
		ret = pp_store_move(&session->store, PP_STAGE_ADDING, PP_STAGE_ACTIVE, record->id, err);
	if (ret < 0)
		return ret;
	keepers_release(leash);
	if (!retires)
		return 0;
	retire_before(session, record);
	(void)pp_store_handed_over(&session->store,
				   &ignored); /* or else the next command does it once more */
	return 0;
}

/*
 * A keeper for what is to stay of @before, which has one: it shares the sockets of the other, and those that it does
 * not take are closed when that one retires. Where the other has been killed, check tells it. One that a command has
 * begun which was killed is about to end.
 */
static int keep_rest(struct session *session, const struct change *change, int *leash, struct pp_error *err)
{
	struct pp_record after = *change->after; /* lent */
	struct pp_held held = PP_HELD_INIT;
	int ret = keepers_end(&session->store, after.id, change->before->keeper, !session->keeping, err);

	if (ret == 0)
		ret = keepers_borrow(&session->store, after.id, change->before->keeper, &held, err);
	if (ret == 0)
		ret = session->keeping->start(&session->store, &after, &held, leash, session->keeping->data,
					      err);
	pp_held_fini(&held);
	return ret == -ESRCH ? 0 : ret;
}

/* The rest stays, as it has been; or nothing does. */
static int change_over(struct session *session, const struct change *change, struct pp_error *err)
{
	const char *id = change->before->id;
	int ret, leash = -1;

	if (!change->after) {
		ret = keepers_end(&session->store, id, 0, !session->keeping, err);
		return ret == 0 ? pp_store_drop(&session->store, PP_STAGE_DELETING, id, err) : ret;
	}
	ret = change->after->keeper && session->keeping ? keep_rest(session, change, &leash, err) : 0;
	if (ret == 0)
		ret = session_activate(session, change->before, change->after, leash, err);
	else if (leash >= 0)
		close(leash);
	return ret;
}

/* The records are in deleting/, or what is to stay of them is in adding/. *@changed: the kernel has it. */
static int carry_out(struct session *session, const struct change *changes, size_t count, bool *changed,
		     struct pp_error *err)
{
	struct transaction transaction = { .store = &session->store,
					   .nft = &session->nft,
					   .report = session->report,
					   .changes = changes,
					   .count = count,
					   .spares_connections = session->spares_connections };
	int ret = transaction_force(&transaction, err);

	*changed = ret == 0;
	if (ret == 0)
		ret = flows_flush(&transaction, err);
	for (size_t i = 0; ret == 0 && i < count; i++) {
		ret = shares_leave(&session->store, &session->nft, changes[i].before, changes[i].after,
				   session->report, err);
		if (ret == 0)
			ret = change_over(session, &changes[i], err);
	}
	transaction_fini(&transaction);
	return ret;
}

static int prepare(struct session *session, const struct change *change, struct pp_error *err)
{
	if (change->after)
		return pp_store_save(&session->store, PP_STAGE_ADDING, change->after, err);
	return pp_store_move(&session->store, PP_STAGE_ACTIVE, PP_STAGE_DELETING, change->before->id, err);
}

static void unprepare(struct session *session, const struct change *change)
{
	struct pp_error ignored;

	if (change->after)
		pp_store_drop(&session->store, PP_STAGE_ADDING, change->after->id, &ignored);
	else
		pp_store_move(&session->store, PP_STAGE_DELETING, PP_STAGE_ACTIVE, change->before->id,
			      &ignored);
}

static int compare_changes(const void *left, const void *right)
{
	return strcmp(change_id(left), change_id(right));
}

int session_check(const struct session *session, struct pp_error *err)
{
	if (session->unfinished.code)
		*err = session->unfinished;
	return -session->unfinished.code;
}

/* What was decided before stays so. */
static int settle(const struct session *session, struct pp_error *err)
{
	return session->leaves ? 0 : pp_store_settle(&session->store, err);
}

/* Before there is any effect: a keeper that ends itself is among them, and others are not its. */
static int check_keepers(const struct session *session, const struct change *changes, size_t count,
			 struct pp_error *err)
{
	int ret = 0;

	for (size_t i = 0; session->keeping && ret == 0 && i < count; i++)
		ret = keepers_check(&session->store, changes[i].before->id, changes[i].before->keeper, err);
	return ret;
}

int session_change(struct session *session, struct change *changes, size_t count, struct pp_error *err)
{
	struct pp_error ignored;
	size_t prepared = 0;
	bool changed = false;
	int ret = session_check(session, err);

	if (ret == 0)
		ret = check_keepers(session, changes, count, err);
	if (ret < 0)
		return ret;
	qsort(changes, count, sizeof(*changes), compare_changes);
	while (ret == 0 && prepared < count) {
		ret = prepare(session, &changes[prepared], err);
		prepared += ret == 0;
	}
	if (ret == 0)
		ret = pp_store_decide(&session->store, err);
	if (ret == 0)
		ret = carry_out(session, changes, count, &changed, err);
	if (ret == 0)
		return settle(session, err);
	if (changed || settle(session, &ignored) < 0)
		return ret; /* the next command goes through with it */
	while (prepared)
		unprepare(session, &changes[--prepared]);
	return ret;
}

/*
 * The changes of a removal, into @changes, which has room for all: what is in @deleting goes, and what is in
 * @staying takes the place of what @before gets.
 */
static int find_changes(const struct session *session, const struct pp_records *deleting,
			const struct pp_records *staying, struct pp_record *before, struct change *changes,
			size_t *count, struct pp_error *err)
{
	*count = 0;
	for (size_t i = 0; i < deleting->count; i++)
		changes[(*count)++] = (struct change){ &deleting->items[i], NULL };
	for (size_t i = 0; i < staying->count; i++) {
		int ret = pp_store_load(&session->store, PP_STAGE_ACTIVE, staying->items[i].id, &before[i],
					err);

		if (ret == 0)
			changes[(*count)++] = (struct change){ &before[i], &staying->items[i] };
		else if (ret != -ENOENT)
			return ret;
	}
	qsort(changes, *count, sizeof(*changes), compare_changes);
	return 0;
}

static int go_through(struct session *session, const struct change *changes, size_t count,
		      struct pp_error *err)
{
	bool changed;
	int ret = carry_out(session, changes, count, &changed, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < count; i++)
		pp_report_say(session->report, "removed %s%s, whose removal was interrupted",
			      changes[i].after ? "a part of " : "", change_id(&changes[i]));
	return pp_store_settle(&session->store, err);
}

static int finish_removal(struct session *session, const struct pp_records *deleting,
			  const struct pp_records *staying, struct pp_error *err)
{
	struct change *changes = calloc(deleting->count + staying->count + 1, sizeof(*changes));
	struct pp_record *before = calloc(staying->count + 1, sizeof(*before));
	size_t count = 0;
	int ret;

	if (!changes || !before) {
		free(changes);
		free(before);
		return pp_fail(err, ENOMEM, "out of memory");
	}
	ret = find_changes(session, deleting, staying, before, changes, &count, err);
	if (ret == 0)
		ret = go_through(session, changes, count, err);
	for (size_t i = 0; i < staying->count; i++)
		pp_record_fini(&before[i]);
	free(before);
	free(changes);
	return ret;
}

static int give_back(struct session *session, const struct pp_records *deleting, struct pp_error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < deleting->count; i++)
		ret = pp_store_move(&session->store, PP_STAGE_DELETING, PP_STAGE_ACTIVE,
				    deleting->items[i].id, err);
	return ret;
}

static int undo_adding(struct session *session, struct pp_error *err)
{
	struct pp_records adding = PP_RECORDS_INIT;
	int ret = pp_store_load_all(&session->store, PP_STAGE_ADDING, &adding, err);

	for (size_t i = 0; ret == 0 && i < adding.count; i++) {
		ret = session_undo(session, &adding.items[i], err);
		if (ret == 0)
			pp_report_say(session->report, "undid %s, which was interrupted", adding.items[i].id);
	}
	pp_records_fini(&adding);
	return ret;
}

static bool is_command(const struct session *session)
{
	return session->keeping && session->keeping->many;
}

static bool has_keeper(const struct pp_records *records)
{
	for (size_t i = 0; i < records->count; i++) {
		if (records->items[i].keeper)
			return true;
	}
	return false;
}

static bool is_without_rules(const struct session *session)
{
	return !is_command(session) && !pp_nft_is_open(&session->nft);
}

static int end_removal(struct session *session, struct pp_error *err)
{
	struct pp_records deleting = PP_RECORDS_INIT, staying = PP_RECORDS_INIT;
	bool decided = pp_store_is_decided(&session->store);
	int ret = pp_store_load_all(&session->store, PP_STAGE_DELETING, &deleting, err);

	if (ret == 0 && decided)
		ret = pp_store_load_all(&session->store, PP_STAGE_ADDING, &staying, err);
	session->leaves = decided && !is_command(session) &&
			  (is_without_rules(session) || has_keeper(&deleting) || has_keeper(&staying));
	if (ret == 0 && !session->leaves)
		ret = decided ? finish_removal(session, &deleting, &staying, err)
			      : give_back(session, &deleting, err);
	pp_records_fini(&deleting);
	pp_records_fini(&staying);
	return ret;
}

static int end_handover(struct session *session, struct pp_error *err)
{
	struct pp_records active = PP_RECORDS_INIT;
	int ret = pp_store_load_all(&session->store, PP_STAGE_ACTIVE, &active, err);

	for (size_t i = 0; ret == 0 && i < active.count; i++)
		retire_before(session, &active.items[i]);
	pp_records_fini(&active);
	return ret == 0 ? pp_store_handed_over(&session->store, err) : ret;
}

int session_repair(struct session *session, struct pp_error *err)
{
	int ret = end_removal(session, err);

	session->unfinished.code = 0;
	if (ret == 0 && !session->leaves &&
	    !is_without_rules(session)) /* what is to stay is in adding/, too */
		ret = undo_adding(session, err);
	if (ret == 0 && session->keeping && pp_store_is_handing_over(&session->store))
		ret = end_handover(session, err);
	if (ret != -ENODATA)
		return ret;
	session->unfinished = *err;
	return 0;
}

/* Whoever has no way to the kernel's rules can do with what needs none. */
static int open_kernel(struct pp_nft *nft, struct pp_error *err)
{
	int ret = pp_nft_open(nft, err);

	return ret == -EPERM || ret == -EOPNOTSUPP ? 0 : ret;
}

/* With the lock. */
static int start(struct session *session, struct pp_error *err)
{
	enum pp_nft_state found;
	int ret = 0;

	static_assert((int)PP_STORE_BASE <= (int)PP_NFT_RECORDS, "the table's comment has room for it");
	session->nft.records = session->store.base;
	if (pp_nft_is_open(&session->nft)) /* is the table of these records? */
		ret = pp_nft_look(&session->nft, &found, err);
	return ret == 0 ? session_repair(session, err) : ret;
}

static int begin(struct session *session, int (*open)(struct pp_store *store, struct pp_error *err),
		 const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err)
{
	int ret;

	*session = (struct session){
		.store = PP_STORE_INIT, .nft = PP_NFT_INIT, .keeping = keeping, .report = report
	};
	ret = open_kernel(&session->nft, err);
	if (ret == 0)
		ret = open(&session->store, err);
	if (ret == 0)
		ret = start(session, err);
	if (ret < 0)
		session_end(session);
	return ret;
}

int session_begin(struct session *session, const struct pp_keeping *keeping, const struct pp_report *report,
		  struct pp_error *err)
{
	return begin(session, pp_store_open, keeping, report, err);
}

int session_try_begin(struct session *session, const struct pp_keeping *keeping,
		      const struct pp_report *report, struct pp_error *err)
{
	return begin(session, pp_store_try_open, keeping, report, err);
}

int session_borrow(struct session *session, struct pp_publisher *publisher, bool wait,
		   const struct pp_report *report, struct pp_error *err)
{
	int ret = pp_store_lock(&publisher->store, wait, err);

	if (ret < 0)
		return ret;
	*session = (struct session){ .store = publisher->store,
				     .nft = publisher->nft,
				     .report = report,
				     .spares_connections = publisher->spares_connections };
	ret = start(session, err);
	if (ret < 0)
		session_give_back(session, publisher);
	return ret;
}

void session_give_back(struct session *session, struct pp_publisher *publisher)
{
	publisher->nft = session->nft; /* which counts its messages */
	publisher->nft.records = publisher->store.base;
	pp_store_unlock(&publisher->store);
}

int pp_publisher_open(struct pp_publisher *publisher, bool with_rules, struct pp_error *err)
{
	struct pp_publisher opened = PP_PUBLISHER_INIT;
	int ret = with_rules ? open_kernel(&opened.nft, err) : 0;

	if (ret == 0)
		ret = pp_store_open_unlocked(&opened.store, err);
	if (ret < 0)
		pp_publisher_close(&opened);
	else
		*publisher = opened;
	publisher->nft.records = publisher->store.base;
	return ret;
}

void pp_publisher_close(struct pp_publisher *publisher)
{
	pp_nft_close(&publisher->nft);
	pp_store_close(&publisher->store);
}
