/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/interface.h"

#include "dump.h"
#include "portpub/array.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <string.h>

enum { TRIES = 16 }; /* addresses that change faster than they are read are not worth waiting for */

void pp_interface_addresses_fini(struct pp_interface_addresses *list)
{
	free(list->items);
	*list = PP_INTERFACE_ADDRESSES_INIT;
}

static bool append(struct pp_interface_addresses *list, const struct pp_interface_address *address)
{
	struct pp_interface_address *items = pp_grown(list->items, list->count, &list->capacity,
						      sizeof(*items));

	if (!items)
		return false;
	list->items = items;
	list->items[list->count++] = *address;
	return true;
}

/* IFA_ADDRESS is the other end where there is one; IFA_LOCAL is then our own. */
static const void *own_address(const struct nlmsghdr *header, uint32_t *flags)
{
	const struct ifaddrmsg *message = mnl_nlmsg_get_payload(header);
	size_t len = message->ifa_family == AF_INET ? 4 : 16;
	const void *address = NULL, *local = NULL;
	struct nlattr *attr;

	mnl_attr_for_each (attr, header, sizeof(*message)) {
		uint16_t type = mnl_attr_get_type(attr);

		if (type == IFA_ADDRESS && mnl_attr_get_payload_len(attr) == len)
			address = mnl_attr_get_payload(attr);
		else if (type == IFA_LOCAL && mnl_attr_get_payload_len(attr) == len)
			local = mnl_attr_get_payload(attr);
		else if (type == IFA_FLAGS && mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			*flags = mnl_attr_get_u32(attr);
	}
	return local ? local : address;
}

static int take(const struct nlmsghdr *header, void *data)
{
	const struct ifaddrmsg *message = mnl_nlmsg_get_payload(header);
	struct pp_interface_address address = { 0 };
	const void *bytes;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*message) ||
	    (message->ifa_family != AF_INET && message->ifa_family != AF_INET6))
		return MNL_CB_OK;
	address.flags = message->ifa_flags;
	bytes = own_address(header, &address.flags);
	if (!bytes)
		return MNL_CB_OK;
	address.address = pp_address_of_bytes(message->ifa_family, bytes);
	address.index = message->ifa_index;
	address.prefix = message->ifa_prefixlen;
	address.scope = message->ifa_scope;
	if (!append(data, &address)) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	return MNL_CB_OK;
}

static int dump(struct pp_interface_addresses *list)
{
	_Alignas(struct nlmsghdr) char buffer[256] = { 0 };
	struct nlmsghdr *query = mnl_nlmsg_put_header(buffer);

	list->count = 0;
	query->nlmsg_type = RTM_GETADDR;
	mnl_nlmsg_put_extra_header(query, sizeof(struct ifaddrmsg));
	return pp_dump(NETLINK_ROUTE, query, take, list);
}

int pp_interface_addresses_read(struct pp_interface_addresses *out, struct pp_error *err)
{
	struct pp_interface_addresses list = PP_INTERFACE_ADDRESSES_INIT;
	int ret = -EINTR;

	for (int i = 0; i < TRIES && ret == -EINTR; i++)
		ret = dump(&list);
	if (ret < 0) {
		pp_interface_addresses_fini(&list);
		return pp_fail(err, -ret, "cannot ask for the addresses of interfaces: %s", strerror(-ret));
	}
	*out = list;
	return 0;
}

bool pp_interface_address_is_local(const struct pp_interface_addresses *list,
				   const struct pp_address *address)
{
	if (pp_address_class(address) == PP_CLASS_LOOPBACK)
		return true;
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].address.family == address->family &&
		    memcmp(list->items[i].address.bytes, address->bytes, sizeof(address->bytes)) == 0)
			return true;
	}
	return false;
}

static bool is_offered(const struct pp_interface_address *own)
{
	enum pp_address_class class = pp_address_class(&own->address);

	if (own->scope >= RT_SCOPE_LINK || class == PP_CLASS_LOOPBACK || class == PP_CLASS_LINK_LOCAL)
		return false;
	if (own->flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED))
		return false;
	/* A privacy address is gone tomorrow; for IPv4 the same bit means something else. */
	return own->address.family == AF_INET || !(own->flags & IFA_F_TEMPORARY);
}

void pp_interface_addresses_keep_offered(struct pp_interface_addresses *list)
{
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (is_offered(&list->items[i]))
			list->items[kept++] = list->items[i];
	}
	list->count = kept;
}
