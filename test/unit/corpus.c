/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every line of test/corpus: what was written, and what must come of it. One line is one test. Outcomes
 * are compared port by port, in any order, addresses as addresses.
 */
#include "unit.h"

#include "portpub/json.h"
#include "portpub/conflict.h"
#include "portpub/plan.h"
#include "portpub/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS_MAX = 1024, LINE_SIZE = 1 << 16 };

static struct {
	const char *file;
	json_t *rows[ROWS_MAX];
	int count;
} corpora[] = {
	{ "test/corpus/publish.jsonl", { 0 }, 0 }, { "test/corpus/disco.jsonl", { 0 }, 0 },
	{ "test/corpus/compose.jsonl", { 0 }, 0 }, { "test/corpus/netavark.jsonl", { 0 }, 0 },
	{ "test/corpus/cni.jsonl", { 0 }, 0 },
};

enum { PUBLISH, DISCO, COMPOSE, NETAVARK, CNI };

/* Without a corpus nothing here can be said: that is a failure, not an empty success. */
static int load(int which)
{
	FILE *file = fopen(corpora[which].file, "re");
	static char line[LINE_SIZE];

	while (file && fgets(line, sizeof(line), file) && corpora[which].count < ROWS_MAX) {
		json_t *row = json_loads(line, JSON_ALLOW_NUL, NULL);

		if (!row) {
			fprintf(stderr, "%s: line %d is no JSON\n", corpora[which].file,
				corpora[which].count + 1);
			exit(EXIT_FAILURE);
		}
		corpora[which].rows[corpora[which].count++] = row;
	}
	if (!file || corpora[which].count == 0) {
		fprintf(stderr, "%s: no rows\n", corpora[which].file);
		exit(EXIT_FAILURE);
	}
	fclose(file);
	return corpora[which].count;
}

/* The bytes of a row: text, or hexadecimal where they are no UTF-8. */
static size_t input_of(const json_t *row, char *out, size_t size)
{
	const json_t *text = json_object_get(row, "input"), *hex = json_object_get(row, "input_hex");
	size_t len;

	if (!text)
		text = json_object_get(row, "doc_text");
	if (text) {
		len = json_string_length(text);
		ck_assert_uint_le(len, size);
		memcpy(out, json_string_value(text), len);
		return len;
	}
	ck_assert_ptr_nonnull(hex);
	len = json_string_length(hex) / 2;
	for (size_t i = 0; i < len; i++)
		sscanf(json_string_value(hex) + 2 * i, "%2hhx", (unsigned char *)&out[i]);
	return len;
}

/* One port as a line of text, the same for what we have and what is wanted. */
static char *port_line(const char *protocol, const char *address, long host, long host_last, long container)
{
	struct pp_address parsed = { .family = AF_UNSPEC };
	char canonical[PP_ADDRESS_TEXT], *line;

	if (address[0])
		ck_assert(pp_address_parse(address, strlen(address), &parsed));
	pp_address_format(&parsed, canonical);
	ck_assert_int_gt(
		asprintf(&line, "%s %s %ld-%ld %ld", protocol, canonical, host, host_last, container), 0);
	return line;
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *join(char **lines, size_t count)
{
	size_t size = 1;
	char *all;

	qsort(lines, count, sizeof(*lines), compare_lines);
	for (size_t i = 0; i < count; i++)
		size += strlen(lines[i]) + 1;
	all = calloc(1, size);
	for (size_t i = 0; i < count; i++) {
		strcat(strcat(all, lines[i]), "\n");
		free(lines[i]);
	}
	return all;
}

static char *ports_of(const struct pp_publications *list)
{
	static char *lines[65536];
	char address[PP_ADDRESS_TEXT];
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct pp_publication *p = &list->items[i];

		for (long k = 0; k < p->count; k++)
			lines[count++] = port_line(pp_protocol_name(p->protocol),
						   pp_address_format(&p->address, address),
						   p->host_port ? p->host_port + k : 0, p->host_port_last,
						   p->container_port + k);
	}
	return join(lines, count);
}

static char *wanted_ports(const json_t *out)
{
	static char *lines[65536];
	size_t i;
	json_t *port;

	json_array_foreach (out, i, port) {
		const json_t *pool = json_object_get(port, "host_range");
		json_int_t host = json_integer_value(json_object_get(port, "host")), last = 0;

		if (pool) {
			host = json_integer_value(json_array_get(pool, 0));
			last = json_integer_value(json_array_get(pool, 1));
		}
		lines[i] = port_line(json_string_value(json_object_get(port, "proto")),
				     json_string_value(json_object_get(port, "ip")), host, last,
				     json_integer_value(json_object_get(port, "container")));
	}
	return join(lines, json_array_size(out));
}

