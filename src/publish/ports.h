/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host ports: which are to be had, and who has the others. */
#ifndef PORTPUB_PUBLISH_PORTS_H
#define PORTPUB_PUBLISH_PORTS_H

#include "portpub/entry.h"
#include "portpub/nft.h"
#include "portpub/publish.h"

/* Sockets that hold the free ports that were chosen, until the kernel has them. */
struct held {
	int *sockets;
	size_t count, capacity;
};

#define HELD_INIT ((struct held){ 0 })

void held_fini(struct held *held);

/* Where publications are looked up: in the kernel, or, where its table is not whole, among what records want. */
struct ports {
	struct pp_nft *nft;
	const struct pp_entries *wanted; /* or NULL */
	const char *id;                  /* whose own ports are in nobody's way */
};

/* Neither pools nor free ports. */
bool ports_are_exact(const struct pp_publications *list);

/*
 * Write to @out, which is empty, the publications of @asked in their order, with a host port for each: of a pool the
 * first that nobody has, for a free one what the kernel gives. -EADDRINUSE where a pool is exhausted, -EMFILE where
 * the free ports are more than this process may have sockets.
 */
int ports_choose(const struct ports *ports, const struct pp_publications *asked, struct pp_publications *out,
		 struct held *held, struct pp_error *err);

/* Append what other publications have in the maps; nothing where the kernel does not tell the caller. */
int ports_read_published(const struct ports *ports, struct pp_entries *out, struct pp_error *err);

/* Is @port, for @publication, one of those? */
bool ports_is_published(const struct pp_entries *published, const struct pp_publication *publication,
			uint16_t port);

/* Is it asked for exactly, or has been chosen, in the same list? */
bool ports_is_wanted(const struct pp_publications *list, const struct pp_publication *publication,
		     uint16_t port);

/*
 * No socket of this host has one of the ports that are @asked for exactly, unless @before (NULL: nothing) had it
 * already: -EADDRINUSE with who has it.
 */
int ports_check_sockets(const struct pp_store *store, const struct pp_publications *asked,
			const struct pp_publications *before, struct pp_error *err);

/*
 * Tell the sockets that listen on one of the ports, where a container with @target opens them. A runtime that binds the
 * port itself, before it asks for rules or after, is what they are mostly of: nothing is bound here, not for a moment.
 * But what a keeper holds is published: *@other is its place, and -EADDRINUSE.
 */
int ports_tell_sockets(const struct pp_store *store, const struct pp_publications *asked,
		       const struct pp_target *target, struct pp_entry *other, const struct pp_report *report,
		       struct pp_error *err);

/*
 * No other publication has one of the ports of @add at an address that overlaps, which the kernel cannot see by
 * its keys: *@other is the entry in the way, and -EADDRINUSE.
 */
int ports_check_others(const struct ports *ports, const struct pp_entry_refs *add, struct pp_entry *other,
		       struct pp_error *err);

#endif
