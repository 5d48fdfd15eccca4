/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A spec is cut from the right, because only the address may hold colons of its own:
 *
 *	[[address:]host[-host]:]container[-container][/protocol]
 *	|--address--|  |-host-| |----container----|  |protocol|
 *
 * Every field is a piece of the text, so that an error can point at it. The long form names its fields
 * (published=, target=, protocol=) and meets the short form in publish(), where host and container ports
 * become a publication. Nothing is trimmed, guessed or looked up; nothing is allocated.
 */
#include "portpub/spec.h"
#include "range.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* An absent field has length 0 and stands where it would be written. */
struct fields {
	struct pp_piece address, host, container, protocol;
};

static struct pp_piece cut(struct pp_piece piece, size_t at, size_t len)
{
	piece.at += at;
	piece.len = len;
	return piece;
}

/* What stands before @at, and what stands behind the one byte there. */
static struct pp_piece before(struct pp_piece piece, size_t at)
{
	return cut(piece, 0, at);
}

static struct pp_piece behind(struct pp_piece piece, size_t at)
{
	return cut(piece, at + 1, piece.len - at - 1);
}

static bool find(struct pp_piece piece, char c, size_t *at)
{
	const char *found = memchr(pp_piece_text(piece), c, piece.len);

	if (found)
		*at = (size_t)(found - pp_piece_text(piece));
	return found != NULL;
}

static bool find_last(struct pp_piece piece, char c, size_t *at)
{
	const char *found = memrchr(pp_piece_text(piece), c, piece.len);

	if (found)
		*at = (size_t)(found - pp_piece_text(piece));
	return found != NULL;
}

static bool is(struct pp_piece piece, const char *word)
{
	return strlen(word) == piece.len && memcmp(pp_piece_text(piece), word, piece.len) == 0;
}

static int check_bytes(struct pp_piece spec, bool long_form, struct pp_error *err)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";

	for (size_t i = 0; i < spec.len; i++) {
		char c = pp_piece_text(spec)[i];

		if (c != '\0' && (strchr(letters, c) || strchr(".:/-[]", c)))
			continue;
		if (long_form && c != '\0' && strchr("=,_", c))
			continue;
		return pp_fail_at(err, cut(spec, i, 1), "this byte has no place in a spec");
	}
	return 0;
}

static int parse_protocol(struct pp_piece piece, enum pp_protocol *out, struct pp_error *err)
{
	size_t at;

	if (piece.len == 0) {
		*out = PP_TCP;
		return 0;
	}
	if (find(piece, '/', &at))
		return pp_fail_at(err, cut(piece, at, piece.len - at), "one slash only, before the protocol");
	if (find(piece, ':', &at))
		return pp_fail_at(
			err, piece,
			"behind a slash is the protocol, which comes last; an address has no prefix");
	if (!pp_protocol_parse(pp_piece_text(piece), piece.len, out))
		return pp_fail_at(err, piece, "protocol must be tcp, udp or sctp");
	return 0;
}

/* An address that cannot be mistaken for anything else: IPv4, or anything in brackets. */
static bool plain_address(struct pp_piece piece, struct pp_address *out)
{
	const char *text = pp_piece_text(piece);

	if (piece.len > 2 && text[0] == '[' && text[piece.len - 1] == ']')
		return pp_address_parse(text + 1, piece.len - 2, out);
	return pp_address_parse(text, piece.len, out) && !memchr(text, ':', piece.len);
}

static bool bare_ipv6(struct pp_piece piece, struct pp_address *out)
{
	return pp_address_parse(pp_piece_text(piece), piece.len, out);
}

/* Docker reads 127.0.0.1:80 as a bad port; people who write it forgot which of two things they meant. */
static int fail_two_fields(struct pp_error *err, struct pp_piece address, struct pp_piece container,
			   struct pp_piece protocol, bool brackets)
{
	const char *open = brackets ? "[" : "", *close = brackets ? "]" : "";
	const char *a = pp_piece_text(address), *c = pp_piece_text(container);
	int a_len = (int)address.len, c_len = (int)container.len;
	char suffix[8] = "";

