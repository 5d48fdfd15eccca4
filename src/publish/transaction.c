/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * What the kernel should have is a function of the records (core/wanted.c). A transaction takes it before and
 * after its changes, and the difference is the batch. Entries that records share need their neighbours: where
 * ports of a container are for this host alone, all that go to it are read from the store; otherwise it is
 * enough to know whether there are any others.
 *
 * The kernel removes an element by its key, whoever has put it there, and refuses a batch that removes what is
 * not there: before anything is removed it is asked what it has. The element's comment tells whose it is.
 *
 * The batch is decided on the rulesets as they were when they were looked at. Where somebody changes them in
 * between, the kernel refuses it, and the caller looks again. A table that is not whole, because somebody has
 * flushed it, is made anew in the same batch, with all that is published.
 */
#include "transaction.h"

#include "share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ATTEMPTS = 1000 };

void transaction_fini(struct transaction *transaction)
{
	pp_entries_fini(&transaction->before);
	pp_entries_fini(&transaction->after);
	free(transaction->remove.items);
	free(transaction->add.items);
	free(transaction->batch_remove.items);
	free(transaction->batch_add.items);
	transaction->remove = transaction->add = (struct pp_entry_refs){ 0 };
	transaction->batch_remove = transaction->batch_add = (struct pp_entry_refs){ 0 };
	transaction->foreign_count = 0;
}

const char *change_id(const struct change *change)
{
	return change->before ? change->before->id : change->after->id;
}

static int compare_id(const void *id, const void *change)
{
	return strcmp(id, change_id(change));
}

bool transaction_has(const char *id, void *data)
{
	const struct transaction *transaction = data;

	return bsearch(id, transaction->changes, transaction->count, sizeof(struct change), compare_id);
}

/* Is any of the records of one container, this one or another, for this host alone? Only then they matter. */
static bool matter(const struct transaction *t, const struct share *target, const struct share *shares,
		   size_t count)
{
	const char *address = target->name + strlen("target-");
	char local[SHARE_NAME];

	snprintf(local, sizeof(local), "local-%s", address);
	for (size_t i = 0; i < count; i++) {
		if (shares[i].kind == SHARE_LOCAL)
			return true;
	}
	return pp_store_is_used(t->store, local, transaction_has, (void *)t);
}

static int load_neighbours_of(const struct transaction *t, const struct pp_record *record,
			      struct pp_records *out, struct pp_error *err)
{
	struct share shares[SHARES_MAX];
	size_t count = record ? shares_of(record, shares) : 0;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < count; i++) {
		if (shares[i].kind == SHARE_TARGET && matter(t, &shares[i], shares, count))
			ret = pp_store_load_users(t->store, shares[i].name, transaction_has, (void *)t, out,
						  err);
	}
	return ret;
}

static int compare_records(const void *left, const void *right)
{
	const struct pp_record *const *a = left, *const *b = right;

	return strcmp((*a)->id, (*b)->id);
}

/* The records before or after; a neighbour by two addresses, or of two changes, counts once. */
static const struct pp_record **collect(const struct transaction *t, const struct pp_records *neighbours,
					bool after, size_t *count)
{
	const struct pp_record **list = calloc(t->count + neighbours->count + 1,
					       sizeof(const struct pp_record *));
	size_t kept = 0;

	*count = 0;
	if (!list)
		return NULL;
	for (size_t i = 0; i < neighbours->count; i++)
		list[i] = &neighbours->items[i];
	qsort(list, neighbours->count, sizeof(const struct pp_record *), compare_records);
	for (size_t i = 0; i < neighbours->count; i++) {
		if (kept == 0 || compare_records(&list[kept - 1], &list[i]) != 0)
			list[kept++] = list[i];
	}
	for (size_t i = 0; i < t->count; i++) {
		const struct pp_record *record = after ? t->changes[i].after : t->changes[i].before;

		if (record)
			list[kept++] = record;
	}
	*count = kept;
	return list;
}

