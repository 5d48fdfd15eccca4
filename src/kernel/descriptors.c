/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/descriptors.h"

#include <limits.h>
#include <sys/resource.h>

unsigned long long pp_descriptors_raise(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return ULLONG_MAX;
	limit.rlim_cur = limit.rlim_max;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
	return limit.rlim_max;
}

void pp_descriptors_spare(unsigned int count)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_max <= count)
		return;
	limit.rlim_cur = limit.rlim_max - count;
	(void)setrlimit(RLIMIT_NOFILE, &limit);
}
