/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/network.h"

#include "portpub/array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAPPED_BITS = 96 };

static unsigned int bits_of(sa_family_t family)
{
	return family == AF_INET ? 32 : 128;
}

/* Those bits of byte @i of an address that lie past @prefix. */
static uint8_t host_bits(size_t i, unsigned int prefix)
{
	unsigned int begin = (unsigned int)i * 8;

	if (prefix <= begin)
		return 0xff;
	return prefix >= begin + 8 ? 0 : (uint8_t)(0xff >> (prefix - begin));
}

static struct pp_network enclosing(const struct pp_address *address, unsigned int prefix)
{
	struct pp_network network = { *address, (uint8_t)prefix };

	for (size_t i = 0; i < bits_of(address->family) / 8; i++)
		network.address.bytes[i] &= (uint8_t)~host_bits(i, prefix);
	return network;
}

struct pp_address pp_network_last(const struct pp_network *network)
{
	struct pp_address last = network->address;

	for (size_t i = 0; i < bits_of(last.family) / 8; i++)
		last.bytes[i] |= host_bits(i, network->prefix);
	return last;
}

const char *pp_network_format(const struct pp_network *network, char out[static PP_NETWORK_TEXT])
{
	char address[PP_ADDRESS_TEXT];

	snprintf(out, PP_NETWORK_TEXT, "%s/%u", pp_address_format(&network->address, address),
		 network->prefix);
	return out;
}

/* Digits only, no leading zero, first..last. */
static bool read_prefix(struct pp_piece piece, unsigned int first, unsigned int last, unsigned int *out)
{
	const char *text = pp_piece_text(piece);
	unsigned int value = 0;

	if (piece.len == 0 || piece.len > 3 || (text[0] == '0' && piece.len > 1))
		return false;
	for (size_t i = 0; i < piece.len; i++) {
		if (text[i] < '0' || text[i] > '9')
			return false;
		value = value * 10 + (unsigned int)(text[i] - '0');
	}
	*out = value;
	return value >= first && value <= last;
}

static int parse_prefix(struct pp_piece piece, const struct pp_address *address, bool is_mapped,
			unsigned int *out, struct pp_error *err)
{
	const char *kind = is_mapped ? "IPv4-mapped" : address->family == AF_INET ? "IPv4" : "IPv6";
	unsigned int skipped = is_mapped ? MAPPED_BITS : 0, last = skipped + bits_of(address->family);
	unsigned int prefix;

	if (!read_prefix(piece, skipped, last, &prefix))
		return pp_fail_at(err, piece, "the prefix of an %s network is %u to %u", kind, skipped, last);
	*out = prefix - skipped;
	return 0;
}

static int fail_host_bits(struct pp_piece piece, const struct pp_address *address,
			  const struct pp_network *network, struct pp_error *err)
{
	struct pp_network host = { *address, (uint8_t)bits_of(address->family) };
	char network_text[PP_NETWORK_TEXT], host_text[PP_NETWORK_TEXT];

	return pp_fail_at(err, piece, "bits are set past the prefix: did you mean %s or %s?",
			  pp_network_format(network, network_text), pp_network_format(&host, host_text));
}

/* Nobody connects from 0.0.0.0 or ::, so whoever writes one without a prefix wants something else. */
static int fail_any(struct pp_piece piece, const struct pp_address *address, struct pp_error *err)
{
	struct pp_network every = { *address, 0 };
	char text[PP_NETWORK_TEXT];

	return pp_fail_at(err, piece, "no host has this address: did you mean %s?",
			  pp_network_format(&every, text));
}

int pp_network_parse(const char *text, size_t len, struct pp_network *out, struct pp_error *err)
{
	const char *slash = memchr(text, '/', len);
	struct pp_piece first = { text, len, 0, slash ? (size_t)(slash - text) : len }, second = first;
	struct pp_address address;
	struct pp_network network;
	unsigned int prefix;
	bool is_mapped;
	int ret;

	if (!pp_address_parse(text, first.len, &address))
		return pp_fail_at(err, first,
				  "a network is an address and a prefix: 10.0.0.0/8, 2001:db8::/32");
	is_mapped = address.family == AF_INET && memchr(text, ':', first.len);
	prefix = bits_of(address.family);
	if (slash) {
		second.at = first.len + 1;
		second.len = len - second.at;
		ret = parse_prefix(second, &address, is_mapped, &prefix, err);
		if (ret < 0)
			return ret;
	} else if (pp_address_is_any(&address)) {
		return fail_any(first, &address, err);
	}
	network = enclosing(&address, prefix);
	if (memcmp(network.address.bytes, address.bytes, sizeof(address.bytes)) != 0)
		return fail_host_bits(first, &address, &network, err);
	*out = network;
	return 0;
}

bool pp_network_has(const struct pp_network *network, const struct pp_address *address)
{
	struct pp_network around;

	if (address->family != network->address.family)
		return false;
	around = enclosing(address, network->prefix);
	return memcmp(around.address.bytes, network->address.bytes, sizeof(around.address.bytes)) == 0;
}

void pp_networks_fini(struct pp_networks *list)
{
	free(list->items);
	*list = PP_NETWORKS_INIT;
}

int pp_networks_append(struct pp_networks *list, const struct pp_network *network, struct pp_error *err)
{
	struct pp_network *items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));

	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	list->items = items;
	list->items[list->count++] = *network;
	return 0;
}

/* By family and first address; of those that begin alike, the larger network first. */
static int compare(const void *left, const void *right)
{
	const struct pp_network *a = left, *b = right;
	int order = (int)a->address.family - (int)b->address.family;

	if (order == 0)
		order = memcmp(a->address.bytes, b->address.bytes, sizeof(a->address.bytes));
	return order ? order : (int)a->prefix - (int)b->prefix;
}

/* True for two networks of one size that are the two halves of a larger one; they differ. */
static bool are_halves(const struct pp_network *a, const struct pp_network *b)
{
	struct pp_network whole;

	if (a->prefix != b->prefix || a->prefix == 0)
		return false;
	whole = enclosing(&a->address, a->prefix - 1U);
	return pp_network_has(&whole, &b->address);
}

/*
 * What has been read stands in items[0..count), merged. Networks never overlap by halves: the next one in
 * order lies in the last of these, or behind all of them. Joining two halves can make another half.
 */
void pp_networks_merge(struct pp_networks *list)
{
	struct pp_network *items = list->items;
	size_t count = 0;

	if (list->count < 2)
		return;
	qsort(items, list->count, sizeof(*items), compare);
	for (size_t i = 0; i < list->count; i++) {
		if (count > 0 && pp_network_has(&items[count - 1], &items[i].address))
			continue;
		items[count++] = items[i];
		while (count > 1 && are_halves(&items[count - 2], &items[count - 1])) {
			count--;
			items[count - 1].prefix--;
		}
	}
	list->count = count;
}

bool pp_networks_have(const struct pp_networks *list, const struct pp_address *address)
{
	for (size_t i = 0; i < list->count; i++) {
		if (pp_network_has(&list->items[i], address))
			return true;
	}
	return false;
}
