/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/holder.h"

#include "portpub/array.h"
#include "portpub/kept.h"
#include "portpub/nft.h"
#include "portpub/process.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pp_holders_fini(struct pp_holders *list)
{
	free(list->items);
	*list = PP_HOLDERS_INIT;
}

static int append(struct pp_holders *list, const struct pp_holder *holder, struct pp_error *err)
{
	struct pp_holder *items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));

	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	list->items = items;
	list->items[list->count++] = *holder;
	return 0;
}

struct question {
	enum pp_protocol protocol;
	uint16_t port;
};

static bool is_meant(const struct pp_entry *entry, void *data)
{
	const struct question *question = data;

	return pp_entry_port(entry) == question->port && pp_entry_protocol(entry) == question->protocol;
}

static int64_t pid_of(const struct pp_store *store, const char *id, struct pp_error *unknown)
{
	struct pp_record record = { 0 };
	struct pp_error fault;
	int64_t pid;
	int ret = store->dir < 0 ? -ENOENT : pp_store_load(store, PP_STAGE_ACTIVE, id, &record, &fault);

	if (ret == -ENODATA)
		*unknown = fault;
	if (ret < 0)
		return 0;
	pid = record.pid;
	pp_record_fini(&record);
	return pid;
}

static int add_entry(const struct pp_store *store, const struct pp_entry *entry, struct pp_holders *out,
		     struct pp_error *err)
{
	struct pp_holder holder = { .protocol = pp_entry_protocol(entry),
				    .address = pp_entry_address(entry),
				    .port = pp_entry_port(entry),
				    .pid = pid_of(store, entry->owner, &out->unknown),
				    .target = pp_entry_target(entry),
				    .target_port = pp_entry_target_port(entry) };

	memcpy(holder.id, entry->owner[0] ? entry->owner : "?", entry->owner[0] ? sizeof(holder.id) : 2);
	return append(out, &holder, err);
}

static int read_kernel(struct question *question, enum pp_nft_state *found, struct pp_entries *out,
		       struct pp_error *err)
{
	struct pp_nft nft = PP_NFT_INIT;
	int ret = pp_nft_open(&nft, err);

	if (ret == 0)
		ret = pp_nft_look(&nft, found, err);
	for (int set = PP_SET_HOST4; ret == 0 && set <= PP_SET_ANY6; set++)
		ret = pp_nft_read(&nft, (enum pp_set)set, is_meant, question, out, err);
	pp_nft_close(&nft);
	return ret;
}

static int read_records(const struct pp_store *store, struct question *question, struct pp_entries *out,
			struct pp_error *unknown, struct pp_error *err)
{
	struct pp_records records = PP_RECORDS_INIT;
	struct pp_entries all = PP_ENTRIES_INIT;
	int ret = store->dir < 0 ? 0 : pp_store_load_all(store, PP_STAGE_ACTIVE, &records, err);

	if (ret == 0 && records.broken_count)
		pp_fail(unknown, ENODATA, "%s", records.broken[0].words);
	for (size_t i = 0; ret == 0 && i < records.count; i++)
		ret = pp_entries_owned(&records.items[i], &all, err);
	for (size_t i = 0; ret == 0 && i < all.count; i++) {
		if (pp_set_shape(all.items[i].set)->map && is_meant(&all.items[i], question))
			ret = pp_entries_append(out, &all.items[i], err);
	}
	pp_entries_fini(&all);
	pp_records_fini(&records);
	return ret;
}

/* @closed says why there are no records to read, or nothing. */
static int add_publications(const struct pp_store *store, const struct pp_error *closed,
			    struct question *question, struct pp_holders *out, struct pp_error *err)
{
	struct pp_entries entries = PP_ENTRIES_INIT;
	enum pp_nft_state found = PP_NFT_WHOLE;
	int ret = read_kernel(question, &found, &entries, err);

	if (ret == -EPERM || ret == -EOPNOTSUPP || (ret == 0 && found == PP_NFT_ABSENT)) {
		ret = read_records(store, question, &entries, &out->unknown, err);
		if (closed->code)
			out->unknown = *closed;
	}
	for (size_t i = 0; ret == 0 && i < entries.count; i++)
		ret = add_entry(store, &entries.items[i], out, err);
	pp_entries_fini(&entries);
	return ret;
}

static bool has(const struct pp_holders *list, const char *id, const struct pp_address *address)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct pp_address *own = &list->items[i].address;

		if (strcmp(list->items[i].id, id) == 0 &&
		    (address->family == AF_UNSPEC || pp_address_compare(own, address) == 0))
			return true;
	}
	return false;
}

