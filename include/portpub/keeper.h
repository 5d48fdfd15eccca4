/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The process that keeps what one `add` has published: it holds the host ports, forwards what the kernel does not
 * take, and removes everything when the container ends, when the lease is over, or when it is told to.
 *
 *	portpub_keeping		begins one in the background, for pp_publish_add and pp_publish_del
 *	pp_keeper_main		is that process
 *	struct pp_stay		makes the calling process the keeper, for `run`
 */
#ifndef PORTPUB_KEEPER_H
#define PORTPUB_KEEPER_H

#include "portpub/forwarder.h"
#include "portpub/publish.h"

extern const struct pp_keeping pp_keeping_in_background;

/* By this name the program is a keeper; the rest of its arguments is between it and who starts it. */
#define PP_KEEPER_NAME "portpub-keeper"

/* Returns the status of the process. */
int pp_keeper_main(int argc, char **argv);

struct pp_keeper;

/* A pp_keeping for this process; after it has started, there is a keeper. */
struct pp_stay {
	struct pp_keeping keeping;
	struct pp_keeper *keeper;
	bool spares_connections; /* see struct pp_publisher */
};

void pp_stay_init(struct pp_stay *stay);

/*
 * Keep until a signal, the container's end or that of the lease; the `drain` of @ending is how long SIGTERM and
 * SIGINT let connections finish. Then everything is removed.
 */
int pp_stay(struct pp_stay *stay, const struct pp_ending *ending, const struct pp_report *report,
	    struct pp_error *err);

/* The same, now. */
int pp_stay_end(struct pp_stay *stay, const struct pp_report *report, struct pp_error *err);
void pp_stay_fini(struct pp_stay *stay);

#endif
