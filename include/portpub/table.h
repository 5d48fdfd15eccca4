/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the table inet portpub is made of: the shapes of its maps and sets. Whoever prints, sends or reads
 * an element asks here, so that there is one truth.
 */
#ifndef PORTPUB_TABLE_H
#define PORTPUB_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#define PP_TABLE_NAME "portpub"

/* The tables that outlive a flush: see anchor.h. */
enum { PP_ANCHORS = 2 };
extern const char *const pp_anchor_tables[PP_ANCHORS];

enum pp_set {
	/* (protocol [. host address] . host port) -> (container address . port) */
	PP_SET_HOST4,
	PP_SET_ANY4,
	PP_SET_HOST6,
	PP_SET_ANY6,
	PP_SET_HAIRPIN, /* a bridge with itself */
	PP_SET_OWN4,    /* a container with itself */
	PP_SET_OWN6,
	PP_SET_DIRECT4, /* what is not to be had by the container's own address */
	PP_SET_DIRECT6,
	/* a container, and the host ports [at an address] by which it cannot reach itself through its bridge */
	PP_SET_ALONE_HOST4,
	PP_SET_ALONE_HOST6,
	PP_SET_ALONE_ANY4,
	PP_SET_ALONE_ANY6,
	/* host ports [at an address] with an allow list */
	PP_SET_CLOSED_HOST4,
	PP_SET_CLOSED_HOST6,
	PP_SET_CLOSED_ANY4,
	PP_SET_CLOSED_ANY6,
	/* the same as ranges, with a network that may connect */
	PP_SET_ADMIT_HOST4,
	PP_SET_ADMIT_HOST6,
	PP_SET_ADMIT_ANY4,
	PP_SET_ADMIT_ANY6,
	/* host ports that are for some packets only, as ranges; and the same with where these come from */
	PP_SET_SOME4,
	PP_SET_SOME6,
	PP_SET_WHEN4,
	PP_SET_WHEN6,
	/* host ports that are for packets by one interface only; and by which */
	PP_SET_BOUND4,
	PP_SET_BOUND6,
	PP_SET_VIA4,
	PP_SET_VIA6,
	/* (protocol . container . container port) whose clients keep their address always, or never */
	PP_SET_PLAIN4,
	PP_SET_PLAIN6,
	PP_SET_MASKED4,
	PP_SET_MASKED6,
	PP_SET_COUNT
};

enum pp_field {
	PP_FIELD_PROTOCOL,
	PP_FIELD_PORT,
	PP_FIELD_IPV4,
	PP_FIELD_IPV6,
	PP_FIELD_INTERFACE,
	PP_FIELD_COUNT
};

enum { PP_FIELDS_MAX = 4 };

struct pp_shape {
	const char *name;
	enum pp_field fields[PP_FIELDS_MAX];
	size_t count;
	bool map;      /* the value is an address of @family and a port */
	bool interval; /* fields are ranges */
	sa_family_t family;
};

const struct pp_shape *pp_set_shape(enum pp_set set);

/* The name in nft's language: "inet_proto". */
const char *pp_field_type(enum pp_field field);

/* Bytes that the field has, and takes in a key: each begins at a multiple of four. */
size_t pp_field_size(enum pp_field field);
size_t pp_field_room(enum pp_field field);

size_t pp_key_size(const struct pp_shape *shape);
size_t pp_value_size(const struct pp_shape *shape);

/* The set of its kind for @family: pp_set_of(PP_SET_OWN4, AF_INET6) is PP_SET_OWN6. */
enum pp_set pp_set_of(enum pp_set ipv4, sa_family_t family);

#endif
