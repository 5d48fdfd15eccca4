/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "filter.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

/* Jumps are by this many instructions, if the condition is true, if it is not. */
#define LOAD(at) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, (uint32_t)(at))
#define LOAD_BYTE(at) BPF_STMT(BPF_LD | BPF_B | BPF_ABS, (uint32_t)(at))
#define AND(mask) BPF_STMT(BPF_ALU | BPF_AND | BPF_K, (mask))
#define SHIFT_RIGHT(bits) BPF_STMT(BPF_ALU | BPF_RSH | BPF_K, (bits))
#define IF(op, value, yes, no) BPF_JUMP(BPF_JMP | (op) | BPF_K, (value), (yes), (no))
#define SKIP(count) BPF_STMT(BPF_JMP | BPF_JA, (count))
#define PASS BPF_STMT(BPF_RET | BPF_K, UINT32_MAX)
#define DROP BPF_STMT(BPF_RET | BPF_K, 0)

enum {
	LOOPBACK = 1, /* the index of lo, in every network namespace */
	SOURCE4 = 12,
	SOURCE6 = 8,  /* where a packet has its source address */
	LONGEST = 10, /* instructions of one network */
};

struct program {
	struct sock_filter code[BPF_MAXINSNS + LONGEST + 1];
	size_t count;
};

static void put(struct program *program, struct sock_filter instruction)
{
	program->code[program->count++] = instruction;
}

static uint32_t word(const uint8_t *bytes)
{
	return (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
}

/* The source address is loaded. */
static void put_ipv4(struct program *program, const struct pp_network *network)
{
	struct pp_address last = pp_network_last(network);

	put(program, (struct sock_filter)IF(BPF_JGE, word(network->address.bytes), 0, 2));
	put(program, (struct sock_filter)IF(BPF_JGT, word(last.bytes), 1, 0));
	put(program, (struct sock_filter)PASS);
}

static void put_ipv6(struct program *program, const struct pp_network *network)
{
	size_t words = (network->prefix + 31U) / 32;
	/* Two instructions a word, a third for one that is compared in part, and the end. */
	size_t left = 2 * words + (network->prefix % 32 ? 1 : 0) + 1;

	for (size_t i = 0; i < words; i++) {
		uint32_t mask = i == words - 1 && network->prefix % 32 ? ~(UINT32_MAX >> network->prefix % 32)
								       : UINT32_MAX;

		put(program, (struct sock_filter)LOAD(SKF_NET_OFF + SOURCE6 + 4 * (int)i));
		left--;
		if (mask != UINT32_MAX) {
			put(program, (struct sock_filter)AND(mask));
			left--;
		}
		left--;
		put(program,
		    (struct sock_filter)IF(BPF_JEQ, word(network->address.bytes + 4 * i), 0, (uint8_t)left));
	}
	put(program, (struct sock_filter)PASS);
}

/* 0, or -E2BIG. Networks come IPv4 first; of each family there may be none. */
static int compile(const struct pp_networks *allow, struct program *program)
{
	size_t skip, i = 0;

	put(program, (struct sock_filter)LOAD(SKF_AD_OFF + SKF_AD_IFINDEX));
	put(program, (struct sock_filter)IF(BPF_JEQ, LOOPBACK, 0, 1));
	put(program, (struct sock_filter)PASS);
	put(program, (struct sock_filter)LOAD_BYTE(SKF_NET_OFF));
	put(program, (struct sock_filter)SHIFT_RIGHT(4));
	put(program, (struct sock_filter)IF(BPF_JEQ, 4, 1, 0));
	skip = program->count;
	put(program, (struct sock_filter)SKIP(0));
	put(program, (struct sock_filter)LOAD(SKF_NET_OFF + SOURCE4));
	for (; i < allow->count && allow->items[i].address.family == AF_INET; i++) {
		put_ipv4(program, &allow->items[i]);
		if (program->count > BPF_MAXINSNS)
			return -E2BIG;
	}
	put(program, (struct sock_filter)DROP);
	program->code[skip].k = (uint32_t)(program->count - skip - 1);
	for (; i < allow->count; i++) {
		put_ipv6(program, &allow->items[i]);
		if (program->count > BPF_MAXINSNS)
			return -E2BIG;
	}
	put(program, (struct sock_filter)DROP);
	return program->count > BPF_MAXINSNS ? -E2BIG : 0;
}

int pp_filter_attach(int fd, const struct pp_networks *allow, struct pp_error *err)
{
	struct program *program = calloc(1, sizeof(*program));
	struct sock_fprog whole;
	int ret;

	if (!program)
		return pp_fail(err, ENOMEM, "out of memory");
	ret = compile(allow, program);
	whole = (struct sock_fprog){ .len = (unsigned short)program->count, .filter = program->code };
	if (ret == 0 && setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &whole, sizeof(whole)) < 0)
		ret = -errno;
	free(program);
	if (ret == -E2BIG)
		return pp_fail(err, E2BIG,
			       "%zu networks are more than a socket's filter can hold: about %d of IPv4, or "
			       "%d of IPv6",
			       allow->count, BPF_MAXINSNS / 3, BPF_MAXINSNS / LONGEST);
	return ret == 0 ? 0 : pp_fail(err, -ret, "cannot keep others out: %s", strerror(-ret));
}
