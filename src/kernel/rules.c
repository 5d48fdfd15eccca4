/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The rules that ruleset.c prints, as the kernel wants them. Each primitive is one expression of nft's
 * language, and each rule a line of it; what nft makes of them when it lists the table is what ruleset.c
 * says, and a test holds the two together. Registers: 1 begins the first 16 bytes, 2 the next; 9, 10, ... are the
 * second, third, ... four bytes of the first.
 */
#include "rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <libnftnl/set.h>
#include <libnftnl/table.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_nat.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter_ipv4.h>
#include <linux/rtnetlink.h>
#include <stddef.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/tcp.h>
#include <string.h>

enum { LO = 1 /* the index of lo in every network namespace */, CHUNK = 4096 };

struct rule {
	struct nftnl_rule *rule;
	bool failed; /* out of memory */
};

static struct nftnl_expr *expression(struct rule *rule, const char *name)
{
	struct nftnl_expr *e = rule->failed ? NULL : nftnl_expr_alloc(name);

	if (e)
		nftnl_rule_add_expr(rule->rule, e);
	else
		rule->failed = true;
	return e;
}

static void meta(struct rule *rule, uint32_t key, uint32_t reg)
{
	struct nftnl_expr *e = expression(rule, "meta");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_META_DREG, reg);
}

static void compare(struct rule *rule, enum nft_cmp_ops op, const void *data, uint32_t size)
{
	struct nftnl_expr *e = expression(rule, "cmp");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CMP_OP, op);
	nftnl_expr_set(e, NFTNL_EXPR_CMP_DATA, data, size);
}

static void mask(struct rule *rule, const void *bits, uint32_t size)
{
	static const uint8_t zero[16];
	struct nftnl_expr *e = expression(rule, "bitwise");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_SREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_BITWISE_LEN, size);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_MASK, bits, size);
	nftnl_expr_set(e, NFTNL_EXPR_BITWISE_XOR, zero, size);
}

static void payload(struct rule *rule, enum nft_payload_bases base, size_t offset, size_t size, uint32_t reg)
{
	struct nftnl_expr *e = expression(rule, "payload");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_DREG, reg);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_BASE, base);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_OFFSET, (uint32_t)offset);
	nftnl_expr_set_u32(e, NFTNL_EXPR_PAYLOAD_LEN, (uint32_t)size);
}

/* Registers from 1 on are looked up; a map puts its value into them again. */
static void lookup(struct rule *rule, enum pp_set set, bool in)
{
	const struct pp_shape *shape = pp_set_shape(set);
	struct nftnl_expr *e = expression(rule, "lookup");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SREG, NFT_REG_1);
	nftnl_expr_set_str(e, NFTNL_EXPR_LOOKUP_SET, shape->name);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_SET_ID, (uint32_t)set + 1);
	if (shape->map)
		nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_DREG, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_LOOKUP_FLAGS, in ? 0 : NFT_LOOKUP_F_INV);
}

static void verdict(struct rule *rule, uint32_t value)
{
	struct nftnl_expr *e = expression(rule, "immediate");

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_DREG, NFT_REG_VERDICT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_IMM_VERDICT, value);
}

/* fib daddr type local */
static void to_this_host(struct rule *rule)
{
	struct nftnl_expr *e = expression(rule, "fib");
	uint32_t local = RTN_LOCAL;

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_RESULT, NFT_FIB_RESULT_ADDRTYPE);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_FLAGS, NFTA_FIB_F_DADDR);
	nftnl_expr_set_u32(e, NFTNL_EXPR_FIB_DREG, NFT_REG_1);
	compare(rule, NFT_CMP_EQ, &local, sizeof(local));
}

/* ct KEY BITS: any of them. */
static void ct(struct rule *rule, enum nft_ct_keys key, uint32_t bits)
{
	struct nftnl_expr *e = expression(rule, "ct");
	uint32_t none = 0;

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_KEY, key);
	nftnl_expr_set_u32(e, NFTNL_EXPR_CT_DREG, NFT_REG_1);
	mask(rule, &bits, sizeof(bits));
	compare(rule, NFT_CMP_NEQ, &none, sizeof(none));
}

