/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Turning on net.ipv6.conf.all.forwarding makes a host a router, which takes no addresses and no default route
 * from router advertisements any longer, and loses those it has. Linux 6.17 can forward by interface instead:
 * force_forwarding, which decides by where a packet comes in. (Its value for "all" sets every interface, and
 * does not put them back: left alone.) On older kernels accept_ra=2 first keeps what advertisements gave.
 *
 * To set forwarding for all sets it for each interface, and to take it back takes it from each, from those too
 * that forwarded by themselves before, and from the default for those to come. They are remembered first, and get
 * it back last. So does net.ipv4.conf.all.accept_redirects, which a host that forwards has off and one that no
 * longer does gets on.
 */
#include "forward.h"

#include "portpub/interface.h"

#include <errno.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

static const char redirects[] = "net/ipv4/conf/all/accept_redirects";

static const char *everywhere(sa_family_t family)
{
	return family == AF_INET ? "net/ipv4/ip_forward" : "net/ipv6/conf/all/forwarding";
}

static int read_of(sa_family_t family, const char *interface, const char *key,
		   char name[static PP_SYSCTL_NAME], char value[static PP_SYSCTL_VALUE], struct pp_error *err)
{
	int ret = pp_sysctl_of_interface(family, interface, key, name, err);

	return ret < 0 ? ret : pp_sysctl_read(name, value, err);
}

bool forward_is_on(sa_family_t family, const char *interface)
{
	char name[PP_SYSCTL_NAME], value[PP_SYSCTL_VALUE];
	struct pp_error ignored;

	return setting_is_on(everywhere(family)) ||
	       (read_of(family, interface, "force_forwarding", name, value, &ignored) == 0 &&
		strcmp(value, "1") == 0);
}

struct lacking {
	sa_family_t family;
	const char *key; /* of an interface */
	void (*lack)(const char *sysctl, void *data);
	void *data;
};

static bool is_off(const struct lacking *lacking, const char *interface, char name[static PP_SYSCTL_NAME])
{
	char value[PP_SYSCTL_VALUE];
	struct pp_error ignored;

	return read_of(lacking->family, interface, lacking->key, name, value, &ignored) == 0 &&
	       strcmp(value, "0") == 0;
}

/* Has the interface of address @at a global one, of @family, further ahead? */
static bool is_first(const struct pp_interface_addresses *list, size_t at, sa_family_t family)
{
	for (size_t i = 0; i < at; i++) {
		if (list->items[i].index == list->items[at].index &&
		    list->items[i].address.family == family &&
		    pp_address_class(&list->items[i].address) == PP_CLASS_SPECIFIC)
			return false;
	}
	return true;
}

/* By which packets come in: that to the container, and those with a global address. */
static void find_lacking(const struct lacking *lacking, const struct pp_interface_addresses *list,
			 const char *inside)
{
	char name[PP_SYSCTL_NAME], interface[IF_NAMESIZE];

	if (is_off(lacking, inside, name))
		lacking->lack(name, lacking->data);
	for (size_t i = 0; i < list->count; i++) {
		const struct pp_address *address = &list->items[i].address;

		if (address->family == lacking->family && pp_address_class(address) == PP_CLASS_SPECIFIC &&
		    is_first(list, i, lacking->family) && if_indextoname(list->items[i].index, interface) &&
		    strcmp(interface, inside) != 0 && strcmp(interface, "lo") != 0 &&
		    is_off(lacking, interface, name))
			lacking->lack(name, lacking->data);
	}
}

/* Does @interface, or any with a global address, have force_forwarding on? */
static bool is_forced(const struct pp_interface_addresses *list, const char *inside)
{
	char name[PP_SYSCTL_NAME], interface[IF_NAMESIZE];
	struct pp_error ignored;

	if (pp_sysctl_of_interface(AF_INET6, inside, "force_forwarding", name, &ignored) == 0 &&
	    setting_is_on(name))
		return true;
	for (size_t i = 0; i < list->count; i++) {
		if (if_indextoname(list->items[i].index, interface) &&
		    pp_sysctl_of_interface(AF_INET6, interface, "force_forwarding", name, &ignored) == 0 &&
		    setting_is_on(name))
			return true;
	}
	return false;
}

