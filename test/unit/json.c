/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/json.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void join(const struct pp_publications *list, char *out, size_t size)
{
	char text[PP_PUBLICATION_TEXT];

	out[0] = '\0';
	for (size_t i = 0; i < list->count; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? " " : "",
			 pp_publication_format(&list->items[i], text));
}

#define DISCO_FILE                                                                                           \
	"{\"version\":\"1.0\",\"services\":{\"web\":{\"port\":8000,\"publishedPorts\":[{\"publishedAs\":80," \
	"\"fromContainerPort\":8000}]},\"db\":{\"publishedPorts\":[{\"publishedAs\":5432,"                   \
	"\"fromContainerPort\":5432}]},\"worker\":{}}}"

static const struct {
	const char *text, *service, *publications;
	enum pp_dialect dialect;
} good[] = {
	/* nothing to publish */
	{ "[]", NULL, "", PP_DIALECT_AUTO },
	{ "{\"publishedPorts\":[]}", NULL, "", PP_DIALECT_AUTO },
	{ "{\"portMappings\":null}", NULL, "", PP_DIALECT_AUTO },
	{ "{\"port_mappings\":null,\"networks\":{}}", NULL, "", PP_DIALECT_AUTO },
	{ "{\"PortBindings\":{}}", NULL, "", PP_DIALECT_AUTO },
	{ "{\"80/tcp\":null}", NULL, "", PP_DIALECT_AUTO },
	{ "{\"runtimeConfig\":{}}", NULL, "", PP_DIALECT_AUTO },
	{ "{\"services\":{\"web\":{}}}", NULL, "", PP_DIALECT_AUTO },
	{ "{\"services\":{\"web\":{}}}", "web", "", PP_DIALECT_AUTO },
	{ "{}", NULL, "", PP_DIALECT_DOCKER },
	{ "null", NULL, "", PP_DIALECT_CNI },
	{ "null", NULL, "", PP_DIALECT_DOCKER },
	{ "[{\"hostPort\":80,\"containerPort\":81,\"hostIP\":null,\"protocol\":null}]", NULL, "80:81/tcp",
	  PP_DIALECT_AUTO },
	/* where the list is */
	{ "{\"publishedPorts\":[{\"publishedAs\":80,\"fromContainerPort\":81}],\"port\":1}", NULL,
	  "80:81/tcp", PP_DIALECT_AUTO },
	{ DISCO_FILE, "web", "80:8000/tcp", PP_DIALECT_AUTO },
	{ DISCO_FILE, "db", "5432:5432/tcp", PP_DIALECT_AUTO },
	{ DISCO_FILE, "worker", "", PP_DIALECT_AUTO },
	{ "{\"services\":{\"a\":{\"ports\":[]},\"b\":{\"ports\":[\"80:81\"]}}}", NULL, "80:81/tcp",
	  PP_DIALECT_AUTO },
	{ "{\"cniVersion\":\"1.0.0\",\"runtimeConfig\":{\"portMappings\":[{\"HostPort\":80,\"CONTAINERPORT\":"
	  "81,"
	  "\"hostip\":\"::1\",\"unknown\":{}}]}}",
	  NULL, "[::1]:80:81/tcp", PP_DIALECT_AUTO },
	{ "{\"runtimeConfig\":{\"PortMappings\":[{\"hostPort\":80,\"containerPort\":81}]}}", NULL,
	  "80:81/tcp", PP_DIALECT_AUTO },
	{ "{\"container_id\":\"x\",\"port_mappings\":[{\"host_ip\":\"\",\"container_port\":1,\"host_port\":2,"
	  "\"range\":65534,\"protocol\":\"udp\"}]}",
	  NULL, "2-65535:1-65534/udp", PP_DIALECT_AUTO },
	{ "[{\"Id\":\"x\",\"HostConfig\":{\"PortBindings\":{\"80/"
	  "tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]}},"
	  "\"Config\":{\"ExposedPorts\":{\"80/tcp\":{}}}}]",
	  NULL, "8080:80/tcp", PP_DIALECT_AUTO },
	{ "[{\"Id\":\"x\",\"HostConfig\":{\"PortBindings\":{\"80/"
	  "tcp\":[{\"HostIp\":\"\",\"HostPort\":\"8080\"}]}},"
	  "\"Config\":{\"ExposedPorts\":{\"80/tcp\":{}}}}]",
	  NULL, "80/tcp", PP_DIALECT_OCI },
	{ "{\"services\":{\"web\":{\"ports\":[80],\"publishedPorts\":[{\"publishedAs\":1}]}}}", NULL,
	  "80/tcp", PP_DIALECT_COMPOSE },
	{ "{\"services\":{},\"portMappings\":[{\"hostPort\":80,\"containerPort\":81}]}", NULL, "80:81/tcp",
	  PP_DIALECT_CNI },
	/* Docker */
	{ "{\"80/"
	  "tcp\":[{\"HostIp\":\"0.0.0.0\",\"HostPort\":\"80\"},{\"HostIp\":\"::\",\"HostPort\":\"80\"}],"
	  "\"53/udp\":[{\"HostPort\":\"\"},{\"HostPort\":\"8000-8010\"}],\"9\":[{\"HostPort\":\"0\"}]}",
	  NULL, "0.0.0.0:80:80/tcp [::]:80:80/tcp 53/udp 8000-8010:53/udp 9/tcp", PP_DIALECT_AUTO },
	/* OCI */
	{ "{\"architecture\":\"amd64\",\"config\":{\"ExposedPorts\":{\"80/tcp\":{},\"53/udp\":{},\"9\":{}}}}",
	  NULL, "80/tcp 53/udp 9/tcp", PP_DIALECT_AUTO },
	{ "[{\"Config\":{\"ExposedPorts\":{\"80/tcp\":{}}}}]", NULL, "80/tcp", PP_DIALECT_AUTO },
	{ "[{\"Config\":{\"ExposedPorts\":null}}]", NULL, "", PP_DIALECT_AUTO },
	{ "{\"80/tcp\":{}}", NULL, "80/tcp", PP_DIALECT_AUTO },
	/* compose counts once what is said twice */
	{ "[\"80:80\",{\"target\":80,\"published\":\"80\"}]", NULL, "80:80/tcp", PP_DIALECT_AUTO },
	{ "[\"8005-8010:5-10\",\"9\",\"8001-8006:1-6\",\"8011:11\"]", NULL,
	  "8001-8010:1-10/tcp 9/tcp 8011:11/tcp", PP_DIALECT_AUTO },
	{ "[\"9-10\",\"10-11\",\"9-10/udp\"]", NULL, "9-11/tcp 9-10/udp", PP_DIALECT_AUTO },
	{ "[\"8000-8010:80\",\"8000-8010:80\",\"8000-8010:81\"]", NULL, "8000-8010:80/tcp 8000-8010:81/tcp",
	  PP_DIALECT_AUTO },
	{ "[{\"target\":80,\"published\":\"8000-8010\",\"host_ip\":\"::ffff:10.0.0.1\"}]", NULL,
	  "10.0.0.1:8000-8010:80/tcp", PP_DIALECT_AUTO },
};

