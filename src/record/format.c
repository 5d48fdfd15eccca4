/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Publications stand as specs, which read back as what they were and take a tenth of the room that objects
 * would. Keys that a reader does not know are left alone; what it does know must be right, since a record
 * decides over rules. What few records have is written by those alone.
 */
#include "format.h"

#include "portpub/spec.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { VERSION = 1 };

static json_t *write_publications(const struct pp_publications *publications)
{
	json_t *list = json_array();
	char text[PP_PUBLICATION_TEXT];

	for (size_t i = 0; list && i < publications->count; i++) {
		pp_publication_format(&publications->items[i], text);
		if (json_array_append_new(list, json_string_nocheck(text)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *write_networks(const struct pp_networks *networks)
{
	json_t *list = json_array();
	char text[PP_NETWORK_TEXT];

	for (size_t i = 0; list && i < networks->count; i++) {
		pp_network_format(&networks->items[i], text);
		if (json_array_append_new(list, json_string_nocheck(text)) < 0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

static json_t *write_target(const struct pp_record *record, size_t f)
{
	char text[PP_ADDRESS_TEXT];
	const struct pp_address *address = pp_target_of(&record->request.target, pp_families[f]);

	if (address->family == AF_UNSPEC)
		return json_null();
	return json_pack("{s:s, s:s, s:b}", "address", pp_address_format(address, text), "interface",
			 record->interfaces[f], "alone", (int)record->request.alone[f]);
}

/* False: out of memory. */
static bool set(json_t *root, const char *key, json_t *value)
{
	return json_object_set_new(root, key, value) == 0;
}

static json_t *write_limits(const struct pp_limits *limits)
{
	return json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "connections",
			 (json_int_t)limits->connections, "flows", (json_int_t)limits->flows, "connect",
			 (json_int_t)limits->connect, "idle", (json_int_t)limits->idle, "half_open",
			 (json_int_t)limits->half_open, "flow", (json_int_t)limits->flow, "proxy_header",
			 pp_proxy_header_name(limits->proxy_header));
}

/* Of a record that is kept by a process, and of its container. */
static bool write_keeping(const struct pp_record *record, json_t *root)
{
	const struct pp_request *request = &record->request;

	return (!record->keeper || set(root, "keeper", json_integer(record->keeper))) &&
	       (!request->inside || set(root, "inside", json_true())) &&
	       (!request->host.no_nftables || set(root, "no_nftables", json_true())) &&
	       (!request->host.no_admin || set(root, "no_admin", json_true())) &&
	       (!record->pid_start || set(root, "pid_start", json_integer((json_int_t)record->pid_start))) &&
	       (!record->pid_namespace ||
		set(root, "pid_namespace", json_integer((json_int_t)record->pid_namespace))) &&
	       (!record->netns || set(root, "netns", json_string(record->netns))) &&
	       (!record->netns_inode ||
		set(root, "netns_inode", json_integer((json_int_t)record->netns_inode))) &&
	       (!record->expires || set(root, "expires", json_integer(record->expires))) &&
	       (!record->keeper || pp_limits_are_default(&record->limits) ||
		set(root, "limits", write_limits(&record->limits)));
}

static json_t *write_attachment(const struct pp_attachment *attachment)
{
	return json_pack("{s:s, s:s, s:s, s:o}", "network", attachment->network, "container",
			 attachment->container, "interface", attachment->interface, "waiting",
			 write_publications(&attachment->waiting));
}

static const char *const only_keys[] = { "only4", "only6" };

/* Of what a CNI runtime may ask for. */
static bool write_conditions(const struct pp_record *record, json_t *root)
{
	const struct pp_request *request = &record->request;
	char text[PP_CONDITION_TEXT];

	for (size_t f = 0; f < 2; f++) {
		if (!pp_condition_is_any(&request->only[f]) &&
		    !set(root, only_keys[f], json_string(pp_condition_format(&request->only[f], text))))
			return false;
	}
	return (request->masquerade == PP_MASQUERADE_NEEDED ||
		set(root, "masquerade", json_string(pp_masquerade_name(request->masquerade)))) &&
	       (!record->attachment || set(root, "attachment", write_attachment(record->attachment)));
}

int format_write(const struct pp_record *record, char **text, struct pp_error *err)
{
	const struct pp_request *request = &record->request;
	json_t *root = json_pack("{s:i, s:s, s:I, s:o, s:o, s:o, s:s, s:b, s:o, s:s, s:I}", "version",
				 VERSION, "id", record->id, "created", (json_int_t)record->created,
				 "publications", write_publications(&request->publications), "ipv4",
				 write_target(record, 0), "ipv6", write_target(record, 1), "via",
				 pp_via_name(request->via), "no_keeper", (int)request->no_keeper, "allow",
				 write_networks(&request->allow), "container", record->container, "pid",
				 (json_int_t)record->pid);

	*text = root && write_keeping(record, root) && write_conditions(record, root)
			? json_dumps(root, JSON_COMPACT)
			: NULL;
	json_decref(root);
	return *text ? 0 : pp_fail(err, ENOMEM, "out of memory");
}

static int fail(struct pp_error *err, const char *what)
{
	return pp_fail(err, EUCLEAN, "%s", what);
}

static int read_publication(const json_t *item, struct pp_publications *out, struct pp_error *err)
{
	struct pp_publication publication;

	if (!json_is_string(item) || pp_spec_parse(json_string_value(item), json_string_length(item),
						   PP_SPEC_SHORT, &publication, err) < 0)
		return fail(err, "a publication is no spec");
	if (pp_publication_is_free(&publication) || pp_publication_is_pool(&publication))
		return fail(err, "a publication has no host port");
	return pp_publications_append(out, &publication, err);
}

static int read_publications(const json_t *list, struct pp_publications *out, struct pp_error *err)
{
	int ret = json_is_array(list) ? 0 : fail(err, "publications is no list");

	for (size_t i = 0; ret == 0 && i < json_array_size(list); i++)
		ret = read_publication(json_array_get(list, i), out, err);
	return ret;
}

static int read_network(const json_t *item, struct pp_networks *out, struct pp_error *err)
{
	struct pp_network network;

	if (!json_is_string(item) ||
	    pp_network_parse(json_string_value(item), json_string_length(item), &network, err) < 0)
		return fail(err, "a network is none");
	return pp_networks_append(out, &network, err);
}

static int read_networks(const json_t *list, struct pp_networks *out, struct pp_error *err)
{
	int ret = json_is_array(list) ? 0 : fail(err, "allow is no list");

	for (size_t i = 0; ret == 0 && i < json_array_size(list); i++)
		ret = read_network(json_array_get(list, i), out, err);
	return ret;
}

static int read_target(json_t *object, size_t f, struct pp_record *out, struct pp_error *err)
{
	struct pp_address *slot = f == 0 ? &out->request.target.ipv4 : &out->request.target.ipv6;
	const char *address, *interface;
	int alone;

	if (json_is_null(object))
		return 0;
	if (json_unpack(object, "{s:s, s:s, s:b}", "address", &address, "interface", &interface, "alone",
			&alone) < 0)
		return fail(err, "a target has no address, interface or alone");
	if (!pp_address_parse(address, strlen(address), slot) || slot->family != pp_families[f])
		return fail(err, "the address of a target is none");
	if (strlen(interface) >= IF_NAMESIZE || strchr(interface, '/'))
		return fail(err, "the interface of a target is none");
	snprintf(out->interfaces[f], IF_NAMESIZE, "%s", interface);
	out->request.alone[f] = alone;
	return 0;
}

static int read_head(json_t *root, struct pp_record *out, struct pp_error *err)
{
	const char *id, *via, *container;
	json_int_t created, pid;
	int version, no_keeper;

	if (json_unpack(root, "{s:i}", "version", &version) < 0 || version != VERSION)
		return fail(err, "it is of another version");
	if (json_unpack(root, "{s:s, s:s, s:s, s:I, s:I, s:b}", "id", &id, "via", &via, "container",
			&container, "created", &created, "pid", &pid, "no_keeper", &no_keeper) < 0)
		return fail(err, "a key is missing, or is not what it should be");
	if (pp_id_check(id, err) < 0 || !pp_via_parse(via, &out->request.via))
		return fail(err, "id or via is none");
	if (strlen(container) >= sizeof(out->container))
		return fail(err, "container is too long");
	snprintf(out->id, sizeof(out->id), "%s", id);
	snprintf(out->container, sizeof(out->container), "%s", container);
	out->created = created;
	out->pid = pid;
	out->request.no_keeper = no_keeper;
	return 0;
}

/* A number that may be missing, which is 0; never negative. */
static bool read_number(const json_t *root, const char *key, json_int_t most, json_int_t *out)
{
	const json_t *value = json_object_get(root, key);

	*out = json_integer_value(value);
	return !value || (json_is_integer(value) && *out >= 0 && *out <= most);
}

static bool read_flag(const json_t *root, const char *key, bool *out)
{
	const json_t *value = json_object_get(root, key);

	*out = json_is_true(value);
	return !value || json_is_boolean(value);
}

static int read_limits(json_t *object, struct pp_limits *out, struct pp_error *err)
{
	json_int_t connections, flows, connect, idle, half_open, flow;
	const char *header;

	*out = pp_limits_default;
	if (!object)
		return 0;
	if (json_unpack(object, "{s:I, s:I, s:I, s:I, s:I, s:I, s:s}", "connections", &connections, "flows",
			&flows, "connect", &connect, "idle", &idle, "half_open", &half_open, "flow", &flow,
			"proxy_header", &header) < 0)
		return fail(err, "limits lacks a key, or one is not what it should be");
	if (connections < 0 || connections > UINT32_MAX || flows < 1 || flows > UINT32_MAX || connect < 0 ||
	    idle < 0 || half_open < 0 || flow < 0)
		return fail(err, "a limit is out of range");
	*out = (struct pp_limits){ .connections = (uint32_t)connections,
				   .flows = (uint32_t)flows,
				   .connect = connect,
				   .idle = idle,
				   .half_open = half_open,
				   .flow = flow };
	if (header[0] && !pp_proxy_header_parse(header, &out->proxy_header))
		return fail(err, "proxy_header is none");
	return 0;
}

static int read_netns(const json_t *root, struct pp_record *out, struct pp_error *err)
{
	const json_t *value = json_object_get(root, "netns");

	if (!value)
		return 0;
	if (!json_is_string(value))
		return fail(err, "netns is no path");
	out->netns = strdup(json_string_value(value));
	return out->netns ? 0 : pp_fail(err, ENOMEM, "out of memory");
}

static int read_keeping(json_t *root, struct pp_record *out, struct pp_error *err)
{
	struct pp_request *request = &out->request;
	json_int_t keeper, start, namespace, inode, expires;
	int ret;

	if (!read_number(root, "keeper", UINT32_MAX, &keeper) ||
	    !read_number(root, "pid_start", INT64_MAX, &start) ||
	    !read_number(root, "pid_namespace", INT64_MAX, &namespace) ||
	    !read_number(root, "netns_inode", INT64_MAX, &inode) ||
	    !read_number(root, "expires", INT64_MAX, &expires) ||
	    !read_flag(root, "inside", &request->inside) ||
	    !read_flag(root, "no_nftables", &request->host.no_nftables) ||
	    !read_flag(root, "no_admin", &request->host.no_admin))
		return fail(err, "what it says of its keeper is not what it should be");
	out->keeper = (uint32_t)keeper;
	out->pid_start = (uint64_t)start;
	out->pid_namespace = (uint64_t) namespace;
	out->netns_inode = (uint64_t)inode;
	out->expires = expires;
	ret = read_netns(root, out, err);
	return ret == 0 ? read_limits(json_object_get(root, "limits"), &out->limits, err) : ret;
}

/* Names that are not too long, or -1. */
static int take_name(const char *from, char *to, size_t size)
{
	return snprintf(to, size, "%s", from) < (int)size ? 0 : -1;
}

static int read_names(json_t *object, struct pp_attachment *out, struct pp_error *err)
{
	const char *network, *container, *interface;

	if (json_unpack(object, "{s:s, s:s, s:s}", "network", &network, "container", &container, "interface",
			&interface) < 0 ||
	    take_name(network, out->network, sizeof(out->network)) < 0 ||
	    take_name(container, out->container, sizeof(out->container)) < 0 ||
	    take_name(interface, out->interface, sizeof(out->interface)) < 0)
		return fail(err, "the attachment is none");
	return 0;
}

static int read_attachment(json_t *object, struct pp_record *out, struct pp_error *err)
{
	if (!object)
		return 0;
	out->attachment = calloc(1, sizeof(*out->attachment));
	if (!out->attachment)
		return pp_fail(err, ENOMEM, "out of memory");
	if (read_names(object, out->attachment, err) < 0)
		return -err->code;
	return read_publications(json_object_get(object, "waiting"), &out->attachment->waiting, err);
}

enum { WORDS_MAX = 8 };

static int read_only(const json_t *value, size_t f, struct pp_request *out, struct pp_error *err)
{
	const char *text = json_string_value(value), *words[WORDS_MAX];
	char buffer[PP_CONDITION_TEXT], *word, *rest;
	size_t count = 0;

	if (!value)
		return 0;
	if (!text || take_name(text, buffer, sizeof(buffer)) < 0)
		return fail(err, "only4 or only6 is none");
	for (word = strtok_r(buffer, " ", &rest); word; word = strtok_r(NULL, " ", &rest)) {
		if (count == WORDS_MAX)
			return fail(err, "only4 or only6 is too long");
		words[count++] = word;
	}
	if (pp_condition_parse(words, count, pp_families[f], &out->only[f], err) < 0)
		return fail(err, "only4 or only6 is none");
	return 0;
}

static int read_conditions(json_t *root, struct pp_record *out, struct pp_error *err)
{
	const json_t *masquerade = json_object_get(root, "masquerade");
	const char *text = json_string_value(masquerade);
	int ret = 0;

	if (masquerade && (!text || !pp_masquerade_parse(text, &out->request.masquerade)))
		ret = fail(err, "masquerade is none");
	for (size_t f = 0; ret == 0 && f < 2; f++)
		ret = read_only(json_object_get(root, only_keys[f]), f, &out->request, err);
	return ret == 0 ? read_attachment(json_object_get(root, "attachment"), out, err) : ret;
}

int format_read(const char *text, size_t len, struct pp_record *out, struct pp_error *err)
{
	json_t *root = json_loadb(text, len, JSON_REJECT_DUPLICATES, NULL);
	struct pp_record record = { 0 };
	int ret = json_is_object(root) ? read_head(root, &record, err) : fail(err, "it is no JSON object");

	if (ret == 0)
		ret = read_publications(json_object_get(root, "publications"), &record.request.publications,
					err);
	if (ret == 0)
		ret = read_networks(json_object_get(root, "allow"), &record.request.allow, err);
	if (ret == 0)
		ret = read_target(json_object_get(root, "ipv4"), 0, &record, err);
	if (ret == 0)
		ret = read_target(json_object_get(root, "ipv6"), 1, &record, err);
	if (ret == 0)
		ret = read_keeping(root, &record, err);
	if (ret == 0)
		ret = read_conditions(root, &record, err);
	json_decref(root);
	if (ret < 0)
		pp_record_fini(&record);
	else
		*out = record;
	return ret;
}
