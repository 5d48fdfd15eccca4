/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A packet from a client, and the answer to it, pass these hooks, with the chains of all tables at each:
 *
 *	from outside	prerouting, forward, postrouting	back: prerouting, forward, postrouting
 *	from this host	output, postrouting			back: prerouting, input
 *
 * At each the packet is judged as it is there: before the translation it asks for the host's port, afterwards it
 * goes to the container. What drops it, any table's accept notwithstanding, is in the way, and so is what
 * translates it before we do. What surely does is always told; what may do so where a test connection has failed.
 */
#include "doctor.h"

#include <linux/netfilter.h>
#include <linux/netfilter_ipv4.h>
#include <stdio.h>
#include <string.h>

enum { INSERT_TEXT = 2 * PP_FOREIGN_NAME + 32, MATCH_TEXT = PP_ADDRESS_TEXT + 64 };

/* A client's packet or the answer, at a hook. */
struct stage {
	uint32_t hook;
	bool reply;
};

static const struct stage from_outside[] = {
	{ NF_INET_PRE_ROUTING, false }, { NF_INET_FORWARD, false }, { NF_INET_POST_ROUTING, false },
	{ NF_INET_PRE_ROUTING, true },  { NF_INET_FORWARD, true },  { NF_INET_POST_ROUTING, true },
};

static const struct stage from_here[] = {
	{ NF_INET_LOCAL_OUT, false },
	{ NF_INET_POST_ROUTING, false },
	{ NF_INET_PRE_ROUTING, true },
	{ NF_INET_LOCAL_IN, true },
};

struct way {
	struct doctor *doctor;
	struct patient *patient;
	sa_family_t family;
	bool outside, suspect; /* a test connection has failed */
	struct pp_address to;
};

static bool is_before_translation(const struct stage *stage, const struct pp_foreign_chain *chain)
{
	return !stage->reply && chain->priority <= NF_IP_PRI_NAT_DST &&
	       (stage->hook == NF_INET_PRE_ROUTING || stage->hook == NF_INET_LOCAL_OUT);
}

static bool is_tracked(const struct pp_foreign_chain *chain)
{
	return chain->priority > NF_IP_PRI_CONNTRACK;
}

static struct pp_packet packet_at(const struct way *way, const struct stage *stage,
				  const struct pp_foreign_chain *chain)
{
	const struct patient *patient = way->patient;
	const char *interface = patient->record->interfaces[way->family == AF_INET6];
	bool before = is_before_translation(stage, chain);
	struct pp_packet packet = { .protocol = patient->publication->protocol,
				    .family = way->family,
				    .tracked = is_tracked(chain),
				    .reply = stage->reply,
				    .translated = !before,
				    .local = before };

	if (stage->reply) {
		packet.source = *target_of(patient, way->family);
		packet.source_port = container_port_of(patient);
		if (stage->hook != NF_INET_POST_ROUTING)
			snprintf(packet.in, sizeof(packet.in), "%s", interface);
		return packet;
	}
	packet.destination = before ? way->to : *target_of(patient, way->family);
	packet.port = before ? host_port_of(patient) : container_port_of(patient);
	if (stage->hook == NF_INET_FORWARD || stage->hook == NF_INET_POST_ROUTING)
		snprintf(packet.out, sizeof(packet.out), "%s", interface);
	return packet;
}

/* A table of iptables-nft, which reads no other rules than its own, has its chains in capitals. */
static bool is_of_iptables(const struct pp_foreign_chain *chain)
{
	static const char *const names[] = { [NF_INET_PRE_ROUTING] = "PREROUTING",
					     [NF_INET_LOCAL_IN] = "INPUT",
					     [NF_INET_FORWARD] = "FORWARD",
					     [NF_INET_LOCAL_OUT] = "OUTPUT",
					     [NF_INET_POST_ROUTING] = "POSTROUTING" };

	return chain->family != NFPROTO_INET && strcmp(chain->name, names[chain->hook]) == 0 &&
	       (strcmp(chain->table, "filter") == 0 || strcmp(chain->table, "mangle") == 0 ||
		strcmp(chain->table, "raw") == 0 || strcmp(chain->table, "security") == 0);
}