static void translated(struct rule *rule)
{
	ct(rule, NFT_CT_STATUS, IPS_DST_NAT);
}

static void is_new(struct rule *rule)
{
	ct(rule, NFT_CT_STATE, NF_CT_STATE_BIT(IP_CT_NEW));
}

static void of_family(struct rule *rule, sa_family_t family)
{
	uint8_t number = family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6;

	meta(rule, NFT_META_NFPROTO, NFT_REG_1);
	compare(rule, NFT_CMP_EQ, &number, sizeof(number));
}

static void not_from_this_host(struct rule *rule)
{
	uint32_t lo = LO;

	meta(rule, NFT_META_IIF, NFT_REG_1);
	compare(rule, NFT_CMP_NEQ, &lo, sizeof(lo));
}

static void source(struct rule *rule, sa_family_t family, uint32_t reg)
{
	if (family == AF_INET)
		payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct iphdr, saddr), 4, reg);
	else
		payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct ip6_hdr, ip6_src), 16, reg);
}

static void destination(struct rule *rule, sa_family_t family, uint32_t reg)
{
	if (family == AF_INET)
		payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct iphdr, daddr), 4, reg);
	else
		payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offsetof(struct ip6_hdr, ip6_dst), 16, reg);
}

/* The port is at one place in TCP, UDP and SCTP. */
static void port(struct rule *rule, uint32_t reg)
{
	payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offsetof(struct tcphdr, th_dport), 2, reg);
}

/*
 * The register @bytes further on than @reg, by the name that the kernel tells it by: where sixteen bytes begin it
 * is that of the sixteen.
 */
static uint32_t behind(uint32_t reg, uint32_t bytes)
{
	uint32_t first = reg < NFT_REG32_00 ? (reg - NFT_REG_1) * 4 : reg - NFT_REG32_00,
		 next = first + bytes / 4;

	return next % 4 ? NFT_REG32_00 + next : NFT_REG_1 + next / 4;
}

static uint32_t address_size(sa_family_t family)
{
	return family == AF_INET ? 4 : 16;
}

/* meta l4proto . daddr . th dport, and the register behind */
static uint32_t asked_for(struct rule *rule, sa_family_t family)
{
	uint32_t reg = behind(NFT_REG32_01, address_size(family));

	meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	destination(rule, family, NFT_REG32_01);
	port(rule, reg);
	return behind(reg, 4);
}

static void in_loopback_network(struct rule *rule, size_t offset)
{
	uint8_t first = 127;

	of_family(rule, AF_INET);
	payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset, sizeof(first), NFT_REG_1);
	compare(rule, NFT_CMP_EQ, &first, sizeof(first));
}

/*
 * The filters see every packet, and not only the first of a connection: each rule begins with the question to
 * which nearly all answer no.
 */
static void guard_source(struct rule *rule, sa_family_t family)
{
	(void)family;
	in_loopback_network(rule, offsetof(struct iphdr, saddr));
	not_from_this_host(rule);
	verdict(rule, NF_DROP);
}

static void guard_destination(struct rule *rule, sa_family_t family)
{
	(void)family;
	in_loopback_network(rule, offsetof(struct iphdr, daddr));
	not_from_this_host(rule);
	verdict(rule, NF_DROP);
}

static void to_be_admitted(struct rule *rule)
{
	is_new(rule);
	not_from_this_host(rule);
	to_this_host(rule);
}

static void admit_host(struct rule *rule, sa_family_t family)
{
	uint32_t from = behind(NFT_REG32_02, address_size(family));

	to_be_admitted(rule);
	of_family(rule, family);
	asked_for(rule, family);
	lookup(rule, pp_set_of(PP_SET_CLOSED_HOST4, family), true);
	port(rule, NFT_REG_1);
	meta(rule, NFT_META_L4PROTO, NFT_REG32_01);
	destination(rule, family, NFT_REG32_02);
	source(rule, family, from);
	lookup(rule, pp_set_of(PP_SET_ADMIT_HOST4, family), false);
	verdict(rule, NF_DROP);
}

