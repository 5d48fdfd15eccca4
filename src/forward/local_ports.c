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
	WINDOWS = 16, /* looked through by one call: most often one has a port */
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
	if (ports->first >= ports->last)
		*ports = (struct pp_local_ports){ 0 };
	if (getrandom(&start, sizeof(start), GRND_NONBLOCK) < 0)
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

/* From anywhere round to there again. */
static unsigned int count_windows(const struct pp_local_ports *ports)
{
	return ports->last ? (ports->last - ports->first) / WINDOW + 2U : 0;
}

unsigned int pp_local_ports_calls(const struct pp_local_ports *ports)
{
	return ports->last ? (count_windows(ports) + WINDOWS - 1) / WINDOWS : 1;
}

int pp_local_ports_connect(struct pp_local_ports *ports, int fd, const struct pp_endpoint *to)
{
	unsigned int windows = count_windows(ports);
	int ret;

	for (unsigned int i = 0; i < windows && i < WINDOWS; i++) {
		uint32_t first = ports->next, last = first + WINDOW - 1, begin = first;

		if (last > ports->last)
			last = ports->last;
		if ((last - first) % 2 == 0 && begin > ports->first)
			begin--; /* of an odd number of ports the kernel leaves out the last */
		ret = try_from(fd, to, begin, last);
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
	return ports->last ? -EADDRNOTAVAIL : try_any(fd, to);
}
