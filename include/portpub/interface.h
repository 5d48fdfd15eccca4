/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The addresses of the interfaces, in the network namespace of the calling thread. Needs no privilege. */
#ifndef PORTPUB_INTERFACE_H
#define PORTPUB_INTERFACE_H

#include "portpub/address.h"
#include "portpub/error.h"

struct pp_interface_address {
	struct pp_address address;
	unsigned int index; /* of the interface */
	uint32_t flags;     /* IFA_F_TENTATIVE, ... */
	uint8_t prefix;
	uint8_t scope; /* RT_SCOPE_UNIVERSE, RT_SCOPE_LINK, RT_SCOPE_HOST */
};

struct pp_interface_addresses {
	struct pp_interface_address *items;
	size_t count, capacity;
};

#define PP_INTERFACE_ADDRESSES_INIT ((struct pp_interface_addresses){ 0 })

void pp_interface_addresses_fini(struct pp_interface_addresses *list);

/* Fill @out, which is empty, in the kernel's order. -ENOMEM, or what the kernel says. */
int pp_interface_addresses_read(struct pp_interface_addresses *out, struct pp_error *err);

/* Leave those at which others may reach this network namespace: not of loopback or of a link, nor for a time only. */
void pp_interface_addresses_keep_offered(struct pp_interface_addresses *list);

/* Whether the host answers for @address: it is in @list, or a loopback address. */
bool pp_interface_address_is_local(const struct pp_interface_addresses *list,
				   const struct pp_address *address);

#endif
