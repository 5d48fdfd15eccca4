/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * CNI portMappings: {"hostPort": 8080, "containerPort": 80, "protocol": "tcp", "hostIP": ""}. The callers
 * are Go programs, some of which write the field names of their own structs: keys count in any case, and
 * keys we do not know are theirs.
 */
#include "reader.h"

#include <string.h>

enum { HOST_PORT, CONTAINER_PORT, PROTOCOL, HOST_IP, KEY_COUNT };

static const char *const names[KEY_COUNT] = {
	[HOST_PORT] = "hostPort",
	[CONTAINER_PORT] = "containerPort",
	[PROTOCOL] = "protocol",
	[HOST_IP] = "hostIP",
};

static int which(const char *key)
{
	for (int k = 0; k < KEY_COUNT; k++) {
		if (json_is_key(key, names[k]))
			return k;
	}
	return -1;
}

static bool tells(const json_t *entry)
{
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)entry, key, value) {
		int k = which(key);

		if (k == HOST_PORT || k == CONTAINER_PORT)
			return true;
	}
	return false;
}

/* The four values, NULL where there is none; the same key in two cases is an error. */
static int collect(const json_t *entry, const struct place *place, json_t *values[KEY_COUNT],
		   struct place places[KEY_COUNT], struct pp_error *err)
{
	const char *key;
	json_t *value;

	for (int k = 0; k < KEY_COUNT; k++) {
		values[k] = NULL;
		places[k] = place_key(place, names[k]);
	}
	json_object_foreach ((json_t *)entry, key, value) {
		int k = which(key);

		if (k < 0)
			continue;
		places[k] = place_key(place, key);
		if (values[k])
			return json_fail(err, &places[k], "stands twice in this entry, in two spellings");
		values[k] = value;
	}
	return 0;
}

/* "" and null are what an unset field looks like when Go writes it. */
static bool unset(const json_t *value)
{
	return !value || json_is_null(value) || (json_is_string(value) && json_string_length(value) == 0);
}

static int read_entry(const json_t *entry, const struct place *place, struct pp_publication *out,
		      struct pp_error *err)
{
	struct place places[KEY_COUNT];
	json_t *values[KEY_COUNT];
	int ret;

	if (!json_is_object(entry))
		return json_fail(err, place, "must be an object with hostPort and containerPort, not %s",
				 json_kind(entry));
	ret = collect(entry, place, values, places, err);
	if (ret == 0)
		ret = json_port(values[HOST_PORT], &places[HOST_PORT], &out->host_port, err);
	if (ret == 0)
		ret = json_port(values[CONTAINER_PORT], &places[CONTAINER_PORT], &out->container_port, err);
	if (ret == 0 && !unset(values[PROTOCOL]))
		ret = json_protocol(values[PROTOCOL], &places[PROTOCOL], &out->protocol, err);
	if (ret == 0 && !unset(values[HOST_IP]))
		ret = json_address(values[HOST_IP], &places[HOST_IP], &out->address, err);
	return ret;
}

const struct dialect dialect_cni = {
	.name = "cni",
	.holder = "portMappings",
	.null_is_empty = true,
	.tells = tells,
	.read_entry = read_entry,
};
