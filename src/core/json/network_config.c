/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The results of the plugins before have two shapes: up to 0.2.0 an object for each family, from 0.3.0 on a list of
 * addresses, each with the index of its interface. Which one it is tells itself. Everything else is one shape in all
 * versions.
 */
#include "portpub/network_config.h"

#include "document.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const pp_cni_versions[] = { "0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", NULL };

void pp_network_config_fini(struct pp_network_config *config)
{
	pp_publications_fini(&config->publications);
	json_decref(config->root);
	*config = PP_NETWORK_CONFIG_INIT;
}

/* Before any memory is taken, as for every document. A result with a million values is none. */
enum { VALUES_MAX = 1 << 20 };

static size_t count_values(const char *text, size_t len)
{
	size_t count = 0;

	for (size_t i = 0; i < len; i++)
		count += text[i] == ',' || text[i] == '[' || text[i] == '{';
	return count;
}

static enum pp_cni_code decode(const char *text, size_t len, json_t **out, struct pp_error *err)
{
	char shown[sizeof(err->message) / 2];
	json_error_t fault = { 0 };

	if (len > PP_JSON_MAX || count_values(text, len) > VALUES_MAX) {
		pp_fail(err, EBADMSG, "the network configuration is too large");
		return PP_CNI_DECODE;
	}
	*out = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_ALLOW_NUL, &fault);
	if (json_is_object(*out))
		return PP_CNI_DONE;
	if (*out) {
		pp_fail(err, EBADMSG, "the network configuration is no JSON object");
		return PP_CNI_DECODE;
	}
	pp_show(shown, sizeof(shown), fault.text, strlen(fault.text));
	pp_fail(err, EBADMSG, "the network configuration is no JSON: line %d, column %d: %s", fault.line,
		fault.column, shown[0] ? shown : "out of memory");
	return PP_CNI_DECODE;
}

static const char *find_version(const char *text)
{
	for (size_t i = 0; pp_cni_versions[i]; i++) {
		if (strcmp(text, pp_cni_versions[i]) == 0)
			return pp_cni_versions[i];
	}
	return NULL;
}

/* "" and null are what an unset field looks like when Go writes it. */
static const char *text_of(const json_t *value)
{
	if (!value || json_is_null(value))
		return "";
	/* Text with a NUL in it is not what it seems. */
	if (!json_is_string(value) || strlen(json_string_value(value)) != json_string_length(value))
		return NULL;
	return json_string_value(value);
}

static enum pp_cni_code read_version(struct pp_network_config *config, struct pp_error *err)
{
	const char *text = text_of(json_any_case(config->root, "cniVersion"));
	char shown[64];

	if (!text) {
		pp_fail(err, EBADMSG, "cniVersion must be text");
		return PP_CNI_DECODE;
	}
	config->version = text[0] ? find_version(text) : pp_cni_versions[0];
	if (config->version)
		return PP_CNI_DONE;
	pp_show(shown, sizeof(shown), text, strlen(text));
	pp_fail(err, EINVAL, "config is \"%s\", plugin supports 0.1.0 to 1.1.0", shown);
	return PP_CNI_VERSION;
}

static enum pp_cni_code read_name(struct pp_network_config *config, struct pp_error *err)
{
	const char *text = text_of(json_any_case(config->root, "name"));
	char shown[64];

	if (text && pp_attachment_is_name(text)) {
		config->name = text;
		return PP_CNI_DONE;
	}
	if (text && !text[0])
		pp_fail(err, EINVAL, "missing network name");
	else if (!text)
		pp_fail(err, EINVAL, "the network name must be text");
	else {
		pp_show(shown, sizeof(shown), text, strlen(text));
		pp_fail(err, EINVAL, "invalid characters found in network name: %s", shown);
	}
	return PP_CNI_INVALID;
}

enum pp_cni_code pp_network_config_read(const char *text, size_t len, struct pp_network_config *out,
					struct pp_error *err)
{
	struct pp_network_config config = PP_NETWORK_CONFIG_INIT;
	enum pp_cni_code code = decode(text, len, &config.root, err);

	if (code == PP_CNI_DONE)
		code = read_version(&config, err);
	out->version = config.version; /* it is said in what is answered, errors too */
	if (code == PP_CNI_DONE)
		code = read_name(&config, err);
	if (code == PP_CNI_DONE)
		*out = config;
	else
		pp_network_config_fini(&config);
	return code;
}

