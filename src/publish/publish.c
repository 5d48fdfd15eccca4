/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/publish.h"

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
