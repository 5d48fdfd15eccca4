/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A container that is in several networks is added to each with the same ports, perhaps at the same time. A port has
 * one element in the kernel, so the first attachment has it. The others keep it in their records as waiting; when the
 * first goes, they are published anew with what they have waited for. If that is interrupted, the runtime's next DEL,
 * of which there are always some more, does it.
 *
 * Who has a port is known only when it is asked for: pp_publish_add fails, and says who. Then that is dealt with, and
 * it is asked for again. Nothing is locked in between, and need not be: whatever has changed meanwhile, the kernel
 * says so again; but what nobody needs any longer is removed only where that is true still, and who is displaced loses
 * what he has of it by then.
 */
#include "attach.h"

#include "portpub/attach.h"

#include "add.h"
#include "del.h"
#include "gc.h"

#include <errno.h>
#include <string.h>

enum { ATTEMPTS = 1000 };

struct attaching {
	struct pp_record *record;
	enum add_replace replace;
	enum pp_on_conflict on_conflict;
	const struct pp_keeping *keeping;
	const struct pp_report *report;
	struct pp_records dropped, reduced; /* what was displaced, as it was: all of it, or a part */
};

/* Has @record something for packets of @family in @publication? A keeper takes them wherever the container is. */
static bool opens(const struct pp_record *record, const struct pp_publication *publication,
		  sa_family_t family)
{
	return (record->keeper || pp_target_of(&record->request.target, family)->family != AF_UNSPEC) &&
	       (publication->address.family == AF_UNSPEC || publication->address.family == family);
}

static bool overlap(const struct pp_publication *a, const struct pp_publication *b)
{
	return a->protocol == b->protocol && a->host_port < b->host_port + b->count &&
	       b->host_port < a->host_port + a->count && pp_address_overlaps(&a->address, &b->address);
}

/* Has @owner the port of @publication, in @family? */
static bool has(const struct pp_record *owner, const struct pp_publication *publication, sa_family_t family)
{
	for (size_t i = 0; i < owner->request.publications.count; i++) {
		const struct pp_publication *theirs = &owner->request.publications.items[i];

		if (opens(owner, theirs, family) && overlap(publication, theirs))
			return true;
	}
	return false;
}

static int append_of_family(const struct pp_publication *publication, sa_family_t family,
			    struct pp_publications *out, struct pp_error *err)
{
	struct pp_publication one = *publication;

	one.address.family = family;
	return pp_publications_append(out, &one, err);
}

/*
 * @publication goes to @theirs, to @ours, or, where it is of both families and one is @owner's, to both: but a keeper
 * has one socket for both.
 */
static int sort_out(const struct pp_record *record, const struct pp_publication *publication,
		    const struct pp_record *owner, struct pp_publications *theirs,
		    struct pp_publications *ours, struct pp_error *err)
{
	bool free[2], taken[2];

	for (size_t f = 0; f < 2; f++) {
		bool opened = opens(record, publication, pp_families[f]);

		taken[f] = opened && has(owner, publication, pp_families[f]);
		free[f] = opened && !taken[f];
	}
	if (!taken[0] && !taken[1])
		return pp_publications_append(ours, publication, err);
	if (record->keeper || (!free[0] && !free[1]))
		return pp_publications_append(theirs, publication, err);
	if (append_of_family(publication, pp_families[taken[1]], theirs, err) < 0)
		return -err->code;
	return append_of_family(publication, pp_families[free[1]], ours, err);
}

/* So many ports of a range, from @first on. */
static struct pp_publication part_of(const struct pp_publication *range, uint16_t first, uint16_t count)
{
	struct pp_publication part = *range;

	part.host_port = (uint16_t)(range->host_port + first);
	part.container_port = (uint16_t)(range->container_port + first);
	part.count = count;
	return part;
}

static bool is_taken(const struct pp_record *record, const struct pp_publication *range, uint16_t at,
		     const struct pp_record *owner)
{
	struct pp_publication one = part_of(range, at, 1);
	bool taken = false;

	for (size_t f = 0; f < 2; f++)
		taken |= opens(record, &one, pp_families[f]) && has(owner, &one, pp_families[f]);
	return taken;
}

