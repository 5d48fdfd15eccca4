/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A document is a list of ports, or an object that holds one somewhere. Three things can be said of it by
 * its keys alone, and read_object() and read_array() ask them in this order:
 *
 *	holder		publishedPorts, portMappings, ports, port_mappings, PortBindings, ExposedPorts:
 *			the value is what its dialect reads
 *	wrapper		services (disco.json, compose: services.c), runtimeConfig (CNI), HostConfig and
 *			Config (docker inspect), config (OCI image): the holder is inside
 *	bare		no holder at all: the keys of the first entry that has telling ones name the dialect
 *
 * The path of what is being read is a chain of struct place on the stack, so the functions descend instead
 * of returning what they found. A document that names no dialect, or two, is an error: guessing would
 * publish something nobody asked for.
 */
#include "document.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

static const struct wrapper {
	const char *key;
	enum pp_dialect dialect;
} wrappers[] = {
	{ "runtimeConfig", PP_DIALECT_CNI },
	{ "HostConfig", PP_DIALECT_DOCKER },
	{ "Config", PP_DIALECT_OCI },
	{ "config", PP_DIALECT_OCI },
};

/* The dialect whose holder is a key of @object; AUTO where there is none. */
static int find_holder(const struct reader *reader, const json_t *object, const struct place *place,
		       enum pp_dialect *out)
{
	*out = PP_DIALECT_AUTO;
	for (int i = PP_DIALECT_AUTO + 1; i < PP_DIALECT_COUNT; i++) {
		if (!document_may_be(reader, (enum pp_dialect)i) ||
		    !json_object_get(object, dialects[i]->holder))
			continue;
		if (*out != PP_DIALECT_AUTO)
			return document_fail_both(reader, place, dialects[*out]->holder, dialects[i]->holder);
		*out = (enum pp_dialect)i;
	}
	return 0;
}

/* A map without a holder: keys are ports. Docker's values are lists or null, OCI's are objects. */
static enum pp_dialect bare_map(const struct reader *reader, json_t *object)
{
	const char *key = json_object_iter_key(json_object_iter(object));
	const json_t *value = key ? json_object_get(object, key) : NULL;
	enum pp_dialect told;

	if (!key)
		return reader->forced != PP_DIALECT_AUTO && document_is_map(reader->forced) ? reader->forced
											    : PP_DIALECT_AUTO;
	if (key[0] < '0' || key[0] > '9')
		return PP_DIALECT_AUTO;
	told = json_is_object(value) ? PP_DIALECT_OCI : PP_DIALECT_DOCKER;
	return document_may_be(reader, told) ? told : PP_DIALECT_AUTO;
}

static int fail_unknown(const struct reader *reader, const json_t *object, const struct place *place)
{
	for (int d = PP_DIALECT_AUTO + 1; d < PP_DIALECT_COUNT; d++) {
		if (dialects[d]->read_entry && dialects[d]->tells(object))
			return json_fail(reader->err, place, "this is one entry: put it in a list, [ ]");
	}
	return json_fail(
		reader->err, place,
		"no ports here: expected a list, or an object that holds publishedPorts, portMappings,"
		" ports, port_mappings, PortBindings, ExposedPorts or services");
}

/* The wrapper that @object has, or NULL. A container has both of Docker's: what it publishes is in the first. */
static int find_wrapper(const struct reader *reader, const json_t *object, const struct place *place,
			const struct wrapper **out)
{
	*out = NULL;
	for (size_t i = 0; i < sizeof(wrappers) / sizeof(wrappers[0]); i++) {
		const struct wrapper *found = &wrappers[i];

		if (!document_may_be(reader, found->dialect) ||
		    !json_is_object(json_object_get(object, found->key)))
			continue;
		if (*out && ((*out)->dialect != PP_DIALECT_DOCKER || found->dialect != PP_DIALECT_OCI))
			return document_fail_both(reader, place, (*out)->key, found->key);
		if (!*out)
			*out = found;
	}
	return 0;
}

/* The programs that write wrappers are in Go, to which the case of a key does not matter. */
static int read_wrapped(const struct reader *reader, const json_t *object, const struct wrapper *wrapper,
			const struct place *place)
{
	struct place outer = place_key(place, wrapper->key), here;
	const char *key;
	json_t *value;

	json_object_foreach (json_object_get(object, wrapper->key), key, value) {
		here = place_key(&outer, key);
		if (strcasecmp(key, dialects[wrapper->dialect]->holder) == 0)
			return document_read_value(reader, wrapper->dialect, value, &here);
	}
	return 0;
}

static bool may_have_services(const struct reader *reader)
{
	return document_may_be(reader, PP_DIALECT_DISCO) || document_may_be(reader, PP_DIALECT_COMPOSE);
}

