/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/socket.h"

#include "dump.h"
#include "portpub/array.h"

#include <assert.h>
#include <errno.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>

/* Bound, and neither listening nor connected. Since 6.8; older kernels have no socket in this state to tell of. */
enum { TCP_BOUND_INACTIVE = 13 };

/*
 * What holds a port looks like TCP's states to the kernel: a bound UDP socket is "closed" until it connects. @bound
 * are those that nobody can reach, and that keep the port from others nevertheless.
 */
static const struct {
	uint8_t number;
	uint32_t states, bound;
} kinds[] = {
	[PP_TCP] = { IPPROTO_TCP, 1U << TCP_LISTEN, 1U << TCP_BOUND_INACTIVE },
	[PP_UDP] = { IPPROTO_UDP, 1U << TCP_CLOSE, 1U << TCP_ESTABLISHED },
	[PP_SCTP] = { IPPROTO_SCTP, 1U << TCP_LISTEN, 0 },
};
static_assert(sizeof(kinds) / sizeof(kinds[0]) == PP_PROTOCOL_COUNT, "a row for each protocol");

struct reading {
	enum pp_protocol protocol;
	uint16_t port; /* 0: any */
	uint32_t states;
	struct pp_sockets list;
};

void pp_sockets_fini(struct pp_sockets *list)
{
	free(list->items);
	*list = PP_SOCKETS_INIT;
}

static bool append(struct pp_sockets *list, const struct pp_socket *socket)
{
	struct pp_socket *items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));

	if (!items)
		return false;
	list->items = items;
	list->items[list->count++] = *socket;
	return true;
}

static bool is_ipv6_only(const struct nlmsghdr *header)
{
	struct nlattr *attr;

	mnl_attr_for_each (attr, header, sizeof(struct inet_diag_msg)) {
		if (mnl_attr_get_type(attr) == INET_DIAG_SKV6ONLY &&
		    mnl_attr_validate(attr, MNL_TYPE_U8) >= 0)
			return mnl_attr_get_u8(attr);
	}
	return false;
}

static int take(const struct nlmsghdr *header, void *data)
{
	const struct inet_diag_msg *message = mnl_nlmsg_get_payload(header);
	struct reading *reading = data;
	struct pp_socket socket = { .protocol = reading->protocol };

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*message))
		return MNL_CB_OK;
	socket.port = ntohs(message->id.idiag_sport);
	if (reading->port && socket.port != reading->port)
		return MNL_CB_OK;
	socket.address = pp_address_of_bytes(message->idiag_family, message->id.idiag_src);
	if (socket.address.family == AF_INET6 && pp_address_is_any(&socket.address) && !is_ipv6_only(header))
		socket.address.family = AF_UNSPEC;
	socket.uid = message->idiag_uid;
	socket.inode = message->idiag_inode;
	if (!append(&reading->list, &socket)) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	return MNL_CB_OK;
}

/*
 * The kernel leaves out other ports by itself, but for sockets that are only bound: this is as cheap as a filter in
 * bytecode, and shorter.
 */
static int read_family(sa_family_t family, struct reading *reading)
{
	_Alignas(struct nlmsghdr) char buffer[256] = { 0 };
	struct nlmsghdr *query = mnl_nlmsg_put_header(buffer);
	struct inet_diag_req_v2 *request;

	query->nlmsg_type = SOCK_DIAG_BY_FAMILY;
	request = mnl_nlmsg_put_extra_header(query, sizeof(*request));
	request->sdiag_family = (uint8_t)family;
	request->sdiag_protocol = kinds[reading->protocol].number;
	request->idiag_states = reading->states;
	request->id.idiag_sport = htons(reading->port);
	return pp_dump(NETLINK_SOCK_DIAG, query, take, reading);
}

static int read_sockets(enum pp_protocol protocol, uint16_t port, uint32_t states, struct pp_sockets *out,
			struct pp_error *err)
{
	struct reading reading = { protocol, port, states, *out };
	size_t before = out->count;
	int ret = 0;

	for (size_t i = 0; i < 2 && ret == 0; i++) {
		ret = read_family(pp_families[i], &reading);
		if (ret == -ENOENT) /* the kernel lacks the protocol, or the family */
			ret = 0;
	}
	*out = reading.list;
	if (ret == 0)
		return 0;
	out->count = before;
	return pp_fail(err, -ret, "cannot ask who listens on %s ports: %s", pp_protocol_name(protocol),
		       strerror(-ret));
}

int pp_sockets_read(enum pp_protocol protocol, uint16_t port, struct pp_sockets *out, struct pp_error *err)
{
	return read_sockets(protocol, port, kinds[protocol].states, out, err);
}

int pp_sockets_read_bound(enum pp_protocol protocol, uint16_t port, struct pp_sockets *out,
			  struct pp_error *err)
{
	return read_sockets(protocol, port, kinds[protocol].states | kinds[protocol].bound, out, err);
}

bool pp_socket_overlaps(const struct pp_socket *socket, const struct pp_address *address)
{
	return pp_address_overlaps(&socket->address, address);
}
