/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the machine's owner has said once for all commands, in lines `key = value`. */
#ifndef PORTPUB_CONFIG_H
#define PORTPUB_CONFIG_H

#include "portpub/plan.h"

struct pp_config {
	struct pp_address default_address; /* of publications that say none; AF_UNSPEC: every address */
	enum pp_via via;                   /* where the command line does not say */
	bool docker_proxy_kernel;          /* docker-proxy makes rules for its port, too */
};

enum { PP_CONFIG_MAX = 16384 };

/*
 * Read @text, which is @name's: that and the line stand in the error. A key that is not known, or given twice, is
 * one. Nothing is written to @out unless all of it is right; what @text does not say is as for an empty file.
 */
int pp_config_parse(const char *name, const char *text, size_t len, struct pp_config *out,
		    struct pp_error *err);

/* @list's publications that say no address get the one of @config. */
void pp_config_address(const struct pp_config *config, struct pp_publications *list);

#endif
