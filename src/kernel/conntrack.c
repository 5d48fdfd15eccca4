/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Three steps:
 *
 *	count	 how many flows this namespace has. None: done. The kernel has one table for all namespaces,
 *		 and walking it takes milliseconds however few of its flows are ours.
 *	collect	 dump the flows; for each that is stale, write the message that deletes it to a buffer.
 *	delete	 send the buffer, many messages at a time.
 *
 * Nothing is deleted while the dump runs, since it would lose its place. A flow is named by its original
 * tuple as the kernel wrote it, its zone and its id: should it end, and another begin with the same tuple,
 * the other is left alone, unless it got the very memory of the first: the id is a hash of where it lies.
 * A flow that is deleted by such a chance begins anew with its next packet, under the rules of then.
 *
 * One socket serves all three: after a batch of nf_tables has removed anything, the first such socket that is
 * closed waits until the kernel has let go of it, ten milliseconds, for which the walk need not wait.
 */
#include "portpub/conntrack.h"

#include "dump.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_conntrack.h>
#include <stdlib.h>
#include <string.h>

/* net/netfilter/nf_internals.h; since Linux 5.8, and not in its uapi. */
enum { FILTER_PROTOCOL = 1 << 3, FILTER_DESTINATION_PORT = 1 << 5 };

/* A walk over the table takes as long as copying this many flows: measured, with 262,144 buckets. */
enum { FLOWS_PER_WALK = 5000 };

/* As many answers as surely fit into a socket's buffer at once, should every flow be gone already. */
enum { BATCH = 64 };

struct tuple {
	uint8_t protocol; /* IPPROTO_... */
	struct pp_address source, destination;
	uint16_t source_port, port;
};

struct walk {
	sa_family_t family;
	enum pp_protocol protocol;
	uint16_t port;
	pp_flow_stale *stale;
	void *data;

	char *deletions; /* messages, one after the other; seq is their number, from 1 */
	size_t len, capacity;
	uint32_t count;
	size_t missing; /* those that were gone when they should be deleted */
	uint32_t last;  /* of the batch under way */
};

static const uint8_t numbers[] = {
	[PP_TCP] = IPPROTO_TCP,
	[PP_UDP] = IPPROTO_UDP,
	[PP_SCTP] = IPPROTO_SCTP,
};
static_assert(sizeof(numbers) == PP_PROTOCOL_COUNT, "a number for each protocol");

static struct nlmsghdr *put_header(void *buffer, uint8_t message, sa_family_t family)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *general;

	header->nlmsg_type = (NFNL_SUBSYS_CTNETLINK << 8) | message;
	general = mnl_nlmsg_put_extra_header(header, sizeof(*general));
	general->nfgen_family = (uint8_t)family;
	general->version = NFNETLINK_V0;
	return header;
}

static int read_count(const struct nlmsghdr *header, void *data)
{
	struct nlattr *attr;

	mnl_attr_for_each (attr, header, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == CTA_STATS_GLOBAL_ENTRIES &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			*(uint32_t *)data = ntohl(mnl_attr_get_u32(attr));
	}
	return MNL_CB_OK;
}

/* A kernel that has no conntrack, or none that can be asked, has no flows: EINVAL says that. */
static int count_flows(struct mnl_socket *socket, uint32_t *out)
{
	_Alignas(struct nlmsghdr) char buffer[64];
	struct nlmsghdr *query = put_header(buffer, IPCTNL_MSG_CT_GET_STATS, AF_UNSPEC);
	int ret;

	*out = 0;
	ret = pp_ask_on(socket, query, read_count, out);
	return ret == -EINVAL || ret == -EPROTONOSUPPORT ? 0 : ret;
}

static void read_address(const struct nlattr *attr, sa_family_t family, struct pp_address *out)
{
	size_t len = family == AF_INET ? 4 : 16;

	if (mnl_attr_get_payload_len(attr) < len)
		return;
	out->family = family;
	memcpy(out->bytes, mnl_attr_get_payload(attr), len);
}

static void read_addresses(const struct nlattr *nest, struct tuple *out)
{
	struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		switch (mnl_attr_get_type(attr)) {
		case CTA_IP_V4_SRC:
			read_address(attr, AF_INET, &out->source);
			break;
		case CTA_IP_V4_DST:
			read_address(attr, AF_INET, &out->destination);
			break;
		case CTA_IP_V6_SRC:
			read_address(attr, AF_INET6, &out->source);
			break;
		case CTA_IP_V6_DST:
			read_address(attr, AF_INET6, &out->destination);
			break;
		}
	}
}

