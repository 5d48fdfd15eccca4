/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Causes on this host and in the container; other tables are in obstacles.c. */
#include "doctor.h"

#include "forward.h"
#include "portpub/bridge.h"
#include "portpub/kept.h"
#include "portpub/process.h"
#include "portpub/route.h"
#include "setting.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

enum { LINES_TOLD = 3, INTERFACES_TOLD = 8 };

static const char *show(const struct pp_address *address, char out[static PP_ADDRESS_TEXT])
{
	return pp_address_format(address, out);
}

static bool is_about_rules(const struct difference *difference)
{
	return strncmp(difference->line, "another rule", 12) == 0 || strstr(difference->line, " chain ");
}

/* Rules that are others have to go first, where there are as many of them. */
static const char *find_restore(const struct doctor *doctor)
{
	bool rules = false, table = false;

	for (size_t i = 0; i < doctor->difference_count; i++) {
		rules |= is_about_rules(&doctor->differences[i]);
		table |= strstr(doctor->differences[i].line, ": the table") != NULL;
	}
	return rules && !table ? "nft delete table inet " PP_TABLE_NAME " && portpub restore"
			       : "portpub restore";
}

static void find_differences(const struct doctor *doctor, struct patient *patient)
{
	const char *restore = find_restore(doctor);
	size_t told = 0, left = 0;

	for (size_t i = 0; i < doctor->difference_count; i++) {
		const struct difference *difference = &doctor->differences[i];
		const char *fix = told == 0 ? restore : "";

		if (difference->owner[0] && strcmp(difference->owner, patient->record->id) != 0)
			continue;
		if (told >= LINES_TOLD)
			left++;
		else if (is_about_rules(difference))
			problem(patient, fix,
				"somebody has changed the rules of the table inet " PP_TABLE_NAME);
		else
			problem(patient, fix, "%s", difference->line);
		told++;
	}
	if (left)
		note(&patient->diagnosis.notes, "there are more differences: portpub check tells them");
}

/* As sysctl(8) takes it. */
static void say_sysctl(struct patient *patient, const char *name, const char *value, const char *what)
{
	char fix[PP_FINDING_FIX], shown[PP_SYSCTL_NAME];

	snprintf(shown, sizeof(shown), "%s", name);
	for (char *c = shown; *c && !strchr(name, '.'); c++) {
		if (*c == '/')
			*c = '.';
	}
	snprintf(fix, sizeof(fix), "sysctl -w %s=%s", shown, value);
	problem(patient, fix, "%s is %s: %s", shown, strcmp(value, "0") == 0 ? "1" : "0", what);
}

static bool is_off(sa_family_t family, const char *interface, const char *key,
		   char name[static PP_SYSCTL_NAME])
{
	char value[PP_SYSCTL_VALUE];
	struct pp_error ignored;

	return pp_sysctl_of_interface(family, interface, key, name, &ignored) == 0 &&
	       pp_sysctl_read(name, value, &ignored) == 0 && strcmp(value, "0") == 0;
}

/* That clients come in by, with an address that they ask for. The way to the container has its own words. */
static void find_forwarding_from_clients(const struct doctor *doctor, struct patient *patient,
					 sa_family_t family, const char *key)
{
	const struct pp_address *published = &patient->publication->address;
	char name[PP_SYSCTL_NAME], interface[IF_NAMESIZE];

	for (size_t i = 0; i < doctor->addresses.count; i++) {
		const struct pp_interface_address *own = &doctor->addresses.items[i];

		if (own->address.family != family || pp_address_class(&own->address) != PP_CLASS_SPECIFIC ||
		    (!pp_address_is_any(published) && pp_address_compare(published, &own->address) != 0))
			continue;
		if (if_indextoname(own->index, interface) && strcmp(interface, "lo") != 0 &&
		    strcmp(interface, patient->record->interfaces[family == AF_INET6]) != 0 &&
		    is_off(family, interface, key, name))
			say_sysctl(patient, name, "1",
				   "what clients send who come in by it is not forwarded");
	}
}

static void find_forwarding4(const struct doctor *doctor, struct patient *patient)
{
	char name[PP_SYSCTL_NAME];

	if (!setting_is_on("net/ipv4/ip_forward")) {
		say_sysctl(patient, "net/ipv4/ip_forward", "1",
			   "this host forwards nothing for clients outside");
		return; /* which sets it for every interface */
	}
	if (is_off(AF_INET, patient->record->interfaces[0], "forwarding", name))
		say_sysctl(patient, name, "1",
			   "what the container answers to clients outside is not forwarded");
	find_forwarding_from_clients(doctor, patient, AF_INET, "forwarding");
}

