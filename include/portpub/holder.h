/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Who has a host port. */
#ifndef PORTPUB_HOLDER_H
#define PORTPUB_HOLDER_H

#include "portpub/socket.h"
#include "portpub/store.h"

/* A publication, whose id is not "", or a socket. */
struct pp_holder {
	enum pp_protocol protocol;
	struct pp_address address;
	uint16_t port;
	char id[PP_ID_SIZE];
	int64_t pid; /* of the publication's container, 0 where it is not known */
	struct pp_address target;
	uint16_t target_port;
	struct pp_socket socket;
};

struct pp_holders {
	struct pp_holder *items;
	size_t count, capacity;
	struct pp_error unknown; /* why there may be more to tell, or code 0 */
};

#define PP_HOLDERS_INIT ((struct pp_holders){ 0 })

void pp_holders_fini(struct pp_holders *list);

/*
 * Append who has @port of @protocol: publications first, as the kernel has them or, where it does not tell the
 * caller or somebody has flushed the table, as the records do; and what keepers forward alone.
 */
int pp_holders_find(enum pp_protocol protocol, uint16_t port, struct pp_holders *out, struct pp_error *err);

/* The same for who has the records in hand, and the lock. */
int pp_holders_find_in(const struct pp_store *store, enum pp_protocol protocol, uint16_t port,
		       struct pp_holders *out, struct pp_error *err);

/* What keepers have of it, alone or beside rules. */
int pp_holders_find_kept(const struct pp_store *store, enum pp_protocol protocol, uint16_t port,
			 struct pp_holders *out, struct pp_error *err);

enum { PP_HOLDER_WORDS = 192 };

/* "published by web (pid 4242)", "in use by nginx (pid 811)". Returns @out. */
const char *pp_holder_describe(const struct pp_holder *holder, char out[static PP_HOLDER_WORDS]);

/* The same of whoever has @port at @address, or "in use". */
const char *pp_holder_of(const struct pp_store *store, enum pp_protocol protocol, uint16_t port,
			 const struct pp_address *address, char out[static PP_HOLDER_WORDS]);

#endif