	if (protocol.len)
		snprintf(suffix, sizeof(suffix), "/%.*s", (int)protocol.len, pp_piece_text(protocol));
	return pp_fail_at(err, address,
			  "no host port behind the address: did you mean %s%.*s%s::%.*s%s (a free port)"
			  " or %s%.*s%s:%.*s:%.*s%s?",
			  open, a_len, a, close, c_len, c, suffix, open, a_len, a, close, c_len, c, c_len, c,
			  suffix);
}

static int parse_address(const struct fields *fields, struct pp_address *out, struct pp_error *err)
{
	struct pp_piece piece = fields->address, with_host = piece;
	struct pp_address ignored;

	*out = (struct pp_address){ .family = AF_UNSPEC };
	if (piece.len == 0)
		return 0;
	if (plain_address(piece, out) || bare_ipv6(piece, out))
		return 0;

	with_host.len = fields->host.at + fields->host.len - piece.at;
	if (bare_ipv6(with_host, &ignored))
		return fail_two_fields(err, with_host, fields->container, fields->protocol, true);
	return pp_fail_at(err, piece,
			  "host address must be an IPv4 or IPv6 address, not a name, zone or prefix");
}

static int read_container(struct pp_piece piece, struct pp_range *out, struct pp_error *err)
{
	if (piece.len == 0)
		return pp_fail_at(err, piece, "the container port is missing");
	return pp_range_parse(piece, PP_CONTAINER_PORT, out, err);
}

static int read_host(const struct fields *fields, struct pp_range *out, struct pp_error *err)
{
	bool alone = fields->address.len == 0;

	*out = (struct pp_range){ 0, 0 };
	if (fields->host.len == 0)
		return 0;
	for (size_t i = 0; alone && i < fields->host.len; i++) {
		if (!strchr("0123456789-", pp_piece_text(fields->host)[i]))
			return pp_fail_at(err, fields->host,
					  "neither a host port, 1 to 65535, nor an address with a"
					  " port behind it; names are not looked up");
	}
	return pp_range_parse(fields->host, PP_HOST_PORT, out, err);
}

/* Cut @body (the spec without its protocol) from the right into container, host and address. */
static int split(struct pp_piece body, struct fields *fields, struct pp_error *err)
{
	const struct pp_piece start = cut(body, 0, 0);
	struct pp_address ignored;
	struct pp_range container;
	struct pp_piece rest;
	size_t at;
	int ret;

	if (plain_address(body, &ignored))
		return pp_fail_at(err, body,
				  "no container port behind the address: %.*s::80 is its port 80 on a"
				  " free port of that address",
				  (int)body.len, pp_piece_text(body));

	fields->container = body;
	fields->host = start;
	fields->address = start;
	if (!find_last(body, ':', &at))
		return 0;
	fields->container = behind(body, at);
	rest = before(body, at);
	if (plain_address(rest, &ignored)) {
		ret = read_container(fields->container, &container, err);
		return ret < 0 ? ret : fail_two_fields(err, rest, fields->container, fields->protocol, false);
	}

	fields->host = rest;
	if (!find_last(rest, ':', &at))
		return 0;
	fields->host = behind(rest, at);
	fields->address = before(rest, at);
	return 0;
}

static int split_short(struct pp_piece spec, struct fields *fields, struct pp_error *err)
{
	struct pp_piece body = spec;
	enum pp_protocol ignored;
	size_t slash;
	int ret;

	fields->protocol = cut(spec, spec.len, 0);
	if (find(spec, '/', &slash)) {
		body = before(spec, slash);
		fields->protocol = behind(spec, slash);
		ret = parse_protocol(fields->protocol, &ignored, err);
		if (ret < 0)
			return ret;
	}
	return split(body, fields, err);
}

static int fail_key(struct pp_error *err, struct pp_piece key)
{
	if (is(key, "host_ip"))
		return pp_fail_at(err, key,
				  "this form takes no address: write 127.0.0.1:8080:80 to open one"
				  " address only");
	if (is(key, "mode"))
		return pp_fail_at(err, key, "mode belongs to swarm: leave it out");
	return pp_fail_at(err, key, "the keys are published, target and protocol");
}