/* all.forwarding, or by interface: then those that packets come in by need it, in both directions. */
static void find_forwarding6(const struct doctor *doctor, struct patient *patient)
{
	static const char all[] = "net/ipv6/conf/all/forwarding";
	const char *inside = patient->record->interfaces[1];
	char name[PP_SYSCTL_NAME];

	if (setting_is_on(all))
		return;
	if (!forward_is_on(AF_INET6, inside)) {
		if (is_off(AF_INET6, inside, "force_forwarding", name))
			say_sysctl(patient, name, "1",
				   "what comes from the container is not forwarded (writing 0 to "
				   "net.ipv6.conf.all.forwarding has this effect)");
		else
			say_sysctl(patient, all, "1", "this host forwards nothing for clients outside");
	}
	find_forwarding_from_clients(doctor, patient, AF_INET6, "force_forwarding");
}

static void find_sysctls(const struct doctor *doctor, struct patient *patient)
{
	const char *interface = patient->record->interfaces[0];
	char name[PP_SYSCTL_NAME];

	if (patient_is_open(patient, AF_INET))
		find_forwarding4(doctor, patient);
	if (patient_is_open(patient, AF_INET6))
		find_forwarding6(doctor, patient);
	if (patient->record->request.masquerade != PP_MASQUERADE_NEVER &&
	    patient_classes(patient, AF_INET) & 1U << PP_CLASS_LOOPBACK &&
	    !setting_is_on("net/ipv4/conf/all/route_localnet") &&
	    is_off(AF_INET, interface, "route_localnet", name))
		say_sysctl(patient, name, "1", "nothing from 127.0.0.0/8 leaves this host by it");
}

static void find_route(struct patient *patient, size_t f)
{
	const struct pp_address *target = target_of(patient, pp_families[f]);
	const char *recorded = patient->record->interfaces[f];
	char interface[IF_NAMESIZE] = "", text[PP_ADDRESS_TEXT], fix[PP_FINDING_FIX];
	struct pp_error err;
	int ret = pp_route_interface(target, interface, &err);

	show(target, text);
	if (ret == 0 && strcmp(interface, recorded) == 0)
		return;
	if (!if_nametoindex(recorded)) {
		format_add(patient, fix);
		problem(patient, fix, "the interface %s to %s is gone", recorded, text);
		return;
	}
	snprintf(fix, sizeof(fix), "ip link set %s up && ip route replace %s dev %s", recorded, text,
		 recorded);
	if (ret < 0)
		problem(patient, fix, "%s", err.message);
	else if (!pp_route_reaches(target))
		problem(patient, fix, "no route to %s: the default route leads to %s by %s", text, text,
			interface);
	else {
		format_add(patient, fix);
		problem(patient, fix, "%s is reached by %s now, and was by %s when it was published", text,
			interface, recorded);
	}
}

static void find_listener(struct patient *patient, size_t f)
{
	const char *name = patient->container.name,
		   *protocol = pp_protocol_name(patient->publication->protocol);
	uint16_t port = container_port_of(patient);
	char text[PP_ADDRESS_TEXT], fix[PP_FINDING_FIX];
	int pid = (int)patient->container.pid;

	show(target_of(patient, pp_families[f]), text);
	switch (patient->listening[f]) {
	case LISTENING_NOT:
		snprintf(fix, sizeof(fix), "# start what is to listen on port %u in the container", port);
		problem(patient, fix, "nothing listens on %u/%s in the container %s (pid %d)", port, protocol,
			name, pid);
		break;
	case LISTENING_LOOPBACK:
	case LISTENING_ELSEWHERE:
		snprintf(fix, sizeof(fix), "# in the container, listen on %s or on every address", text);
		problem(patient, fix,
			patient->listening[f] == LISTENING_LOOPBACK
				? "in the container %s (pid %d), %u/%s is listened on at its own loopback "
				  "address alone, where nobody else gets"
				: "in the container %s (pid %d), %u/%s is listened on at other addresses "
				  "than the "
				  "published one",
			name, pid, port, protocol);
		break;
	default:
		break;
	}
}

