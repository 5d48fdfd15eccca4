/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How this room asks the kernel for a list, for one thing, or to do one. */
#ifndef PORTPUB_KERNEL_DUMP_H
#define PORTPUB_KERNEL_DUMP_H

#include <libmnl/libmnl.h>

/*
 * Send @query on a socket of its own for the netlink family @bus, and give every message of the answer to
 * @take. The flags and the number of the query are set here. Returns 0 or -errno; -EINTR when the list has
 * changed while it was read, so that what @take saw is not one state of it.
 */
int pp_dump(int bus, struct nlmsghdr *query, mnl_cb_t take, void *data);

/* The same for what there is one of. */
int pp_ask(int bus, struct nlmsghdr *query, mnl_cb_t take, void *data);

/* The same, for several in a row on one socket: those of pp_dump_open. */
int pp_dump_open(int bus, struct mnl_socket **out);
int pp_dump_on(struct mnl_socket *socket, struct nlmsghdr *query, mnl_cb_t take, void *data);
int pp_ask_on(struct mnl_socket *socket, struct nlmsghdr *query, mnl_cb_t take, void *data);

/* Something to be done, and no question: NLM_F_CREATE and the like are the caller's to give. */
int pp_tell(int bus, struct nlmsghdr *message, uint16_t flags);

#endif
