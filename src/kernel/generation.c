/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The kernel tells everything that a transaction has changed, and ends with the new generation of the rulesets. A
 * filter on the socket lets only that message in: somebody who adds ten thousand rules wakes us once, and they take no
 * room of ours. Nor is it let in where one of us has made it, and the kernel says so where all kernels have: of a hundred
 * keepers that begin one after the other, each would wake all that are there. Where even so there are more than there is room for, that is an error to be read, and as good as a message.
 */
#include "portpub/generation.h"

#include "nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_SIZE = 4096 };

void pp_generation_close(struct pp_generation *generation)
{
	if (generation->fd >= 0)
		close(generation->fd);
	*generation = PP_GENERATION_INIT;
}

/* Where the name of the program stands: behind the number of the generation and that of the process. */
enum { GEN_NAME = NLMSG_HDRLEN + sizeof(struct nfgenmsg) + 8 + 8, TEXT = GEN_NAME + sizeof(struct nlattr) };

/*
 * A filter reads in the order of the network what the kernel has written in its own. What is read beyond the end of a
 * message drops it: a name has four bytes at least, and another four for each four of its letters.
 */
static int let_in_generations(int fd)
{
	struct sock_filter rules[] = {
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, offsetof(struct nlmsghdr, nlmsg_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWGEN), 0,
			 15),
		BPF_STMT(BPF_LD | BPF_W | BPF_LEN, 0),
		BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, TEXT + 4, 0, 12),
		BPF_STMT(BPF_LD | BPF_H | BPF_ABS, GEN_NAME + offsetof(struct nlattr, nla_type)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(NFTA_GEN_PROC_NAME), 0, 10),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TEXT),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x706f7274, 0, 3), /* "port" */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TEXT + 4),
		BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x707562, 6, 5),   /* "pub" */
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x646f636b, 0, 4), /* "dock" */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TEXT + 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x65722d70, 0, 2), /* "er-p" */
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, TEXT + 8),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0x726f7879, 1, 0), /* "roxy" */
		BPF_STMT(BPF_RET | BPF_K, UINT32_MAX),
		BPF_STMT(BPF_RET | BPF_K, 0),
	};
	struct sock_fprog program = { sizeof(rules) / sizeof(rules[0]), rules };

	return setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof(program));
}

int pp_generation_open(struct pp_generation *generation, struct pp_error *err)
{
	struct sockaddr_nl any = { .nl_family = AF_NETLINK };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_NETFILTER);
	int group = NFNLGRP_NFTABLES, ret;

	if (fd < 0)
		return nft_fail(err, errno);
	if (let_in_generations(fd) < 0 || bind(fd, (const struct sockaddr *)&any, sizeof(any)) < 0 ||
	    setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0) {
		ret = nft_fail(err, errno);
		close(fd);
		return ret;
	}
	*generation = PP_GENERATION_INIT;
	generation->fd = fd;
	return 0;
}

/* Is it from one of us? Otherwise @name is whose it is, or "". */
static bool is_ours(const struct nlmsghdr *message, char name[static PP_GENERATION_NAME])
{
	static const char own[] = "portpub",
			  docker_proxy[] = "docker-proxy"; /* and keepers, and what else begins so */
	const struct nlattr *attr = nft_find(message, NFTA_GEN_PROC_NAME);

	name[0] = '\0';
	if (!attr || mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return false;
	if (strncmp(own, mnl_attr_get_str(attr), sizeof(own) - 1) == 0 ||
	    strncmp(docker_proxy, mnl_attr_get_str(attr), sizeof(docker_proxy) - 1) == 0)
		return true;
	pp_show(name, PP_GENERATION_NAME, mnl_attr_get_str(attr), strlen(mnl_attr_get_str(attr)));
	return false;
}

bool pp_generation_drain(struct pp_generation *generation)
{
	_Alignas(struct nlmsghdr) char buffer[MESSAGE_SIZE];
	char name[PP_GENERATION_NAME] = "";
	bool changed = false;
	ssize_t n;

	while ((n = recv(generation->fd, buffer, sizeof(buffer), 0)) >= 0 || errno == ENOBUFS ||
	       errno == EINTR) {
		const struct nlmsghdr *message = (void *)buffer;

		if (n > 0 && mnl_nlmsg_ok(message, (int)n) && is_ours(message, name))
			continue;
		changed = true;
		memcpy(generation->name, name, sizeof(name));
	}
	return changed;
}