/* As an outside client sees it, and only where one has been left without an answer. */
static void find_way_back(const struct doctor *doctor, struct patient *patient, size_t f)
{
	const struct pp_trial *trial = trial_of(patient, pp_families[f], true);
	char text[PP_ADDRESS_TEXT], fix[PP_FINDING_FIX];

	if (!trial || trial->good || !patient->no_way_back[f])
		return;
	snprintf(fix, sizeof(fix), "# in the container, add a default route by this host's address on %s",
		 patient->record->interfaces[f]);
	for (size_t i = 0; i < doctor->addresses.count; i++) {
		const struct pp_interface_address *own = &doctor->addresses.items[i];

		if (own->address.family == pp_families[f] && own->scope == RT_SCOPE_UNIVERSE &&
		    own->index == if_nametoindex(patient->record->interfaces[f]))
			snprintf(fix, sizeof(fix), "nsenter -t %d -n ip route add default via %s",
				 (int)patient->container.pid, show(&own->address, text));
	}
	problem(patient, fix,
		"the container %s (pid %d) has no route to clients outside: its answers are lost",
		patient->container.name, (int)patient->container.pid);
}

static bool is_silent(const struct doctor *doctor, const struct patient *patient, sa_family_t family)
{
	for (int outside = 0; outside < 2; outside++) {
		const struct pp_trial *trial = trial_of(patient, family, outside);

		if (trial && !trial->good && probe_of(doctor, patient, trial)->code != ECONNREFUSED)
			return true;
	}
	return false;
}

static void find_deaf(const struct doctor *doctor, struct patient *patient, size_t f)
{
	const struct pp_address *target = target_of(patient, pp_families[f]);
	const char *interface = patient->record->interfaces[f];
	char text[PP_ADDRESS_TEXT], fix[PP_FINDING_FIX];

	if (!is_silent(doctor, patient, pp_families[f]) || !pp_route_is_deaf(target, interface))
		return;
	snprintf(fix, sizeof(fix), "# see that the container runs, has %s, and is connected to %s",
		 show(target, text), interface);
	problem(patient, fix, "nobody on %s says that he has %s", interface, text);
}

static bool is_strict(const char *interface)
{
	char name[PP_SYSCTL_NAME], own[PP_SYSCTL_VALUE], all[PP_SYSCTL_VALUE];
	struct pp_error ignored;

	return pp_sysctl_of_interface(AF_INET, interface, "rp_filter", name, &ignored) == 0 &&
	       pp_sysctl_read(name, own, &ignored) == 0 &&
	       pp_sysctl_read("net/ipv4/conf/all/rp_filter", all, &ignored) == 0 &&
	       strcmp(strcmp(own, all) > 0 ? own : all, "1") == 0; /* the higher one counts */
}

/* Which interface it was the kernel does not tell; that to the container leads back to it. */
static void find_reverse_path(const struct doctor *doctor, struct patient *patient)
{
	char fix[PP_FINDING_FIX] = "sysctl -w", names[INTERFACES_TOLD * (IF_NAMESIZE + 2)] = "";
	struct if_nameindex *list;
	size_t count = 0;

	if (!(doctor->reverse_path || patient->other_way_back[0]) || !is_silent(doctor, patient, AF_INET))
		return;
	list = if_nameindex();
	for (size_t i = 0; list && list[i].if_index && count < INTERFACES_TOLD; i++) {
		const char *name = list[i].if_name;

		if (strcmp(name, "lo") == 0 || strcmp(name, patient->record->interfaces[0]) == 0 ||
		    !is_strict(name))
			continue;
		snprintf(fix + strlen(fix), sizeof(fix) - strlen(fix), " net/ipv4/conf/%s/rp_filter=2", name);
		snprintf(names + strlen(names), sizeof(names) - strlen(names), "%s%s", count++ ? ", " : "",
			 name);
	}
	if (list)
		if_freenameindex(list);
	if (count)
		problem(patient, fix,
			"%s, and rp_filter is strict on %s: it drops what comes in by another interface than "
			"the "
			"one that leads back",
			patient->other_way_back[0]
				? "the container answers by another interface than it is asked by"
				: "packets have come in by another interface than was foreseen",
			names);
}