static void admit_any(struct rule *rule, sa_family_t family)
{
	to_be_admitted(rule);
	meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	port(rule, NFT_REG32_01);
	lookup(rule, pp_set_of(PP_SET_CLOSED_ANY4, family), true);
	of_family(rule, family);
	port(rule, NFT_REG_1);
	meta(rule, NFT_META_L4PROTO, NFT_REG32_01);
	source(rule, family, NFT_REG32_02);
	lookup(rule, pp_set_of(PP_SET_ADMIT_ANY4, family), false);
	verdict(rule, NF_DROP);
}

/* Loads the container and the protocol; returns the register behind. */
static uint32_t asked_by(struct rule *rule, sa_family_t family)
{
	uint32_t protocol = behind(NFT_REG_1, address_size(family));

	to_this_host(rule);
	of_family(rule, family);
	source(rule, family, NFT_REG_1);
	meta(rule, NFT_META_L4PROTO, protocol);
	return behind(protocol, 4);
}

static void alone_host(struct rule *rule, sa_family_t family)
{
	uint32_t reg = asked_by(rule, family);

	destination(rule, family, reg);
	port(rule, behind(reg, address_size(family)));
	lookup(rule, pp_set_of(PP_SET_ALONE_HOST4, family), true);
	verdict(rule, NF_ACCEPT);
}

static void alone_any(struct rule *rule, sa_family_t family)
{
	port(rule, asked_by(rule, family));
	lookup(rule, pp_set_of(PP_SET_ALONE_ANY4, family), true);
	verdict(rule, NF_ACCEPT);
}

/* What the kernel does not route further: packets to ::1, and packets from a link-local client. */
static void not_bound_to_a_link(struct rule *rule)
{
	static const uint8_t loopback[16] = { [15] = 1 }, first_ten[16] = { 0xff, 0xc0 },
			     link_local[16] = { 0xfe, 0x80 };

	destination(rule, AF_INET6, NFT_REG_1);
	compare(rule, NFT_CMP_NEQ, loopback, sizeof(loopback));
	source(rule, AF_INET6, NFT_REG_1);
	mask(rule, first_ten, sizeof(first_ten));
	compare(rule, NFT_CMP_NEQ, link_local, sizeof(link_local));
}

/* The ends of the ranges are what the kernel makes of them, so that what it tells is what was said. */
static void translate(struct rule *rule, sa_family_t family)
{
	struct nftnl_expr *e = expression(rule, "nat");
	uint32_t at = behind(NFT_REG_1, address_size(family));

	if (!e)
		return;
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_TYPE, NFT_NAT_DNAT);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FAMILY, family == AF_INET ? NFPROTO_IPV4 : NFPROTO_IPV6);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MIN, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_ADDR_MAX, NFT_REG_1);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MIN, at);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_REG_PROTO_MAX, at);
	nftnl_expr_set_u32(e, NFTNL_EXPR_NAT_FLAGS, NF_NAT_RANGE_MAP_IPS | NF_NAT_RANGE_PROTO_SPECIFIED);
}

/* In the order in which nft writes what ruleset.c says. */
static void to_translate(struct rule *rule, sa_family_t family, bool family_first)
{
	if (family == AF_INET6) {
		of_family(rule, family);
		not_bound_to_a_link(rule);
		to_this_host(rule);
	} else if (family_first) {
		of_family(rule, family);
		to_this_host(rule);
	} else {
		to_this_host(rule);
		of_family(rule, family);
	}
}

static void translate_host(struct rule *rule, sa_family_t family)
{
	to_translate(rule, family, false);
	asked_for(rule, family);
	lookup(rule, pp_set_of(PP_SET_HOST4, family), true);
	translate(rule, family);
}

static void translate_any(struct rule *rule, sa_family_t family)
{
	to_translate(rule, family, true);
	meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	port(rule, NFT_REG32_01);
	lookup(rule, pp_set_of(PP_SET_ANY4, family), true);
	translate(rule, family);
}

