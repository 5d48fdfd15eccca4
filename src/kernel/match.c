/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The expressions of a rule are worked off as the kernel does it, on registers of which every bit is known or is
 * not. What is known of the packet is written into headers of the same kind, from which expressions load. A
 * comparison with bits that are not known is MAYBE, unless those that are known say no. Whatever is not modelled
 * here (marks, limits, sockets, matches of iptables) makes its registers unknown, or the rule a MAYBE.
 */
#include "match.h"

#include <arpa/inet.h>
#include <linux/if_ether.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <string.h>

enum { ROOM = 64 /* of all registers, and more than any header that is looked at */ };

/* Bytes of which some bits are known. */
struct bytes {
	uint8_t value[ROOM], known[ROOM];
};

struct machine {
	struct pp_nft *nft;
	const struct nftnl_rule *rule;
	const struct pp_packet *packet;
	struct bytes registers, network, transport;
	struct verdict verdict;
};

static void learn(struct bytes *bytes, size_t at, const void *data, size_t size)
{
	if (at >= ROOM || size > ROOM - at)
		return;
	memcpy(bytes->value + at, data, size);
	memset(bytes->known + at, 0xff, size);
}

static void forget(struct bytes *bytes, size_t at, size_t size)
{
	if (at < ROOM)
		memset(bytes->known + at, 0, size < ROOM - at ? size : ROOM - at);
}

static void learn_address(struct bytes *network, size_t at, const struct pp_address *address, size_t size)
{
	if (address->family != AF_UNSPEC)
		learn(network, at, address->bytes, size);
}

static void learn_port(struct bytes *transport, size_t at, uint16_t port)
{
	uint16_t port_be = htons(port);

	if (port)
		learn(transport, at, &port_be, sizeof(port_be));
}

static uint8_t number_of(enum pp_protocol protocol)
{
	return protocol == PP_TCP ? IPPROTO_TCP : protocol == PP_UDP ? IPPROTO_UDP : IPPROTO_SCTP;
}

static void learn_headers(struct machine *machine)
{
	const struct pp_packet *packet = machine->packet;
	bool ipv4 = packet->family == AF_INET;
	uint8_t protocol = number_of(packet->protocol);

	learn(&machine->network, ipv4 ? offsetof(struct iphdr, protocol) : offsetof(struct ip6_hdr, ip6_nxt),
	      &protocol, 1);
	learn_address(&machine->network,
		      ipv4 ? offsetof(struct iphdr, saddr) : offsetof(struct ip6_hdr, ip6_src),
		      &packet->source, ipv4 ? 4 : 16);
	learn_address(&machine->network,
		      ipv4 ? offsetof(struct iphdr, daddr) : offsetof(struct ip6_hdr, ip6_dst),
		      &packet->destination, ipv4 ? 4 : 16);
	learn_port(&machine->transport, offsetof(struct tcphdr, th_sport), packet->source_port);
	learn_port(&machine->transport, offsetof(struct tcphdr, th_dport), packet->port);
}

/* Registers have names of two kinds: for sixteen bytes, and for four. */
static size_t place_of(uint32_t reg)
{
	return reg < NFT_REG32_00 ? (reg - NFT_REG_1) * 16 : (reg - NFT_REG32_00) * 4;
}

static size_t padded(size_t size)
{
	return (size + 3) / 4 * 4;
}

/* A value fills its last four bytes with zeros. */
static void set(struct machine *machine, uint32_t reg, const void *data, size_t size)
{
	static const uint8_t zeros[4] = { 0 };

	learn(&machine->registers, place_of(reg), data, size);
	learn(&machine->registers, place_of(reg) + size, zeros, padded(size) - size);
}

static void unset(struct machine *machine, uint32_t reg)
{
	forget(&machine->registers, place_of(reg), 16);
}

static void need(struct machine *machine, enum match match)
{
	if (match < machine->verdict.match)
		machine->verdict.match = match;
}