static int read_object(const struct reader *reader, json_t *object, const struct place *place)
{
	json_t *services = may_have_services(reader) ? json_object_get(object, "services") : NULL;
	const struct wrapper *wrapper = NULL;
	enum pp_dialect dialect;
	struct place here;
	int ret = find_holder(reader, object, place, &dialect);

	if (ret == 0)
		ret = find_wrapper(reader, object, place, &wrapper);
	if (ret < 0)
		return ret;
	if (services && dialect != PP_DIALECT_AUTO)
		return document_fail_both(reader, place, "services", dialects[dialect]->holder);
	if (wrapper && (services || dialect != PP_DIALECT_AUTO))
		return document_fail_both(reader, place, services ? "services" : dialects[dialect]->holder,
					  wrapper->key);
	if (services) {
		here = place_key(place, "services");
		return services_read(reader, services, &here);
	}
	if (reader->service)
		return json_fail(reader->err, place,
				 "--service needs a document with services; this one has none");
	if (wrapper)
		return read_wrapped(reader, object, wrapper, place);
	if (dialect == PP_DIALECT_AUTO) {
		dialect = bare_map(reader, object);
		return dialect == PP_DIALECT_AUTO ? fail_unknown(reader, object, place)
						  : document_read_value(reader, dialect, object, place);
	}
	here = place_key(place, dialects[dialect]->holder);
	return document_read_value(reader, dialect, json_object_get(object, here.key), &here);
}

static enum pp_dialect told_by_entries(const struct reader *reader, const json_t *list)
{
	json_t *entry;
	size_t i;

	json_array_foreach (list, i, entry) {
		for (int d = PP_DIALECT_AUTO + 1; d < PP_DIALECT_COUNT; d++) {
			if (document_may_be(reader, (enum pp_dialect)d) && dialects[d]->tells(entry))
				return (enum pp_dialect)d;
		}
	}
	return PP_DIALECT_AUTO;
}

static int read_array(const struct reader *reader, json_t *list, const struct place *place)
{
	enum pp_dialect dialect = reader->forced;

	if (reader->service)
		return json_fail(reader->err, place,
				 "--service needs a document with services; this is a list");
	if (json_array_size(list) == 0)
		return 0;
	if (dialect == PP_DIALECT_AUTO)
		dialect = told_by_entries(reader, list);
	if (dialect == PP_DIALECT_AUTO)
		return json_fail(
			reader->err, place,
			"these entries have no key that tells what they are: publishedAs, hostPort, target,"
			" host_port (mind the case)");
	if (!document_is_map(dialect))
		return document_read_value(reader, dialect, list, place);

	/* docker inspect prints a list of what was asked for. */
	struct place here = place_index(place, 0);

	if (json_array_size(list) != 1)
		return json_fail(reader->err, place, "%zu things were inspected here: one at a time",
				 json_array_size(list));
	if (!json_is_object(json_array_get(list, 0)))
		return json_fail(reader->err, &here, "must be an object, not %s",
				 json_kind(json_array_get(list, 0)));
	return read_object(reader, json_array_get(list, 0), &here);
}

/*
 * What a document would take in memory, before any is taken: a value is behind a comma or a bracket. Those
 * inside text count, too: the longest list of ports that may be has half as many.
 */
enum { VALUES_MAX = 2 << 20 };

static size_t count_values(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == ',' || text[i] == '[' || text[i] == '{';
	return count;
}

/* jansson fills its error only where the text is wrong: out of memory it may say nothing at all. */
static json_t *load(const char *text, size_t len, struct pp_error *err)
{
	char shown[sizeof(err->message) / 2];
	json_error_t fault = { 0 };
	json_t *root;

	if (len > PP_JSON_MAX) {
		pp_fail(err, EINVAL, "%zu bytes are too many for a list of ports: at most %d", len,
			PP_JSON_MAX);
		return NULL;
	}
	if (count_values(text, len) > VALUES_MAX) {
		pp_fail(err, EINVAL, "more than %d values are too many for a list of ports", VALUES_MAX);
		return NULL;
	}
	root = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &fault);
	if (root)
		return root;
	if (fault.line < 0 || !fault.text[0] || json_error_code(&fault) == json_error_out_of_memory) {
		pp_fail(err, ENOMEM, "out of memory");
		return NULL;
	}
	pp_show(shown, sizeof(shown), fault.text, strlen(fault.text));
	pp_fail(err, EBADMSG, "line %d, column %d: %s", fault.line, fault.column, shown);
	return NULL;
}

int pp_json_read_value(json_t *document, enum pp_dialect dialect, const char *service,
		       struct pp_publications *out, struct pp_error *err)
{
	const struct reader reader = { dialect, service, out, err };
	const struct place top = { 0 };
	size_t before = out->count;
	int ret;

	if (json_is_null(document) && dialect != PP_DIALECT_AUTO && dialects[dialect]->null_is_empty &&
	    !service)
		ret = 0;
	else if (json_is_array(document))
		ret = read_array(&reader, document, &top);
	else if (json_is_object(document))
		ret = read_object(&reader, document, &top);
	else
		ret = json_fail(err, &top, "expected a list of ports or an object that holds one, not %s",
				json_kind(document));
	if (ret < 0)
		out->count = before;
	return ret;
}

int pp_json_read(const char *text, size_t len, enum pp_dialect dialect, const char *service,
		 struct pp_publications *out, struct pp_error *err)
{
	json_t *document = load(text, len, err);
	int ret;

	if (!document)
		return -err->code;
	ret = pp_json_read_value(document, dialect, service, out, err);
	json_decref(document);
	return ret;
}
