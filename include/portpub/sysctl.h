/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Values under /proc/sys/net, of the network namespace that the calling thread is in.
 *
 * Names are paths ("net/ipv4/ip_forward"), because an interface may have dots in its name. Errors show them
 * as sysctl(8) takes them. A name that leads elsewhere is none.
 */
#ifndef PORTPUB_SYSCTL_H
#define PORTPUB_SYSCTL_H

#include "portpub/address.h"
#include "portpub/error.h"

enum { PP_SYSCTL_NAME = 96, PP_SYSCTL_VALUE = 32 };

/* As sysctl(8) takes it: with dots, unless a dot is part of an interface's name. Returns @out. */
const char *pp_sysctl_show(const char *name, char out[static PP_SYSCTL_NAME]);

/*
 * The name of what @key is for one interface: net/ipv4/conf/eth0.5/route_localnet for "route_localnet".
 * -EINVAL where @interface is no name of an interface; "all" and "default" are none.
 */
int pp_sysctl_of_interface(sa_family_t family, const char *interface, const char *key,
			   char out[static PP_SYSCTL_NAME], struct pp_error *err);

/*
 * The value without its line end. -ENOENT where the kernel has no such name (or no longer such an
 * interface), -EOVERFLOW where the value is longer, or what else the kernel says.
 */
int pp_sysctl_read(const char *name, char out[static PP_SYSCTL_VALUE], struct pp_error *err);

/*
 * -ENOENT, as above; -EROFS where /proc/sys is mounted read-only, as it is in most containers; -EACCES or
 * -EPERM; -EIO where the kernel does not take the value. The message names the command that would do it.
 */
int pp_sysctl_write(const char *name, const char *value, struct pp_error *err);

#endif