/* Ports that are for some only are left alone for the others: nothing is translated, and this host answers. */
static void leave_some(struct rule *rule, sa_family_t family)
{
	to_this_host(rule);
	of_family(rule, family);
	port(rule, NFT_REG_1);
	meta(rule, NFT_META_L4PROTO, NFT_REG32_01);
	destination(rule, family, NFT_REG32_02);
	lookup(rule, pp_set_of(PP_SET_SOME4, family), true);
	port(rule, NFT_REG_1);
	meta(rule, NFT_META_L4PROTO, NFT_REG32_01);
	destination(rule, family, NFT_REG32_02);
	source(rule, family, behind(NFT_REG32_02, address_size(family)));
	lookup(rule, pp_set_of(PP_SET_WHEN4, family), false);
	verdict(rule, NF_ACCEPT);
}

static void to_bound(struct rule *rule, sa_family_t family)
{
	of_family(rule, family);
	to_this_host(rule);
	meta(rule, NFT_META_L4PROTO, NFT_REG_1);
	port(rule, NFT_REG32_01);
	lookup(rule, pp_set_of(PP_SET_BOUND4, family), true);
}

static void leave_bound(struct rule *rule, sa_family_t family)
{
	to_bound(rule, family);
	meta(rule, NFT_META_IIFNAME, NFT_REG_1);
	meta(rule, NFT_META_L4PROTO, NFT_REG_2);
	port(rule, behind(NFT_REG_2, 4));
	lookup(rule, pp_set_of(PP_SET_VIA4, family), false);
	verdict(rule, NF_ACCEPT);
}

/* What this host sends has come in by no interface. */
static void leave_all_bound(struct rule *rule, sa_family_t family)
{
	to_bound(rule, family);
	verdict(rule, NF_ACCEPT);
}

static void accept_translated(struct rule *rule, sa_family_t family)
{
	(void)family;
	translated(rule);
	verdict(rule, NF_ACCEPT);
}

static void through(struct rule *rule, bool in)
{
	meta(rule, NFT_META_IIFNAME, NFT_REG_1);
	meta(rule, NFT_META_OIFNAME, NFT_REG_2);
	lookup(rule, PP_SET_HAIRPIN, in);
}

static void direct(struct rule *rule, sa_family_t family)
{
	is_new(rule);
	through(rule, false);
	of_family(rule, family);
	asked_for(rule, family);
	lookup(rule, pp_set_of(PP_SET_DIRECT4, family), true);
	verdict(rule, NF_DROP);
}

/* As it goes to the container: its address, and its port. */
static void published(struct rule *rule, sa_family_t family)
{
	translated(rule);
	of_family(rule, family);
	asked_for(rule, family);
}

static void leave_plain(struct rule *rule, sa_family_t family)
{
	published(rule, family);
	lookup(rule, pp_set_of(PP_SET_PLAIN4, family), true);
	verdict(rule, NF_ACCEPT);
}

static void masquerade_all(struct rule *rule, sa_family_t family)
{
	published(rule, family);
	lookup(rule, pp_set_of(PP_SET_MASKED4, family), true);
	expression(rule, "masq");
}

static void masquerade_loopback(struct rule *rule, sa_family_t family)
{
	(void)family;
	translated(rule);
	in_loopback_network(rule, offsetof(struct iphdr, saddr));
	expression(rule, "masq");
}

static void masquerade_hairpin(struct rule *rule, sa_family_t family)
{
	(void)family;
	translated(rule);
	through(rule, true);
	expression(rule, "masq");
}

static void masquerade_own(struct rule *rule, sa_family_t family)
{
	translated(rule);
	of_family(rule, family);
	source(rule, family, NFT_REG_1);
	destination(rule, family, behind(NFT_REG_1, address_size(family)));
	lookup(rule, pp_set_of(PP_SET_OWN4, family), true);
	expression(rule, "masq");
}

