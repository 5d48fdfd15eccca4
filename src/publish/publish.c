/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/publish.h"

#include "portpub/bridge.h"
#include "portpub/route.h"

#include <stdarg.h>
#include <stdio.h>

void pp_report_say(const struct pp_report *report, const char *format, ...)
{
	char line[512];
	va_list args;

	if (!report)
		return;
	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	report->say(line, report->data);
}

int pp_publish_find_way(struct pp_record *record, sa_family_t family, struct pp_error *err)
{
	const struct pp_address *to = pp_target_of(&record->request.target, family);
	size_t f = family == AF_INET6;
	struct pp_bridge bridge = { 0 };
	int ret;

	record->interfaces[f][0] = '\0';
	record->request.alone[f] = false;
	if (to->family == AF_UNSPEC || pp_address_class(to) == PP_CLASS_LOOPBACK)
		return 0;
	ret = pp_route_interface(to, record->interfaces[f], err);
	if (ret == 0)
		ret = pp_bridge_read(record->interfaces[f], to, &bridge, err);
	if (ret == 0)
		record->request.alone[f] = !pp_bridge_returns(&bridge);
	return ret;
}