/* The same for a range, of which @owner may have some ports. */
static int sort_out_range(const struct pp_record *record, const struct pp_publication *range,
			  const struct pp_record *owner, struct pp_publications *theirs,
			  struct pp_publications *ours, struct pp_error *err)
{
	uint16_t next;
	int ret = 0;

	for (uint16_t first = 0; ret == 0 && first < range->count; first = next) {
		bool taken = is_taken(record, range, first, owner);
		struct pp_publication part;

		for (next = (uint16_t)(first + 1);
		     next < range->count && is_taken(record, range, next, owner) == taken;)
			next++;
		part = part_of(range, first, (uint16_t)(next - first));
		ret = sort_out(record, &part, owner, theirs, ours, err);
	}
	return ret;
}

/* Take what @owner has out of what is asked for, and append it to @theirs. */
static int leave_to(struct pp_record *record, const struct pp_record *owner, struct pp_publications *theirs,
		    struct pp_error *err)
{
	struct pp_publications *asked = &record->request.publications, ours = PP_PUBLICATIONS_INIT;
	size_t before = theirs->count;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < asked->count; i++)
		ret = sort_out_range(record, &asked->items[i], owner, theirs, &ours, err);
	if (ret < 0) {
		pp_publications_fini(&ours);
		return ret;
	}
	pp_publications_fini(asked);
	*asked = ours;
	return theirs->count > before ? 0 : -EADDRINUSE;
}

static bool is_same_container(const struct pp_record *a, const struct pp_record *b)
{
	return a->attachment && b->attachment &&
	       strcmp(a->attachment->container, b->attachment->container) == 0;
}

static size_t count_ports(const struct pp_publications *list)
{
	size_t ports = 0;

	for (size_t i = 0; i < list->count; i++)
		ports += list->items[i].count;
	return ports;
}

/* What is to stay of @owner without our ports, into @rest. -ENOENT: it has none of them. */
static int find_rest(const struct attaching *attaching, const struct pp_record *owner, struct pp_record *rest,
		     size_t *lost, struct pp_error *err)
{
	struct pp_publications taken = PP_PUBLICATIONS_INIT;
	int ret = pp_record_copy(owner, rest, err);

	if (ret == 0)
		ret = leave_to(rest, attaching->record, &taken, err);
	if (ret == 0 && rest->keeper) /* another one, for what stays */
		rest->keeper = owner->keeper + 1;
	*lost = count_ports(&taken);
	pp_publications_fini(&taken);
	return ret == -EADDRINUSE ? -ENOENT : ret;
}

static int reduce(struct attaching *attaching, struct session *session, struct pp_record *owner,
		  const struct pp_record *rest, struct pp_error *err)
{
	bool is_all = rest->request.publications.count == 0;
	struct pp_records *list = is_all ? &attaching->dropped : &attaching->reduced;
	int ret = pp_records_append(list, owner, err);

	if (ret == 0) {
		struct change change = { &list->items[list->count - 1], is_all ? NULL : rest };

		ret = session_change(session, &change, 1, err);
		if (ret < 0)
			pp_record_fini(&list->items[--list->count]);
	}
	return ret;
}

static int take_from(struct attaching *attaching, struct session *session, const char *id,
		     struct pp_error *err)
{
	struct pp_record owner = { 0 }, rest = { 0 };
	size_t lost = 0;
	int ret = pp_store_load(&session->store, PP_STAGE_ACTIVE, id, &owner, err);

	if (ret == 0)
		ret = find_rest(attaching, &owner, &rest, &lost, err);
	if (ret == 0)
		ret = reduce(attaching, session, &owner, &rest, err);
	if (ret == 0)
		pp_report_say(attaching->report, "%zu ports have been taken from %s", lost, id);
	pp_record_fini(&owner);
	pp_record_fini(&rest);
	return ret;
}

/* By what @id has now: it may have gone since it was found to have our ports, or come back with others. */
static int displace(struct attaching *attaching, const char *id, struct pp_error *err)
{
	struct session session;
	int ret = session_begin(&session, attaching->keeping, attaching->report, err);

	if (ret < 0)
		return ret;
	ret = take_from(attaching, &session, id, err);
	session_end(&session);
	return ret == -ENOENT ? 0 : ret;
}