/* Docker's own chain for others' rules outlives a restart of dockerd. */
static void format_insert(const struct way *way, const struct pp_foreign_chain *chain,
			  char out[static INSERT_TEXT])
{
	bool docker = pp_foreign_jumps(&way->doctor->rules, chain, "DOCKER-USER");

	if (is_of_iptables(chain))
		snprintf(out, INSERT_TEXT, "%s -t %s -I %s",
			 chain->family == NFPROTO_IPV6 ? "ip6tables" : "iptables", chain->table,
			 docker ? "DOCKER-USER" : chain->name);
	else
		snprintf(out, INSERT_TEXT, "nft insert rule %s %s %s", pp_foreign_family(chain->family),
			 chain->table, chain->name);
}

/* What lets pass what goes to the host's port, and what comes from the container. */
static void format_matches(const struct way *way, bool iptables, char to[static MATCH_TEXT],
			   char from[static MATCH_TEXT])
{
	const char *protocol = pp_protocol_name(way->patient->publication->protocol);
	unsigned int port = host_port_of(way->patient), own_port = container_port_of(way->patient);
	char target[PP_ADDRESS_TEXT];

	pp_address_format(target_of(way->patient, way->family), target);
	if (iptables) {
		snprintf(to, MATCH_TEXT, "-p %s --dport %u -j ACCEPT", protocol, port);
		snprintf(from, MATCH_TEXT, "-s %s -p %s --sport %u -j ACCEPT", target, protocol, own_port);
	} else {
		snprintf(to, MATCH_TEXT, "%s dport %u accept", protocol, port);
		snprintf(from, MATCH_TEXT, "%s saddr %s %s sport %u accept",
			 way->family == AF_INET ? "ip" : "ip6", target, protocol, own_port);
	}
}

/* Rules that let the connection pass: where it is known to conntrack, by its translation alone. */
static void format_accept(const struct way *way, const struct stage *stage,
			  const struct pp_foreign_chain *chain, char fix[static PP_FINDING_FIX])
{
	bool iptables = is_of_iptables(chain);
	const char *dnat = iptables ? "-m conntrack --ctstate DNAT -j ACCEPT" : "ct status dnat accept";
	char insert[INSERT_TEXT], to[MATCH_TEXT], from[MATCH_TEXT];

	format_insert(way, chain, insert);
	format_matches(way, iptables, to, from);
	if (is_tracked(chain) && !is_before_translation(stage, chain))
		snprintf(fix, PP_FINDING_FIX, "%s %s", insert, dnat);
	else
		snprintf(fix, PP_FINDING_FIX, "%s %s && %s %s", insert, to, insert,
			 is_tracked(chain) ? dnat : from);
}

/* The same rule may let both the packet and the answer pass. */
static bool is_cured_by(const struct patient *patient, const char *fix)
{
	for (size_t i = 0; i < patient->diagnosis.problems.count; i++) {
		if (strcmp(patient->diagnosis.problems.items[i].fix, fix) == 0)
			return true;
	}
	return false;
}

static void say_drop(const struct way *way, const struct stage *stage, const struct pp_foreign_chain *chain,
		     const struct pp_judgement *judgement)
{
	const char *verb = judgement->passes ? "may drop" : "drops",
		   *what = stage->reply ? "the answers" : "it";
	const char *family = pp_foreign_family(chain->family);
	char fix[PP_FINDING_FIX];

	format_accept(way, stage, chain, fix);
	if (is_cured_by(way->patient, fix))
		return;
	if (judgement->handle)
		problem(way->patient, fix, "table %s %s, chain %s: its rule with handle %llu %s %s", family,
			chain->table, judgement->chain, (unsigned long long)judgement->handle, verb, what);
	else
		problem(way->patient, fix, "table %s %s, chain %s: its %s %s %s", family, chain->table,
			chain->name, chain->drops ? "policy" : "rules", chain->drops ? verb : "may drop",
			what);
}

static void say_shadow(const struct way *way, const struct pp_foreign_chain *chain,
		       const struct pp_judgement *judgement, bool sure)
{
	char fix[PP_FINDING_FIX];

	snprintf(fix, sizeof(fix), "nft delete rule %s %s %s handle %llu", pp_foreign_family(chain->family),
		 chain->table, judgement->chain, (unsigned long long)judgement->handle);
	problem(way->patient, fix,
		"table %s %s, chain %s: its rule with handle %llu %s port %u/%s elsewhere first",
		pp_foreign_family(chain->family), chain->table, judgement->chain,
		(unsigned long long)judgement->handle, sure ? "sends" : "may send",
		host_port_of(way->patient), pp_protocol_name(way->patient->publication->protocol));
}

