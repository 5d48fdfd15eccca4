/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * docker-proxy, as dockerd starts it: one process for each port, protocol and family.
 *
 * Descriptor 3 is a pipe on which dockerd waits for one word: "0\n" when the port is bound, "1\n" and the
 * reason, in Docker's words, when it could not be. It reads once, so the word is one write. Signals are blocked
 * before it is said, and wait for the loop: whoever has read it may send them. Where descriptor 3 is something
 * else, somebody has started this by hand, and is told on standard error.
 *
 * The port is bound first, whatever the configuration says. With docker-proxy.kernel it is then published by rules
 * (docker_rules.h) before the word is said, so that the first client comes by them. Where that fails it is forwarded
 * as if it had not been asked for; but a port that is published by another is taken.
 */
#include "tools.h"

#include "docker_rules.h"

#include "portpub/config_file.h"
#include "portpub/descriptors.h"
#include "portpub/forwarder.h"
#include "portpub/go_flags.h"
#include "portpub/listen.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <syslog.h>
#include <unistd.h>

#ifndef PORTPUB_VERSION
#error "the Makefile gives the version"
#endif

enum { STATUS_FD = 3, LISTEN_FD = 4, USAGE = 2 };

struct arguments {
	const char *protocol, *host_address, *container_address;
	int host_port, container_port;
	bool use_listen_fd, version;
};

struct proxy {
	enum pp_protocol protocol;
	struct pp_address host;
	struct pp_target target;
	uint16_t host_port, container_port;
	bool use_listen_fd;
};

/* Who carries: a keeper, or a forwarder. */
struct carrier {
	struct pp_stay stay;
	bool kept;
	struct pp_forwarder *forwarder;
	struct pp_counters counters;
};

static enum pp_go_flags_result read_arguments(int argc, char **argv, struct arguments *arguments,
					      struct pp_error *err)
{
	struct pp_go_flag flags[] = {
		{ "proto", "tcp, udp or sctp", &arguments->protocol, NULL, NULL },
		{ "host-ip", "address of this host", &arguments->host_address, NULL, NULL },
		{ "host-port", "port of this host; 0 is a free one", NULL, &arguments->host_port, NULL },
		{ "container-ip", "address of the container", &arguments->container_address, NULL, NULL },
		{ "container-port", "port of the container", NULL, &arguments->container_port, NULL },
		{ "use-listen-fd", "descriptor 4 is the host's socket", NULL, NULL,
		  &arguments->use_listen_fd },
		{ "v", "print the version", NULL, NULL, &arguments->version },
		{ "version", "the same", NULL, NULL, &arguments->version },
		{ 0 },
	};
	enum pp_go_flags_result result = pp_go_flags_read(flags, argc, argv, err);

	if (result == PP_GO_FLAGS_WRONG)
		fprintf(stderr, "docker-proxy: %s\n", err->message);
	if (result != PP_GO_FLAGS_READ) {
		fputs("usage: docker-proxy -proto PROTOCOL -host-ip ADDRESS -host-port PORT "
		      "-container-ip ADDRESS -container-port PORT [-use-listen-fd]\n",
		      stderr);
		for (const struct pp_go_flag *flag = flags; flag->name; flag++)
			fprintf(stderr, "  -%-15s %s\n", flag->name, flag->help);
	}
	return result;
}

static int read_address(const char *text, const char *name, struct pp_address *out, struct pp_error *err)
{
	char shown[64];

	if (pp_address_parse(text, strlen(text), out))
		return 0;
	pp_show(shown, sizeof(shown), text, strlen(text));
	return pp_fail(err, EINVAL, "%s: %s is not an IP address", name, shown);
}

static int read_port(int number, const char *name, int least, uint16_t *out, struct pp_error *err)
{
	if (number < least || number > UINT16_MAX)
		return pp_fail(err, EINVAL, "%s: %d is not a port", name, number);
	*out = (uint16_t)number;
	return 0;
}

static int understand(const struct arguments *arguments, struct proxy *proxy, struct pp_error *err)
{
	struct pp_address container = { 0 };
	char shown[64];
	int ret;

	pp_show(shown, sizeof(shown), arguments->protocol, strlen(arguments->protocol));
	if (!pp_protocol_parse(arguments->protocol, strlen(arguments->protocol), &proxy->protocol))
		return pp_fail(err, EINVAL, "unsupported protocol %s", shown);
	ret = read_address(arguments->host_address, "host-ip", &proxy->host, err);
	if (ret == 0)
		ret = read_address(arguments->container_address, "container-ip", &container, err);
	if (ret == 0)
		ret = read_port(arguments->host_port, "host-port", 0, &proxy->host_port, err);
	if (ret == 0)
		ret = read_port(arguments->container_port, "container-port", 1, &proxy->container_port, err);
	if (ret < 0)
		return ret;
	*(container.family == AF_INET ? &proxy->target.ipv4 : &proxy->target.ipv6) = container;
	proxy->use_listen_fd = arguments->use_listen_fd;
	return 0;
}

/* dockerd is at the other end of descriptor 3; it must not be inherited by anything. */
static bool has_status_pipe(void)
{
	struct stat st;

	return fstat(STATUS_FD, &st) == 0 && (S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode));
}

