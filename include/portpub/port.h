/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The three classes into which IANA divides ports; RFC 6335 calls them system, user and dynamic. */
#ifndef PORTPUB_PORT_H
#define PORTPUB_PORT_H

#include <stdint.h>

enum pp_port_class { PP_PORT_STANDARD, PP_PORT_REGISTERED, PP_PORT_DYNAMIC, PP_PORT_CLASS_COUNT };

enum pp_port_class pp_port_class(uint16_t port);

/* "standard", "registered", "dynamic". */
const char *pp_port_class_name(enum pp_port_class class);

#endif
