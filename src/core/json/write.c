/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The object that portpub prints for a publication; its shape is promised in portpub(8). */
#include "portpub/json.h"

json_t *pp_publication_to_json(const struct pp_publication *publication)
{
	char address[PP_ADDRESS_TEXT];
	json_t *object;

	object = json_pack("{s:s, s:s, s:i, s:i, s:i}", "protocol", pp_protocol_name(publication->protocol),
			   "address", pp_address_format(&publication->address, address), "host_port",
			   publication->host_port, "container_port", publication->container_port, "count",
			   publication->count);
	if (object && pp_publication_is_pool(publication) &&
	    json_object_set_new(object, "host_port_last", json_integer(publication->host_port_last)) < 0) {
		json_decref(object);
		return NULL;
	}
	return object;
}
