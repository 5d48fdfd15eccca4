/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Networks, one a line: each reads back as itself, and merging changes no answer. */
#include "claims.h"

#include "portpub/network.h"

static void claim_network(const struct pp_network *network)
{
	struct pp_address last = pp_network_last(network);
	char text[PP_NETWORK_TEXT], again_text[PP_NETWORK_TEXT];
	struct pp_network again;
	struct pp_error err;

	pp_network_format(network, text);
	claim(pp_network_parse(text, strlen(text), &again, &err) == 0);
	claim(strcmp(pp_network_format(&again, again_text), text) == 0);
	claim(pp_network_has(network, &network->address) && pp_network_has(network, &last));
}

static void read_lines(const char *text, size_t size, struct pp_networks *list)
{
	struct pp_network network;
	struct pp_error err;
	size_t len;

	for (; size > 0; text += len, size -= len) {
		const char *end = memchr(text, '\n', size);

		len = end ? (size_t)(end - text) : size;
		if (pp_network_parse(text, len, &network, &err) < 0) {
			claim_error(&err);
		} else {
			claim_network(&network);
			claim(pp_networks_append(list, &network, &err) == 0);
		}
		len += end != NULL;
	}
}

/* Where an answer could change: at the ends of a network, and on either side of them. */
static void claim_ends(const struct pp_networks *networks, const struct pp_networks *one,
		       const struct pp_networks *other)
{
	for (size_t i = 0; i < networks->count; i++) {
		struct pp_address ends[2] = { networks->items[i].address,
					      pp_network_last(&networks->items[i]) };

		for (size_t side = 0; side < 2; side++) {
			struct pp_address beside = ends[side];
			size_t byte = beside.family == AF_INET ? 4 : 16;

			do {
				byte--;
				beside.bytes[byte] = (uint8_t)(beside.bytes[byte] + (side ? 1 : 255));
			} while (byte > 0 && beside.bytes[byte] == (side ? 0 : 255));
			claim(pp_networks_have(one, &ends[side]) && pp_networks_have(other, &ends[side]));
			claim(pp_networks_have(one, &beside) == pp_networks_have(other, &beside));
		}
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_networks list = PP_NETWORKS_INIT, merged = PP_NETWORKS_INIT;
	struct pp_error err;

	read_lines((const char *)data, size, &list);
	for (size_t i = 0; i < list.count; i++)
		claim(pp_networks_append(&merged, &list.items[i], &err) == 0);
	pp_networks_merge(&merged);

	claim_ends(&list, &list, &merged);
	claim_ends(&merged, &list, &merged);
	for (size_t i = 1; i < merged.count; i++)
		claim(!pp_network_has(&merged.items[i - 1], &merged.items[i].address));
	pp_networks_fini(&list);
	pp_networks_fini(&merged);
	return 0;
}
