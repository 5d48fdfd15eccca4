/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub targets: the containers of this host, and what they listen on. */
#include "targets.h"

#include "answer.h"
#include "portpub/process.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* The processes of all sockets, container after container, in the order of the lists. NULL: not known. */
static struct pp_process *find_processes(const struct pp_containers *list)
{
	struct pp_process *processes;
	uint32_t *inodes;
	size_t count = 0;

	for (size_t i = 0; i < list->count; i++)
		count += list->items[i].sockets.count;
	inodes = calloc(count + 1, sizeof(*inodes));
	processes = calloc(count + 1, sizeof(*processes));
	if (inodes && processes) {
		count = 0;
		for (size_t i = 0; i < list->count; i++) {
			for (size_t s = 0; s < list->items[i].sockets.count; s++)
				inodes[count++] = list->items[i].sockets.items[s].inode;
		}
		pp_processes_of_sockets(inodes, count, processes);
	} else {
		free(processes);
		processes = NULL;
	}
	free(inodes);
	return processes;
}

enum { NAME_COLUMNS = 20, LISTENER_TEXT = PP_ADDRESS_TEXT + 96 };

/* "80/tcp nginx (pid 811)", "10.0.0.2:80/tcp", "[::]:80/tcp": an address only where there is one to tell. */
static void format_listener(const struct pp_socket *socket, const struct pp_process *process,
			    char out[static LISTENER_TEXT])
{
	char address[PP_ADDRESS_TEXT], place[PP_ADDRESS_TEXT + sizeof("[]:")] = "";

	pp_address_format(&socket->address, address);
	if (socket->address.family == AF_INET6)
		snprintf(place, sizeof(place), "[%s]:", address);
	else if (socket->address.family == AF_INET)
		snprintf(place, sizeof(place), "%s:", address);
	snprintf(out, LISTENER_TEXT, "%s%u/%s", place, socket->port, pp_protocol_name(socket->protocol));
	if (process && process->pid)
		snprintf(out + strlen(out), LISTENER_TEXT - strlen(out), " %s (pid %d)", process->name,
			 (int)process->pid);
}

static void format_lead(const struct pp_container *container, char name[static NAME_COLUMNS + 1],
			char pid[static 16])
{
	pp_show(name, NAME_COLUMNS + 1, container->name, strlen(container->name));
	snprintf(pid, 16, container->pid ? "%d" : "-", (int)container->pid);
}

/* How wide each column must be for all containers. */
struct widths {
	int name, pid, address;
};

static void widen(int *width, const char *text)
{
	if ((int)strlen(text) > *width)
		*width = (int)strlen(text);
}

static struct widths measure(const struct pp_containers *list)
{
	struct widths widths = { sizeof("NAME") - 1, sizeof("PID") - 1, sizeof("ADDRESS") - 1 };
	char name[NAME_COLUMNS + 1], pid[16], address[PP_ADDRESS_TEXT];

	for (size_t i = 0; i < list->count; i++) {
		const struct pp_interface_addresses *addresses = &list->items[i].addresses;

		format_lead(&list->items[i], name, pid);
		widen(&widths.name, name);
		widen(&widths.pid, pid);
		for (size_t a = 0; a < addresses->count; a++)
			widen(&widths.address, pp_address_format(&addresses->items[a].address, address));
	}
	return widths;
}

static void print_row(const struct widths *widths, const char *name, const char *pid, const char *address,
		      const char *listener, FILE *out)
{
	if (listener[0])
		fprintf(out, "%-*s  %*s  %-*s  %s\n", widths->name, name, widths->pid, pid, widths->address,
			address, listener);
	else
		fprintf(out, "%-*s  %*s  %s\n", widths->name, name, widths->pid, pid, address);
}

/* As many lines as it takes for its addresses and its listeners, which have nothing to do with each other. */
static void print_container(const struct pp_container *container, const struct pp_process *processes,
			    const struct widths *widths, FILE *out)
{
	char name[NAME_COLUMNS + 1], pid[16], address[PP_ADDRESS_TEXT], listener[LISTENER_TEXT];
	size_t addresses = container->addresses.count, listeners = container->sockets.count;

	format_lead(container, name, pid);
	if (container->closed)
		print_row(widths, name, pid, "-", strerror(container->closed), out);
	else if (addresses == 0 && listeners == 0)
		print_row(widths, name, pid, "-", "", out);
	for (size_t i = 0; i < addresses || i < listeners; i++) {
		snprintf(address, sizeof(address), "%s", i == 0 ? "-" : "");
		if (i < addresses)
			pp_address_format(&container->addresses.items[i].address, address);
		listener[0] = '\0';
		if (i < listeners)
			format_listener(&container->sockets.items[i], processes ? &processes[i] : NULL,
					listener);
		print_row(widths, i == 0 ? name : "", i == 0 ? pid : "", address, listener, out);
	}
}

