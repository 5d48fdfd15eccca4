/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Publications in JSON: the dialects other tools write, and the one object portpub itself prints. */
#ifndef PORTPUB_JSON_H
#define PORTPUB_JSON_H

#include "portpub/publication.h"

#include <jansson.h>

/* The strict dialects come first: where an entry has the keys of two, the one that refuses strangers reads it. */
enum pp_dialect {
	PP_DIALECT_AUTO,     /* told by the keys */
	PP_DIALECT_DISCO,    /* publishedPorts */
	PP_DIALECT_COMPOSE,  /* ports */
	PP_DIALECT_NETAVARK, /* port_mappings */
	PP_DIALECT_CNI,      /* portMappings */
	PP_DIALECT_DOCKER,   /* PortBindings */
	PP_DIALECT_OCI,      /* ExposedPorts */
	PP_DIALECT_COUNT
};

enum { PP_JSON_MAX = 16 << 20 };

/* False for an unknown name. */
bool pp_dialect_parse(const char *name, enum pp_dialect *out);
const char *pp_dialect_name(enum pp_dialect dialect);

/*
 * Read a document and append its publications to @out, which keeps what it had when this fails.
 * @service names the service of a whole disco.json or compose file, or is NULL. -EINVAL with the path of
 * the value that is wrong, or of the later of two that ask for one port; -EBADMSG with line and column
 * where the text is no JSON; -ENOMEM.
 */
int pp_json_read(const char *text, size_t len, enum pp_dialect dialect, const char *service,
		 struct pp_publications *out, struct pp_error *err);

/* The same for a document that has been parsed, with JSON_REJECT_DUPLICATES, by the caller. */
int pp_json_read_value(json_t *document, enum pp_dialect dialect, const char *service,
		       struct pp_publications *out, struct pp_error *err);

/* {"protocol","address","host_port",...}, a new reference; NULL when memory runs out. */
json_t *pp_publication_to_json(const struct pp_publication *publication);

#endif