static void load_name(struct machine *machine, uint32_t reg, const char *name)
{
	char text[IFNAMSIZ] = "";

	if (!name[0]) {
		unset(machine, reg);
		return;
	}
	memcpy(text, name, strnlen(name, sizeof(text) - 1));
	set(machine, reg, text, sizeof(text));
}

static void load_index(struct machine *machine, uint32_t reg, const char *name)
{
	uint32_t index = name[0] ? if_nametoindex(name) : 0;

	if (index)
		set(machine, reg, &index, sizeof(index));
	else
		unset(machine, reg);
}

static void load_meta(struct machine *machine, const struct nftnl_expr *e)
{
	const struct pp_packet *packet = machine->packet;
	uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_META_DREG);
	uint8_t family = packet->family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;
	uint8_t protocol = number_of(packet->protocol);
	uint16_t type_be = htons(packet->family == AF_INET ? ETH_P_IP : ETH_P_IPV6);

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_META_DREG))
		return; /* it sets a mark */
	switch (nftnl_expr_get_u32(e, NFTNL_EXPR_META_KEY)) {
	case NFT_META_NFPROTO:
		set(machine, reg, &family, sizeof(family));
		break;
	case NFT_META_L4PROTO:
		set(machine, reg, &protocol, sizeof(protocol));
		break;
	case NFT_META_PROTOCOL:
		set(machine, reg, &type_be, sizeof(type_be));
		break;
	case NFT_META_IIF:
		load_index(machine, reg, packet->in);
		break;
	case NFT_META_OIF:
		load_index(machine, reg, packet->out);
		break;
	case NFT_META_IIFNAME:
		load_name(machine, reg, packet->in);
		break;
	case NFT_META_OIFNAME:
		load_name(machine, reg, packet->out);
		break;
	default:
		unset(machine, reg);
	}
}

/* Of the status one bit is known, which rules ask for. */
static void load_ct_status(struct machine *machine, uint32_t reg)
{
	const struct pp_packet *packet = machine->packet;
	uint32_t status = packet->translated ? IPS_DST_NAT : 0, known = IPS_DST_NAT;
	struct bytes *registers = &machine->registers;

	set(machine, reg, &status, sizeof(status));
	memcpy(registers->known + place_of(reg), &known, sizeof(known));
}

static void load_ct(struct machine *machine, const struct nftnl_expr *e)
{
	const struct pp_packet *packet = machine->packet;
	uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_CT_DREG);
	uint32_t state = NF_CT_STATE_BIT(packet->reply ? IP_CT_ESTABLISHED : IP_CT_NEW);
	uint8_t direction = packet->reply ? IP_CT_DIR_REPLY : IP_CT_DIR_ORIGINAL;

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_CT_DREG))
		return;
	unset(machine, reg);
	if (!packet->tracked)
		return;
	switch (nftnl_expr_get_u32(e, NFTNL_EXPR_CT_KEY)) {
	case NFT_CT_STATE:
		set(machine, reg, &state, sizeof(state));
		break;
	case NFT_CT_STATUS:
		load_ct_status(machine, reg);
		break;
	case NFT_CT_DIRECTION:
		set(machine, reg, &direction, sizeof(direction));
		break;
	}
}

static void load_payload(struct machine *machine, const struct nftnl_expr *e)
{
	uint32_t base = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_BASE),
		 reg = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_DREG);
	size_t at = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET),
	       size = nftnl_expr_get_u32(e, NFTNL_EXPR_PAYLOAD_LEN), to = place_of(reg);
	const struct bytes *header = base == NFT_PAYLOAD_NETWORK_HEADER ? &machine->network
									: &machine->transport;
	bool other = base != NFT_PAYLOAD_NETWORK_HEADER && base != NFT_PAYLOAD_TRANSPORT_HEADER;
	static const uint8_t zeros[ROOM];

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_PAYLOAD_DREG))
		return; /* it writes to the packet */
	if (other || at >= ROOM || size > ROOM - at || to >= ROOM || padded(size) > ROOM - to) {
		unset(machine, reg);
		return;
	}
	set(machine, reg, zeros, size);
	memcpy(machine->registers.value + to, header->value + at, size);
	memcpy(machine->registers.known + to, header->known + at, size);
}

