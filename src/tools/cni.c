/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The CNI plugin, in the place of portmap: one process for each command, told by CNI_COMMAND.
 *
 * Theory of operation
 *
 * The environment says whose ports they are (network, container, interface), stdin which, and what the plugins before
 * have made of the container. The answer, or the error, is one JSON object on stdout; the exit status says which of the
 * two it is. What people should know is on stderr.
 *
 *	ADD	publishes by rules alone: no socket is bound, since runtimes do that themselves, before or after. What
 *		fails has changed nothing, and what cannot be answered is undone.
 *	DEL	unpublishes what the names of the environment have, whatever stdin says of it besides the network's name.
 *	CHECK	compares what should be there with records and kernel.
 *	GC	unpublishes what this network has and the runtime does not list.
 *	STATUS	puts back what somebody has flushed, and says whether that and another ADD would work.
 *
 * Runtimes start them at the same time, for the same container, too, and kill them: the lock, the records and what
 * finishes them are those of all commands (publish.h).
 */
#include "tools.h"

#include "portpub/attach.h"
#include "portpub/keeper.h"
#include "portpub/nft.h"
#include "portpub/route.h"

#include <errno.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#ifndef PORTPUB_VERSION
#error "the Makefile gives the version"
#endif

struct call {
	const struct command *command;
	struct pp_attachment attachment; /* by the environment; empty where the command has none */
	const char *netns;    /* the path of the container's network namespace, or NULL where there is none */
	uint64_t netns_inode; /* which one it is */
	struct pp_network_config config;
	struct pp_error err;
	const char *summary; /* the message, where that of err is the details; or NULL */
};

enum { NEEDS_CONTAINER = 1, NEEDS_NETNS = 2, NEEDS_INTERFACE = 4, NEEDS_PATH = 8 };

struct command {
	const char *name;
	int needs;
	const char *since; /* the version of the configuration */
	enum pp_cni_code (*run)(struct call *call);
};

