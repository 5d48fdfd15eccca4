/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/table.h"

#include <assert.h>
#include <net/if.h>

const char *const pp_anchor_tables[PP_ANCHORS] = { PP_TABLE_NAME "-anchor", PP_TABLE_NAME "-anchor-2" };

static const struct pp_shape shapes[] = {
#define PROTOCOL PP_FIELD_PROTOCOL
#define PORT PP_FIELD_PORT
#define IPV4 PP_FIELD_IPV4
#define IPV6 PP_FIELD_IPV6
#define INTERFACE PP_FIELD_INTERFACE
	[PP_SET_HOST4] = { "host4", { PROTOCOL, IPV4, PORT }, 3, .map = true, .family = AF_INET },
	[PP_SET_ANY4] = { "any4", { PROTOCOL, PORT }, 2, .map = true, .family = AF_INET },
	[PP_SET_HOST6] = { "host6", { PROTOCOL, IPV6, PORT }, 3, .map = true, .family = AF_INET6 },
	[PP_SET_ANY6] = { "any6", { PROTOCOL, PORT }, 2, .map = true, .family = AF_INET6 },
	[PP_SET_HAIRPIN] = { "hairpin", { INTERFACE, INTERFACE }, 2, .family = AF_UNSPEC },
	[PP_SET_OWN4] = { "own4", { IPV4, IPV4 }, 2, .family = AF_INET },
	[PP_SET_OWN6] = { "own6", { IPV6, IPV6 }, 2, .family = AF_INET6 },
	[PP_SET_DIRECT4] = { "direct4", { PROTOCOL, IPV4, PORT }, 3, .family = AF_INET },
	[PP_SET_DIRECT6] = { "direct6", { PROTOCOL, IPV6, PORT }, 3, .family = AF_INET6 },
	[PP_SET_ALONE_HOST4] = { "alone_host4", { IPV4, PROTOCOL, IPV4, PORT }, 4, .family = AF_INET },
	[PP_SET_ALONE_HOST6] = { "alone_host6", { IPV6, PROTOCOL, IPV6, PORT }, 4, .family = AF_INET6 },
	[PP_SET_ALONE_ANY4] = { "alone_any4", { IPV4, PROTOCOL, PORT }, 3, .family = AF_INET },
	[PP_SET_ALONE_ANY6] = { "alone_any6", { IPV6, PROTOCOL, PORT }, 3, .family = AF_INET6 },
	[PP_SET_CLOSED_HOST4] = { "closed_host4", { PROTOCOL, IPV4, PORT }, 3, .family = AF_INET },
	[PP_SET_CLOSED_HOST6] = { "closed_host6", { PROTOCOL, IPV6, PORT }, 3, .family = AF_INET6 },
	[PP_SET_CLOSED_ANY4] = { "closed_any4", { PROTOCOL, PORT }, 2, .family = AF_INET },
	[PP_SET_CLOSED_ANY6] = { "closed_any6", { PROTOCOL, PORT }, 2, .family = AF_INET6 },
	/* The kernel goes through ranges field by field, up to the first that fits none: the port says most. */
	[PP_SET_ADMIT_HOST4] = { "admit_host4",
				 { PORT, PROTOCOL, IPV4, IPV4 },
				 4,
				 .interval = true,
				 .family = AF_INET },
	[PP_SET_ADMIT_HOST6] = { "admit_host6",
				 { PORT, PROTOCOL, IPV6, IPV6 },
				 4,
				 .interval = true,
				 .family = AF_INET6 },
	[PP_SET_ADMIT_ANY4] = { "admit_any4",
				{ PORT, PROTOCOL, IPV4 },
				3,
				.interval = true,
				.family = AF_INET },
	[PP_SET_ADMIT_ANY6] = { "admit_any6",
				{ PORT, PROTOCOL, IPV6 },
				3,
				.interval = true,
				.family = AF_INET6 },
	[PP_SET_SOME4] = { "some4", { PORT, PROTOCOL, IPV4 }, 3, .interval = true, .family = AF_INET },
	[PP_SET_SOME6] = { "some6", { PORT, PROTOCOL, IPV6 }, 3, .interval = true, .family = AF_INET6 },
	[PP_SET_WHEN4] = { "when4", { PORT, PROTOCOL, IPV4, IPV4 }, 4, .interval = true, .family = AF_INET },
	[PP_SET_WHEN6] = { "when6", { PORT, PROTOCOL, IPV6, IPV6 }, 4, .interval = true, .family = AF_INET6 },
	[PP_SET_BOUND4] = { "bound4", { PROTOCOL, PORT }, 2, .family = AF_INET },
	[PP_SET_BOUND6] = { "bound6", { PROTOCOL, PORT }, 2, .family = AF_INET6 },
	[PP_SET_VIA4] = { "via4", { INTERFACE, PROTOCOL, PORT }, 3, .family = AF_INET },
	[PP_SET_VIA6] = { "via6", { INTERFACE, PROTOCOL, PORT }, 3, .family = AF_INET6 },
	[PP_SET_PLAIN4] = { "plain4", { PROTOCOL, IPV4, PORT }, 3, .family = AF_INET },
	[PP_SET_PLAIN6] = { "plain6", { PROTOCOL, IPV6, PORT }, 3, .family = AF_INET6 },
	[PP_SET_MASKED4] = { "masked4", { PROTOCOL, IPV4, PORT }, 3, .family = AF_INET },
	[PP_SET_MASKED6] = { "masked6", { PROTOCOL, IPV6, PORT }, 3, .family = AF_INET6 },
#undef PROTOCOL
#undef PORT
#undef IPV4
#undef IPV6
#undef INTERFACE
};
static_assert(sizeof(shapes) / sizeof(shapes[0]) == PP_SET_COUNT, "a shape for each set");

