/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the dialects of this room share: the place of a value in its document, and typed access to it. */
#ifndef PORTPUB_CORE_JSON_READER_H
#define PORTPUB_CORE_JSON_READER_H

#include "portpub/json.h"

/* A path from a value up to the document, on the stack; it is written out only when something is wrong. */
struct place {
	const struct place *up; /* NULL at the document itself */
	const char *key;        /* of an object, or NULL */
	size_t index;           /* of an array */
};

static inline struct place place_key(const struct place *up, const char *key)
{
	return (struct place){ .up = up, .key = key };
}

static inline struct place place_index(const struct place *up, size_t index)
{
	return (struct place){ .up = up, .index = index };
}

/* -EINVAL, the message led by the path: "services.web.publishedPorts[2].publishedAs: ..." */
__attribute__((format(printf, 3, 4))) int json_fail(struct pp_error *err, const struct place *place,
						    const char *format, ...);

/* Put the path in front of an error that a reader of plain text has made. Returns -err->code. */
int json_fail_inside(struct pp_error *err, const struct place *place);

/* "a list", "text", "true": what @value is, for a message. */
const char *json_kind(const json_t *value);

/* The text of a string; @string is one. */
static inline struct pp_piece json_piece(const json_t *string)
{
	size_t len = json_string_length(string);

	return (struct pp_piece){ json_string_value(string), len, 0, len };
}

/* In any case, as Go folds it: the long s, U+017F, is an s to Go. A key that Go reads must not be missed here. */
bool json_is_key(const char *key, const char *name);

/* The value of @name in any case, but first as it is written; NULL where there is none, or @object is no object. */
json_t *json_any_case(const json_t *object, const char *name);

/* Typed access. @value may be NULL: then the key at @place is missing, which is an error here. */
int json_port(const json_t *value, const struct place *place, uint16_t *out, struct pp_error *err);
int json_number(const json_t *value, const struct place *place, uint16_t min, uint16_t max, uint16_t *out,
		struct pp_error *err);
int json_text(const json_t *value, const struct place *place, struct pp_piece *out, struct pp_error *err);
int json_protocol(const json_t *value, const struct place *place, enum pp_protocol *out,
		  struct pp_error *err);

/* An address without brackets; "" is every address. */
int json_address(const json_t *value, const struct place *place, struct pp_address *out,
		 struct pp_error *err);

/* A host port as text: "", digits, or a range, which is a pool. Fills the ports of @out. */
int json_host_ports(struct pp_piece text, const struct place *place, struct pp_publication *out,
		    struct pp_error *err);

/* "80/tcp" or "80", the keys of Docker's and OCI's objects. */
int json_container_key(const char *key, const struct place *place, struct pp_publication *out,
		       struct pp_error *err);

/* What it is called, the key it is held by, how it is told, and how it is read. */
struct dialect {
	const char *name, *holder;
	bool null_is_empty; /* written by programs that print an empty list as null */
	bool (*tells)(const json_t *entry);
	/* Lists: called for each entry. */
	int (*read_entry)(const json_t *entry, const struct place *place, struct pp_publication *out,
			  struct pp_error *err);
	/* Objects, and lists with rules of their own: called for the whole. */
	int (*read_all)(json_t *whole, const struct place *place, struct pp_publications *out,
			struct pp_error *err);
};

extern const struct dialect dialect_disco, dialect_cni, dialect_compose, dialect_netavark, dialect_docker,
	dialect_oci;

/* Every entry of a list by @dialect->read_entry. */
int json_read_list(json_t *list, const struct dialect *dialect, const struct place *place,
		   struct pp_publications *out, struct pp_error *err);

/* What the publications from @first on say more than once is left in once. -ENOMEM. */
int json_collapse(struct pp_publications *list, size_t first, struct pp_error *err);

/* An error for the first key that is none of @known (NULL at its end) and does not begin with "x-" if @extensions. */
int json_known_keys(const json_t *object, const struct place *place, const char *const known[],
		    bool extensions, struct pp_error *err);

#endif
