/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Test connections, many at once, and what conntrack makes of them. */
#ifndef PORTPUB_PROBE_H
#define PORTPUB_PROBE_H

#include "portpub/outside.h"
#include "portpub/publication.h"

enum pp_probe_result {
	PP_PROBE_ANSWERED, /* connected, or a datagram came back */
	PP_PROBE_SILENT,   /* nothing came in time */
	PP_PROBE_FAILED,   /* `code` is why: ECONNREFUSED, ... */
	PP_PROBE_UNTRIED,  /* nothing was sent: `code` is why there is no socket for it */
};

struct pp_probe {
	enum pp_protocol protocol;
	struct pp_address to;
	uint16_t port;
	bool outside; /* else from this host */
	int timeout_ms;

	/* what has come of it */
	enum pp_probe_result result;
	int code;
	struct pp_address from;
	uint16_t from_port;
	struct pp_address answerer; /* to whom the packets went in the end; AF_UNSPEC: nobody, or not known */
	uint16_t answerer_port;
	bool traced; /* conntrack was asked: nobody it knows is nobody */
};

/*
 * All of @probes; those from outside from @outside, which is NULL where there are none. What goes wrong with one
 * is its result. A TCP connection that was made is reset, so that neither end has to remember it. No more than 800
 * are open at once. -EIO, as of pp_outside_leave.
 */
int pp_probes_run(struct pp_probe *probes, size_t count, const struct pp_outside *outside,
		  struct pp_error *err);

#endif