static void read_ports(const struct nlattr *nest, struct tuple *out)
{
	struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		switch (mnl_attr_get_type(attr)) {
		case CTA_PROTO_NUM:
			out->protocol = mnl_attr_get_u8(attr);
			break;
		case CTA_PROTO_SRC_PORT:
			out->source_port = ntohs(mnl_attr_get_u16(attr));
			break;
		case CTA_PROTO_DST_PORT:
			out->port = ntohs(mnl_attr_get_u16(attr));
			break;
		}
	}
}

static struct tuple read_tuple(const struct nlattr *nest)
{
	struct tuple tuple = { 0 };
	struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == CTA_TUPLE_IP)
			read_addresses(attr, &tuple);
		else if (mnl_attr_get_type(attr) == CTA_TUPLE_PROTO)
			read_ports(attr, &tuple);
	}
	return tuple;
}

/* False for what is neither tcp, udp nor sctp. */
static bool read_flow(const struct nlattr *const attrs[], struct pp_flow *out)
{
	struct tuple asked = read_tuple(attrs[CTA_TUPLE_ORIG]), answer = read_tuple(attrs[CTA_TUPLE_REPLY]);
	uint32_t status = attrs[CTA_STATUS] ? ntohl(mnl_attr_get_u32(attrs[CTA_STATUS])) : 0;
	int protocol = 0;

	while (protocol < PP_PROTOCOL_COUNT && numbers[protocol] != asked.protocol)
		protocol++;
	if (protocol == PP_PROTOCOL_COUNT)
		return false;
	*out = (struct pp_flow){
		.protocol = (enum pp_protocol)protocol,
		.source = asked.source,
		.destination = asked.destination,
		.source_port = asked.source_port,
		.port = asked.port,
		.answerer = answer.source,
		.answerer_port = answer.source_port,
		.dnat = status & IPS_DST_NAT,
	};
	return true;
}

/* Kernels before 5.8 do not know the filter, and none applies it to the ports of sctp: all is looked at. */
static bool is_asked_for(const struct walk *walk, const struct pp_flow *flow)
{
	return walk->port == 0 || (flow->protocol == walk->protocol && flow->port == walk->port);
}

static int reserve(struct walk *walk, size_t len)
{
	size_t capacity = walk->capacity ? walk->capacity * 2 : 4096;
	char *grown;

	if (walk->capacity - walk->len >= len)
		return 0;
	if (capacity < walk->len + len)
		capacity = walk->len + len;
	grown = realloc(walk->deletions, capacity);
	if (!grown)
		return -1;
	walk->deletions = grown;
	walk->capacity = capacity;
	return 0;
}

static void repeat(struct nlmsghdr *header, const struct nlattr *attr)
{
	if (attr)
		mnl_attr_put(header, attr->nla_type, mnl_attr_get_payload_len(attr),
			     mnl_attr_get_payload(attr));
}

static int add_deletion(struct walk *walk, sa_family_t family, const struct nlattr *const attrs[])
{
	struct nlmsghdr *header;

	if (reserve(walk, attrs[CTA_TUPLE_ORIG]->nla_len + 128U) < 0)
		return MNL_CB_ERROR;
	header = put_header(walk->deletions + walk->len, IPCTNL_MSG_CT_DELETE, family);
	repeat(header, attrs[CTA_TUPLE_ORIG]);
	repeat(header, attrs[CTA_ZONE]);
	repeat(header, attrs[CTA_ID]);
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = ++walk->count;
	walk->len += header->nlmsg_len;
	return MNL_CB_OK;
}

static int collect_one(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *attrs[CTA_MAX + 1] = { 0 };
	struct walk *walk = data;
	struct nlattr *attr;
	struct pp_flow flow;

	mnl_attr_for_each (attr, header, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) <= CTA_MAX)
			attrs[mnl_attr_get_type(attr)] = attr;
	}
	if (!attrs[CTA_TUPLE_ORIG] || !attrs[CTA_TUPLE_REPLY] || !read_flow(attrs, &flow))
		return MNL_CB_OK;
	if (!is_asked_for(walk, &flow) || !walk->stale(&flow, walk->data))
		return MNL_CB_OK;
	return add_deletion(walk, flow.source.family, attrs);
}

static void put_filter(struct nlmsghdr *header, const struct walk *walk)
{
	struct nlattr *filter, *tuple, *protocol;

	filter = mnl_attr_nest_start(header, CTA_FILTER);
	mnl_attr_put_u32(header, CTA_FILTER_ORIG_FLAGS, FILTER_PROTOCOL | FILTER_DESTINATION_PORT);
	mnl_attr_nest_end(header, filter);

	tuple = mnl_attr_nest_start(header, CTA_TUPLE_ORIG);
	protocol = mnl_attr_nest_start(header, CTA_TUPLE_PROTO);
	mnl_attr_put_u8(header, CTA_PROTO_NUM, numbers[walk->protocol]);
	mnl_attr_put_u16(header, CTA_PROTO_DST_PORT, htons(walk->port));
	mnl_attr_nest_end(header, protocol);
	mnl_attr_nest_end(header, tuple);
}

