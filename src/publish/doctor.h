/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the doctor knows while it looks: of the host, and of each publication. */
#ifndef PORTPUB_PUBLISH_DOCTOR_H
#define PORTPUB_PUBLISH_DOCTOR_H

#include "portpub/container.h"
#include "portpub/doctor.h"
#include "portpub/judge.h"
#include "portpub/probe.h"
#include "portpub/store.h"

enum listening {
	LISTENING_UNKNOWN,
	LISTENING,
	LISTENING_LOOPBACK,  /* on the container's own loopback alone */
	LISTENING_ELSEWHERE, /* on another address of it */
	LISTENING_NOT,
};

/* A publication that is examined. */
struct patient {
	const struct pp_record *record;
	const struct pp_publication *publication;
	uint16_t offset; /* of the port that is tried */
	struct pp_plan plan;
	struct pp_container container; /* pid 0: not found */
	enum listening listening[2];   /* at the target of each family */
	bool no_way_back[2];           /* the container has no route to a client outside */
	bool other_way_back[2];        /* ... or one by another interface than the one that has the target */
	size_t first, count;           /* its probes */
	struct pp_diagnosis diagnosis;
};

/* A difference between records and kernel; "" is everybody's. */
struct difference {
	char owner[PP_ID_SIZE], line[PP_FINDING_TEXT];
};

struct doctor {
	struct pp_records records;
	struct pp_interface_addresses addresses; /* of this host */
	struct pp_containers containers;
	struct pp_nft nft;
	bool rules_known; /* what follows is what there is */
	struct pp_foreign_chains chains;
	struct pp_foreign_rules rules;
	struct difference *differences;
	size_t difference_count, difference_capacity;
	struct pp_outside *outside; /* or NULL */
	struct patient *patients;
	size_t count;
	struct pp_probe
		*probes; /* the first probe_count of them, side by side with the trials of the patients */
	size_t probe_count;
	bool reverse_path;                /* rp_filter has dropped packets while they ran */
	struct pp_findings notes, broken; /* of all of them; see pp_diagnoses */
};

/* The port of the host and of the container that is tried. */
static inline uint16_t host_port_of(const struct patient *patient)
{
	return (uint16_t)(patient->publication->host_port + patient->offset);
}

static inline uint16_t container_port_of(const struct patient *patient)
{
	return (uint16_t)(patient->publication->container_port + patient->offset);
}

static inline const struct pp_address *target_of(const struct patient *patient, sa_family_t family)
{
	return pp_target_of(&patient->record->request.target, family);
}

/* Is @patient carried by the kernel for @family: a bit for each class of host address. */
unsigned int patient_classes(const struct patient *patient, sa_family_t family);

/* For clients elsewhere. */
bool patient_is_open(const struct patient *patient, sa_family_t family);

/* findings.c: what cannot be kept for want of memory is lost. Problems that have been said are not repeated. */
__attribute__((format(printf, 2, 3))) void note(struct pp_findings *notes, const char *format, ...);
__attribute__((format(printf, 3, 4))) void problem(struct patient *patient, const char *fix,
						   const char *format, ...);

/* "portpub add ..." that publishes the record anew, or words that say so. */
void format_add(const struct patient *patient, char out[static PP_FINDING_FIX]);

/* patient.c: find the container, and look at what it listens on. -EIO: see pp_container_visit. */
int look_into_container(const struct doctor *doctor, struct patient *patient, struct pp_error *err);

/* trials.c: plan them, run them, and say what has come of them. */
int trials_run(struct doctor *doctor, struct pp_error *err);

/* The trial of @family from outside or from this host that is to get through, or NULL. */
const struct pp_trial *trial_of(const struct patient *patient, sa_family_t family, bool outside);
const struct pp_probe *probe_of(const struct doctor *doctor, const struct patient *patient,
				const struct pp_trial *trial);

/* causes.c, obstacles.c: why trials fail, or would fail. */
void find_causes(const struct doctor *doctor, struct patient *patient);
void find_obstacles(struct doctor *doctor, struct patient *patient);

#endif
