/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/listen.h"

#include "endpoint.h"
#include "filter.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* The kernel cuts it down to net.core.somaxconn. */
enum { AS_MANY_AS_MAY_WAIT = INT_MAX };

/* "tcp4 127.0.0.1:80", "udp6 [::1]:53", "tcp [::]:80" for both families. */
static void describe(enum pp_protocol protocol, const struct pp_address *address, uint16_t port, char *out,
		     size_t size)
{
	const char *version = address->family == AF_INET ? "4" : address->family == AF_INET6 ? "6" : "";
	char text[PP_ADDRESS_TEXT];

	pp_address_format(address, text);
	snprintf(out, size, address->family == AF_INET ? "%s%s %s:%u" : "%s%s [%s]:%u",
		 pp_protocol_name(protocol), version, address->family == AF_UNSPEC ? "::" : text, port);
}

/* The kernel's texts begin with a capital; these stand in the middle of a line. */
static int fail(struct pp_error *err, int code, const char *what, const char *call)
{
	const char *text = strerror(code);

	return pp_fail(err, code, "listen %s: %s: %c%s", what, call, tolower((unsigned char)text[0]),
		       text + 1);
}

static int open_socket(enum pp_protocol protocol, sa_family_t family)
{
	int type = protocol == PP_UDP ? SOCK_DGRAM : SOCK_STREAM;

	return socket(family == AF_INET ? AF_INET : AF_INET6, type | SOCK_NONBLOCK | SOCK_CLOEXEC,
		      protocol == PP_SCTP ? IPPROTO_SCTP : 0);
}

/*
 * A connection that has ended must not keep a port from being published again; two UDP sockets that share a
 * port take each other's datagrams, so there it is left out.
 */
static void set_options(int fd, enum pp_protocol protocol, sa_family_t family)
{
	int on = 1, ipv6_only = family != AF_UNSPEC;

	if (protocol != PP_UDP)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (family != AF_INET)
		(void)setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &ipv6_only, sizeof(ipv6_only));
}

static int fail_socket(struct pp_error *err, int code, const char *what, enum pp_protocol protocol)
{
	if (protocol != PP_SCTP || (code != EPROTONOSUPPORT && code != ESOCKTNOSUPPORT))
		return fail(err, code, what, "socket");
	return pp_fail(err, EPROTONOSUPPORT,
		       "listen %s: this kernel has no SCTP: modprobe sctp, if there is a module", what);
}

/* bind() says no more than that the argument is invalid. */
static int fail_bind(struct pp_error *err, int code, const char *what, const struct pp_address *address)
{
	if (code != EINVAL || pp_address_class(address) != PP_CLASS_LINK_LOCAL)
		return fail(err, code, what, "bind");
	return pp_fail(err, code,
		       "listen %s: a link-local address says nothing without its link, which cannot be "
		       "given: choose another address of this host, or every one",
		       what);
}

int pp_listen(enum pp_protocol protocol, const struct pp_address *address, uint16_t port,
	      const struct pp_networks *allow, int *out, struct pp_error *err)
{
	struct pp_endpoint endpoint = pp_endpoint_make(address, port);
	char what[PP_ADDRESS_TEXT + 32];
	int fd, ret = 0;

	describe(protocol, address, port, what, sizeof(what));
	fd = open_socket(protocol, address->family);
	if (fd < 0)
		return fail_socket(err, errno, what, protocol);
	set_options(fd, protocol, address->family);
	if (allow->count)
		ret = pp_filter_attach(fd, allow, err);
	if (ret == 0 && bind(fd, &endpoint.any, endpoint.length) < 0)
		ret = fail_bind(err, errno, what, address);
	if (ret == 0 && protocol != PP_UDP && listen(fd, AS_MANY_AS_MAY_WAIT) < 0)
		ret = fail(err, errno, what, "listen");
	if (ret < 0) {
		close(fd);
		return ret;
	}
	*out = fd;
	return 0;
}

int pp_listen_admit(int fd, const struct pp_networks *allow, struct pp_error *err)
{
	int none = 0;

	if (allow->count)
		return pp_filter_attach(fd, allow, err);
	if (setsockopt(fd, SOL_SOCKET, SO_DETACH_FILTER, &none, sizeof(none)) < 0 && errno != ENOENT)
		return pp_fail(err, errno, "cannot let everybody in: %s", strerror(errno));
	return 0;
}

static int option(int fd, int level, int name)
{
	int value = 0;
	socklen_t length = sizeof(value);

	return getsockopt(fd, level, name, &value, &length) < 0 ? -1 : value;
}

static bool find_protocol(int fd, enum pp_protocol *out)
{
	int number = option(fd, SOL_SOCKET, SO_PROTOCOL);

	*out = number == IPPROTO_UDP ? PP_UDP : number == IPPROTO_SCTP ? PP_SCTP : PP_TCP;
	return number == IPPROTO_UDP || number == IPPROTO_SCTP || number == IPPROTO_TCP;
}

bool pp_listen_look(int fd, enum pp_protocol *protocol, struct pp_address *address, uint16_t *port)
{
	struct pp_endpoint endpoint = { .length = sizeof(endpoint.in6) }, peer = endpoint;
	int family = option(fd, SOL_SOCKET, SO_DOMAIN);

	if ((family != AF_INET && family != AF_INET6) || !find_protocol(fd, protocol) ||
	    getsockname(fd, &endpoint.any, &endpoint.length) < 0 ||
	    getpeername(fd, &peer.any, &peer.length) == 0)
		return false;
	*address = pp_endpoint_address(&endpoint);
	*port = pp_endpoint_port(&endpoint);
	if (family == AF_INET6 && pp_address_is_any(address) && option(fd, IPPROTO_IPV6, IPV6_V6ONLY) == 0)
		address->family = AF_UNSPEC;
	return *port != 0 && (*protocol == PP_UDP || option(fd, SOL_SOCKET, SO_ACCEPTCONN) == 1);
}