/* With an interface it may be local to another one. */
static void load_fib(struct machine *machine, const struct nftnl_expr *e)
{
	uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_DREG),
		 flags = nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_FLAGS), local = RTN_LOCAL;

	unset(machine, reg);
	if (machine->packet->local && (flags & ~NFTA_FIB_F_PRESENT) == NFTA_FIB_F_DADDR &&
	    nftnl_expr_get_u32(e, NFTNL_EXPR_FIB_RESULT) == NFT_FIB_RESULT_ADDRTYPE)
		set(machine, reg, &local, sizeof(local));
}

static void mask(struct machine *machine, const struct nftnl_expr *e)
{
	uint32_t from = nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_SREG),
		 to = nftnl_expr_get_u32(e, NFTNL_EXPR_BITWISE_DREG), size, xor_size;
	const uint8_t *bits = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_MASK, &size),
		      *flip = nftnl_expr_get(e, NFTNL_EXPR_BITWISE_XOR, &xor_size);
	struct bytes *r = &machine->registers;

	if (!bits || !flip || size != xor_size || place_of(from) + size > ROOM ||
	    place_of(to) + size > ROOM) {
		unset(machine, to); /* a shift */
		return;
	}
	for (size_t i = 0; i < size; i++) {
		size_t s = place_of(from) + i, d = place_of(to) + i;

		r->value[d] = (r->value[s] & bits[i]) ^ flip[i];
		r->known[d] = (uint8_t)(r->known[s] | ~bits[i]);
	}
}

static bool all_known(const uint8_t *known, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (known[i] != 0xff)
			return false;
	}
	return true;
}

static enum match equals(const struct bytes *r, size_t at, const uint8_t *data, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if ((r->value[at + i] ^ data[i]) & r->known[at + i])
			return MATCH_NO;
	}
	return all_known(r->known + at, size) ? MATCH_YES : MATCH_MAYBE;
}

static enum match invert(enum match match)
{
	return match == MATCH_YES ? MATCH_NO : match == MATCH_NO ? MATCH_YES : MATCH_MAYBE;
}

static enum match by_order(uint32_t op, int order)
{
	switch (op) {
	case NFT_CMP_LT:
		return order < 0 ? MATCH_YES : MATCH_NO;
	case NFT_CMP_LTE:
		return order <= 0 ? MATCH_YES : MATCH_NO;
	case NFT_CMP_GT:
		return order > 0 ? MATCH_YES : MATCH_NO;
	case NFT_CMP_GTE:
		return order >= 0 ? MATCH_YES : MATCH_NO;
	default:
		return MATCH_MAYBE;
	}
}

static enum match compare(const struct machine *machine, const struct nftnl_expr *e)
{
	const struct bytes *r = &machine->registers;
	size_t at = place_of(nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_SREG));
	uint32_t op = nftnl_expr_get_u32(e, NFTNL_EXPR_CMP_OP), size;
	const uint8_t *data = nftnl_expr_get(e, NFTNL_EXPR_CMP_DATA, &size);

	if (!data || at >= ROOM || size > ROOM - at)
		return MATCH_MAYBE;
	if (op == NFT_CMP_EQ)
		return equals(r, at, data, size);
	if (op == NFT_CMP_NEQ)
		return invert(equals(r, at, data, size));
	return all_known(r->known + at, size) ? by_order(op, memcmp(r->value + at, data, size)) : MATCH_MAYBE;
}