bool pp_network_config_is_since(const struct pp_network_config *config, const char *version)
{
	size_t i = 0;

	while (strcmp(pp_cni_versions[i], config->version) != 0 && strcmp(pp_cni_versions[i], version) != 0)
		i++;
	return strcmp(pp_cni_versions[i], version) == 0;
}

static enum pp_cni_code fail_invalid(struct pp_error *err, const char *key, const char *what)
{
	pp_fail(err, EINVAL, "%s must be %s", key, what);
	return PP_CNI_INVALID;
}

/* @fallback where it is not said. */
static enum pp_cni_code read_bool(const json_t *root, const char *key, bool fallback, bool *out,
				  struct pp_error *err)
{
	const json_t *value = json_any_case(root, key);

	*out = fallback;
	if (!value || json_is_null(value))
		return PP_CNI_DONE;
	if (!json_is_boolean(value))
		return fail_invalid(err, key, "true or false");
	*out = json_is_true(value);
	return PP_CNI_DONE;
}

static enum pp_cni_code read_masquerade(struct pp_network_config *config, struct pp_error *err)
{
	bool snat, all;
	enum pp_cni_code code = read_bool(config->root, "snat", true, &snat, err);

	if (code == PP_CNI_DONE)
		code = read_bool(config->root, "masqAll", false, &all, err);
	if (code == PP_CNI_DONE)
		config->masquerade = !snat ? PP_MASQUERADE_NEVER
				     : all ? PP_MASQUERADE_ALL
					   : PP_MASQUERADE_NEEDED;
	return code;
}

static enum pp_cni_code read_on_conflict(struct pp_network_config *config, struct pp_error *err)
{
	static const char *const names[PP_CONFLICT_COUNT] = {
		[PP_CONFLICT_FAIL] = "fail", [PP_CONFLICT_REPLACE] = "replace", [PP_CONFLICT_KEEP] = "keep"
	};
	const char *text = text_of(json_any_case(config->root, "onConflict"));

	for (int i = 0; text && i < PP_CONFLICT_COUNT; i++) {
		if (text[0] && strcmp(text, names[i]) != 0)
			continue;
		config->on_conflict = (enum pp_on_conflict)i;
		return PP_CNI_DONE;
	}
	return fail_invalid(err, "onConflict", "\"fail\", \"replace\" or \"keep\"");
}

static bool is_said(const struct pp_network_config *config, const char *key)
{
	const json_t *value = json_any_case(config->root, key);

	return value && !json_is_null(value);
}

/* Keys of the iptables plugin: here they do nothing, but what was an error stays one. */
static enum pp_cni_code read_ignored(struct pp_network_config *config, struct pp_error *err)
{
	static const char *const keys[] = { "backend", "markMasqBit", "externalSetMarkChain" };
	const json_t *bit = json_any_case(config->root, keys[1]);

	for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
		if (is_said(config, keys[i]))
			config->ignored[config->ignored_count++] = keys[i];
	}
	if (!is_said(config, keys[1]))
		return PP_CNI_DONE;
	if (is_said(config, keys[2])) {
		pp_fail(err, EINVAL, "Cannot specify externalSetMarkChain and markMasqBit");
		return PP_CNI_INVALID;
	}
	if (!json_is_integer(bit) || json_integer_value(bit) < 0 || json_integer_value(bit) > 31) {
		pp_fail(err, EINVAL, "MasqMarkBit must be between 0 and 31");
		return PP_CNI_INVALID;
	}
	return PP_CNI_DONE;
}

enum { WORDS_MAX = 16 };

/* The texts of @list, and of each the words; what they point into is @buffer. */
static size_t split(const json_t *list, char *buffer, size_t size, const char *words[WORDS_MAX])
{
	size_t used = 0, count = 0;
	const json_t *item;
	char *rest, *word;
	size_t i;

	for (i = 0; i < json_array_size(list); i++) {
		item = json_array_get(list, i);
		if (!json_is_string(item) || !text_of(item) || used + json_string_length(item) + 2 > size)
			return WORDS_MAX + 1;
		memcpy(buffer + used, json_string_value(item), json_string_length(item));
		used += json_string_length(item);
		buffer[used++] = ' ';
	}
	buffer[used] = '\0';
	for (word = strtok_r(buffer, " \t", &rest); word; word = strtok_r(NULL, " \t", &rest)) {
		if (count == WORDS_MAX)
			return WORDS_MAX + 1;
		words[count++] = word;
	}
	return count;
}

