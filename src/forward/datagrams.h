/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Many datagrams in one system call. */
#ifndef PORTPUB_FORWARD_DATAGRAMS_H
#define PORTPUB_FORWARD_DATAGRAMS_H

#include "endpoint.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	PP_BATCH = 64,
	PP_DATAGRAM_MAX =
		1 << 16, /* what the kernel may give at once: one, or several put together (UDP_GRO) */
	/* One lies not exactly 64 KiB behind the other: the caches would have all of them in one place. */
	PP_DATAGRAM_PLACE = PP_DATAGRAM_MAX + 1088,
	PP_DATAGRAM_MEMORY = PP_BATCH * PP_DATAGRAM_PLACE,
};

/* What the kernel gave at once: one datagram, or several of one sender, all of `segment` bytes but the last. */
struct pp_datagram {
	char *data;
	uint32_t length;
	uint32_t segment; /* 0: it is one */
	struct pp_endpoint from;
	struct pp_address local; /* where it was sent to; AF_UNSPEC where the socket does not tell */
	uint32_t interface;      /* by which it came, where an answer must leave by the same */
};

/* How many it is. */
uint32_t pp_datagram_count(const struct pp_datagram *datagram);

/* Up to @most into @out, their data in @memory, which has room for so many. How many, or -errno. */
int pp_datagrams_receive(int fd, char *memory, struct pp_datagram out[static PP_BATCH], unsigned int most);

/* Where datagrams go, and from which address; both are left out for a connected socket. */
struct pp_route {
	struct pp_endpoint *to;
	const struct pp_address *from; /* AF_UNSPEC: the kernel chooses */
	uint32_t interface;
};

struct pp_sent {
	uint64_t datagrams, bytes, lost;
};

/*
 * Send @count of them, in order, to where the route says: those of equal length together (UDP_SEGMENT), as
 * the kernel allows; *@alone is set where it does not, and is for the next call. An error that an earlier datagram
 * has met (ICMP) costs none of these.
 */
void pp_datagrams_send(int fd, const struct pp_route *route, const struct pp_datagram *const list[],
		       size_t count, bool *alone, struct pp_sent *sent);

#endif
