/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ExposedPorts of an OCI image configuration: {"80/tcp": {}}, each on a free host port: docker run -P. */
#include "portpub/port.h"
#include "reader.h"

static bool tells(const json_t *entry)
{
	return json_object_get(entry, "ExposedPorts") || json_object_get(entry, "Config") ||
	       json_object_get(entry, "config");
}

static int read_all(json_t *whole, const struct place *place, struct pp_publications *out,
		    struct pp_error *err)
{
	struct pp_port_set seen = { 0 };
	const char *key;
	json_t *value;
	int ret;

	json_object_foreach (whole, key, value) {
		struct place here = place_key(place, key);
		struct pp_publication publication = { 0 };

		if (!json_is_object(value) || json_object_size(value) != 0)
			return json_fail(err, &here, "an exposed port has the value {}");
		ret = json_container_key(key, &here, &publication, err);
		if (ret == 0 && pp_port_set_has(&seen, publication.protocol, publication.container_port))
			ret = json_fail(err, &here, "this port stands here twice, in two spellings");
		if (ret == 0)
			ret = pp_publications_append(out, &publication, err);
		if (ret < 0)
			return ret;
		pp_port_set_change(&seen, &publication, true);
	}
	return 0;
}

const struct dialect dialect_oci = {
	.name = "oci",
	.holder = "ExposedPorts",
	.null_is_empty = true,
	.tells = tells,
	.read_all = read_all,
};
