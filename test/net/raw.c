/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A packet as no kernel of the sender's would let it go: raw INTERFACE MAC PROTOCOL SOURCE PORT DESTINATION PORT
 * puts one IPv4 packet, a TCP SYN or a UDP datagram of no data, on the wire to MAC. It is what a container with
 * CAP_NET_RAW may send.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct packet {
	struct iphdr ip;
	union {
		struct tcphdr tcp;
		struct udphdr udp;
	};
};

struct pseudo {
	uint32_t source, destination;
	uint16_t protocol, length;
};

static uint32_t add(const void *data, size_t size, uint32_t sum)
{
	const uint8_t *bytes = data;

	for (size_t i = 0; i < size; i += 2)
		sum += (uint32_t)bytes[i] << 8 | bytes[i + 1];
	return sum;
}

static uint16_t fold(uint32_t sum)
{
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)~sum);
}

static void put_checks(struct packet *packet, size_t size)
{
	struct pseudo pseudo = { packet->ip.saddr, packet->ip.daddr, htons(packet->ip.protocol),
				 htons((uint16_t)size) };
	uint16_t check = fold(add(&packet->tcp, size, add(&pseudo, sizeof(pseudo), 0)));

	if (packet->ip.protocol == IPPROTO_TCP)
		packet->tcp.check = check;
	else
		packet->udp.check = check;
	packet->ip.check = fold(add(&packet->ip, sizeof(packet->ip), 0));
}

/* PROTOCOL SOURCE PORT DESTINATION PORT; the size, or 0. */
static size_t make(char **argv, struct packet *out)
{
	bool tcp = strcmp(argv[0], "tcp") == 0;
	size_t size = tcp ? sizeof(out->tcp) : sizeof(out->udp);
	uint16_t from = htons((uint16_t)atoi(argv[2])), to = htons((uint16_t)atoi(argv[4]));

	memset(out, 0, sizeof(*out));
	out->ip.version = 4;
	out->ip.ihl = sizeof(out->ip) / 4;
	out->ip.tot_len = htons((uint16_t)(sizeof(out->ip) + size));
	out->ip.ttl = 64;
	out->ip.protocol = tcp ? IPPROTO_TCP : IPPROTO_UDP;
	if (inet_pton(AF_INET, argv[1], &out->ip.saddr) != 1 ||
	    inet_pton(AF_INET, argv[3], &out->ip.daddr) != 1)
		return 0;
	if (tcp) {
		out->tcp.source = from;
		out->tcp.dest = to;
		out->tcp.doff = sizeof(out->tcp) / 4;
		out->tcp.syn = 1;
		out->tcp.window = htons(1024);
	} else {
		out->udp.source = from;
		out->udp.dest = to;
		out->udp.len = htons((uint16_t)size);
	}
	put_checks(out, size);
	return sizeof(out->ip) + size;
}

int main(int argc, char **argv)
{
	struct sockaddr_ll to = { .sll_family = AF_PACKET,
				  .sll_protocol = htons(ETH_P_IP),
				  .sll_halen = ETH_ALEN };
	struct packet packet;
	size_t size = argc == 8 ? make(argv + 3, &packet) : 0;
	int fd = socket(AF_PACKET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (size) {
		to.sll_ifindex = (int)if_nametoindex(argv[1]);
		sscanf(argv[2], "%hhx:%hhx:%hhx:%hhx:%hhx:%hhx", &to.sll_addr[0], &to.sll_addr[1],
		       &to.sll_addr[2], &to.sll_addr[3], &to.sll_addr[4], &to.sll_addr[5]);
	}
	if (!size || sendto(fd, &packet, size, 0, (const struct sockaddr *)&to, sizeof(to)) < 0) {
		fprintf(stderr, "raw INTERFACE MAC PROTOCOL SOURCE PORT DESTINATION PORT: %s\n",
			size ? strerror(errno) : "seven arguments");
		return 1;
	}
	return 0;
}