const struct pp_shape *pp_set_shape(enum pp_set set)
{
	return &shapes[set];
}

const char *pp_field_type(enum pp_field field)
{
	static const char *const types[] = {
		[PP_FIELD_PROTOCOL] = "inet_proto", [PP_FIELD_PORT] = "inet_service",
		[PP_FIELD_IPV4] = "ipv4_addr",      [PP_FIELD_IPV6] = "ipv6_addr",
		[PP_FIELD_INTERFACE] = "ifname",
	};
	static_assert(sizeof(types) / sizeof(types[0]) == PP_FIELD_COUNT, "a type for each field");

	return types[field];
}

size_t pp_field_size(enum pp_field field)
{
	static const size_t sizes[] = {
		[PP_FIELD_PROTOCOL] = 1,
		[PP_FIELD_PORT] = 2,
		[PP_FIELD_IPV4] = 4,
		[PP_FIELD_IPV6] = 16,
		[PP_FIELD_INTERFACE] = IF_NAMESIZE,
	};
	static_assert(sizeof(sizes) / sizeof(sizes[0]) == PP_FIELD_COUNT, "a size for each field");

	return sizes[field];
}

size_t pp_field_room(enum pp_field field)
{
	return (pp_field_size(field) + 3) & ~(size_t)3;
}

size_t pp_key_size(const struct pp_shape *shape)
{
	size_t size = 0;

	for (size_t i = 0; i < shape->count; i++)
		size += pp_field_room(shape->fields[i]);
	return size;
}

size_t pp_value_size(const struct pp_shape *shape)
{
	if (!shape->map)
		return 0;
	return pp_field_room(shape->family == AF_INET ? PP_FIELD_IPV4 : PP_FIELD_IPV6) +
	       pp_field_room(PP_FIELD_PORT);
}

enum pp_set pp_set_of(enum pp_set ipv4, sa_family_t family)
{
	if (family == AF_INET)
		return ipv4;
	return ipv4 <= PP_SET_ANY4 ? (enum pp_set)(ipv4 + 2) : (enum pp_set)(ipv4 + 1);
}
