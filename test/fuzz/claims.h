/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What must be true of whatever a reader makes of whatever it is given. Broken: the fuzzer stops. */
#ifndef PORTPUB_TEST_FUZZ_CLAIMS_H
#define PORTPUB_TEST_FUZZ_CLAIMS_H

#include "portpub/json.h"
#include "portpub/conflict.h"
#include "portpub/plan.h"
#include "portpub/spec.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static inline void claim(bool kept)
{
	if (!kept)
		abort();
}

/* An error is in words, and no byte of it can do anything to a terminal. */
static inline void claim_error(const struct pp_error *err)
{
	const char *texts[] = { err->where, err->input, err->message };

	claim(err->code == EINVAL || err->code == EBADMSG);
	claim(err->message[0] != '\0');
	claim(err->column + err->width <= strlen(err->input) + 1);
	for (size_t i = 0; i < 3; i++) {
		for (const char *c = texts[i]; *c; c++)
			claim(*c >= 0x20 && *c < 0x7f);
	}
}

/* A publication is within its bounds, can be planned, and its text reads back as itself. */
static inline void claim_publication(const struct pp_publication *publication)
{
	static const struct pp_request request;
	char text[PP_PUBLICATION_TEXT], again_text[PP_PUBLICATION_TEXT];
	struct pp_publication again;
	struct pp_error err;
	struct pp_plan plan;

	claim(publication->count >= 1 && publication->container_port >= 1);
	claim(publication->container_port + publication->count - 1 <= 65535);
	claim(publication->host_port + publication->count - 1 <= 65535);
	claim(!pp_publication_is_pool(publication) ||
	      (publication->count == 1 && publication->host_port_last > publication->host_port));

	pp_publication_format(publication, text);
	claim(strlen(text) < PP_PUBLICATION_TEXT - 1);
	claim(pp_spec_parse(text, strlen(text), PP_SPEC_ALL, &again, &err) == 0);
	claim(strcmp(pp_publication_format(&again, again_text), text) == 0);
	claim(again.host_port_last == publication->host_port_last && again.count == publication->count);

	claim(pp_plan_make(publication, &request, &plan, &err) == 0);
	claim(plan.count >= 1 && plan.count <= PP_WAYS_MAX);
}

static inline void claim_document(const uint8_t *data, size_t size, enum pp_dialect dialect,
				  const char *service)
{
	struct pp_publications list = PP_PUBLICATIONS_INIT;
	struct pp_error err = { 0 };

	if (pp_json_read((const char *)data, size, dialect, service, &list, &err) < 0) {
		claim(list.count == 0);
		claim_error(&err);
	} else if (pp_conflicts_find(&list, NULL, &err) < 0) {
		claim_error(&err);
	}
	for (size_t i = 0; i < list.count; i++)
		claim_publication(&list.items[i]);
	pp_publications_fini(&list);
}

#endif
