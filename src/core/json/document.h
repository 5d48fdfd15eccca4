/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A document being read: document.c finds the ports, with services.c; dialects.c reads them. */
#ifndef PORTPUB_CORE_JSON_DOCUMENT_H
#define PORTPUB_CORE_JSON_DOCUMENT_H

#include "reader.h"

struct reader {
	enum pp_dialect forced; /* or PP_DIALECT_AUTO */
	const char *service;    /* or NULL */
	struct pp_publications *out;
	struct pp_error *err;
};

/* False where the caller has named another dialect. */
bool document_may_be(const struct reader *reader, enum pp_dialect dialect);

/* By enum pp_dialect; NULL at PP_DIALECT_AUTO. */
extern const struct dialect *const dialects[PP_DIALECT_COUNT];

/* Docker's and OCI's ports are objects whose keys are ports; the others' are lists. */
bool document_is_map(enum pp_dialect dialect);

/* Read @value, which is a holder's, as @dialect does. */
int document_read_value(const struct reader *reader, enum pp_dialect dialect, json_t *value,
			const struct place *place);

/* -EINVAL: more than one thing that could be meant. */
int document_fail_both(const struct reader *reader, const struct place *place, const char *a, const char *b);

/* services.c: the one service that publishes, or the one that was asked for. */
int services_read(const struct reader *reader, json_t *services, const struct place *place);

#endif
