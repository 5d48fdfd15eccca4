/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Each way in that the kernel carries is tried from where its clients are: 127.0.0.0/8 from this host, any other
 * address from outside, too. What is for this host alone is also tried from outside, where it must fail, and so
 * must what the client outside is not admitted to. All run at once.
 *
 * A connection that was made says that somebody has answered, and conntrack who that was. A datagram that is not
 * answered has got there if conntrack says that it left for the container, which listens, and if no ICMP error came.
 */
#include "doctor.h"

#include "share.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TCP_MS = 2000, UDP_MS = 300, KEPT_OUT_MS = 500 };

/* An address by which others may reach this host, not that of the container's own network if there is another. */
static struct pp_address own_address(const struct doctor *doctor, const struct patient *patient,
				     sa_family_t family)
{
	const char *interface = patient->record->interfaces[family == AF_INET6];
	struct pp_address found = { .family = AF_UNSPEC };
	char name[IF_NAMESIZE];

	for (size_t i = 0; i < doctor->addresses.count; i++) {
		const struct pp_interface_address *own = &doctor->addresses.items[i];

		if (own->address.family != family || own->scope != RT_SCOPE_UNIVERSE ||
		    pp_address_class(&own->address) != PP_CLASS_SPECIFIC)
			continue;
		if (!if_indextoname(own->index, name) || strcmp(name, interface) != 0)
			return own->address;
		if (found.family == AF_UNSPEC)
			found = own->address;
	}
	if (found.family == AF_UNSPEC && doctor->outside)
		found = *pp_outside_host(doctor->outside, family);
	return found;
}

static bool is_admitted(const struct doctor *doctor, const struct patient *patient, sa_family_t family)
{
	const struct pp_networks *allow = &patient->record->request.allow;

	return !allow->count || pp_networks_have(allow, pp_outside_client(doctor->outside, family));
}

static void add_trial(struct doctor *doctor, struct patient *patient, const struct pp_address *to,
		      bool outside, bool kept_out)
{
	struct pp_diagnosis *diagnosis = &patient->diagnosis;
	enum pp_protocol protocol = patient->publication->protocol;
	int timeout_ms = kept_out ? KEPT_OUT_MS : protocol == PP_UDP ? UDP_MS : TCP_MS;
	uint16_t port = host_port_of(patient);

	if (diagnosis->trial_count == PP_TRIALS_MAX)
		return;
	diagnosis->trials[diagnosis->trial_count++] =
		(struct pp_trial){ .outside = outside, .kept_out = kept_out, .to = *to, .port = port };
	doctor->probes[doctor->probe_count++] = (struct pp_probe){
		.protocol = protocol, .to = *to, .port = port, .outside = outside, .timeout_ms = timeout_ms
	};
	patient->count++;
}

static void add_from_outside(struct doctor *doctor, struct patient *patient, const struct pp_address *to,
			     bool kept_out)
{
	if (!doctor->outside || pp_outside_client(doctor->outside, to->family)->family == AF_UNSPEC)
		return;
	if (!is_admitted(doctor, patient, to->family) && !kept_out) {
		note(&patient->diagnosis.notes, "the client outside is not on the allow list: whether one "
						"that is gets in was not tried");
		kept_out = true;
	}
	add_trial(doctor, patient, to, true, kept_out);
}

static void plan_way(struct doctor *doctor, struct patient *patient, const struct pp_way *way)
{
	static const struct pp_address localhost = { .family = AF_INET, .bytes = { 127, 0, 0, 1 } };
	const struct pp_address *own = &patient->publication->address;
	bool is_any = pp_address_is_any(own);
	struct pp_address to = is_any ? own_address(doctor, patient, way->family) : *own;

	switch (way->class) {
	case PP_CLASS_LOOPBACK:
		add_trial(doctor, patient, is_any ? &localhost : own, false, false);
		if (!is_any)
			add_from_outside(doctor, patient, own, true);
		break;
	case PP_CLASS_ANY:
	case PP_CLASS_SPECIFIC:
		if (to.family == AF_UNSPEC ||
		    (!is_any && !pp_interface_address_is_local(&doctor->addresses, &to)))
			break;                          /* whoever has the address, it is not this host */
		if (!is_any || way->family == AF_INET6) /* any IPv4 is tried at 127.0.0.1 */
			add_trial(doctor, patient, &to, false, false);
		add_from_outside(doctor, patient, &to, false);
		break;
	default:
		break;
	}
}

/* What a CNI network has asked for, and no packet from here can tell. */
static bool may_be_tried(struct patient *patient, const struct pp_way *way)
{
	const struct pp_request *request = &patient->record->request;
	const struct pp_condition *only = &request->only[way->family == AF_INET6];
	char text[PP_CONDITION_TEXT];

	if (!pp_condition_is_any(only)) {
		note(&patient->diagnosis.notes, "%s is for packets with %s only: that was not tried",
		     pp_family_name(way->family), pp_condition_format(only, text));
		return false;
	}
	if (request->masquerade == PP_MASQUERADE_NEVER && way->class == PP_CLASS_LOOPBACK) {
		note(&patient->diagnosis.notes, "snat is off: this host does not reach it by 127.0.0.1");
		return false;
	}
	return true;
}

static void plan(struct doctor *doctor, struct patient *patient)
{
	patient->first = doctor->probe_count;
	for (size_t i = 0; i < patient->plan.count; i++) {
		const struct pp_way *way = &patient->plan.ways[i];

		if (way->path == PP_PATH_KERNEL && may_be_tried(patient, way))
			plan_way(doctor, patient, way);
	}
}

