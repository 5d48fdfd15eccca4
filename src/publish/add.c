/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * In this order, each with its undo: choose the ports and bind them, or, where nobody is to keep them, the free ones;
 * see who else has them; write the record to adding/; count the record among the users of what it shares; one batch,
 * which has the guard; the sysctls, which the guard now stands before; start the keeper, which gets the sockets; forget
 * stale connections; the record is active, and the keeper may go on alone.
 *
 * Everything up to the batch is decided on the rulesets as they were when they were looked at; if the kernel says
 * that they have changed, it is decided anew. What is bound stays bound.
 *
 * A keeper that is replaced shares its sockets with the new one: at no time is there nobody to take a connection. It
 * carries those that it has to their end.
 */
#include "add.h"

#include "broken.h"
#include "flows.h"
#include "hold.h"
#include "keepers.h"
#include "portpub/listen.h"
#include "ports.h"
#include "session.h"
#include "share.h"

#include <errno.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ATTEMPTS = 1000 };

struct addition {
	struct session session;
	struct pp_record *record;
	struct pp_record old; /* which it replaces, or zero */
	struct pp_publications asked;
	struct held held; /* until the kernel has them */
	bool is_held;
	struct pp_held sockets, had; /* for the keeper; of the one before */
	int leash;
	struct change change;
	struct transaction transaction;
};

static int find_old(struct addition *addition, enum add_replace replace, struct pp_error *err)
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
		return replace == ADD_REPLACE_ONLY ? ret : 0;
	if (ret == 0 && replace == ADD_NEW)
		ret = pp_fail(err, EEXIST, "%s is published already: --replace puts this in its place",
			      record->id);
	return ret;
}

/* @old, where there is one, is the record of the same id. */
static const struct pp_record *old_of(const struct addition *addition)
{
	return addition->old.id[0] ? &addition->old : NULL;
}

static bool is_kept(const struct addition *addition)
{
	return !addition->record->request.no_keeper;
}

static void move_held(struct pp_held *from, struct pp_held *to)
{
	pp_held_fini(to);
	*to = *from;
	*from = PP_HELD_INIT;
}

static int hold(struct addition *addition, const struct ports *ports, struct pp_error *err)
{
	struct pp_held *brought = addition->session.keeping->held;
	struct pp_request *request = &addition->record->request;
	const struct pp_record *old = old_of(addition);
	struct holding holding = { &addition->session.store, ports, &request->allow, &addition->had };
	int ret = 0;

	if (addition->is_held)
		return 0;
	if (brought)
		move_held(brought, &addition->had);
	else if (old && old->keeper)
		ret = keepers_borrow(&addition->session.store, old->id, old->keeper, &addition->had, err);
	if (ret == 0 || ret == -ESRCH)
		ret = hold_ports(&holding, &addition->asked, pp_plan_makes_rules(request),
				 &request->publications, &addition->sockets, err);
	if (ret == 0 && !request->inside)
		ret = hold_refuse_itself(request, err);
	addition->is_held = ret == 0;
	return ret;
}

static int choose(struct addition *addition, const struct ports *ports, struct pp_error *err)
{
	struct pp_publications *chosen = &addition->record->request.publications;

	if (is_kept(addition))
		return hold(addition, ports, err);
	held_fini(&addition->held);
	chosen->count = 0;
	return ports_choose(ports, &addition->asked, chosen, &addition->held, err);
}

static int check_ports(struct addition *addition, const struct ports *ports, struct pp_error *err)
{
	const struct pp_record *old = old_of(addition);
	struct pp_entry other;
	int ret = ports_check_others(ports, &addition->transaction.batch_add, &other, err);

	if (ret == -EADDRINUSE)
		return transaction_fail_taken(&addition->transaction, &other, other.owner, err);
	if (ret < 0 || is_kept(addition))
		return ret;
	if (addition->record->attachment) {
		ret = ports_tell_sockets(&addition->session.store, &addition->asked,
					 &addition->record->request.target, &other, addition->session.report,
					 err);
		return ret == -EADDRINUSE
			       ? transaction_fail_taken(&addition->transaction, &other, other.owner, err)
			       : ret;
	}
	return ports_check_sockets(&addition->session.store, &addition->asked,
				   old ? &old->request.publications : NULL, err);
}

