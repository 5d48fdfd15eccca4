/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/foreign.h"

#include "nft.h"
#include "portpub/array.h"

#include <errno.h>
#include <libnftnl/chain.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void pp_foreign_chains_fini(struct pp_foreign_chains *list)
{
	free(list->items);
	*list = PP_FOREIGN_CHAINS_INIT;
}

static int append(struct pp_foreign_chains *list, const struct pp_foreign_chain *chain)
{
	struct pp_foreign_chain *items = pp_grown(list->items, list->count, &list->capacity, sizeof(*items));

	if (!items)
		return -ENOMEM;
	list->items = items;
	list->items[list->count++] = *chain;
	return 0;
}

bool pp_foreign_is_ours(uint8_t family, const char *table)
{
	bool ours = strcmp(table, PP_TABLE_NAME) == 0;

	for (size_t i = 0; i < PP_ANCHORS; i++)
		ours |= strcmp(table, pp_anchor_tables[i]) == 0;
	return family == NFPROTO_INET && ours;
}

static bool describe(const struct nftnl_chain *chain, struct pp_foreign_chain *out)
{
	const char *table = nftnl_chain_get_str(chain, NFTNL_CHAIN_TABLE);
	const char *name = nftnl_chain_get_str(chain, NFTNL_CHAIN_NAME);
	const char *type = nftnl_chain_get_str(chain, NFTNL_CHAIN_TYPE);

	*out = (struct pp_foreign_chain){ .family = (uint8_t)nftnl_chain_get_u32(chain, NFTNL_CHAIN_FAMILY) };
	if (!table || !name || !nftnl_chain_is_set(chain, NFTNL_CHAIN_HOOKNUM) ||
	    pp_foreign_is_ours(out->family, table))
		return false;
	pp_show(out->table, sizeof(out->table), table, strlen(table));
	pp_show(out->name, sizeof(out->name), name, strlen(name));
	out->hook = nftnl_chain_get_u32(chain, NFTNL_CHAIN_HOOKNUM);
	out->priority = nftnl_chain_get_s32(chain, NFTNL_CHAIN_PRIO);
	out->drops = nftnl_chain_is_set(chain, NFTNL_CHAIN_POLICY) &&
		     nftnl_chain_get_u32(chain, NFTNL_CHAIN_POLICY) == NF_DROP;
	out->nat = type && strcmp(type, "nat") == 0;
	return true;
}

static int take_chain(const struct nlmsghdr *message, void *data)
{
	struct nftnl_chain *parsed = nftnl_chain_alloc();
	struct pp_foreign_chain chain;
	int ret = MNL_CB_OK;

	if (!parsed) {
		errno = ENOMEM;
		return MNL_CB_ERROR;
	}
	if (nftnl_chain_nlmsg_parse(message, parsed) == 0 && describe(parsed, &chain) &&
	    append(data, &chain) < 0) {
		errno = ENOMEM;
		ret = MNL_CB_ERROR;
	}
	nftnl_chain_free(parsed);
	return ret;
}

int pp_foreign_chains_read(struct pp_nft *nft, struct pp_foreign_chains *out, struct pp_error *err)
{
	size_t count = out->count;
	int ret;

	do {
		_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
		struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_UNSPEC, NFT_MSG_GETCHAIN,
						      NLM_F_DUMP);

		out->count = count;
		ret = nft_ask(nft, question, take_chain, out);
	} while (ret == -EINTR);
	return ret < 0 ? nft_fail(err, -ret) : 0;
}

bool pp_foreign_is_legacy(sa_family_t family, const char *table)
{
	FILE *names = fopen(family == AF_INET ? "/proc/net/ip_tables_names" : "/proc/net/ip6_tables_names",
			    "re");
	char line[PP_FOREIGN_NAME];
	bool found = false;

	while (names && !found && fgets(line, sizeof(line), names)) {
		line[strcspn(line, "\n")] = '\0';
		found = strcmp(line, table) == 0;
	}
	if (names)
		fclose(names);
	return found;
}

const char *pp_foreign_family(uint8_t family)
{
	switch (family) {
	case NFPROTO_IPV4:
		return "ip";
	case NFPROTO_IPV6:
		return "ip6";
	case NFPROTO_INET:
		return "inet";
	case NFPROTO_BRIDGE:
		return "bridge";
	case NFPROTO_ARP:
		return "arp";
	default:
		return "netdev";
	}
}
