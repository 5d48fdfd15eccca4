/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Four questions by rtnetlink; /sys would answer some, but may be that of another network namespace:
 *
 *	link by name		 is it a bridge, its index, does it call netfilter for itself
 *	neighbour by address	 the link-layer address of the container
 *	forwarding database	 the port behind which that link-layer address was last seen
 *	link of that port	 is hairpin on; where the port is not known, the links of all ports
 */
#include "portpub/bridge.h"
#include "portpub/sysctl.h"

#include "dump.h"

#include <errno.h>
#include <linux/if_bridge.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <string.h>

enum { TRIES = 16 }; /* links that change faster than they are read are not worth waiting for */

enum { MAC_SIZE = 6 };

struct link {
	int index;
	bool is_bridge;
	uint16_t call_attr; /* IFLA_BR_NF_CALL_... of the family asked about */
	bool calls;
};

struct search {
	uint8_t mac[MAC_SIZE];
	bool found;
	int port;
};

struct ports {
	size_t count, hairpin;
};

static struct nlmsghdr *put_link_header(void *buffer, uint16_t type, uint8_t family, int index)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);
	struct ifinfomsg *message;

	header->nlmsg_type = type;
	message = mnl_nlmsg_put_extra_header(header, sizeof(*message));
	message->ifi_family = family;
	message->ifi_index = index;
	return header;
}

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr;

	if (!nest)
		return NULL;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static const struct nlattr *link_info(const struct nlmsghdr *header)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, header, sizeof(struct ifinfomsg)) {
		if (mnl_attr_get_type(attr) == IFLA_LINKINFO)
			return attr;
	}
	return NULL;
}

static bool is_set(const struct nlattr *attr)
{
	return attr && mnl_attr_get_payload_len(attr) >= 1 && mnl_attr_get_u8(attr) != 0;
}

static bool is_kind(const struct nlattr *kind)
{
	return kind && mnl_attr_validate(kind, MNL_TYPE_NUL_STRING) >= 0 &&
	       strcmp(mnl_attr_get_str(kind), "bridge") == 0;
}

static int take_link(const struct nlmsghdr *header, void *data)
{
	const struct ifinfomsg *message = mnl_nlmsg_get_payload(header);
	const struct nlattr *info = link_info(header);
	struct link *link = data;

	link->index = message->ifi_index;
	link->is_bridge = is_kind(find(info, IFLA_INFO_KIND));
	link->calls = is_set(find(find(info, IFLA_INFO_DATA), link->call_attr));
	return MNL_CB_OK;
}

