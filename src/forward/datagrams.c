/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A datagram costs a forwarder little but the way through the kernel. So several that go to the same socket
 * and are equally long are given to it as one (UDP_SEGMENT), which travels as one as far as the kernel can
 * carry it so: for a container next door up to the socket that it is read from. The last one of such a train
 * may be shorter. Trains that the kernel has put together itself (UDP_GRO) are passed on as they came.
 *
 * Not every route takes trains (an interface without checksums, a tunnel, one whose packets are smaller than a
 * datagram is): what is refused is sent again, each datagram alone, and so is what comes later.
 */
#include "datagrams.h"

#include <errno.h>
#include <netinet/udp.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#ifndef SOL_UDP
#define SOL_UDP 17
#endif

enum {
	TRAIN_DATAGRAMS = 64,
	TRAIN_BYTES = 65000,
};

struct control {
	_Alignas(struct cmsghdr) char bytes[CMSG_SPACE(sizeof(struct in6_pktinfo)) + CMSG_SPACE(sizeof(int)) +
					    CMSG_SPACE(sizeof(struct in_pktinfo))];
};

static void read_control(struct msghdr *message, struct pp_datagram *datagram)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			if (info.ipi_spec_dst.s_addr == 0) /* it came before IP_PKTINFO was set */
				info.ipi_spec_dst = info.ipi_addr;
			datagram->local = pp_address_of_bytes(AF_INET, &info.ipi_spec_dst);
		} else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			datagram->local = pp_address_of_bytes(AF_INET6, &info.ipi6_addr);
			if (pp_address_class(&datagram->local) == PP_CLASS_LINK_LOCAL)
				datagram->interface = info.ipi6_ifindex;
			if (pp_address_is_multicast(&datagram->local)) /* no address to answer from */
				datagram->local = (struct pp_address){ 0 };
		} else if (c->cmsg_level == SOL_UDP && c->cmsg_type == UDP_GRO) {
			int segment;

			memcpy(&segment, CMSG_DATA(c), sizeof(segment));
			if (segment > 0 && (uint32_t)segment < datagram->length)
				datagram->segment = (uint32_t)segment;
		}
	}
}

int pp_datagrams_receive(int fd, char *memory, struct pp_datagram out[static PP_BATCH], unsigned int most)
{
	struct mmsghdr messages[PP_BATCH];
	struct iovec places[PP_BATCH];
	struct control controls[PP_BATCH];
	int count;

	for (size_t i = 0; i < PP_BATCH; i++) {
		places[i] = (struct iovec){ memory + i * PP_DATAGRAM_PLACE, PP_DATAGRAM_MAX };
		messages[i].msg_hdr = (struct msghdr){
			.msg_name = &out[i].from.any,
			.msg_namelen = sizeof(out[i].from.in6),
			.msg_iov = &places[i],
			.msg_iovlen = 1,
			.msg_control = &controls[i],
			.msg_controllen = sizeof(controls[i].bytes),
		};
	}
	count = recvmmsg(fd, messages, most, MSG_DONTWAIT, NULL);
	for (int i = 0; i < count; i++) {
		out[i].data = places[i].iov_base;
		out[i].length = messages[i].msg_len;
		out[i].segment = out[i].interface = 0;
		out[i].from.length = messages[i].msg_hdr.msg_namelen;
		out[i].local = (struct pp_address){ 0 };
		read_control(&messages[i].msg_hdr, &out[i]);
	}
	return count < 0 ? -errno : count;
}

/* What is given to the kernel at once: messages, each one datagram or a train of them. */
struct load {
	struct mmsghdr messages[PP_BATCH];
	struct iovec pieces[PP_BATCH];
	struct control controls[PP_BATCH];
	uint32_t segments[PP_BATCH]; /* of a train; 0: one datagram */
	size_t count;
};

static void put_control(struct msghdr *message, int level, int type, const void *data, size_t length)
{
	struct cmsghdr *c = (void *)((char *)message->msg_control + message->msg_controllen);

	memset(c, 0, CMSG_SPACE(length));
	*c = (struct cmsghdr){ .cmsg_len = CMSG_LEN(length), .cmsg_level = level, .cmsg_type = type };
	memcpy(CMSG_DATA(c), data, length);
	message->msg_controllen += CMSG_SPACE(length);
}

/* The address that the answer comes from is the one that was asked. */
static void put_source(struct msghdr *message, const struct pp_route *route)
{
	if (route->from->family == AF_INET) {
		struct in_pktinfo info = { 0 };

		memcpy(&info.ipi_spec_dst, route->from->bytes, sizeof(info.ipi_spec_dst));
		put_control(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof(info));
	} else {
		struct in6_pktinfo info = { .ipi6_ifindex = route->interface };

		memcpy(&info.ipi6_addr, route->from->bytes, sizeof(info.ipi6_addr));
		put_control(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof(info));
	}
}

static void complete(struct load *load, size_t i, const struct pp_route *route)
{
	struct msghdr *message = &load->messages[i].msg_hdr;
	uint16_t segment = (uint16_t)load->segments[i];

	if (route && route->to) {
		message->msg_name = &route->to->any;
		message->msg_namelen = route->to->length;
	}
	message->msg_control = load->controls[i].bytes;
	if (route && route->from->family != AF_UNSPEC)
		put_source(message, route);
	if (segment)
		put_control(message, SOL_UDP, UDP_SEGMENT, &segment, sizeof(segment));
	if (message->msg_controllen == 0)
		message->msg_control = NULL;
}

