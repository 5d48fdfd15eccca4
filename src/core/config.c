/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Line by line: what follows a '#' is a comment, spaces and tabs around keys and values do not count, and a line with
 * nothing else is empty. A mistake is never passed over: whoever writes `default-adress = 127.0.0.1` and is not told
 * has opened every port to everybody.
 */
#include "portpub/config.h"

#include <stdio.h>
#include <string.h>

static int take_address(struct pp_piece value, struct pp_config *out, struct pp_error *err)
{
	if (!pp_address_parse(pp_piece_text(value), value.len, &out->default_address))
		return pp_fail_at(err, value, "an IP address is wanted here, without brackets");
	if (pp_address_is_multicast(&out->default_address))
		return pp_fail_at(err, value, "a multicast address is nobody's to publish on");
	return 0;
}

static int take_via(struct pp_piece value, struct pp_config *out, struct pp_error *err)
{
	char text[16] = "";

	if (value.len < sizeof(text))
		memcpy(text, pp_piece_text(value), value.len);
	if (strlen(text) != value.len || !pp_via_parse(text, &out->via))
		return pp_fail_at(err, value, "auto, kernel or userspace");
	return 0;
}

static bool says(struct pp_piece piece, const char *word)
{
	return piece.len == strlen(word) && memcmp(pp_piece_text(piece), word, piece.len) == 0;
}

static int take_docker_proxy_kernel(struct pp_piece value, struct pp_config *out, struct pp_error *err)
{
	out->docker_proxy_kernel = says(value, "on");
	if (!out->docker_proxy_kernel && !says(value, "off"))
		return pp_fail_at(err, value, "on or off");
	return 0;
}

static const struct {
	const char *name;
	int (*take)(struct pp_piece value, struct pp_config *out, struct pp_error *err);
} keys[] = {
	{ "default-address", take_address },
	{ "via", take_via },
	{ "docker-proxy.kernel", take_docker_proxy_kernel },
};

enum { KEYS = sizeof(keys) / sizeof(keys[0]) };

static bool is_blank(char c)
{
	return c == ' ' || c == '\t';
}

static struct pp_piece trim(struct pp_piece piece)
{
	while (piece.len && is_blank(piece.whole[piece.at])) {
		piece.at++;
		piece.len--;
	}
	while (piece.len && is_blank(piece.whole[piece.at + piece.len - 1]))
		piece.len--;
	return piece;
}

/* @seen has a bit for each key that there was. */
static int take(struct pp_piece key, struct pp_piece value, unsigned int *seen, struct pp_config *out,
		struct pp_error *err)
{
	size_t i = 0;

	while (i < KEYS && !says(key, keys[i].name))
		i++;
	if (i == KEYS)
		return pp_fail_at(err, key,
				  "no such key: there are default-address, via and "
				  "docker-proxy.kernel");
	if (*seen & 1U << i)
		return pp_fail_at(err, key, "given twice");
	*seen |= 1U << i;
	return keys[i].take(value, out, err);
}

static int take_line(const char *line, size_t len, unsigned int *seen, struct pp_config *out,
		     struct pp_error *err)
{
	const char *comment = memchr(line, '#', len);
	size_t end = comment ? (size_t)(comment - line) : len;
	struct pp_piece all = trim((struct pp_piece){ line, len, 0, end }), key = all, value = all;
	const char *equals = memchr(line, '=', end);

	if (all.len == 0)
		return 0;
	if (!equals)
		return pp_fail_at(err, all, "a line is: key = value");
	key.len = (size_t)(equals - line) - key.at;
	value.at = (size_t)(equals - line) + 1;
	value.len = end - value.at;
	return take(trim(key), trim(value), seen, out, err);
}

static void name_place(struct pp_error *err, const char *name, size_t line)
{
	char shown[sizeof(err->where) - 24];

	pp_show(shown, sizeof(shown), name, strlen(name));
	snprintf(err->where, sizeof(err->where), "%s:%zu", shown, line);
}

int pp_config_parse(const char *name, const char *text, size_t len, struct pp_config *out,
		    struct pp_error *err)
{
	struct pp_config config = { 0 };
	unsigned int seen = 0;

	for (size_t at = 0, line = 1; at < len; line++) {
		const char *end = memchr(text + at, '\n', len - at);
		size_t line_len = end ? (size_t)(end - (text + at)) : len - at;
		int ret = take_line(text + at, line_len, &seen, &config, err);

		if (ret < 0) {
			name_place(err, name, line);
			return ret;
		}
		at += line_len + 1;
	}
	*out = config;
	return 0;
}

void pp_config_address(const struct pp_config *config, struct pp_publications *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].address.family == AF_UNSPEC)
			list->items[i].address = config->default_address;
	}
}
