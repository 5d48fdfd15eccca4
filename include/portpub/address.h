/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One type for IPv4 and IPv6 addresses, and for "every address of this host". */
#ifndef PORTPUB_ADDRESS_H
#define PORTPUB_ADDRESS_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct pp_address {
	sa_family_t family; /* AF_INET, AF_INET6; AF_UNSPEC is every address of both */
	uint8_t bytes[16];  /* network order; an IPv4 address takes the first four, the rest is zero */
};

enum { PP_ADDRESS_TEXT = INET6_ADDRSTRLEN };

/* IPv4 and IPv6, for whoever has to do with both in turn. */
extern const sa_family_t pp_families[2];

/* What an address of the host is to the packets that come for it: this decides how they can be carried. */
enum pp_address_class {
	PP_CLASS_ANY,
	PP_CLASS_LOOPBACK,
	PP_CLASS_LINK_LOCAL, /* IPv6 only: 169.254/16 is routed like any other */
	PP_CLASS_SPECIFIC,
	PP_CLASS_OWN, /* no address's, but any that the container asks itself by: a way of the plan */
	PP_CLASS_COUNT
};

/*
 * Read four decimal octets without leading zeros, or RFC 4291 text; an IPv4-mapped address becomes
 * the IPv4 address it means. No names, zones, prefixes, short forms or brackets. *@out is written only
 * when it returns true.
 */
bool pp_address_parse(const char *text, size_t len, struct pp_address *out);

/* The address of @family at @bytes, in network order; an IPv4-mapped one becomes the IPv4 address it means. */
struct pp_address pp_address_of_bytes(sa_family_t family, const void *bytes);

/* The address as text; "" for every address. Returns @out. */
const char *pp_address_format(const struct pp_address *address, char out[static PP_ADDRESS_TEXT]);

/* True for 0.0.0.0, :: and "every address". */
bool pp_address_is_any(const struct pp_address *address);
/* Any order, the same for everybody; 0 for the same address. */
int pp_address_compare(const struct pp_address *a, const struct pp_address *b);

/* Is there an address that both are, or stand for? Then sockets at them want the same port. */
bool pp_address_overlaps(const struct pp_address *a, const struct pp_address *b);

bool pp_address_is_multicast(const struct pp_address *address); /* IPv4 broadcast included */
enum pp_address_class pp_address_class(const struct pp_address *address);

/* "any", "loopback", "link-local", "specific", "own": a word of the JSON output. */
const char *pp_address_class_name(enum pp_address_class class);

/* "ipv4" or "ipv6". */
const char *pp_family_name(sa_family_t family);

#endif
