/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The names of ports, from services(5). */
#ifndef PORTPUB_CLI_SERVICES_H
#define PORTPUB_CLI_SERVICES_H

#include "portpub/publication.h"

/* The first name of @port, or NULL. It lives as long as the program. */
const char *cli_service_name(uint16_t port, enum pp_protocol protocol);

#endif
