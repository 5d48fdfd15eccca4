/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include "portpub/bridge.h"
#include "portpub/sysctl.h"

#include <errno.h>
#include <string.h>

/* A bridge with ports c0 and c1; behind c0 is 10.0.0.2 and fd00::2, and the bridge has seen it speak. */
static void new_host_with_bridge(void)
{
	kernel_new_host();
	kernel_sh("ip link add br0 up type bridge && ip addr add 10.0.0.1/24 dev br0 &&"
		  " for port in c0 c1; do ip link add $port up master br0 type veth peer name $port-eth0 &&"
		  " ip link set $port-eth0 up; done &&"
		  " ip neigh add 10.0.0.2 lladdr 02:00:00:00:00:02 dev br0 &&"
		  " ip neigh add fd00::2 lladdr 02:00:00:00:00:02 dev br0 &&"
		  " ip neigh add 10.0.0.9 lladdr 02:00:00:00:00:09 dev br0 &&"
		  " bridge fdb add 02:00:00:00:00:02 dev c0 master dynamic");
}

static struct pp_bridge read_bridge(const char *name, const char *container)
{
	struct pp_address address;
	struct pp_bridge bridge;
	struct pp_error err;

	ck_assert(pp_address_parse(container, strlen(container), &address));
	ck_assert_msg(pp_bridge_read(name, &address, &bridge, &err) == 0, "%s", err.message);
	return bridge;
}

static const struct {
	const char *set, *container;
	bool hairpin;
} ports[] = {
	{ "true", "10.0.0.2", false },
	{ "bridge link set dev c0 hairpin on", "10.0.0.2", true },
	{ "bridge link set dev c0 hairpin on", "fd00::2", true },
	{ "bridge link set dev c1 hairpin on", "10.0.0.2", false },
	/* Never heard of, and known but not yet behind which port. */
	{ "bridge link set dev c0 hairpin on", "10.0.0.3", false },
	{ "bridge link set dev c0 hairpin on", "10.0.0.9", false },
	{ "bridge link set dev c0 hairpin on; bridge link set dev c1 hairpin on", "10.0.0.3", true },
	{ "bridge link set dev c0 hairpin on; bridge link set dev c1 hairpin on", "10.0.0.9", true },
	{ "ip link del c0; ip link del c1", "10.0.0.2", false },
	/* Another bridge, with the same containers and hairpin on, is none of our business. */
	{ "ip link add br1 up type bridge; ip link add d0 up master br1 type veth peer name d0-eth0;"
	  " bridge link set dev d0 hairpin on; bridge fdb add 02:00:00:00:00:02 dev d0 master dynamic",
	  "10.0.0.2", false },
};

START_TEST(bridge_tells_hairpin_of_the_port_of_the_container)
{
	struct pp_bridge bridge;

	kernel_sh("%s", ports[_i].set);
	bridge = read_bridge("br0", ports[_i].container);
	ck_assert(bridge.is_bridge);
	ck_assert_msg(bridge.hairpin == ports[_i].hairpin, "%s, %s", ports[_i].set, ports[_i].container);
}
END_TEST

static const struct {
	const char *ipv4, *ipv6, *set, *container;
	bool netfilter;
} calls[] = {
	{ "0", "0", "", "10.0.0.2", false },
	{ "1", "0", "", "10.0.0.2", true },
	{ "1", "0", "", "fd00::2", false },
	{ "0", "1", "", "10.0.0.2", false },
	{ "0", "1", "", "fd00::2", true },
	{ "0", "0", "nf_call_iptables 1", "10.0.0.2", true },
	{ "0", "0", "nf_call_iptables 1", "fd00::2", false },
	{ "0", "0", "nf_call_ip6tables 1", "fd00::2", true },
};

START_TEST(bridge_tells_whether_it_calls_netfilter)
{
	struct pp_bridge bridge;
	struct pp_error err;
	int ret = pp_sysctl_write("net/bridge/bridge-nf-call-iptables", calls[_i].ipv4, &err);

	kernel_sh("ip link set br0 type bridge %s", calls[_i].set);
	if (ret == 0)
		ret = pp_sysctl_write("net/bridge/bridge-nf-call-ip6tables", calls[_i].ipv6, &err);
	ck_assert_msg(ret == 0 || ret == -ENOENT, "%s", err.message);
	bridge = read_bridge("br0", calls[_i].container);
	ck_assert(bridge.netfilter == (ret == 0 && calls[_i].netfilter)); /* without br_netfilter never */
}
END_TEST

START_TEST(bridge_is_none_where_a_container_is_routed)
{
	struct pp_bridge bridge;

	kernel_sh("ip link add veth0 up type veth peer name veth0-eth0");
	bridge = read_bridge("veth0", "10.0.0.2");
	ck_assert(!bridge.is_bridge && !bridge.netfilter && !bridge.hairpin);
	bridge = read_bridge("c0", "10.0.0.2"); /* a port is not the bridge */
	ck_assert(!bridge.is_bridge);
	ck_assert(pp_bridge_returns(&bridge));
}
END_TEST

START_TEST(bridge_returns_what_is_routed_and_what_hairpin_lets_back)
{
	static const struct {
		struct pp_bridge bridge;
		bool returns;
	} rows[] = {
		{ { .is_bridge = false }, true },
		{ { .is_bridge = true, .netfilter = false, .hairpin = false }, true },
		{ { .is_bridge = true, .netfilter = false, .hairpin = true }, true },
		{ { .is_bridge = true, .netfilter = true, .hairpin = false }, false },
		{ { .is_bridge = true, .netfilter = true, .hairpin = true }, true },
	};

	for (size_t i = 0; i < KERNEL_COUNT(rows); i++)
		ck_assert_msg(pp_bridge_returns(&rows[i].bridge) == rows[i].returns, "row %zu", i);
}
END_TEST

START_TEST(bridge_that_is_not_there_is_said_so)
{
	static const char *const names[] = { "br9", "", "a_name_longer_than_any", "\x1b[31m" };
	struct pp_address address = { .family = AF_INET, .bytes = { 10, 0, 0, 2 } };
	struct pp_bridge bridge;
	struct pp_error err;

	for (size_t i = 0; i < KERNEL_COUNT(names); i++) {
		ck_assert_int_eq(pp_bridge_read(names[i], &address, &bridge, &err), -ENODEV);
		ck_assert_ptr_null(strchr(err.message, '\x1b'));
	}
}
END_TEST

Suite *suite_bridge(void)
{
	Suite *suite = suite_create("bridge");
	TCase *tcase = tcase_create("bridge");

	tcase_add_checked_fixture(tcase, new_host_with_bridge, NULL);
	tcase_add_loop_test(tcase, bridge_tells_hairpin_of_the_port_of_the_container, 0, KERNEL_COUNT(ports));
	tcase_add_loop_test(tcase, bridge_tells_whether_it_calls_netfilter, 0, KERNEL_COUNT(calls));
	tcase_add_test(tcase, bridge_is_none_where_a_container_is_routed);
	tcase_add_test(tcase, bridge_returns_what_is_routed_and_what_hairpin_lets_back);
	tcase_add_test(tcase, bridge_that_is_not_there_is_said_so);
	suite_add_tcase(suite, tcase);
	return suite;
}
