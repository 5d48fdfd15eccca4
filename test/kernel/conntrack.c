/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include "portpub/conntrack.h"
#include "portpub/sysctl.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Port 5300 goes elsewhere; what goes to port 5400 is in a zone of its own. */
static void new_host_with_conntrack(void)
{
	kernel_new_host();
	kernel_sh("nft 'table inet test {"
		  " chain raw { type filter hook output priority raw; udp dport 5400 ct zone set 7; };"
		  " chain output { type nat hook output priority -100;"
		  " meta nfproto ipv4 udp dport 5300 dnat ip to 127.0.0.2:53; };"
		  " chain filter { type filter hook output priority 0; ct state established accept; }; }'");
}

static union address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
} loopback(sa_family_t family, uint16_t port)
{
	if (family == AF_INET6)
		return (union address){ .ipv6 = { .sin6_family = AF_INET6,
						  .sin6_port = htons(port),
						  .sin6_addr = IN6ADDR_LOOPBACK_INIT } };
	return (union address){ .ipv4 = { .sin_family = AF_INET,
					  .sin_port = htons(port),
					  .sin_addr = { htonl(INADDR_LOOPBACK) } } };
}

/* A flow from port 4000 to @port. */
static void ask(sa_family_t family, uint16_t port)
{
	union address from = loopback(family, 4000), to = loopback(family, port);
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(fd, &from.any, sizeof(from)), 0);
	ck_assert_int_eq(sendto(fd, "x", 1, 0, &to.any, sizeof(to)), 1);
	close(fd);
}

/* Somebody has to listen: conntrack forgets a connection that is refused. */
static void ask_tcp(uint16_t port)
{
	union address from = loopback(AF_INET, 4000), to = loopback(AF_INET, port);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(bind(listener, &to.any, sizeof(to)), 0);
	ck_assert_int_eq(listen(listener, 1), 0);
	ck_assert_int_eq(bind(fd, &from.any, sizeof(from)), 0);
	ck_assert_int_eq(connect(fd, &to.any, sizeof(to)), 0);
	close(fd);
	close(listener);
}

/* The kernel may have no sctp of its own; conntrack reads an INIT all the same. */
static void ask_sctp(uint16_t port)
{
	uint8_t init[32] = { [0] = 4000 >> 8,
			     [1] = 4000 & 0xff,
			     [2] = (uint8_t)(port >> 8),
			     [3] = (uint8_t)port,
			     [12] = 1 /* INIT */,
			     [15] = 20 /* bytes */,
			     [19] = 1 /* tag */,
			     [25] = 1,
			     [27] = 1 /* streams */ };
	union address to = loopback(AF_INET, 0);
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_SCTP);

	ck_assert_int_eq(sendto(fd, init, sizeof(init), 0, &to.any, sizeof(to)), sizeof(init));
	close(fd);
}

/* Five flows that differ in what a flush must tell apart. */
static void ask_for_all(void)
{
	ask(AF_INET, 5300);
	ask(AF_INET, 5301);
	ask(AF_INET6, 5300);
	ask_tcp(5300);
	ask_sctp(5300);
}

#define UDP_DNAT "udp 127.0.0.1:4000 127.0.0.1:5300 by 127.0.0.2:53 dnat\n"
#define UDP_5301 "udp 127.0.0.1:4000 127.0.0.1:5301 by 127.0.0.1:5301\n"
#define UDP_6 "udp ::1:4000 ::1:5300 by ::1:5300\n"
#define TCP "tcp 127.0.0.1:4000 127.0.0.1:5300 by 127.0.0.1:5300\n"
#define SCTP "sctp 127.0.0.1:4000 127.0.0.1:5300 by 127.0.0.1:5300\n"

struct listing {
	char lines[16][128];
	size_t count;
};

static bool list(const struct pp_flow *flow, void *data)
{
	char source[PP_ADDRESS_TEXT], destination[PP_ADDRESS_TEXT], answerer[PP_ADDRESS_TEXT];
	struct listing *listing = data;

	ck_assert_uint_lt(listing->count, KERNEL_COUNT(listing->lines));
	snprintf(listing->lines[listing->count++], sizeof(listing->lines[0]), "%s %s:%u %s:%u by %s:%u%s\n",
		 pp_protocol_name(flow->protocol), pp_address_format(&flow->source, source),
		 flow->source_port, pp_address_format(&flow->destination, destination), flow->port,
		 pp_address_format(&flow->answerer, answerer), flow->answerer_port,
		 flow->dnat ? " dnat" : "");
	return false;
}

