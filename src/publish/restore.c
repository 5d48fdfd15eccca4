/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * All records are added once more, in one transaction that leaves out what the kernel has already. So it is for a
 * table that is gone and for one that lacks an element, and where nothing is missing nothing is sent.
 *
 * Rules come before sysctls: the guard stands before packets for 127/8 are let in.
 */
#include "flows.h"
#include "gc.h"
#include "hold.h"
#include "keepers.h"
#include "session.h"
#include "share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

struct restoration {
	struct session session;
	struct pp_records active;
	struct change *changes;
	struct transaction transaction;
	struct pp_restored restored;
};

/* What its keeper would have removed is not put back. A keeper leaves this to commands. */
static void drop_over(struct restoration *r)
{
	struct pp_error fault;

	if (!r->session.keeping || gc_drop(&r->session, &r->active, true, &fault) == 0)
		return;
	r->restored.failed++;
	pp_report_say(r->session.report, "%s", fault.message);
}

static int load(struct restoration *r, struct pp_error *err)
{
	int ret = pp_store_load_all(&r->session.store, PP_STAGE_ACTIVE, &r->active, err);

	if (ret < 0)
		return ret;
	r->restored.failed = r->active.broken_count;
	drop_over(r);
	r->changes = calloc(r->active.count + 1, sizeof(*r->changes));
	if (!r->changes)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < r->active.count; i++)
		r->changes[i].after = &r->active.items[i];
	return 0;
}

static int restore_rules(struct restoration *r, struct pp_error *err)
{
	struct transaction *t = &r->transaction;
	int ret;

	*t = (struct transaction){ .store = &r->session.store,
				   .nft = &r->session.nft,
				   .report = r->session.report,
				   .changes = r->changes,
				   .count = r->active.count,
				   .restore = true,
				   .yield = true };
	ret = transaction_force(t, err);
	if (ret < 0)
		return ret;
	r->restored.table = t->found == PP_NFT_DAMAGED || (t->found == PP_NFT_ABSENT && t->add.count);
	r->restored.elements = t->found == PP_NFT_WHOLE ? t->batch_add.count : t->add.count;
	r->restored.failed += t->foreign_count;
	/* Where nothing was made anew, the broken ones have not been told. */
	for (size_t i = 0; t->found == PP_NFT_WHOLE && i < r->active.broken_count; i++)
		pp_report_say(t->report, "passed over: %s", r->active.broken[i].words);
	return r->restored.elements ? flows_flush(t, err) : 0;
}

static void count_lacking(const char *sysctl, void *data)
{
	(void)sysctl;
	++*(size_t *)data;
}

static void restore_sysctls_of(struct restoration *r, const struct pp_record *record,
			       const struct pp_interface_addresses *addresses)
{
	struct share shares[SHARES_MAX];
	size_t count = shares_of(record, shares), lacking = 0;
	struct pp_error fault;

	for (size_t i = 0; i < count; i++)
		share_find_lacking(&shares[i], addresses, count_lacking, &lacking);
	if (!lacking)
		return;
	if (shares_set(&r->session.store, &r->session.nft, record, r->session.report, &fault) == 0) {
		r->restored.sysctls += lacking;
		return;
	}
	r->restored.failed++;
	pp_report_say(r->session.report, "%s: %s", record->id, fault.message);
}

static int restore_sysctls(struct restoration *r, struct pp_error *err)
{
	struct pp_interface_addresses addresses = PP_INTERFACE_ADDRESSES_INIT;
	int ret = pp_interface_addresses_read(&addresses, err);

	for (size_t i = 0; ret == 0 && i < r->active.count; i++)
		restore_sysctls_of(r, &r->active.items[i], &addresses);
	pp_interface_addresses_fini(&addresses);
	return ret;
}

static int begin_keeper(struct session *session, struct pp_record *record, struct pp_error *err)
{
	struct pp_publications bound = PP_PUBLICATIONS_INIT;
	struct ports ports = { &session->nft, NULL, record->id };
	struct holding holding = { &session->store, &ports, &record->request.allow, NULL };
	struct pp_held held = PP_HELD_INIT;
	int leash = -1, ret;

	ret = hold_ports(&holding, &record->request.publications, pp_plan_makes_rules(&record->request),
			 &bound, &held, err);
	if (ret == 0)
		ret = session->keeping->start(&session->store, record, &held, &leash, session->keeping->data,
					      err);
	if (ret == 0)
		keepers_release(leash);
	pp_held_fini(&held);
	pp_publications_fini(&bound);
	return ret;
}

