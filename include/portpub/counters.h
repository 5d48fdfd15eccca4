/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the userspace path has carried. One process writes it, others may read it at any time: each number is whole. */
#ifndef PORTPUB_COUNTERS_H
#define PORTPUB_COUNTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Two are for the two ways: [0] from clients, [1] from the container. It grows at its end alone. */
struct pp_counters {
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

/* A number of it: its name, which programs read, and what it is, for people. */
struct pp_counter {
	const char *name, *help;
	size_t at;    /* in struct pp_counters */
	size_t count; /* 2: one for each way */
	bool now;     /* it tells what is, and may fall; or else what was, all in all */
};

extern const struct pp_counter pp_counter_table[];
extern const size_t pp_counter_count;

/* Of @way, which is 0 where there is but one. */
uint64_t pp_counter_value(const struct pp_counters *counters, const struct pp_counter *counter, size_t way);

#endif
