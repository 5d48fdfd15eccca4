/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has been published under one name: the request as it was carried out, and where it went. */
#ifndef PORTPUB_RECORD_H
#define PORTPUB_RECORD_H

#include "portpub/attachment.h"
#include "portpub/limits.h"
#include "portpub/plan.h"

#include <net/if.h>

enum { PP_ID_SIZE = 64 }; /* with the NUL: an element's comment has room for it twice */

struct pp_record {
	char id[PP_ID_SIZE];
	struct pp_request request;       /* every host port is known: no pools, no free ones */
	char interfaces[2][IF_NAMESIZE]; /* the way to the IPv4 and the IPv6 target; "" where there is none */
	char container[64];              /* who it is, for people; may be "": see pp_record_container */
	int64_t pid;                     /* of the container, or 0 */
	uint64_t pid_start;      /* when that process began: another one may get its number; 0: not known */
	uint64_t pid_namespace;  /* where the pid is that one's, by its inode; 0: not known */
	char *netns;             /* of the container, where it was named by a path; or NULL */
	uint64_t netns_inode;    /* which one that was; 0: not known */
	int64_t created;         /* seconds since 1970 */
	int64_t expires;         /* the same, or 0 */
	uint32_t keeper;         /* the number of who keeps it; 0: nobody does, there are rules alone */
	struct pp_limits limits; /* of what the keeper carries */
	struct pp_attachment *attachment; /* whose it is, when a CNI runtime asked; or NULL */
};

void pp_record_fini(struct pp_record *record);

/* Who it is, for people: what a CNI runtime calls it, in full, or what it was called when it was looked for. */
const char *pp_record_container(const struct pp_record *record);

/* Another that is the same, into @to, which is empty. -ENOMEM. */
int pp_record_copy(const struct pp_record *from, struct pp_record *to, struct pp_error *err);

/* Letters, digits, '.', '_' and '-', beginning with a letter or digit: safe as a file name and in a comment. */
int pp_id_check(const char *text, struct pp_error *err);

/* A name nobody has chosen: eight letters and digits. -errno when the kernel has no random numbers. */
int pp_id_make(char out[static PP_ID_SIZE], struct pp_error *err);

#endif
