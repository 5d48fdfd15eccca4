/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets as the kernel tells of them: the tests open some, on the loopback addresses of whoever runs them. */
#include "unit.h"

#include "portpub/interface.h"
#include "portpub/process.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct pp_address address_of(const char *text)
{
	struct pp_address address = { .family = AF_UNSPEC };

	if (text[0])
		ck_assert_msg(pp_address_parse(text, strlen(text), &address), "%s", text);
	return address;
}

static const struct {
	const char *held, *wanted; /* "" is every address of both families */
	bool overlaps;
} pairs[] = {
	{ "", "", true },
	{ "", "0.0.0.0", true },
	{ "", "127.0.0.1", true },
	{ "", "::", true },
	{ "", "2001:db8::1", true },
	{ "10.0.0.1", "", true },
	{ "2001:db8::1", "", true },
	{ "0.0.0.0", "0.0.0.0", true },
	{ "0.0.0.0", "10.0.0.1", true },
	{ "10.0.0.1", "0.0.0.0", true },
	{ "10.0.0.1", "10.0.0.1", true },
	{ "10.0.0.1", "10.0.0.2", false },
	{ "0.0.0.0", "::", false },
	{ "0.0.0.0", "2001:db8::1", false },
	{ "::", "0.0.0.0", false },
	{ "::", "10.0.0.1", false },
	{ "::", "2001:db8::1", true },
	{ "2001:db8::1", "::", true },
	{ "2001:db8::1", "2001:db8::1", true },
	{ "2001:db8::1", "2001:db8::2", false },
};

START_TEST(socket_overlaps_what_it_would_keep_from_a_bind)
{
	struct pp_socket socket = { .address = address_of(pairs[_i].held) };
	struct pp_address wanted = address_of(pairs[_i].wanted);

	ck_assert_msg(pp_socket_overlaps(&socket, &wanted) == pairs[_i].overlaps, "\"%s\" and \"%s\"",
		      pairs[_i].held, pairs[_i].wanted);
}
END_TEST

enum { PLAIN = -1, DUAL = 0, V6ONLY = 1 };

