/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/counters_page.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

static int fail(struct pp_error *err, int code)
{
	return pp_fail(err, code, "cannot make the page of counters: %s", strerror(code));
}

int pp_counters_open(struct pp_counters_page *page, struct pp_error *err)
{
	int fd = memfd_create("portpub-counters", MFD_CLOEXEC), code;
	struct pp_counters *counters = MAP_FAILED;

	if (fd < 0)
		return fail(err, errno);
	if (ftruncate(fd, sizeof(*counters)) == 0)
		counters = mmap(NULL, sizeof(*counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (counters == MAP_FAILED) {
		code = errno;
		close(fd);
		return fail(err, code);
	}
	counters->size = sizeof(*counters);
	*page = (struct pp_counters_page){ counters, fd };
	return 0;
}

void pp_counters_close(struct pp_counters_page *page)
{
	if (page->fd < 0)
		return;
	munmap(page->counters, sizeof(*page->counters));
	close(page->fd);
	*page = PP_COUNTERS_PAGE_INIT;
}
