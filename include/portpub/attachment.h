/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One interface of one container in one network, as CNI counts them: what a runtime adds, and takes away again. */
#ifndef PORTPUB_ATTACHMENT_H
#define PORTPUB_ATTACHMENT_H

#include "portpub/publication.h"

#include <net/if.h>

enum { PP_ATTACHMENT_NAME = 256, PP_ATTACHMENT_SHARE = sizeof("container-0123456789abcdef") };

struct pp_attachment {
	char network[PP_ATTACHMENT_NAME], container[PP_ATTACHMENT_NAME], interface[IF_NAMESIZE];
	/* Ports that another attachment of the same container has, and that become this one's when that goes. */
	struct pp_publications waiting;
};

/*
 * Networks and containers are called by letters, digits, '_', '.' and '-', beginning with a letter or digit; names that
 * are longer than PP_ATTACHMENT_NAME leaves room for are none either.
 */
bool pp_attachment_is_name(const char *text);

/* NULL is nothing. */
void pp_attachment_free(struct pp_attachment *attachment);

/* A new one that is the same; NULL when memory runs out. */
struct pp_attachment *pp_attachment_copy(const struct pp_attachment *from);

/* The id of its record: "cni-", the beginning of the container's id, and a digest of all three names. */
enum { PP_ATTACHMENT_ID = sizeof("cni-0123456789ab-0123456789abcdef") };
const char *pp_attachment_id(const struct pp_attachment *attachment, char out[static PP_ATTACHMENT_ID]);

/* What all attachments of its container count as users of: "container-0123456789abcdef". */
const char *pp_attachment_share(const struct pp_attachment *attachment, char out[static PP_ATTACHMENT_SHARE]);

#endif
