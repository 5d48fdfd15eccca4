/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Has the old iptables make a table in this network namespace, as iptables-legacy does by looking at one: legacy
 * TABLE... Exit status 1 where the kernel has none.
 */
#include <errno.h>
#include <linux/netfilter_ipv4/ip_tables.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	int fd = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW), failed = fd < 0;

	for (int i = 1; i < argc && !failed; i++) {
		struct ipt_getinfo info = { 0 };
		socklen_t size = sizeof(info);

		snprintf(info.name, sizeof(info.name), "%s", argv[i]);
		failed = getsockopt(fd, IPPROTO_IP, IPT_SO_GET_INFO, &info, &size) < 0;
	}
	if (failed)
		fprintf(stderr, "legacy: %s\n", strerror(errno));
	if (fd >= 0)
		close(fd);
	return failed;
}
