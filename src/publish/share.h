/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The things that records share, by the names under which the store counts their users. */
#ifndef PORTPUB_PUBLISH_SHARE_H
#define PORTPUB_PUBLISH_SHARE_H

#include "portpub/interface.h"
#include "portpub/nft.h"
#include "portpub/publish.h"
#include "portpub/sysctl.h"

enum { SHARES_MAX = 13, SHARE_NAME = 64 };

enum share_kind {
	SHARE_TARGET,   /* a container's address */
	SHARE_LOCAL,    /* the same, of records with ports for this host alone */
	SHARE_OWN,      /* the same, of records that the kernel carries */
	SHARE_BRIDGE,   /* the interface to it */
	SHARE_LOCALNET, /* route_localnet of that interface */
	SHARE_FORWARD4, /* ip_forward */
	SHARE_FORWARD6,
	SHARE_CONTAINER, /* what a CNI runtime calls by one name */
};

struct share {
	enum share_kind kind;
	char name[SHARE_NAME];
	char interface[IF_NAMESIZE]; /* of a bridge and a localnet */
};

/* What @record shares with others. Returns how many of @out are filled. */
size_t shares_of(const struct pp_record *record, struct share out[static SHARES_MAX]);

/* Call @lack with each sysctl that it needs and that is off. @list has the addresses of this host. */
void share_find_lacking(const struct share *share, const struct pp_interface_addresses *list,
			void (*lack)(const char *sysctl, void *data), void *data);

/* Count @record as a user, before it has any effect. */
int shares_take(const struct pp_store *store, const struct pp_record *record, struct pp_error *err);

/*
 * Set the sysctls that @record needs, and remember what they were; or count @record off, but for what @but
 * (NULL: nothing) shares as well, and put back those that nobody needs any longer.
 */
int shares_set(const struct pp_store *store, struct pp_nft *nft, const struct pp_record *record,
	       const struct pp_report *report, struct pp_error *err);
int shares_leave(const struct pp_store *store, struct pp_nft *nft, const struct pp_record *record,
		 const struct pp_record *but, const struct pp_report *report, struct pp_error *err);

/* The same for an id whose record cannot be read: what it shares is what it is counted for. */
int shares_drop(const struct pp_store *store, struct pp_nft *nft, char *id, const struct pp_report *report,
		struct pp_error *err);

#endif
