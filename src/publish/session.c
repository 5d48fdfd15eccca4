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
 * How far the killed command got is not known, so each step can be done again: entries are compared with the
 * kernel's, users are counted by name, and a sysctl's old value is kept until it is back.
 */
#include "session.h"

#include "flows.h"
#include "share.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

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
		ret = pp_store_drop(&session->store, PP_STAGE_ADDING, record->id, err);
	transaction_fini(&transaction);
	pp_record_fini(&active);
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
					   .count = count };
	int ret = transaction_force(&transaction, err);

	*changed = ret == 0;
	if (ret == 0)
		ret = flows_flush(&transaction, err);
	for (size_t i = 0; ret == 0 && i < count; i++) {
		const char *id = changes[i].before->id;

		ret = shares_leave(&session->store, &session->nft, changes[i].before, changes[i].after,
				   session->report, err);
		if (ret == 0 && changes[i].after)
			ret = pp_store_move(&session->store, PP_STAGE_ADDING, PP_STAGE_ACTIVE, id, err);
		else if (ret == 0)
			ret = pp_store_drop(&session->store, PP_STAGE_DELETING, id, err);
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

int session_change(struct session *session, struct change *changes, size_t count, struct pp_error *err)
{
	struct pp_error ignored;
	size_t prepared = 0;
	bool changed = false;
	int ret = session_check(session, err);

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
		return pp_store_settle(&session->store, err);
	if (changed || pp_store_settle(&session->store, &ignored) < 0)
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

static int end_removal(struct session *session, struct pp_error *err)
{
	struct pp_records deleting = PP_RECORDS_INIT, staying = PP_RECORDS_INIT;
	bool decided = pp_store_is_decided(&session->store);
	int ret = pp_store_load_all(&session->store, PP_STAGE_DELETING, &deleting, err);

	if (ret == 0 && decided)
		ret = pp_store_load_all(&session->store, PP_STAGE_ADDING, &staying, err);
	if (ret == 0)
		ret = decided ? finish_removal(session, &deleting, &staying, err)
			      : give_back(session, &deleting, err);
	pp_records_fini(&deleting);
	pp_records_fini(&staying);
	return ret;
}

int session_repair(struct session *session, struct pp_error *err)
{
	int ret = end_removal(session, err);

	session->unfinished.code = 0;
	if (ret == 0)
		ret = undo_adding(session, err);
	if (ret != -ENODATA)
		return ret;
	session->unfinished = *err;
	return 0;
}

static int begin(struct session *session, int (*open)(struct pp_store *store, struct pp_error *err),
		 const struct pp_report *report, struct pp_error *err)
{
	enum pp_nft_state found;
	int ret;

	*session = (struct session){ .store = PP_STORE_INIT, .nft = PP_NFT_INIT, .report = report };
	ret = pp_nft_open(&session->nft, err);
	if (ret == 0)
		ret = open(&session->store, err);
	static_assert((int)PP_STORE_BASE <= (int)PP_NFT_RECORDS, "the table's comment has room for it");
	session->nft.records = session->store.base;
	if (ret == 0) /* is the table of these records? */
		ret = pp_nft_look(&session->nft, &found, err);
	if (ret == 0)
		ret = session_repair(session, err);
	if (ret < 0)
		session_end(session);
	return ret;
}

int session_begin(struct session *session, const struct pp_report *report, struct pp_error *err)
{
	return begin(session, pp_store_open, report, err);
}

int session_try_begin(struct session *session, const struct pp_report *report, struct pp_error *err)
{
	return begin(session, pp_store_try_open, report, err);
}
