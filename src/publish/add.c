/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * In this order, each with its undo: choose the ports and bind the free ones; see who else has them; write the
 * record to adding/; count the record among the users of what it shares; one batch, which has the guard; the
 * sysctls, which the guard now stands before; forget stale connections; the record is active.
 *
 * Everything up to the batch is decided on the rulesets as they were when they were looked at; if the kernel says
 * that they have changed, it is decided anew.
 */
#include "broken.h"
#include "flows.h"
#include "ports.h"
#include "session.h"
#include "share.h"

#include <errno.h>
#include <string.h>
#include <time.h>

enum { ATTEMPTS = 1000 };

struct addition {
	struct session session;
	struct pp_record *record;
	struct pp_record old; /* which it replaces, or zero */
	struct pp_publications asked;
	struct held held;
	struct change change;
	struct transaction transaction;
};

static int find_old(struct addition *addition, bool replace, struct pp_error *err)
{
	struct pp_record *record = addition->record;
	struct pp_error ignored;
	int ret;

	if (!record->id[0]) {
		do {
			ret = pp_id_make(record->id, err);
			if (ret < 0)
				return ret;
			ret = pp_store_load(&addition->session.store, PP_STAGE_ACTIVE, record->id,
					    &addition->old, &ignored);
			pp_record_fini(&addition->old);
		} while (ret == 0);
		return 0;
	}
	if (broken_is_left(&addition->session, record->id))
		return pp_fail(err, EEXIST, "what is left of %s is no record: see portpub check", record->id);
	ret = pp_store_load(&addition->session.store, PP_STAGE_ACTIVE, record->id, &addition->old, err);
	if (ret == -ENOENT)
		return 0;
	if (ret == 0 && !replace)
		ret = pp_fail(err, EEXIST, "%s is published already: --replace puts this in its place",
			      record->id);
	return ret;
}

/* @old, where there is one, is the record of the same id. */
static const struct pp_record *old_of(const struct addition *addition)
{
	return addition->old.id[0] ? &addition->old : NULL;
}

static int check_ports(struct addition *addition, const struct ports *ports, struct pp_error *err)
{
	const struct pp_record *old = old_of(addition);
	struct pp_entry other;
	int ret = ports_check_others(ports, &addition->transaction.batch_add, &other, err);

	if (ret == -EADDRINUSE)
		return transaction_fail_taken(&addition->transaction, &other, other.owner, err);
	if (ret < 0)
		return ret;
	return ports_check_sockets(&addition->session.store, &addition->asked,
				   old ? &old->request.publications : NULL, err);
}

static int plan(struct addition *addition, const struct ports *ports, struct pp_error *err)
{
	struct pp_publications *chosen = &addition->record->request.publications;
	int ret;

	held_fini(&addition->held);
	chosen->count = 0;
	ret = ports_choose(ports, &addition->asked, chosen, &addition->held, err);
	if (ret == 0)
		ret = transaction_plan(&addition->transaction, err);
	if (ret == 0 && !ports->wanted && (old_of(addition) || addition->transaction.remove.count))
		ret = transaction_match(&addition->transaction, err);
	return ret == 0 ? check_ports(addition, ports, err) : ret;
}

/* A table that is not whole does not tell what is published: the records do. */
static int plan_by_records(struct addition *addition, struct pp_error *err)
{
	struct pp_records active = PP_RECORDS_INIT;
	struct pp_entries wanted = PP_ENTRIES_INIT;
	struct ports ports = { &addition->session.nft, &wanted, addition->record->id };
	int ret = pp_store_load_all(&addition->session.store, PP_STAGE_ACTIVE, &active, err);

	for (size_t i = 0; ret == 0 && i < active.count; i++)
		ret = pp_entries_owned(&active.items[i], &wanted, err);
	if (ret == 0)
		ret = plan(addition, &ports, err);
	pp_entries_fini(&wanted);
	pp_records_fini(&active);
	return ret;
}

