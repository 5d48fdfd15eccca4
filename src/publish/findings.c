/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the doctor has to say. */
#include "doctor.h"

#include "portpub/array.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SPECS_TOLD = 8 };

static void append(struct pp_findings *list, const struct pp_finding *finding)
{
	struct pp_finding *items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));

	if (!items)
		return;
	list->items = items;
	list->items[list->count++] = *finding;
}

static bool has(const struct pp_findings *list, const struct pp_finding *finding)
{
	for (size_t i = 0; i < list->count; i++) {
		if (strcmp(list->items[i].text, finding->text) == 0)
			return true;
	}
	return false;
}

void note(struct pp_findings *notes, const char *format, ...)
{
	struct pp_finding finding = { .fix = "" };
	va_list args;

	va_start(args, format);
	vsnprintf(finding.text, sizeof(finding.text), format, args);
	va_end(args);
	if (!has(notes, &finding))
		append(notes, &finding);
}

void problem(struct patient *patient, const char *fix, const char *format, ...)
{
	struct pp_finding finding = { .fix = "" };
	va_list args;

	va_start(args, format);
	vsnprintf(finding.text, sizeof(finding.text), format, args);
	va_end(args);
	snprintf(finding.fix, sizeof(finding.fix), "%s", fix);
	if (!has(&patient->diagnosis.problems, &finding))
		append(&patient->diagnosis.problems, &finding);
}

/* The words so far, and where the next one goes; past the end nothing more is added. */
struct words {
	char *out;
	size_t used;
};

__attribute__((format(printf, 2, 3))) static void add(struct words *words, const char *format, ...)
{
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(words->out + words->used, PP_FINDING_FIX - words->used, format, args);
	va_end(args);
	if (n > 0)
		words->used += (size_t)n;
	if (words->used >= PP_FINDING_FIX)
		words->used = PP_FINDING_FIX - 1;
}

static void add_target(struct words *words, const struct patient *patient)
{
	const struct pp_target *target = &patient->record->request.target;
	char ipv4[PP_ADDRESS_TEXT], ipv6[PP_ADDRESS_TEXT];

	if (patient->record->pid && patient->record->pid == patient->container.pid) {
		add(words, " --pid %lld", (long long)patient->record->pid);
		return;
	}
	pp_address_format(&target->ipv4, ipv4);
	pp_address_format(&target->ipv6, ipv6);
	add(words, " --to %s%s%s", ipv4, ipv4[0] && ipv6[0] ? "," : "", ipv6);
}

void format_add(const struct patient *patient, char out[static PP_FINDING_FIX])
{
	const struct pp_request *request = &patient->record->request;
	char network[PP_NETWORK_TEXT], spec[PP_PUBLICATION_TEXT];
	struct words words = { out, 0 };

	if (request->publications.count + request->allow.count > SPECS_TOLD) {
		snprintf(out, PP_FINDING_FIX, "# publish %s again, by portpub add --replace --id %s",
			 patient->record->id, patient->record->id);
		return;
	}
	add(&words, "portpub add --no-keeper --replace --id %s", patient->record->id);
	add_target(&words, patient);
	for (size_t i = 0; i < request->allow.count; i++)
		add(&words, " --allow %s", pp_network_format(&request->allow.items[i], network));
	for (size_t i = 0; i < request->publications.count; i++)
		add(&words, " '%s'", pp_publication_format(&request->publications.items[i], spec));
}
