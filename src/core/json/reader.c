/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reader.h"
#include "../range.h"

#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The path from the document down; a long one is cut at its end, a long key inside it. */
static size_t write_path(const struct place *place, char *out, size_t size)
{
	char key[48];
	size_t used;
	int n;

	if (!place->up) {
		out[0] = '\0';
		return 0;
	}
	used = write_path(place->up, out, size);
	if (place->key) {
		pp_show(key, sizeof(key), place->key, strlen(place->key));
		n = snprintf(out + used, size - used, "%s%s", used ? "." : "", key);
	} else {
		n = snprintf(out + used, size - used, "[%zu]", place->index);
	}
	used += (size_t)n;
	return used < size ? used : size - 1;
}

int json_fail(struct pp_error *err, const struct place *place, const char *format, ...)
{
	char message[sizeof(err->message)];
	va_list args;

	va_start(args, format);
	vsnprintf(message, sizeof(message), format, args);
	va_end(args);
	pp_fail(err, EINVAL, "%s", message);
	json_fail_inside(err, place);
	return -EINVAL;
}

int json_fail_inside(struct pp_error *err, const struct place *place)
{
	write_path(place, err->where, sizeof(err->where));
	return -err->code;
}

const char *json_kind(const json_t *value)
{
	switch (json_typeof(value)) {
	case JSON_OBJECT:
		return "an object";
	case JSON_ARRAY:
		return "a list";
	case JSON_STRING:
		return "text";
	case JSON_INTEGER:
		return "a whole number";
	case JSON_REAL:
		return "a number with a fraction or exponent";
	case JSON_TRUE:
		return "true";
	case JSON_FALSE:
		return "false";
	case JSON_NULL:
		break;
	}
	return "null";
}

bool json_is_key(const char *key, const char *name)
{
	static const char long_s[] = "\xc5\xbf";

	for (; *key && *name; name++) {
		bool is_long_s = strncmp(key, long_s, 2) == 0;

		if ((is_long_s ? 's' : tolower((unsigned char)*key)) != tolower((unsigned char)*name))
			return false;
		key += is_long_s ? 2 : 1;
	}
	return *key == *name;
}

json_t *json_any_case(const json_t *object, const char *name)
{
	json_t *value = json_object_get(object, name);
	const char *key;

	if (value)
		return value;
	/* The iteration of jansson takes a plain pointer and changes nothing. */
	json_object_foreach ((json_t *)object, key, value) {
		if (json_is_key(key, name))
			return value;
	}
	return NULL;
}

static int fail_missing(const struct place *place, struct pp_error *err)
{
	return json_fail(err, place, "this key is required");
}

int json_number(const json_t *value, const struct place *place, uint16_t min, uint16_t max, uint16_t *out,
		struct pp_error *err)
{
	json_int_t number;

	if (!value)
		return fail_missing(place, err);
	if (!json_is_integer(value))
		return json_fail(err, place, "must be a whole number, not %s", json_kind(value));
	number = json_integer_value(value); /* 64 bits: compared before it is narrowed */
	if (number < min || number > max)
		return json_fail(err, place, "%" JSON_INTEGER_FORMAT " is outside %u to %u", number, min,
				 max);
	*out = (uint16_t)number;
	return 0;
}

int json_port(const json_t *value, const struct place *place, uint16_t *out, struct pp_error *err)
{
	return json_number(value, place, 1, UINT16_MAX, out, err);
}

int json_text(const json_t *value, const struct place *place, struct pp_piece *out, struct pp_error *err)
{
	if (!value)
		return fail_missing(place, err);
	if (!json_is_string(value))
		return json_fail(err, place, "must be text, not %s", json_kind(value));
	*out = json_piece(value);
	return 0;
}

int json_protocol(const json_t *value, const struct place *place, enum pp_protocol *out, struct pp_error *err)
{
	struct pp_piece text = { 0 };
	char shown[32];
	int ret = json_text(value, place, &text, err);

	if (ret < 0)
		return ret;
	if (pp_protocol_parse(text.whole, text.len, out))
		return 0;
	pp_show(shown, sizeof(shown), text.whole, text.len);
	return json_fail(err, place, "\"%s\" is not tcp, udp or sctp", shown);
}

int json_address(const json_t *value, const struct place *place, struct pp_address *out, struct pp_error *err)
{
	struct pp_piece text = { 0 };
	char shown[64];
	int ret = json_text(value, place, &text, err);

	if (ret < 0)
		return ret;
	if (text.len == 0) {
		*out = (struct pp_address){ .family = AF_UNSPEC };
		return 0;
	}
	if (pp_address_parse(text.whole, text.len, out))
		return 0;
	pp_show(shown, sizeof(shown), text.whole, text.len);
	return json_fail(err, place,
			 "\"%s\" is not an IPv4 or IPv6 address (no name, zone, prefix or brackets)", shown);
}

int json_host_ports(struct pp_piece text, const struct place *place, struct pp_publication *out,
		    struct pp_error *err)
{
	struct pp_range range = { 0, 0 };

	if (text.len && pp_range_parse(text, PP_HOST_PORT, &range, err) < 0)
		return json_fail_inside(err, place);
	out->host_port = range.first;
	out->host_port_last = range.last != range.first ? range.last : 0;
	return 0;
}

int json_container_key(const char *key, const struct place *place, struct pp_publication *out,
		       struct pp_error *err)
{
	const char *slash = strchr(key, '/');
	size_t len = strlen(key), digits = slash ? (size_t)(slash - key) : len;
	struct pp_piece port = { key, len, 0, digits };

	out->protocol = PP_TCP;
	out->count = 1;
	if (slash && !pp_protocol_parse(slash + 1, len - digits - 1, &out->protocol))
		return json_fail(err, place, "the protocol of this key is not tcp, udp or sctp");
	if (pp_port_parse(port, PP_CONTAINER_PORT, &out->container_port, err) < 0)
		return json_fail_inside(err, place);
	return 0;
}

int json_read_list(json_t *list, const struct dialect *dialect, const struct place *place,
		   struct pp_publications *out, struct pp_error *err)
{
	json_t *entry;
	size_t i;
	int ret;

	json_array_foreach (list, i, entry) {
		struct place here = place_index(place, i);
		struct pp_publication publication = { .count = 1 };

		ret = dialect->read_entry(entry, &here, &publication, err);
		if (ret == 0)
			ret = pp_publications_append(out, &publication, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

int json_known_keys(const json_t *object, const struct place *place, const char *const known[],
		    bool extensions, struct pp_error *err)
{
	const char *key;
	json_t *value;

	/* The iteration of jansson takes a plain pointer and changes nothing. */
	json_object_foreach ((json_t *)object, key, value) {
		struct place here = place_key(place, key);
		size_t k = 0;

		if (extensions && strncmp(key, "x-", 2) == 0)
			continue;
		while (known[k] && strcmp(key, known[k]) != 0)
			k++;
		if (!known[k])
			return json_fail(err, &here,
					 "unknown key: a misspelt one would open more than was asked");
	}
	return 0;
}
