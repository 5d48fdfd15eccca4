/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A keeper is a forwarder whose loop waits for a few things more: changes of the rulesets (guard.c), and the end of its
 * container or of its lease (life.c). The latter ends the loop, as a signal does; afterwards everything is removed,
 * unless somebody else has done so, or has put another keeper in this one's place.
 *
 * A command that removes or replaces what is published ends the keeper, or retires it, by SIGUSR1. Then it has nothing to
 * remove, and must not wait for the lock, which that command has while it waits for the end of this one.
 */
#include "keep.h"

#include "guard.h"
#include "life.h"
#include "portpub/enter.h"
#include "portpub/interface.h"
#include "portpub/sandbox.h"

#include <errno.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct pp_keeper {
	char id[PP_ID_SIZE];
	uint32_t number;
	struct pp_kept kept;
	struct pp_publisher publisher;
	struct pp_forwarder *forwarder;
	struct life life;
	struct guard guard;
	struct pp_report report; /* of the guard */
	bool is_guarded;
	bool is_published;
};

/* The last that the guard has to say stands on the page. */
static void say(const char *line, void *data)
{
	struct pp_keeper *keeper = data;
	struct pp_kept_page *page = keeper->kept.page;

	snprintf(page->said, sizeof(page->said), "%s", line);
	page->anchor = (uint32_t)keeper->guard.anchor.number;
}

static void count_restored(void *data)
{
	struct pp_keeper *keeper = data;

	keeper->kept.page->restores++;
}

/* What is in the kernel stays there. */
static int begin_guard(struct pp_keeper *keeper, struct pp_error *err)
{
	struct guard_master master = { .report = &keeper->report,
				       .publisher = &keeper->publisher,
				       .id = keeper->id,
				       .restored = count_restored,
				       .data = keeper };
	int ret;

	keeper->report = (struct pp_report){ say, keeper };
	ret = guard_open(&keeper->guard, pp_forwarder_loop(keeper->forwarder), &master, false, err);
	keeper->is_guarded = ret == 0;
	return ret;
}

/* Where the kernel is insisted on, the sockets hold the ports, and no more. */
static int forward(struct pp_keeper *keeper, const struct pp_record *record, struct pp_held *held,
		   struct pp_error *err)
{
	const struct pp_request *request = &record->request;
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < held->count; i++) {
		struct pp_held_port *port = &held->items[i];
		uint16_t to = pp_held_leads_to(port, &request->publications);

		if (!to || port->fd < 0)
			continue;
		if (request->via == PP_VIA_KERNEL)
			ret = pp_forwarder_refuse(keeper->forwarder, port->fd, port->protocol, err);
		else
			ret = pp_forwarder_add(keeper->forwarder, port->fd, port->protocol, &request->target,
					       to, err);
		if (ret == 0)
			port->fd = -1;
	}
	return ret;
}

/*
 * The container's own address, asked for inside. Loopback is not meant unless it is said: what trusts 127.0.0.1
 * trusts the container's own processes, and not everybody who asks a port of this host.
 */
static int aim_inside(struct pp_target *target, struct pp_error *err)
{
	struct pp_interface_addresses list = PP_INTERFACE_ADDRESSES_INIT;
	int ret = pp_interface_addresses_read(&list, err);

	pp_interface_addresses_keep_offered(&list);
	for (size_t i = list.count; i-- > 0;) { /* the first of each family is what stays */
		const struct pp_address *address = &list.items[i].address;

		*(address->family == AF_INET ? &target->ipv4 : &target->ipv6) = *address;
	}
	pp_interface_addresses_fini(&list);
	if (ret < 0 || pp_target_is_known(target))
		return ret;
	return pp_fail(err, EADDRNOTAVAIL,
		       "the container has no address but loopback: say --to 127.0.0.1, or in the annotation "
		       "portpub.to, if what listens there may be open to its clients");
}

static int go_inside(struct pp_record *record, struct pp_error *err)
{
	struct pp_door door = PP_DOOR_INIT;
	int ret = pp_door_open(record->netns ? 0 : (pid_t)record->pid, record->netns, &door, err);

	if (ret == 0)
		ret = pp_door_enter(&door, err);
	pp_door_close(&door);
	if (ret < 0 || pp_target_is_known(&record->request.target))
		return ret;
	return aim_inside(&record->request.target, err);
}

static int begin(struct pp_keeper *keeper, struct pp_record *record, struct pp_held *held,
		 struct pp_error *err)
{
	int ret = pp_publisher_open(&keeper->publisher, pp_plan_makes_rules(&record->request), err);

	if (ret == 0 && record->request.inside) /* from here on new sockets are the container's */
		ret = go_inside(record, err);
	if (ret == 0)
		ret = pp_forwarder_new(&record->limits, &keeper->kept.page->counters, &keeper->forwarder,
				       err);
	if (ret == 0)
		ret = life_begin(&keeper->life, pp_forwarder_loop(keeper->forwarder), record, err);
	if (ret == 0 && pp_plan_makes_rules(&record->request))
		ret = begin_guard(keeper, err);
	if (ret == 0)
		ret = forward(keeper, record, held, err);
	return ret;
}

int keeper_new(struct pp_record *record, struct pp_held *held, const struct pp_kept *kept,
	       struct pp_keeper **out, struct pp_error *err)
{
	struct pp_keeper *keeper = calloc(1, sizeof(*keeper));
	int ret;

