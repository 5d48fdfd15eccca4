/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The file of the configuration: /etc/portpub.conf, or the one that PORTPUB_CONFIG names, which has to be there; where
 * that is empty there is none.
 */
#ifndef PORTPUB_CONFIG_FILE_H
#define PORTPUB_CONFIG_FILE_H

#include "portpub/config.h"

/* -EINVAL for what is written in it, and where; or why it cannot be read. */
int pp_config_load(struct pp_config *out, struct pp_error *err);

#endif