static int want(const struct transaction *t, const struct pp_records *neighbours, bool after,
		struct pp_entries *out, struct pp_error *err)
{
	size_t count;
	const struct pp_record **records = collect(t, neighbours, after, &count);
	int ret = records ? 0 : pp_fail(err, ENOMEM, "out of memory");

	for (size_t i = 0; ret == 0 && i < t->count; i++) {
		const struct pp_record *record = after ? t->changes[i].after : t->changes[i].before;

		if (record)
			ret = pp_entries_owned(record, out, err);
	}
	if (ret == 0)
		ret = pp_entries_shared(records, count, out, err);
	free(records);
	return ret;
}

/* A bridge, or a container, with itself stays while anybody else needs it. */
static bool is_needed(const struct transaction *t, const struct pp_entry *entry)
{
	char name[SHARE_NAME], text[PP_ADDRESS_TEXT];
	struct pp_address address;

	switch (entry->set) {
	case PP_SET_HAIRPIN:
		snprintf(name, sizeof(name), "bridge-%.*s", IF_NAMESIZE, (const char *)entry->key);
		break;
	case PP_SET_OWN4:
	case PP_SET_OWN6:
		address = pp_entry_address(entry);
		snprintf(name, sizeof(name), "own-%s", pp_address_format(&address, text));
		break;
	default:
		return false;
	}
	return pp_store_is_used(t->store, name, transaction_has, (void *)t);
}

static void keep_needed(struct transaction *t)
{
	size_t kept = 0;

	for (size_t i = 0; i < t->remove.count; i++) {
		if (!is_needed(t, t->remove.items[i]))
			t->remove.items[kept++] = t->remove.items[i];
	}
	t->remove.count = kept;
}

/* With room for @more. */
static int copy_refs(const struct pp_entry_refs *from, size_t more, struct pp_entry_refs *to,
		     struct pp_error *err)
{
	to->items = calloc(from->count + more + 1, sizeof(const struct pp_entry *));
	if (!to->items)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < from->count; i++)
		to->items[i] = from->items[i];
	to->count = from->count;
	return 0;
}

int transaction_plan(struct transaction *t, struct pp_error *err)
{
	const struct pp_entries none = PP_ENTRIES_INIT;
	struct pp_records neighbours = PP_RECORDS_INIT;
	int ret = 0;

	transaction_fini(t);
	for (size_t i = 0; ret == 0 && i < t->count; i++) {
		ret = load_neighbours_of(t, t->changes[i].before, &neighbours, err);
		if (ret == 0)
			ret = load_neighbours_of(t, t->changes[i].after, &neighbours, err);
	}
	if (ret == 0)
		ret = want(t, &neighbours, false, &t->before, err);
	if (ret == 0)
		ret = want(t, &neighbours, true, &t->after, err);
	if (ret == 0)
		ret = pp_entries_minus(&t->before, &t->after, &t->remove, err);
	if (ret == 0)
		ret = pp_entries_minus(&t->after, t->restore ? &none : &t->before, &t->add, err);
	if (ret == 0)
		keep_needed(t);
	if (ret == 0)
		ret = copy_refs(&t->remove, t->add.count, &t->batch_remove, err);
	if (ret == 0)
		ret = copy_refs(&t->add, 0, &t->batch_add, err);
	pp_records_fini(&neighbours);
	return ret;
}

static int compare_places(const void *left, const void *right)
{
	return pp_entry_compare(left, right);
}

static bool is_same(const struct pp_entry *a, const struct pp_entry *b)
{
	return memcmp(a->value, b->value, sizeof(a->value)) == 0 && strcmp(a->owner, b->owner) == 0;
}

/* What the kernel has at the places of @refs, sorted as they are. */
static int read_places(const struct transaction *t, const struct pp_entry_refs *refs, struct pp_entries *out,
		       struct pp_error *err)
{
	int ret = pp_nft_find(t->nft, refs, out, err);