static const struct {
	const char *chain;
	void (*make)(struct rule *rule, sa_family_t family);
	sa_family_t family; /* AF_UNSPEC where it makes no difference */
} rules[] = {
	{ "guard", guard_source, AF_UNSPEC },
	{ "guard", guard_destination, AF_UNSPEC },
	{ "admit", admit_host, AF_INET },
	{ "admit", admit_host, AF_INET6 },
	{ "admit", admit_any, AF_INET },
	{ "admit", admit_any, AF_INET6 },
	{ "prerouting", alone_host, AF_INET },
	{ "prerouting", alone_host, AF_INET6 },
	{ "prerouting", alone_any, AF_INET },
	{ "prerouting", alone_any, AF_INET6 },
	{ "prerouting", leave_some, AF_INET },
	{ "prerouting", leave_some, AF_INET6 },
	{ "prerouting", leave_bound, AF_INET },
	{ "prerouting", leave_bound, AF_INET6 },
	{ "prerouting", translate_host, AF_INET },
	{ "prerouting", translate_any, AF_INET },
	{ "prerouting", translate_host, AF_INET6 },
	{ "prerouting", translate_any, AF_INET6 },
	{ "output", leave_some, AF_INET },
	{ "output", leave_some, AF_INET6 },
	{ "output", leave_all_bound, AF_INET },
	{ "output", leave_all_bound, AF_INET6 },
	{ "output", translate_host, AF_INET },
	{ "output", translate_any, AF_INET },
	{ "output", translate_host, AF_INET6 },
	{ "output", translate_any, AF_INET6 },
	{ "direct", accept_translated, AF_UNSPEC },
	{ "direct", direct, AF_INET },
	{ "direct", direct, AF_INET6 },
	{ "postrouting", leave_plain, AF_INET },
	{ "postrouting", leave_plain, AF_INET6 },
	{ "postrouting", masquerade_all, AF_INET },
	{ "postrouting", masquerade_all, AF_INET6 },
	{ "postrouting", masquerade_loopback, AF_UNSPEC },
	{ "postrouting", masquerade_hairpin, AF_UNSPEC },
	{ "postrouting", masquerade_own, AF_INET },
	{ "postrouting", masquerade_own, AF_INET6 },
};

size_t rules_count(void)
{
	return sizeof(rules) / sizeof(rules[0]);
}

size_t rules_of(const char *chain, size_t *first)
{
	size_t i = 0, count = 0;

	while (i < rules_count() && strcmp(rules[i].chain, chain) != 0)
		i++;
	while (i + count < rules_count() && strcmp(rules[i + count].chain, chain) == 0)
		count++;
	*first = i;
	return count;
}

static struct nftnl_rule *make(const char *table, const char *chain,
			       void (*fill)(struct rule *rule, sa_family_t family), sa_family_t family)
{
	struct rule rule = { .rule = nftnl_rule_alloc() };

	if (!rule.rule)
		return NULL;
	nftnl_rule_set_u32(rule.rule, NFTNL_RULE_FAMILY, NFPROTO_INET);
	nftnl_rule_set_str(rule.rule, NFTNL_RULE_TABLE, table);
	nftnl_rule_set_str(rule.rule, NFTNL_RULE_CHAIN, chain);
	fill(&rule, family);
	if (rule.failed) {
		nftnl_rule_free(rule.rule);
		return NULL;
	}
	return rule.rule;
}

struct nftnl_rule *rules_make(size_t index)
{
	return make(PP_TABLE_NAME, rules[index].chain, rules[index].make, rules[index].family);
}

const struct rules_chain rules_chains[RULES_CHAINS] = {
	{ "guard", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_RAW, true },
	{ "admit", "filter", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST - 10, false },
	{ "prerouting", "nat", NF_INET_PRE_ROUTING, NF_IP_PRI_NAT_DST, true },
	{ "output", "nat", NF_INET_LOCAL_OUT, NF_IP_PRI_NAT_DST, false },
	{ "direct", "filter", NF_INET_FORWARD, NF_IP_PRI_FILTER, false },
	{ "postrouting", "nat", NF_INET_POST_ROUTING, NF_IP_PRI_NAT_SRC, true },
};

static int fail_memory(struct pp_error *err)
{
	return pp_fail(err, ENOMEM, "out of memory");
}

static int build_table(struct batch *batch, const char *name, uint32_t flags, const char *comment,
		       struct pp_error *err)
{
	struct nlmsghdr *message;

