/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Ports as such: their classes, and sets of them. */
#ifndef PORTPUB_PORT_H
#define PORTPUB_PORT_H

#include "portpub/publication.h"

/* The classes into which IANA divides ports; RFC 6335 calls them system, user and dynamic. */
enum pp_port_class { PP_PORT_STANDARD, PP_PORT_REGISTERED, PP_PORT_DYNAMIC, PP_PORT_CLASS_COUNT };

enum pp_port_class pp_port_class(uint16_t port);

/* "standard", "registered", "dynamic". */
const char *pp_port_class_name(enum pp_port_class class);

/* A bit for each protocol and port. */
struct pp_port_set {
	uint8_t bits[PP_PROTOCOL_COUNT][65536 / 8];
};

bool pp_port_set_has(const struct pp_port_set *set, enum pp_protocol protocol, uint16_t port);

/* Add the container ports of @publication, or take them out. */
void pp_port_set_change(struct pp_port_set *set, const struct pp_publication *publication, bool value);

#endif