	if (ret == 0 && out->count)
		qsort(out->items, out->count, sizeof(out->items[0]), compare_places);
	return ret;
}

/* What stands at the place of @entry, for entries that are asked about in their order. */
static const struct pp_entry *find_next(const struct pp_entries *there, size_t *next,
					const struct pp_entry *entry)
{
	while (*next < there->count && pp_entry_compare(&there->items[*next], entry) < 0)
		++*next;
	if (*next == there->count || pp_entry_compare(&there->items[*next], entry) != 0)
		return NULL;
	return &there->items[*next];
}

/*
 * Is @there what was published as @entry? By its id, wherever it leads; or without one, if it leads where that did,
 * since somebody has put it back by hand.
 */
static bool is_ours(const struct pp_entry *there, const struct pp_entry *entry)
{
	return strcmp(there->owner, entry->owner) == 0 ||
	       (!there->owner[0] && memcmp(there->value, entry->value, sizeof(there->value)) == 0);
}

/* May it go? Not if it is what is wanted there. */
static bool may_go(const struct transaction *t, const struct pp_entry *there, const struct pp_entry *entry)
{
	const struct pp_entry *wanted = pp_entry_refs_find(&t->add, entry);

	return is_ours(there, entry) && !(wanted && is_same(there, wanted));
}

static void leave_alone(struct transaction *t, const struct pp_entry *there, const struct pp_entry *entry)
{
	if (t->foreign_count++ == 0) {
		t->foreign = *there;
		snprintf(t->foreign_for, sizeof(t->foreign_for), "%s", entry->owner);
	}
}

static int match_remove(struct transaction *t, struct pp_error *err)
{
	struct pp_entries kernel = PP_ENTRIES_INIT;
	int ret = read_places(t, &t->remove, &kernel, err);
	size_t next = 0;

	t->batch_remove.count = 0;
	for (size_t i = 0; ret == 0 && i < t->remove.count; i++) {
		const struct pp_entry *entry = t->remove.items[i], *there = find_next(&kernel, &next, entry);

		if (there && may_go(t, there, entry))
			t->batch_remove.items[t->batch_remove.count++] = entry;
		else if (there && !is_ours(there, entry) && !pp_entry_refs_find(&t->add, entry))
			leave_alone(t, there, entry);
	}
	pp_entries_fini(&kernel);
	return ret;
}

/* What is ours by its id, and not what it was made, goes first. */
static int match_add(struct transaction *t, struct pp_error *err)
{
	struct pp_entries kernel = PP_ENTRIES_INIT;
	int ret = read_places(t, &t->add, &kernel, err);
	size_t next = 0;

	t->batch_add.count = 0;
	for (size_t i = 0; ret == 0 && i < t->add.count; i++) {
		const struct pp_entry *entry = t->add.items[i], *there = find_next(&kernel, &next, entry);

		if (there && is_same(there, entry))
			continue;
		if (there && t->yield && !is_ours(there, entry)) {
			leave_alone(t, there, entry);
			continue;
		}
		if (there && may_go(t, there, entry) && !pp_entry_refs_find(&t->remove, entry))
			t->batch_remove.items[t->batch_remove.count++] = entry;
		t->batch_add.items[t->batch_add.count++] = entry;
	}
	pp_entries_fini(&kernel);
	return ret;
}

int transaction_match(struct transaction *t, struct pp_error *err)
{
	int ret = match_remove(t, err);

	return ret == 0 ? match_add(t, err) : ret;
}

/* Everything that is published besides, for a table that is made anew. */
static int want_all(const struct transaction *t, const struct pp_records *active, struct pp_entries *out,
		    struct pp_error *err)
{
	const struct pp_record **records = calloc(active->count + t->count + 1,
						  sizeof(const struct pp_record *));
	size_t count = 0;
	int ret = 0;

