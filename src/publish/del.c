/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A name is an id where there is a record of that id, and otherwise that of a single publication. Of a record with
 * several publications, the others stay: it is replaced by one that has the rest.
 *
 * What is broken goes first, one by one: it may be in the way of a neighbour, which cannot do without it.
 */
#include "del.h"

#include "attach.h"
#include "broken.h"
#include "name.h"
#include "portpub/kept.h"
#include "share.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is to go: records as they are, and what is to stay of each, which may be nothing. */
struct removal {
	struct pp_records before, after; /* side by side */
	struct pp_records broken;        /* of these there is no more than the ids */
};

static void removal_fini(struct removal *removal)
{
	pp_records_fini(&removal->before);
	pp_records_fini(&removal->after);
	pp_records_fini(&removal->broken);
}

static size_t index_of(const struct removal *removal, const char *id)
{
	size_t i = 0;

	while (i < removal->before.count && strcmp(removal->before.items[i].id, id) != 0)
		i++;
	return i;
}

static int append_copy(struct pp_records *list, const struct pp_record *record, struct pp_error *err)
{
	struct pp_record copy;
	int ret = pp_record_copy(record, &copy, err);

	if (ret == 0)
		ret = pp_records_append(list, &copy, err);
	else
		return ret;
	pp_record_fini(&copy);
	return ret;
}

/* What is to stay of @record in @removal, where it is put whole if it is not there. NULL: it could not be. */
static struct pp_record *enter(struct removal *removal, const struct pp_record *record, struct pp_error *err)
{
	size_t index = index_of(removal, record->id);

	if (index == removal->before.count && append_copy(&removal->before, record, err) < 0)
		return NULL;
	if (index == removal->after.count && append_copy(&removal->after, record, err) < 0)
		return NULL;
	return &removal->after.items[index];
}

/* Where the one that @publication says stands in @list; its count if it does not. */
static size_t place_of(const struct pp_publications *list, const struct pp_publication *publication)
{
	size_t i = 0;

	while (i < list->count && !name_means(publication, &list->items[i]))
		i++;
	return i;
}

static void take_out(struct pp_publications *list, size_t i)
{
	memmove(&list->items[i], &list->items[i + 1], (list->count - i - 1) * sizeof(list->items[0]));
	list->count--;
}

/* What is left of @record after what has been found to go so far. */
static const struct pp_publications *rest_of(const struct removal *removal, const struct pp_record *record)
{
	size_t index = index_of(removal, record->id);

	return index < removal->after.count ? &removal->after.items[index].request.publications
					    : &record->request.publications;
}

static int find_publication(const struct pp_publication *publication, const char *name,
			    const struct pp_records *active, struct removal *removal, struct pp_error *err)
{
	for (size_t i = 0; i < active->count; i++) {
		const struct pp_publications *rest = rest_of(removal, &active->items[i]);
		size_t place = place_of(rest, publication);
		struct pp_record *stays;

		if (place == rest->count)
			continue;
		stays = enter(removal, &active->items[i], err);
		if (!stays)
			return -err->code;
		if (stays->keeper) /* another one, for what stays */
			stays->keeper = active->items[i].keeper + 1;
		take_out(&stays->request.publications, place);
		return 0;
	}
	return pp_fail(err, ENOENT, "%s is not published: portpub list tells what is", name);
}

/* @active has all records, loaded when the first spec needs them. */
static int find_spec(const struct session *session, const char *name, struct pp_records *active,
		     struct removal *removal, struct pp_error *err)
{
	struct pp_publication publication;
	struct pp_error ignored;
	int ret = name_parse(name, &publication, err);

	if (ret < 0 && pp_id_check(name, &ignored) == 0)
		return pp_fail(err, ENOENT, "nothing is published as %s", name);
	if (ret == 0 && !active->count)
		ret = pp_store_load_all(&session->store, PP_STAGE_ACTIVE, active, err);
	return ret == 0 ? find_publication(&publication, name, active, removal, err) : ret;
}

/* A record by the id @name; -ENODATA for one that is broken, -ENOENT for none. */
static int load(const struct session *session, const char *name, struct pp_record *out, struct pp_error *err)
{
	struct pp_error ignored;
	int ret;

	if (pp_id_check(name, &ignored) < 0)
		return -ENOENT;
	ret = pp_store_load(&session->store, PP_STAGE_ACTIVE, name, out, err);
	if ((ret < 0 && ret != -ENOENT) || !broken_is_left(session, name))
		return ret;
	pp_record_fini(out);
	return -ENODATA;
}

static int find_name(const struct session *session, const char *name, struct pp_records *active,
		     struct removal *removal, struct pp_error *err)
{
	struct pp_record record = { 0 };
	struct pp_record *stays;
	int ret = load(session, name, &record, err);

