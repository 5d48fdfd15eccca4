/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/hook_state.h"

#include "document.h"
#include "portpub/digest.h"
#include "portpub/spec.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const char prefix[] = "portpub.", ports_key[] = "portpub.ports", via_key[] = "portpub.via";

void pp_hook_state_fini(struct pp_hook_state *state)
{
	json_decref(state->root);
	*state = PP_HOOK_STATE_INIT;
}

static int decode(const char *text, size_t len, json_t **out, struct pp_error *err)
{
	char shown[sizeof(err->message) / 2];
	json_error_t fault = { 0 };

	if (len > PP_HOOK_STATE_MAX)
		return pp_fail(err, EBADMSG, "the state of the container is too large: at most %d bytes",
			       PP_HOOK_STATE_MAX);
	*out = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &fault);
	if (json_is_object(*out))
		return 0;
	if (*out)
		return pp_fail(err, EBADMSG, "the state of the container is no JSON object");
	pp_show(shown, sizeof(shown), fault.text, strlen(fault.text));
	return pp_fail(err, EBADMSG, "the state of the container is no JSON: line %d, column %d: %s",
		       fault.line, fault.column, shown[0] ? shown : "out of memory");
}

/* Text, "" where it is not there; one with a NUL in it is not what it seems. */
static int read_text(const json_t *root, const char *key, const char **out, struct pp_error *err)
{
	const json_t *value = json_object_get(root, key);

	*out = "";
	if (!value)
		return 0;
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return pp_fail(err, EINVAL, "%s: must be text", key);
	*out = json_string_value(value);
	return 0;
}

/* One that has ended has none, or 0. */
static int read_pid(const json_t *root, int32_t *out, struct pp_error *err)
{
	const json_t *value = json_object_get(root, "pid");
	json_int_t number = json_integer_value(value);

	if (value && (!json_is_integer(value) || number < 0 || number > INT32_MAX))
		return pp_fail(err, EINVAL, "pid: must be the number of a process");
	*out = (int32_t)number;
	return 0;
}

static int read_annotations(const json_t *root, const json_t **out, struct pp_error *err)
{
	const json_t *value = json_object_get(root, "annotations");

	if (value && !json_is_object(value) && !json_is_null(value))
		return pp_fail(err, EINVAL, "annotations: must be an object, not %s", json_kind(value));
	*out = json_is_object(value) ? value : NULL;
	return 0;
}

int pp_hook_state_read(const char *text, size_t len, struct pp_hook_state *out, struct pp_error *err)
{
	struct pp_hook_state state = PP_HOOK_STATE_INIT;
	int ret = decode(text, len, &state.root, err);

	if (ret == 0)
		ret = read_text(state.root, "id", &state.container, err);
	if (ret == 0 && !state.container[0])
		ret = pp_fail(err, EINVAL, "id: this key is required");
	if (ret == 0)
		ret = read_text(state.root, "bundle", &state.bundle, err);
	if (ret == 0)
		ret = read_text(state.root, "status", &state.status, err);
	if (ret == 0)
		ret = read_pid(state.root, &state.pid, err);
	if (ret == 0)
		ret = read_annotations(state.root, &state.annotations, err);
	if (ret == 0)
		*out = state;
	else
		pp_hook_state_fini(&state);
	return ret;
}

struct moment {
	const char *name;
	enum pp_hook_task task;
};

/* The stages in which a hook is in the runtime's namespaces; in the others nothing can be published. */
static const struct moment stages[] = {
	{ "prestart", PP_HOOK_PUBLISH },
	{ "createRuntime", PP_HOOK_PUBLISH },
	{ "poststart", PP_HOOK_PUBLISH },
	{ "poststop", PP_HOOK_UNPUBLISH },
	{ 0 },
};

static const struct moment statuses[] = {
	{ "creating", PP_HOOK_PUBLISH },
	{ "created", PP_HOOK_PUBLISH },
	{ "running", PP_HOOK_PUBLISH },
	{ "stopped", PP_HOOK_UNPUBLISH },
	{ 0 },
};

static const struct moment *find(const struct moment *moments, const char *name)
{
	while (moments->name && strcmp(moments->name, name) != 0)
		moments++;
	return moments->name ? moments : NULL;
}

int pp_hook_state_task(const struct pp_hook_state *state, const char *stage, enum pp_hook_task *out,
		       struct pp_error *err)
{
	const struct moment *moment = stage ? find(stages, stage) : find(statuses, state->status);
	const char *name = stage ? stage : state->status;
	char shown[64];

	if (moment) {
		*out = moment->task;
		return 0;
	}
	pp_show(shown, sizeof(shown), name, strlen(name));
	if (stage)
		return pp_fail(err, EINVAL,
			       "%s is no stage of this hook: prestart, createRuntime, poststart or poststop",
			       shown);
	return pp_fail(err, EINVAL,
		       "the status of the container is %s%s%s: say the stage, createRuntime or poststop",
		       *name ? "\"" : "", *name ? shown : "not said", *name ? "\"" : "");
}

bool pp_hook_state_has_ports(const struct pp_hook_state *state)
{
	return json_object_get(state->annotations, ports_key);
}