static uint32_t size_of_first(const struct pp_datagram *datagram)
{
	return datagram->segment ? datagram->segment : datagram->length;
}

static uint32_t datagrams_of(uint32_t bytes, uint32_t segment)
{
	return segment ? (bytes + segment - 1) / segment : 1;
}

uint32_t pp_datagram_count(const struct pp_datagram *datagram)
{
	return datagrams_of(datagram->length, datagram->segment);
}

/* From @list[@first] on: how many can travel as one, which is 1 at least; *@bytes are theirs. */
static size_t couple(const struct pp_datagram *const list[], size_t first, size_t count, uint32_t *bytes)
{
	uint32_t size = size_of_first(list[first]);
	size_t end = first + 1;

	*bytes = list[first]->length;
	while (end < count && size > 0 && *bytes % size == 0) {
		const struct pp_datagram *next = list[end];

		if (next->length == 0 || size_of_first(next) > size ||
		    (next->segment && next->segment != size) || *bytes + next->length > TRAIN_BYTES ||
		    datagrams_of(*bytes + next->length, size) > TRAIN_DATAGRAMS)
			break;
		*bytes += next->length;
		end++;
	}
	return end - first;
}

static void pack(struct load *load, const struct pp_route *route, const struct pp_datagram *const list[],
		 size_t count, bool alone)
{
	uint32_t bytes = 0;

	load->count = 0;
	for (size_t i = 0, n; i < count; i += n) {
		size_t at = load->count++;

		n = alone ? 1 : couple(list, i, count, &bytes);
		for (size_t k = i; k < i + n; k++)
			load->pieces[k] = (struct iovec){ list[k]->data, list[k]->length };
		load->segments[at] = n > 1 ? size_of_first(list[i]) : list[i]->segment;
		load->messages[at] = (struct mmsghdr){ .msg_hdr.msg_iov = &load->pieces[i],
						       .msg_hdr.msg_iovlen = n };
		complete(load, at, route);
	}
}

static size_t bytes_of(const struct msghdr *message)
{
	size_t bytes = 0;

	for (size_t i = 0; i < message->msg_iovlen; i++)
		bytes += message->msg_iov[i].iov_len;
	return bytes;
}

static void count_sent(const struct load *load, size_t i, struct pp_sent *sent)
{
	size_t bytes = bytes_of(&load->messages[i].msg_hdr);

	sent->datagrams += datagrams_of((uint32_t)bytes, load->segments[i]);
	sent->bytes += bytes;
}

static void count_lost(const struct load *load, size_t i, struct pp_sent *sent)
{
	sent->lost += datagrams_of((uint32_t)bytes_of(&load->messages[i].msg_hdr), load->segments[i]);
}

/* A first error may be one of a datagram before. */
static bool send_one(int fd, const struct msghdr *message)
{
	for (int tries = 0; tries < 2; tries++) {
		if (sendmsg(fd, message, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0)
			return true;
	}
	return false;
}

/* One train, taken apart: every piece of it begins with a whole datagram, since only the last may be shorter. */
static void send_apart(int fd, const struct load *load, size_t i, struct pp_sent *sent)
{
	struct msghdr message = load->messages[i].msg_hdr;
	const struct iovec *pieces = message.msg_iov;
	size_t count = message.msg_iovlen, segment = load->segments[i];
	struct iovec piece;

	/* UDP_SEGMENT was put last. */
	message.msg_controllen -= CMSG_SPACE(sizeof(uint16_t));
	if (message.msg_controllen == 0)
		message.msg_control = NULL;
	message.msg_iov = &piece;
	message.msg_iovlen = 1;
	for (size_t k = 0; k < count; k++) {
		for (size_t at = 0; at < pieces[k].iov_len; at += segment) {
			size_t rest = pieces[k].iov_len - at;

			piece = (struct iovec){ (char *)pieces[k].iov_base + at,
						rest < segment ? rest : segment };
			if (!send_one(fd, &message)) {
				sent->lost++;
			} else {
				sent->datagrams++;
				sent->bytes += piece.iov_len;
			}
		}
	}
}

static bool is_of_the_train(int code)
{
	return code == EINVAL || code == EIO || code == EMSGSIZE || code == EOPNOTSUPP;
}

/* How many messages from @i on are dealt with, sent or lost. *@errors counts errors of message @i. */
static size_t send_some(int fd, struct load *load, size_t i, bool *alone, int *errors, struct pp_sent *sent)
{
	int count;

	if (*alone && load->segments[i]) {
		send_apart(fd, load, i, sent);
		return 1;
	}
	count = sendmmsg(fd, load->messages + i, (unsigned int)(load->count - i),
			 MSG_DONTWAIT | MSG_NOSIGNAL);
	if (count > 0) {
		for (size_t k = i; k < i + (size_t)count; k++)
			count_sent(load, k, sent);
		*errors = 0;
		return (size_t)count;
	}
	if (load->segments[i] && is_of_the_train(errno)) {
		*alone = true;
		*errors = 0;
		return 0;
	}
	/* The first error may be that of a datagram sent before, and this one has not been tried. */
	if (errno != EAGAIN && ++*errors < 3)
		return 0;
	count_lost(load, i, sent);
	*errors = 0;
	return 1;
}

void pp_datagrams_send(int fd, const struct pp_route *route, const struct pp_datagram *const list[],
		       size_t count, bool *alone, struct pp_sent *sent)
{
	struct load load;
	int errors = 0;

	pack(&load, route, list, count, *alone);
	for (size_t i = 0; i < load.count;)
		i += send_some(fd, &load, i, alone, &errors, sent);
}