static void judge(const struct way *way, const struct stage *stage, const struct pp_foreign_chain *chain)
{
	struct pp_packet packet = packet_at(way, stage, chain);
	struct pp_judgement judgement;
	bool sure;

	if (chain->nat && !is_before_translation(stage, chain))
		return; /* it is asked about what has not been translated yet */
	pp_judge(&way->doctor->nft, &way->doctor->rules, chain, &packet, &judgement);
	sure = !judgement.passes && !(judgement.drops && judgement.translates);
	/* At the same priority it is the order of their making that counts, which is not told. */
	if (chain->priority == NF_IP_PRI_NAT_DST)
		sure = false;
	if (judgement.translates && chain->nat && (sure || way->suspect))
		say_shadow(way, chain, &judgement, sure);
	else if (judgement.drops && (!judgement.passes || way->suspect))
		say_drop(way, stage, chain, &judgement);
}

static bool is_in_the_way(const struct way *way, const struct pp_foreign_chain *chain)
{
	uint8_t family = way->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	return chain->family == NFPROTO_INET || chain->family == family;
}

static void judge_way(const struct way *way, const struct stage *stages, size_t count)
{
	const struct pp_foreign_chains *chains = &way->doctor->chains;

	for (size_t s = 0; s < count; s++) {
		for (size_t c = 0; c < chains->count; c++) {
			if (chains->items[c].hook == stages[s].hook && is_in_the_way(way, &chains->items[c]))
				judge(way, &stages[s], &chains->items[c]);
		}
	}
}

static void tell_iptables(const struct way *way)
{
	bool ipv4 = way->family == AF_INET;
	char name[32], names[128] = "";
	FILE *file = fopen(ipv4 ? "/proc/thread-self/net/ip_tables_names"
				: "/proc/thread-self/net/ip6_tables_names",
			   "re");

	while (file && fgets(name, sizeof(name), file))
		snprintf(names + strlen(names), sizeof(names) - strlen(names), " %.*s",
			 (int)strcspn(name, "\n"), name);
	if (file)
		fclose(file);
	if (names[0])
		note(&way->patient->diagnosis.notes,
		     "tables of the old iptables are not looked at:%s; %s-legacy-save shows them", names,
		     ipv4 ? "iptables" : "ip6tables");
}

/* Where something is lost, it may be where nobody looks. */
static void tell_unseen(const struct way *way)
{
	const struct pp_foreign_chains *chains = &way->doctor->chains;

	for (size_t i = 0; i < chains->count; i++) {
		const struct pp_foreign_chain *chain = &chains->items[i];

		if (chain->family != NFPROTO_INET && chain->family != NFPROTO_IPV4 &&
		    chain->family != NFPROTO_IPV6)
			note(&way->patient->diagnosis.notes,
			     "table %s %s, chain %s: what it does is not looked at",
			     pp_foreign_family(chain->family), chain->table, chain->name);
	}
	tell_iptables(way);
}

/* What got through, and to the container, has nothing in its way, whatever the rules are. */
static void find_for(struct way *way, const struct stage *stages, size_t count)
{
	const struct pp_trial *trial = trial_of(way->patient, way->family, way->outside);

	if (trial && trial->good)
		return;
	way->suspect = trial != NULL;
	way->to = trial ? trial->to : way->patient->publication->address;
	if (pp_address_is_any(&way->to))
		way->to = (struct pp_address){ .family = AF_UNSPEC };
	judge_way(way, stages, count);
	if (way->suspect)
		tell_unseen(way);
}

void find_obstacles(struct doctor *doctor, struct patient *patient)
{
	for (size_t f = 0; doctor->rules_known && f < 2; f++) {
		struct way way = { .doctor = doctor, .patient = patient, .family = pp_families[f] };

		if (!patient_classes(patient, way.family))
			continue;
		find_for(&way, from_here, sizeof(from_here) / sizeof(from_here[0]));
		way.outside = true;
		if (patient_is_open(patient, way.family))
			find_for(&way, from_outside, sizeof(from_outside) / sizeof(from_outside[0]));
	}
}
