/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a CNI runtime writes: whatever it is, it is right or it has a code, and what is right can be said again. */
#include "claims.h"

#include "portpub/network_config.h"

static void claim_condition(const struct pp_condition *condition, sa_family_t family)
{
	struct pp_address_range ranges[2];
	char text[PP_CONDITION_TEXT];

	pp_condition_format(condition, text);
	claim((text[0] == '\0') == pp_condition_is_any(condition));
	claim(pp_condition_ranges(&condition->source, condition->not_source, family, ranges) <= 2);
	claim(pp_condition_ranges(&condition->destination, condition->not_destination, family, ranges) <= 2);
}

static void claim_target(const struct pp_network_config *config)
{
	struct pp_target target;
	struct pp_error err;

	if (pp_network_config_target(config, "eth0", &target, &err) != PP_CNI_DONE) {
		claim_error(&err);
		return;
	}
	claim(target.ipv4.family == AF_UNSPEC || target.ipv4.family == AF_INET);
	claim(target.ipv6.family == AF_UNSPEC || target.ipv6.family == AF_INET6);
}

static void claim_result(const struct pp_network_config *config)
{
	char *text = pp_network_config_result(config);
	json_t *again = json_loads(text, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, NULL);

	claim(json_is_object(again));
	claim(strcmp(json_string_value(json_object_get(again, "cniVersion")), config->version) == 0);
	claim(json_object_size(again) >= json_object_size(config->previous));
	json_decref(again);
	free(text);
}

static void claim_valid(const struct pp_network_config *config)
{
	struct pp_error err;
	json_t *valid;

	if (pp_network_config_valid(config, &valid, &err) != PP_CNI_DONE) {
		claim_error(&err);
		return;
	}
	if (valid)
		pp_network_config_has(valid, "web", "eth0");
	json_decref(valid);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_network_config config = PP_NETWORK_CONFIG_INIT;
	struct pp_error err;

	if (pp_network_config_read((const char *)data, size, &config, &err) != PP_CNI_DONE) {
		claim_error(&err);
		return 0;
	}
	claim(pp_attachment_is_name(config.name));
	claim_valid(&config);
	if (pp_network_config_read_ports(&config, &err) != PP_CNI_DONE) {
		claim_error(&err);
	} else {
		claim_condition(&config.only[0], AF_INET);
		claim_condition(&config.only[1], AF_INET6);
		if (config.previous) {
			claim_target(&config);
			claim_result(&config);
		}
	}
	pp_network_config_fini(&config);
	return 0;
}
