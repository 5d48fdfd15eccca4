/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hold.h"

#include "portpub/interface.h"

#include <errno.h>

/* @target is an address of this host. */
static int refuse(const struct pp_publications *list, const struct pp_address *target, struct pp_error *err)
{
	char text[PP_PUBLICATION_TEXT], address[PP_ADDRESS_TEXT];

	for (size_t i = 0; i < list->count; i++) {
		const struct pp_publication *publication = &list->items[i];

		if (publication->host_port != publication->container_port ||
		    !pp_address_overlaps(&publication->address, target))
			continue;
		return pp_fail(err, EINVAL,
			       "%s: %s is an address of this host, so this would be forwarded to itself: "
			       "choose another host port, or --to the container's own address",
			       pp_publication_format(publication, text), pp_address_format(target, address));
	}
	return 0;
}

int hold_refuse_itself(const struct pp_request *request, struct pp_error *err)
{
	const struct pp_address *targets[] = { &request->target.ipv4, &request->target.ipv6 };
	struct pp_interface_addresses list = PP_INTERFACE_ADDRESSES_INIT;
	int ret = pp_interface_addresses_read(&list, err);

	for (size_t i = 0; ret == 0 && i < 2; i++) {
		if (targets[i]->family != AF_UNSPEC && pp_interface_address_is_local(&list, targets[i]))
			ret = refuse(&request->publications, targets[i], err);
	}
	pp_interface_addresses_fini(&list);
	return ret;
}
