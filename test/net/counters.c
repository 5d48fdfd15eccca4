/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counters PID NAME...: what a forwarder has counted, in one line; two numbers are for the two ways. */
#include "portpub/kept.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The one descriptor of the process that is its page. */
static int find(const char *pid)
{
	char path[256], target[512];
	struct dirent *entry;
	int found = -1;
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	list = opendir(path);
	while (list && found < 0 && (entry = readdir(list))) {
		ssize_t n = readlinkat(dirfd(list), entry->d_name, target, sizeof(target) - 1);

		target[n > 0 ? n : 0] = '\0';
		if (strstr(target, "/kept/"))
			found = openat(dirfd(list), entry->d_name, O_RDONLY);
	}
	if (list)
		closedir(list);
	return found;
}

static void print(const char *name, const struct pp_counters *counters)
{
	for (size_t i = 0; i < pp_counter_count; i++) {
		const struct pp_counter *counter = &pp_counter_table[i];

		if (strcmp(counter->name, name) != 0)
			continue;
		printf(" %s %" PRIu64, name, pp_counter_value(counters, counter, 0));
		if (counter->count > 1)
			printf("/%" PRIu64, pp_counter_value(counters, counter, 1));
	}
}

int main(int argc, char **argv)
{
	struct pp_kept_page page;
	int fd = argc > 2 ? find(argv[1]) : -1;

	if (fd < 0 || pread(fd, &page, sizeof(page), 0) != (ssize_t)sizeof(page) ||
	    page.size != sizeof(page)) {
		fputs("counters PID NAME...: there are none\n", stderr);
		return 1;
	}
	for (int i = 2; i < argc; i++)
		print(argv[i], &page.counters);
	puts("");
	return 0;
}
