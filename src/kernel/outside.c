/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 *	unshare		the thread is in a namespace that is empty, keeps a descriptor of it, and comes home
 *	veth		one message makes both ends: PREFIX and letters here, eth0 there
 *	addresses	a network for the two of them, of each family, that no route and no address has
 *	there		a default route by this host; route_localnet, so that it can try 127.0.0.1, too
 *
 * The namespace has no process and no name: with the descriptor, when the process ends or is killed, it goes, and
 * takes its end of the veth with it, and that the other one. Nothing has to be cleaned up by anybody.
 *
 * The sockets that were opened there keep it, too: they are closed before.
 */
#include "portpub/outside.h"

#include "dump.h"
#include "netns.h"
#include "portpub/interface.h"
#include "portpub/route.h"
#include "portpub/sysctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <net/if.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#define PREFIX "ppdoc"
#define THERE "eth0"

enum { TRIES = 64, SETTLE_MS = 500, OPERATIONAL = 6 /* IF_OPER_UP */ };

struct pp_outside {
	struct pp_home home;
	int netns;
	char name[IF_NAMESIZE]; /* of the end here; "" before it is there */
	struct pp_address client[2], host[2];
};

static size_t index_of(sa_family_t family)
{
	return family == AF_INET6;
}

const struct pp_address *pp_outside_client(const struct pp_outside *outside, sa_family_t family)
{
	return &outside->client[index_of(family)];
}

const struct pp_address *pp_outside_host(const struct pp_outside *outside, sa_family_t family)
{
	return &outside->host[index_of(family)];
}

static int fail(struct pp_error *err, int code)
{
	return pp_fail(err, code == EINVAL ? EIO : code, "no client outside can be made: %s", strerror(code));
}

static struct nlmsghdr *begin_link(void *buffer, uint16_t type)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *link;

	message->nlmsg_type = type;
	link = mnl_nlmsg_put_extra_header(message, sizeof(*link));
	link->ifi_family = AF_UNSPEC;
	link->ifi_flags = link->ifi_change = type == RTM_NEWLINK ? IFF_UP : 0;
	return message;
}

static int make_veth(const struct pp_outside *outside, const char *name)
{
	_Alignas(struct nlmsghdr) char buffer[512];
	struct nlmsghdr *message = begin_link(buffer, RTM_NEWLINK);
	struct nlattr *info, *data, *peer;

	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	info = mnl_attr_nest_start(message, IFLA_LINKINFO);
	mnl_attr_put_str(message, IFLA_INFO_KIND, "veth");
	data = mnl_attr_nest_start(message, IFLA_INFO_DATA);
	peer = mnl_attr_nest_start(message, VETH_INFO_PEER);
	mnl_nlmsg_put_extra_header(message, sizeof(struct ifinfomsg));
	mnl_attr_put_strz(message, IFLA_IFNAME, THERE);
	mnl_attr_put_u32(message, IFLA_NET_NS_FD, (uint32_t)outside->netns);
	mnl_attr_nest_end(message, peer);
	mnl_attr_nest_end(message, data);
	mnl_attr_nest_end(message, info);
	return pp_tell(NETLINK_ROUTE, message, NLM_F_CREATE | NLM_F_EXCL);
}

/* The far end has to be told: at first it has nobody to be connected to. */
static int set_up(const char *name)
{
	_Alignas(struct nlmsghdr) char buffer[128];
	struct nlmsghdr *message = begin_link(buffer, RTM_NEWLINK);

	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	return pp_tell(NETLINK_ROUTE, message, 0);
}

static int delete_link(const char *name)
{
	_Alignas(struct nlmsghdr) char buffer[128];
	struct nlmsghdr *message = begin_link(buffer, RTM_DELLINK);

	mnl_attr_put_strz(message, IFLA_IFNAME, name);
	return pp_tell(NETLINK_ROUTE, message, 0);
}

static int take_state(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, header, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_OPERSTATE)
			*(bool *)data = mnl_attr_get_u8(attr) == OPERATIONAL;
	}
	return MNL_CB_OK;
}