static enum match compare_range(const struct machine *machine, const struct nftnl_expr *e)
{
	const struct bytes *r = &machine->registers;
	size_t at = place_of(nftnl_expr_get_u32(e, NFTNL_EXPR_RANGE_SREG));
	uint32_t size, to_size;
	const uint8_t *from = nftnl_expr_get(e, NFTNL_EXPR_RANGE_FROM_DATA, &size),
		      *to = nftnl_expr_get(e, NFTNL_EXPR_RANGE_TO_DATA, &to_size);
	enum match in;

	if (!from || !to || size != to_size || at >= ROOM || size > ROOM - at ||
	    !all_known(r->known + at, size))
		return MATCH_MAYBE;
	in = memcmp(r->value + at, from, size) >= 0 && memcmp(r->value + at, to, size) <= 0 ? MATCH_YES
											    : MATCH_NO;
	return nftnl_expr_get_u32(e, NFTNL_EXPR_RANGE_OP) == NFT_RANGE_NEQ ? invert(in) : in;
}

static void take_answer(struct machine *machine, const struct nftnl_expr *e, const struct set_answer *answer)
{
	uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_DREG);

	if (!nftnl_expr_is_set(e, NFTNL_EXPR_LOOKUP_DREG))
		return;
	if (reg == NFT_REG_VERDICT) {
		machine->verdict.effect = answer->match == MATCH_YES ? answer->effect : EFFECT_ANY;
		memcpy(machine->verdict.chain, answer->chain, sizeof(answer->chain));
	} else if (answer->match == MATCH_YES && answer->size) {
		set(machine, reg, answer->data, answer->size);
	} else {
		unset(machine, reg);
	}
}

static void look_up(struct machine *machine, const struct nftnl_expr *e)
{
	const char *table = nftnl_rule_get_str(machine->rule, NFTNL_RULE_TABLE),
		   *name = nftnl_expr_get_str(e, NFTNL_EXPR_LOOKUP_SET);
	uint8_t family = (uint8_t)nftnl_rule_get_u32(machine->rule, NFTNL_RULE_FAMILY);
	size_t at = place_of(nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_SREG));
	struct set_answer answer = { .match = MATCH_MAYBE };
	uint32_t size = 0;

	set_key_size(machine->nft, family, table, name, &size);
	if (size && at < ROOM && size <= ROOM - at && all_known(machine->registers.known + at, size))
		answer = set_ask(machine->nft, family, table, name, machine->registers.value + at, size);
	if (nftnl_expr_get_u32(e, NFTNL_EXPR_LOOKUP_FLAGS) & NFT_LOOKUP_F_INV)
		answer.match = invert(answer.match);
	need(machine, answer.match);
	take_answer(machine, e, &answer);
}

enum effect match_effect(uint32_t code)
{
	switch ((int)code) {
	case NF_ACCEPT:
		return EFFECT_ACCEPT;
	case NF_DROP:
		return EFFECT_DROP;
	case NFT_CONTINUE:
		return EFFECT_NONE;
	case NFT_JUMP:
		return EFFECT_JUMP;
	case NFT_GOTO:
		return EFFECT_GOTO;
	case NFT_RETURN:
		return EFFECT_RETURN;
	default:
		return EFFECT_ANY;
	}
}

static void load_immediate(struct machine *machine, const struct nftnl_expr *e)
{
	uint32_t reg = nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_DREG), size;
	const void *data = nftnl_expr_get(e, NFTNL_EXPR_IMM_DATA, &size);
	const char *chain = nftnl_expr_get_str(e, NFTNL_EXPR_IMM_CHAIN);

	if (reg == NFT_REG_VERDICT) {
		machine->verdict.effect = match_effect(nftnl_expr_get_u32(e, NFTNL_EXPR_IMM_VERDICT));
		if (chain)
			snprintf(machine->verdict.chain, sizeof(machine->verdict.chain), "%s", chain);
	} else if (data) {
		set(machine, reg, data, size);
	}
}

