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
