/* SPDX-License-Identifier: GPL-2.0-or-later */
/* disco's publishedPorts: {"publishedAs": 80, "fromContainerPort": 8000, "protocol": "tcp"}. */
#include "reader.h"

static bool tells(const json_t *entry)
{
	return json_object_get(entry, "publishedAs") || json_object_get(entry, "fromContainerPort");
}

static int read_entry(const json_t *entry, const struct place *place, struct pp_publication *out,
		      struct pp_error *err)
{
	static const char *const known[] = { "publishedAs", "fromContainerPort", "protocol", NULL };
	struct place published = place_key(place, "publishedAs"),
		     from = place_key(place, "fromContainerPort"), protocol = place_key(place, "protocol");
	json_t *value;
	int ret;

	if (!json_is_object(entry))
		return json_fail(err, place,
				 "must be an object with publishedAs and fromContainerPort, not %s",
				 json_kind(entry));
	ret = json_known_keys(entry, place, known, false, err);
	if (ret == 0)
		ret = json_port(json_object_get(entry, "publishedAs"), &published, &out->host_port, err);
	if (ret == 0)
		ret = json_port(json_object_get(entry, "fromContainerPort"), &from, &out->container_port,
				err);
	value = json_object_get(entry, "protocol");
	if (ret == 0 && value)
		ret = json_protocol(value, &protocol, &out->protocol, err);
	return ret;
}

const struct dialect dialect_disco = {
	.name = "disco",
	.holder = "publishedPorts",
	.tells = tells,
	.read_entry = read_entry,
};
