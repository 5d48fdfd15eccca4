/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_PUBLISH_FLOWS_H
#define PORTPUB_PUBLISH_FLOWS_H

#include "transaction.h"

/* Forget the connections that @transaction, which is done, has made wrong. */
int flows_flush(const struct transaction *transaction, struct pp_error *err);

#endif
