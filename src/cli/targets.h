/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers for the eye, for whoever has to show them: `targets`, and errors that leave a choice. */
#ifndef PORTPUB_CLI_TARGETS_H
#define PORTPUB_CLI_TARGETS_H

#include "portpub/container.h"

#include <stdio.h>

/* A table: name, pid, addresses, and what they listen on, with the process where it can be seen. */
void targets_print(const struct pp_containers *list, FILE *out);

#endif