	if (batch_reserve(batch, CHUNK, err) < 0)
		return -ENOMEM;
	message = batch_begin(batch, NFT_MSG_NEWTABLE, NFPROTO_INET, NLM_F_CREATE | NLM_F_EXCL);
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, name);
	if (flags)
		mnl_attr_put_u32(message, NFTA_TABLE_FLAGS, htonl(flags));
	if (comment)
		batch_put_comment(message, NFTA_TABLE_USERDATA, comment);
	batch_end(batch, message);
	return 0;
}

/* The types by their numbers in nft, which puts six bits a field into the type of a concatenation. */
static uint32_t key_type(const enum pp_field *fields, size_t count)
{
	static const uint32_t numbers[] = {
		[PP_FIELD_PROTOCOL] = 12, [PP_FIELD_PORT] = 13,      [PP_FIELD_IPV4] = 7,
		[PP_FIELD_IPV6] = 8,      [PP_FIELD_INTERFACE] = 41,
	};
	uint32_t type = 0;

	for (size_t i = 0; i < count; i++)
		type = type << 6 | numbers[fields[i]];
	return type;
}

static void describe_value(struct nftnl_set *set, const struct pp_shape *shape)
{
	const enum pp_field value[] = { shape->family == AF_INET ? PP_FIELD_IPV4 : PP_FIELD_IPV6,
					PP_FIELD_PORT };

	nftnl_set_set_u32(set, NFTNL_SET_DATA_TYPE, key_type(value, 2));
	nftnl_set_set_u32(set, NFTNL_SET_DATA_LEN, (uint32_t)pp_value_size(shape));
}

static void describe_fields(struct nftnl_set *set, const struct pp_shape *shape)
{
	uint8_t sizes[PP_FIELDS_MAX];

	for (size_t i = 0; i < shape->count; i++)
		sizes[i] = (uint8_t)pp_field_size(shape->fields[i]);
	nftnl_set_set_data(set, NFTNL_SET_DESC_CONCAT, sizes, (uint32_t)shape->count);
}

static int describe_set(struct nftnl_set *set, enum pp_set which)
{
	const struct pp_shape *shape = pp_set_shape(which);
	struct nftnl_expr *counter;

	nftnl_set_set_str(set, NFTNL_SET_TABLE, PP_TABLE_NAME);
	nftnl_set_set_str(set, NFTNL_SET_NAME, shape->name);
	nftnl_set_set_u32(set, NFTNL_SET_ID, (uint32_t)which + 1);
	nftnl_set_set_u32(set, NFTNL_SET_KEY_TYPE, key_type(shape->fields, shape->count));
	nftnl_set_set_u32(set, NFTNL_SET_KEY_LEN, (uint32_t)pp_key_size(shape));
	nftnl_set_set_u32(set, NFTNL_SET_FLAGS,
			  (shape->map ? NFT_SET_MAP : 0) |
				  (shape->interval ? NFT_SET_INTERVAL | NFT_SET_CONCAT : 0));
	if (shape->interval)
		describe_fields(set, shape);
	if (!shape->map)
		return 0;
	describe_value(set, shape);
	counter = nftnl_expr_alloc("counter");
	if (!counter)
		return -ENOMEM;
	nftnl_set_add_expr(set, counter);
	return 0;
}

static int build_set(struct batch *batch, enum pp_set which, struct pp_error *err)
{
	struct nftnl_set *set = nftnl_set_alloc();
	struct nlmsghdr *message;
	int ret = set ? batch_reserve(batch, CHUNK, err) : fail_memory(err);

	if (ret == 0 && describe_set(set, which) < 0)
		ret = fail_memory(err);
	if (ret == 0) {
		message = batch_begin(batch, NFT_MSG_NEWSET, NFPROTO_INET, NLM_F_CREATE);
		nftnl_set_nlmsg_build_payload(message, set);
		batch_end(batch, message);
	}
	if (set)
		nftnl_set_free(set);
	return ret;
}

static int build_chain(struct batch *batch, const char *table, const struct rules_chain *made,
		       struct pp_error *err)
{
	struct nftnl_chain *chain;
	struct nlmsghdr *message;

