/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/counters.h"

#define COUNTER(member, ways, what, is_now)                                                                  \
	{                                                                                                    \
#member, what, offsetof(struct pp_counters, member), ways, is_now                            \
	}

const struct pp_counter pp_counter_table[] = {
	COUNTER(connections, 1, "connections accepted", false),
	COUNTER(open, 1, "connections that are open", true),
	COUNTER(refused, 1, "connections that were not to be had from the container", false),
	COUNTER(bytes, 2, "bytes of connections", false),
	COUNTER(flows, 1, "UDP clients seen", false),
	COUNTER(flows_open, 1, "UDP clients that are not silent", true),
	COUNTER(evicted, 1, "UDP clients that made room for others", false),
	COUNTER(datagrams, 2, "datagrams passed on", false),
	COUNTER(datagram_bytes, 2, "bytes of datagrams", false),
	COUNTER(lost, 2, "datagrams that could not be passed on", false),
};
const size_t pp_counter_count = sizeof(pp_counter_table) / sizeof(pp_counter_table[0]);

uint64_t pp_counter_value(const struct pp_counters *counters, const struct pp_counter *counter, size_t way)
{
	const uint64_t *numbers = (const void *)((const char *)counters + counter->at);

	return numbers[way];
}
