/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One stat() for each process, and no more than that for those of this host. A process stands for its
 * namespace: the first that is an init, for the container lives as long as that, else the first.
 *
 * The namespace of pid 1 is no container: where it is not our own, it is that of the machine we are on.
 */
#include "places.h"

#include "portpub/array.h"
#include "proc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pp_places_fini(struct pp_places *places)
{
	free(places->items);
	*places = PP_PLACES_INIT;
}

static struct pp_place *find_place(const struct pp_places *places, const struct stat *netns)
{
	for (size_t i = 0; i < places->count; i++) {
		if (places->items[i].ino == netns->st_ino && places->items[i].dev == netns->st_dev)
			return &places->items[i];
	}
	return NULL;
}

static bool add_place(struct pp_places *places, const struct pp_place *place)
{
	struct pp_place *items = pp_grown(places->items, places->count, &places->capacity, sizeof(*items));

	if (!items)
		return false;
	places->items = items;
	places->items[places->count++] = *place;
	return true;
}

/* "NSpid: 811 1": 1 in a pid namespace below ours. */
static bool is_init(int proc, pid_t pid)
{
	char text[4096];
	const char *line, *last;

	if (!pp_proc_read(proc, pid, "status", text, sizeof(text)))
		return false;
	line = strstr(text, "\nNSpid:");
	if (!line)
		return false;
	line += 1;
	text[(size_t)(line - text) + strcspn(line, "\n")] = '\0';
	last = strrchr(line, '\t');
	return last && strcmp(last, "\t1") == 0;
}

/* False when memory runs out. */
static bool place_process(int proc, pid_t pid, struct pp_places *places)
{
	struct stat netns;
	struct pp_place *place;
	char path[32];

	snprintf(path, sizeof(path), "%d/ns/net", (int)pid);
	if (fstatat(proc, path, &netns, 0) < 0) {
		places->hidden |= errno == EACCES || errno == EPERM;
		return true;
	}
	place = find_place(places, &netns);
	if (!place)
		return add_place(places, &(struct pp_place){ netns.st_dev, netns.st_ino, pid,
							     pid == 1 || is_init(proc, pid) });
	if (!place->by_init && is_init(proc, pid)) {
		place->pid = pid;
		place->by_init = true;
	}
	return true;
}

static bool walk(DIR *proc, struct pp_places *places)
{
	pid_t pid;

	while (pp_proc_next(proc, &pid)) {
		if (!place_process(dirfd(proc), pid, places))
			return false;
	}
	return true;
}

/* Home was put first; pid 1 is there to be found by those that share its namespace. */
static void drop_what_is_no_container(struct pp_places *places)
{
	size_t kept = 0;

	for (size_t i = 1; i < places->count; i++) {
		if (places->items[i].pid != 1)
			places->items[kept++] = places->items[i];
	}
	places->count = kept;
}

int pp_places_read(DIR *proc, const struct pp_home *home, struct pp_places *out, struct pp_error *err)
{
	const struct pp_place own = { home->dev, home->ino, 0, true };
	struct pp_places places = PP_PLACES_INIT;

	if (!add_place(&places, &own) || !walk(proc, &places)) {
		pp_places_fini(&places);
		return pp_fail(err, ENOMEM, "out of memory");
	}
	drop_what_is_no_container(&places);
	*out = places;
	return 0;
}