/* What has come back by itself meanwhile, or of which the rest has gone, stays as it is. */
static void put_back(struct attaching *attaching, struct pp_records *list, enum add_replace replace)
{
	char by[PP_ID_SIZE];
	struct pp_error fault;

	for (size_t i = list->count; i-- > 0;) {
		struct pp_record *record = &list->items[i];
		int ret = add_record(record, replace, by, attaching->keeping, attaching->report, &fault);

		if (ret < 0 && ret != -EEXIST && ret != -ENOENT)
			pp_report_say(attaching->report, "%s has not got its ports back: %s", record->id,
				      fault.message);
	}
}

/* Returns 0 when it may be tried again, or -EADDRINUSE, with @err as it is, when the port stays @owner's. */
static int deal_with(struct attaching *attaching, const struct pp_record *owner, struct pp_error *err)
{
	struct pp_publications kept = PP_PUBLICATIONS_INIT;
	int ret;

	if (gc_why_over(owner))
		return gc_drop_one(owner->id, attaching->keeping, attaching->report, err);
	if (is_same_container(attaching->record, owner))
		return leave_to(attaching->record, owner, &attaching->record->attachment->waiting, err);
	if (attaching->on_conflict == PP_CONFLICT_REPLACE)
		return displace(attaching, owner->id, err);
	if (attaching->on_conflict == PP_CONFLICT_FAIL)
		return -EADDRINUSE;
	ret = leave_to(attaching->record, owner, &kept, err);
	if (ret == 0)
		pp_report_say(attaching->report, "%zu ports are left to %s, which has them",
			      count_ports(&kept), owner->id);
	pp_publications_fini(&kept);
	return ret;
}

static int load(const char *id, struct pp_record *out, struct pp_error *err)
{
	struct pp_store store = PP_STORE_INIT;
	int ret = pp_store_open_to_read(&store, err);

	if (ret == 0)
		ret = pp_store_load(&store, PP_STAGE_ACTIVE, id, out, err);
	pp_store_close(&store);
	return ret;
}

static int find_and_deal_with(struct attaching *attaching, const char *id, struct pp_error *err)
{
	struct pp_record owner = { 0 };
	struct pp_error fault;
	int ret = load(id, &owner, &fault);

	if (ret == -ENOENT)
		return 0; /* it has gone meanwhile */
	if (ret < 0) {
		*err = fault;
		return ret;
	}
	ret = deal_with(attaching, &owner, err);
	pp_record_fini(&owner);
	return ret;
}

/* Once. What is asked for is the caller's still, if this fails. */
static int try(struct attaching *attaching, char owner[static PP_ID_SIZE], struct pp_error *err)
{
	const struct pp_attachment *attachment = attaching->record->attachment;
	struct pp_record copy;
	int ret;

	owner[0] = '\0';
	if (!attaching->record->request.publications.count && !attachment->waiting.count)
		return del_id(attaching->record->id, attaching->keeping, attaching->report, err);
	ret = pp_record_copy(attaching->record, &copy, err);
	if (ret < 0)
		return ret;
	ret = add_record(&copy, attaching->replace, owner, attaching->keeping, attaching->report, err);
	pp_record_fini(&copy);
	return ret;
}

static bool is_id(const char *id, void *data)
{
	return strcmp(id, data) == 0;
}

/* The other attachments of the same container. */
static int load_others(const struct pp_attachment *attachment, struct pp_records *out, struct pp_error *err)
{
	struct pp_store store = PP_STORE_INIT;
	char share[PP_ATTACHMENT_SHARE], id[PP_ATTACHMENT_ID];
	int ret = pp_store_open_to_read(&store, err);

	pp_attachment_id(attachment, id);
	if (ret == 0)
		ret = pp_store_load_users(&store, pp_attachment_share(attachment, share), is_id, id, out,
					  err);
	pp_store_close(&store);
	return ret == -ENOENT ? 0 : ret;
}

/* Has one of @others what @record waits for? */
static bool is_had(const struct pp_record *record, const struct pp_records *others)
{
	const struct pp_publications *waiting = &record->attachment->waiting;

	for (size_t i = 0; i < waiting->count; i++) {
		bool had = false;

		for (size_t o = 0; o < others->count && !had; o++) {
			for (size_t f = 0; f < 2 && !had; f++)
				had = opens(record, &waiting->items[i], pp_families[f]) &&
				      has(&others->items[o], &waiting->items[i], pp_families[f]);
		}
		if (!had)
			return false;
	}
	return true;
}

