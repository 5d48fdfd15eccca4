/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/network_config.h"

#include <stdlib.h>
#include <string.h>

/* With ' for ", to be read here. */
static char *quoted(const char *text)
{
	char *copy = strdup(text);

	for (char *at = copy; *at; at++)
		*at = *at == '\'' ? '"' : *at;
	return copy;
}

static enum pp_cni_code read_config(const char *text, struct pp_network_config *out, struct pp_error *err)
{
	char *copy = quoted(text);
	enum pp_cni_code code = pp_network_config_read(copy, strlen(copy), out, err);

	free(copy);
	return code;
}

static const struct {
	const char *text, *version;
	enum pp_cni_code code;
	const char *message; /* its beginning */
} heads[] = {
	{ "{'cniVersion': '0.1.0', 'name': 'n'}", "0.1.0", 0, "" },
	{ "{'cniVersion': '0.2.0', 'name': 'n'}", "0.2.0", 0, "" },
	{ "{'cniVersion': '0.3.0', 'name': 'n'}", "0.3.0", 0, "" },
	{ "{'cniVersion': '0.3.1', 'name': 'n'}", "0.3.1", 0, "" },
	{ "{'cniVersion': '0.4.0', 'name': 'n'}", "0.4.0", 0, "" },
	{ "{'cniVersion': '1.0.0', 'name': 'n'}", "1.0.0", 0, "" },
	{ "{'cniVersion': '1.1.0', 'name': 'n'}", "1.1.0", 0, "" },
	{ "{'cniVersion': '', 'name': 'n'}", "0.1.0", 0, "" },
	{ "{'name': 'n', 'unknown': {'deep': [1, 2.5, null]}}", "0.1.0", 0, "" },
	{ "{'CNIVERSION': '1.0.0', 'Name': 'n'}", "1.0.0", 0, "" },
	{ "{'cniVersion': '0.5.0', 'name': 'n'}", NULL, PP_CNI_VERSION, "config is \"0.5.0\"" },
	{ "{'cniVersion': '1.2.0', 'name': 'n'}", NULL, PP_CNI_VERSION, "config is \"1.2.0\"" },
	{ "{'cniVersion': '1.0', 'name': 'n'}", NULL, PP_CNI_VERSION, "config is \"1.0\"" },
	{ "{'cniVersion': '1.0.0\\u0000', 'name': 'n'}", NULL, PP_CNI_DECODE, "cniVersion must be text" },
	{ "{'cniVersion': 1, 'name': 'n'}", NULL, PP_CNI_DECODE, "cniVersion must be text" },
	{ "{'cniVersion': '1.0.0'}", "1.0.0", PP_CNI_INVALID, "missing network name" },
	{ "{'cniVersion': '1.0.0', 'name': ''}", "1.0.0", PP_CNI_INVALID, "missing network name" },
	{ "{'cniVersion': '1.0.0', 'name': '../x'}", "1.0.0", PP_CNI_INVALID,
	  "invalid characters found in network name" },
	{ "{'cniVersion': '1.0.0', 'name': 7}", "1.0.0", PP_CNI_INVALID, "the network name must be text" },
	{ "{'cniVersion': '1.0.0', 'name': 'a\\u0000b'}", "1.0.0", PP_CNI_INVALID,
	  "the network name must be text" },
	{ "", NULL, PP_CNI_DECODE, "the network configuration is no JSON: " },
	{ "{", NULL, PP_CNI_DECODE, "the network configuration is no JSON: " },
	{ "[]", NULL, PP_CNI_DECODE, "the network configuration is no JSON object" },
	{ "null", NULL, PP_CNI_DECODE, "the network configuration is no JSON object" },
	{ "{'name': 'a', 'name': 'b'}", NULL, PP_CNI_DECODE, "the network configuration is no JSON: " },
	{ "{'name': '\xff'}", NULL, PP_CNI_DECODE, "the network configuration is no JSON: " },
	{ "{'name': 'n'} {}", NULL, PP_CNI_DECODE, "the network configuration is no JSON: " },
};

