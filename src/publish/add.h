/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_PUBLISH_ADD_H
#define PORTPUB_PUBLISH_ADD_H

#include "portpub/publish.h"

/* What becomes of a record of the same id. */
enum add_replace {
	ADD_NEW,          /* it is in the way */
	ADD_REPLACE,      /* it gives way in the same instant; there may be none */
	ADD_REPLACE_ONLY, /* the same, and there has to be one: -ENOENT */
};

/*
 * As pp_publish_add, which says all else. Of a port that a publication has, @owner is the id, or "". Sockets that have a
 * port of an attachment are told, and no error, unless a keeper holds the port.
 */
int add_record(struct pp_record *record, enum add_replace replace, char owner[static PP_ID_SIZE],
	       const struct pp_keeping *keeping, const struct pp_report *report, struct pp_error *err);

#endif
