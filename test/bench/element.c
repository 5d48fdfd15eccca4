/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * element add|del PORT ADDRESS: one element in the map any4 of inet portpub, by libnftnl as its own examples
 * do it, and nothing else: no record, no check, no look at what is there. What portpub is measured against.
 */
#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <libnftnl/common.h>
#include <libnftnl/set.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static void put_message(struct mnl_nlmsg_batch *batch, uint16_t type, uint32_t sequence,
			const struct nftnl_set *set)
{
	uint16_t flags = NLM_F_ACK | (type == NFT_MSG_NEWSETELEM ? NLM_F_CREATE | NLM_F_EXCL : 0);
	struct nlmsghdr *message = nftnl_nlmsg_build_hdr(mnl_nlmsg_batch_current(batch), type, NFPROTO_INET,
							 flags, sequence);

	nftnl_set_elems_nlmsg_build_payload(message, (struct nftnl_set *)set);
	mnl_nlmsg_batch_next(batch);
}

static int send_batch(struct mnl_nlmsg_batch *batch, uint32_t sequence)
{
	struct mnl_socket *socket = mnl_socket_open(NETLINK_NETFILTER);
	_Alignas(struct nlmsghdr) char buffer[4096];
	ssize_t n;

	if (!socket || mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    mnl_socket_sendto(socket, mnl_nlmsg_batch_head(batch), mnl_nlmsg_batch_size(batch)) < 0)
		return -1;
	n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));
	if (n < 0 || mnl_cb_run(buffer, (size_t)n, sequence, mnl_socket_get_portid(socket), NULL, NULL) < 0)
		return -1;
	mnl_socket_close(socket);
	return 0;
}

int main(int argc, char **argv)
{
	_Alignas(struct nlmsghdr) char buffer[2 * 4096];
	struct mnl_nlmsg_batch *batch = mnl_nlmsg_batch_start(buffer, 4096);
	uint32_t key[2] = { IPPROTO_TCP }, value[2], sequence = (uint32_t)time(NULL);
	struct nftnl_set_elem *element = nftnl_set_elem_alloc();
	struct nftnl_set *set = nftnl_set_alloc();

	if (argc != 4 || !set || !element || inet_pton(AF_INET, argv[3], value) != 1)
		return EXIT_FAILURE;
	key[0] = *(const uint32_t *)(const uint8_t[]){ IPPROTO_TCP, 0, 0, 0 };
	key[1] = value[1] = htons((uint16_t)atoi(argv[2])); /* first byte first, on little-endian only */
	nftnl_set_set_str(set, NFTNL_SET_TABLE, "portpub");
	nftnl_set_set_str(set, NFTNL_SET_NAME, "any4");
	nftnl_set_elem_set(element, NFTNL_SET_ELEM_KEY, key, sizeof(key));
	if (strcmp(argv[1], "add") == 0)
		nftnl_set_elem_set(element, NFTNL_SET_ELEM_DATA, value, sizeof(value));
	nftnl_set_elem_add(set, element);

	nftnl_batch_begin(mnl_nlmsg_batch_current(batch), sequence);
	mnl_nlmsg_batch_next(batch);
	put_message(batch, strcmp(argv[1], "add") == 0 ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM,
		    sequence + 1, set);
	nftnl_batch_end(mnl_nlmsg_batch_current(batch), sequence + 2);
	mnl_nlmsg_batch_next(batch);
	if (send_batch(batch, sequence + 1) < 0) {
		perror("element");
		return EXIT_FAILURE;
	}
	nftnl_set_free(set);
	mnl_nlmsg_batch_stop(batch);
	return EXIT_SUCCESS;
}
