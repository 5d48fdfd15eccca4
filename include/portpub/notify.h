/* SPDX-License-Identifier: GPL-2.0-or-later */
#ifndef PORTPUB_NOTIFY_H
#define PORTPUB_NOTIFY_H

/*
 * The socket of the service manager that has started us, to be opened before there is a sandbox, which has no way to it,
 * or another network namespace, which may not have it. -1 where there is none, or it does not listen.
 */
int pp_notify_open(void);

/* Tell it, as sd_notify(3) does: "READY=1", "STOPPING=1". With -1 nothing happens. */
void pp_notify(int manager, const char *state);

#endif