/* Bound to a free port of @text, and listening when it is TCP. Returns its port. */
static uint16_t open_socket(const char *text, int type, int v6only, int *fd)
{
	struct pp_address address = address_of(text);
	struct sockaddr_in6 in6 = { .sin6_family = AF_INET6 };
	struct sockaddr_in in = { .sin_family = AF_INET };
	struct sockaddr *name = v6only == PLAIN ? (struct sockaddr *)&in : (struct sockaddr *)&in6;
	socklen_t len = v6only == PLAIN ? sizeof(in) : sizeof(in6);

	memcpy(&in.sin_addr, address.bytes, 4);
	memcpy(&in6.sin6_addr, address.bytes, 16);
	if (v6only == DUAL && address.family == AF_INET) {
		memset(&in6.sin6_addr, 0, 16);
		memset(in6.sin6_addr.s6_addr + 10, 0xff, 2);
		memcpy(in6.sin6_addr.s6_addr + 12, address.bytes, 4);
	}
	*fd = socket(name->sa_family, type | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(*fd, 0);
	if (v6only != PLAIN)
		ck_assert_int_eq(setsockopt(*fd, IPPROTO_IPV6, IPV6_V6ONLY, &v6only, sizeof(v6only)), 0);
	ck_assert_int_eq(bind(*fd, name, len), 0);
	if (type == SOCK_STREAM)
		ck_assert_int_eq(listen(*fd, 1), 0);
	ck_assert_int_eq(getsockname(*fd, name, &len), 0);
	return ntohs(v6only == PLAIN ? in.sin_port : in6.sin6_port);
}

static struct pp_sockets read_port(enum pp_protocol protocol, uint16_t port)
{
	struct pp_sockets list = PP_SOCKETS_INIT;
	struct pp_error err;

	if (pp_sockets_read(protocol, port, &list, &err) < 0)
		ck_abort_msg("%s", err.message);
	return list;
}

static const struct {
	const char *bound;
	int v6only;
	const char *told;
	sa_family_t family;
} bindings[] = {
	{ "127.0.0.1", PLAIN, "127.0.0.1", AF_INET },
	{ "0.0.0.0", PLAIN, "0.0.0.0", AF_INET },
	{ "127.0.0.1", DUAL, "127.0.0.1", AF_INET }, /* ::ffff:127.0.0.1 */
	{ "::", V6ONLY, "::", AF_INET6 },
	{ "::", DUAL, "", AF_UNSPEC },
};

/* One of many could belong to somebody else: of those at our port, one is just so. */
static bool is_told(const struct pp_sockets *list, uint16_t port, const char *told, sa_family_t family)
{
	char text[PP_ADDRESS_TEXT];

	for (size_t i = 0; i < list->count; i++) {
		const struct pp_socket *socket = &list->items[i];

		ck_assert_int_eq(socket->port, port);
		if (socket->address.family == family && socket->uid == geteuid() &&
		    strcmp(pp_address_format(&socket->address, text), told) == 0)
			return true;
	}
	return false;
}

START_TEST(socket_is_told_with_the_addresses_it_takes)
{
	static const int types[] = { [PP_TCP] = SOCK_STREAM, [PP_UDP] = SOCK_DGRAM };

	for (int protocol = PP_TCP; protocol <= PP_UDP; protocol++) {
		int fd;
		uint16_t port = open_socket(bindings[_i].bound, types[protocol], bindings[_i].v6only, &fd);
		struct pp_sockets list = read_port((enum pp_protocol)protocol, port);

		ck_assert_msg(is_told(&list, port, bindings[_i].told, bindings[_i].family), "%s %s, %d",
			      pp_protocol_name((enum pp_protocol)protocol), bindings[_i].bound,
			      bindings[_i].v6only);
		pp_sockets_fini(&list);
		close(fd);
	}
}
END_TEST

START_TEST(socket_that_is_connected_or_does_not_listen_holds_no_port)
{
	struct sockaddr_in peer = { .sin_family = AF_INET, .sin_port = htons(9) };
	struct sockaddr_in own = { .sin_family = AF_INET };
	socklen_t len = sizeof(own);
	struct pp_sockets list;
	uint16_t port;
	int fd;

	own.sin_addr.s_addr = peer.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	port = open_socket("127.0.0.1", SOCK_DGRAM, PLAIN, &fd);
	ck_assert_int_eq(connect(fd, (struct sockaddr *)&peer, sizeof(peer)), 0);
	list = read_port(PP_UDP, port);
	ck_assert_uint_eq(list.count, 0);
	close(fd);

	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&own, sizeof(own)), 0);
	ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&own, &len), 0);
	list = read_port(PP_TCP, ntohs(own.sin_port));
	ck_assert_uint_eq(list.count, 0);
	close(fd);
}
END_TEST

START_TEST(socket_reading_appends)
{
	struct pp_sockets list = PP_SOCKETS_INIT;
	struct pp_error err;
	uint16_t port;
	int fd;

	port = open_socket("127.0.0.1", SOCK_STREAM, PLAIN, &fd);
	ck_assert_int_eq(pp_sockets_read(PP_TCP, port, &list, &err), 0);
	ck_assert_int_eq(pp_sockets_read(PP_SCTP, port, &list, &err), 0); /* there or not */
	ck_assert_int_eq(pp_sockets_read(PP_TCP, port, &list, &err), 0);
	ck_assert_uint_eq(list.count, 2);
	ck_assert_int_eq(pp_sockets_read(PP_TCP, 0, &list, &err), 0);
	ck_assert_uint_ge(list.count, 3);
	pp_sockets_fini(&list);
	pp_sockets_fini(&list);
	close(fd);
}
END_TEST

START_TEST(process_of_a_socket_is_found_and_named)
{
	char comm[64], want[PP_HOLDER_TEXT], have[PP_HOLDER_TEXT];
	struct pp_sockets list;
	uint16_t port;
	int fd;
	FILE *file = fopen("/proc/self/comm", "re");

	ck_assert(file && fgets(comm, sizeof(comm), file));
	fclose(file);
	comm[strcspn(comm, "\n")] = '\0';
	port = open_socket("127.0.0.1", SOCK_STREAM, PLAIN, &fd);
	list = read_port(PP_TCP, port);
	ck_assert_uint_eq(list.count, 1);
	/* check(3) forks: the runner does not have this one, its child does. */
	snprintf(want, sizeof(want), "%s (pid %d)", comm, (int)getpid());
	pp_socket_holder(&list.items[0], have, sizeof(have));
	ck_assert_str_eq(have, want);
	pp_sockets_fini(&list);
	close(fd);
}
END_TEST