START_TEST(config_has_a_version_and_a_name)
{
	struct pp_network_config config = PP_NETWORK_CONFIG_INIT;
	struct pp_error err = { 0 };
	enum pp_cni_code code = read_config(heads[_i].text, &config, &err);

	ck_assert_msg(code == heads[_i].code, "%s: %d: %s", heads[_i].text, (int)code, err.message);
	ck_assert_msg(strncmp(err.message, heads[_i].message, strlen(heads[_i].message)) == 0, "%s: %s",
		      heads[_i].text, err.message);
	if (heads[_i].version)
		ck_assert_str_eq(config.version, heads[_i].version);
	else
		ck_assert_ptr_null(config.version);
	pp_network_config_fini(&config);
}
END_TEST

START_TEST(config_knows_which_versions_are_later)
{
	for (size_t i = 0; pp_cni_versions[i]; i++) {
		for (size_t j = 0; pp_cni_versions[j]; j++) {
			struct pp_network_config config = { .version = pp_cni_versions[i] };

			ck_assert_int_eq(pp_network_config_is_since(&config, pp_cni_versions[j]), i >= j);
		}
	}
}
END_TEST

static const struct {
	const char *keys; /* of a configuration that is right besides */
	enum pp_cni_code code;
	const char *wanted; /* where and message, or what was read: see describe() */
} bodies[] = {
	{ "", 0, "" },
	{ "'runtimeConfig': null", 0, "" },
	{ "'runtimeConfig': {}", 0, "" },
	{ "'runtimeConfig': {'portMappings': null}", 0, "" },
	{ "'runtimeConfig': {'portMappings': []}", 0, "" },
	{ "'runtimeConfig': {'portMappings': [{'hostPort': 80, 'containerPort': 81, 'protocol': 'tcp'}]}", 0,
	  "80:81/tcp " },
	{ "'runtimeConfig': {'portMappings': [{'HostPort': 80, 'ContainerPort': 81, 'Protocol': 'UDP', "
	  "'HostIP': ''}]}",
	  0, "80:81/udp " },
	{ "'runtimeConfig': {'PortMappings': [{'hostport': 80, 'CONTAINERPORT': 81, 'hostIP': '127.0.0.1'}]}",
	  0, "127.0.0.1:80:81/tcp " },
	{ "'runtimeConfig': {'portMappings': [{'hostPort': 80, 'containerPort': 81, 'hostIP': '::'}, "
	  "{'hostPort': 80, 'containerPort': 81, 'hostIP': '0.0.0.0', 'extra': 1}]}",
	  0, "[::]:80:81/tcp 0.0.0.0:80:81/tcp " },
	{ "'snat': false", 0, "never " },
	{ "'snat': false, 'masqAll': true", 0, "never " },
	{ "'masqAll': true", 0, "all " },
	{ "'snat': null, 'masqAll': null, 'conditionsV4': null, 'onConflict': ''", 0, "" },
	{ "'SNAT': false", 0, "never " },
	{ "'onConflict': 'replace'", 0, "conflict 1 " },
	{ "'onConflict': 'keep'", 0, "conflict 2 " },
	{ "'onConflict': 'fail'", 0, "" },
	{ "'backend': 'nftables', 'markMasqBit': 31", 0, "ignores backend ignores markMasqBit " },
	{ "'externalSetMarkChain': 'KUBE-MARK-MASQ'", 0, "ignores externalSetMarkChain " },
	{ "'conditionsV4': ['!', '-s', '10.0.0.0/8'], 'conditionsV6': ['-i', 'eth0']", 0,
	  "v4 ! -s 10.0.0.0/8 v6 -i eth0 " },
	{ "'conditionsV4': ['ip saddr != 10.0.0.0/8']", 0, "v4 ! -s 10.0.0.0/8 " },
	{ "'conditionsV4': []", 0, "" },
	{ "'prevResult': {}", 0, "result " },
	{ "'prevResult': null", 0, "" },
	{ "'runtimeConfig': []", PP_CNI_INVALID, ": runtimeConfig must be an object" },
	{ "'runtimeConfig': {'portMappings': {}}", PP_CNI_INVALID,
	  "runtimeConfig.portMappings: must be a list, not an object" },
	{ "'runtimeConfig': {'portMappings': [7]}", PP_CNI_INVALID,
	  "runtimeConfig.portMappings[0]: must be an object" },
	{ "'runtimeConfig': {'portMappings': [{'hostPort': 80, 'containerPort': 80}, {'hostPort': 0, "
	  "'containerPort': 1}]}",
	  PP_CNI_INVALID, "runtimeConfig.portMappings[1].hostPort: 0 is outside 1 to 65535" },
	{ "'runtimeConfig': {'portMappings': [{'hostPort': 65536, 'containerPort': 1}]}", PP_CNI_INVALID,
	  "runtimeConfig.portMappings[0].hostPort: 65536 is outside 1 to 65535" },
	{ "'runtimeConfig': {'portMappings': [{'hostPort': 1, 'containerPort': -1}]}", PP_CNI_INVALID,
	  "runtimeConfig.portMappings[0].containerPort: -1 is outside 1 to 65535" },
	{ "'runtimeConfig': {'portMappings': [{'hostPort': 1, 'containerPort': 1, 'protocol': 'icmp'}]}",
	  PP_CNI_INVALID, "runtimeConfig.portMappings[0].protocol: \"icmp\" is not tcp, udp or sctp" },
	{ "'runtimeConfig': {'portMappings': [{'hostPort': 1, 'containerPort': 1, 'hostIP': 'localhost'}]}",
	  PP_CNI_INVALID, "runtimeConfig.portMappings[0].hostIP: \"localhost\" is not an" },
	{ "'runtimeConfig': {'portMappings': [{'hostPort': 1, 'containerPort': 1}, {'hostPort': 1, "
	  "'containerPort': 2}]}",
	  PP_CNI_INVALID, "runtimeConfig.portMappings[1]: " },
	{ "'snat': 'false'", PP_CNI_INVALID, ": snat must be true or false" },
	{ "'masqAll': 1", PP_CNI_INVALID, ": masqAll must be true or false" },
	{ "'onConflict': 'retry'", PP_CNI_INVALID, ": onConflict must be " },
	{ "'onConflict': 1", PP_CNI_INVALID, ": onConflict must be " },
	{ "'markMasqBit': 32", PP_CNI_INVALID, ": MasqMarkBit must be between 0 and 31" },
	{ "'markMasqBit': -1", PP_CNI_INVALID, ": MasqMarkBit must be between 0 and 31" },
	{ "'markMasqBit': 'x'", PP_CNI_INVALID, ": MasqMarkBit must be between 0 and 31" },
	{ "'markMasqBit': 3, 'externalSetMarkChain': 'X'", PP_CNI_INVALID,
	  ": Cannot specify externalSetMarkChain and markMasqBit" },
	{ "'conditionsV4': ['-m', 'owner']", PP_CNI_UNSUPPORTED,
	  ": conditionsV4 [\"-m\",\"owner\"] cannot be kept to: " },
	{ "'conditionsV6': ['-s', '10.0.0.0/8']", PP_CNI_UNSUPPORTED,
	  ": conditionsV6 [\"-s\",\"10.0.0.0/8\"] cannot be kept to: " },
	{ "'conditionsV4': '-s 10.0.0.0/8'", PP_CNI_UNSUPPORTED,
	  ": conditionsV4 \"-s 10.0.0.0/8\" cannot be kept to: " },
	{ "'conditionsV4': [1]", PP_CNI_UNSUPPORTED, ": conditionsV4 [1] cannot be kept to: " },
	{ "'conditionsV4': ['-s', '10.0.0.0/8\\u0000']", PP_CNI_UNSUPPORTED, ": conditionsV4 " },
	{ "'prevResult': 'x'", PP_CNI_DECODE, ": could not parse prevResult: it is text" },
};

