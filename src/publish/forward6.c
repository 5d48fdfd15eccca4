/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turning on net.ipv6.conf.all.forwarding makes a host a router, which takes no addresses and no default route
 * from router advertisements any longer, and loses those it has. Linux 6.17 can forward by interface instead:
 * force_forwarding, which decides by where a packet comes in. (Its value for "all" sets every interface, and
 * does not put them back: left alone.) On older kernels accept_ra=2 first keeps what advertisements gave.
 */
#include "forward6.h"

#include "portpub/interface.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static const char everywhere[] = "net/ipv6/conf/all/forwarding";

static int read_of(const char *interface, const char *key, char name[static PP_SYSCTL_NAME],
		   char value[static PP_SYSCTL_VALUE], struct pp_error *err)
{
	int ret = pp_sysctl_of_interface(AF_INET6, interface, key, name, err);

	return ret < 0 ? ret : pp_sysctl_read(name, value, err);
}

bool forward6_is_on(const char *interface)
{
	char name[PP_SYSCTL_NAME], value[PP_SYSCTL_VALUE];
	struct pp_error ignored;

	return setting_is_on(everywhere) ||
	       (read_of(interface, "force_forwarding", name, value, &ignored) == 0 &&
		strcmp(value, "1") == 0);
}

static int set_of(const struct pp_store *store, const char *interface, const char *key, const char *from,
		  const char *to, const struct pp_report *report, struct pp_error *err)
{
	char name[PP_SYSCTL_NAME], value[PP_SYSCTL_VALUE];
	int ret = read_of(interface, key, name, value, err);

	if (ret == -ENOENT) /* gone since, or without IPv6 */
		return 0;
	if (ret < 0 || strcmp(value, from) != 0)
		return ret;
	return setting_set(store, name, to, report, err);
}

/* @key of every interface with a global address goes from @from to @to. */
static int set_of_all(const struct pp_store *store, const char *key, const char *from, const char *to,
		      const struct pp_report *report, struct pp_error *err)
{
	struct pp_interface_addresses list = PP_INTERFACE_ADDRESSES_INIT;
	int ret = pp_interface_addresses_read(&list, err);

	for (size_t i = 0; ret == 0 && i < list.count; i++) {
		const struct pp_address *address = &list.items[i].address;
		char interface[IF_NAMESIZE];

		if (address->family == AF_INET6 && pp_address_class(address) == PP_CLASS_SPECIFIC &&
		    if_indextoname(list.items[i].index, interface))
			ret = set_of(store, interface, key, from, to, report, err);
	}
	pp_interface_addresses_fini(&list);
	return ret;
}

int forward6_set(const struct pp_store *store, const char *interface, const struct pp_report *report,
		 struct pp_error *err)
{
	char name[PP_SYSCTL_NAME], value[PP_SYSCTL_VALUE];
	struct pp_error ignored;
	int ret;

	if (setting_is_on(everywhere))
		return 0;
	if (read_of(interface, "force_forwarding", name, value, &ignored) == 0 && value[0]) {
		ret = set_of(store, interface, "force_forwarding", "0", "1", report, err);
		return ret < 0 ? ret : set_of_all(store, "force_forwarding", "0", "1", report, err);
	}
	ret = set_of_all(store, "accept_ra", "1", "2", report, err);
	return ret < 0 ? ret : setting_set(store, everywhere, "1", report, err);
}