/* What has its own place in the table below. */
static void translate(struct machine *machine, const struct nftnl_expr *e)
{
	bool source = nftnl_expr_get_u32(e, NFTNL_EXPR_NAT_TYPE) == NFT_NAT_SNAT;

	machine->verdict.effect = source ? EFFECT_ACCEPT : EFFECT_TRANSLATE;
}

static void redirect(struct machine *machine, const struct nftnl_expr *e)
{
	(void)e;
	machine->verdict.effect = EFFECT_TRANSLATE;
}

static void masquerade(struct machine *machine, const struct nftnl_expr *e)
{
	(void)e;
	machine->verdict.effect = EFFECT_ACCEPT;
}

static void reject(struct machine *machine, const struct nftnl_expr *e)
{
	(void)e;
	machine->verdict.effect = EFFECT_DROP;
}

/* A program decides, or the rule cannot be read. */
static void leave_open(struct machine *machine, const struct nftnl_expr *e)
{
	(void)e;
	machine->verdict.effect = EFFECT_ANY;
}

static void ignore(struct machine *machine, const struct nftnl_expr *e)
{
	(void)machine;
	(void)e;
}

static void need_comparison(struct machine *machine, const struct nftnl_expr *e)
{
	need(machine, compare(machine, e));
}

static void need_range(struct machine *machine, const struct nftnl_expr *e)
{
	need(machine, compare_range(machine, e));
}

static void need_xt(struct machine *machine, const struct nftnl_expr *e)
{
	need(machine, match_xt(e, machine->packet));
}

static void apply_xt(struct machine *machine, const struct nftnl_expr *e)
{
	machine->verdict.effect = match_xt_target(nftnl_expr_get_str(e, NFTNL_EXPR_TG_NAME));
}

/* Of one byte nothing is changed by it. */
static void swap(struct machine *machine, const struct nftnl_expr *e)
{
	if (nftnl_expr_get_u32(e, NFTNL_EXPR_BYTEORDER_LEN) > 1)
		unset(machine, nftnl_expr_get_u32(e, NFTNL_EXPR_BYTEORDER_DREG));
}

static const struct {
	const char *name;
	void (*run)(struct machine *machine, const struct nftnl_expr *e);
} expressions[] = {
	{ "meta", load_meta },      { "payload", load_payload },
	{ "ct", load_ct },          { "fib", load_fib },
	{ "bitwise", mask },        { "byteorder", swap },
	{ "cmp", need_comparison }, { "range", need_range },
	{ "lookup", look_up },      { "immediate", load_immediate },
	{ "nat", translate },       { "redir", redirect },
	{ "masq", masquerade },     { "reject", reject },
	{ "match", need_xt },       { "target", apply_xt },
	{ "counter", ignore },      { "log", ignore },
	{ "last", ignore },         { "notrack", ignore },
	{ "queue", leave_open },    { "synproxy", leave_open },
};

static void run(struct machine *machine, const struct nftnl_expr *e)
{
	const char *name = nftnl_expr_get_str(e, NFTNL_EXPR_NAME);

	for (size_t i = 0; i < sizeof(expressions) / sizeof(expressions[0]); i++) {
		if (strcmp(name, expressions[i].name) == 0) {
			expressions[i].run(machine, e);
			return;
		}
	}
	memset(machine->registers.known, 0, sizeof(machine->registers.known));
	need(machine, MATCH_MAYBE);
}

struct verdict match_rule(struct pp_nft *nft, const struct nftnl_rule *rule, const struct pp_packet *packet)
{
	struct machine machine = {
		.nft = nft, .rule = rule, .packet = packet, .verdict = { .match = MATCH_YES }
	};
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(rule);
	const struct nftnl_expr *e;

	if (!iter)
		return (struct verdict){ MATCH_MAYBE, EFFECT_ANY, "" };
	learn_headers(&machine);
	while (machine.verdict.match != MATCH_NO && (e = nftnl_expr_iter_next(iter)))
		run(&machine, e);
	nftnl_expr_iter_destroy(iter);
	return machine.verdict;
}
