/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CNI runtime takes away: one attachment, which it says as often as it likes, or all that it does not list.
 *
 * Whoever else of the container has waited for the ports gets them after the lock has been let go of, as if a runtime
 * had added it just now: see attach.c.
 */
#include "attach.h"

#include "portpub/attach.h"

#include "del.h"
#include "session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Is there anything of @id? Who may not change anything may know that. */
static bool is_left(const char *id)
{
	struct pp_store store = PP_STORE_INIT;
	struct pp_record record = { 0 };
	struct pp_error ignored;
	bool found = false;
	int ret = pp_store_open_to_read(&store, &ignored);

	for (int stage = 0; ret == 0 && stage < PP_STAGE_COUNT; stage++) {
		found |= pp_store_load(&store, (enum pp_stage)stage, id, &record, &ignored) != -ENOENT;
		pp_record_fini(&record);
	}
	pp_store_close(&store);
	return found || (ret < 0 && ret != -ENOENT && ret != -ENXIO);
}

int pp_detach(const struct pp_attachment *attachment, const struct pp_keeping *keeping,
	      const struct pp_report *report, struct pp_error *err)
{
	char id[PP_ATTACHMENT_ID];
	int ret = del_id(pp_attachment_id(attachment, id), keeping, report, err);

	if (ret == 0)
		attach_promote(attachment, keeping, report);
	return ret < 0 && is_left(id) ? ret : 0;
}

static int load_all(struct pp_records *out, struct pp_error *err)
{
	struct pp_store store = PP_STORE_INIT;
	int ret = pp_store_open_to_read(&store, err);

	if (ret == 0)
		ret = pp_store_load_all(&store, PP_STAGE_ACTIVE, out, err);
	pp_store_close(&store);
	return ret == -ENOENT ? 0 : ret;
}

/* Leave in @all what is of @network, and @keep is false for. */
static void leave_only_others(struct pp_records *all, const char *network,
			      bool (*keep)(const struct pp_attachment *attachment, void *data), void *data)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->count; i++) {
		const struct pp_attachment *attachment = all->items[i].attachment;

		if (attachment && strcmp(attachment->network, network) == 0 && !keep(attachment, data))
			all->items[kept++] = all->items[i];
		else
			pp_record_fini(&all->items[i]);
	}
	all->count = kept;
}

static int load_again(const struct session *session, const char *id, struct pp_records *out,
		      struct pp_error *err)
{
	struct pp_record record = { 0 };
	int ret = pp_store_load(&session->store, PP_STAGE_ACTIVE, id, &record, err);

	if (ret == 0)
		ret = pp_records_append(out, &record, err);
	pp_record_fini(&record);
	return ret == -ENOENT ? 0 : ret;
}

static int detach_in(struct session *session, const struct pp_records *list, struct pp_error *err)
{
	struct change *changes = calloc(list->count + 1, sizeof(*changes));
	struct pp_records active = PP_RECORDS_INIT;
	int ret = 0;

	if (!changes)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; ret == 0 && i < list->count; i++)
		ret = load_again(session, list->items[i].id, &active, err);
	for (size_t i = 0; ret == 0 && i < active.count; i++)
		changes[i].before = &active.items[i];
	if (ret == 0)
		ret = session_change(session, changes, active.count, err);
	pp_records_fini(&active);
	free(changes);
	return ret;
}

/* In one batch. Of what has been found without the lock, that which is still there. */
static int detach_together(const struct pp_records *list, const struct pp_keeping *keeping,
			   const struct pp_report *report, struct pp_error *err)
{
	struct session session;
	int ret = session_begin(&session, keeping, report, err);

	if (ret < 0)
		return ret;
	ret = detach_in(&session, list, err);
	session_end(&session);
	return ret;
}

static int detach_each(const struct pp_records *list, void (*failed)(const struct pp_error *err, void *data),
		       void *data, const struct pp_keeping *keeping, const struct pp_report *report,
		       struct pp_error *err)
{
	struct pp_error fault;
	int ret = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (pp_detach(list->items[i].attachment, keeping, report, &fault) == 0)
			continue;
		pp_fail(err, fault.code, "%s: %s", list->items[i].id, fault.message);
		failed(err, data);
		ret = -err->code;
	}
	return ret;
}

int pp_detach_others(const char *network, bool (*keep)(const struct pp_attachment *attachment, void *data),
		     void (*failed)(const struct pp_error *err, void *data), void *data,
		     const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err)
{
	struct pp_records all = PP_RECORDS_INIT;
	struct pp_error ignored;
	int ret = load_all(&all, err);

	for (size_t i = 0; ret == 0 && i < all.broken_count; i++)
		pp_report_say(report, "passed over: %s", all.broken[i].words);
	leave_only_others(&all, network, keep, data);
	if (ret == 0 && all.count > 1 && detach_together(&all, keeping, report, &ignored) == 0) {
		for (size_t i = 0; i < all.count; i++)
			attach_promote(all.items[i].attachment, keeping, report);
	} else if (ret == 0) {
		ret = detach_each(&all, failed, data, keeping, report, err);
	}
	pp_records_fini(&all);
	return ret;
}
