/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/address.h"

#include <arpa/inet.h>
#include <assert.h>
#include <string.h>

const sa_family_t pp_families[2] = { AF_INET, AF_INET6 };

static const uint8_t mapped_prefix[12] = { [10] = 0xff, [11] = 0xff };

static struct pp_address unmap(const uint8_t bytes[static 16])
{
	struct pp_address address = { .family = AF_INET6 };

	if (memcmp(bytes, mapped_prefix, sizeof(mapped_prefix)) == 0) {
		address.family = AF_INET;
		memcpy(address.bytes, bytes + sizeof(mapped_prefix), 4);
	} else {
		memcpy(address.bytes, bytes, 16);
	}
	return address;
}

bool pp_address_parse(const char *text, size_t len, struct pp_address *out)
{
	char copy[PP_ADDRESS_TEXT];
	struct pp_address address = { .family = AF_INET };

	if (len >= sizeof(copy) || memchr(text, '\0', len))
		return false;
	memcpy(copy, text, len);
	copy[len] = '\0';

	if (inet_pton(AF_INET, copy, address.bytes) == 1) {
		*out = address;
		return true;
	}
	if (inet_pton(AF_INET6, copy, address.bytes) == 1) {
		*out = unmap(address.bytes);
		return true;
	}
	return false;
}

struct pp_address pp_address_of_bytes(sa_family_t family, const void *bytes)
{
	struct pp_address address = { .family = AF_INET };

	if (family != AF_INET)
		return unmap(bytes);
	memcpy(address.bytes, bytes, 4);
	return address;
}

const char *pp_address_format(const struct pp_address *address, char out[static PP_ADDRESS_TEXT])
{
	if (address->family == AF_UNSPEC || !inet_ntop(address->family, address->bytes, out, PP_ADDRESS_TEXT))
		out[0] = '\0';
	return out;
}

int pp_address_compare(const struct pp_address *a, const struct pp_address *b)
{
	int order = (int)a->family - (int)b->family;

	return order ? order : memcmp(a->bytes, b->bytes, sizeof(a->bytes));
}

bool pp_address_overlaps(const struct pp_address *a, const struct pp_address *b)
{
	if (a->family != AF_UNSPEC && b->family != AF_UNSPEC && a->family != b->family)
		return false;
	return pp_address_is_any(a) || pp_address_is_any(b) || pp_address_compare(a, b) == 0;
}

bool pp_address_is_any(const struct pp_address *address)
{
	static const uint8_t zero[16];

	return memcmp(address->bytes, zero, sizeof(zero)) == 0;
}

bool pp_address_is_multicast(const struct pp_address *address)
{
	static const uint8_t broadcast[4] = { 255, 255, 255, 255 };

	if (address->family == AF_INET)
		return (address->bytes[0] & 0xf0) == 0xe0 ||
		       memcmp(address->bytes, broadcast, sizeof(broadcast)) == 0;
	return address->family == AF_INET6 && address->bytes[0] == 0xff;
}

enum pp_address_class pp_address_class(const struct pp_address *address)
{
	static const uint8_t loopback6[16] = { [15] = 1 };

	if (pp_address_is_any(address))
		return PP_CLASS_ANY;
	if (address->family == AF_INET)
		return address->bytes[0] == 127 ? PP_CLASS_LOOPBACK : PP_CLASS_SPECIFIC;
	if (memcmp(address->bytes, loopback6, sizeof(loopback6)) == 0)
		return PP_CLASS_LOOPBACK;
	if (address->bytes[0] == 0xfe && (address->bytes[1] & 0xc0) == 0x80)
		return PP_CLASS_LINK_LOCAL;
	return PP_CLASS_SPECIFIC;
}

const char *pp_address_class_name(enum pp_address_class class)
{
	static const char *const names[] = {
		[PP_CLASS_ANY] = "any",
		[PP_CLASS_LOOPBACK] = "loopback",
		[PP_CLASS_LINK_LOCAL] = "link-local",
		[PP_CLASS_SPECIFIC] = "specific",
		[PP_CLASS_OWN] = "own",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == PP_CLASS_COUNT, "a name for each class");

	return names[class];
}

const char *pp_family_name(sa_family_t family)
{
	return family == AF_INET6 ? "ipv6" : "ipv4";
}
