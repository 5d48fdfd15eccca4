/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The noun of this program: a container's port, made reachable on a host port.
 *
 * Specs (spec.h) and JSON documents (json.h) are read into publications; the plan (plan.h) says by which
 * path each is carried. A range stays one publication from the first byte read to the backend, whether
 * it holds one port or 65,535.
 *
 *	one to one	host_port + i goes to container_port + i, for i below count
 *	pool		count 1; the first free port of host_port..host_port_last goes to container_port
 *	free		host_port 0: count host ports, still to be chosen, go to container_port + i
 */
#ifndef PORTPUB_PUBLICATION_H
#define PORTPUB_PUBLICATION_H

#include "portpub/address.h"
#include "portpub/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum pp_protocol { PP_TCP, PP_UDP, PP_SCTP, PP_PROTOCOL_COUNT };

struct pp_publication {
	enum pp_protocol protocol;
	struct pp_address address; /* of the host */
	uint16_t host_port;
	uint16_t host_port_last; /* of a pool, else 0 */
	uint16_t container_port;
	uint16_t count;
};

/* More than any host has ports to give: a longer list is refused, whoever sends it. */
enum { PP_PUBLICATIONS_MAX = 3 * 65536 };

struct pp_publications {
	struct pp_publication *items;
	size_t count, capacity;
};

#define PP_PUBLICATIONS_INIT ((struct pp_publications){ 0 })

void pp_publications_fini(struct pp_publications *list);

/* -EINVAL when the list is at PP_PUBLICATIONS_MAX, -ENOMEM. */
int pp_publications_append(struct pp_publications *list, const struct pp_publication *publication,
			   struct pp_error *err);

/* Append @asked to @out, each free port as a publication of its own: they need not be side by side. */
int pp_publications_spread(const struct pp_publications *asked, struct pp_publications *out,
			   struct pp_error *err);

static inline bool pp_publication_is_free(const struct pp_publication *publication)
{
	return publication->host_port == 0;
}

static inline bool pp_publication_is_pool(const struct pp_publication *publication)
{
	return publication->host_port_last != 0;
}

/* The last host port that may be taken; 0 when the ports are free ones. */
uint16_t pp_publication_last(const struct pp_publication *publication);

enum { PP_PUBLICATION_TEXT = PP_ADDRESS_TEXT + sizeof("[]:65535-65535:65535-65535/sctp") };

/* The spec that says the same: reading it again gives this publication. Returns @out. */
const char *pp_publication_format(const struct pp_publication *publication,
				  char out[static PP_PUBLICATION_TEXT]);

const char *pp_protocol_name(enum pp_protocol protocol);

/* tcp, udp or sctp in any case. False for anything else, "" included. */
bool pp_protocol_parse(const char *text, size_t len, enum pp_protocol *out);

#endif