void targets_print(const struct pp_containers *list, FILE *out)
{
	struct pp_process *processes = find_processes(list);
	struct widths widths = measure(list);
	size_t done = 0;

	print_row(&widths, "NAME", "PID", "ADDRESS", "LISTENS ON", out);
	for (size_t i = 0; i < list->count; i++) {
		print_container(&list->items[i], processes ? &processes[done] : NULL, &widths, out);
		done += list->items[i].sockets.count;
	}
	free(processes);
}

/* jansson takes NULL for an error wherever a value belongs, so that only the whole has to be looked at. */

static json_t *addresses_to_json(const struct pp_interface_addresses *addresses)
{
	json_t *array = json_array();
	char text[PP_ADDRESS_TEXT];

	for (size_t i = 0; i < addresses->count; i++) {
		pp_address_format(&addresses->items[i].address, text);
		if (json_array_append_new(array, json_string(text)) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *socket_to_json(const struct pp_socket *socket, const struct pp_process *process)
{
	json_t *who = json_null();
	char address[PP_ADDRESS_TEXT];

	if (process->pid)
		who = json_pack("{s:s, s:i}", "name", process->name, "pid", (int)process->pid);
	return json_pack("{s:s, s:s, s:i, s:o}", "protocol", pp_protocol_name(socket->protocol), "address",
			 pp_address_format(&socket->address, address), "port", (int)socket->port, "process",
			 who);
}

static json_t *sockets_to_json(const struct pp_sockets *sockets, const struct pp_process *processes)
{
	json_t *array = json_array();

	for (size_t i = 0; i < sockets->count; i++) {
		if (json_array_append_new(array, socket_to_json(&sockets->items[i], &processes[i])) < 0) {
			json_decref(array);
			return NULL;
		}
	}
	return array;
}

static json_t *reachable_to_json(const struct pp_container *container)
{
	char ipv4[PP_ADDRESS_TEXT], ipv6[PP_ADDRESS_TEXT];
	struct pp_target target;

	if (!pp_container_target(container, NULL, &target))
		return json_null();
	pp_address_format(&target.ipv4, ipv4);
	pp_address_format(&target.ipv6, ipv6);
	return json_pack("{s:s?, s:s?}", "ipv4", ipv4[0] ? ipv4 : NULL, "ipv6", ipv6[0] ? ipv6 : NULL);
}

static json_t *container_to_json(const struct pp_container *container, const struct pp_process *processes)
{
	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:s?}", "name", container->name, "pid",
			 (int)container->pid, "addresses", addresses_to_json(&container->addresses),
			 "listening", sockets_to_json(&container->sockets, processes), "reachable",
			 reachable_to_json(container), "closed",
			 container->closed ? strerror(container->closed) : NULL);
}

static json_t *containers_to_json(const struct pp_containers *list, const struct pp_process *processes)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++) {
		if (json_array_append_new(array, container_to_json(&list->items[i], processes)) < 0) {
			json_decref(array);
			return NULL;
		}
		processes += list->items[i].sockets.count;
	}
	return array;
}

static int print_json(const struct pp_containers *list, struct pp_error *err)
{
	struct pp_process *processes = find_processes(list);
	json_t *root = processes ? containers_to_json(list, processes) : NULL;

	free(processes);
	return answer_print(root, err);
}

static void print_words(const struct pp_containers *list)
{
	if (list->count)
		targets_print(list, stdout);
	else
		puts("no containers");
	if (list->hidden)
		fputs("portpub: processes that may not be looked at, and their containers, are not listed\n",
		      stderr);
}

static int answer(bool json, struct pp_error *err)
{
	struct pp_containers list = PP_CONTAINERS_INIT;
	int ret = pp_containers_read(&list, err);

	if (ret == 0 && json)
		ret = print_json(&list, err);
	else if (ret == 0)
		print_words(&list);
	pp_containers_fini(&list);
	return ret;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_error err;
	bool json = false;
	int ret = cli_options(self, argc, argv, answer_take_option, &json, &err);

	if (ret == 0 && optind < argc)
		ret = pp_fail(&err, EINVAL, "targets takes no arguments");
	if (ret == 0)
		ret = answer(json, &err);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_targets = {
	.name = "targets",
	.synopsis = "[--json]",
	.summary = "List the containers of this host, and what they listen on",
	.options = answer_options,
	.run = run,
};
