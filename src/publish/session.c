/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * What survives a command that is killed is its record, which is on its way in or out:
 *
 *	adding/ID	written before the first effect, renamed to active/ID after the last. Found by the next
 *			command, it is undone: nobody was told that it is published. With an active/ID beside it,
 *			which it was to replace, that is what the kernel gets back.
 *	deleting/ID	renamed from active/ID before the first effect, removed after the last. Found by the next
 *			command, it is gone through with.
 *
 * How far the killed command got is not known, so each step can be done again: entries are compared with the
 * kernel's, users are counted by name, and a sysctl's old value is kept until it is back.
 */
#include "session.h"

#include "flows.h"
#include "share.h"

#include <errno.h>
#include <stdlib.h>

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

int session_change(struct session *session, const struct change *changes, size_t count, struct pp_error *err)
{
	size_t prepared = 0;
	bool changed = false;
	int ret = 0;

	while (ret == 0 && prepared < count) {
		ret = prepare(session, &changes[prepared], err);
		prepared += ret == 0;
	}
	if (ret == 0)
		ret = carry_out(session, changes, count, &changed, err);
	while (ret < 0 && !changed && prepared)
		unprepare(session, &changes[--prepared]);
	return ret;
}

static int finish_deleting(struct session *session, const struct pp_records *records, struct pp_error *err)
{
	struct change *changes;
	bool changed;
	int ret;

	if (!records->count)
		return 0;
	changes = calloc(records->count, sizeof(*changes));
	if (!changes)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < records->count; i++)
		changes[i].before = &records->items[i];
	ret = carry_out(session, changes, records->count, &changed, err);
	for (size_t i = 0; ret == 0 && i < records->count; i++)
		pp_report_say(session->report, "removed %s, whose removal was interrupted",
			      records->items[i].id);
	free(changes);
	return ret;
}

static int undo_adding(struct session *session, const struct pp_records *records, struct pp_error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < records->count; i++) {
		ret = session_undo(session, &records->items[i], err);
		if (ret == 0)
			pp_report_say(session->report, "undid %s, which was interrupted",
				      records->items[i].id);
	}
	return ret;
}

int session_repair(struct session *session, struct pp_error *err)
{
	struct pp_records adding = PP_RECORDS_INIT, deleting = PP_RECORDS_INIT;
	int ret = pp_store_load_all(&session->store, PP_STAGE_ADDING, &adding, err);

	if (ret == 0)
		ret = pp_store_load_all(&session->store, PP_STAGE_DELETING, &deleting, err);
	if (ret == 0)
		ret = finish_deleting(session, &deleting, err);
	if (ret == 0)
		ret = undo_adding(session, &adding, err);
	if (ret == -ENODATA) {
		pp_report_say(session->report, "%s", err->message);
		ret = 0;
	}
	pp_records_fini(&adding);
	pp_records_fini(&deleting);
	return ret;
}

int session_begin(struct session *session, const struct pp_report *report, struct pp_error *err)
{
	enum pp_nft_state found;
	int ret;

	*session = (struct session){ PP_STORE_INIT, PP_NFT_INIT, report };
	ret = pp_nft_open(&session->nft, err);
	if (ret == 0)
		ret = pp_store_open(&session->store, err);
	session->nft.records = session->store.base;
	if (ret == 0) /* is the table of these records? */
		ret = pp_nft_look(&session->nft, &found, err);
	if (ret == 0)
		ret = session_repair(session, err);
	if (ret < 0)
		session_end(session);
	return ret;
}
