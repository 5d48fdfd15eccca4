/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/port.h"

#include <assert.h>

enum pp_port_class pp_port_class(uint16_t port)
{
	if (port < 1024)
		return PP_PORT_STANDARD;
	return port < 49152 ? PP_PORT_REGISTERED : PP_PORT_DYNAMIC;
}

const char *pp_port_class_name(enum pp_port_class class)
{
	static const char *const names[] = {
		[PP_PORT_STANDARD] = "standard",
		[PP_PORT_REGISTERED] = "registered",
		[PP_PORT_DYNAMIC] = "dynamic",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == PP_PORT_CLASS_COUNT, "a name for each class");

	return names[class];
}

bool pp_port_set_has(const struct pp_port_set *set, enum pp_protocol protocol, uint16_t port)
{
	return set->bits[protocol][port / 8] >> (port % 8) & 1;
}

void pp_port_set_change(struct pp_port_set *set, const struct pp_publication *publication, bool value)
{
	for (uint32_t i = 0; i < publication->count; i++) {
		uint32_t port = publication->container_port + i;
		uint8_t bit = (uint8_t)(1U << (port % 8));

		if (value)
			set->bits[publication->protocol][port / 8] |= bit;
		else
			set->bits[publication->protocol][port / 8] &= (uint8_t)~bit;
	}
}