	if (!records)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < active->count; i++) {
		if (!transaction_has(active->items[i].id, (void *)t))
			records[count++] = &active->items[i];
	}
	for (size_t i = 0; i < t->count; i++) {
		if (t->changes[i].after)
			records[count++] = t->changes[i].after;
	}
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = pp_entries_owned(records[i], out, err);
	if (ret == 0)
		ret = pp_entries_shared(records, count, out, err);
	free(records);
	return ret;
}

static int load_all(const struct transaction *t, struct pp_entries *out, struct pp_error *err)
{
	struct pp_records active = PP_RECORDS_INIT;
	int ret = pp_store_load_all(t->store, PP_STAGE_ACTIVE, &active, err);

	for (size_t i = 0; ret == 0 && i < active.broken_count; i++)
		pp_report_say(t->report, "passed over: %s", active.broken[i].words);
	if (ret == 0)
		ret = want_all(t, &active, out, err);
	pp_records_fini(&active);
	return ret;
}

enum { PLACE_TEXT = PP_ADDRESS_TEXT + 16 };

/* "127.0.0.1:8080/tcp" */
static const char *format_place(const struct pp_entry *entry, char out[static PLACE_TEXT])
{
	struct pp_address address = pp_entry_address(entry);
	char text[PP_ADDRESS_TEXT];

	pp_address_format(&address, text);
	snprintf(out, PLACE_TEXT, address.family == AF_INET6 && text[0] ? "[%s]%s%u/%s" : "%s%s%u/%s", text,
		 text[0] ? ":" : "", pp_entry_port(entry), pp_protocol_name(pp_entry_protocol(entry)));
	return out;
}

/* "already published by web (pid 4242)" */
int transaction_fail_taken(struct transaction *t, const struct pp_entry *entry, const char *owner,
			   struct pp_error *err)
{
	char place[PLACE_TEXT], who[PP_ATTACHMENT_NAME + 32] = "";
	struct pp_record record;
	struct pp_error ignored;

	snprintf(t->taken_by, sizeof(t->taken_by), "%s", owner);
	if (pp_store_load(t->store, PP_STAGE_ACTIVE, owner, &record, &ignored) == 0) {
		if (record.pid)
			snprintf(who, sizeof(who), " (pid %lld)", (long long)record.pid);
		else if (record.attachment)
			snprintf(who, sizeof(who), " (container %s)", record.attachment->container);
		pp_record_fini(&record);
	}
	return pp_fail(err, EADDRINUSE, "host port %s is already published by %s%s",
		       format_place(entry, place), owner[0] ? owner : "an element without a record", who);
}

/* The port became the second's when somebody had removed the element of the first. */
static int fail_both(const struct pp_entry *entry, const char *a, const char *b, struct pp_error *err)
{
	char place[PLACE_TEXT];

	return pp_fail(err, EADDRINUSE,
		       "host port %s is published by %s and by %s, of which only one can be put back: remove"
		       " the other (portpub del %s, or portpub del %s)",
		       format_place(entry, place), a, b, a, b);
}

/* The map beside it has lost an element, or it would have been refused first. */
static int fail_left_over(const struct pp_entry *entry, struct pp_error *err)
{
	char key[PP_ENTRY_TEXT];

	return pp_fail(err, EEXIST, "%s is left over in the set %s: see portpub check",
		       pp_entry_format_key(entry, key), pp_set_shape(entry->set)->name);
}