void forward_find_lacking(sa_family_t family, const char *interface,
			  const struct pp_interface_addresses *list,
			  void (*lack)(const char *sysctl, void *data), void *data)
{
	const struct lacking lacking = { family, family == AF_INET ? "forwarding" : "force_forwarding", lack,
					 data };
	bool on = setting_is_on(everywhere(family));

	if (family == AF_INET ? on : !on && is_forced(list, interface))
		find_lacking(&lacking, list, interface);
	else if (!on)
		lack(everywhere(family), data);
}

static int set_of(const struct pp_store *store, const char *interface, const char *key, const char *from,
		  const char *to, const struct pp_report *report, struct pp_error *err)
{
	char name[PP_SYSCTL_NAME], value[PP_SYSCTL_VALUE];
	int ret = read_of(AF_INET6, interface, key, name, value, err);

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

/* @sysctl is @lost after forwarding for all has been taken back. */
static int remember(const struct pp_store *store, const char *sysctl, const char *lost, struct pp_error *err)
{
	char value[PP_SYSCTL_VALUE];
	struct pp_error ignored;

	if (pp_sysctl_read(sysctl, value, &ignored) < 0 || strcmp(value, lost) == 0)
		return 0;
	return setting_remember(store, sysctl, value, lost, err);
}

/* What forwards by itself: interfaces, and those to come. */
static int remember_single(const struct pp_store *store, sa_family_t family, struct pp_error *err)
{
	struct if_nameindex *list = if_nameindex();
	char name[PP_SYSCTL_NAME];
	int ret = 0;

	if (!list)
		return pp_fail(err, errno, "cannot list the interfaces: %s", strerror(errno));
	for (struct if_nameindex *at = list; ret == 0 && at->if_index; at++) {
		ret = pp_sysctl_of_interface(family, at->if_name, "forwarding", name, err);
		if (ret == 0)
			ret = remember(store, name, "0", err);
	}
	if_freenameindex(list);
	snprintf(name, sizeof(name), "net/%s/conf/default/forwarding", pp_family_name(family));
	if (ret == 0)
		ret = remember(store, name, "0", err);
	if (ret == 0 && family == AF_INET)
		ret = remember(store, redirects, "1", err);
	return ret;
}

static int set_everywhere(const struct pp_store *store, sa_family_t family, const struct pp_report *report,
			  struct pp_error *err)
{
	int ret = remember_single(store, family, err);

	return ret < 0 ? ret : setting_set(store, everywhere(family), "1", report, err);
}

int forward_set(const struct pp_store *store, sa_family_t family, const char *interface,
		const struct pp_report *report, struct pp_error *err)
{
	char name[PP_SYSCTL_NAME], value[PP_SYSCTL_VALUE];
	struct pp_error ignored;
	int ret = 0;

	if (setting_is_on(everywhere(family)))
		return 0;
	if (family == AF_INET6 &&
	    read_of(family, interface, "force_forwarding", name, value, &ignored) == 0 && value[0]) {
		ret = set_of(store, interface, "force_forwarding", "0", "1", report, err);
		return ret < 0 ? ret : set_of_all(store, "force_forwarding", "0", "1", report, err);
	}
	if (family == AF_INET6)
		ret = set_of_all(store, "accept_ra", "1", "2", report, err);
	return ret < 0 ? ret : set_everywhere(store, family, report, err);
}

int forward_put_back(const struct pp_store *store, sa_family_t family, struct pp_error *err)
{
	bool ours = setting_is_ours(store, everywhere(family));
	int ret = setting_put_back(store, everywhere(family), "", err);

	if (ret < 0)
		return ret;
	if (family == AF_INET6)
		return setting_put_back(store, "net/ipv6/", "", err);
	if (!ours) /* somebody has turned it off, and these with it */
		forward_give_up(store, family);
	ret = setting_put_back(store, "net/ipv4/conf/", "/forwarding", err);
	return ret < 0 ? ret : setting_put_back(store, redirects, "", err);
}

bool forward_is_ours(const struct pp_store *store, sa_family_t family)
{
	return setting_is_ours(store, family == AF_INET ? everywhere(family) : "net/ipv6/");
}

void forward_give_up(const struct pp_store *store, sa_family_t family)
{
	setting_give_up(store, everywhere(family), "");
	if (family == AF_INET6) {
		setting_give_up(store, "net/ipv6/", "");
		return;
	}
	setting_give_up(store, "net/ipv4/conf/", "/forwarding");
	setting_give_up(store, redirects, "");
}