static int compare(const void *left, const void *right)
{
	return strcmp(left, right);
}

/* Exactly the flows in @want, in the order of their text, are those that a flush is asked about. */
static void assert_flows(sa_family_t family, enum pp_protocol protocol, uint16_t port, const char *want)
{
	struct listing listing = { 0 };
	char have[2048] = "";
	struct pp_error err;
	size_t count = 1;

	ck_assert_msg(pp_conntrack_flush(family, protocol, port, list, &listing, &count, &err) == 0, "%s",
		      err.message);
	ck_assert_uint_eq(count, 0);
	qsort(listing.lines, listing.count, sizeof(listing.lines[0]), compare);
	for (size_t i = 0; i < listing.count; i++)
		strcat(have, listing.lines[i]);
	ck_assert_str_eq(have, want);
}

/* The kernel's own word for how many there are. */
static void assert_tracked(size_t want)
{
	char value[PP_SYSCTL_VALUE];
	struct pp_error err;

	ck_assert_int_eq(pp_sysctl_read("net/netfilter/nf_conntrack_count", value, &err), 0);
	ck_assert_uint_eq(strtoul(value, NULL, 10), want);
}

static size_t lines_of(const char *text)
{
	size_t count = 0;

	for (; *text; text++)
		count += *text == '\n';
	return count;
}

static bool every(const struct pp_flow *flow, void *data)
{
	(void)flow, (void)data;
	return true;
}

static size_t flush_every(sa_family_t family, enum pp_protocol protocol, uint16_t port)
{
	struct pp_error err;
	size_t count;

	ck_assert_msg(pp_conntrack_flush(family, protocol, port, every, NULL, &count, &err) == 0, "%s",
		      err.message);
	return count;
}

static const struct {
	sa_family_t family;
	enum pp_protocol protocol;
	uint16_t port;
	const char *asked, *left;
} rows[] = {
	{ AF_INET, PP_UDP, 5300, UDP_DNAT, SCTP TCP UDP_5301 UDP_6 },
	{ AF_INET6, PP_UDP, 5300, UDP_6, SCTP TCP UDP_DNAT UDP_5301 },
	{ AF_UNSPEC, PP_UDP, 5300, UDP_DNAT UDP_6, SCTP TCP UDP_5301 },
	{ AF_UNSPEC, PP_TCP, 5300, TCP, SCTP UDP_DNAT UDP_5301 UDP_6 },
	{ AF_INET, PP_SCTP, 5300, SCTP, TCP UDP_DNAT UDP_5301 UDP_6 },
	{ AF_INET, PP_SCTP, 5301, "", SCTP TCP UDP_DNAT UDP_5301 UDP_6 },
	{ AF_INET, PP_UDP, 53, "", SCTP TCP UDP_DNAT UDP_5301 UDP_6 }, /* where DNAT sends it */
	{ AF_INET, PP_UDP, 4000, "", SCTP TCP UDP_DNAT UDP_5301 UDP_6 },
	{ AF_INET6, PP_UDP, 0, UDP_6, SCTP TCP UDP_DNAT UDP_5301 },
	{ AF_INET, PP_UDP, 0, SCTP TCP UDP_DNAT UDP_5301, UDP_6 },
	{ AF_UNSPEC, PP_UDP, 0, SCTP TCP UDP_DNAT UDP_5301 UDP_6, "" },
};

START_TEST(conntrack_forgets_what_is_asked_for_and_nothing_else)
{
	ask_for_all();
	assert_flows(rows[_i].family, rows[_i].protocol, rows[_i].port, rows[_i].asked);
	assert_tracked(5);
	ck_assert_uint_eq(flush_every(rows[_i].family, rows[_i].protocol, rows[_i].port),
			  lines_of(rows[_i].asked));
	assert_flows(AF_UNSPEC, PP_TCP, 0, rows[_i].left);
	assert_tracked(lines_of(rows[_i].left));
}
END_TEST

START_TEST(conntrack_forgets_a_flow_in_a_zone)
{
	ask(AF_INET, 5400);
	assert_tracked(1);
	ck_assert_uint_eq(flush_every(AF_INET, PP_UDP, 5400), 1);
	assert_tracked(0);
}
END_TEST

