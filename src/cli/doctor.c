/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub doctor: why can it not be reached? */
#include "portpub/doctor.h"

#include "answer.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { PLACE_TEXT = PP_ADDRESS_TEXT + sizeof("[]:65535") };

static const char *format_place(const struct pp_trial *trial, char out[static PLACE_TEXT])
{
	char address[PP_ADDRESS_TEXT];

	snprintf(out, PLACE_TEXT, trial->to.family == AF_INET6 ? "[%s]:%u" : "%s:%u",
		 pp_address_format(&trial->to, address), trial->port);
	return out;
}

static const char *place_of(const struct pp_trial *trial)
{
	return trial->outside ? "outside" : "this host";
}

static const char *word_of(const struct pp_diagnosis *diagnosis)
{
	size_t tried = 0;

	if (diagnosis->reachable)
		return diagnosis->problems.count ? "reachable, with problems" : "reachable";
	for (size_t i = 0; i < diagnosis->trial_count; i++) {
		if (diagnosis->trials[i].good && !diagnosis->trials[i].kept_out)
			return "partly reachable";
		tried += !diagnosis->trials[i].untried;
	}
	return tried ? "not reachable" : "not tried";
}

static void print(const struct pp_diagnosis *diagnosis)
{
	char spec[PP_PUBLICATION_TEXT], place[PLACE_TEXT];

	printf("%s %s: %s\n", diagnosis->id, pp_publication_format(&diagnosis->publication, spec),
	       word_of(diagnosis));
	for (size_t i = 0; i < diagnosis->trial_count; i++)
		printf("  from %s to %s: %s\n", place_of(&diagnosis->trials[i]),
		       format_place(&diagnosis->trials[i], place), diagnosis->trials[i].result);
	for (size_t i = 0; i < diagnosis->problems.count; i++) {
		const struct pp_finding *problem = &diagnosis->problems.items[i];

		printf("  problem: %s\n", problem->text);
		if (problem->fix[0])
			printf("  fix: %s\n", problem->fix);
	}
	for (size_t i = 0; i < diagnosis->notes.count; i++)
		printf("  note: %s\n", diagnosis->notes.items[i].text);
}

/* jansson takes NULL for an error wherever a value belongs, so that only the whole has to be looked at. */

static json_t *trials_to_json(const struct pp_diagnosis *diagnosis)
{
	json_t *array = json_array();
	char place[PLACE_TEXT];

	for (size_t i = 0; i < diagnosis->trial_count; i++) {
		const struct pp_trial *trial = &diagnosis->trials[i];

		answer_append(&array, json_pack("{s:s, s:s, s:s, s:b}", "from", place_of(trial), "to",
						format_place(trial, place), "result", trial->result, "good",
						(int)trial->good));
	}
	return array;
}

static json_t *problems_to_json(const struct pp_findings *problems)
{
	json_t *array = json_array();

	for (size_t i = 0; i < problems->count; i++)
		answer_append(&array, json_pack("{s:s, s:s}", "problem", problems->items[i].text, "fix",
						problems->items[i].fix));
	return array;
}

/* Its own, and those of all. */
static json_t *notes_to_json(const struct pp_findings *own, const struct pp_findings *all)
{
	json_t *array = json_array();

	for (size_t i = 0; i < own->count + all->count; i++) {
		const struct pp_finding *note = i < own->count ? &own->items[i] : &all->items[i - own->count];

		answer_append(&array, json_string(note->text));
	}
	return array;
}

static json_t *to_json(const struct pp_diagnosis *diagnosis, const struct pp_findings *notes)
{
	char spec[PP_PUBLICATION_TEXT];

	return json_pack("{s:s, s:s, s:b, s:o, s:o, s:o}", "id", diagnosis->id, "spec",
			 pp_publication_format(&diagnosis->publication, spec), "reachable",
			 (int)diagnosis->reachable, "tests", trials_to_json(diagnosis), "problems",
			 problems_to_json(&diagnosis->problems), "notes",
			 notes_to_json(&diagnosis->notes, notes));
}

static int print_json(const struct pp_diagnoses *list, struct pp_error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		answer_append(&array, to_json(&list->items[i], &list->notes));
	return answer_print(array, err);
}

static void print_words(const struct pp_diagnoses *list)
{
	for (size_t i = 0; i < list->count; i++)
		print(&list->items[i]);
	if (!list->count && !list->broken.count)
		puts("nothing is published");
	for (size_t i = 0; i < list->notes.count; i++)
		fprintf(stderr, "portpub: %s\n", list->notes.items[i].text);
}

static bool is_well(const struct pp_diagnoses *list)
{
	for (size_t i = 0; i < list->count; i++) {
		if (!list->items[i].reachable || list->items[i].problems.count)
			return false;
	}
	return !list->broken.count;
}

/* CLI_DONE where all is well, or a negative errno. */
static int answer(const char *name, bool json, struct pp_error *err)
{
	struct pp_diagnoses list = PP_DIAGNOSES_INIT;
	int ret = pp_doctor(name, &list, err);

	if (ret == 0 && json)
		ret = print_json(&list, err);
	else if (ret == 0)
		print_words(&list);
	for (size_t i = 0; i < list.broken.count; i++)
		fprintf(stderr, "portpub: %s\n", list.broken.items[i].text);
	if (ret == 0)
		ret = is_well(&list) ? CLI_DONE : CLI_FAILED;
	pp_diagnoses_fini(&list);
	return ret;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_error err;
	bool json = false;
	int ret = cli_options(self, argc, argv, answer_take_option, &json, &err), status;

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && argc - optind > 1)
		ret = pp_fail(&err, EINVAL, "doctor takes one id or SPEC, or none for everything");
	if (ret == 0)
		ret = answer(argv[optind], json, &err);
	if (ret < 0)
		return cli_fail(&err);
	status = cli_finish();
	return status == CLI_DONE ? ret : status;
}

const struct cli_command cli_doctor = {
	.name = "doctor",
	.synopsis = "[ID|SPEC] [--json]",
	.summary = "Tell why a publication cannot be reached, and what to do about it",
	.options = answer_options,
	.run = run,
};