__attribute__((format(printf, 1, 2))) static void warn(const char *format, ...)
{
	va_list args;

	fputs("portpub: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
}

static void say(const char *line, void *data)
{
	(void)data;
	warn("%s", line);
}

static const struct pp_report report = { say, NULL };

/* What publishing has failed with. */
static enum pp_cni_code code_of(const struct pp_error *err)
{
	switch (err->code) {
	case EINVAL:
		return PP_CNI_INVALID;
	case EBUSY:
	case EAGAIN:
		return PP_CNI_AGAIN;
	case EIO:
	case ENOSPC:
	case EROFS:
		return PP_CNI_IO;
	default:
		return PP_CNI_OTHER;
	}
}

/* The rules look for an interface only where the port is one of every address. */
static enum pp_cni_code check_interfaces(struct call *call, const struct pp_request *request)
{
	char text[PP_PUBLICATION_TEXT];

	for (size_t i = 0; i < request->publications.count; i++) {
		const struct pp_publication *publication = &request->publications.items[i];
		bool ipv6 = publication->address.family == AF_INET6;

		if (pp_address_is_any(&publication->address) || !request->only[ipv6].interface[0])
			continue;
		pp_fail(&call->err, EINVAL,
			"conditionsV%c -i %s cannot be kept to for %s, which has a hostIP", ipv6 ? '6' : '4',
			request->only[ipv6].interface, pp_publication_format(publication, text));
		return PP_CNI_UNSUPPORTED;
	}
	return PP_CNI_DONE;
}

/* The ports that the container has an address for. */
static enum pp_cni_code select_ports(struct call *call, struct pp_request *request)
{
	struct pp_publications *list = &request->publications;
	char text[PP_PUBLICATION_TEXT];
	size_t kept = 0;

	for (size_t i = 0; i < list->count; i++) {
		const struct pp_publication *publication = &list->items[i];
		enum pp_address_class class = pp_address_class(&publication->address);
		sa_family_t family = publication->address.family;

		if (class == PP_CLASS_LINK_LOCAL || (class == PP_CLASS_LOOPBACK && family == AF_INET6)) {
			pp_fail(&call->err, EINVAL,
				"%s: hostIP: the kernel does not route %s to a container, "
				"and a CNI plugin leaves nobody behind who would carry it",
				pp_publication_format(publication, text),
				class == PP_CLASS_LOOPBACK ? "::1" : "link-local addresses");
			return PP_CNI_INVALID;
		}
		if (family == AF_UNSPEC || pp_target_of(&request->target, family)->family != AF_UNSPEC)
			list->items[kept++] = *publication;
	}
	list->count = kept;
	return check_interfaces(call, request);
}

/* An address that this host has no way to is none, today. */
static void leave_out_unreachable(struct pp_target *target)
{
	struct pp_address *addresses[] = { &target->ipv4, &target->ipv6 };
	char interface[IF_NAMESIZE];
	struct pp_error why;

	for (size_t f = 0; f < 2; f++) {
		if (addresses[f]->family == AF_UNSPEC ||
		    pp_address_class(addresses[f]) == PP_CLASS_LOOPBACK ||
		    pp_route_interface(addresses[f], interface, &why) == 0)
			continue;
		warn("%s: nothing is published for it", why.message);
		*addresses[f] = (struct pp_address){ 0 };
	}
}

/* What should be published, with nothing in it where that is nothing. */
static enum pp_cni_code make_record(struct call *call, struct pp_record *out)
{
	struct pp_network_config *config = &call->config;
	struct pp_request *request = &out->request;
	enum pp_cni_code code = pp_network_config_target(config, call->attachment.interface, &request->target,
							 &call->err);

	if (code != PP_CNI_DONE)
		return code;
	out->attachment = pp_attachment_copy(&call->attachment);
	out->netns = call->netns ? strdup(call->netns) : NULL;
	out->netns_inode = call->netns_inode;
	if (!out->attachment || (call->netns && !out->netns)) {
		pp_fail(&call->err, ENOMEM, "out of memory");
		return PP_CNI_OTHER;
	}
	pp_attachment_id(out->attachment, out->id);
	request->publications = config->publications;
	config->publications = PP_PUBLICATIONS_INIT;
	request->no_keeper = true;
	request->masquerade = config->masquerade;
	for (size_t f = 0; f < 2; f++)
		request->only[f] = config->only[f];
	leave_out_unreachable(&request->target);
	code = select_ports(call, request);
	if (!pp_target_is_known(&request->target)) {
		warn("the container has no address in prevResult that this host reaches: "
		     "no port is published");
		request->publications.count = 0;
	}
	return code;
}

static enum pp_cni_code read_ports(struct call *call, const char *without_result)
{
	struct pp_network_config *config = &call->config;
	enum pp_cni_code code = pp_network_config_read_ports(config, &call->err);

	if (code != PP_CNI_DONE)
		return code;
	for (size_t i = 0; i < config->ignored_count; i++)
		warn("%s is of the iptables plugin, and means nothing here", config->ignored[i]);
	if (config->previous)
		return PP_CNI_DONE;
	pp_fail(&call->err, EINVAL, "%s", without_result);
	return PP_CNI_OTHER;
}

static enum pp_cni_code print_result(struct call *call)
{
	char *text = pp_network_config_result(&call->config);

	if (text)
		puts(text);
	free(text);
	if (text && fflush(stdout) == 0 && !ferror(stdout))
		return PP_CNI_DONE;
	pp_fail(&call->err, EIO, "cannot write the result");
	return PP_CNI_IO;
}

/* There may be nothing left of what was published before. */
static enum pp_cni_code publish(struct call *call, struct pp_record *record)
{
	struct pp_record before = { 0 };
	struct pp_error ignored;
	enum pp_cni_code code;
	int ret = record->request.publications.count ? 0
						     : pp_attach_load(&call->attachment, &before, &ignored);

	pp_record_fini(&before);
	if (ret == -ENOENT)
		return print_result(call);

	if (pp_attach(record, call->config.on_conflict, &pp_keeping_in_background, &report, &call->err) < 0)
		return code_of(&call->err);
	code = print_result(call);
	if (code != PP_CNI_DONE)
		pp_detach(&call->attachment, &pp_keeping_in_background, &report, &ignored);
	return code;
}

static enum pp_cni_code run_add(struct call *call)
{
	struct pp_record record = { 0 };
	enum pp_cni_code code = read_ports(call, "must be called as chained plugin");

	if (code != PP_CNI_DONE)
		return code;
	if (!call->config.publications.count)
		return print_result(call);
	code = make_record(call, &record);
	if (code == PP_CNI_DONE)
		code = publish(call, &record);
	pp_record_fini(&record);
	return code;
}

static enum pp_cni_code run_del(struct call *call)
{
	return pp_detach(&call->attachment, &pp_keeping_in_background, &report, &call->err) < 0
		       ? code_of(&call->err)
		       : PP_CNI_DONE;
}

/* Lines of what is wrong: the first ones, as many as there is room for. */
struct lines {
	struct pp_error *err;
	size_t count;
};

static void add_line(const char *line, void *data)
{
	struct lines *lines = data;
	char *message = lines->err->message;
	size_t used = lines->count ? strlen(message) : 0;

	snprintf(message + used, sizeof(lines->err->message) - used, "%s%s", used ? "; " : "", line);
	lines->count++;
}

static bool is_in(const struct pp_publication *publication, sa_family_t family,
		  const struct pp_publications *list)
{
	for (size_t i = 0; i < list->count; i++) {
		const struct pp_publication *other = &list->items[i];

		if ((other->address.family == AF_UNSPEC || other->address.family == family) &&
		    memcmp(other->address.bytes, publication->address.bytes, sizeof(other->address.bytes)) ==
			    0 &&
		    other->protocol == publication->protocol && other->host_port == publication->host_port &&
		    other->container_port == publication->container_port)
			return true;
	}
	return false;
}

/* Is each port of @a, by each family that the container has, one of @b, or one that it waits for? */
static void compare_ports(const struct pp_record *a, const struct pp_record *b, const char *what,
			  struct lines *lines)
{
	char text[PP_PUBLICATION_TEXT], line[PP_PUBLICATION_TEXT + 64];

	for (size_t i = 0; i < a->request.publications.count; i++) {
		const struct pp_publication *publication = &a->request.publications.items[i];

		for (size_t f = 0; f < 2; f++) {
			sa_family_t family = pp_families[f], own = publication->address.family;

			if ((own != AF_UNSPEC && own != family) ||
			    pp_target_of(&a->request.target, family)->family == AF_UNSPEC ||
			    is_in(publication, family, &b->request.publications) ||
			    is_in(publication, family, &b->attachment->waiting))
				continue;
			snprintf(line, sizeof(line), "%s %s", pp_publication_format(publication, text), what);
			add_line(line, lines);
			break;
		}
	}
}

static void compare(const struct pp_record *wanted, const struct pp_record *there, struct lines *lines)
{
	const struct pp_target *a = &wanted->request.target, *b = &there->request.target;

	if (pp_address_compare(&a->ipv4, &b->ipv4) != 0 || pp_address_compare(&a->ipv6, &b->ipv6) != 0)
		add_line("published for other addresses of the container", lines);
	compare_ports(wanted, there, "is not published", lines);
	compare_ports(there, wanted, "is published, and should not be", lines);
}

static enum pp_cni_code check_record(struct call *call, const struct pp_record *wanted)
{
	struct pp_record there = { 0 };
	struct lines lines = { &call->err, 0 };
	int ret = pp_attach_load(&call->attachment, &there, &call->err);

	if (ret == -ENOENT && wanted->request.publications.count == 0)
		return PP_CNI_DONE;
	if (ret < 0)
		return code_of(&call->err);
	compare(wanted, &there, &lines);
	pp_record_fini(&there);
	if (!lines.count && pp_publish_check(wanted->id, add_line, &lines, &call->err) < 0)
		return code_of(&call->err);
	return lines.count ? PP_CNI_OTHER : PP_CNI_DONE;
}

static enum pp_cni_code run_check(struct call *call)
{
	struct pp_record record = { 0 };
	enum pp_cni_code code = read_ports(call, "Required prevResult missing");

	if (code != PP_CNI_DONE || !call->config.publications.count)
		return code;
	code = make_record(call, &record);
	if (code == PP_CNI_DONE)
		code = check_record(call, &record);
	pp_record_fini(&record);
	return code;
}

struct collection {
	const json_t *valid;
	struct lines lines;
};

static bool is_valid(const struct pp_attachment *attachment, void *data)
{
	const struct collection *collection = data;

	return pp_network_config_has(collection->valid, attachment->container, attachment->interface);
}

static void add_failure(const struct pp_error *err, void *data)
{
	struct collection *collection = data;

	add_line(err->message, &collection->lines);
	warn("%s", err->message); /* of those for which there is no room in the answer, too */
}

static enum pp_cni_code run_gc(struct call *call)
{
	struct pp_error all = { 0 };
	struct collection collection = { .lines = { &all, 0 } };
	json_t *valid;
	enum pp_cni_code code = pp_network_config_valid(&call->config, &valid, &call->err);

	if (code != PP_CNI_DONE)
		return code;
	if (!valid) {
		warn("cni.dev/valid-attachments is missing: nothing is collected");
		return PP_CNI_DONE;
	}
	collection.valid = valid;
	if (pp_detach_others(call->config.name, is_valid, add_failure, &collection, &pp_keeping_in_background,
			     &report, &call->err) < 0)
		code = code_of(&call->err);
	if (collection.lines.count)
		snprintf(call->err.message, sizeof(call->err.message), "%s", all.message);
	json_decref(valid);
	return code;
}

static enum pp_cni_code run_status(struct call *call)
{
	struct pp_restored restored;
	struct lines lines = { &call->err, 0 };
	struct pp_error ignored;
	struct pp_nft nft = PP_NFT_INIT;
	int ret = pp_nft_open(&nft, &call->err);

	pp_nft_close(&nft);
	if (ret == 0)
		ret = pp_publish_check(NULL, add_line, &lines, &call->err);
	if (ret == 0 && lines.count &&
	    pp_publish_restore(&restored, &pp_keeping_in_background, &report, &ignored) == 0) {
		lines.count = 0;
		ret = pp_publish_check(NULL, add_line, &lines, &call->err);
	}
	if (ret < 0)
		return PP_CNI_UNAVAILABLE;
	return lines.count ? PP_CNI_LIMITED : PP_CNI_DONE;
}

static const struct command commands[] = {
	{ "ADD", NEEDS_CONTAINER | NEEDS_NETNS | NEEDS_INTERFACE | NEEDS_PATH, "0.1.0", run_add },
	{ "DEL", NEEDS_CONTAINER | NEEDS_INTERFACE | NEEDS_PATH, "0.1.0", run_del },
	{ "CHECK", NEEDS_CONTAINER | NEEDS_NETNS | NEEDS_INTERFACE | NEEDS_PATH, "0.4.0", run_check },
	{ "GC", NEEDS_PATH, "1.1.0", run_gc },
	{ "STATUS", NEEDS_PATH, "1.1.0", run_status },
};

static enum pp_cni_code fail_environment(struct call *call, const char *message)
{
	pp_fail(&call->err, EINVAL, "%s", message);
	return PP_CNI_ENVIRONMENT;
}

static const char *variable(const char *name)
{
	const char *value = getenv(name);

	return value ? value : "";
}

static enum pp_cni_code find_missing(struct call *call)
{
	static const struct {
		int need;
		const char *name;
	} variables[] = { { NEEDS_CONTAINER, "CNI_CONTAINERID" },
			  { NEEDS_NETNS, "CNI_NETNS" },
			  { NEEDS_INTERFACE, "CNI_IFNAME" },
			  { NEEDS_PATH, "CNI_PATH" } };
	char missing[128] = "";
	size_t used = 0;

	for (size_t i = 0; i < sizeof(variables) / sizeof(variables[0]); i++) {
		if ((call->command->needs & variables[i].need) && !variable(variables[i].name)[0])
			used += (size_t)snprintf(missing + used, sizeof(missing) - used, "%s%s",
						 used ? "," : "", variables[i].name);
	}
	if (!used)
		return PP_CNI_DONE;
	pp_fail(&call->err, EINVAL, "required env variables [%s] missing", missing);
	return PP_CNI_ENVIRONMENT;
}

static enum pp_cni_code check_interface(struct call *call, const char *name)
{
	if (strlen(name) >= IF_NAMESIZE)
		return fail_environment(call, "interface name is too long");
	if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
		return fail_environment(call, "interface name is . or ..");
	if (strpbrk(name, "/: \t\n\v\f\r"))
		return fail_environment(call, "interface name contains / or : or whitespace characters");
	return PP_CNI_DONE;
}

static enum pp_cni_code read_names(struct call *call)
{
	const char *container = variable("CNI_CONTAINERID"), *interface = variable("CNI_IFNAME");
	struct pp_attachment *attachment = &call->attachment;
	enum pp_cni_code code;

	if (!(call->command->needs & NEEDS_CONTAINER))
		return PP_CNI_DONE;
	if (!pp_attachment_is_name(container))
		return fail_environment(call, "invalid characters in containerID");
	code = check_interface(call, interface);
	if (code != PP_CNI_DONE)
		return code;
	snprintf(attachment->container, sizeof(attachment->container), "%s", container);
	snprintf(attachment->interface, sizeof(attachment->interface), "%s", interface);
	return PP_CNI_DONE;
}

static enum pp_cni_code read_environment(struct call *call)
{
	const char *name = variable("CNI_COMMAND");
	enum pp_cni_code code;
	char shown[64];

	for (size_t i = 0; i < sizeof(commands) / sizeof(commands[0]); i++) {
		if (strcmp(commands[i].name, name) == 0)
			call->command = &commands[i];
	}
	if (!call->command) {
		pp_show(shown, sizeof(shown), name, strlen(name));
		pp_fail(&call->err, EINVAL, "unknown CNI_COMMAND: %s", shown);
		return PP_CNI_ENVIRONMENT;
	}
	code = find_missing(call);
	return code == PP_CNI_DONE ? read_names(call) : code;
}

/* The container's network namespace: which it is, if it is there, and that it is not ours. */
static enum pp_cni_code look_at_netns(struct call *call)
{
	const char *path = variable("CNI_NETNS");
	struct stat theirs, ours;

	if (!(call->command->needs & NEEDS_NETNS) || stat(path, &theirs) < 0)
		return PP_CNI_DONE;
	if (stat("/proc/self/ns/net", &ours) == 0 && theirs.st_dev == ours.st_dev &&
	    theirs.st_ino == ours.st_ino) {
		pp_fail(&call->err, EINVAL, "plugin's netns and netns from CNI_NETNS should not be the same");
		return PP_CNI_NETNS;
	}
	call->netns = path;
	call->netns_inode = theirs.st_ino;
	return PP_CNI_DONE;
}

/* All of it, or one byte more than is taken. */
static enum pp_cni_code read_stdin(struct call *call, char **text, size_t *len)
{
	size_t capacity = 0;
	ssize_t got;

	*text = NULL;
	*len = 0;
	do {
		char *grown = *len + 1 >= capacity ? realloc(*text, capacity = 2 * capacity + 16384) : *text;

		if (!grown) {
			pp_fail(&call->err, ENOMEM, "out of memory");
			return PP_CNI_OTHER;
		}
		*text = grown;
		got = read(STDIN_FILENO, *text + *len, capacity - *len);
		if (got > 0)
			*len += (size_t)got;
	} while (*len <= PP_JSON_MAX && (got > 0 || (got < 0 && errno == EINTR)));
	if (got >= 0)
		return PP_CNI_DONE;
	pp_fail(&call->err, EIO, "cannot read stdin: %s", strerror(errno));
	return PP_CNI_IO;
}

static enum pp_cni_code read_config(struct call *call)
{
	enum pp_cni_code code;
	size_t len;
	char *text;

	code = read_stdin(call, &text, &len);
	if (code == PP_CNI_DONE)
		code = pp_network_config_read(text, len, &call->config, &call->err);
	free(text);
	if (code == PP_CNI_VERSION)
		call->summary = "incompatible CNI versions";
	if (code != PP_CNI_DONE)
		return code;
	snprintf(call->attachment.network, sizeof(call->attachment.network), "%s", call->config.name);
	if (pp_network_config_is_since(&call->config, call->command->since))
		return PP_CNI_DONE;
	pp_fail(&call->err, EINVAL, "config version does not allow %s", call->command->name);
	return PP_CNI_VERSION;
}

static enum pp_cni_code run(struct call *call)
{
	enum pp_cni_code code = read_environment(call);

	if (code == PP_CNI_DONE)
		code = read_config(call);
	if (code == PP_CNI_DONE)
		code = look_at_netns(call);
	return code == PP_CNI_DONE ? call->command->run(call) : code;
}

static void print_error(const struct call *call, enum pp_cni_code code)
{
	const struct pp_error *err = &call->err;
	char words[PP_ERROR_LINE], *text;
	json_t *object;

	pp_error_line(err, words);
	object = json_pack("{s:s, s:i, s:s, s:s}", "cniVersion",
			   call->config.version ? call->config.version : "1.1.0", "code", (int)code, "msg",
			   call->summary ? call->summary : words, "details", call->summary ? words : "");
	text = object ? json_dumps(object, JSON_INDENT(4)) : NULL;
	if (text)
		puts(text);
	free(text);
	json_decref(object);
	fflush(stdout);
}

static int print_versions(void)
{
	fputs("{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[", stdout);
	for (size_t i = 0; pp_cni_versions[i]; i++)
		printf("%s\"%s\"", i ? "," : "", pp_cni_versions[i]);
	puts("]}");
	return fflush(stdout) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int tool_cni_about(void)
{
	fputs("CNI portmap plugin portpub " PORTPUB_VERSION "\nCNI protocol versions supported: ", stderr);
	for (size_t i = 0; pp_cni_versions[i]; i++)
		fprintf(stderr, "%s%s", i ? ", " : "", pp_cni_versions[i]);
	fputc('\n', stderr);
	return EXIT_SUCCESS;
}

int tool_cni(void)
{
	struct call call = { .config = PP_NETWORK_CONFIG_INIT };
	enum pp_cni_code code;

	prctl(PR_SET_NAME, "portpub"); /* by any name: whoever watches the rulesets knows us by this one */
	signal(SIGPIPE, SIG_IGN);      /* a result that nobody reads is undone */
	if (strcmp(variable("CNI_COMMAND"), "VERSION") == 0)
		return print_versions();
	code = run(&call);
	if (code != PP_CNI_DONE)
		print_error(&call, code);
	pp_network_config_fini(&call.config);
	return code == PP_CNI_DONE ? EXIT_SUCCESS : EXIT_FAILURE;
}