	if (!keeper)
		return pp_fail(err, ENOMEM, "out of memory");
	snprintf(keeper->id, sizeof(keeper->id), "%s", record->id);
	keeper->number = record->keeper;
	keeper->kept = *kept;
	keeper->publisher = PP_PUBLISHER_INIT;
	keeper->life = (struct life){ .process.fd = -1, .netns.fd = -1, .lease.fd = -1 };
	keeper->is_published = true;
	pp_forwarder_block_signals();
	pp_kept_begin(&keeper->kept);
	ret = begin(keeper, record, held, err);
	if (ret < 0) {
		keeper->kept = PP_KEPT_INIT; /* still the caller's */
		keeper_free(keeper);
		return ret;
	}
	*out = keeper;
	return 0;
}

void keeper_spare_connections(struct pp_keeper *keeper)
{
	keeper->publisher.spares_connections = true;
}

/* What waits in the loop goes before it. */
static void stop(struct pp_keeper *keeper)
{
	life_end(&keeper->life);
	if (keeper->is_guarded)
		guard_close(&keeper->guard);
	keeper->is_guarded = false;
	pp_forwarder_free(keeper->forwarder);
	keeper->forwarder = NULL;
}

void keeper_free(struct pp_keeper *keeper)
{
	if (!keeper)
		return;
	stop(keeper);
	pp_publisher_close(&keeper->publisher);
	pp_kept_close(&keeper->kept);
	free(keeper);
}

/* Whoever has begun it may have been killed before it could say so. */
static bool is_active(const struct pp_keeper *keeper)
{
	struct pp_record record = { 0 };
	struct pp_error ignored;
	int ret = pp_store_load(&keeper->publisher.store, PP_STAGE_ACTIVE, keeper->id, &record, &ignored);
	bool is_ours = ret == 0 && record.keeper == keeper->number;

	pp_record_fini(&record);
	return is_ours;
}

bool keeper_may_begin(struct pp_keeper *keeper, int leash)
{
	ssize_t len;
	char byte;

	do
		len = recv(leash, &byte, 1, 0);
	while (len < 0 && errno == EINTR);
	close(leash);
	keeper->is_published = len == 1 || is_active(keeper);
	return keeper->is_published;
}

/*
 * Everything that can be open is. What it opens later, to put rules back or to unpublish: its records, and what tells
 * which are its; the sysctls.
 */
int keeper_confine(struct pp_keeper *keeper, struct pp_error *err)
{
	const char *paths[] = { keeper->publisher.store.path, "/proc/sys/kernel/random/boot_id",
				"/proc/self/uid_map", "/proc/sys/net" };
	struct pp_sandbox_needs needs = { .admin = keeper->is_guarded,
					  .paths = paths,
					  .count = keeper->is_guarded ? sizeof(paths) / sizeof(paths[0])
								      : 1 };
	struct pp_sandbox sandbox = { 0 };
	int ret;

	malloc_trim(0); /* it may run for years */
	ret = pp_sandbox_enter(&needs, &sandbox, err);
	keeper->kept.page->sandbox = (sandbox.no_new_privs ? PP_KEPT_NO_NEW_PRIVS : 0) |
				     (sandbox.capabilities ? PP_KEPT_CAPABILITIES : 0) |
				     (sandbox.locked ? PP_KEPT_LOCKED : 0) |
				     (sandbox.landlock ? PP_KEPT_LANDLOCK : 0) |
				     (sandbox.seccomp ? PP_KEPT_SECCOMP : 0);
	return ret;
}

int keeper_end(struct pp_keeper *keeper, const struct pp_report *report, struct pp_error *err)
{
	if (keeper->is_published)
		return pp_publisher_end(&keeper->publisher, keeper->id, keeper->number, report, err);
	return pp_kept_drop(&keeper->publisher.store, keeper->id, keeper->number, err);
}

/* Somebody has removed what it keeps, and waits for its end. */
static volatile sig_atomic_t is_over;

static void hear(int signal, siginfo_t *info, void *context)
{
	(void)signal;
	(void)context;
	is_over |= info->si_code == SI_QUEUE && info->si_value.sival_int == PP_FORWARDER_END;
}

/*
 * Wait for the lock. Who has it may be that very command, so the signal gets through meanwhile. Returns whether there is
 * anything left to do.
 */
static bool wait_for_turn(struct pp_keeper *keeper)
{
	const struct sigaction action = { .sa_sigaction = hear, .sa_flags = SA_SIGINFO };
	struct pp_error ignored; /* who cannot wait here is told why when it unpublishes */
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigaction(SIGUSR1, &action, NULL);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	while (!is_over && pp_store_lock(&keeper->publisher.store, true, &ignored) == -EINTR)
		;
	sigprocmask(SIG_BLOCK, &set, NULL);
	return !is_over;
}

int keeper_run(struct pp_keeper *keeper, const struct pp_ending *ending, const struct pp_report *report,
	       struct pp_error *err)
{
	struct pp_error fault;
	int ret = pp_forwarder_run(keeper->forwarder, ending, err), ended;

	is_over = pp_forwarder_is_over(keeper->forwarder);
	stop(keeper); /* there may be no descriptors left to unpublish with */
	if (is_over || !wait_for_turn(keeper))
		return ret;
	ended = keeper_end(keeper, report, &fault);
	if (ret == 0 && ended < 0) {
		*err = fault;
		ret = ended;
	}
	return ret;
}
