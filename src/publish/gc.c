/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A keeper sees to its own end. What has none, or one that was killed, is dropped here: the container's process, or
 * the path of its network namespace, is gone, or the lease is over. Of a process of another pid namespace there is no
 * telling.
 */
#include "gc.h"

#include "portpub/kept.h"
#include "portpub/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

static bool is_elsewhere(const struct pp_record *record)
{
	return record->pid_namespace && record->pid_namespace != pp_kept_namespace();
}

static bool is_kept(const struct session *session, const struct pp_record *record)
{
	struct pp_kept_page page;

	return record->keeper && pp_kept_look(&session->store, record->id, record->keeper, &page);
}

/* Named by its process, or by that one's namespace. */
static bool is_process(const struct pp_record *record)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)record->pid);
	return record->pid && (!record->netns || strcmp(record->netns, path) == 0);
}

static bool has_process_ended(const struct pp_record *record)
{
	uint64_t start = pp_process_start((pid_t)record->pid);

	return start == 0 || (record->pid_start && start != record->pid_start);
}

/* Its path leads nowhere, or to another. */
static bool is_netns_gone(const struct pp_record *record)
{
	struct stat status;

	if (stat(record->netns, &status) < 0)
		return errno == ENOENT || errno == ESRCH;
	return record->netns_inode && status.st_ino != record->netns_inode;
}

const char *gc_why_over(const struct pp_record *record)
{
	if (record->expires && record->expires <= time(NULL))
		return "whose lease is over";
	if (is_process(record))
		return !is_elsewhere(record) && has_process_ended(record) ? "whose container has ended"
									  : NULL;
	if (record->netns && is_netns_gone(record))
		return "whose network namespace is gone";
	return NULL;
}

/* @changes are in the order of the list. */
static void take_off(struct pp_records *list, const struct change *changes, size_t count)
{
	size_t kept = 0, taken = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (taken == count || changes[taken].before != &list->items[i]) {
			list->items[kept++] = list->items[i];
			continue;
		}
		pp_record_fini(&list->items[i]);
		taken++;
	}
	list->count = kept;
}

int gc_drop(struct session *session, struct pp_records *active, bool orphans, struct pp_error *err)
{
	struct change *changes = calloc(active->count + 1, sizeof(*changes));
	size_t count = 0;
	int ret = 0;

	if (!changes)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < active->count; i++) {
		const struct pp_record *record = &active->items[i];

		if (!is_kept(session, record) && gc_why_over(record) && (!orphans || record->keeper))
			changes[count++].before = record;
	}
	if (count)
		ret = session_change(session, changes, count, err);
	for (size_t i = 0; ret == 0 && i < count; i++)
		pp_report_say(session->report, "removed %s, %s", changes[i].before->id,
			      gc_why_over(changes[i].before));
	if (ret == 0)
		take_off(active, changes, count);
	free(changes);
	return ret;
}

int pp_publish_gc(const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err)
{
	struct pp_records active = PP_RECORDS_INIT;
	struct session session;
	int ret = session_begin(&session, keeping, report, err);

	if (ret < 0)
		return ret;
	ret = pp_store_load_all(&session.store, PP_STAGE_ACTIVE, &active, err);
	if (ret == 0)
		ret = gc_drop(&session, &active, false, err);
	pp_records_fini(&active);
	session_end(&session);
	return ret;
}

int gc_drop_one(const char *id, const struct pp_keeping *keeping, const struct pp_report *report,
		struct pp_error *err)
{
	struct pp_record record = { 0 };
	struct change change = { &record, NULL };
	struct session session;
	const char *why = NULL;
	int ret = session_begin(&session, keeping, report, err);

	if (ret < 0)
		return ret;
	ret = pp_store_load(&session.store, PP_STAGE_ACTIVE, id, &record, err);
	if (ret == 0)
		why = gc_why_over(&record);
	if (why)
		ret = session_change(&session, &change, 1, err);
	if (why && ret == 0)
		pp_report_say(report, "%s is removed, %s", id, why);
	pp_record_fini(&record);
	session_end(&session);
	return ret == -ENOENT ? 0 : ret;
}