/* A link is up before it takes packets; what is sent in between is lost. */
static void wait_for_link(const char *name)
{
	bool up = false;

	for (int waited = 0; !up && waited < SETTLE_MS; waited++) {
		_Alignas(struct nlmsghdr) char buffer[128];
		struct nlmsghdr *query = begin_link(buffer, RTM_GETLINK);

		mnl_attr_put_strz(query, IFLA_IFNAME, name);
		if (pp_ask(NETLINK_ROUTE, query, take_state, &up) < 0)
			return;
		if (!up)
			poll(NULL, 0, 1);
	}
}

static size_t size_of(sa_family_t family)
{
	return family == AF_INET ? 4 : 16;
}

static int add_address(const char *name, const struct pp_address *address)
{
	_Alignas(struct nlmsghdr) char buffer[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct ifaddrmsg *header;

	message->nlmsg_type = RTM_NEWADDR;
	header = mnl_nlmsg_put_extra_header(message, sizeof(*header));
	header->ifa_family = (uint8_t)address->family;
	header->ifa_prefixlen = address->family == AF_INET ? 30 : 64;
	header->ifa_flags = address->family == AF_INET ? 0 : IFA_F_NODAD;
	header->ifa_index = if_nametoindex(name);
	mnl_attr_put(message, IFA_LOCAL, size_of(address->family), address->bytes);
	mnl_attr_put(message, IFA_ADDRESS, size_of(address->family), address->bytes);
	return pp_tell(NETLINK_ROUTE, message, NLM_F_CREATE | NLM_F_EXCL);
}

static int add_default_route(const struct pp_address *gateway)
{
	_Alignas(struct nlmsghdr) char buffer[256];
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct rtmsg *route;

	message->nlmsg_type = RTM_NEWROUTE;
	route = mnl_nlmsg_put_extra_header(message, sizeof(*route));
	route->rtm_family = (uint8_t)gateway->family;
	route->rtm_table = RT_TABLE_MAIN;
	route->rtm_protocol = RTPROT_STATIC;
	route->rtm_scope = RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put(message, RTA_GATEWAY, size_of(gateway->family), gateway->bytes);
	mnl_attr_put_u32(message, RTA_OIF, if_nametoindex(THERE));
	return pp_tell(NETLINK_ROUTE, message, NLM_F_CREATE | NLM_F_EXCL);
}

static bool is_free(const struct pp_interface_addresses *own, const struct pp_address *address)
{
	return !pp_interface_address_is_local(own, address) && !pp_route_reaches(address);
}

/* 198.18.0.0/15 has 32,768 networks of four. */
static bool make_up(sa_family_t family, struct pp_address *host, struct pp_address *client)
{
	uint8_t bytes[16] = { 0 };
	size_t last = size_of(family) - 1, random = family == AF_INET ? 4 : 8;

	if (getrandom(bytes, random, 0) != (ssize_t)random)
		return false;
	if (family == AF_INET) {
		bytes[0] = 198;
		bytes[1] = 18 | (bytes[1] & 1);
		bytes[3] &= 0xfc;
	} else {
		bytes[0] = 0xfd;
	}
	bytes[last] |= 1;
	*host = pp_address_of_bytes(family, bytes);
	bytes[last] ^= 3;
	*client = pp_address_of_bytes(family, bytes);
	return true;
}

static int choose_addresses(struct pp_outside *outside, sa_family_t family, struct pp_error *err)
{
	struct pp_address *host = &outside->host[index_of(family)],
			  *client = &outside->client[index_of(family)];
	struct pp_interface_addresses own = PP_INTERFACE_ADDRESSES_INIT;
	int ret = pp_interface_addresses_read(&own, err);
	bool found = false;

	for (int i = 0; ret == 0 && !found && i < TRIES; i++) {
		found = make_up(family, host, client) && is_free(&own, host) && is_free(&own, client);
	}
	pp_interface_addresses_fini(&own);
	if (ret == 0 && !found)
		ret = fail(err, EADDRNOTAVAIL);
	return ret;
}

/* A host without IPv6 has no way for it to be tried either. */
static int give_address(struct pp_outside *outside, sa_family_t family, struct pp_error *err)
{
	size_t f = index_of(family);
	int ret = choose_addresses(outside, family, err);

	if (ret == 0) {
		ret = add_address(outside->name, &outside->host[f]);
		if (ret < 0 && family == AF_INET)
			return fail(err, -ret);
	}
	if (ret < 0)
		outside->host[f] = outside->client[f] = (struct pp_address){ .family = AF_UNSPEC };
	return 0;
}

/* Away from home. */
static int settle(struct pp_outside *outside)
{
	struct pp_error ignored;
	int ret = set_up(THERE);

	wait_for_link(THERE);
	for (size_t f = 0; ret == 0 && f < 2; f++) {
		if (outside->client[f].family == AF_UNSPEC)
			continue;
		ret = add_address(THERE, &outside->client[f]);
		if (ret == 0)
			ret = add_default_route(&outside->host[f]);
	}
	pp_sysctl_write("net/ipv4/conf/" THERE "/route_localnet", "1", &ignored);
	return ret;
}

/* Where IPv6 is forwarded by interface, a new one has to be told. It makes no difference where it is not. */
static void let_forward(const char *name)
{
	char key[PP_SYSCTL_NAME];
	struct pp_error ignored;

	if (pp_sysctl_of_interface(AF_INET6, name, "force_forwarding", key, &ignored) == 0)
		pp_sysctl_write(key, "1", &ignored);
}

static int plug_in(struct pp_outside *outside, struct pp_error *err)
{
	char name[IF_NAMESIZE];
	uint32_t number = 0;
	int ret;

	if (getrandom(&number, sizeof(number), 0) != (ssize_t)sizeof(number))
		return fail(err, errno);
	snprintf(name, sizeof(name), PREFIX "%08x", number);
	ret = make_veth(outside, name);
	if (ret < 0)
		return fail(err, -ret);
	memcpy(outside->name, name, sizeof(name));
	let_forward(name);
	ret = give_address(outside, AF_INET, err);
	if (ret == 0)
		ret = give_address(outside, AF_INET6, err);
	if (ret == 0)
		ret = pp_outside_enter(outside, err);
	if (ret < 0)
		return ret;
	ret = settle(outside);
	if (pp_outside_leave(outside, err) < 0)
		return -EIO;
	wait_for_link(name);
	return ret < 0 ? fail(err, -ret) : 0;
}

static int open_namespace(struct pp_outside *outside, struct pp_error *err)
{
	int code;

	if (outside->home.refused)
		return fail(err, outside->home.refused);
	if (unshare(CLONE_NEWNET) < 0)
		return fail(err, errno);
	outside->netns = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	code = errno;
	if (pp_home_return(&outside->home, err) < 0)
		return -EIO;
	return outside->netns < 0 ? fail(err, code) : 0;
}

int pp_outside_new(struct pp_outside **out, struct pp_error *err)
{
	struct pp_outside *outside = calloc(1, sizeof(*outside));
	int ret;

	if (!outside)
		return pp_fail(err, ENOMEM, "out of memory");
	outside->netns = -1;
	outside->home = PP_HOME_INIT;
	ret = pp_home_open(&outside->home, err);
	if (ret == 0)
		ret = open_namespace(outside, err);
	if (ret == 0)
		ret = plug_in(outside, err);
	if (ret < 0)
		pp_outside_free(outside);
	else
		*out = outside;
	return ret;
}

void pp_outside_free(struct pp_outside *outside)
{
	if (!outside)
		return;
	if (outside->name[0])
		delete_link(outside->name);
	if (outside->netns >= 0)
		close(outside->netns);
	pp_home_close(&outside->home);
	free(outside);
}

int pp_outside_enter(const struct pp_outside *outside, struct pp_error *err)
{
	int ret = pp_home_leave(&outside->home, outside->netns);

	return ret < 0 ? fail(err, -ret) : 0;
}

int pp_outside_leave(const struct pp_outside *outside, struct pp_error *err)
{
	return pp_home_return(&outside->home, err);
}
