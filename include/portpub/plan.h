/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The plan: by which path a publication is carried, and why, before anything is done.
 *
 * It is a pure function of the publication, of what the request says for all of its publications (the
 * container they go to, the path it insists on), and of what this host can do. It is made anew by whoever
 * needs it: it costs less than keeping it, and a list of any length has none to keep.
 */
#ifndef PORTPUB_PLAN_H
#define PORTPUB_PLAN_H

#include "portpub/condition.h"
#include "portpub/network.h"
#include "portpub/publication.h"

enum pp_path {
	PP_PATH_KERNEL,
	PP_PATH_USERSPACE,
	PP_PATH_NONE, /* not carried: only with PP_VIA_KERNEL */
	PP_PATH_COUNT
};

enum pp_via {
	PP_VIA_AUTO,
	PP_VIA_KERNEL,    /* forward nothing in userspace */
	PP_VIA_USERSPACE, /* leave the kernel's tables alone */
	PP_VIA_COUNT
};

/* The container: at most one address of each family. Both AF_UNSPEC: not known (yet). */
struct pp_target {
	struct pp_address ipv4, ipv6;
};

/* What keeps this host, or this caller, from the kernel path. */
struct pp_host {
	bool no_nftables; /* the kernel has no nf_tables */
	bool no_admin;    /* the caller lacks CAP_NET_ADMIN */
};

/* Whose address the container sees instead of the client's. */
enum pp_masquerade {
	PP_MASQUERADE_NEEDED, /* this host's, for what would otherwise come back past it */
	PP_MASQUERADE_NEVER,
	PP_MASQUERADE_ALL, /* this host's, whoever the client is */
	PP_MASQUERADE_COUNT
};

/* What one command asks for: where its publications go, how, who may connect, and on what kind of host. */
struct pp_request {
	struct pp_publications publications;
	struct pp_target target;
	enum pp_via via;
	bool no_keeper;           /* rules only: nobody is there to forward in userspace */
	bool inside;              /* the target is an address of the container that this host has no way to */
	bool alone[2];            /* the container cannot come back to itself through its bridge, by family */
	struct pp_networks allow; /* merged; none: everybody */
	struct pp_condition only[2]; /* by family */
	enum pp_masquerade masquerade;
	struct pp_host host;
};

/* One way in: packets of this family, for a host address of this class. */
struct pp_way {
	sa_family_t family;
	enum pp_address_class class;
	enum pp_path path;
	const char *reason; /* a constant */
};

enum { PP_WAYS_MAX = 7 };

struct pp_plan {
	struct pp_way ways[PP_WAYS_MAX];
	size_t count;
};

/* Who can send a packet to a host address, as far as the address alone tells. */
enum pp_reach { PP_REACH_ALL, PP_REACH_HOST, PP_REACH_LINK, PP_REACH_ADDRESS };

void pp_request_fini(struct pp_request *request);

/* The address for packets of @family; AF_UNSPEC where the container has none, or none is known. */
const struct pp_address *pp_target_of(const struct pp_target *target, sa_family_t family);
bool pp_target_is_known(const struct pp_target *target);

/* ADDR[,ADDR6]: the addresses of a container, one of each family at most. */
int pp_target_parse(const char *text, size_t len, struct pp_target *out, struct pp_error *err);

/* "auto", "kernel", "userspace". */
bool pp_via_parse(const char *text, enum pp_via *out);
const char *pp_via_name(enum pp_via via);

/* "needed", "never", "all". */
bool pp_masquerade_parse(const char *text, enum pp_masquerade *out);
const char *pp_masquerade_name(enum pp_masquerade masquerade);

/*
 * Every way in to @publication, the most general first; last that of the container to itself, where it is another
 * than that of everybody. Where nothing may be forwarded in userspace (no keeper, or PP_VIA_KERNEL), -EPERM when the
 * kernel cannot be used at all, and -EINVAL when it can carry none of the ways.
 */
int pp_plan_make(const struct pp_publication *publication, const struct pp_request *request,
		 struct pp_plan *out, struct pp_error *err);

/*
 * Is @publication for some alone: for this host, or for an allow list? Then nobody else is to have the container's
 * port by another way either.
 */
bool pp_plan_is_for_some(const struct pp_publication *publication, const struct pp_request *request);

/* May anything of it become rules in the kernel? */
bool pp_plan_makes_rules(const struct pp_request *request);

enum pp_reach pp_plan_reach(const struct pp_publication *publication);

const char *pp_path_name(enum pp_path path);

#endif