static int plan(struct addition *addition, const struct ports *ports, struct pp_error *err)
{
	int ret = choose(addition, ports, err);

	if (ret == 0)
		ret = transaction_plan(&addition->transaction, err);
	if (ret < 0 || !pp_nft_is_open(&addition->session.nft))
		return ret;
	if (!ports->wanted && (old_of(addition) || addition->transaction.remove.count))
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
	enum pp_nft_state found = PP_NFT_WHOLE;
	int ret = pp_nft_is_open(&session->nft) ? pp_nft_look(&session->nft, &found, err) : 0;

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

/* Who may connect to sockets that it shares with the keeper before it. */
static int admit(const struct pp_held *sockets, const struct pp_networks *allow, struct pp_error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < sockets->count; i++)
		ret = pp_listen_admit(sockets->items[i].fd, allow, err);
	return ret;
}

static int start_keeper(struct addition *addition, struct pp_error *err)
{
	struct session *session = &addition->session;
	bool was_known = pp_target_is_known(&addition->record->request.target);
	int ret = 0;

	if (!is_kept(addition))
		return 0;
	if (old_of(addition))
		ret = admit(&addition->sockets, &addition->record->request.allow, err);
	if (ret == 0)
		ret = session->keeping->start(&session->store, addition->record, &addition->sockets,
					      &addition->leash, session->keeping->data, err);
	if (ret == 0)
		keepers_tell(&session->store, addition->record, session->report);
	if (ret == 0 && !was_known)
		ret = pp_store_save(&session->store, PP_STAGE_ADDING, addition->record, err);
	return ret;
}

/* After the batch. */
static int finish(struct addition *addition, struct pp_error *err)
{
	struct session *session = &addition->session;
	const struct pp_record *old = old_of(addition);
	int ret = shares_set(&session->store, &session->nft, addition->record, session->report, err);

	if (ret == 0)
		ret = start_keeper(addition, err);
	if (ret == 0)
		ret = flows_flush(&addition->transaction, err);
	if (ret == 0 && old) /* while its record is there to tell what it shared */
		ret = shares_leave(&session->store, &session->nft, old, addition->record, session->report,
				   err);
	if (ret == 0) {
		ret = session_activate(session, old, addition->record, addition->leash, err);
		addition->leash = ret == 0 ? -1 : addition->leash;
	}
	return ret;
}

static void undo(struct addition *addition, bool committed)
{
	struct session *session = &addition->session;
	struct pp_error ignored;

	if (addition->leash >= 0)
		close(addition->leash);
	addition->leash = -1;
	if (committed && addition->old.id[0])
		(void)admit(&addition->sockets, &addition->old.request.allow, &ignored);
	if (committed) { /* what cannot be undone stays in adding/, for the next command to try */
		session_undo(session, addition->record, &ignored);
		return;
	}
	shares_leave(&session->store, &session->nft, addition->record, old_of(addition), NULL, &ignored);
	pp_store_drop(&session->store, PP_STAGE_ADDING, addition->record->id, &ignored);
}

static int add(struct addition *addition, enum add_replace replace, struct pp_error *err)
{
	int ret = find_old(addition, replace, err);

	for (size_t f = 0; ret == 0 && f < 2 && pp_plan_makes_rules(&addition->record->request); f++)
		ret = pp_publish_find_way(addition->record, pp_families[f], err);
	if (ret < 0)
		return ret;
	addition->record->created = time(NULL);
	addition->record->keeper = is_kept(addition) ? addition->old.keeper + 1 : 0;
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

int add_record(struct pp_record *record, enum add_replace replace, char owner[static PP_ID_SIZE],
	       const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err)
{
	struct addition addition = { .record = record, .held = HELD_INIT, .leash = -1 };
	int ret = session_begin(&addition.session, keeping, report, err);

	owner[0] = '\0';
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
	memcpy(owner, addition.transaction.taken_by, PP_ID_SIZE);
	held_fini(&addition.held);
	pp_held_fini(&addition.sockets);
	pp_held_fini(&addition.had);
	transaction_fini(&addition.transaction);
	pp_publications_fini(&addition.asked);
	pp_record_fini(&addition.old);
	session_end(&addition.session);
	return ret;
}

int pp_publish_add(struct pp_record *record, bool replace, const struct pp_keeping *keeping,
		   const struct pp_report *report, struct pp_error *err)
{
	char owner[PP_ID_SIZE];

	return add_record(record, replace ? ADD_REPLACE : ADD_NEW, owner, keeping, report, err);
}