/* The kernel found @entry's place taken: by whom? */
static int fail_exists(struct transaction *t, const struct pp_nft_change *change,
		       const struct pp_entry *entry, struct pp_error *err)
{
	struct pp_error ignored;
	struct pp_entry there;

	if (!pp_set_shape(entry->set)->map)
		return fail_left_over(entry, err);
	if (pp_nft_get(t->nft, entry, &there, &ignored) == 0)
		return transaction_fail_taken(t, &there, there.owner, err);
	for (size_t i = 0; i < change->add.count; i++) {
		const struct pp_entry *other = change->add.items[i];

		if (other == entry || pp_entry_compare(other, entry) != 0)
			continue;
		if (transaction_has(other->owner, (void *)t))
			return transaction_fail_taken(t, other, entry->owner, err);
		if (transaction_has(entry->owner, (void *)t))
			return transaction_fail_taken(t, other, other->owner, err);
		return fail_both(entry, other->owner, entry->owner, err);
	}
	return -EAGAIN; /* it has gone meanwhile */
}

static void tell(const struct transaction *t, enum pp_nft_state found)
{
	char key[PP_ENTRY_TEXT], more[40] = "";

	if (found == PP_NFT_DAMAGED)
		pp_report_say(t->report, "the table inet " PP_TABLE_NAME
					 " was damaged, with rules missing, added or asleep: it has been"
					 " made anew");
	if (!t->foreign_count)
		return;
	if (t->foreign_count > 1)
		snprintf(more, sizeof(more), " (and %zu more)", t->foreign_count - 1);
	pp_report_say(t->report, "left in the kernel: %s %s, which is not of %s but of %s%s",
		      pp_set_shape(t->foreign.set)->name, pp_entry_format_key(&t->foreign, key),
		      t->foreign_for, t->foreign.owner[0] ? t->foreign.owner : "somebody else", more);
}

/* Nothing to say to the kernel, of a transaction that is planned? */
static bool is_nothing(const struct transaction *t)
{
	return t->before.count == 0 && t->after.count == 0;
}

/* The kernel's rules are out of reach: why, unless they are not needed. */
static int do_without(struct transaction *t, struct pp_error *err)
{
	int ret = is_nothing(t) ? 0 : pp_nft_open(t->nft, err);

	return pp_nft_is_open(t->nft) ? -EAGAIN : ret; /* out of reach no longer */
}

int transaction_commit(struct transaction *t, enum pp_nft_state found, struct pp_error *err)
{
	struct pp_nft_change change = { .found = found, .remove = t->batch_remove, .add = t->batch_add };
	struct pp_entries all = PP_ENTRIES_INIT, none = PP_ENTRIES_INIT;
	struct pp_entry_refs refs = { 0 };
	size_t fault;
	int ret = 0;

	t->found = found;
	if (!pp_nft_is_open(t->nft))
		return do_without(t, err);
	if (is_nothing(t) && found == PP_NFT_WHOLE)
		return 0;
	if (found != PP_NFT_WHOLE) {
		ret = load_all(t, &all, err);
		if (ret == 0)
			ret = pp_entries_minus(&all, &none, &refs, err);
		change.remove.count = 0;
		change.add = refs;
	}
	if (ret == 0 && (found != PP_NFT_ABSENT || change.add.count)) { /* nothing is not worth a table */
		ret = pp_nft_commit(t->nft, &change, &fault, err);
		if (ret == -EEXIST)
			ret = fail_exists(t, &change, change.add.items[fault], err);
	}
	if (ret == 0)
		tell(t, found);
	free(refs.items);
	pp_entries_fini(&all);
	return ret;
}

int transaction_force(struct transaction *t, struct pp_error *err)
{
	for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
		enum pp_nft_state found = PP_NFT_ABSENT;
		int ret = pp_nft_is_open(t->nft) ? pp_nft_look(t->nft, &found, err) : 0;

		if (ret == 0)
			ret = transaction_plan(t, err);
		if (ret == 0 && found == PP_NFT_WHOLE)
			ret = transaction_match(t, err);
		if (ret == 0)
			ret = transaction_commit(t, found, err);
		if (ret != -EAGAIN)
			return ret;
	}
	return pp_fail(err, EBUSY,
		       "somebody changes the nftables rulesets all the time: gave up after %d attempts",
		       ATTEMPTS);
}
