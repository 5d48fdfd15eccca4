/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counters in a page of memory that is a file: one process writes it, others read it at any time, without asking. Each
 * number is whole by itself; together they are of no one instant.
 */
#ifndef PORTPUB_COUNTERS_PAGE_H
#define PORTPUB_COUNTERS_PAGE_H

#include "portpub/counters.h"
#include "portpub/error.h"

struct pp_counters_page {
	struct pp_counters *counters;
	int fd;
};

#define PP_COUNTERS_PAGE_INIT ((struct pp_counters_page){ NULL, -1 })

/*
 * All of them 0, in a memfd named "portpub-counters": while it is open, whoever may look at the process finds it in
 * /proc/PID/fd. -ENOMEM, -EMFILE.
 */
int pp_counters_open(struct pp_counters_page *page, struct pp_error *err);
void pp_counters_close(struct pp_counters_page *page);

#endif