/* Ends the flow it is asked about, and begins another that looks the same but lies elsewhere. */
static bool begin_anew(const struct pp_flow *flow, void *data)
{
	(void)data;
	ck_assert_uint_eq(flush_every(AF_INET, flow->protocol, flow->port), 1);
	ask(AF_INET, 5301); /* takes the place of the old, and with it the old id */
	ask(AF_INET, flow->port);
	return true;
}

START_TEST(conntrack_leaves_a_new_flow_that_looks_like_the_old)
{
	struct pp_error err;
	size_t count;

	ask(AF_INET, 5300);
	ck_assert_int_eq(pp_conntrack_flush(AF_INET, PP_UDP, 5300, begin_anew, NULL, &count, &err), 0);
	ck_assert_uint_eq(count, 0);
	assert_flows(AF_INET, PP_UDP, 5300, UDP_DNAT);
}
END_TEST

static bool is_odd(const struct pp_flow *flow, void *data)
{
	(void)data;
	return flow->port % 2;
}

/* More than fit into one batch, one page, or one buffer of answers. */
START_TEST(conntrack_forgets_any_number_of_flows)
{
	struct pp_error err;
	size_t count;

	for (uint16_t port = 10001; port <= 12000; port++)
		ask(AF_INET, port);
	assert_tracked(2000);
	ck_assert_int_eq(pp_conntrack_flush(AF_INET, PP_UDP, 0, is_odd, NULL, &count, &err), 0);
	ck_assert_uint_eq(count, 1000);
	assert_tracked(1000);
	ck_assert_int_eq(pp_conntrack_flush(AF_INET, PP_UDP, 0, is_odd, NULL, &count, &err), 0);
	ck_assert_uint_eq(count, 0);
	ck_assert_uint_eq(flush_every(AF_INET, PP_UDP, 0), 1000);
	assert_tracked(0);
}
END_TEST

START_TEST(conntrack_of_another_namespace_is_left_alone)
{
	int here = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

	ask(AF_INET, 5300);
	new_host_with_conntrack();
	ck_assert_uint_eq(flush_every(AF_INET, PP_UDP, 0), 0);
	ask(AF_INET, 5300);
	ck_assert_uint_eq(flush_every(AF_INET, PP_UDP, 0), 1);
	ck_assert_int_eq(setns(here, CLONE_NEWNET), 0);
	assert_flows(AF_INET, PP_UDP, 0, UDP_DNAT);
	close(here);
}
END_TEST

START_TEST(conntrack_that_tracks_nothing_is_no_error)
{
	kernel_new_host();
	ask(AF_INET, 5300);
	ck_assert_uint_eq(flush_every(AF_INET, PP_UDP, 5300), 0);
	ck_assert_uint_eq(flush_every(AF_UNSPEC, PP_UDP, 0), 0);
}
END_TEST

START_TEST(conntrack_says_what_privilege_it_needs)
{
	struct pp_error err;

	ck_assert_int_eq(unshare(CLONE_NEWUSER), 0); /* the network stays with the one above */
	ck_assert_int_eq(pp_conntrack_flush(AF_INET, PP_UDP, 0, every, NULL, NULL, &err), -EPERM);
	ck_assert_str_eq(err.message, "not permitted to forget connections: this needs CAP_NET_ADMIN");
}
END_TEST

Suite *suite_conntrack(void)
{
	Suite *suite = suite_create("conntrack");
	TCase *tcase = tcase_create("conntrack");

	tcase_add_checked_fixture(tcase, new_host_with_conntrack, NULL);
	tcase_add_loop_test(tcase, conntrack_forgets_what_is_asked_for_and_nothing_else, 0,
			    KERNEL_COUNT(rows));
	tcase_add_test(tcase, conntrack_forgets_a_flow_in_a_zone);
	tcase_add_test(tcase, conntrack_leaves_a_new_flow_that_looks_like_the_old);
	tcase_add_test(tcase, conntrack_forgets_any_number_of_flows);
	tcase_add_test(tcase, conntrack_of_another_namespace_is_left_alone);
	tcase_add_test(tcase, conntrack_that_tracks_nothing_is_no_error);
	tcase_add_test(tcase, conntrack_says_what_privilege_it_needs);
	suite_add_tcase(suite, tcase);
	return suite;
}