static void describe(const struct pp_network_config *config, char *out, size_t size)
{
	char text[PP_PUBLICATION_TEXT + PP_CONDITION_TEXT];
	size_t used = 0;

#define PUT(...) (used += (size_t)snprintf(out + used, size - used, __VA_ARGS__))
	out[0] = '\0';
	for (size_t i = 0; i < config->publications.count; i++)
		PUT("%s ", pp_publication_format(&config->publications.items[i], text));
	if (config->masquerade != PP_MASQUERADE_NEEDED)
		PUT("%s ", pp_masquerade_name(config->masquerade));
	if (config->on_conflict != PP_CONFLICT_FAIL)
		PUT("conflict %d ", (int)config->on_conflict);
	for (size_t i = 0; i < config->ignored_count; i++)
		PUT("ignores %s ", config->ignored[i]);
	for (size_t f = 0; f < 2; f++) {
		if (!pp_condition_is_any(&config->only[f]))
			PUT("v%c %s ", f ? '6' : '4', pp_condition_format(&config->only[f], text));
	}
	if (config->previous)
		PUT("result ");
#undef PUT
}

START_TEST(config_is_read_as_the_specification_says)
{
	struct pp_network_config config = PP_NETWORK_CONFIG_INIT;
	char text[1024], have[sizeof(((struct pp_error *)0)->message) * 2];
	struct pp_error err = { 0 };
	enum pp_cni_code code;

	snprintf(text, sizeof(text), "{'cniVersion': '1.0.0', 'name': 'n'%s%s}",
		 bodies[_i].keys[0] ? ", " : "", bodies[_i].keys);
	ck_assert_int_eq(read_config(text, &config, &err), PP_CNI_DONE);
	code = pp_network_config_read_ports(&config, &err);
	ck_assert_msg(code == bodies[_i].code, "%s: %d: %s", text, (int)code, err.message);
	if (code == PP_CNI_DONE) {
		describe(&config, have, sizeof(have));
		ck_assert_str_eq(have, bodies[_i].wanted);
	} else {
		snprintf(have, sizeof(have), "%s: %s", err.where, err.message);
		ck_assert_msg(strncmp(have, bodies[_i].wanted, strlen(bodies[_i].wanted)) == 0, "%s", have);
	}
	pp_network_config_fini(&config);
	pp_network_config_fini(&config);
}
END_TEST

