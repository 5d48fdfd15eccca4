/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Prints "ready", and then a line for each change of the rulesets: microseconds since some time, and the name of the
 * program that made it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>

static const char *name_of(const struct nlmsghdr *message)
{
	const char *at = (const char *)message + NLMSG_HDRLEN + NLMSG_ALIGN(sizeof(struct nfgenmsg));
	const char *end = (const char *)message + message->nlmsg_len;

	while (end - at >= (long)NLA_HDRLEN) {
		const struct nlattr *attr = (const void *)at;

		if ((attr->nla_type & NLA_TYPE_MASK) == NFTA_GEN_PROC_NAME)
			return at + NLA_HDRLEN;
		at += NLA_ALIGN(attr->nla_len);
	}
	return "";
}

int main(void)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW, NETLINK_NETFILTER), group = NFNLGRP_NFTABLES, room = 8 << 20;
	_Alignas(struct nlmsghdr) char buffer[65536];

	setvbuf(stdout, NULL, _IOLBF, 0);
	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room));
	if (bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		fprintf(stderr, "transactions: %s\n", strerror(errno));
		return 1;
	}
	puts("ready");
	for (;;) {
		ssize_t n = recv(fd, buffer, sizeof(buffer), 0);
		const struct nlmsghdr *message = (void *)buffer;
		struct timespec now;

		if (n < (ssize_t)NLMSG_HDRLEN ||
		    message->nlmsg_type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN))
			continue;
		clock_gettime(CLOCK_MONOTONIC, &now);
		printf("%ld %s\n", now.tv_sec * 1000000 + now.tv_nsec / 1000, name_of(message));
	}
}