static void check_range(const struct pp_publications *list, const json_t *range, const char *shown)
{
	const json_t *host = json_object_get(range, "host"), *container = json_object_get(range, "container");

	ck_assert_msg(list->count == 1, "%s: %zu publications", shown, list->count);
	ck_assert_int_eq(list->items[0].count, json_integer_value(json_object_get(range, "count")));
	ck_assert_int_eq(list->items[0].host_port, json_integer_value(json_array_get(host, 0)));
	ck_assert_int_eq(pp_publication_last(&list->items[0]), json_integer_value(json_array_get(host, 1)));
	ck_assert_int_eq(list->items[0].container_port, json_integer_value(json_array_get(container, 0)));
	ck_assert_str_eq(pp_protocol_name(list->items[0].protocol),
			 json_string_value(json_object_get(range, "proto")));
}

enum reader { SPEC, DOCUMENT };

static int read_row(enum reader reader, enum pp_dialect dialect, const char *text, size_t len,
		    struct pp_publications *list, struct pp_error *err)
{
	struct pp_publication publication;
	int ret;

	if (reader == DOCUMENT)
		return pp_json_read(text, len, dialect, NULL, list, err);
	ret = pp_spec_parse(text, len, PP_SPEC_ALL, &publication, err);
	return ret < 0 ? ret : pp_publications_append(list, &publication, err);
}

/* The conflicts of one request belong to the outcome: the plan finds them. */
static void check_row(const json_t *row, enum reader reader, enum pp_dialect dialect)
{
	const json_t *range = json_object_get(row, "out_range");
	struct pp_publications list = PP_PUBLICATIONS_INIT;
	struct pp_error err = { 0 };
	static char text[LINE_SIZE], shown[200];
	size_t len = input_of(row, text, sizeof(text));
	int ret = read_row(reader, dialect, text, len, &list, &err);

	pp_show(shown, sizeof(shown), text, len);
	if (ret == 0)
		ret = pp_conflicts_find(&list, NULL, &err);
	ck_assert_msg((ret == 0) == json_is_true(json_object_get(row, "ok")), "%s: %s (%s)", shown,
		      ret == 0 ? "accepted" : err.message, json_string_value(json_object_get(row, "why")));
	if (ret == 0 && range) {
		check_range(&list, range, shown);
	} else if (ret == 0) {
		char *have = ports_of(&list), *want = wanted_ports(json_object_get(row, "out"));

		ck_assert_msg(strcmp(have, want) == 0, "%s gave\n%swanted\n%s", shown, have, want);
		free(have);
		free(want);
	} else {
		ck_assert_msg(err.message[0], "%s: refused without a word", shown);
	}
	pp_publications_fini(&list);
}

START_TEST(corpus_publish_line_has_its_outcome)
{
	check_row(corpora[PUBLISH].rows[_i], SPEC, PP_DIALECT_AUTO);
}
END_TEST

START_TEST(corpus_disco_line_has_its_outcome)
{
	check_row(corpora[DISCO].rows[_i], DOCUMENT, PP_DIALECT_DISCO);
}
END_TEST

START_TEST(corpus_compose_line_has_its_outcome)
{
	check_row(corpora[COMPOSE].rows[_i], DOCUMENT, PP_DIALECT_COMPOSE);
}
END_TEST

START_TEST(corpus_netavark_line_has_its_outcome)
{
	check_row(corpora[NETAVARK].rows[_i], DOCUMENT, PP_DIALECT_NETAVARK);
}
END_TEST

START_TEST(corpus_cni_line_has_its_outcome)
{
	check_row(corpora[CNI].rows[_i], DOCUMENT, PP_DIALECT_CNI);
}
END_TEST

/* A list of bare text or numbers is compose's by its look, whatever else it was meant to be. */
static bool is_compose_by_look(const char *text)
{
	return strcmp(text, "[\"80:80\"]") == 0 || strcmp(text, "[80]") == 0;
}

START_TEST(corpus_documents_are_told_by_their_keys)
{
	for (int c = DISCO; c <= CNI; c++) {
		for (int i = 0; i < corpora[c].count; i++) {
			const char *text = json_string_value(json_object_get(corpora[c].rows[i], "doc_text"));

			if (!is_compose_by_look(text))
				check_row(corpora[c].rows[i], DOCUMENT, PP_DIALECT_AUTO);
		}
	}
}
END_TEST

Suite *suite_corpus(void)
{
	Suite *suite = suite_create("corpus");
	TCase *tcase = tcase_create("corpus");

	tcase_add_loop_test(tcase, corpus_publish_line_has_its_outcome, 0, load(PUBLISH));
	tcase_add_loop_test(tcase, corpus_disco_line_has_its_outcome, 0, load(DISCO));
	tcase_add_loop_test(tcase, corpus_compose_line_has_its_outcome, 0, load(COMPOSE));
	tcase_add_loop_test(tcase, corpus_netavark_line_has_its_outcome, 0, load(NETAVARK));
	tcase_add_loop_test(tcase, corpus_cni_line_has_its_outcome, 0, load(CNI));
	tcase_add_test(tcase, corpus_documents_are_told_by_their_keys);
	suite_add_tcase(suite, tcase);
	return suite;
}