static int stop_waiting(struct pp_record *record, struct pp_error *err)
{
	struct pp_publications waiting = record->attachment->waiting;
	int ret = 0;

	record->attachment->waiting = PP_PUBLICATIONS_INIT;
	for (size_t i = 0; ret == 0 && i < waiting.count; i++)
		ret = pp_publications_append(&record->request.publications, &waiting.items[i], err);
	pp_publications_fini(&waiting);
	return ret;
}

/*
 * It is published, and waits. Whoever it waits for may have gone before its record was there to be seen: 1 to try again,
 * with everything. Later it is told.
 */
static int wait_in_vain(struct pp_record *record, struct pp_error *err)
{
	struct pp_records others = PP_RECORDS_INIT;
	int ret = record->attachment->waiting.count ? load_others(record->attachment, &others, err) : 0;

	if (ret == 0 && !is_had(record, &others)) {
		ret = stop_waiting(record, err);
		if (ret == 0)
			ret = 1;
	}
	pp_records_fini(&others);
	return ret;
}

/* 1 to try again. */
static int step(struct attaching *attaching, struct pp_error *err)
{
	char owner[PP_ID_SIZE];
	int ret = try(attaching, owner, err);

	if (ret == 0)
		return wait_in_vain(attaching->record, err);
	if (ret != -EADDRINUSE || !owner[0])
		return ret;
	ret = find_and_deal_with(attaching, owner, err);
	return ret == 0 ? 1 : ret;
}

static int attach(struct attaching *attaching, struct pp_error *err)
{
	int ret = 1;

	for (int attempt = 0; ret == 1 && attempt < ATTEMPTS; attempt++)
		ret = step(attaching, err);
	if (ret == 1)
		ret = pp_fail(err, EBUSY,
			      "the ports go from one to another all the time: gave up after %d attempts",
			      ATTEMPTS);
	if (ret < 0) {
		put_back(attaching, &attaching->reduced, ADD_REPLACE_ONLY);
		put_back(attaching, &attaching->dropped, ADD_NEW);
	}
	pp_records_fini(&attaching->reduced);
	pp_records_fini(&attaching->dropped);
	return ret;
}

int pp_attach(struct pp_record *record, enum pp_on_conflict on_conflict, const struct pp_keeping *keeping,
	      const struct pp_report *report, struct pp_error *err)
{
	struct attaching attaching = { .record = record,
				       .replace = ADD_REPLACE,
				       .on_conflict = on_conflict,
				       .keeping = keeping,
				       .report = report };

	pp_attachment_id(record->attachment, record->id);
	return attach(&attaching, err);
}

int pp_attach_load(const struct pp_attachment *attachment, struct pp_record *out, struct pp_error *err)
{
	char id[PP_ATTACHMENT_ID];

	return load(pp_attachment_id(attachment, id), out, err);
}

/* What @record waits for is its own now, unless it has gone meanwhile, or yet another one was quicker. */
static int give_waiting(struct pp_record *record, const struct pp_keeping *keeping,
			const struct pp_report *report, struct pp_error *err)
{
	struct attaching attaching = { .record = record,
				       .replace = ADD_REPLACE_ONLY,
				       .on_conflict = PP_CONFLICT_KEEP,
				       .keeping = keeping,
				       .report = report };
	int ret = stop_waiting(record, err);

	if (ret == 0)
		ret = attach(&attaching, err);
	return ret == -ENOENT ? 0 : ret;
}

void attach_promote(const struct pp_attachment *gone, const struct pp_keeping *keeping,
		    const struct pp_report *report)
{
	struct pp_records others = PP_RECORDS_INIT;
	struct pp_error fault;
	int ret = load_others(gone, &others, &fault);

	for (size_t i = 0; ret == 0 && i < others.count; i++) {
		struct pp_record *other = &others.items[i];

		if (!other->attachment || !other->attachment->waiting.count)
			continue;
		if (give_waiting(other, keeping, report, &fault) < 0)
			pp_report_say(report, "%s has not got the ports it waits for: %s", other->id,
				      fault.message);
	}
	pp_records_fini(&others);
}