	if (batch_reserve(batch, CHUNK, err) < 0)
		return -ENOMEM;
	chain = nftnl_chain_alloc();
	if (!chain)
		return fail_memory(err);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TABLE, table);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_NAME, made->name);
	nftnl_chain_set_str(chain, NFTNL_CHAIN_TYPE, made->type);
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_HOOKNUM, made->hook);
	nftnl_chain_set_s32(chain, NFTNL_CHAIN_PRIO, made->priority);
	nftnl_chain_set_u32(chain, NFTNL_CHAIN_POLICY, NF_ACCEPT);
	message = batch_begin(batch, NFT_MSG_NEWCHAIN, NFPROTO_INET, NLM_F_CREATE);
	nftnl_chain_nlmsg_build_payload(message, chain);
	batch_end(batch, message);
	nftnl_chain_free(chain);
	return 0;
}

/* Takes @rule, which is NULL where memory has run out. */
static int build_rule(struct batch *batch, struct nftnl_rule *rule, struct pp_error *err)
{
	struct nlmsghdr *message;
	int ret = rule ? batch_reserve(batch, CHUNK, err) : fail_memory(err);

	if (ret == 0) {
		message = batch_begin(batch, NFT_MSG_NEWRULE, NFPROTO_INET, NLM_F_CREATE | NLM_F_APPEND);
		nftnl_rule_nlmsg_build_payload(message, rule);
		batch_end(batch, message);
	}
	if (rule)
		nftnl_rule_free(rule);
	return ret;
}

int rules_build_nothing(struct batch *batch, const char *table, struct pp_error *err)
{
	struct nlmsghdr *message;

	if (batch_reserve(batch, CHUNK, err) < 0)
		return -ENOMEM;
	message = batch_begin(batch, NFT_MSG_DELTABLE, NFPROTO_INET, 0);
	mnl_attr_put_strz(message, NFTA_TABLE_NAME, table);
	batch_end(batch, message);
	return 0;
}

int rules_build_sets(struct batch *batch, bool exists, const char *records, struct pp_error *err)
{
	int ret = exists ? rules_build_nothing(batch, PP_TABLE_NAME, err) : 0;
	char comment[COMMENT_MAX + 1];

	if (records)
		snprintf(comment, sizeof(comment), RULES_COMMENT "%s", records);
	if (ret == 0)
		ret = build_table(batch, PP_TABLE_NAME, 0, records ? comment : NULL, err);
	for (int i = 0; ret == 0 && i < PP_SET_COUNT; i++)
		ret = build_set(batch, (enum pp_set)i, err);
	return ret;
}

int rules_build_chains(struct batch *batch, struct pp_error *err)
{
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < RULES_CHAINS; i++)
		ret = build_chain(batch, PP_TABLE_NAME, &rules_chains[i], err);
	for (size_t i = 0; ret == 0 && i < rules_count(); i++)
		ret = build_rule(batch, rules_make(i), err);
	return ret;
}

/* The rule for which the kernel goes on tracking connections; it is asked about the first packet of each alone. */
static void accept_established(struct rule *rule, sa_family_t family)
{
	(void)family;
	ct(rule, NFT_CT_STATE, NF_CT_STATE_BIT(IP_CT_ESTABLISHED));
	verdict(rule, NF_ACCEPT);
}

int rules_build_anchor(struct batch *batch, const char *table, bool exists, struct pp_error *err)
{
	static const char comment[] = "keeps established connections when rulesets are flushed";
	size_t guard, count = rules_of("guard", &guard);
	int ret = exists ? rules_build_nothing(batch, table, err) : 0;

	if (ret == 0)
		ret = build_table(batch, table, NFT_TABLE_F_OWNER, comment, err);
	for (size_t i = 0; ret == 0 && i < RULES_CHAINS; i++) {
		if (rules_chains[i].anchored)
			ret = build_chain(batch, table, &rules_chains[i], err);
	}
	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = build_rule(batch, make(table, "guard", rules[guard + i].make, AF_UNSPEC), err);
	if (ret == 0)
		ret = build_rule(batch, make(table, "prerouting", accept_established, AF_UNSPEC), err);
	return ret;
}
