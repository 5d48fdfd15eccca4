/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * compose's ports: objects ({"target": 80, "published": "8080", ...}), short-form strings ("8080:80") and
 * bare container ports (80), mixed in one list.
 * What is said twice in the same words counts once (collapse.c).
 */
#include "../range.h"
#include "portpub/spec.h"
#include "reader.h"

#include <string.h>

static bool tells(const json_t *entry)
{
	return json_is_string(entry) || json_is_integer(entry) || json_object_get(entry, "target") ||
	       json_object_get(entry, "published");
}

static int read_short(const json_t *entry, const struct place *place, struct pp_publication *out,
		      struct pp_error *err)
{
	if (pp_spec_parse(json_string_value(entry), json_string_length(entry), PP_SPEC_SHORT, out, err) < 0)
		return json_fail_inside(err, place);
	return 0;
}

static int target(const json_t *value, const struct place *place, uint16_t *out, struct pp_error *err)
{
	if (!json_is_string(value))
		return json_port(value, place, out, err);
	if (pp_port_parse(json_piece(value), PP_CONTAINER_PORT, out, err) < 0)
		return json_fail_inside(err, place);
	return 0;
}

static int published(const json_t *value, const struct place *place, struct pp_publication *out,
		     struct pp_error *err)
{
	if (!value)
		return 0;
	if (json_is_integer(value))
		return json_number(value, place, 0, UINT16_MAX, &out->host_port, err);
	if (!json_is_string(value))
		return json_fail(err, place, "must be a whole number or text, not %s", json_kind(value));
	return json_host_ports(json_piece(value), place, out, err);
}

static int host_ip(const json_t *value, const struct place *place, struct pp_address *out,
		   struct pp_error *err)
{
	if (!value)
		return 0;
	if (json_is_string(value) && json_string_length(value) == 0)
		return json_fail(err, place, "is empty: leave the key out to open every address");
	return json_address(value, place, out, err);
}

/* The keys that publish nothing: checked all the same, a document is right or wrong as a whole. */
static int check_rest(const json_t *entry, const struct place *place, struct pp_error *err)
{
	static const char *const texts[] = { "mode", "name", "app_protocol" };
	struct pp_piece text;

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
		const json_t *value = json_object_get(entry, texts[i]);
		struct place here = place_key(place, texts[i]);
		int ret = value ? json_text(value, &here, &text, err) : 0;

		if (ret < 0)
			return ret;
		if (value && i == 0 && strcmp(text.whole, "host") != 0 && strcmp(text.whole, "ingress") != 0)
			return json_fail(err, &here, "must be \"host\" or \"ingress\"");
	}
	return 0;
}

static int read_long(const json_t *entry, const struct place *place, struct pp_publication *out,
		     struct pp_error *err)
{
	static const char *const known[] = { "target", "published", "host_ip",      "protocol",
					     "mode",   "name",      "app_protocol", NULL };
	struct place at_target = place_key(place, "target"), at_published = place_key(place, "published"),
		     at_ip = place_key(place, "host_ip"), at_protocol = place_key(place, "protocol");
	const json_t *protocol = json_object_get(entry, "protocol");
	int ret;

	ret = json_known_keys(entry, place, known, true, err);
	if (ret == 0)
		ret = target(json_object_get(entry, "target"), &at_target, &out->container_port, err);
	if (ret == 0)
		ret = published(json_object_get(entry, "published"), &at_published, out, err);
	if (ret == 0)
		ret = host_ip(json_object_get(entry, "host_ip"), &at_ip, &out->address, err);
	if (ret == 0 && protocol && !(json_is_string(protocol) && json_string_length(protocol) == 0))
		ret = json_protocol(protocol, &at_protocol, &out->protocol, err);
	return ret < 0 ? ret : check_rest(entry, place, err);
}

static int read_entry(const json_t *entry, const struct place *place, struct pp_publication *out,
		      struct pp_error *err)
{
	if (json_is_object(entry))
		return read_long(entry, place, out, err);
	if (json_is_string(entry))
		return read_short(entry, place, out, err);
	if (json_is_integer(entry))
		return json_port(entry, place, &out->container_port, err);
	return json_fail(err, place, "must be an object, text or a container port, not %s", json_kind(entry));
}

static int read_all(json_t *whole, const struct place *place, struct pp_publications *out,
		    struct pp_error *err)
{
	size_t first = out->count;
	int ret = json_read_list(whole, &dialect_compose, place, out, err);

	return ret < 0 ? ret : json_collapse(out, first, err);
}

const struct dialect dialect_compose = {
	.name = "compose",
	.holder = "ports",
	.tells = tells,
	.read_entry = read_entry,
	.read_all = read_all,
};