static const struct {
	const char *result, *target; /* NULL: it cannot be read */
} results[] = {
	{ "{}", " " },
	{ "{'ips': null}", " " },
	{ "{'ips': []}", " " },
	{ "{'ips': [{'address': '10.0.0.2/24'}]}", "10.0.0.2 " },
	{ "{'ips': [{'version': '4', 'address': '10.0.0.2/24'}, {'version': '6', 'address': 'fd00::2/64'}]}",
	  "10.0.0.2 fd00::2" },
	{ "{'ips': [{'address': 'fd00::2/64'}, {'address': 'fd00::3/64'}, {'address': '10.0.0.2'}]}",
	  "10.0.0.2 fd00::2" },
	{ "{'interfaces': [{'name': 'br0'}, {'name': 'eth0', 'sandbox': '/x'}], 'ips': ["
	  "{'interface': 0, 'address': '10.0.0.1/24'}, {'interface': 1, 'address': '10.0.0.2/24'}]}",
	  "10.0.0.2 " },
	{ "{'interfaces': [{'name': 'eth1', 'sandbox': '/x'}, {'name': 'eth0', 'sandbox': '/x'}], 'ips': ["
	  "{'interface': 0, 'address': '10.0.0.1/24'}, {'interface': 1, 'address': '10.0.0.2/24'}]}",
	  "10.0.0.2 " },
	{ "{'interfaces': [{'name': 'eth0', 'sandbox': ''}], 'ips': [{'interface': 0, 'address': "
	  "'10.0.0.1/24'}]}",
	  " " },
	{ "{'interfaces': [{'name': 'eth1', 'sandbox': '/x'}], 'ips': [{'interface': 1, 'address': "
	  "'10.0.0.2/24'}, "
	  "{'interface': -1, 'address': 'fd00::2/64'}]}",
	  "10.0.0.2 fd00::2" },
	{ "{'ips': [{'interface': 99999999999, 'address': '10.0.0.2/24'}]}", "10.0.0.2 " },
	{ "{'Ips': [{'Address': '10.0.0.2/24'}]}", "10.0.0.2 " },
	{ "{'ip4': {'ip': '10.0.0.2/24'}}", "10.0.0.2 " },
	{ "{'ip4': {'ip': '10.0.0.2/24', 'gateway': '10.0.0.1'}, 'ip6': {'ip': 'fd00::2/64'}}",
	  "10.0.0.2 fd00::2" },
	{ "{'ip4': null, 'ip6': {'ip': 'fd00::2/64'}}", " fd00::2" },
	{ "{'ips': [{'address': 'fe80::1/64'}, {'address': '127.0.0.1/8'}, {'address': '0.0.0.0/0'}, "
	  "{'address': '224.0.0.1/4'}, {'address': '10.0.0.2/24'}]}",
	  "10.0.0.2 " },
	{ "{'ips': 'x'}", NULL },
	{ "{'ips': {}}", NULL },
	{ "{'ips': [7]}", NULL },
	{ "{'ips': [{}]}", NULL },
	{ "{'ips': [{'address': 'nonsense'}]}", NULL },
	{ "{'ips': [{'address': '10.0.0.2\\u0000/24'}]}", NULL },
	{ "{'ip4': {}}", NULL },
	{ "{'ip4': 'x'}", NULL },
};

