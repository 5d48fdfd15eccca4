/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The record does not tell what to take back, but its id stands in each element that it owns, and among the users
 * of what it shares. The elements that it shares are told by what is left: those that no other record asks for. As
 * long as another record is broken they cannot be told, and stay: they keep others out, or masquerade what comes
 * back past us, and open nothing.
 */
#include "broken.h"

#include "flows.h"
#include "share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS = 1000 };

int broken_load(const struct session *session, struct pp_records *out, struct pp_error *err)
{
	int ret = 0;

	for (int stage = 0; ret == 0 && stage < PP_STAGE_COUNT; stage++)
		ret = pp_store_load_all(&session->store, (enum pp_stage)stage, out, err);
	return ret;
}

static bool is_broken(const struct session *session, enum pp_stage stage, const char *id)
{
	struct pp_record record = { 0 };
	struct pp_error ignored;
	int ret = pp_store_load(&session->store, stage, id, &record, &ignored);

	pp_record_fini(&record);
	return ret == -ENODATA;
}

bool broken_is_left(const struct session *session, const char *id)
{
	return is_broken(session, PP_STAGE_ADDING, id) || is_broken(session, PP_STAGE_DELETING, id);
}

static int want_shared(const struct pp_records *active, struct pp_entries *out, struct pp_error *err)
{
	const struct pp_record **records = calloc(active->count + 1, sizeof(const struct pp_record *));
	int ret;

	if (!records)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < active->count; i++)
		records[i] = &active->items[i];
	ret = pp_entries_shared(records, active->count, out, err);
	free(records);
	return ret;
}

static bool is_alone(const struct pp_records *all, const char *id)
{
	for (size_t i = 0; i < all->broken_count; i++) {
		if (strcmp(all->broken[i].id, id) != 0)
			return false;
	}
	return true;
}

/* Of what the kernel has beyond what is wanted of shared entries, only these are known to be nobody's. */
static void keep_others(struct pp_entry_refs *refs, const char *id, bool alone)
{
	size_t kept = 0;

	for (size_t i = 0; i < refs->count; i++) {
		const char *owner = refs->items[i]->owner;

		if (owner[0] ? strcmp(owner, id) == 0 : alone)
			refs->items[kept++] = refs->items[i];
	}
	refs->count = kept;
}

/* In the place of transaction_plan. */
static int plan(struct session *session, struct transaction *t, const char *id, struct pp_error *err)
{
	struct pp_records active = PP_RECORDS_INIT, all = PP_RECORDS_INIT;
	bool alone = false;
	int ret = pp_store_load_all(t->store, PP_STAGE_ACTIVE, &active, err);

	transaction_fini(t);
	if (ret == 0)
		ret = broken_load(session, &all, err);
	if (ret == 0)
		alone = is_alone(&all, id);
	for (int set = 0; ret == 0 && set < PP_SET_COUNT; set++)
		ret = pp_nft_read(t->nft, (enum pp_set)set, NULL, NULL, &t->before, err);
	if (ret == 0)
		ret = want_shared(&active, &t->after, err);
	if (ret == 0)
		ret = pp_entries_minus(&t->before, &t->after, &t->remove, err);
	if (ret == 0)
		ret = pp_entries_minus(&t->after, &t->before, &t->add, err);
	if (ret == 0) {
		keep_others(&t->remove, id, alone);
		if (!alone)
			t->add.count = 0;
	}
	pp_records_fini(&active);
	pp_records_fini(&all);
	return ret;
}

static int drop_elements(struct session *session, struct transaction *t, const char *id, struct pp_error *err)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		enum pp_nft_state found;
		int ret = pp_nft_look(t->nft, &found, err);

		if (ret == 0)
			ret = plan(session, t, id, err);
		if (ret == 0) { /* lent: once is enough to free */
			t->batch_remove = t->remove;
			t->batch_add = t->add;
			ret = transaction_commit(t, found, err);
			t->batch_remove = t->batch_add = (struct pp_entry_refs){ 0 };
		}
		if (ret != -EAGAIN && ret != -ENOENT)
			return ret;
	}
	return pp_fail(err, EBUSY,
		       "somebody changes the nftables rulesets all the time: gave up after %d attempts",
		       ATTEMPTS);
}

int broken_drop(struct session *session, const char *id, struct pp_error *err)
{
	struct pp_record record = { 0 };
	struct change change = { &record, NULL };
	struct transaction transaction = { .store = &session->store,
					   .nft = &session->nft,
					   .report = session->report,
					   .changes = &change,
					   .count = 1 };
	int ret;

	snprintf(record.id, sizeof(record.id), "%s", id);
	ret = pp_nft_is_open(&session->nft) ? drop_elements(session, &transaction, id, err) : 0;
	if (ret == 0)
		ret = flows_flush(&transaction, err);
	if (ret == 0)
		ret = shares_drop(&session->store, &session->nft, record.id, session->report, err);
	for (int stage = 0; ret == 0 && stage < PP_STAGE_COUNT; stage++)
		ret = pp_store_drop(&session->store, (enum pp_stage)stage, id, err);
	transaction_fini(&transaction);
	return ret;
}