START_TEST(process_that_cannot_be_seen_is_told_by_its_user)
{
	struct pp_socket socket = { .uid = 33, .inode = UINT32_MAX };
	struct pp_process process = { .pid = -1 };
	char text[PP_HOLDER_TEXT];

	ck_assert(!pp_process_of_socket(UINT32_MAX, &process));
	ck_assert_int_eq(process.pid, -1);
	pp_socket_holder(&socket, text, sizeof(text));
	ck_assert_str_eq(text, "a process of uid 33 that cannot be seen from here");
	socket.uid = 0;
	pp_socket_holder(&socket, text, sizeof(text));
	ck_assert_str_eq(text, "a process of uid 0 that cannot be seen from here, or the kernel");
	socket.inode = 0;
	pp_socket_holder(&socket, text, sizeof(text));
	ck_assert_str_eq(text, "the kernel");
}
END_TEST

START_TEST(interface_address_is_local_when_it_is_loopback_or_listed)
{
	struct pp_interface_address items[] = { { .address = address_of("10.0.0.2") },
						{ .address = address_of("fd00::2") } };
	struct pp_interface_addresses list = { items, UNIT_COUNT(items), UNIT_COUNT(items) };
	static const struct {
		const char *text;
		bool local;
	} rows[] = {
		{ "10.0.0.2", true },  { "10.0.0.3", false }, { "fd00::2", true }, { "fd00::3", false },
		{ "127.0.0.1", true }, { "127.9.9.9", true }, { "::1", true },     { "128.0.0.1", false },
	};

	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct pp_address address = address_of(rows[i].text);

		ck_assert_msg(pp_interface_address_is_local(&list, &address) == rows[i].local, "%s",
			      rows[i].text);
	}
}
END_TEST

START_TEST(interface_addresses_can_all_be_bound)
{
	struct pp_interface_addresses list = PP_INTERFACE_ADDRESSES_INIT;
	struct pp_error err;

	ck_assert_int_eq(pp_interface_addresses_read(&list, &err), 0);
	for (size_t i = 0; i < list.count; i++) {
		const struct pp_interface_address *own = &list.items[i];
		char text[PP_ADDRESS_TEXT];
		int fd;

		ck_assert_uint_ne(own->index, 0);
		ck_assert_uint_le(own->prefix, own->address.family == AF_INET ? 32 : 128);
		if (pp_address_class(&own->address) == PP_CLASS_LINK_LOCAL)
			continue; /* wants a link, too */
		pp_address_format(&own->address, text);
		open_socket(text, SOCK_DGRAM, own->address.family == AF_INET ? PLAIN : V6ONLY, &fd);
		close(fd);
	}
	pp_interface_addresses_fini(&list);
	pp_interface_addresses_fini(&list);
}
END_TEST

Suite *suite_socket(void)
{
	Suite *suite = suite_create("socket");
	TCase *tcase = tcase_create("socket");

	tcase_add_loop_test(tcase, socket_overlaps_what_it_would_keep_from_a_bind, 0, UNIT_COUNT(pairs));
	tcase_add_loop_test(tcase, socket_is_told_with_the_addresses_it_takes, 0, UNIT_COUNT(bindings));
	tcase_add_test(tcase, socket_that_is_connected_or_does_not_listen_holds_no_port);
	tcase_add_test(tcase, socket_reading_appends);
	tcase_add_test(tcase, process_of_a_socket_is_found_and_named);
	tcase_add_test(tcase, process_that_cannot_be_seen_is_told_by_its_user);
	tcase_add_test(tcase, interface_address_is_local_when_it_is_loopback_or_listed);
	tcase_add_test(tcase, interface_addresses_can_all_be_bound);
	suite_add_tcase(suite, tcase);
	return suite;
}
