/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/hook_state.h"
#include "portpub/record.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* With ' for ", to be read here. */
static int read_state(const char *text, struct pp_hook_state *out, struct pp_error *err)
{
	char *copy = strdup(text);
	int ret;

	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	ret = pp_hook_state_read(copy, strlen(copy), out, err);
	free(copy);
	return ret;
}

static const struct {
	const char *text;
	int pid;
	const char *error; /* its beginning, or NULL */
} states[] = {
	/* As crun and runc write them: before the container begins, and after its end. */
	{ "{'ociVersion':'1.0','id':'c','pid':55,'root':'/r','bundle':'/"
	  "b','status':'created','annotations':{'a':'b'}}",
	  55, NULL },
	{ "{'ociVersion':'1.0','id':'c','pid':0,'root':'/r','bundle':'/"
	  "b','status':'stopped','annotations':{}}",
	  0, NULL },
	{ "{'ociVersion':'1.0.2-dev','id':'c','status':'creating','pid':67,'bundle':'/b'}", 67, NULL },
	{ "{'ociVersion':'1.0.2-dev','id':'c','status':'stopped','bundle':'/b','annotations':null}", 0,
	  NULL },
	{ "{'id':'c'}", 0, NULL },
	{ "{'id':'c','pid':2147483647}", 2147483647, NULL },
	{ "{'id':'c','pid':2147483648}", 0, "pid: must be the number of a process" },
	{ "{'id':'c','pid':-1}", 0, "pid: must be the number of a process" },
	{ "{'id':'c','pid':1.0}", 0, "pid: must be the number of a process" },
	{ "{'id':'c','pid':'1'}", 0, "pid: must be the number of a process" },
	{ "{'id':'c','pid':null}", 0, "pid: must be the number of a process" },
	{ "{'pid':1}", 0, "id: this key is required" },
	{ "{'id':''}", 0, "id: this key is required" },
	{ "{'id':7}", 0, "id: must be text" },
	{ "{'id':'a\\u0000b'}", 0, "id: must be text" },
	{ "{'id':'c','bundle':[]}", 0, "bundle: must be text" },
	{ "{'id':'c','status':null}", 0, "status: must be text" },
	{ "{'id':'c','annotations':[]}", 0, "annotations: must be an object, not a list" },
	{ "{'id':'a','id':'b'}", 0, "the state of the container is no JSON: line 1" },
	{ "[]", 0, "the state of the container is no JSON object" },
	{ "null", 0, "the state of the container is no JSON object" },
	{ "", 0, "the state of the container is no JSON: line 1" },
	{ "{'id':'c'} {}", 0, "the state of the container is no JSON: line 1" },
	{ "{'id':'\xff'}", 0, "the state of the container is no JSON: line 1" },
};

START_TEST(state_is_read_as_runtimes_write_it)
{
	struct pp_hook_state state = PP_HOOK_STATE_INIT;
	const char *error = states[_i].error;
	struct pp_error err = { 0 };
	int ret = read_state(states[_i].text, &state, &err);

	ck_assert_msg((ret == 0) == !error, "%s: %s", states[_i].text, err.message);
	ck_assert_msg(!error || strncmp(err.message, error, strlen(error)) == 0, "%s: %s", states[_i].text,
		      err.message);
	ck_assert_int_eq(state.pid, states[_i].pid);
	if (!error)
		ck_assert_str_eq(state.container, "c");
	else
		ck_assert_ptr_null(state.root);
	pp_hook_state_fini(&state);
}
END_TEST

START_TEST(state_has_a_largest_size)
{
	size_t len = PP_HOOK_STATE_MAX + 1;
	struct pp_hook_state state = PP_HOOK_STATE_INIT;
	char *text = malloc(len);
	struct pp_error err;

	memset(text, ' ', len);
	memcpy(text, "{\"id\":\"c\"}", 10);
	ck_assert_int_eq(pp_hook_state_read(text, len, &state, &err), -EBADMSG);
	ck_assert_int_eq(pp_hook_state_read(text, len - 1, &state, &err), 0);
	pp_hook_state_fini(&state);
	free(text);
}
END_TEST

static const struct {
	const char *stage, *status;
	int task; /* or -1 */
} tasks[] = {
	{ NULL, "creating", PP_HOOK_PUBLISH },
	{ NULL, "created", PP_HOOK_PUBLISH },
	{ NULL, "running", PP_HOOK_PUBLISH },
	{ NULL, "stopped", PP_HOOK_UNPUBLISH },
	{ NULL, "", -1 },
	{ NULL, "paused", -1 },
	{ NULL, "Stopped", -1 },
	{ "prestart", "stopped", PP_HOOK_PUBLISH },
	{ "createRuntime", "", PP_HOOK_PUBLISH },
	{ "poststart", "created", PP_HOOK_PUBLISH },
	{ "poststop", "created", PP_HOOK_UNPUBLISH },
	{ "createContainer", "creating", -1 },
	{ "startContainer", "created", -1 },
	{ "", "created", -1 },
};

