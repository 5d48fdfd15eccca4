/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which dialects there are, and how a value that is known to be in one of them is read. */
#include "document.h"
#include "portpub/conflict.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

const struct dialect *const dialects[PP_DIALECT_COUNT] = {
	[PP_DIALECT_AUTO] = NULL,
	[PP_DIALECT_DISCO] = &dialect_disco,
	[PP_DIALECT_COMPOSE] = &dialect_compose,
	[PP_DIALECT_NETAVARK] = &dialect_netavark,
	[PP_DIALECT_CNI] = &dialect_cni,
	[PP_DIALECT_DOCKER] = &dialect_docker,
	[PP_DIALECT_OCI] = &dialect_oci,
};
static_assert(PP_DIALECT_OCI + 1 == PP_DIALECT_COUNT, "an entry for each dialect");

const char *pp_dialect_name(enum pp_dialect dialect)
{
	return dialects[dialect] ? dialects[dialect]->name : "auto";
}

bool pp_dialect_parse(const char *name, enum pp_dialect *out)
{
	for (int i = 0; i < PP_DIALECT_COUNT; i++) {
		if (strcmp(name, pp_dialect_name((enum pp_dialect)i)) == 0) {
			*out = (enum pp_dialect)i;
			return true;
		}
	}
	return false;
}

bool document_may_be(const struct reader *reader, enum pp_dialect dialect)
{
	return reader->forced == PP_DIALECT_AUTO || reader->forced == dialect;
}

bool document_is_map(enum pp_dialect dialect)
{
	return !dialects[dialect]->read_entry;
}

/* Two entries for one port: said here, where the later one has a place. Lists have an entry a publication. */
static int check_conflicts(const struct reader *reader, enum pp_dialect dialect, size_t first,
			   const struct place *place)
{
	struct pp_publications ours = { .count = reader->out->count - first };
	struct place here;
	size_t which = 0;
	int ret;

	if (ours.count < 2)
		return 0;
	ours.items = reader->out->items + first;
	ret = pp_conflicts_find(&ours, &which, reader->err);
	here = place_index(place, which);
	if (ret == -EINVAL)
		json_fail_inside(reader->err, dialects[dialect]->read_all ? place : &here);
	return ret;
}

int document_read_value(const struct reader *reader, enum pp_dialect dialect, json_t *value,
			const struct place *place)
{
	const struct dialect *d = dialects[dialect];
	size_t first = reader->out->count;
	int ret;

	if (json_is_null(value) && d->null_is_empty)
		return 0;
	if (document_is_map(dialect) ? !json_is_object(value) : !json_is_array(value))
		return json_fail(reader->err, place, "must be %s, not %s",
				 document_is_map(dialect) ? "an object" : "a list", json_kind(value));
	ret = d->read_all ? d->read_all(value, place, reader->out, reader->err)
			  : json_read_list(value, d, place, reader->out, reader->err);
	if (ret == 0)
		ret = check_conflicts(reader, dialect, first, place);
	return ret;
}

int document_fail_both(const struct reader *reader, const struct place *place, const char *a, const char *b)
{
	return json_fail(reader->err, place, "holds both %s and %s: choose one with --dialect", a, b);
}