static int add_record(const struct question *question, const struct pp_record *record, struct pp_holders *out,
		      struct pp_error *err)
{
	const struct pp_publications *list = &record->request.publications;
	const struct pp_target *target = &record->request.target;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < list->count; i++) {
		const struct pp_publication *one = &list->items[i];
		struct pp_holder holder = { .protocol = question->protocol,
					    .address = one->address,
					    .port = question->port,
					    .pid = record->pid,
					    .target = target->ipv4.family ? target->ipv4 : target->ipv6 };

		if (one->protocol != question->protocol || question->port < one->host_port ||
		    question->port - one->host_port >= one->count || has(out, record->id, &one->address))
			continue;
		holder.target_port = (uint16_t)(one->container_port + (question->port - one->host_port));
		memcpy(holder.id, record->id, sizeof(holder.id));
		ret = append(out, &holder, err);
	}
	return ret;
}

struct kept {
	const struct pp_store *store;
	const struct question *question;
	struct pp_holders *out;
	struct pp_error *err;
	int ret;
};

static void add_kept_one(const char *id, void *data)
{
	struct kept *kept = data;
	struct pp_record record = { 0 };
	struct pp_error ignored; /* what is on its way, or broken */

	if (kept->ret < 0 || pp_store_load(kept->store, PP_STAGE_ACTIVE, id, &record, &ignored) < 0)
		return;
	if (record.keeper)
		kept->ret = add_record(kept->question, &record, kept->out, kept->err);
	pp_record_fini(&record);
}

/* What a keeper forwards alone is nothing to the kernel but a socket. */
static int add_kept(const struct pp_store *store, const struct question *question, struct pp_holders *out,
		    struct pp_error *err)
{
	struct kept kept = { store, question, out, err, 0 };

	if (store->dir >= 0)
		pp_kept_each_id(store, add_kept_one, &kept);
	return kept.ret;
}

static int add_sockets(const struct question *question, struct pp_holders *out, struct pp_error *err)
{
	struct pp_sockets sockets = PP_SOCKETS_INIT;
	int ret = pp_sockets_read_bound(question->protocol, question->port, &sockets, err);

	for (size_t i = 0; ret == 0 && i < sockets.count; i++) {
		struct pp_holder holder = { .protocol = question->protocol,
					    .address = sockets.items[i].address,
					    .port = question->port,
					    .socket = sockets.items[i] };

		ret = append(out, &holder, err);
	}
	pp_sockets_fini(&sockets);
	return ret;
}

int pp_holders_find(enum pp_protocol protocol, uint16_t port, struct pp_holders *out, struct pp_error *err)
{
	struct question question = { protocol, port };
	struct pp_store store = PP_STORE_INIT;
	struct pp_error closed = { 0 };
	int ret = pp_store_open_to_read(&store, &closed);

	if (ret == 0 || ret == -ENOENT) /* nothing has ever been published */
		closed.code = 0;
	ret = add_publications(&store, &closed, &question, out, err);
	if (ret == 0)
		ret = add_kept(&store, &question, out, err);
	pp_store_close(&store);
	return ret == 0 ? add_sockets(&question, out, err) : ret;
}

int pp_holders_find_in(const struct pp_store *store, enum pp_protocol protocol, uint16_t port,
		       struct pp_holders *out, struct pp_error *err)
{
	struct question question = { protocol, port };
	struct pp_error none = { 0 };
	int ret = add_publications(store, &none, &question, out, err);

	if (ret == 0)
		ret = add_kept(store, &question, out, err);
	return ret == 0 ? add_sockets(&question, out, err) : ret;
}

int pp_holders_find_kept(const struct pp_store *store, enum pp_protocol protocol, uint16_t port,
			 struct pp_holders *out, struct pp_error *err)
{
	return add_kept(store, &(struct question){ protocol, port }, out, err);
}

const char *pp_holder_of(const struct pp_store *store, enum pp_protocol protocol, uint16_t port,
			 const struct pp_address *address, char out[static PP_HOLDER_WORDS])
{
	struct pp_holders holders = PP_HOLDERS_INIT;
	struct pp_error ignored;

	snprintf(out, PP_HOLDER_WORDS, "in use");
	(void)pp_holders_find_in(store, protocol, port, &holders, &ignored);
	for (size_t i = holders.count; i-- > 0;) { /* publications are the first */
		if (pp_address_overlaps(&holders.items[i].address, address))
			pp_holder_describe(&holders.items[i], out);
	}
	pp_holders_fini(&holders);
	return out;
}

const char *pp_holder_describe(const struct pp_holder *holder, char out[static PP_HOLDER_WORDS])
{
	char who[PP_HOLDER_TEXT];

	if (!holder->id[0]) {
		pp_socket_holder(&holder->socket, who, sizeof(who));
		snprintf(out, PP_HOLDER_WORDS, "in use by %s", who);
	} else if (holder->pid) {
		snprintf(out, PP_HOLDER_WORDS, "published by %s (pid %lld)", holder->id,
			 (long long)holder->pid);
	} else {
		snprintf(out, PP_HOLDER_WORDS, "published by %s", holder->id);
	}
	return out;
}
