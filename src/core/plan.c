/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Packets differ by family and by the class of the host address they are for; each such way in has one
 * path. obstacle() is a list of questions asked in order: the first that is answered yes is the reason why
 * the kernel cannot carry it. Publishing to every address of a family opens the loopback addresses of that
 * family too, which the kernel treats in its own way, so those are ways of their own; ways_of() lists them. The
 * container itself goes by its own way where its bridge sends nothing back to where it came from.
 */
#include "portpub/plan.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

const char *pp_path_name(enum pp_path path)
{
	static const char *const names[] = {
		[PP_PATH_KERNEL] = "kernel",
		[PP_PATH_USERSPACE] = "userspace",
		[PP_PATH_NONE] = "none",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == PP_PATH_COUNT, "a name for each path");

	return names[path];
}

const char *pp_via_name(enum pp_via via)
{
	static const char *const names[] = {
		[PP_VIA_AUTO] = "auto",
		[PP_VIA_KERNEL] = "kernel",
		[PP_VIA_USERSPACE] = "userspace",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == PP_VIA_COUNT, "a name for each");

	return names[via];
}

bool pp_via_parse(const char *text, enum pp_via *out)
{
	for (int i = 0; i < PP_VIA_COUNT; i++) {
		if (strcmp(text, pp_via_name((enum pp_via)i)) == 0) {
			*out = (enum pp_via)i;
			return true;
		}
	}
	return false;
}

const char *pp_masquerade_name(enum pp_masquerade masquerade)
{
	static const char *const names[] = {
		[PP_MASQUERADE_NEEDED] = "needed",
		[PP_MASQUERADE_NEVER] = "never",
		[PP_MASQUERADE_ALL] = "all",
	};
	static_assert(sizeof(names) / sizeof(names[0]) == PP_MASQUERADE_COUNT, "a name for each");

	return names[masquerade];
}

bool pp_masquerade_parse(const char *text, enum pp_masquerade *out)
{
	for (int i = 0; i < PP_MASQUERADE_COUNT; i++) {
		if (strcmp(text, pp_masquerade_name((enum pp_masquerade)i)) == 0) {
			*out = (enum pp_masquerade)i;
			return true;
		}
	}
	return false;
}

void pp_request_fini(struct pp_request *request)
{
	pp_publications_fini(&request->publications);
	pp_networks_fini(&request->allow);
	*request = (struct pp_request){ 0 };
}

static int add_target(struct pp_piece piece, struct pp_target *target, struct pp_error *err)
{
	struct pp_address address, *slot;

	if (!pp_address_parse(pp_piece_text(piece), piece.len, &address))
		return pp_fail_at(
			err, piece,
			"the target is an IPv4 address, an IPv6 address, or both: 10.0.0.2,fd00::2");
	if (pp_address_is_any(&address) || pp_address_is_multicast(&address))
		return pp_fail_at(err, piece, "no container has this address");
	if (pp_address_class(&address) == PP_CLASS_LINK_LOCAL)
		return pp_fail_at(err, piece,
				  "a link-local address says nothing without its link: give the"
				  " container's global or private address");
	slot = address.family == AF_INET ? &target->ipv4 : &target->ipv6;
	if (slot->family != AF_UNSPEC)
		return pp_fail_at(err, piece, "a second address of the same family");
	*slot = address;
	return 0;
}

int pp_target_parse(const char *text, size_t len, struct pp_target *out, struct pp_error *err)
{
	const char *comma = memchr(text, ',', len);
	struct pp_piece first = { text, len, 0, comma ? (size_t)(comma - text) : len }, second = first;
	struct pp_target target = { 0 };
	int ret = add_target(first, &target, err);

	if (ret == 0 && comma) {
		second.at = first.len + 1;
		second.len = len - second.at;
		ret = add_target(second, &target, err);
	}
	if (ret == 0)
		*out = target;
	return ret;
}

const struct pp_address *pp_target_of(const struct pp_target *target, sa_family_t family)
{
	return family == AF_INET ? &target->ipv4 : &target->ipv6;
}

bool pp_target_is_known(const struct pp_target *target)
{
	return target->ipv4.family != AF_UNSPEC || target->ipv6.family != AF_UNSPEC;
}

static const char *kernel_reason(const struct pp_way *way, const struct pp_target *target)
{
	if (way->family == AF_INET && way->class == PP_CLASS_LOOPBACK)
		return "nftables DNAT from this host; a guard drops 127.0.0.0/8 that comes from elsewhere";
	if (pp_target_is_known(target))
		return "nftables DNAT; clients outside keep their address";
	return way->family == AF_INET
		       ? "nftables DNAT, if the container has IPv4; clients outside keep their address"
		       : "nftables DNAT, if the container has IPv6; clients outside keep their address";
}