static int dump(struct mnl_socket *socket, sa_family_t family, struct walk *walk)
{
	_Alignas(struct nlmsghdr) char buffer[256];
	struct nlmsghdr *query = put_header(buffer, IPCTNL_MSG_CT_GET, family);

	if (walk->port != 0 && family != AF_UNSPEC) /* a filter is for one family */
		put_filter(query, walk);
	return pp_dump_on(socket, query, collect_one, walk);
}

/* Of @count flows. */
static int collect(struct mnl_socket *socket, uint32_t count, struct walk *walk)
{
	int ret = 0;

	if (walk->family != AF_UNSPEC || walk->port == 0 || count < FLOWS_PER_WALK)
		return dump(socket, walk->family, walk);
	for (size_t i = 0; i < 2 && ret == 0; i++)
		ret = dump(socket, pp_families[i], walk);
	return ret;
}

static int read_answer(const struct nlmsghdr *header, void *data)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);
	struct walk *walk = data;

	if (answer->error != 0 && answer->error != -ENOENT) {
		errno = -answer->error;
		return MNL_CB_ERROR;
	}
	walk->missing += answer->error == -ENOENT;
	return header->nlmsg_seq == walk->last ? MNL_CB_STOP : MNL_CB_OK;
}

/* The last message of a batch asks for an answer; of the others, only those that failed have one. */
static int send_batch(struct mnl_socket *socket, const char *messages, size_t len, struct walk *walk)
{
	mnl_cb_t control[NLMSG_ERROR + 1] = { [NLMSG_ERROR] = read_answer };
	_Alignas(struct nlmsghdr) char buffer[4096];
	unsigned int port = mnl_socket_get_portid(socket);
	int ret = MNL_CB_OK;

	if (mnl_socket_sendto(socket, messages, len) < 0)
		return -1;
	while (ret == MNL_CB_OK) {
		ssize_t n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (n < 0)
			return -1;
		ret = mnl_cb_run2(buffer, (size_t)n, 0, port, NULL, walk, control, NLMSG_ERROR + 1);
	}
	return ret < 0 ? -1 : 0;
}

/* 0, or -1 with errno, as libmnl does. */
static int send_batches(struct mnl_socket *socket, struct walk *walk)
{
	size_t begin = 0;

	for (size_t at = 0; at < walk->len;) {
		struct nlmsghdr *header = (struct nlmsghdr *)(void *)(walk->deletions + at);

		at += header->nlmsg_len;
		if (header->nlmsg_seq % BATCH != 0 && at < walk->len)
			continue;
		header->nlmsg_flags |= NLM_F_ACK;
		walk->last = header->nlmsg_seq;
		if (send_batch(socket, walk->deletions + begin, at - begin, walk) < 0)
			return -1;
		begin = at;
	}
	return 0;
}

static int flush(struct walk *walk)
{
	struct mnl_socket *socket = NULL;
	uint32_t count;
	int ret = pp_dump_open(NETLINK_NETFILTER, &socket);

	if (!socket)
		return ret == -EPROTONOSUPPORT ? 0 : ret;
	ret = count_flows(socket, &count);
	if (ret == 0 && count > 0)
		ret = collect(socket, count, walk);
	if (ret == 0 && walk->count > 0 && send_batches(socket, walk) < 0)
		ret = -errno;
	free(walk->deletions);
	mnl_socket_close(socket);
	return ret;
}

static int fail(struct pp_error *err, int code)
{
	if (code == ENOMEM)
		return pp_fail(err, code, "out of memory");
	if (code == EPERM)
		return pp_fail(err, code, "not permitted to forget connections: this needs CAP_NET_ADMIN");
	return pp_fail(err, code == EINVAL ? EIO : code, "cannot forget connections: %s", strerror(code));
}

int pp_conntrack_flush(sa_family_t family, enum pp_protocol protocol, uint16_t port, pp_flow_stale *stale,
		       void *data, size_t *count, struct pp_error *err)
{
	struct walk walk = {
		.family = family, .protocol = protocol, .port = port, .stale = stale, .data = data
	};
	int ret = flush(&walk);

	if (ret < 0)
		return fail(err, -ret);
	if (count)
		*count = walk.count - walk.missing;
	return 0;
}
