/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 *	records		what is asked about, under the lock, which is given back before anything takes time
 *	host		its addresses, containers, tables; records against kernel
 *	containers	of each publication: what listens there
 *	trials		test connections, all at once
 *	findings	causes that can be seen, whether or not a test connection has met them, and where one has
 *			failed those that may be; if there are none, how far its packets got
 *
 * Nothing is changed but for the time of the trials: a client outside, which goes with this process.
 */
#include "portpub/doctor.h"

#include "check.h"
#include "doctor.h"
#include "name.h"
#include "portpub/array.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pp_diagnoses_fini(struct pp_diagnoses *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->items[i].problems.items);
		free(list->items[i].notes.items);
	}
	free(list->items);
	free(list->notes.items);
	free(list->broken.items);
	*list = PP_DIAGNOSES_INIT;
}

static void fini(struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++) {
		free(doctor->patients[i].diagnosis.problems.items);
		free(doctor->patients[i].diagnosis.notes.items);
	}
	free(doctor->notes.items);
	free(doctor->broken.items);
	free(doctor->patients);
	free(doctor->probes);
	free(doctor->differences);
	pp_outside_free(doctor->outside);
	pp_foreign_rules_fini(&doctor->rules);
	pp_foreign_chains_fini(&doctor->chains);
	pp_nft_close(&doctor->nft);
	pp_containers_fini(&doctor->containers);
	pp_interface_addresses_fini(&doctor->addresses);
	pp_records_fini(&doctor->records);
}

static int fail_unknown(const char *name, struct pp_error *err)
{
	return pp_fail(err, ENOENT, "nothing is published as %s: portpub list tells what is", name);
}

static int load(const char *name, struct pp_records *out, struct pp_error *err)
{
	struct pp_store store = PP_STORE_INIT;
	int ret = pp_store_open_to_read(&store, err);

	if (ret == -ENOENT) /* nothing has ever been published */
		return name ? fail_unknown(name, err) : 0;
	if (ret == 0)
		ret = pp_store_load_all(&store, PP_STAGE_ACTIVE, out, err);
	pp_store_close(&store);
	return ret;
}

/* What is asked about: all, those of one record, or one publication. */
struct choice {
	const char *id;
	const struct pp_publication *publication;
};

static bool is_chosen(const struct choice *choice, const struct pp_record *record,
		      const struct pp_publication *publication)
{
	if (choice->id)
		return strcmp(record->id, choice->id) == 0;
	return !choice->publication || name_means(choice->publication, publication);
}

static void add_patient(struct doctor *doctor, const struct pp_record *record,
			const struct pp_publication *publication)
{
	struct patient *patient = &doctor->patients[doctor->count++];
	struct pp_diagnosis *diagnosis = &patient->diagnosis;
	struct pp_error ignored;

	patient->record = record;
	patient->publication = publication;
	memcpy(diagnosis->id, record->id, sizeof(diagnosis->id));
	diagnosis->publication = *publication;
	if (pp_plan_make(publication, &record->request, &patient->plan, &ignored) < 0)
		patient->plan.count = 0;
}

static size_t count_publications(const struct pp_records *records)
{
	size_t count = 0;

	for (size_t i = 0; i < records->count; i++)
		count += records->items[i].request.publications.count;
	return count;
}

static int choose(struct doctor *doctor, const struct choice *choice, struct pp_error *err)
{
	size_t count = count_publications(&doctor->records);

	doctor->patients = calloc(count + 1, sizeof(*doctor->patients));
	if (!doctor->patients)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < doctor->records.count; i++) {
		const struct pp_record *record = &doctor->records.items[i];

		for (size_t p = 0; p < record->request.publications.count; p++) {
			if (is_chosen(choice, record, &record->request.publications.items[p]))
				add_patient(doctor, record, &record->request.publications.items[p]);
		}
	}
	return 0;
}

