/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "dump.h"

#include <errno.h>

enum { ROOM = 32768 }; /* the kernel fills no more of a buffer at once */

/* A list that the kernel could not begin, or not finish, ends with the reason. libmnl does not look. */
static int end(const struct nlmsghdr *header, void *data)
{
	const int *code = mnl_nlmsg_get_payload(header);

	(void)data;
	if (mnl_nlmsg_get_payload_len(header) < sizeof(*code) || *code >= 0)
		return MNL_CB_STOP;
	errno = -*code;
	return MNL_CB_ERROR;
}

/* The acknowledgement, or why there is none. libmnl leaves this to whoever takes the end of a list. */
static int acknowledge(const struct nlmsghdr *header, void *data)
{
	const struct nlmsgerr *answer = mnl_nlmsg_get_payload(header);

	(void)data;
	if (answer->error == 0)
		return MNL_CB_STOP;
	errno = -answer->error;
	return MNL_CB_ERROR;
}

/* 0 or -errno. */
static int ask(struct mnl_socket *socket, struct nlmsghdr *query, uint16_t flags, mnl_cb_t take, void *data)
{
	mnl_cb_t control[NLMSG_MIN_TYPE] = { [NLMSG_ERROR] = acknowledge, [NLMSG_DONE] = end };
	_Alignas(struct nlmsghdr) char buffer[ROOM];
	int more = MNL_CB_OK;

	query->nlmsg_flags = NLM_F_REQUEST | flags;
	query->nlmsg_seq = 1;
	if (mnl_socket_sendto(socket, query, query->nlmsg_len) < 0)
		return -errno;
	while (more > MNL_CB_STOP) {
		ssize_t n = mnl_socket_recvfrom(socket, buffer, sizeof(buffer));

		if (n < 0)
			return -errno;
		more = mnl_cb_run2(buffer, (size_t)n, query->nlmsg_seq, mnl_socket_get_portid(socket), take,
				   data, control, MNL_ARRAY_SIZE(control));
	}
	return more < 0 ? -errno : 0;
}

static int ask_once(int bus, struct nlmsghdr *query, uint16_t flags, mnl_cb_t take, void *data)
{
	struct mnl_socket *socket = NULL;
	int ret = pp_dump_open(bus, &socket);

	if (!socket)
		return ret;
	ret = ask(socket, query, flags, take, data);
	mnl_socket_close(socket);
	return ret;
}

int pp_dump_open(int bus, struct mnl_socket **out)
{
	struct mnl_socket *socket = mnl_socket_open2(bus, SOCK_CLOEXEC);
	int code;

	if (!socket)
		return -errno;
	if (mnl_socket_bind(socket, 0, MNL_SOCKET_AUTOPID) < 0) {
		code = errno;
		mnl_socket_close(socket);
		return -code;
	}
	*out = socket;
	return 0;
}

int pp_dump_on(struct mnl_socket *socket, struct nlmsghdr *query, mnl_cb_t take, void *data)
{
	return ask(socket, query, NLM_F_DUMP, take, data);
}

/* An acknowledgement ends the answer, whether there was one or none. */
int pp_ask_on(struct mnl_socket *socket, struct nlmsghdr *query, mnl_cb_t take, void *data)
{
	return ask(socket, query, NLM_F_ACK, take, data);
}

int pp_dump(int bus, struct nlmsghdr *query, mnl_cb_t take, void *data)
{
	return ask_once(bus, query, NLM_F_DUMP, take, data);
}

int pp_ask(int bus, struct nlmsghdr *query, mnl_cb_t take, void *data)
{
	return ask_once(bus, query, NLM_F_ACK, take, data);
}

static int take_nothing(const struct nlmsghdr *header, void *data)
{
	(void)header;
	(void)data;
	return MNL_CB_OK;
}

int pp_tell(int bus, struct nlmsghdr *message, uint16_t flags)
{
	return ask_once(bus, message, NLM_F_ACK | flags, take_nothing, NULL);
}
