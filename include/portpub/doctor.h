/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Why a publication cannot be reached: test connections, and the causes that can be seen from this host. */
#ifndef PORTPUB_DOCTOR_H
#define PORTPUB_DOCTOR_H

#include "portpub/record.h"

enum { PP_FINDING_TEXT = 512, PP_FINDING_FIX = 1024, PP_TRIAL_TEXT = 128 };

struct pp_finding {
	char text[PP_FINDING_TEXT];
	char fix[PP_FINDING_FIX]; /* a command, or words behind a #; "" for a note, and where the one before does it */
};

struct pp_findings {
	struct pp_finding *items;
	size_t count, capacity;
};

/* A test connection. */
struct pp_trial {
	bool outside;  /* else from this host */
	bool kept_out; /* it must not get through */
	bool untried;  /* no socket could be made for it */
	bool good;     /* as it has to be */
	struct pp_address to;
	uint16_t port;
	char result[PP_TRIAL_TEXT];
};

enum { PP_TRIALS_MAX = 6 };

struct pp_diagnosis {
	char id[PP_ID_SIZE];
	struct pp_publication publication;
	bool reachable; /* one test connection got through at least, and all were as they have to be */
	struct pp_trial trials[PP_TRIALS_MAX];
	size_t trial_count;
	struct pp_findings problems, notes;
};

struct pp_diagnoses {
	struct pp_diagnosis *items;
	size_t count;
	struct pp_findings notes;  /* of all of them */
	struct pp_findings broken; /* records, told where all are asked about */
};

#define PP_DIAGNOSES_INIT ((struct pp_diagnoses){ 0 })

void pp_diagnoses_fini(struct pp_diagnoses *list);

/*
 * Examine what @name says, an id or a single publication as `del` takes it, or with NULL everything that is
 * published; into @out, which is empty. Of a range one port is tried. -ENOENT where nothing is published under that
 * name, -ENODATA where its record is broken, -EINVAL for a spec that is none, -EIO as of pp_outside_leave; what may
 * not be looked into is a note.
 */
int pp_doctor(const char *name, struct pp_diagnoses *out, struct pp_error *err);

#endif
