/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_CLI_WARNINGS_H
#define PORTPUB_CLI_WARNINGS_H

#include "portpub/plan.h"

#include <stdio.h>

/*
 * What to beware of in a request that has been carried out, and what is not carried: one line each, and what holds
 * for many publications once, with the first of them.
 */
void warnings_print(const struct pp_request *request, FILE *out);

#endif