START_TEST(config_target_is_the_first_address_of_each_family)
{
	struct pp_network_config config = PP_NETWORK_CONFIG_INIT;
	char text[1024], ipv4[PP_ADDRESS_TEXT], ipv6[PP_ADDRESS_TEXT];
	struct pp_target target = { 0 };
	struct pp_error err = { 0 };
	enum pp_cni_code code;

	snprintf(text, sizeof(text), "{'name': 'n', 'prevResult': %s}", results[_i].result);
	ck_assert_int_eq(read_config(text, &config, &err), PP_CNI_DONE);
	ck_assert_int_eq(pp_network_config_read_ports(&config, &err), PP_CNI_DONE);
	code = pp_network_config_target(&config, "eth0", &target, &err);
	ck_assert_msg(code == (results[_i].target ? PP_CNI_DONE : PP_CNI_DECODE), "%s: %s", text,
		      err.message);
	if (results[_i].target) {
		snprintf(text, sizeof(text), "%s %s", pp_address_format(&target.ipv4, ipv4),
			 pp_address_format(&target.ipv6, ipv6));
		ck_assert_str_eq(text, results[_i].target);
	}
	pp_network_config_fini(&config);
}
END_TEST

START_TEST(config_result_is_the_previous_one_with_nothing_dropped)
{
	static const char text[] = "{'cniVersion': '0.3.1', 'name': 'n', 'prevResult': {'cniVersion': "
				   "'0.3.0', 'ips': [{'address': "
				   "'10.0.0.2/24', 'unknown': 9007199254740993}], 'dns': {}, 'x': [null, "
				   "true, '\\u0000', 1.5]}}";
	static const char wanted[] =
		"{'cniVersion': '0.3.1', 'ips': [{'address': '10.0.0.2/24', 'unknown': 9007199254740993}], "
		"'dns': {}, 'x': [null, true, '\\u0000', 1.5]}";
	struct pp_network_config config = PP_NETWORK_CONFIG_INIT;
	char *copy = quoted(wanted), *result;
	json_t *want = json_loads(copy, JSON_ALLOW_NUL, NULL), *have;
	struct pp_error err;

	ck_assert_int_eq(read_config(text, &config, &err), PP_CNI_DONE);
	ck_assert_int_eq(pp_network_config_read_ports(&config, &err), PP_CNI_DONE);
	result = pp_network_config_result(&config);
	have = json_loads(result, JSON_ALLOW_NUL, NULL);
	ck_assert_int_eq(json_equal(want, have), 1);
	json_decref(have);
	json_decref(want);
	free(result);
	free(copy);
	pp_network_config_fini(&config);
}
END_TEST