START_TEST(task_is_told_by_the_stage_or_the_status)
{
	struct pp_hook_state state = { .container = "c", .status = tasks[_i].status };
	struct pp_error err = { 0 };
	enum pp_hook_task task;
	int ret = pp_hook_state_task(&state, tasks[_i].stage, &task, &err);

	ck_assert_msg((ret == 0) == (tasks[_i].task >= 0), "%s", err.message);
	if (ret == 0)
		ck_assert_int_eq(task, tasks[_i].task);
	else
		ck_assert(ret == -EINVAL && err.message[0]);
}
END_TEST

static const struct {
	const char *annotations;
	const char *wanted; /* what is asked for, see describe(), or where and message */
} requests[] = {
	{ "", "" },
	{ "'portpub.ports':''", "" },
	{ "'portpub.ports':' , '", "" },
	{ "'portpub.ports':'127.0.0.1:3456:3000/tcp'", "127.0.0.1:3456:3000/tcp " },
	{ "'portpub.ports':'8080:80 5000:53/udp'", "8080:80/tcp 5000:53/udp " },
	{ "'portpub.ports':'8080:80,5000:53/udp'", "8080:80/tcp 5000:53/udp " },
	{ "'portpub.ports':',\\n8080:80,\\t 5000:53/udp, '", "8080:80/tcp 5000:53/udp " },
	{ "'portpub.ports':'[::1]:80:80'", "[::1]:80:80/tcp " },
	{ "'portpub.ports':'  [fd00::1]:8000-8009:8000-8009/udp'", "[fd00::1]:8000-8009:8000-8009/udp " },
	{ "'portpub.ports':'80'", "80/tcp " },
	{ "'portpub.ports':'[]'", "" },
	{ "'portpub.ports':' [ ] '", "" },
	{ "'portpub.ports':'[{\\'publishedAs\\': 12000, \\'fromContainerPort\\': 11000, \\'protocol\\': "
	  "\\'udp\\'}]'",
	  "12000:11000/udp " },
	{ "'portpub.ports':'{\\'publishedPorts\\': [{\\'publishedAs\\': 80, \\'fromContainerPort\\': "
	  "8080}]}'",
	  "80:8080/tcp " },
	{ "'portpub.ports':'80:80','portpub.via':'userspace','portpub.allow':'10.0.0.0/8, fd00::/8 "
	  "::1','portpub.to':'127.0.0.1,::1'",
	  "80:80/tcp via userspace allow 10.0.0.0/8 fd00::/8 ::1/128 to 127.0.0.1 ::1 " },
	{ "'portpub.ports':'80:80','portpub.via':'auto'", "80:80/tcp via auto " },
	{ "'other':7,'portpub':[],'portpubber.ports':'','Portpub.x':''", "" },
	{ "'portpub.ports':'8080:80 70000:80'",
	  "portpub.ports: host port must be 1 to 65535, or 0 for a free one" },
	{ "'portpub.ports':'published=80,target=80'", "portpub.ports: " },
	{ "'portpub.ports':'80:80;90:90'", "portpub.ports: " },
	{ "'portpub.ports':'[{\\'hostPort\\': 80}]'", "portpub.ports: [0].hostPort: " },
	{ "'portpub.ports':'[{\\'publishedAs\\': 0}]'", "portpub.ports: [0].publishedAs: " },
	{ "'portpub.ports':'{'", "portpub.ports: line 1, column 1: " },
	{ "'portpub.ports':'[[]]'", "portpub.ports: " },
	{ "'portpub.ports':['80:80']", "portpub.ports: must be text, not a list" },
	{ "'portpub.ports':'80:80\\u0000'", "portpub.ports: has a NUL in it" },
	{ "'portpub.via':'kernal'", "portpub.via: must be auto, kernel or userspace" },
	{ "'portpub.allow':''", "portpub.allow: names no network" },
	{ "'portpub.allow':' , '", "portpub.allow: names no network" },
	{ "'portpub.allow':'10.0.0.1/8'", "portpub.allow: " },
	{ "'portpub.to':'web'", "portpub.to: " },
	{ "'portpub.to':'127.0.0.1,127.0.0.2'", "portpub.to: " },
	{ "'portpub.allows':'10.0.0.0/8'", "portpub.allows: is no annotation of portpub" },
	{ "'portpub.':''", "portpub.: is no annotation of portpub" },
	{ "'portpub.Ports':'80:80'", "portpub.Ports: is no annotation of portpub" },
	{ "'portpub.\\u001b[31m':''", "portpub.\\x1b[31m: is no annotation of portpub" },
};

static void describe(const struct pp_request *request, bool is_via_said, char *out, size_t size)
{
	char text[PP_PUBLICATION_TEXT], network[PP_NETWORK_TEXT];
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < request->publications.count; i++)
		used += (size_t)snprintf(out + used, size - used, "%s ",
					 pp_publication_format(&request->publications.items[i], text));
	if (is_via_said)
		used += (size_t)snprintf(out + used, size - used, "via %s ", pp_via_name(request->via));
	for (size_t i = 0; i < request->allow.count; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s ", i ? "" : "allow ",
					 pp_network_format(&request->allow.items[i], network));
	if (pp_target_is_known(&request->target)) {
		used += (size_t)snprintf(out + used, size - used, "to %s ",
					 pp_address_format(&request->target.ipv4, text));
		snprintf(out + used, size - used, "%s ", pp_address_format(&request->target.ipv6, text));
	}
}

