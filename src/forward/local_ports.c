/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "local_ports.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

#ifndef IP_LOCAL_PORT_RANGE
#define IP_LOCAL_PORT_RANGE 51 /* Linux 6.3; not in older headers */
#endif

enum {
	WINDOW = 64,
	WINDOWS = 16, /* looked through before all ports are: most often one has a port */
};

void pp_local_ports_init(struct pp_local_ports *ports)
{
	FILE *file = fopen("/proc/sys/net/ipv4/ip_local_port_range", "re");
	char line[64], *end;
	uint32_t start;

	*ports = (struct pp_local_ports){ 0 };
	if (file && fgets(line, sizeof(line), file)) {
		ports->first = (uint16_t)strtoul(line, &end, 10);
		ports->last = (uint16_t)strtoul(end, NULL, 10);
	}
	if (file)
		fclose(file);
	if (ports->first >= ports->last || getrandom(&start, sizeof(start), GRND_NONBLOCK) < 0)
		start = 0;
	ports->next = (uint16_t)(ports->first + start % (ports->last - ports->first + 1U));
}

static int try_any(int fd, const struct pp_endpoint *to)
{
	return connect(fd, &to->any, to->length) < 0 ? -errno : 0;
}

static int try_from(int fd, const struct pp_endpoint *to, uint32_t first, uint32_t last)
{
	uint32_t range = last << 16 | first;

	if (setsockopt(fd, IPPROTO_IP, IP_LOCAL_PORT_RANGE, &range, sizeof(range)) < 0)
		return -errno;
	return try_any(fd, to);
}

int pp_local_ports_connect(struct pp_local_ports *ports, int fd, const struct pp_endpoint *to)
{
	int ret;

	for (int i = 0; i < WINDOWS && ports->first < ports->last; i++) {
		uint32_t first = ports->next, last = first + WINDOW - 1;

		ret = try_from(fd, to, first, last < ports->last ? last : ports->last);
		if (ret == -ENOPROTOOPT) { /* an older kernel looks through all each time */
			*ports = (struct pp_local_ports){ 0 };
			break;
		}
		if (ret != -EADDRNOTAVAIL) {
			ports->next = first < ports->last ? (uint16_t)(first + 1) : ports->first;
			return ret;
		}
		ports->next = last < ports->last ? (uint16_t)(last + 1) : ports->first;
	}
	return ports->last ? try_from(fd, to, ports->first, ports->last) : try_any(fd, to);
}
