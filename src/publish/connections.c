/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each element of a map counts what was translated by it: the first packet of a connection, and none after it.
 * The element's comment names the record; in it the publication is found by protocol, address and port, among
 * claims that are sorted by them.
 */
#include "portpub/connections.h"

#include "portpub/nft.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A publication, by the ports that it has. */
struct claim {
	const struct pp_publication *publication;
	size_t record, index; /* of its record, and of its count */
};

struct counting {
	const struct pp_records *records;
	struct claim *claims;
	size_t count;
	uint64_t *counts;
	size_t *first;
};

void pp_connections_fini(struct pp_connections *connections)
{
	free(connections->counts);
	free(connections->first);
	*connections = PP_CONNECTIONS_INIT;
}

static int compare(size_t record, enum pp_protocol protocol, const struct pp_address *address,
		   const struct claim *claim)
{
	int order = (record > claim->record) - (record < claim->record);

	if (order == 0)
		order = (int)protocol - (int)claim->publication->protocol;
	if (order == 0)
		order = memcmp(address->bytes, claim->publication->address.bytes, sizeof(address->bytes));
	return order;
}

static int compare_claims(const void *left, const void *right)
{
	const struct claim *a = left, *b = right;
	int order = compare(a->record, a->publication->protocol, &a->publication->address, b);

	return order ? order : (int)a->publication->host_port - (int)b->publication->host_port;
}

/* What an element says, to be looked for. */
struct key {
	size_t record;
	enum pp_protocol protocol;
	struct pp_address address;
	uint16_t port;
};

static int compare_key(const void *left, const void *right)
{
	const struct key *key = left;
	const struct claim *claim = right;
	int order = compare(key->record, key->protocol, &key->address, claim);

	if (order)
		return order;
	if (key->port < claim->publication->host_port)
		return -1;
	return key->port - claim->publication->host_port >= claim->publication->count;
}

static int compare_id(const void *id, const void *record)
{
	return strcmp(id, ((const struct pp_record *)record)->id);
}

/*
 * Of two claims that differ only in their family, 0.0.0.0:80 and [::]:80, which both have no bytes, the search
 * finds either: the other is beside it.
 */
static struct claim *find(const struct counting *counting, const struct key *key)
{
	struct claim *end = counting->claims + counting->count,
		     *found = bsearch(key, counting->claims, counting->count, sizeof(*found), compare_key);

	if (!found)
		return NULL;
	while (found > counting->claims && compare_key(key, found - 1) == 0)
		found--;
	for (; found < end && compare_key(key, found) == 0; found++) {
		sa_family_t family = found->publication->address.family;

		if (family == AF_UNSPEC || family == key->address.family)
			return found;
	}
	return NULL;
}

/* Counted on the way: nothing is kept. */
static bool count_entry(const struct pp_entry *entry, void *data)
{
	struct counting *counting = data;
	const struct pp_record *record = bsearch(entry->owner, counting->records->items,
						 counting->records->count, sizeof(*record), compare_id);
	struct key key;
	struct claim *claim;

	if (!record || !entry->packets)
		return false;
	key = (struct key){ (size_t)(record - counting->records->items), pp_entry_protocol(entry),
			    pp_entry_address(entry), pp_entry_port(entry) };
	claim = find(counting, &key);
	if (claim)
		counting->counts[claim->index] += entry->packets;
	return false;
}

static int prepare(const struct pp_records *records, struct counting *counting)
{
	size_t count = 0;

	for (size_t i = 0; i < records->count; i++)
		count += records->items[i].request.publications.count;
	counting->claims = calloc(count + 1, sizeof(*counting->claims));
	counting->counts = calloc(count + 1, sizeof(*counting->counts));
	counting->first = calloc(records->count + 1, sizeof(*counting->first));
	if (!counting->claims || !counting->counts || !counting->first)
		return -ENOMEM;
	for (size_t i = 0; i < records->count; i++) {
		const struct pp_publications *list = &records->items[i].request.publications;

		counting->first[i] = counting->count;
		for (size_t p = 0; p < list->count; p++) {
			counting->claims[counting->count] = (struct claim){ &list->items[p], i,
									    counting->count };
			counting->count++;
		}
	}
	qsort(counting->claims, counting->count, sizeof(*counting->claims), compare_claims);
	return 0;
}

static int count_all(struct counting *counting, struct pp_error *err)
{
	struct pp_entries none = PP_ENTRIES_INIT;
	struct pp_nft nft = PP_NFT_INIT;
	int ret = pp_nft_open(&nft, err);

	for (int set = PP_SET_HOST4; ret == 0 && set <= PP_SET_ANY6; set++)
		ret = pp_nft_read(&nft, (enum pp_set)set, count_entry, counting, &none, err);
	pp_nft_close(&nft);
	pp_entries_fini(&none);
	return ret;
}

int pp_connections_read(const struct pp_records *records, struct pp_connections *out, struct pp_error *err)
{
	struct counting counting = { .records = records };
	int ret = prepare(records, &counting) < 0 ? pp_fail(err, ENOMEM, "out of memory")
						  : count_all(&counting, err);

	free(counting.claims);
	if (ret < 0) {
		free(counting.counts);
		free(counting.first);
		return ret;
	}
	out->counts = counting.counts;
	out->first = counting.first;
	return 0;
}