START_TEST(annotations_ask_for_what_the_options_of_add_do)
{
	struct pp_hook_state state = PP_HOOK_STATE_INIT;
	struct pp_request request = { 0 };
	struct pp_error err = { 0 };
	char text[512], have[1024];
	bool is_via_said;
	int ret;

	snprintf(text, sizeof(text), "{'id':'c','annotations':{%s}}", requests[_i].annotations);
	ck_assert_int_eq(read_state(text, &state, &err), 0);
	ret = pp_hook_state_request(&state, &request, &is_via_said, &err);
	if (ret == 0) {
		describe(&request, is_via_said, have, sizeof(have));
		ck_assert_str_eq(have, requests[_i].wanted);
	} else {
		ck_assert_msg(ret == -err.code, "%d", ret);
		snprintf(have, sizeof(have), "%s: %s", err.where, err.message);
		ck_assert_msg(requests[_i].wanted[0] &&
				      strncmp(have, requests[_i].wanted, strlen(requests[_i].wanted)) == 0,
			      "%s: %s", text, have);
	}
	pp_request_fini(&request);
	pp_hook_state_fini(&state);
}
END_TEST

START_TEST(annotation_that_is_wrong_keeps_nothing_from_being_taken_back)
{
	struct pp_hook_state state = PP_HOOK_STATE_INIT;
	enum pp_hook_task task;
	struct pp_error err;

	ck_assert_int_eq(read_state("{'id':'c','status':'stopped','annotations':"
				    "{'portpub.ports':['\\u0000'],'portpub.x':null}}",
				    &state, &err),
			 0);
	ck_assert_int_eq(pp_hook_state_task(&state, NULL, &task, &err), 0);
	ck_assert(task == PP_HOOK_UNPUBLISH && pp_hook_state_has_ports(&state));
	pp_hook_state_fini(&state);
	ck_assert_int_eq(read_state("{'id':'c','annotations':{'portpub.via':'auto'}}", &state, &err), 0);
	ck_assert(!pp_hook_state_has_ports(&state));
	pp_hook_state_fini(&state);
}
END_TEST

static const struct {
	const char *container, *bundle;
	const char *id; /* its beginning */
} ids[] = {
	{ "web", "/b", "oci-web-" },
	{ "web", "/c", "oci-web-" },
	{ "web/b", "", "oci-web-b-" },
	{ "we", "b/b", "oci-we-" },
	{ "3b589b589218855c24c4831986b6d7330bbe87a16316ffc7e08df8b51013e658", "/b", "oci-3b589b589218-" },
	{ "3b589b589218855c24c4831986b6d7330bbe87a16316ffc7e08df8b51013e659", "/b", "oci-3b589b589218-" },
	{ "../../etc/passwd", "/b", "oci-..-..-etc-pa-" },
	{ "a+b c\n", "/b", "oci-a-b-c--" },
	{ "\xc3\xa4\x1b[31m", "/b", "oci-----31m-" },
};

START_TEST(ids_are_valid_and_of_one_container)
{
	struct pp_hook_state state = { .container = ids[_i].container, .bundle = ids[_i].bundle };
	char id[PP_HOOK_ID], other[PP_HOOK_ID];
	struct pp_error err;

	pp_hook_state_id(&state, id);
	ck_assert_msg(pp_id_check(id, &err) == 0, "%s", id);
	ck_assert_msg(strncmp(id, ids[_i].id, strlen(ids[_i].id)) == 0, "%s", id);
	ck_assert_uint_eq(strlen(id), strlen(ids[_i].id) + 16);
	for (int i = 0; i < _i; i++) {
		state = (struct pp_hook_state){ .container = ids[i].container, .bundle = ids[i].bundle };
		ck_assert_str_ne(pp_hook_state_id(&state, other), id);
	}
}
END_TEST

Suite *suite_hook_state(void)
{
	Suite *suite = suite_create("hook_state");
	TCase *tcase = tcase_create("hook_state");

	tcase_add_loop_test(tcase, state_is_read_as_runtimes_write_it, 0, UNIT_COUNT(states));
	tcase_add_test(tcase, state_has_a_largest_size);
	tcase_add_loop_test(tcase, task_is_told_by_the_stage_or_the_status, 0, UNIT_COUNT(tasks));
	tcase_add_loop_test(tcase, annotations_ask_for_what_the_options_of_add_do, 0, UNIT_COUNT(requests));
	tcase_add_test(tcase, annotation_that_is_wrong_keeps_nothing_from_being_taken_back);
	tcase_add_loop_test(tcase, ids_are_valid_and_of_one_container, 0, UNIT_COUNT(ids));
	suite_add_tcase(suite, tcase);
	return suite;
}
