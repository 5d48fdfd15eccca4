/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A record as a JSON document. */
#ifndef PORTPUB_RECORD_FORMAT_H
#define PORTPUB_RECORD_FORMAT_H

#include "portpub/record.h"

/* The text is the caller's to free. */
int format_write(const struct pp_record *record, char **text, struct pp_error *err);

/* -EUCLEAN where it is no record of ours, with what is wrong in words. */
int format_read(const char *text, size_t len, struct pp_record *out, struct pp_error *err);

#endif