	if (ret == -ENOENT)
		return find_spec(session, name, active, removal, err);
	if (ret == -ENODATA)
		return pp_records_append_broken(&removal->broken, name, "", err);
	if (ret < 0)
		return ret;
	stays = enter(removal, &record, err);
	if (stays)
		stays->request.publications.count = 0;
	pp_record_fini(&record);
	return stays ? 0 : -err->code;
}

static int remove_all(struct session *session, const struct removal *removal, struct pp_error *err)
{
	size_t count = removal->before.count;
	struct change *changes = calloc(count + 1, sizeof(*changes));
	int ret = 0;

	if (!changes)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; ret == 0 && i < removal->broken.broken_count; i++)
		ret = broken_drop(session, removal->broken.broken[i].id, err);
	if (ret == 0 && removal->broken.broken_count)
		ret = session_repair(session, err);
	for (size_t i = 0; i < count; i++) {
		const struct pp_record *after = i < removal->after.count ? &removal->after.items[i] : NULL;

		changes[i].before = &removal->before.items[i];
		changes[i].after = after && after->request.publications.count ? after : NULL;
	}
	if (ret == 0)
		ret = session_change(session, changes, count, err);
	free(changes);
	return ret;
}

/* @removed, which is empty, gets the records as they were. */
static int del_records(char *const names[], size_t count, struct pp_records *removed,
		       const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err)
{
	struct pp_records active = PP_RECORDS_INIT;
	struct removal removal = { 0 };
	struct session session;
	int ret = session_begin(&session, keeping, report, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = find_name(&session, names[i], &active, &removal, err);
	if (ret == 0)
		ret = remove_all(&session, &removal, err);
	if (ret == 0) {
		*removed = removal.before;
		removal.before = PP_RECORDS_INIT;
	}
	pp_records_fini(&active);
	removal_fini(&removal);
	session_end(&session);
	return ret;
}

int del_id(const char *id, const struct pp_keeping *keeping, const struct pp_report *report,
	   struct pp_error *err)
{
	char name[PP_ID_SIZE], *names[] = { name };
	struct pp_records removed = PP_RECORDS_INIT;
	int ret;

	snprintf(name, sizeof(name), "%s", id);
	ret = del_records(names, 1, &removed, keeping, report, err);
	pp_records_fini(&removed);
	return ret == -ENOENT ? 0 : ret;
}

int pp_publish_del(char *const names[], size_t count, const struct pp_keeping *keeping,
		   const struct pp_report *report, struct pp_error *err)
{
	struct pp_records removed = PP_RECORDS_INIT;
	int ret = del_records(names, count, &removed, keeping, report, err);

	for (size_t i = 0; i < removed.count; i++) {
		if (removed.items[i].attachment)
			attach_promote(removed.items[i].attachment, keeping, report);
	}
	pp_records_fini(&removed);
	return ret;
}

int pp_publish_del_all(const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err)
{
	struct removal removal = { 0 };
	struct session session;
	int ret = session_begin(&session, keeping, report, err);

	if (ret < 0)
		return ret;
	ret = broken_load(&session, &removal.broken, err);
	if (ret == 0)
		ret = pp_store_load_all(&session.store, PP_STAGE_ACTIVE, &removal.before, err);
	if (ret == 0)
		ret = remove_all(&session, &removal, err);
	removal_fini(&removal);
	session_end(&session);
	return ret;
}

/*
 * Where there are no rules, the record is dropped where it is, whatever of others is unfinished: killed before that,
 * the keeper has ended too early, and the rest can be done again.
 */
static int remove_own(struct session *session, const struct pp_record *record, struct pp_error *err)
{
	struct change change = { record, NULL };
	int ret;

	if (pp_plan_makes_rules(&record->request))
		return session_change(session, &change, 1, err);
	ret = shares_leave(&session->store, &session->nft, record, NULL, session->report, err);
	if (ret == 0)
		ret = pp_store_drop(&session->store, PP_STAGE_ACTIVE, record->id, err);
	return ret == 0 ? pp_kept_drop(&session->store, record->id, record->keeper, err) : ret;
}

int pp_publisher_end(struct pp_publisher *publisher, const char *id, uint32_t keeper,
		     const struct pp_report *report, struct pp_error *err)
{
	struct pp_record record = { 0 };
	struct session session;
	int ret = session_borrow(&session, publisher, true, report, err);

	if (ret < 0)
		return ret;
	ret = pp_store_load(&session.store, PP_STAGE_ACTIVE, id, &record, err);
	if (ret == 0 && record.keeper == keeper)
		ret = remove_own(&session, &record, err);
	else if (ret == 0 || ret == -ENOENT) /* somebody else has it, or has removed it */
		ret = pp_kept_drop(&session.store, id, keeper, err);
	pp_record_fini(&record);
	session_give_back(&session, publisher);
	return ret;
}
