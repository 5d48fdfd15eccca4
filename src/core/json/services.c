/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * disco.json and compose files: an object of services, each of which may publish ports. Which of the two
 * it is, is told by the key that a service holds its ports by.
 */
#include "document.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

/* A service that publishes nothing because its key is misspelt should not look as if it meant to. */
static int check_spelling(const struct reader *reader, const json_t *service, const struct place *place)
{
	static const struct {
		const char *wrong, *right;
	} spellings[] = {
		{ "publishedPorts", "publishedPorts" },
		{ "published_ports", "publishedPorts" },
		{ "publishedPort", "publishedPorts" },
		{ "ports", "ports" },
	};
	const char *key;
	json_t *value;

	json_object_foreach ((json_t *)service, key, value) {
		struct place here = place_key(place, key);

		for (size_t i = 0; i < sizeof(spellings) / sizeof(spellings[0]); i++) {
			if (strcasecmp(key, spellings[i].wrong) == 0 && strcmp(key, spellings[i].right) != 0)
				return json_fail(reader->err, &here, "did you mean %s?", spellings[i].right);
		}
	}
	return 0;
}

/* Of a service: what it publishes, in which dialect; AUTO where it publishes nothing. */
static int find_published(const struct reader *reader, const json_t *service, const struct place *place,
			  enum pp_dialect *out)
{
	static const enum pp_dialect either[] = { PP_DIALECT_DISCO, PP_DIALECT_COMPOSE };
	int ret;

	*out = PP_DIALECT_AUTO;
	if (!json_is_object(service))
		return json_fail(reader->err, place, "must be an object, not %s", json_kind(service));
	ret = check_spelling(reader, service, place);
	if (ret < 0)
		return ret;
	for (size_t i = 0; i < 2; i++) {
		struct place here = place_key(place, dialects[either[i]]->holder);
		const json_t *value = json_object_get(service, here.key);

		if (!value || !document_may_be(reader, either[i]))
			continue;
		if (!json_is_array(value))
			return json_fail(reader->err, &here, "must be a list, not %s", json_kind(value));
		if (json_array_size(value) == 0)
			continue;
		if (*out != PP_DIALECT_AUTO)
			return document_fail_both(reader, place, dialects[*out]->holder, here.key);
		*out = either[i];
	}
	return 0;
}

static int read_service(const struct reader *reader, const json_t *service, const struct place *place)
{
	enum pp_dialect dialect;
	struct place here;
	int ret = find_published(reader, service, place, &dialect);

	if (ret < 0 || dialect == PP_DIALECT_AUTO)
		return ret;
	here = place_key(place, dialects[dialect]->holder);
	return document_read_value(reader, dialect, json_object_get(service, here.key), &here);
}

/* The one service that publishes; NULL where none does. */
static int find_service(const struct reader *reader, json_t *services, const struct place *place,
			const char **out)
{
	enum pp_dialect dialect;
	const char *key;
	json_t *service;
	char a[40], b[40];
	int ret;

	*out = NULL;
	json_object_foreach (services, key, service) {
		struct place here = place_key(place, key);

		ret = find_published(reader, service, &here, &dialect);
		if (ret < 0)
			return ret;
		if (dialect == PP_DIALECT_AUTO)
			continue;
		if (*out) {
			pp_show(a, sizeof(a), *out, strlen(*out));
			pp_show(b, sizeof(b), key, strlen(key));
			return json_fail(reader->err, place,
					 "%s and %s both publish ports: choose one with --service", a, b);
		}
		*out = key;
	}
	return 0;
}

int services_read(const struct reader *reader, json_t *services, const struct place *place)
{
	const char *name = reader->service;
	struct place here;
	int ret;

	if (!json_is_object(services))
		return json_fail(reader->err, place, "must be an object, not %s", json_kind(services));
	if (!name) {
		ret = find_service(reader, services, place, &name);
		if (ret < 0 || !name)
			return ret;
	}
	here = place_key(place, name);
	if (!json_object_get(services, name))
		return json_fail(reader->err, &here, "there is no such service");
	return read_service(reader, json_object_get(services, name), &here);
}
