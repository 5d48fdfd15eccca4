/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who may connect, as a filter in the kernel: packets of anybody else never reach the socket, as if they had
 * been dropped on their way. The host itself always may.
 */
#ifndef PORTPUB_FORWARD_FILTER_H
#define PORTPUB_FORWARD_FILTER_H

#include "portpub/network.h"

/* Make @fd deaf for all but @allow. -E2BIG when the kernel takes no filter as long as this one. */
int pp_filter_attach(int fd, const struct pp_networks *allow, struct pp_error *err);

#endif