/* Whoever passed over one that is not understood would open the port wider than asked. */
static enum pp_cni_code fail_condition(const char *key, const json_t *value, const char *why,
				       struct pp_error *err)
{
	char *text = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT), shown[120];

	pp_show(shown, sizeof(shown), text ? text : "?", text ? strlen(text) : 1);
	free(text);
	pp_fail(err, EINVAL, "%s %s cannot be kept to: %s", key, shown, why);
	return PP_CNI_UNSUPPORTED;
}

static enum pp_cni_code read_condition(struct pp_network_config *config, size_t f, struct pp_error *err)
{
	static const char *const keys[] = { "conditionsV4", "conditionsV6" };
	const json_t *list = json_any_case(config->root, keys[f]);
	const char *words[WORDS_MAX];
	struct pp_error why;
	char buffer[512];
	size_t count;

	if (!is_said(config, keys[f]))
		return PP_CNI_DONE;
	if (!json_is_array(list))
		return fail_condition(keys[f], list, "it is no list of text", err);
	count = split(list, buffer, sizeof(buffer), words);
	if (count > WORDS_MAX)
		return fail_condition(keys[f], list, "it is too long, or no list of text", err);
	if (pp_condition_parse(words, count, pp_families[f], &config->only[f], &why) < 0)
		return fail_condition(keys[f], list, why.message, err);
	return PP_CNI_DONE;
}

static enum pp_cni_code read_mappings(struct pp_network_config *config, struct pp_error *err)
{
	const struct reader reader = { PP_DIALECT_CNI, NULL, &config->publications, err };
	const struct place top = { 0 }, outer = place_key(&top, "runtimeConfig"),
			   here = place_key(&outer, "portMappings");
	json_t *runtime = json_any_case(config->root, outer.key);
	json_t *mappings = json_any_case(runtime, here.key);

	if (runtime && !json_is_object(runtime) && !json_is_null(runtime))
		return fail_invalid(err, "runtimeConfig", "an object");
	if (!mappings || document_read_value(&reader, PP_DIALECT_CNI, mappings, &here) == 0)
		return PP_CNI_DONE;
	return err->code == EINVAL ? PP_CNI_INVALID : PP_CNI_OTHER;
}

static enum pp_cni_code read_previous(struct pp_network_config *config, struct pp_error *err)
{
	json_t *previous = json_any_case(config->root, "prevResult");

	if (previous && !json_is_null(previous) && !json_is_object(previous)) {
		pp_fail(err, EINVAL, "could not parse prevResult: it is %s", json_kind(previous));
		return PP_CNI_DECODE;
	}
	config->previous = json_is_object(previous) ? previous : NULL;
	return PP_CNI_DONE;
}

enum pp_cni_code pp_network_config_read_ports(struct pp_network_config *config, struct pp_error *err)
{
	static enum pp_cni_code (*const readers[])(struct pp_network_config * config,
						   struct pp_error * err) = {
		read_previous, read_ignored, read_masquerade, read_on_conflict, read_mappings,
	};
	enum pp_cni_code code = PP_CNI_DONE;

	for (size_t i = 0; code == PP_CNI_DONE && i < sizeof(readers) / sizeof(readers[0]); i++)
		code = readers[i](config, err);
	for (size_t f = 0; code == PP_CNI_DONE && f < 2; f++)
		code = read_condition(config, f, err);
	return code;
}

/* Is it the address of an interface that is known to be another, or the host's? */
static bool is_elsewhere(const json_t *ip, const json_t *interfaces, const char *name)
{
	const json_t *index = json_any_case(ip, "interface"), *interface;
	const char *sandbox, *other;

	if (!json_is_integer(index) || json_integer_value(index) < 0)
		return false;
	interface = json_array_get(interfaces, (size_t)json_integer_value(index));
	if (!json_is_object(interface))
		return false;
	other = text_of(json_any_case(interface, "name"));
	sandbox = text_of(json_any_case(interface, "sandbox"));
	return !other || strcmp(other, name) != 0 || !sandbox || !sandbox[0];
}

