/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "state.h"

#include <errno.h>
#include <stdlib.h>

static int load_records(const struct pp_store *store, const char *id, struct pp_records *out,
			struct pp_error *err)
{
	struct pp_record record = { 0 };
	int ret;

	if (!id)
		return pp_store_load_all(store, PP_STAGE_ACTIVE, out, err);
	ret = pp_store_load(store, PP_STAGE_ACTIVE, id, &record, err);
	if (ret == 0)
		ret = pp_records_append(out, &record, err);
	pp_record_fini(&record);
	return ret;
}

/* While the store is there: what the keepers say. */
static int look_at_keepers(const struct pp_store *store, struct state *state, struct pp_error *err)
{
	const struct pp_records *records = &state->records;

	state->pages = calloc(records->count + 1, sizeof(*state->pages));
	state->items = calloc(records->count + 1, sizeof(*state->items));
	if (!state->pages || !state->items)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < records->count; i++) {
		const struct pp_record *record = &records->items[i];

		if (record->keeper && !pp_kept_look(store, record->id, record->keeper, &state->pages[i]))
			state->pages[i] = (struct pp_kept_page){ 0 };
	}
	return 0;
}

static int load(struct state *state, const char *id, struct pp_error *err)
{
	struct pp_store store = PP_STORE_INIT;
	int ret = pp_store_open_to_read(&store, err);

	if (ret == -ENOENT) /* nothing has ever been published */
		return id ? pp_fail(err, ENOENT, "nothing is published as %s", id) : 0;
	if (ret == 0)
		ret = load_records(&store, id, &state->records, err);
	if (ret == 0)
		ret = look_at_keepers(&store, state, err);
	pp_store_close(&store);
	return ret;
}

/* An ordinary user sees what is published, but not what the kernel has counted. */
static void count(struct state *state)
{
	struct pp_error unknown;

	if (state->records.count && pp_connections_read(&state->records, &state->connections, &unknown) < 0 &&
	    unknown.code != EPERM)
		fprintf(stderr, "portpub: no connections are shown: %s\n", unknown.message);
}

int state_read(struct state *state, const char *id, struct pp_error *err)
{
	const struct pp_connections *connections = &state->connections;
	int ret;

	*state = (struct state){ .records = PP_RECORDS_INIT, .connections = PP_CONNECTIONS_INIT };
	ret = load(state, id, err);
	if (ret < 0) {
		state_fini(state);
		return ret;
	}
	count(state);
	for (size_t i = 0; i < state->records.count; i++)
		state->items[i] = (struct published){
			.record = &state->records.items[i],
			.connections = connections->counts ? connections->counts + connections->first[i]
							   : NULL,
			.keeper = state->pages[i].pid ? &state->pages[i] : NULL,
		};
	return 0;
}

void state_fini(struct state *state)
{
	pp_connections_fini(&state->connections);
	pp_records_fini(&state->records);
	free(state->pages);
	free(state->items);
	state->pages = NULL;
	state->items = NULL;
}

bool state_is_whole(const struct state *state)
{
	for (size_t i = 0; i < state->records.broken_count; i++)
		fprintf(stderr, "portpub: %s\n", state->records.broken[i].words);
	return state->records.broken_count == 0;
}