static int split_long(struct pp_piece spec, struct fields *fields, struct pp_error *err)
{
	struct {
		const char *name;
		struct pp_piece *value;
		bool seen;
	} keys[] = {
		{ "published", &fields->host, false },
		{ "target", &fields->container, false },
		{ "protocol", &fields->protocol, false },
	};
	const size_t key_count = sizeof(keys) / sizeof(keys[0]);
	struct pp_piece rest = spec, part, key;
	const struct pp_piece none = cut(spec, spec.len, 0);
	size_t comma, equals, k;
	bool more = true;

	*fields = (struct fields){ none, none, none, none };
	while (more) {
		more = find(rest, ',', &comma);
		part = more ? before(rest, comma) : rest;
		if (more)
			rest = behind(rest, comma);
		if (!find(part, '=', &equals) || equals == 0)
			return pp_fail_at(err, part,
					  "each part is KEY=VALUE, as in published=8080,target=80");
		key = before(part, equals);
		for (k = 0; k < key_count && !is(key, keys[k].name); k++)
			;
		if (k == key_count)
			return fail_key(err, key);
		if (keys[k].seen)
			return pp_fail_at(err, key, "%s is given twice", keys[k].name);
		keys[k].seen = true;
		*keys[k].value = behind(part, equals);
	}
	return 0;
}

/* Host ports and container ports, as read, to one publication. */
static int publish(const struct fields *fields, struct pp_range host, struct pp_range container,
		   struct pp_publication *out, struct pp_error *err)
{
	uint32_t host_count = pp_range_length(host), container_count = pp_range_length(container);
	bool pool = container_count == 1 && host_count > 1;

	if (fields->host.len != 0 && host.first == 0 && container_count > 1)
		return pp_fail_at(err, fields->host,
				  "0 is one free port, for %u container ports: leave it out to have"
				  " as many",
				  container_count);
	if (fields->host.len != 0 && host_count != container_count && !pool)
		return pp_fail_at(
			err, fields->host,
			"%u host port%s for %u container ports: give as many of each, or one container"
			" port",
			host_count, host_count == 1 ? "" : "s", container_count);
	out->host_port = host.first;
	out->host_port_last = pool ? host.last : 0;
	out->container_port = container.first;
	out->count = (uint16_t)container_count;
	return 0;
}

/* The beginning is enough to know it by; the carets stand where it was cut. */
static int fail_too_long(const char *text, size_t len, struct pp_error *err)
{
	enum { SHOWN = 40 };
	static const char cut_off[] = "...";

	pp_fail_at(err, (struct pp_piece){ text, SHOWN, SHOWN, 0 },
		   "%zu bytes are too long for a spec: at most %d", len, PP_SPEC_MAX);
	memcpy(err->input + strlen(err->input), cut_off, sizeof(cut_off));
	err->width = strlen(cut_off);
	return -EINVAL;
}

int pp_spec_parse(const char *text, size_t len, enum pp_spec_forms forms, struct pp_publication *out,
		  struct pp_error *err)
{
	struct pp_piece spec = { text, len, 0, len };
	struct pp_publication publication = { 0 };
	struct pp_range host = { 0, 0 }, container = { 0, 0 };
	struct fields fields = { 0 };
	bool long_form = forms == PP_SPEC_ALL && memchr(text, '=', len);
	int ret;

	if (len > PP_SPEC_MAX)
		return fail_too_long(text, len, err);
	ret = check_bytes(spec, long_form, err);
	if (ret < 0)
		return ret;
	ret = long_form ? split_long(spec, &fields, err) : split_short(spec, &fields, err);
	if (ret < 0)
		return ret;

	ret = read_container(fields.container, &container, err);
	if (ret == 0)
		ret = read_host(&fields, &host, err);
	if (ret == 0)
		ret = parse_address(&fields, &publication.address, err);
	if (ret == 0)
		ret = parse_protocol(fields.protocol, &publication.protocol, err);
	if (ret == 0)
		ret = publish(&fields, host, container, &publication, err);
	if (ret == 0)
		*out = publication;
	return ret;
}