START_TEST(json_reads_every_dialect_where_it_stands)
{
	struct pp_publications list = PP_PUBLICATIONS_INIT;
	struct pp_error err = { 0 };
	char text[512];
	int ret = pp_json_read(good[_i].text, strlen(good[_i].text), good[_i].dialect, good[_i].service,
			       &list, &err);

	ck_assert_msg(ret == 0, "%s\n%s: %s", good[_i].text, err.where, err.message);
	join(&list, text, sizeof(text));
	ck_assert_msg(strcmp(text, good[_i].publications) == 0, "%s\ngave %s", good[_i].text, text);
	pp_publications_fini(&list);
}
END_TEST

static const struct {
	const char *text, *service, *where, *message;
} bad[] = {
	/* the path, down to the value */
	{ "{\"services\":{\"web\":{\"publishedPorts\":[{\"publishedAs\":1,\"fromContainerPort\":1},"
	  "{\"publishedAs\":2,\"fromContainerPort\":2},{\"publishedAs\":70000,\"fromContainerPort\":3}]}}}",
	  NULL, "services.web.publishedPorts[2].publishedAs", "70000 is outside 1 to 65535" },
	{ "[{\"publishedAs\":4294967376,\"fromContainerPort\":80}]", NULL, "[0].publishedAs",
	  "4294967376 is outside 1 to 65535" },
	{ "[{\"publishedAs\":-9223372036854775808,\"fromContainerPort\":80}]", NULL, "[0].publishedAs",
	  "-9223372036854775808 is outside 1 to 65535" },
	{ "[{\"publishedAs\":80.0,\"fromContainerPort\":80}]", NULL, "[0].publishedAs",
	  "must be a whole number, not a number with a fraction or exponent" },
	{ "[{\"publishedAs\":\"80\",\"fromContainerPort\":80}]", NULL, "[0].publishedAs",
	  "must be a whole number, not text" },
	{ "[{\"publishedAs\":80}]", NULL, "[0].fromContainerPort", "this key is required" },
	{ "[{\"publishedAs\":80,\"fromContainerPort\":80,\"hostIp\":\"127.0.0.1\"}]", NULL, "[0].hostIp",
	  "unknown key: a misspelt one would open more than was asked" },
	{ "[{\"hostPort\":80,\"containerPort\":80,\"HOSTPORT\":81}]", NULL, "[0].HOSTPORT",
	  "stands twice in this entry, in two spellings" },
	{ "[{\"host_ip\":\"\",\"host_port\":65535,\"container_port\":1,\"range\":2,\"protocol\":\"tcp\"}]",
	  NULL, "[0].range", "2 ports from here run past 65535" },
	{ "[{\"host_ip\":\"\",\"host_port\":0,\"container_port\":1,\"range\":1,\"protocol\":\"tcp\"}]", NULL,
	  "[0].host_port", "0 is outside 1 to 65535" },
	{ "[{\"host_ip\":\"\",\"host_port\":1,\"container_port\":65535,\"range\":2,\"protocol\":\"tcp\"}]",
	  NULL, "[0].range", "2 ports from here run past 65535" },
	{ "[{\"target\":80,\"host_ip\":\"\"}]", NULL, "[0].host_ip",
	  "is empty: leave the key out to open every address" },
	{ "{\"80/tcp\":[{\"HostIP\":\"127.0.0.1\",\"HostPort\":\"80\"}]}", NULL, "80/tcp[0].HostIP",
	  "unknown key: a misspelt one would open more than was asked" },
	{ "{\"80/icmp\":[]}", NULL, "80/icmp", "the protocol of this key is not tcp, udp or sctp" },
	{ "{\"80/tcp\":[{\"HostIp\":\"localhost\",\"HostPort\":\"1\"}]}", NULL, "80/tcp[0].HostIp",
	  "\"localhost\" is not an IPv4 or IPv6 address (no name, zone, prefix or brackets)" },
	{ "{\"80/tcp\":[{\"HostPort\":\"90000\"}]}", NULL, "80/tcp[0].HostPort",
	  "host port must be 1 to 65535, or 0 for a free one" },
	{ "{\"80/tcp\":{\"x\":1}}", NULL, "80/tcp", "an exposed port has the value {}" },
	{ "[\"80:80/xyz\"]", NULL, "[0]", "protocol must be tcp, udp or sctp" },
	{ "[\"target=80\"]", NULL, "[0]", "this byte has no place in a spec" },
	{ "[\"8005-8010:5-10\",\"8000-8006:0-6\"]", NULL, "[1]", "a range of ports cannot contain 0" },
	/* what the document is */
	{ "null", NULL, "", "expected a list of ports or an object that holds one, not null" },
	{ "{}", NULL, "",
	  "no ports here: expected a list, or an object that holds publishedPorts, portMappings, ports,"
	  " port_mappings, PortBindings, ExposedPorts or services" },
	{ "[{}]", NULL, "",
	  "these entries have no key that tells what they are: publishedAs, hostPort, target, host_port "
	  "(mind the case)" },
	{ "{\"ports\":[],\"publishedPorts\":[]}", NULL, "",
	  "holds both publishedPorts and ports: choose one with --dialect" },
	{ "{\"services\":{\"web\":{\"ports\":[80],\"publishedPorts\":[{\"publishedAs\":1}]}}}", NULL,
	  "services.web", "holds both publishedPorts and ports: choose one with --dialect" },
	{ "{\"services\":{},\"portMappings\":[]}", NULL, "",
	  "holds both services and portMappings: choose one with --dialect" },
	{ "{\"HostConfig\":{},\"runtimeConfig\":{}}", NULL, "",
	  "holds both runtimeConfig and HostConfig: choose one with --dialect" },
	{ "{\"portMappings\":[],\"runtimeConfig\":{}}", NULL, "",
	  "holds both portMappings and runtimeConfig: choose one with --dialect" },
	{ "{\"services\":[]}", NULL, "services", "must be an object, not a list" },
	{ "{\"services\":{\"web\":{\"PublishedPorts\":[]}}}", NULL, "services.web.PublishedPorts",
	  "did you mean publishedPorts?" },
	{ "{\"services\":{\"web\":{\"published_ports\":[]}}}", NULL, "services.web.published_ports",
	  "did you mean publishedPorts?" },
	{ "{\"services\":{\"a\":{\"publishedPorts\":null},\"b\":{\"ports\":[80]}}}", NULL,
	  "services.a.publishedPorts", "must be a list, not null" },
	{ "{\"publishedAs\":80,\"fromContainerPort\":80}", NULL, "",
	  "this is one entry: put it in a list, [ ]" },
	{ "{\"publishedPorts\":[{\"publishedAs\":80,\"fromContainerPort\":1},{\"publishedAs\":81,"
	  "\"fromContainerPort\":1},{\"publishedAs\":80,\"fromContainerPort\":2}]}",
	  NULL, "publishedPorts[2]",
	  "80:2/tcp: host port 80/tcp is already taken by 80:1/tcp in the same request" },
	{ "{\"ports\":[\"80:80\",\"80:81\"]}", NULL, "ports",
	  "80:81/tcp: host port 80/tcp is already taken by 80:80/tcp in the same request" },
	{ "{\"ExposedPorts\":{\"80/tcp\":{},\"0080\":{}}}", NULL, "ExposedPorts.0080",
	  "this port stands here twice, in two spellings" },
	{ "[{\"hostPort\":80,\"containerPort\":80,\"ho\\u017ftIP\":\"localhost\"}]", NULL,
	  "[0].ho\\xc5\\xbftIP",
	  "\"localhost\" is not an IPv4 or IPv6 address (no name, zone, prefix or brackets)" },
	{ "{\"publishedPorts\":null}", NULL, "publishedPorts", "must be a list, not null" },
	{ DISCO_FILE, NULL, "services", "web and db both publish ports: choose one with --service" },
	{ DISCO_FILE, "nosuch", "services.nosuch", "there is no such service" },
	{ "[]", "web", "", "--service needs a document with services; this is a list" },
	{ "[{\"HostConfig\":{}},{\"HostConfig\":{}}]", NULL, "",
	  "2 things were inspected here: one at a time" },
	{ "{\"services\":{\"a\":1}}", NULL, "services.a", "must be an object, not a whole number" },
	/* what is no JSON */
	{ "[{\"publishedAs\":80,\n \"fromContainerPort\":080}]", NULL, "",
	  "line 2, column 22: invalid token near '0'" },
	{ "[{\"publishedAs\":1,\"publishedAs\":2}]", NULL, "",
	  "line 1, column 31: duplicate object key near '\"publishedAs\"'" },
	{ "", NULL, "", "line 1, column 0: unexpected token near end of file" },
	{ "[1000000000000000000000000000000]", NULL, "", "line 1, column 32: too big integer" },
	{ "[\"\x1b\"]", NULL, "", "line 1, column 2: control character 0x1b near '\"'" },
};

