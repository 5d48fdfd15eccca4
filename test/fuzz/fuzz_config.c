/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configurations: what is read, written again in the plainest way, is the same. */
#include "claims.h"

#include "portpub/config.h"

#include <stdio.h>

static void claim_same(const struct pp_config *config)
{
	char text[256], address[PP_ADDRESS_TEXT];
	struct pp_config again;
	struct pp_error err;
	int len = snprintf(text, sizeof(text), "via=%s\ndocker-proxy.kernel=%s", pp_via_name(config->via),
			   config->docker_proxy_kernel ? "on" : "off");

	if (config->default_address.family != AF_UNSPEC)
		len += snprintf(text + len, sizeof(text) - (size_t)len, "\ndefault-address=%s",
				pp_address_format(&config->default_address, address));
	claim(pp_config_parse("again", text, (size_t)len, &again, &err) == 0);
	claim(again.via == config->via);
	claim(again.docker_proxy_kernel == config->docker_proxy_kernel);
	claim(again.default_address.family == config->default_address.family);
	claim(pp_address_compare(&again.default_address, &config->default_address) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = malloc(size ? size : 1); /* as large as it is, so that the sanitizer sees who reads on */
	struct pp_error err = { 0 };
	struct pp_config config;

	claim(text != NULL);
	if (size)
		memcpy(text, data, size);
	if (pp_config_parse("a \x1b file", text, size, &config, &err) == 0) {
		claim(config.via < PP_VIA_COUNT);
		claim_same(&config);
	} else {
		claim_error(&err);
	}
	free(text);
	return 0;
}