/* The next word of @rest between spaces and commas, which is taken from it; false where there is none. */
static bool take_word(struct pp_piece *rest, struct pp_piece *word)
{
	static const char between[] = " \t\n,"; /* and, by its end, NUL */
	const char *text = pp_piece_text(*rest), *end = text + rest->len, *begin;

	while (text < end && memchr(between, *text, sizeof(between)))
		text++;
	for (begin = text; text < end && !memchr(between, *text, sizeof(between));)
		text++;
	*word = (struct pp_piece){ begin, (size_t)(text - begin), 0, (size_t)(text - begin) };
	rest->at = rest->whole_len - (size_t)(end - text);
	rest->len = (size_t)(end - text);
	return word->len > 0;
}

/* A list begins as one, too, that has an IPv6 address first: [::1]:80:80. */
static bool is_json(struct pp_piece text)
{
	static const char space[] = " \t\r\n";
	const char *at = pp_piece_text(text), *end = at + text.len;
	bool is_list = false;

	for (; at < end && (memchr(space, *at, sizeof(space) - 1) || (*at == '[' && !is_list)); at++)
		is_list |= *at == '[';
	return at < end && (*at == '{' || (is_list && *at == ']'));
}

static int read_ports(struct pp_piece text, struct pp_request *request, struct pp_error *err)
{
	struct pp_publication publication;
	struct pp_piece word;
	int ret = 0;

	if (is_json(text))
		return pp_json_read(text.whole, text.len, PP_DIALECT_DISCO, NULL, &request->publications,
				    err);
	while (ret == 0 && take_word(&text, &word)) {
		ret = pp_spec_parse(word.whole, word.len, PP_SPEC_SHORT, &publication, err);
		if (ret == 0)
			ret = pp_publications_append(&request->publications, &publication, err);
	}
	return ret;
}

static int read_via(struct pp_piece text, struct pp_request *request, struct pp_error *err)
{
	if (pp_via_parse(text.whole, &request->via))
		return 0;
	return pp_fail_at(err, text, "must be auto, kernel or userspace");
}

/* A list of nobody would be one of everybody. */
static int read_allow(struct pp_piece text, struct pp_request *request, struct pp_error *err)
{
	struct pp_network network;
	struct pp_piece word;
	int ret = 0;

	while (ret == 0 && take_word(&text, &word)) {
		ret = pp_network_parse(word.whole, word.len, &network, err);
		if (ret == 0)
			ret = pp_networks_append(&request->allow, &network, err);
	}
	if (ret == 0 && !request->allow.count)
		ret = pp_fail(err, EINVAL, "names no network; without it, everybody may connect");
	return ret;
}

static int read_to(struct pp_piece text, struct pp_request *request, struct pp_error *err)
{
	return pp_target_parse(text.whole, text.len, &request->target, err);
}

static const struct {
	const char *key;
	int (*read)(struct pp_piece text, struct pp_request *request, struct pp_error *err);
} readers[] = {
	{ ports_key, read_ports },
	{ via_key, read_via },
	{ "portpub.allow", read_allow },
	{ "portpub.to", read_to },
};

/* Put the annotation in front of where the error is in it. */
static int name_annotation(const char *key, struct pp_error *err)
{
	char where[sizeof(err->where)], shown[64];

	pp_show(shown, sizeof(shown), key, strlen(key));
	snprintf(where, sizeof(where), "%s%s%.*s", shown, err->where[0] ? ": " : "",
		 (int)(sizeof(where) - strlen(shown) - sizeof(": ")), err->where);
	memcpy(err->where, where, sizeof(where));
	return -err->code;
}

static int read_annotation(const char *key, const json_t *value, struct pp_request *request,
			   struct pp_error *err)
{
	struct pp_piece text;
	size_t i = 0;

	while (i < sizeof(readers) / sizeof(readers[0]) && strcmp(readers[i].key, key) != 0)
		i++;
	if (i == sizeof(readers) / sizeof(readers[0]))
		return pp_fail(err, EINVAL, "is no annotation of portpub: ports, via, allow and to are");
	if (!json_is_string(value))
		return pp_fail(err, EINVAL, "must be text, not %s", json_kind(value));
	text = json_piece(value);
	if (strlen(text.whole) != text.len)
		return pp_fail(err, EINVAL, "has a NUL in it");
	return readers[i].read(text, request, err);
}

int pp_hook_state_request(const struct pp_hook_state *state, struct pp_request *out, bool *is_via_said,
			  struct pp_error *err)
{
	const char *key;
	json_t *value;

	*is_via_said = json_object_get(state->annotations, via_key);
	/* The iteration of jansson takes a plain pointer and changes nothing. */
	json_object_foreach ((json_t *)state->annotations, key, value) {
		if (strncmp(key, prefix, sizeof(prefix) - 1) == 0 &&
		    read_annotation(key, value, out, err) < 0)
			return name_annotation(key, err);
	}
	return 0;
}

const char *pp_hook_state_id(const struct pp_hook_state *state, char out[static PP_HOOK_ID])
{
	uint64_t digest = pp_digest(pp_digest(PP_DIGEST_INIT, state->container), state->bundle);

	snprintf(out, PP_HOOK_ID, "oci-%.12s-%016" PRIx64, state->container, digest);
	for (char *c = out; *c; c++) {
		if (!strchr("-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789", *c))
			*c = '-';
	}
	return out;
}