START_TEST(json_names_the_place_of_what_is_wrong)
{
	struct pp_publications list = PP_PUBLICATIONS_INIT;
	struct pp_error err = { 0 };
	int ret = pp_json_read(bad[_i].text, strlen(bad[_i].text), PP_DIALECT_AUTO, bad[_i].service, &list,
			       &err);

	bool syntax = strncmp(bad[_i].message, "line ", strlen("line ")) == 0;

	ck_assert_msg(ret == (syntax ? -EBADMSG : -EINVAL), "%s: %d", bad[_i].text, ret);
	ck_assert_str_eq(err.where, bad[_i].where);
	ck_assert_str_eq(err.message, bad[_i].message);
	ck_assert_uint_eq(list.count, 0);
	pp_publications_fini(&list);
}
END_TEST

START_TEST(json_keeps_what_was_there_when_it_fails)
{
	struct pp_publications list = unit_publications((const char *const[]){ "80" }, 1);
	const char *text =
		"[{\"publishedAs\":1,\"fromContainerPort\":1},{\"publishedAs\":0,\"fromContainerPort\":1}]";
	struct pp_error err;

	ck_assert_int_eq(pp_json_read(text, strlen(text), PP_DIALECT_AUTO, NULL, &list, &err), -EINVAL);
	ck_assert_uint_eq(list.count, 1);
	pp_publications_fini(&list);
}
END_TEST