/* Once, on the rulesets as they are now. */
static int try_batch(struct addition *addition, struct pp_error *err)
{
	struct session *session = &addition->session;
	struct ports ports = { &session->nft, NULL, addition->record->id };
	enum pp_nft_state found;
	int ret = pp_nft_look(&session->nft, &found, err);

	if (ret == 0)
		ret = found == PP_NFT_WHOLE ? plan(addition, &ports, err) : plan_by_records(addition, err);
	if (ret == 0)
		ret = pp_store_save(&session->store, PP_STAGE_ADDING, addition->record, err);
	if (ret == 0)
		ret = shares_take(&session->store, addition->record, err);
	return ret == 0 ? transaction_commit(&addition->transaction, found, err) : ret;
}

static int run_batch(struct addition *addition, struct pp_error *err)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		int ret = try_batch(addition, err);

		if (ret != -EAGAIN)
			return ret;
	}
	return pp_fail(err, EBUSY,
		       "somebody changes the nftables rulesets all the time: gave up after %d attempts",
		       ATTEMPTS);
}

/* After the batch. */
static int finish(struct addition *addition, struct pp_error *err)
{
	struct session *session = &addition->session;
	const struct pp_record *old = old_of(addition);
	int ret = shares_set(&session->store, &session->nft, addition->record, session->report, err);

	if (ret == 0)
		ret = flows_flush(&addition->transaction, err);
	if (ret == 0 && old) /* while its record is there to tell what it shared */
		ret = shares_leave(&session->store, &session->nft, old, addition->record, session->report,
				   err);
	if (ret == 0)
		ret = pp_store_move(&session->store, PP_STAGE_ADDING, PP_STAGE_ACTIVE, addition->record->id,
				    err);
	return ret;
}

static void undo(struct addition *addition, bool committed)
{
	struct session *session = &addition->session;
	struct pp_error ignored;

	if (committed) { /* what cannot be undone stays in adding/, for the next command to try */
		session_undo(session, addition->record, &ignored);
		return;
	}
	shares_leave(&session->store, &session->nft, addition->record, old_of(addition), NULL, &ignored);
	pp_store_drop(&session->store, PP_STAGE_ADDING, addition->record->id, &ignored);
}

static int add(struct addition *addition, bool replace, struct pp_error *err)
{
	int ret = find_old(addition, replace, err);

	for (size_t f = 0; ret == 0 && f < 2; f++)
		ret = pp_publish_find_way(addition->record, pp_families[f], err);
	if (ret < 0)
		return ret;
	addition->record->created = time(NULL);
	addition->change = (struct change){ old_of(addition), addition->record };
	addition->transaction = (struct transaction){ .store = &addition->session.store,
						      .nft = &addition->session.nft,
						      .report = addition->session.report,
						      .changes = &addition->change,
						      .count = 1,
						      .restore = true };
	ret = run_batch(addition, err);
	if (ret < 0) {
		undo(addition, false);
		return ret;
	}
	ret = finish(addition, err);
	if (ret < 0)
		undo(addition, true);
	return ret;
}

int pp_publish_add(struct pp_record *record, bool replace, const struct pp_report *report,
		   struct pp_error *err)
{
	struct addition addition = { .record = record, .held = HELD_INIT };
	int ret = session_begin(&addition.session, report, err);

	if (ret < 0)
		return ret;
	ret = session_check(&addition.session, err);
	if (ret < 0) {
		session_end(&addition.session);
		return ret;
	}
	addition.asked = record->request.publications;
	record->request.publications = PP_PUBLICATIONS_INIT;
	ret = add(&addition, replace, err);
	held_fini(&addition.held);
	transaction_fini(&addition.transaction);
	pp_publications_fini(&addition.asked);
	pp_record_fini(&addition.old);
	session_end(&addition.session);
	return ret;
}