/* ADDRESS/PREFIX; the first of a family counts, and one that no packet can be sent to does not. */
static bool take_address(const char *text, struct pp_target *out)
{
	struct pp_address address, *slot;

	if (!text || !pp_address_parse(text, strcspn(text, "/"), &address))
		return false;
	slot = address.family == AF_INET ? &out->ipv4 : &out->ipv6;
	if (slot->family == AF_UNSPEC && pp_address_class(&address) == PP_CLASS_SPECIFIC &&
	    !pp_address_is_multicast(&address))
		*slot = address;
	return true;
}

static enum pp_cni_code fail_result(struct pp_error *err, const char *where)
{
	pp_fail(err, EINVAL, "could not parse prevResult: %s is no address", where);
	return PP_CNI_DECODE;
}

/* {"ip4": {"ip": "10.0.0.2/24"}, "ip6": ...}, up to 0.2.0 */
static enum pp_cni_code take_old(const json_t *previous, struct pp_target *out, struct pp_error *err)
{
	static const char *const keys[] = { "ip4", "ip6" };

	for (size_t f = 0; f < 2; f++) {
		const json_t *ip = json_any_case(previous, keys[f]);

		if (ip && !json_is_null(ip) && !take_address(text_of(json_any_case(ip, "ip")), out))
			return fail_result(err, keys[f]);
	}
	return PP_CNI_DONE;
}

enum pp_cni_code pp_network_config_target(const struct pp_network_config *config, const char *interface,
					  struct pp_target *out, struct pp_error *err)
{
	const json_t *list = json_any_case(config->previous, "ips"),
		     *interfaces = json_any_case(config->previous, "interfaces");
	struct pp_target target = { 0 };
	char where[64];

	if (!list && take_old(config->previous, &target, err) != PP_CNI_DONE)
		return PP_CNI_DECODE;
	if (list && !json_is_array(list) && !json_is_null(list))
		return fail_result(err, "ips");
	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *ip = json_array_get(list, i);

		snprintf(where, sizeof(where), "ips[%zu].address", i);
		if (!is_elsewhere(ip, interfaces, interface) &&
		    !take_address(text_of(json_any_case(ip, "address")), &target))
			return fail_result(err, where);
	}
	*out = target;
	return PP_CNI_DONE;
}

/* Names have no spaces. */
static void name_attachment(char *out, size_t size, const char *container, const char *interface)
{
	snprintf(out, size, "%s %s", container, interface);
}

static enum pp_cni_code read_valid(const json_t *list, const char *key, json_t *out, struct pp_error *err)
{
	char name[PP_ATTACHMENT_NAME + IF_NAMESIZE];

	for (size_t i = 0; i < json_array_size(list); i++) {
		const json_t *item = json_array_get(list, i);
		const char *container = text_of(json_any_case(item, "containerID")),
			   *interface = text_of(json_any_case(item, "ifname"));

		if (!container || !container[0] || !interface || !interface[0])
			return fail_invalid(err, key, "a list of objects with containerID and ifname");
		name_attachment(name, sizeof(name), container, interface);
		if (json_object_set_new(out, name, json_true()) < 0) {
			pp_fail(err, ENOMEM, "out of memory");
			return PP_CNI_OTHER;
		}
	}
	return PP_CNI_DONE;
}

enum pp_cni_code pp_network_config_valid(const struct pp_network_config *config, json_t **out,
					 struct pp_error *err)
{
	static const char *const keys[] = { "cni.dev/valid-attachments", "cni.dev/attachments" };
	const char *key = is_said(config, keys[0]) ? keys[0] : keys[1];
	const json_t *list = json_any_case(config->root, key);
	enum pp_cni_code code;
	json_t *valid;

	*out = NULL;
	if (!is_said(config, key))
		return PP_CNI_DONE;
	if (!json_is_array(list))
		return fail_invalid(err, key, "a list");
	valid = json_object();
	code = read_valid(list, key, valid, err);
	if (code == PP_CNI_DONE)
		*out = valid;
	else
		json_decref(valid);
	return code;
}

bool pp_network_config_has(const json_t *valid, const char *container, const char *interface)
{
	char name[PP_ATTACHMENT_NAME + IF_NAMESIZE];

	name_attachment(name, sizeof(name), container, interface);
	return json_object_get(valid, name);
}

char *pp_network_config_result(const struct pp_network_config *config)
{
	json_t *result = json_pack("{s:s}", "cniVersion", config->version);
	char *text = NULL;

	if (result && json_object_update_missing(result, config->previous) == 0)
		text = json_dumps(result, JSON_INDENT(4));
	json_decref(result);
	return text;
}