/* One that is asked about by its id is an error; of all of them, others are examined all the same. */
static int tell_broken(struct doctor *doctor, const char *name, struct pp_error *err)
{
	for (size_t i = 0; i < doctor->records.broken_count; i++) {
		const struct pp_broken *broken = &doctor->records.broken[i];

		if (!name)
			note(&doctor->broken, "%s", broken->words);
		else if (strcmp(broken->id, name) == 0)
			return pp_fail(err, ENODATA, "%s", broken->words);
	}
	return 0;
}

static bool is_id(const struct pp_records *records, const char *name)
{
	for (size_t i = 0; i < records->count; i++) {
		if (strcmp(records->items[i].id, name) == 0)
			return true;
	}
	return false;
}

/* As `del` takes names: an id where there is one, else that of one publication. */
static int find_patients(struct doctor *doctor, const char *name, struct pp_error *err)
{
	struct choice choice = { 0 };
	struct pp_publication publication;
	struct pp_error ignored;
	int ret = 0;

	if (name && is_id(&doctor->records, name)) {
		choice.id = name;
	} else if (name) {
		ret = name_parse(name, &publication, err);
		if (ret < 0 && pp_id_check(name, &ignored) == 0)
			ret = fail_unknown(name, err);
		choice.publication = &publication;
	}
	if (ret == 0)
		ret = choose(doctor, &choice, err);
	if (ret == 0 && name && doctor->count == 0)
		ret = fail_unknown(name, err);
	return ret;
}

static void keep_difference(const char *owner, const char *line, void *data)
{
	struct doctor *doctor = data;
	struct difference *difference, *items = pp_grown(doctor->differences, doctor->difference_count,
							 &doctor->difference_capacity, sizeof(*items));

	if (!items)
		return;
	doctor->differences = items;
	difference = &doctor->differences[doctor->difference_count++];
	snprintf(difference->owner, sizeof(difference->owner), "%s", owner);
	snprintf(difference->line, sizeof(difference->line), "%s", line);
}

static void read_tables(struct doctor *doctor)
{
	struct pp_error err;
	int ret = pp_nft_open(&doctor->nft, &err);

	if (ret == 0)
		ret = check_rules(keep_difference, doctor, &err);
	if (ret == 0)
		ret = pp_foreign_chains_read(&doctor->nft, &doctor->chains, &err);
	if (ret == 0)
		ret = pp_foreign_rules_read(&doctor->nft, &doctor->rules, &err);
	doctor->rules_known = ret == 0;
	if (ret < 0)
		note(&doctor->notes, "the kernel's rules have not been looked at: %s", err.message);
}

/* Saved while somebody owned an anchor, it is refused as a whole while anybody does. */
static void look_at_saved_ruleset(struct doctor *doctor, const char *path)
{
	FILE *file = fopen(path, "re");
	char line[256];
	bool found = false;

	while (file && !found && fgets(line, sizeof(line), file))
		found = strncmp(line, "table inet ", 11) == 0 &&
			strncmp(line + 11, pp_anchor_tables[0], strlen(pp_anchor_tables[0])) == 0;
	if (file)
		fclose(file);
	if (found)
		note(&doctor->notes,
		     "%s has the table inet %s, and does not load while portpub watch runs: take it out",
		     path, pp_anchor_tables[0]);
}

static bool is_wanted_outside(const struct doctor *doctor)
{
	for (size_t i = 0; i < doctor->count; i++) {
		if (patient_classes(&doctor->patients[i], AF_INET) ||
		    patient_classes(&doctor->patients[i], AF_INET6))
			return true;
	}
	return false;
}

static int read_host(struct doctor *doctor, struct pp_error *err)
{
	int ret = pp_interface_addresses_read(&doctor->addresses, err);

	if (ret == 0)
		ret = pp_containers_read(&doctor->containers, err);
	if (ret < 0)
		return ret;
	read_tables(doctor);
	look_at_saved_ruleset(doctor, "/etc/nftables.conf");
	look_at_saved_ruleset(doctor, "/etc/sysconfig/nftables.conf");
	if (!is_wanted_outside(doctor))
		return 0;
	ret = pp_outside_new(&doctor->outside, err);
	if (ret < 0 && ret != -EIO) {
		note(&doctor->notes, "nothing was tried from outside: %s", err->message);
		ret = 0;
	}
	return ret;
}