/* TcpExt of /proc/net/netstat: a line of names, and one of numbers. 0 where it is not there. */
static unsigned long long count_reverse_path(void)
{
	char names[8192], numbers[8192], *name_left, *number_left, *name, *number;
	unsigned long long count = 0;
	FILE *file = fopen("/proc/thread-self/net/netstat", "re");

	if (!file)
		return 0;
	while (fgets(names, sizeof(names), file) && fgets(numbers, sizeof(numbers), file)) {
		name = strtok_r(names, " \n", &name_left);
		number = strtok_r(numbers, " \n", &number_left);
		while (name && number) {
			if (strcmp(name, "IPReversePathFilter") == 0)
				count = strtoull(number, NULL, 10);
			name = strtok_r(NULL, " \n", &name_left);
			number = strtok_r(NULL, " \n", &number_left);
		}
	}
	fclose(file);
	return count;
}

static bool is_container(const struct patient *patient, const struct pp_probe *probe)
{
	return pp_address_compare(&probe->answerer, target_of(patient, probe->to.family)) == 0 &&
	       probe->answerer_port == container_port_of(patient);
}

static bool is_through(const struct patient *patient, const struct pp_probe *probe)
{
	bool right = is_container(patient, probe);

	if (probe->result == PP_PROBE_ANSWERED)
		return right || !probe->traced;
	return probe->protocol == PP_UDP && probe->result == PP_PROBE_SILENT && right &&
	       patient->listening[probe->to.family == AF_INET6] == LISTENING;
}

static void format_answerer(const struct pp_probe *probe, char out[static PP_TRIAL_TEXT])
{
	char address[PP_ADDRESS_TEXT];

	pp_address_format(&probe->answerer, address);
	snprintf(out, PP_TRIAL_TEXT, probe->answerer.family == AF_INET6 ? "[%s]:%u" : "%s:%u", address,
		 probe->answerer_port);
}

static void describe(const struct pp_probe *probe, bool through, char out[static PP_TRIAL_TEXT])
{
	bool known = probe->answerer.family != AF_UNSPEC, udp = probe->protocol == PP_UDP;
	char who[PP_TRIAL_TEXT - 32] = "", text[PP_TRIAL_TEXT];

	format_answerer(probe, text);
	if (known)
		snprintf(who, sizeof(who), "%.*s", (int)sizeof(who) - 1, text);
	if (probe->result == PP_PROBE_ANSWERED && !through)
		snprintf(out, PP_TRIAL_TEXT, "answered by %s", known ? who : "a process of this host");
	else if (probe->result == PP_PROBE_ANSWERED)
		snprintf(out, PP_TRIAL_TEXT, udp ? "answered" : "connected");
	else if (probe->result == PP_PROBE_SILENT && through)
		snprintf(out, PP_TRIAL_TEXT, "sent on to the container, not answered");
	else if (probe->result == PP_PROBE_SILENT)
		snprintf(out, PP_TRIAL_TEXT, "no answer%s%s", known ? " from " : "", who);
	else
		snprintf(out, PP_TRIAL_TEXT, "%s",
			 probe->code == ECONNREFUSED ? "refused" : strerror(probe->code));
}

static void judge(struct patient *patient, const struct pp_probe *probe, struct pp_trial *trial)
{
	bool through = is_through(patient, probe);

	trial->untried = probe->result == PP_PROBE_UNTRIED;
	if (trial->untried) {
		snprintf(trial->result, sizeof(trial->result), "not tried: %s", strerror(probe->code));
		return;
	}
	if (trial->kept_out) {
		trial->good = probe->result != PP_PROBE_ANSWERED && !is_container(patient, probe);
		snprintf(trial->result, sizeof(trial->result), trial->good ? "kept out" : "got in");
		return;
	}
	trial->good = through;
	describe(probe, through, trial->result);
	if (through && probe->result == PP_PROBE_SILENT)
		note(&patient->diagnosis.notes,
		     "datagrams leave for the container, where something listens; that it takes them only an "
		     "answer could prove");
}

int trials_run(struct doctor *doctor, struct pp_error *err)
{
	unsigned long long before;
	int ret;

	doctor->probes = calloc(doctor->count * PP_TRIALS_MAX + 1, sizeof(*doctor->probes));
	if (!doctor->probes)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; i < doctor->count; i++)
		plan(doctor, &doctor->patients[i]);
	before = count_reverse_path();
	ret = pp_probes_run(doctor->probes, doctor->probe_count, doctor->outside, err);
	doctor->reverse_path = count_reverse_path() != before;
	for (size_t i = 0; ret == 0 && i < doctor->count; i++) {
		struct patient *patient = &doctor->patients[i];

		for (size_t t = 0; t < patient->count; t++)
			judge(patient, &doctor->probes[patient->first + t], &patient->diagnosis.trials[t]);
	}
	return ret;
}

const struct pp_trial *trial_of(const struct patient *patient, sa_family_t family, bool outside)
{
	for (size_t i = 0; i < patient->diagnosis.trial_count; i++) {
		const struct pp_trial *trial = &patient->diagnosis.trials[i];

		if (trial->to.family == family && trial->outside == outside && !trial->kept_out)
			return trial;
	}
	return NULL;
}

const struct pp_probe *probe_of(const struct doctor *doctor, const struct patient *patient,
				const struct pp_trial *trial)
{
	return &doctor->probes[patient->first + (size_t)(trial - patient->diagnosis.trials)];
}
