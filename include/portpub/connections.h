/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many connections each publication has had, as far as the kernel has carried and counted them. */
#ifndef PORTPUB_CONNECTIONS_H
#define PORTPUB_CONNECTIONS_H

#include "portpub/store.h"

struct pp_connections {
	uint64_t *counts; /* of all publications, record after record */
	size_t *first;    /* where each record's begin */
};

#define PP_CONNECTIONS_INIT ((struct pp_connections){ 0 })

void pp_connections_fini(struct pp_connections *connections);

/* For @records, which are sorted by id. -EPERM where the kernel does not tell the caller. */
int pp_connections_read(const struct pp_records *records, struct pp_connections *out, struct pp_error *err);

#endif