/* How far the packets got, where nothing else is to be said. */
static void tell_how_far(const struct doctor *doctor, struct patient *patient, const struct pp_trial *trial)
{
	const struct pp_probe *probe = probe_of(doctor, patient, trial);
	const char *from = trial->outside ? "from outside" : "from this host";

	if (trial->untried && probe->code == EPROTONOSUPPORT)
		problem(patient, "modprobe sctp",
			"this host's kernel has no %s to try it with: whether it can be reached is not known",
			pp_protocol_name(probe->protocol));
	else if (trial->untried)
		problem(patient, "# try again, or with a higher ulimit -n", "no test connection %s: %s", from,
			strerror(probe->code));
	else if (trial->kept_out)
		problem(patient, patient->diagnosis.problems.count ? "" : "nft list ruleset",
			"it can be reached from outside, and must not be");
	else if (probe->result == PP_PROBE_ANSWERED)
		problem(patient, "nft list ruleset", "a test connection %s was %s, and not by the container",
			from, trial->result);
	else if (probe->answerer.family != AF_UNSPEC)
		problem(patient, "# look at the firewall and the routes in the container",
			"packets %s leave for the container, and are not answered", from);
	else
		problem(patient, "nft list ruleset; ip rule; ip route",
			"packets %s do not get as far as the container: %s", from, trial->result);
}

static void conclude(const struct doctor *doctor, struct patient *patient)
{
	struct pp_diagnosis *diagnosis = &patient->diagnosis;
	bool good = true, through = false;

	for (size_t i = 0; i < diagnosis->trial_count; i++) {
		const struct pp_trial *trial = &diagnosis->trials[i];

		good &= trial->good;
		through |= trial->good && !trial->kept_out;
		if (!trial->good && (diagnosis->problems.count == 0 || trial->kept_out || trial->untried))
			tell_how_far(doctor, patient, trial);
	}
	diagnosis->reachable = good && through;
	if (!diagnosis->trial_count)
		problem(patient, "portpub explain", "no test connection can be made to it from here");
}

static int examine(struct doctor *doctor, const char *name, struct pp_error *err)
{
	int ret = load(name, &doctor->records, err);

	if (ret == 0)
		ret = tell_broken(doctor, name, err);
	if (ret == 0)
		ret = find_patients(doctor, name, err);
	if (ret < 0 || doctor->count == 0)
		return ret;
	ret = read_host(doctor, err);
	for (size_t i = 0; ret == 0 && i < doctor->count; i++)
		ret = look_into_container(doctor, &doctor->patients[i], err);
	if (ret == 0)
		ret = trials_run(doctor, err);
	for (size_t i = 0; ret == 0 && i < doctor->count; i++) {
		find_causes(doctor, &doctor->patients[i]);
		find_obstacles(doctor, &doctor->patients[i]);
		conclude(doctor, &doctor->patients[i]);
	}
	return ret;
}

/* What was found goes to the caller. */
static int hand_over(struct doctor *doctor, struct pp_diagnoses *out, struct pp_error *err)
{
	struct pp_diagnosis *items = calloc(doctor->count + 1, sizeof(*items));

	if (!items)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < doctor->count; i++) {
		items[i] = doctor->patients[i].diagnosis;
		doctor->patients[i].diagnosis = (struct pp_diagnosis){ 0 };
	}
	*out = (struct pp_diagnoses){ items, doctor->count, doctor->notes, doctor->broken };
	doctor->notes = doctor->broken = (struct pp_findings){ 0 };
	return 0;
}

int pp_doctor(const char *name, struct pp_diagnoses *out, struct pp_error *err)
{
	struct doctor doctor = { .nft = PP_NFT_INIT };
	int ret = examine(&doctor, name, err);

	if (ret == 0)
		ret = hand_over(&doctor, out, err);
	fini(&doctor);
	return ret;
}