static int ask_link(const char *name, struct link *link)
{
	_Alignas(struct nlmsghdr) char buffer[128];
	struct nlmsghdr *query = put_link_header(buffer, RTM_GETLINK, AF_UNSPEC, 0);

	mnl_attr_put_strz(query, IFLA_IFNAME, name);
	mnl_attr_put_u32(query, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	return pp_ask(NETLINK_ROUTE, query, take_link, link);
}

static int take_neighbour(const struct nlmsghdr *header, void *data)
{
	struct search *search = data;
	const struct nlattr *attr;

	mnl_attr_for_each (attr, header, sizeof(struct ndmsg)) {
		if (mnl_attr_get_type(attr) != NDA_LLADDR || mnl_attr_get_payload_len(attr) != MAC_SIZE)
			continue;
		memcpy(search->mac, mnl_attr_get_payload(attr), MAC_SIZE);
		search->found = true;
	}
	return MNL_CB_OK;
}

static int ask_neighbour(int bridge, const struct pp_address *container, struct search *search)
{
	_Alignas(struct nlmsghdr) char buffer[128];
	struct nlmsghdr *query = mnl_nlmsg_put_header(buffer);
	struct ndmsg *message = mnl_nlmsg_put_extra_header(query, sizeof(*message));
	int ret;

	query->nlmsg_type = RTM_GETNEIGH;
	message->ndm_family = (uint8_t)container->family;
	message->ndm_ifindex = bridge;
	mnl_attr_put(query, NDA_DST, container->family == AF_INET ? 4 : 16, container->bytes);
	ret = pp_ask(NETLINK_ROUTE, query, take_neighbour, search);
	return ret == -ENOENT ? 0 : ret; /* nobody has asked for the container yet */
}

static int take_entry(const struct nlmsghdr *header, void *data)
{
	const struct ndmsg *message = mnl_nlmsg_get_payload(header);
	struct search *search = data;
	const struct nlattr *attr;

	mnl_attr_for_each (attr, header, sizeof(*message)) {
		if (mnl_attr_get_type(attr) == NDA_LLADDR && mnl_attr_get_payload_len(attr) == MAC_SIZE &&
		    memcmp(mnl_attr_get_payload(attr), search->mac, MAC_SIZE) == 0)
			search->port = message->ndm_ifindex;
	}
	return MNL_CB_OK;
}

/* One entry could be asked for by its VLAN; the list has it whatever that is. */
static int ask_database(int bridge, struct search *search)
{
	_Alignas(struct nlmsghdr) char buffer[128];
	struct nlmsghdr *query = put_link_header(buffer, RTM_GETNEIGH, AF_BRIDGE, 0);

	mnl_attr_put_u32(query, IFLA_MASTER, (uint32_t)bridge);
	return pp_dump(NETLINK_ROUTE, query, take_entry, search);
}

static int take_port(const struct nlmsghdr *header, void *data)
{
	const struct nlattr *info = link_info(header);
	struct ports *ports = data;

	ports->count++;
	ports->hairpin += is_set(find(find(info, IFLA_INFO_SLAVE_DATA), IFLA_BRPORT_MODE));
	return MNL_CB_OK;
}

/* Of one port, or with 0 of all. */
static int ask_ports(int bridge, int port, struct ports *ports)
{
	_Alignas(struct nlmsghdr) char buffer[128];
	struct nlmsghdr *query = put_link_header(buffer, RTM_GETLINK, AF_UNSPEC, port);

	mnl_attr_put_u32(query, IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
	if (port)
		return pp_ask(NETLINK_ROUTE, query, take_port, ports);
	mnl_attr_put_u32(query, IFLA_MASTER, (uint32_t)bridge);
	return pp_dump(NETLINK_ROUTE, query, take_port, ports);
}

static int find_port(int bridge, const struct pp_address *container, int *out)
{
	struct search search = { 0 };
	int ret = ask_neighbour(bridge, container, &search);

	if (ret == 0 && search.found)
		ret = ask_database(bridge, &search);
	if (ret == 0)
		*out = search.port == bridge ? 0 : search.port;
	return ret;
}

static int read_hairpin(int bridge, const struct pp_address *container, bool *out)
{
	struct ports ports = { 0 };
	int port, ret = find_port(bridge, container, &port);

	if (ret == 0)
		ret = ask_ports(bridge, port, &ports);
	if (ret == 0)
		*out = ports.count > 0 && ports.hairpin == ports.count;
	return ret;
}

/* What the namespace says for all of its bridges. The directory is there where br_netfilter is. */
static int read_netfilter(const struct link *link, sa_family_t family, bool *out, struct pp_error *err)
{
	char value[PP_SYSCTL_VALUE];
	int ret = pp_sysctl_read(family == AF_INET6 ? "net/bridge/bridge-nf-call-ip6tables"
						    : "net/bridge/bridge-nf-call-iptables",
				 value, err);

	if (ret == -ENOENT)
		*out = false;
	else if (ret == 0)
		*out = link->calls || strcmp(value, "0") != 0;
	return ret == -ENOENT ? 0 : ret;
}

static int fail(struct pp_error *err, const char *name, int code)
{
	char shown[IF_NAMESIZE * 4];

	pp_show(shown, sizeof(shown), name, strlen(name));
	if (code == ENODEV)
		return pp_fail(err, code, "there is no interface %s", shown);
	return pp_fail(err, code == EINVAL ? EIO : code, "cannot read the bridge %s: %s", shown,
		       strerror(code));
}

int pp_bridge_read(const char *name, const struct pp_address *container, struct pp_bridge *out,
		   struct pp_error *err)
{
	struct link link = { .call_attr = container->family == AF_INET6 ? IFLA_BR_NF_CALL_IP6TABLES
									: IFLA_BR_NF_CALL_IPTABLES };
	struct pp_bridge bridge = { 0 };
	int ret = strlen(name) < IF_NAMESIZE ? ask_link(name, &link) : -ENODEV;

	bridge.is_bridge = ret == 0 && link.is_bridge;
	if (bridge.is_bridge) {
		ret = -EINTR;
		for (int i = 0; i < TRIES && ret == -EINTR; i++)
			ret = read_hairpin(link.index, container, &bridge.hairpin);
	}
	if (ret < 0)
		return fail(err, name, -ret);
	if (bridge.is_bridge)
		ret = read_netfilter(&link, container->family, &bridge.netfilter, err);
	if (ret == 0)
		*out = bridge;
	return ret;
}