/* A text of @size bytes: @open, then @repeat as often as it fits, then @close. */
static char *flood(size_t size, const char *open, const char *repeat, const char *close)
{
	size_t step = strlen(repeat), used = strlen(open);
	char *text = calloc(1, size + 1);

	ck_assert_ptr_nonnull(text);
	memcpy(text, open, used);
	for (; used + step + strlen(close) <= size; used += step)
		memcpy(text + used, repeat, step);
	memcpy(text + used, close, strlen(close));
	return text;
}

static const struct {
	size_t size;
	const char *open, *repeat, *close;
} floods[] = {
	{ PP_JSON_MAX + 1, "[", " ", "]" },
	{ PP_JSON_MAX, "", "[", "" },
	{ PP_JSON_MAX, "", "{\"a\":", "" },
	{ PP_JSON_MAX, "[", "80,", "80]" },
	{ PP_JSON_MAX, "[", "{},", "80]" },
	{ PP_JSON_MAX, "[{\"target\":80,\"published\":\"", "0", "80\"}]" },
	{ 1 << 20, "[\"", "1:", "80\"]" },
	{ 1 << 20, "{\"", "a", "\":[]}" },
	{ 1 << 20, "[{\"target\":80,\"", "x", "\":1}]" },
	{ 1 << 20, "[{\"target\":80,\"published\":\"", "\\u00e9", "\"}]" },
	{ 1 << 20, "{\"", "8", "/tcp\":[]}" },
	{ 1 << 20, "{\"80/", "\\u0001", "\":[]}" },
};