static void find_bridge(struct patient *patient, size_t f)
{
	struct pp_bridge bridge;
	struct pp_error ignored;
	char fix[PP_FINDING_FIX];

	if (pp_bridge_read(patient->record->interfaces[f], target_of(patient, pp_families[f]), &bridge,
			   &ignored) < 0 ||
	    patient->record->request.alone[f] == !pp_bridge_returns(&bridge))
		return;
	format_add(patient, fix);
	if (patient->record->request.alone[f])
		note(&patient->diagnosis.notes,
		     "the bridge %s sends back now what the container sends to itself: published anew, it "
		     "could "
		     "reach its own port",
		     patient->record->interfaces[f]);
	else
		problem(patient, fix,
			"the bridge %s no longer sends back what the container sends to itself: it cannot "
			"reach its "
			"own port",
			patient->record->interfaces[f]);
}

static void find_address(const struct doctor *doctor, struct patient *patient)
{
	const struct pp_address *own = &patient->publication->address;
	char text[PP_ADDRESS_TEXT], fix[PP_FINDING_FIX];

	if (pp_address_is_any(own) || pp_interface_address_is_local(&doctor->addresses, own))
		return;
	snprintf(fix, sizeof(fix),
		 "# publish it at another address, or give this host %s: ip addr add %s dev ...",
		 show(own, text), text);
	problem(patient, fix, "%s is no address of this host", text);
}

/* Somebody else may have its address by now. */
static void find_gone(struct patient *patient)
{
	const struct pp_record *record = patient->record;
	char fix[PP_FINDING_FIX];

	if (!record->pid || kill((pid_t)record->pid, 0) == 0 || errno != ESRCH)
		return;
	if (patient->container.pid) {
		format_add(patient, fix);
		problem(patient, fix,
			"the process %lld it was published for is gone: its address is that of %s (pid %d) "
			"now",
			(long long)record->pid, patient->container.name, (int)patient->container.pid);
	} else {
		snprintf(fix, sizeof(fix), "portpub del %s", record->id);
		problem(patient, fix,
			"the process %lld it was published for is gone, and so is its container",
			(long long)record->pid);
	}
}

/* What its own keeper has is no news. */
static bool is_of_keeper(const struct pp_socket *socket, const struct pp_record *record)
{
	struct pp_store store = PP_STORE_INIT;
	struct pp_process process;
	struct pp_error ignored;
	bool is = record->keeper && pp_process_of_socket(socket->inode, &process) &&
		  pp_store_open_to_read(&store, &ignored) == 0 &&
		  pp_kept_is_open_in(&store, record->id, record->keeper, (uint32_t)process.pid);

	pp_store_close(&store);
	return is;
}

static void tell_holders(struct patient *patient)
{
	enum pp_protocol protocol = patient->publication->protocol;
	struct pp_sockets list = PP_SOCKETS_INIT;
	char who[PP_HOLDER_TEXT];
	struct pp_error ignored;

	pp_sockets_read(protocol, host_port_of(patient), &list, &ignored);
	for (size_t i = 0; i < list.count; i++) {
		if (!pp_socket_overlaps(&list.items[i], &patient->publication->address) ||
		    is_of_keeper(&list.items[i], patient->record))
			continue;
		pp_socket_holder(&list.items[i], who, sizeof(who));
		note(&patient->diagnosis.notes,
		     "port %u/%s is also in use by %s, which gets what the kernel does not translate",
		     host_port_of(patient), pp_protocol_name(protocol), who);
	}
	pp_sockets_fini(&list);
}

static void tell_missing(struct patient *patient)
{
	for (size_t i = 0; i < patient->plan.count; i++) {
		const struct pp_way *way = &patient->plan.ways[i];

		if (way->path != PP_PATH_KERNEL)
			note(&patient->diagnosis.notes, "%s %s is %s: %s", pp_family_name(way->family),
			     pp_address_class_name(way->class),
			     way->path == PP_PATH_NONE ? "not carried"
						       : "carried in userspace, and was not tried",
			     way->reason);
	}
	if (patient->publication->count > 1)
		note(&patient->diagnosis.notes, "of the range, port %u is tried", host_port_of(patient));
}

void find_causes(const struct doctor *doctor, struct patient *patient)
{
	find_differences(doctor, patient);
	find_gone(patient);
	find_address(doctor, patient);
	find_sysctls(doctor, patient);
	for (size_t f = 0; f < 2; f++) {
		if (!patient_classes(patient, pp_families[f]))
			continue;
		find_route(patient, f);
		find_listener(patient, f);
		find_way_back(doctor, patient, f);
		find_deaf(doctor, patient, f);
		find_bridge(patient, f);
	}
	find_reverse_path(doctor, patient);
	tell_holders(patient);
	tell_missing(patient);
}