/* Where dockerd has given up, it does not know of us, and would never end us: false then. */
static bool answer(bool ready, const struct pp_error *err)
{
	char line[PP_ERROR_LINE], text[PP_ERROR_LINE + 2];
	int len = ready ? snprintf(text, sizeof(text), "0\n")
			: snprintf(text, sizeof(text), "1\n%s", pp_error_line(err, line));
	bool told = write(STATUS_FD, text, (size_t)len) == len;

	close(STATUS_FD);
	return told;
}

static int listen_for(const struct proxy *proxy, int *fd, struct pp_error *err)
{
	static const struct pp_networks everybody = PP_NETWORKS_INIT;

	if (!proxy->use_listen_fd)
		return pp_listen(proxy->protocol, &proxy->host, proxy->host_port, &everybody, fd, err);
	if (fcntl(LISTEN_FD, F_GETFD) < 0) /* or else it would be the next that we open ourselves */
		return pp_fail(err, EBADF, "descriptor %d is not open", LISTEN_FD);
	*fd = LISTEN_FD;
	return 0;
}

static int forward(const struct proxy *proxy, int fd, struct carrier *carrier, struct pp_error *err)
{
	int ret = pp_forwarder_new(&pp_limits_default, &carrier->counters, &carrier->forwarder, err);

	if (ret == 0)
		ret = pp_forwarder_add(carrier->forwarder, fd, proxy->protocol, &proxy->target,
				       proxy->container_port, err);
	return ret;
}

/* Under dockerd, whose proxies have no standard error, in the system's log. */
static void complain(const struct pp_error *err, bool has_dockerd)
{
	char line[PP_ERROR_LINE];

	fprintf(stderr, "docker-proxy: %s\n", pp_error_line(err, line));
	if (has_dockerd)
		syslog(LOG_DAEMON | LOG_WARNING, "docker-proxy: %s", line);
}

/* In words that have those which people look for. */
static int fail_taken(struct pp_error *err)
{
	char words[sizeof(err->message)];

	snprintf(words, sizeof(words), "%s", err->message);
	return pp_fail(err, EADDRINUSE, "address already in use: %.*s", (int)sizeof(words) - 32, words);
}

static int make_rules(const struct proxy *proxy, int fd, bool has_dockerd, struct carrier *carrier,
		      struct pp_error *err)
{
	int ret = docker_rules_publish(&carrier->stay, fd, proxy->protocol, &proxy->target,
				       proxy->container_port, &carrier->kept, err);

	if (ret == -EADDRINUSE)
		return fail_taken(err);
	if (ret < 0)
		complain(err, has_dockerd);
	return 0;
}

static int start(const struct proxy *proxy, bool has_dockerd, struct carrier *carrier, struct pp_error *err)
{
	struct pp_config config;
	int fd = -1, ret = pp_config_load(&config, err);

	if (ret == 0)
		ret = listen_for(proxy, &fd, err);
	if (ret < 0)
		return ret;
	if (config.docker_proxy_kernel)
		ret = make_rules(proxy, fd, has_dockerd, carrier, err);
	if (ret == 0 && !carrier->kept) {
		ret = forward(proxy, fd, carrier, err);
		if (ret == 0)
			return 0; /* it is the forwarder's */
	}
	close(fd);
	return ret;
}

/* After the word; @told: dockerd knows of us. */
static int carry(struct carrier *carrier, bool told, struct pp_error *err)
{
	const struct pp_ending ending = { 0 };

	if (!told && carrier->kept)
		pp_stay_end(&carrier->stay, NULL, err);
	if (!told)
		return pp_fail(err, EPIPE, "dockerd has given up");
	return carrier->kept ? pp_stay(&carrier->stay, &ending, NULL, err)
			     : pp_forwarder_run(carrier->forwarder, &ending, err);
}

static int run(const struct arguments *arguments)
{
	bool has_dockerd = has_status_pipe(), told;
	struct carrier carrier = { 0 };
	struct proxy proxy = { 0 };
	struct pp_error err;
	int ret;

	if (has_dockerd && fcntl(STATUS_FD, F_SETFD, FD_CLOEXEC) < 0)
		return 1;
	signal(SIGPIPE, SIG_IGN); /* of the status pipe */
	pp_forwarder_block_signals();
	pp_descriptors_raise(); /* as the original does */
	ret = understand(arguments, &proxy, &err);
	pp_stay_init(&carrier.stay);
	if (ret == 0)
		ret = start(&proxy, has_dockerd, &carrier, &err);
	told = !has_dockerd || answer(ret == 0, &err);
	if (ret == 0)
		ret = carry(&carrier, told, &err);
	if (ret < 0)
		complain(&err, false);
	pp_forwarder_free(carrier.forwarder);
	pp_stay_fini(&carrier.stay);
	return ret < 0 ? 1 : 0;
}

int tool_docker_proxy(int argc, char **argv)
{
	struct arguments arguments = { "tcp", "0.0.0.0", "0.0.0.0", -1, -1, false, false };
	struct pp_error err;

	switch (read_arguments(argc, argv, &arguments, &err)) {
	case PP_GO_FLAGS_HELP:
		return 0;
	case PP_GO_FLAGS_WRONG:
		return USAGE;
	case PP_GO_FLAGS_READ:
		break;
	}
	if (arguments.version) {
		puts("docker-proxy (portpub) " PORTPUB_VERSION);
		return 0;
	}
	return run(&arguments);
}
