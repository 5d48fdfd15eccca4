/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * /etc/services is read once, at the first question, into a sorted table. getservbyport() would ask what
 * nsswitch.conf lists, a directory server perhaps, and read the file again for every port: a third of
 * the time of `explain 80:80`, and seconds for a long list. A name is for the eye; where there is no file
 * or no memory there is no name.
 */
#include "services.h"

#include "portpub/array.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct service {
	uint16_t port;
	enum pp_protocol protocol;
	char name[24];
};

static struct {
	struct service *items;
	size_t count, capacity;
	bool loaded;
} table;

static int compare(const void *left, const void *right)
{
	const struct service *a = left, *b = right;

	return a->port != b->port ? a->port - b->port : (int)a->protocol - (int)b->protocol;
}

static bool add(const struct service *service)
{
	struct service *items = pp_grown(table.items, table.count, &table.capacity, sizeof(*items));

	if (!items)
		return false;
	table.items = items;
	table.items[table.count++] = *service;
	return true;
}

/* "http  80/tcp  www  # WorldWideWeb HTTP" */
static bool parse(const char *line, struct service *out)
{
	char port[6], protocol[8];
	unsigned long number;

	if (sscanf(line, "%23[^# \t\n] %5[0-9]/%7[a-z]", out->name, port, protocol) != 3)
		return false;
	number = strtoul(port, NULL, 10);
	if (number > UINT16_MAX)
		return false;
	out->port = (uint16_t)number;
	return pp_protocol_parse(protocol, strlen(protocol), &out->protocol);
}

static void load(void)
{
	FILE *file = fopen("/etc/services", "re");
	struct service service;
	char line[512];

	table.loaded = true;
	if (!file)
		return;
	while (fgets(line, sizeof(line), file)) {
		if (parse(line, &service) && !add(&service))
			break;
	}
	fclose(file);
	qsort(table.items, table.count, sizeof(*table.items), compare);
}

const char *cli_service_name(uint16_t port, enum pp_protocol protocol)
{
	const struct service key = { .port = port, .protocol = protocol };
	const struct service *found;

	if (!table.loaded)
		load();
	found = table.count ? bsearch(&key, table.items, table.count, sizeof(key), compare) : NULL;
	return found ? found->name : NULL;
}
