/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What iptables leaves in nftables as its own: matches and targets with a name and a struct. Known here are those
 * in the way of published ports; with any other match the rule may apply.
 */
#include "match.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/xt_addrtype.h>
#include <linux/netfilter/xt_conntrack.h>
#include <linux/netfilter/xt_tcpudp.h>
#include <string.h>

static enum match known(bool yes)
{
	return yes ? MATCH_YES : MATCH_NO;
}

/* ports[] is the first and the last; all of them is no condition. */
static enum match in_ports(uint16_t port, const uint16_t ports[2], bool inverted)
{
	if (ports[0] == 0 && ports[1] == UINT16_MAX && !inverted)
		return MATCH_YES;
	return port ? known((port >= ports[0] && port <= ports[1]) != inverted) : MATCH_MAYBE;
}

static enum match least(enum match a, enum match b)
{
	return a < b ? a : b;
}

static enum match match_tcp(const void *data, const struct pp_packet *packet)
{
	const struct xt_tcp *tcp = data;
	enum match ports = least(in_ports(packet->source_port, tcp->spts, tcp->invflags & XT_TCP_INV_SRCPT),
				 in_ports(packet->port, tcp->dpts, tcp->invflags & XT_TCP_INV_DSTPT));

	if (packet->protocol != PP_TCP)
		return MATCH_NO;
	return tcp->option || tcp->flg_mask ? least(ports, MATCH_MAYBE) : ports;
}

static enum match match_udp(const void *data, const struct pp_packet *packet)
{
	const struct xt_udp *udp = data;

	if (packet->protocol != PP_UDP)
		return MATCH_NO;
	return least(in_ports(packet->source_port, udp->spts, udp->invflags & XT_UDP_INV_SRCPT),
		     in_ports(packet->port, udp->dpts, udp->invflags & XT_UDP_INV_DSTPT));
}

static enum match match_conntrack(const void *data, const struct pp_packet *packet)
{
	const struct xt_conntrack_mtinfo3 *ct = data;
	bool inverted = ct->invert_flags & XT_CONNTRACK_STATE;
	uint16_t bits = (uint16_t)XT_CONNTRACK_STATE_BIT(packet->reply ? IP_CT_ESTABLISHED : IP_CT_NEW);
	enum match match;

	if (!packet->tracked || !(ct->match_flags & XT_CONNTRACK_STATE))
		return MATCH_MAYBE;
	if (packet->translated)
		bits |= XT_CONNTRACK_STATE_DNAT;
	if (ct->state_mask & bits)
		match = known(!inverted);
	else if (ct->state_mask & XT_CONNTRACK_STATE_SNAT)
		match = MATCH_MAYBE;
	else
		match = known(inverted);
	return ct->match_flags & ~(XT_CONNTRACK_STATE | XT_CONNTRACK_STATE_ALIAS) ? least(match, MATCH_MAYBE)
										  : match;
}

static enum match match_addrtype(const void *data, const struct pp_packet *packet)
{
	const struct xt_addrtype_info_v1 *type = data;

	if (!packet->local || type->source || !type->dest || type->flags & ~XT_ADDRTYPE_INVERT_DEST)
		return MATCH_MAYBE;
	return known(!!(type->dest & XT_ADDRTYPE_LOCAL) != !!(type->flags & XT_ADDRTYPE_INVERT_DEST));
}

static enum match match_comment(const void *data, const struct pp_packet *packet)
{
	(void)data;
	(void)packet;
	return MATCH_YES;
}

static const struct {
	const char *name;
	uint32_t revision;
	size_t size;
	enum match (*match)(const void *data, const struct pp_packet *packet);
} matches[] = {
	{ "tcp", 0, sizeof(struct xt_tcp), match_tcp },
	{ "udp", 0, sizeof(struct xt_udp), match_udp },
	{ "conntrack", 3, sizeof(struct xt_conntrack_mtinfo3), match_conntrack },
	{ "addrtype", 1, sizeof(struct xt_addrtype_info_v1), match_addrtype },
	{ "comment", 0, 0, match_comment },
};

enum match match_xt(const struct nftnl_expr *expression, const struct pp_packet *packet)
{
	const char *name = nftnl_expr_get_str(expression, NFTNL_EXPR_MT_NAME);
	uint32_t revision = nftnl_expr_get_u32(expression, NFTNL_EXPR_MT_REV), size;
	const void *data = nftnl_expr_get(expression, NFTNL_EXPR_MT_INFO, &size);

	for (size_t i = 0; i < sizeof(matches) / sizeof(matches[0]); i++) {
		if (strcmp(name, matches[i].name) == 0 && revision == matches[i].revision && data &&
		    size >= matches[i].size)
			return matches[i].match(data, packet);
	}
	return MATCH_MAYBE;
}

enum effect match_xt_target(const char *name)
{
	static const struct {
		const char *name;
		enum effect effect;
	} targets[] = {
		{ "DNAT", EFFECT_TRANSLATE },    { "REDIRECT", EFFECT_TRANSLATE },
		{ "REJECT", EFFECT_DROP },       { "SNAT", EFFECT_ACCEPT },
		{ "MASQUERADE", EFFECT_ACCEPT }, { "LOG", EFFECT_NONE },
		{ "NFLOG", EFFECT_NONE },        { "MARK", EFFECT_NONE },
		{ "CONNMARK", EFFECT_NONE },     { "TCPMSS", EFFECT_NONE },
		{ "CT", EFFECT_NONE },
	};

	for (size_t i = 0; i < sizeof(targets) / sizeof(targets[0]); i++) {
		if (strcmp(name, targets[i].name) == 0)
			return targets[i].effect;
	}
	return EFFECT_ANY;
}
