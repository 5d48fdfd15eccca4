/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/route.h"

#include "dump.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <string.h>

static struct nlmsghdr *build_query(void *buffer, const struct pp_address *to, unsigned int flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	size_t len = to->family == AF_INET ? 4 : 16;
	struct rtmsg *route;

	header->nlmsg_type = RTM_GETROUTE;
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = 1;
	route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	route->rtm_family = (unsigned char)to->family;
	route->rtm_dst_len = (unsigned char)(len * 8);
	route->rtm_flags = flags;
	mnl_attr_put(header, RTA_DST, len, to->bytes);
	return header;
}

static int read_interface(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);
	struct nlattr *attr;

	if (route->rtm_type == RTN_LOCAL)
		return MNL_CB_STOP; /* this host's own address: nothing is sent anywhere */
	mnl_attr_for_each (attr, header, sizeof(struct rtmsg)) {
		if (mnl_attr_get_type(attr) == RTA_OIF && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			*(unsigned int *)data = mnl_attr_get_u32(attr);
	}
	return MNL_CB_STOP;
}

/* Give the kernel's one answer to @take. Returns 0 or -1 with errno, as libmnl does. */
static int exchange(struct mnl_socket *socket, struct nlmsghdr *query, mnl_cb_t take, void *data)
{
	_Alignas(struct nlmsghdr) char buffer[8192];
	ssize_t n;

	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0)
		return -1;
	if (mnl_socket_sendto(socket, query, query->nlmsg_len) < 0)
		return -1;
	n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (n < 0)
		return -1;
	return mnl_cb_run(buffer, (size_t)n, 1, mnl_socket_get_portid(socket), take, data) < 0 ? -1 : 0;
}

/* 0 or an errno. */
static int ask(const struct pp_address *to, unsigned int flags, mnl_cb_t take, void *data)
{
	_Alignas(struct nlmsghdr) char buffer[256];
	struct nlmsghdr *query = build_query(buffer, to, flags);
	struct mnl_socket *socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	int code;

	if (!socket)
		return errno;
	code = exchange(socket, query, take, data) < 0 ? errno : 0;
	mnl_socket_close(socket);
	return code;
}

/* What routes of the types blackhole, prohibit and throw answer: neither bad input nor a missing right. */
static bool is_denial(int code)
{
	return code == EINVAL || code == EACCES || code == EPERM || code == EAGAIN;
}

/* Routes, and rules for them, have types that answer with an error. */
static const char *words_for(int code)
{
	switch (code) {
	case EINVAL:
		return "the routing table has a blackhole there, or nobody can have that address";
	case EACCES:
		return "the routing table prohibits it";
	case EHOSTUNREACH:
		return "the routing table says that it is unreachable";
	default:
		return strerror(code);
	}
}

int pp_route_interface(const struct pp_address *to, char out[static IF_NAMESIZE], struct pp_error *err)
{
	char text[PP_ADDRESS_TEXT], name[IF_NAMESIZE];
	unsigned int index = 0;
	int code = ask(to, 0, read_interface, &index);

	if (code == 0 && index == 0)
		return pp_fail(err, ENETUNREACH, "%s is an address of this host",
			       pp_address_format(to, text));
	if (code == 0 && !if_indextoname(index, name))
		code = errno;
	if (code)
		return pp_fail(err, is_denial(code) ? ENETUNREACH : code, "no way to %s: %s",
			       pp_address_format(to, text), words_for(code));
	memcpy(out, name, sizeof(name));
	return 0;
}

/* The halves of the default route, 0.0.0.0/1 and 128.0.0.0/1, are how VPN clients write it. */
static int read_match(const struct nlmsghdr *header, void *data)
{
	const struct rtmsg *route = mnl_nlmsg_get_payload(header);

	*(bool *)data = route->rtm_type == RTN_UNICAST && route->rtm_dst_len > 1;
	return MNL_CB_STOP;
}

bool pp_route_reaches(const struct pp_address *to)
{
	bool reaches = false;

	return ask(to, RTM_F_FIB_MATCH, read_match, &reaches) == 0 && reaches;
}

static int read_neighbour(const struct nlmsghdr *header, void *data)
{
	const struct ndmsg *neighbour = mnl_nlmsg_get_payload(header);

	*(bool *)data = neighbour->ndm_state & (NUD_FAILED | NUD_INCOMPLETE);
	return MNL_CB_OK;
}

bool pp_route_is_deaf(const struct pp_address *to, const char *interface)
{
	_Alignas(struct nlmsghdr) char buffer[128];
	struct nlmsghdr *query = mnl_nlmsg_put_header(buffer);
	struct ndmsg *message = mnl_nlmsg_put_extra_header(query, sizeof(*message));
	bool deaf = false;

	query->nlmsg_type = RTM_GETNEIGH;
	message->ndm_family = (uint8_t)to->family;
	message->ndm_ifindex = (int)if_nametoindex(interface);
	mnl_attr_put(query, NDA_DST, to->family == AF_INET ? 4 : 16, to->bytes);
	return pp_ask(NETLINK_ROUTE, query, read_neighbour, &deaf) == 0 && deaf;
}
