/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the userspace path has carried, in a page of memory that is a file: one process writes it, others read it
 * at any time, without asking. Each number is whole by itself; together they are of no one instant.
 */
#ifndef PORTPUB_COUNTERS_H
#define PORTPUB_COUNTERS_H

#include "portpub/error.h"

#include <stddef.h>
#include <stdint.h>

/* Two are for the two ways: [0] from clients, [1] from the container. It grows at its end alone. */
struct pp_counters {
	uint64_t size;        /* of this struct, in the version that writes it */
	uint64_t connections; /* accepted */
	uint64_t open;        /* of these, still there */
	uint64_t refused;     /* of these, not to be had from the container */
	uint64_t bytes[2];    /* of connections */
	uint64_t flows;       /* UDP clients seen */
	uint64_t flows_open;
	uint64_t evicted;      /* of these, to make room for another */
	uint64_t datagrams[2]; /* passed on */
	uint64_t datagram_bytes[2];
	uint64_t lost[2]; /* datagrams that could not be passed on */
	uint64_t retired; /* 1: the ports are given back; nobody's business but a command's */
};

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
