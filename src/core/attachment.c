/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/attachment.h"

#include "portpub/digest.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

bool pp_attachment_is_name(const char *text)
{
	static const char letters[] = "-._abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	size_t len = strspn(text, letters);

	return len > 0 && !strchr("-._", text[0]) && !text[len] && len < PP_ATTACHMENT_NAME;
}

void pp_attachment_free(struct pp_attachment *attachment)
{
	if (!attachment)
		return;
	pp_publications_fini(&attachment->waiting);
	free(attachment);
}

struct pp_attachment *pp_attachment_copy(const struct pp_attachment *from)
{
	struct pp_attachment *to = malloc(sizeof(*to));
	struct pp_error ignored;

	if (!to)
		return NULL;
	*to = *from;
	to->waiting = PP_PUBLICATIONS_INIT;
	for (size_t i = 0; i < from->waiting.count; i++) {
		if (pp_publications_append(&to->waiting, &from->waiting.items[i], &ignored) < 0) {
			pp_attachment_free(to);
			return NULL;
		}
	}
	return to;
}

const char *pp_attachment_id(const struct pp_attachment *attachment, char out[static PP_ATTACHMENT_ID])
{
	uint64_t hash = pp_digest(
		pp_digest(pp_digest(PP_DIGEST_INIT, attachment->network), attachment->container),
		attachment->interface);

	snprintf(out, PP_ATTACHMENT_ID, "cni-%.12s-%016" PRIx64, attachment->container, hash);
	return out;
}

const char *pp_attachment_share(const struct pp_attachment *attachment, char out[static PP_ATTACHMENT_SHARE])
{
	snprintf(out, PP_ATTACHMENT_SHARE, "container-%016" PRIx64,
		 pp_digest(PP_DIGEST_INIT, attachment->container));
	return out;
}
