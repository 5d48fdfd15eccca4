/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What has been published under one name: the request as it was carried out, and where it went. */
#ifndef PORTPUB_RECORD_H
#define PORTPUB_RECORD_H

#include "portpub/plan.h"

#include <net/if.h>

enum { PP_ID_SIZE = 64 }; /* with the NUL: an element's comment has room for it twice */

struct pp_record {
	char id[PP_ID_SIZE];
	struct pp_request request;       /* every host port is known: no pools, no free ones */
	char interfaces[2][IF_NAMESIZE]; /* the way to the IPv4 and the IPv6 target; "" where there is none */
	char container[64];              /* who it is, for people; may be "" */
	int64_t pid;                     /* of the container, or 0 */
	int64_t created;                 /* seconds since 1970 */
};

void pp_record_fini(struct pp_record *record);

/* Letters, digits, '.', '_' and '-', beginning with a letter or digit: safe as a file name and in a comment. */
int pp_id_check(const char *text, struct pp_error *err);

/* A name nobody has chosen: eight letters and digits. -errno when the kernel has no random numbers. */
int pp_id_make(char out[static PP_ID_SIZE], struct pp_error *err);

#endif
