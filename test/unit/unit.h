/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The suites, and a few words the tests share. */
#ifndef PORTPUB_TEST_UNIT_H
#define PORTPUB_TEST_UNIT_H

#include "portpub/error.h"
#include "portpub/publication.h"

#include <check.h>

Suite *suite_address(void);
Suite *suite_array(void);
Suite *suite_attachment(void);
Suite *suite_condition(void);
Suite *suite_config(void);
Suite *suite_conflict(void);
Suite *suite_container(void);
Suite *suite_corpus(void);
Suite *suite_duration(void);
Suite *suite_forwarder(void);
Suite *suite_entry(void);
Suite *suite_error(void);
Suite *suite_go_flags(void);
Suite *suite_hook_state(void);
Suite *suite_json(void);
Suite *suite_network(void);
Suite *suite_network_config(void);
Suite *suite_plan(void);
Suite *suite_publication(void);
Suite *suite_record(void);
Suite *suite_ruleset(void);
Suite *suite_socket(void);
Suite *suite_spec(void);
Suite *suite_store(void);

/* What the user sees below the input: "        ^^^^^ message". */
const char *unit_carets(const struct pp_error *err);

/* A publication from a spec that is right. */
struct pp_publication unit_publication(const char *spec);

/* A list of such; free it with pp_publications_fini. */
struct pp_publications unit_publications(const char *const specs[], size_t count);

#define UNIT_COUNT(array) (sizeof(array) / sizeof((array)[0]))

#endif
