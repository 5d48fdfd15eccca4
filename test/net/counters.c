/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counters PID NAME...: what a forwarder has counted, in one line; two numbers are for the two ways. */
#include "portpub/counters.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define COUNTER(name)                                                                                        \
	{                                                                                                    \
#name, offsetof(struct pp_counters, name), sizeof(((struct pp_counters *)0)->name)           \
	}

static const struct {
	const char *name;
	size_t at, size;
} table[] = {
	COUNTER(size),      COUNTER(connections),    COUNTER(open),       COUNTER(refused),
	COUNTER(bytes),     COUNTER(flows),          COUNTER(flows_open), COUNTER(evicted),
	COUNTER(datagrams), COUNTER(datagram_bytes), COUNTER(lost),
};

/* The one descriptor of the process that is the page. */
static int find(const char *pid)
{
	static const char name[] = "/memfd:portpub-counters";
	char path[256], target[64];
	struct dirent *entry;
	int found = -1;
	DIR *list;

	snprintf(path, sizeof(path), "/proc/%s/fd", pid);
	list = opendir(path);
	while (list && found < 0 && (entry = readdir(list))) {
		ssize_t n = readlinkat(dirfd(list), entry->d_name, target, sizeof(target));

		if (n > (ssize_t)sizeof(name) && strncmp(target, name, sizeof(name) - 1) == 0)
			found = openat(dirfd(list), entry->d_name, O_RDONLY);
	}
	if (list)
		closedir(list);
	return found;
}

static void print(const char *name, const struct pp_counters *counters)
{
	for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
		const uint64_t *numbers = (const void *)((const char *)counters + table[i].at);

		if (strcmp(table[i].name, name) != 0)
			continue;
		printf(" %s %" PRIu64, name, numbers[0]);
		if (table[i].size > sizeof(numbers[0]))
			printf("/%" PRIu64, numbers[1]);
	}
}

int main(int argc, char **argv)
{
	struct pp_counters counters;
	int fd = argc > 2 ? find(argv[1]) : -1;

	if (fd < 0 || pread(fd, &counters, sizeof(counters), 0) != (ssize_t)sizeof(counters) ||
	    counters.size != sizeof(counters)) {
		fputs("counters PID NAME...: there are none\n", stderr);
		return 1;
	}
	for (int i = 2; i < argc; i++)
		print(argv[i], &counters);
	puts("");
	return 0;
}
