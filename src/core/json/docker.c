/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Docker's PortBindings: {"80/tcp": [{"HostIp": "", "HostPort": "8080"}], "443/tcp": null}. */
#include "reader.h"

/* The object stands alone, or in what `docker inspect` prints. */
static bool tells(const json_t *entry)
{
	return json_object_get(entry, "HostConfig") != NULL;
}

static int read_binding(const json_t *binding, const struct place *place, struct pp_publication *out,
			struct pp_error *err)
{
	static const char *const known[] = { "HostIp", "HostPort", NULL };
	struct place at_ip = place_key(place, "HostIp"), at_port = place_key(place, "HostPort");
	const json_t *ip = json_object_get(binding, "HostIp"), *port = json_object_get(binding, "HostPort");
	struct pp_piece text = { 0 };
	int ret;

	if (!json_is_object(binding))
		return json_fail(err, place, "must be an object with HostIp and HostPort, not %s",
				 json_kind(binding));
	ret = json_known_keys(binding, place, known, false, err);
	if (ret == 0 && ip)
		ret = json_address(ip, &at_ip, &out->address, err);
	if (ret == 0 && port)
		ret = json_text(port, &at_port, &text, err);
	if (ret == 0 && port)
		ret = json_host_ports(text, &at_port, out, err);
	return ret;
}

static int read_key(const char *key, json_t *bindings, const struct place *place, struct pp_publications *out,
		    struct pp_error *err)
{
	struct pp_publication publication = { 0 };
	json_t *binding;
	size_t i;
	int ret = json_container_key(key, place, &publication, err);

	if (ret < 0 || json_is_null(bindings))
		return ret; /* null: exposed, but not published */
	if (!json_is_array(bindings))
		return json_fail(err, place, "must be a list of bindings, not %s", json_kind(bindings));
	json_array_foreach (bindings, i, binding) {
		struct place here = place_index(place, i);
		struct pp_publication one = publication;

		ret = read_binding(binding, &here, &one, err);
		if (ret == 0)
			ret = pp_publications_append(out, &one, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

static int read_all(json_t *whole, const struct place *place, struct pp_publications *out,
		    struct pp_error *err)
{
	const char *key;
	json_t *bindings;
	int ret;

	json_object_foreach (whole, key, bindings) {
		struct place here = place_key(place, key);

		ret = read_key(key, bindings, &here, out, err);
		if (ret < 0)
			return ret;
	}
	return 0;
}

const struct dialect dialect_docker = {
	.name = "docker",
	.holder = "PortBindings",
	.null_is_empty = true,
	.tells = tells,
	.read_all = read_all,
};