/* Why the kernel cannot carry this way, or NULL. */
static const char *obstacle(const struct pp_way *way, const struct pp_request *request)
{
	const struct pp_target *target = &request->target;
	const struct pp_host *host = &request->host;
	const struct pp_address *to = pp_target_of(target, way->family);

	if (host->no_nftables)
		return "this kernel has no nf_tables";
	if (host->no_admin)
		return "rules need CAP_NET_ADMIN";
	if (request->inside)
		return "the container is to be reached from inside its network namespace only";
	if (way->family == AF_INET6 && way->class == PP_CLASS_LOOPBACK)
		return "the kernel does not route ::1 away from lo, not even after DNAT";
	if (way->class == PP_CLASS_LINK_LOCAL)
		return "the kernel does not route link-local clients to another link";
	if (pp_target_is_known(target) && to->family == AF_UNSPEC)
		return way->family == AF_INET
			       ? "DNAT cannot turn IPv4 into IPv6, and the container has no IPv4"
			       : "DNAT cannot turn IPv6 into IPv4, and the container has no IPv6";
	if (to->family != AF_UNSPEC && pp_address_class(to) == PP_CLASS_LOOPBACK)
		return "the target is a loopback address: the kernel routes nothing there from outside";
	return NULL;
}

static bool kernel_only(const struct pp_request *request)
{
	return request->no_keeper || request->via == PP_VIA_KERNEL;
}

static enum pp_path otherwise(const struct pp_request *request)
{
	return kernel_only(request) ? PP_PATH_NONE : PP_PATH_USERSPACE;
}

static void decide(struct pp_way *way, const struct pp_request *request)
{
	const char *why_not = obstacle(way, request);

	if (request->via == PP_VIA_USERSPACE) {
		way->path = PP_PATH_USERSPACE;
		way->reason = "userspace was asked for";
	} else if (!why_not) {
		way->path = PP_PATH_KERNEL;
		way->reason = kernel_reason(way, &request->target);
	} else {
		way->path = otherwise(request);
		way->reason = why_not;
	}
}

static void add_way(struct pp_plan *plan, sa_family_t family, enum pp_address_class class)
{
	plan->ways[plan->count++] = (struct pp_way){ .family = family, .class = class };
}

static void ways_of(const struct pp_address *address, struct pp_plan *plan)
{
	enum pp_address_class class = pp_address_class(address);

	plan->count = 0;
	if (class != PP_CLASS_ANY) {
		add_way(plan, address->family, class);
		return;
	}
	if (address->family != AF_INET6) {
		add_way(plan, AF_INET, PP_CLASS_ANY);
		add_way(plan, AF_INET, PP_CLASS_LOOPBACK);
	}
	if (address->family != AF_INET) {
		add_way(plan, AF_INET6, PP_CLASS_ANY);
		add_way(plan, AF_INET6, PP_CLASS_LOOPBACK);
		add_way(plan, AF_INET6, PP_CLASS_LINK_LOCAL);
	}
}

/* What the container asks of itself is left to the host where DNAT would send it to a bridge that does not return it. */
static void add_own(struct pp_plan *plan, const struct pp_request *request)
{
	static const char *const reasons[2] = { "what the container sends to itself does not come back: "
						"bridge-nf-call-iptables is on, and hairpin "
						"off at its port of the bridge",
						"what the container sends to itself does not come back: "
						"bridge-nf-call-ip6tables is on, and hairpin "
						"off at its port of the bridge" };
	size_t count = plan->count;

	for (size_t i = 0; i < count; i++) {
		size_t f = plan->ways[i].family == AF_INET6;

		if (!request->alone[f] || plan->ways[i].path != PP_PATH_KERNEL ||
		    plan->ways[i].class == PP_CLASS_LOOPBACK)
			continue;
		add_way(plan, pp_families[f], PP_CLASS_OWN);
		plan->ways[plan->count - 1].path = otherwise(request);
		plan->ways[plan->count - 1].reason = reasons[f];
	}
}

int pp_plan_make(const struct pp_publication *publication, const struct pp_request *request,
		 struct pp_plan *out, struct pp_error *err)
{
	const struct pp_host *host = &request->host;
	char text[PP_PUBLICATION_TEXT];
	size_t carried = 0;
	struct pp_plan plan;

	ways_of(&publication->address, &plan);
	for (size_t i = 0; i < plan.count; i++) {
		decide(&plan.ways[i], request);
		carried += plan.ways[i].path != PP_PATH_NONE;
	}
	if (!carried)
		return pp_fail(err, host->no_nftables || host->no_admin ? EPERM : EINVAL,
			       "%s: nothing is left with --%s: %s", pp_publication_format(publication, text),
			       request->no_keeper ? "no-keeper" : "via kernel", plan.ways[0].reason);
	add_own(&plan, request);
	*out = plan;
	return 0;
}

bool pp_plan_is_for_some(const struct pp_publication *publication, const struct pp_request *request)
{
	return request->allow.count || pp_plan_reach(publication) == PP_REACH_HOST;
}

bool pp_plan_makes_rules(const struct pp_request *request)
{
	return request->via != PP_VIA_USERSPACE && !request->inside && !request->host.no_nftables &&
	       !request->host.no_admin;
}

enum pp_reach pp_plan_reach(const struct pp_publication *publication)
{
	static const enum pp_reach reach[] = {
		[PP_CLASS_ANY] = PP_REACH_ALL,
		[PP_CLASS_LOOPBACK] = PP_REACH_HOST,
		[PP_CLASS_LINK_LOCAL] = PP_REACH_LINK,
		[PP_CLASS_SPECIFIC] = PP_REACH_ADDRESS,
	};
	static_assert(sizeof(reach) / sizeof(reach[0]) == PP_CLASS_OWN,
		      "a reach for each class of an address");

	return reach[pp_address_class(&publication->address)];
}
