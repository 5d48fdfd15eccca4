/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "docker_rules.h"

#include "portpub/kept.h"
#include "portpub/process.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static bool kernel_carries_any(const struct pp_request *request)
{
	struct pp_error ignored;
	struct pp_plan plan;
	bool any = false;

	if (pp_plan_make(&request->publications.items[0], request, &plan, &ignored) < 0)
		return false;
	for (size_t i = 0; i < plan.count; i++)
		any |= plan.ways[i].path == PP_PATH_KERNEL;
	return any;
}

/* "docker-tcp-192.0.2.1-8080"; of ::, since no id has a colon, "docker-tcp-__-8080". */
static void name_record(struct pp_record *record, const struct pp_held_port *held)
{
	char address[PP_ADDRESS_TEXT];

	pp_address_format(&held->address, address);
	for (char *c = address; *c; c++)
		*c = *c == ':' ? '_' : *c;
	snprintf(record->id, sizeof(record->id), "docker-%s%s%s-%u", pp_protocol_name(held->protocol),
		 address[0] ? "-" : "", address, held->port);
}

static int fill(struct pp_record *record, const struct pp_held_port *held, const struct pp_target *target,
		uint16_t port, struct pp_error *err)
{
	const struct pp_publication publication = { .protocol = held->protocol,
						    .address = held->address,
						    .host_port = held->port,
						    .container_port = port,
						    .count = 1 };

	name_record(record, held);
	snprintf(record->container, sizeof(record->container), "docker-proxy");
	record->request.target = *target;
	record->pid = getpid();
	record->pid_start = pp_process_start(getpid());
	record->pid_namespace = pp_kept_namespace();
	record->limits = pp_limits_default;
	return pp_publications_append(&record->request.publications, &publication, err);
}

static int copy_socket(int socket, struct pp_held *held, struct pp_error *err)
{
	int fd = fcntl(socket, F_DUPFD_CLOEXEC, 0), ret;

	if (fd < 0)
		return pp_fail(err, errno, "cannot copy the socket: %s", strerror(errno));
	ret = pp_held_append(held, fd, err);
	if (ret < 0)
		close(fd);
	return ret;
}

static int publish_held(struct pp_stay *stay, struct pp_held *held, const struct pp_target *target,
			uint16_t port, bool *kept, struct pp_error *err)
{
	struct pp_record record = { 0 };
	int ret = fill(&record, &held->items[0], target, port, err);

	if (ret == 0 && kernel_carries_any(&record.request)) {
		stay->keeping.held = held;
		ret = pp_publish_add(&record, true, &stay->keeping, NULL, err);
		stay->keeping.held = NULL;
		*kept = ret == 0;
	}
	pp_record_fini(&record);
	return ret;
}

static int publish(struct pp_stay *stay, int socket, enum pp_protocol protocol,
		   const struct pp_target *target, uint16_t port, bool *kept, struct pp_error *err)
{
	struct pp_held held = PP_HELD_INIT;
	int ret = copy_socket(socket, &held, err);

	if (ret == 0 && held.count && held.items[0].protocol == protocol)
		ret = publish_held(stay, &held, target, port, kept, err);
	pp_held_fini(&held);
	return ret;
}

int docker_rules_publish(struct pp_stay *stay, int socket, enum pp_protocol protocol,
			 const struct pp_target *target, uint16_t port, bool *kept, struct pp_error *err)
{
	struct pp_error ignored;
	int ret;

	*kept = false;
	stay->spares_connections = true;
	ret = publish(stay, socket, protocol, target, port, kept, err);
	if (ret != -EADDRINUSE || pp_publish_gc(&stay->keeping, NULL, &ignored) < 0)
		return ret;
	return publish(stay, socket, protocol, target, port, kept,
		       err); /* it may have been one that was killed */
}