/* One that was killed: its ports are bound anew, if nobody has taken them meanwhile. */
static void restore_keepers(struct restoration *r)
{
	struct pp_error fault;

	for (size_t i = 0; r->session.keeping && i < r->active.count; i++) {
		struct pp_record *record = &r->active.items[i];

		if (!record->keeper || keepers_live(&r->session.store, record->id, record->keeper))
			continue;
		if (begin_keeper(&r->session, record, &fault) == 0) {
			r->restored.keepers++;
			continue;
		}
		r->restored.failed++;
		pp_report_say(r->session.report, "%s has no keeper: %s", record->id, fault.message);
	}
}

static int restore(struct restoration *r, struct pp_restored *out, struct pp_error *err)
{
	int ret = load(r, err);

	if (ret == 0)
		ret = restore_rules(r, err);
	if (ret == 0)
		ret = restore_sysctls(r, err);
	if (ret == 0) {
		restore_keepers(r);
		*out = r->restored;
	}
	transaction_fini(&r->transaction);
	free(r->changes);
	pp_records_fini(&r->active);
	session_end(&r->session);
	return ret;
}

int pp_publish_restore(struct pp_restored *out, const struct pp_keeping *keeping,
		       const struct pp_report *report, struct pp_error *err)
{
	struct restoration r = { 0 };
	int ret = session_begin(&r.session, keeping, report, err);

	return ret == 0 ? restore(&r, out, err) : ret;
}

int pp_publish_try_restore(struct pp_restored *out, const struct pp_keeping *keeping,
			   const struct pp_report *report, struct pp_error *err)
{
	struct restoration r = { 0 };
	int ret = session_try_begin(&r.session, keeping, report, err);

	return ret == 0 ? restore(&r, out, err) : ret;
}

/* "put back:" before the first, and a comma before the others. */
static size_t append(char *out, size_t used, size_t count, const char *what)
{
	if (count == 0)
		return used;
	return used + (size_t)snprintf(out + used, PP_RESTORED_TEXT - used, "%s %zu %s%s",
				       used ? "," : "put back:", count, what, count == 1 ? "" : "s");
}

const char *pp_restored_format(const struct pp_restored *restored, char out[static PP_RESTORED_TEXT])
{
	size_t used = 0;

	if (restored->table)
		used = (size_t)snprintf(out, PP_RESTORED_TEXT, "put back: the table inet " PP_TABLE_NAME);
	used = append(out, used, restored->elements, "element");
	used = append(out, used, restored->sysctls, "sysctl");
	used = append(out, used, restored->keepers, "keeper");
	if (!used)
		snprintf(out, PP_RESTORED_TEXT, "nothing was missing");
	return out;
}

/* Of the places of @wanted, does the kernel have what is wanted there? */
static int find_lacking(struct pp_nft *nft, const struct pp_entries *wanted, bool *lacks,
			struct pp_error *err)
{
	struct pp_entries none = PP_ENTRIES_INIT, there = PP_ENTRIES_INIT;
	struct pp_entry_refs refs = { 0 }, missing = { 0 };
	int ret = pp_entries_minus(wanted, &none, &refs, err);

	if (ret == 0)
		ret = pp_nft_find(nft, &refs, &there, err);
	if (ret == 0)
		ret = pp_entries_minus(wanted, &there, &missing, err);
	*lacks = missing.count > 0;
	free(refs.items);
	free(missing.items);
	pp_entries_fini(&there);
	return ret;
}

int pp_publisher_look(struct pp_publisher *publisher, const char *id, bool *lacks, struct pp_error *err)
{
	struct pp_entries wanted = PP_ENTRIES_INIT;
	struct pp_record record = { 0 };
	enum pp_nft_state found;
	int ret = pp_nft_look(&publisher->nft, &found, err);

	*lacks = found != PP_NFT_WHOLE;
	if (ret < 0 || *lacks)
		return ret;
	ret = pp_store_load(&publisher->store, PP_STAGE_ACTIVE, id, &record, err);
	if (ret == -ENOENT) /* on its way in or out */
		return 0;
	if (ret == 0)
		ret = pp_entries_owned(&record, &wanted, err);
	if (ret == 0)
		ret = find_lacking(&publisher->nft, &wanted, lacks, err);
	pp_entries_fini(&wanted);
	pp_record_fini(&record);
	return ret;
}