static const struct {
	const char *keys;
	enum pp_cni_code code;
	bool said, has;
} lists[] = {
	{ "", 0, false, false },
	{ ", 'cni.dev/valid-attachments': null", 0, false, false },
	{ ", 'cni.dev/valid-attachments': []", 0, true, false },
	{ ", 'cni.dev/valid-attachments': [{'containerID': 'web', 'ifname': 'eth0'}]", 0, true, true },
	{ ", 'cni.dev/attachments': [{'containerID': 'web', 'ifname': 'eth0'}]", 0, true, true },
	{ ", 'cni.dev/attachments': [{'containerID': 'web', 'ifname': 'eth0'}], 'cni.dev/valid-attachments': "
	  "[]",
	  0, true, false },
	{ ", 'cni.dev/valid-attachments': [{'containerID': 'web', 'ifname': 'eth1'}, {'containerID': 'we', "
	  "'ifname': "
	  "'beth0'}]",
	  0, true, false },
	{ ", 'cni.dev/valid-attachments': {}", PP_CNI_INVALID, false, false },
	{ ", 'cni.dev/valid-attachments': [{}]", PP_CNI_INVALID, false, false },
	{ ", 'cni.dev/valid-attachments': ['web']", PP_CNI_INVALID, false, false },
	{ ", 'cni.dev/valid-attachments': [{'containerID': 'web', 'ifname': ''}]", PP_CNI_INVALID, false,
	  false },
};

START_TEST(config_lists_what_is_valid)
{
	struct pp_network_config config = PP_NETWORK_CONFIG_INIT;
	struct pp_error err = { 0 };
	json_t *valid = NULL;
	char text[512];

	snprintf(text, sizeof(text), "{'cniVersion': '1.1.0', 'name': 'n'%s}", lists[_i].keys);
	ck_assert_int_eq(read_config(text, &config, &err), PP_CNI_DONE);
	ck_assert_int_eq(pp_network_config_valid(&config, &valid, &err), lists[_i].code);
	ck_assert_int_eq(valid != NULL, lists[_i].said);
	if (valid)
		ck_assert_int_eq(pp_network_config_has(valid, "web", "eth0"), lists[_i].has);
	json_decref(valid);
	pp_network_config_fini(&config);
}
END_TEST

START_TEST(config_is_not_larger_than_memory_allows)
{
	size_t size = PP_JSON_MAX + 1;
	char *text = malloc(size);
	struct pp_network_config config = PP_NETWORK_CONFIG_INIT;
	struct pp_error err;

	memset(text, ' ', size);
	ck_assert_int_eq(pp_network_config_read(text, size, &config, &err), PP_CNI_DECODE);
	memset(text, '[', size);
	ck_assert_int_eq(pp_network_config_read(text, PP_JSON_MAX, &config, &err), PP_CNI_DECODE);
	ck_assert_int_eq(pp_network_config_read(text, 100000, &config, &err), PP_CNI_DECODE);
	free(text);
}
END_TEST

Suite *suite_network_config(void)
{
	Suite *suite = suite_create("network_config");
	TCase *test = tcase_create("network_config");

	tcase_add_loop_test(test, config_has_a_version_and_a_name, 0, UNIT_COUNT(heads));
	tcase_add_test(test, config_knows_which_versions_are_later);
	tcase_add_loop_test(test, config_is_read_as_the_specification_says, 0, UNIT_COUNT(bodies));
	tcase_add_loop_test(test, config_target_is_the_first_address_of_each_family, 0, UNIT_COUNT(results));
	tcase_add_test(test, config_result_is_the_previous_one_with_nothing_dropped);
	tcase_add_loop_test(test, config_lists_what_is_valid, 0, UNIT_COUNT(lists));
	tcase_add_test(test, config_is_not_larger_than_memory_allows);
	suite_add_tcase(suite, test);
	return suite;
}
