/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * netavark's port_mappings: {"host_ip": "", "container_port": 80, "host_port": 8080, "range": 1,
 * "protocol": "tcp"}, all of it required. Podman resolves free ports before it writes this.
 */
#include "reader.h"

#include <string.h>

static bool tells(const json_t *entry)
{
	return json_object_get(entry, "host_port") || json_object_get(entry, "container_port");
}

/* What podman writes is lower case; anything else was not written by podman. */
static int protocol(const json_t *value, const struct place *place, enum pp_protocol *out,
		    struct pp_error *err)
{
	int ret = json_protocol(value, place, out, err);

	if (ret == 0 && strcmp(json_string_value(value), pp_protocol_name(*out)) != 0)
		return json_fail(err, place, "the protocol is lower case here: %s", pp_protocol_name(*out));
	return ret;
}

static int read_entry(const json_t *entry, const struct place *place, struct pp_publication *out,
		      struct pp_error *err)
{
	struct place ip = place_key(place, "host_ip"), host = place_key(place, "host_port"),
		     container = place_key(place, "container_port"), range = place_key(place, "range"),
		     proto = place_key(place, "protocol");
	int ret;

	if (!json_is_object(entry))
		return json_fail(err, place, "must be an object with host_port and container_port, not %s",
				 json_kind(entry));
	ret = json_address(json_object_get(entry, "host_ip"), &ip, &out->address, err);
	if (ret == 0)
		ret = json_port(json_object_get(entry, "host_port"), &host, &out->host_port, err);
	if (ret == 0)
		ret = json_port(json_object_get(entry, "container_port"), &container, &out->container_port,
				err);
	if (ret == 0)
		ret = json_number(json_object_get(entry, "range"), &range, 0, UINT16_MAX, &out->count, err);
	if (ret == 0)
		ret = protocol(json_object_get(entry, "protocol"), &proto, &out->protocol, err);
	if (ret < 0)
		return ret;

	if (out->count == 0)
		out->count = 1;
	if (out->host_port + out->count - 1 > UINT16_MAX || out->container_port + out->count - 1 > UINT16_MAX)
		return json_fail(err, &range, "%u ports from here run past 65535", out->count);
	return 0;
}

const struct dialect dialect_netavark = {
	.name = "netavark",
	.holder = "port_mappings",
	.null_is_empty = true,
	.tells = tells,
	.read_entry = read_entry,
};