START_TEST(json_answers_a_flood_with_a_clear_error)
{
	char *text = flood(floods[_i].size, floods[_i].open, floods[_i].repeat, floods[_i].close);
	struct pp_publications list = PP_PUBLICATIONS_INIT;
	struct pp_error err = { 0 };

	ck_assert_int_lt(pp_json_read(text, strlen(text), PP_DIALECT_AUTO, NULL, &list, &err), 0);
	ck_assert(err.code == EINVAL || err.code == EBADMSG);
	ck_assert(err.message[0]);
	ck_assert_uint_lt(strlen(err.where), sizeof(err.where));
	free(text);
	pp_publications_fini(&list);
}
END_TEST

START_TEST(json_of_a_publication_has_the_promised_shape)
{
	static const struct {
		const char *spec, *json;
	} rows[] = {
		{ "127.0.0.1:3456:3000", "{\"protocol\":\"tcp\",\"address\":\"127.0.0.1\",\"host_port\":3456,"
					 "\"container_port\":3000,\"count\":1}" },
		{ "8000-8010:80/udp", "{\"protocol\":\"udp\",\"address\":\"\",\"host_port\":8000,"
				      "\"container_port\":80,\"count\":1,\"host_port_last\":8010}" },
		{ "[::]::80-89/sctp", "{\"protocol\":\"sctp\",\"address\":\"::\",\"host_port\":0,"
				      "\"container_port\":80,\"count\":10}" },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct pp_publication publication = unit_publication(rows[i].spec);
		json_t *object = pp_publication_to_json(&publication);
		char *text = json_dumps(object, JSON_COMPACT);

		ck_assert_str_eq(text, rows[i].json);
		free(text);
		json_decref(object);
	}
}
END_TEST

START_TEST(json_dialects_are_known_by_name)
{
	enum pp_dialect dialect;

	for (int i = 0; i < PP_DIALECT_COUNT; i++) {
		ck_assert(pp_dialect_parse(pp_dialect_name((enum pp_dialect)i), &dialect));
		ck_assert_int_eq((int)dialect, i);
	}
	ck_assert(!pp_dialect_parse("yaml", &dialect));
}
END_TEST

Suite *suite_json(void)
{
	Suite *suite = suite_create("json");
	TCase *tcase = tcase_create("json");

	tcase_set_timeout(tcase, 60);
	tcase_add_loop_test(tcase, json_reads_every_dialect_where_it_stands, 0, UNIT_COUNT(good));
	tcase_add_loop_test(tcase, json_names_the_place_of_what_is_wrong, 0, UNIT_COUNT(bad));
	tcase_add_test(tcase, json_keeps_what_was_there_when_it_fails);
	tcase_add_loop_test(tcase, json_answers_a_flood_with_a_clear_error, 0, UNIT_COUNT(floods));
	tcase_add_test(tcase, json_of_a_publication_has_the_promised_shape);
	tcase_add_test(tcase, json_dialects_are_known_by_name);
	suite_add_tcase(suite, tcase);
	return suite;
}
