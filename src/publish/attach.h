/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_PUBLISH_ATTACH_H
#define PORTPUB_PUBLISH_ATTACH_H

#include "portpub/publish.h"

/* The other attachments of the container of @gone get what they have waited for; what does not succeed is told. */
void attach_promote(const struct pp_attachment *gone, const struct pp_keeping *keeping,
		    const struct pp_report *report);

#endif
