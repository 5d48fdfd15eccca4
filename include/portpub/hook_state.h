/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an OCI runtime writes to the standard input of a hook: the state of a container, with its annotations.
 *
 *	portpub.ports	what to publish: specs, in their short forms, between spaces or commas; or publishedPorts in JSON
 *	portpub.via	auto, kernel or userspace
 *	portpub.allow	the networks that may connect, between spaces or commas
 *	portpub.to	the container's address, or one of each family, as it is to be had inside
 *
 * The runtime is believed. The annotations are whoever's may set them: they are read when ports are published, and not
 * when these are taken back, so that nothing in them is in the way of that.
 */
#ifndef PORTPUB_HOOK_STATE_H
#define PORTPUB_HOOK_STATE_H

#include "portpub/json.h"
#include "portpub/plan.h"

enum { PP_HOOK_STATE_MAX = 4 << 20 };

struct pp_hook_state {
	json_t *root;
	const char *container;     /* its id, as the runtime says it */
	const char *bundle;        /* "" where it is not said */
	const char *status;        /* "" where it is not said */
	int32_t pid;               /* of the container's first process; 0: there is none */
	const json_t *annotations; /* an object, or NULL */
};

#define PP_HOOK_STATE_INIT ((struct pp_hook_state){ 0 })

void pp_hook_state_fini(struct pp_hook_state *state);

/* Parse it, into @out, which is empty. -EBADMSG where it is no JSON object, -EINVAL where a key has no right value. */
int pp_hook_state_read(const char *text, size_t len, struct pp_hook_state *out, struct pp_error *err);

enum pp_hook_task { PP_HOOK_PUBLISH, PP_HOOK_UNPUBLISH };

/* What there is to do in @stage ("createRuntime"), or, where that is NULL, by the container's status. */
int pp_hook_state_task(const struct pp_hook_state *state, const char *stage, enum pp_hook_task *out,
		       struct pp_error *err);

/* Is there the annotation portpub.ports? */
bool pp_hook_state_has_ports(const struct pp_hook_state *state);

/*
 * Read the annotations, into @out, which is empty; @is_via_said: by which path is among them. One that begins with
 * "portpub." and is none of those above is an error: what was meant to close a port must not leave it open.
 */
int pp_hook_state_request(const struct pp_hook_state *state, struct pp_request *out, bool *is_via_said,
			  struct pp_error *err);

/*
 * The id of what is published: "oci-", the beginning of the container's id, and a digest of that and the bundle, since
 * another runtime may have a container of the same id.
 */
enum { PP_HOOK_ID = sizeof("oci-0123456789ab-0123456789abcdef") };
const char *pp_hook_state_id(const struct pp_hook_state *state, char out[static PP_HOOK_ID]);

#endif
