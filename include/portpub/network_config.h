/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a CNI runtime writes to a plugin's stdin: the network's configuration, and what the plugins before have made.
 *
 * The functions return 0, or the code that the specification has for what is wrong, with the words in @err. The
 * runtimes are Go programs, to which the case of a key does not matter; a key that we do not know is theirs.
 */
#ifndef PORTPUB_NETWORK_CONFIG_H
#define PORTPUB_NETWORK_CONFIG_H

#include "portpub/attachment.h"
#include "portpub/json.h"
#include "portpub/plan.h"

enum pp_cni_code {
	PP_CNI_DONE = 0,
	PP_CNI_VERSION = 1,
	PP_CNI_UNSUPPORTED = 2, /* a field, or its value */
	PP_CNI_ENVIRONMENT = 4,
	PP_CNI_IO = 5,
	PP_CNI_DECODE = 6,
	PP_CNI_INVALID = 7,
	PP_CNI_NETNS = 8,
	PP_CNI_AGAIN = 11,
	PP_CNI_UNAVAILABLE = 50, /* STATUS: an ADD would fail */
	PP_CNI_LIMITED = 51,     /* STATUS: what has been added does not work */
	PP_CNI_OTHER = 999,
};

/* What becomes of a port that another container has. */
enum pp_on_conflict { PP_CONFLICT_FAIL, PP_CONFLICT_REPLACE, PP_CONFLICT_KEEP, PP_CONFLICT_COUNT };

/* "0.1.0" to "1.1.0", in order, and NULL. */
extern const char *const pp_cni_versions[];

struct pp_network_config {
	json_t *root;
	const char *version; /* one of pp_cni_versions */
	const char *name;    /* of the network */
	json_t *previous;    /* the result of the plugins before, an object; or NULL */
	struct pp_publications publications;
	enum pp_masquerade masquerade;
	struct pp_condition only[2];
	enum pp_on_conflict on_conflict;
	const char *ignored[3]; /* keys of the iptables plugin that mean nothing here */
	size_t ignored_count;
};

#define PP_NETWORK_CONFIG_INIT ((struct pp_network_config){ 0 })

void pp_network_config_fini(struct pp_network_config *config);

/* Parse it, into @out, which is empty: version and name are right after that. */
enum pp_cni_code pp_network_config_read(const char *text, size_t len, struct pp_network_config *out,
					struct pp_error *err);

/* Is its version @version, or a later one? */
bool pp_network_config_is_since(const struct pp_network_config *config, const char *version);

/* Read what ADD and CHECK need: the ports, the keys that are ours, the previous result. */
enum pp_cni_code pp_network_config_read_ports(struct pp_network_config *config, struct pp_error *err);

/* The first IPv4 and the first IPv6 address of @interface in the previous result: there may be none. */
enum pp_cni_code pp_network_config_target(const struct pp_network_config *config, const char *interface,
					  struct pp_target *out, struct pp_error *err);

/* The attachments that there should be, for GC: *@out is a new reference, or NULL where the runtime does not say. */
enum pp_cni_code pp_network_config_valid(const struct pp_network_config *config, json_t **out,
					 struct pp_error *err);

/* Is @container's @interface one of @valid? */
bool pp_network_config_has(const json_t *valid, const char *container, const char *interface);

/* What ADD answers: the previous result with the version set, in text that the caller frees; NULL without memory. */
char *pp_network_config_result(const struct pp_network_config *config);

#endif
