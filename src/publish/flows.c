/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A flow is ours to forget when it asked for a host port whose element has changed, at an address that the
 * element means. Then:
 *
 *	element is new		forget UDP that goes elsewhere, by DNAT or without
 *	element has moved	the same, and TCP and SCTP but to the old container, while that lives
 *	element is gone		forget what goes where it went
 *	network no longer	forget what comes from there
 *	allowed
 *
 * TCP without DNAT is never forgotten: somebody of this host answers it, and would be cut off. For new elements
 * of TCP and SCTP alone nothing is looked at: to walk the kernel's table takes ten milliseconds, ten times as long
 * as everything else, and what could be found is a connection that others had translated, and that lives. So it is
 * where connections are spared.
 */
#include "flows.h"

#include "portpub/conntrack.h"
#include "portpub/interface.h"

#include <errno.h>
#include <string.h>

struct judge {
	const struct transaction *transaction;
	const struct pp_record *narrowed;        /* one whose allow list has changed */
	struct pp_interface_addresses addresses; /* of this host, read when the first flow asks for it */
	bool read;
	int ret; /* of reading them */
	struct pp_error *err;
};

/* The entry among @refs, which are sorted, by which the flow's packets would be translated. */
static const struct pp_entry *find(const struct pp_entry_refs *refs, const struct pp_flow *flow,
				   const struct pp_address *address)
{
	struct pp_entry place = pp_entry_of_port(flow->protocol, address, flow->port);

	return pp_entry_refs_find(refs, &place);
}

static const struct pp_entry *find_either(const struct pp_entry_refs *refs, const struct pp_flow *flow)
{
	struct pp_address any = { .family = flow->destination.family };
	const struct pp_entry *entry = find(refs, flow, &flow->destination);

	return entry ? entry : find(refs, flow, &any);
}

static bool goes_to(const struct pp_flow *flow, const struct pp_entry *entry)
{
	struct pp_address target = pp_entry_target(entry);

	return flow->dnat && pp_address_compare(&flow->answerer, &target) == 0 &&
	       flow->answerer_port == pp_entry_target_port(entry);
}

static bool is_stale(const struct pp_flow *flow, const struct pp_entry *added, const struct pp_entry *removed)
{
	if (!added)
		return removed && goes_to(flow, removed);
	if (!flow->dnat)
		return flow->protocol == PP_UDP;
	if (flow->protocol != PP_UDP && (!removed || goes_to(flow, removed)))
		return false;
	return !goes_to(flow, added);
}

static bool asks_for(const struct pp_flow *flow, const struct pp_record *record)
{
	const struct pp_publications *list = &record->request.publications;

	for (size_t i = 0; i < list->count; i++) {
		const struct pp_publication *p = &list->items[i];

		if (p->protocol == flow->protocol && flow->port >= p->host_port &&
		    flow->port - p->host_port < p->count &&
		    (p->address.family == AF_UNSPEC || p->address.family == flow->destination.family) &&
		    (pp_address_is_any(&p->address) ||
		     pp_address_compare(&p->address, &flow->destination) == 0))
			return true;
	}
	return false;
}

static bool is_local(struct judge *judge, const struct pp_address *address)
{
	if (!judge->read) {
		judge->ret = pp_interface_addresses_read(&judge->addresses, judge->err);
		judge->read = true;
	}
	return judge->ret == 0 && pp_interface_address_is_local(&judge->addresses, address);
}

static bool is_shut_out(struct judge *judge, const struct pp_flow *flow)
{
	return judge->narrowed && flow->dnat && asks_for(flow, judge->narrowed) &&
	       !pp_networks_have(&judge->narrowed->request.allow, &flow->source) &&
	       !is_local(judge, &flow->source);
}

static bool is_spared(const struct judge *judge, enum pp_protocol protocol)
{
	return judge->transaction->spares_connections && protocol != PP_UDP;
}

static bool judge_flow(const struct pp_flow *flow, void *data)
{
	struct judge *judge = data;
	const struct pp_entry *added = find_either(&judge->transaction->add, flow);
	const struct pp_entry *removed = find_either(&judge->transaction->remove, flow);

	if ((!(added || removed) && !judge->narrowed) || is_spared(judge, flow->protocol))
		return false;
	if (!is_local(judge, &flow->destination))
		return false; /* it only passes through */
	return is_stale(flow, added, removed) || is_shut_out(judge, flow);
}

static bool same_networks(const struct pp_networks *a, const struct pp_networks *b)
{
	if (a->count != b->count)
		return false;
	for (size_t i = 0; i < a->count; i++) {
		if (a->items[i].prefix != b->items[i].prefix ||
		    pp_address_compare(&a->items[i].address, &b->items[i].address) != 0)
			return false;
	}
	return true;
}

static const struct pp_record *find_narrowed(const struct transaction *t)
{
	for (size_t i = 0; i < t->count; i++) {
		const struct change *change = &t->changes[i];

		if (change->before && change->after && change->after->request.allow.count &&
		    !same_networks(&change->before->request.allow, &change->after->request.allow))
			return change->after;
	}
	return NULL;
}

/* What all changed elements have in common narrows what the kernel is asked for. */
struct narrow {
	sa_family_t family;
	enum pp_protocol protocol;
	uint16_t port;
	size_t count;
};

static void narrow_by(struct narrow *narrow, const struct pp_entry_refs *refs)
{
	for (size_t i = 0; i < refs->count; i++) {
		const struct pp_entry *entry = refs->items[i];
		const struct pp_shape *shape = pp_set_shape(entry->set);

		if (!shape->map)
			continue;
		if (narrow->count++ == 0)
			*narrow = (struct narrow){ shape->family, pp_entry_protocol(entry),
						   pp_entry_port(entry), 1 };
		if (narrow->family != shape->family)
			narrow->family = AF_UNSPEC;
		if (narrow->protocol != pp_entry_protocol(entry) || narrow->port != pp_entry_port(entry))
			narrow->port = 0;
	}
}

static bool has_udp(const struct pp_entry_refs *refs)
{
	for (size_t i = 0; i < refs->count; i++) {
		if (pp_set_shape(refs->items[i]->set)->map && pp_entry_protocol(refs->items[i]) == PP_UDP)
			return true;
	}
	return false;
}

int flows_flush(const struct transaction *t, struct pp_error *err)
{
	struct judge judge = { .transaction = t, .narrowed = find_narrowed(t), .err = err };
	struct narrow narrow = { 0 };
	int ret;

	narrow_by(&narrow, &t->remove);
	if ((!narrow.count || (t->spares_connections && !has_udp(&t->remove))) && !judge.narrowed &&
	    !has_udp(&t->add))
		return 0;
	narrow_by(&narrow, &t->add);
	if (judge.narrowed)
		narrow = (struct narrow){ .family = AF_UNSPEC, .count = 1 };
	ret = pp_conntrack_flush(narrow.family, narrow.protocol, narrow.port, judge_flow, &judge, NULL, err);
	pp_interface_addresses_fini(&judge.addresses);
	return ret < 0 ? ret : judge.ret;
}
