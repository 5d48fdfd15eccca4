/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Runs every suite and prints TAP on stdout. CK_FORK=no for the debugger. */
#include "unit.h"

#include "portpub/spec.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *unit_carets(const struct pp_error *err)
{
	static char line[sizeof(err->input) * 2 + sizeof(err->message)];

	snprintf(line, sizeof(line), "%*s%.*s %s", (int)err->column, "", (int)err->width,
		 "^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^", err->message);
	return line;
}

struct pp_publication unit_publication(const char *spec)
{
	struct pp_publication publication;
	struct pp_error err;

	if (pp_spec_parse(spec, strlen(spec), PP_SPEC_ALL, &publication, &err) < 0)
		ck_abort_msg("%s: %s", spec, err.message);
	return publication;
}

struct pp_publications unit_publications(const char *const specs[], size_t count)
{
	struct pp_publications list = PP_PUBLICATIONS_INIT;
	struct pp_error err;

	for (size_t i = 0; i < count; i++) {
		struct pp_publication publication = unit_publication(specs[i]);

		ck_assert_int_eq(pp_publications_append(&list, &publication, &err), 0);
	}
	return list;
}

int main(void)
{
	SRunner *runner = srunner_create(suite_address());
	int failed;

	srunner_add_suite(runner, suite_array());
	srunner_add_suite(runner, suite_network());
	srunner_add_suite(runner, suite_error());
	srunner_add_suite(runner, suite_publication());
	srunner_add_suite(runner, suite_spec());
	srunner_add_suite(runner, suite_json());
	srunner_add_suite(runner, suite_corpus());
	srunner_add_suite(runner, suite_plan());
	srunner_add_suite(runner, suite_config());
	srunner_add_suite(runner, suite_conflict());
	srunner_add_suite(runner, suite_ruleset());
	srunner_add_suite(runner, suite_socket());
	srunner_add_suite(runner, suite_container());
	srunner_add_suite(runner, suite_duration());
	srunner_add_suite(runner, suite_forwarder());
	srunner_add_suite(runner, suite_entry());
	srunner_add_suite(runner, suite_record());
	srunner_add_suite(runner, suite_store());
	srunner_add_suite(runner, suite_go_flags());
	srunner_add_suite(runner, suite_attachment());
	srunner_add_suite(runner, suite_condition());
	srunner_add_suite(runner, suite_network_config());
	srunner_add_suite(runner, suite_hook_state());
	srunner_set_tap(runner, "-");
	srunner_run_all(runner, CK_SILENT);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
