/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sets of other tables: the kernel says whether a key is in one, be it of numbers, intervals or both. */
#include "match.h"
#include "nft.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdio.h>
#include <string.h>

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr;

	if (!nest)
		return NULL;
	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static const struct nlattr *find_in(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, message, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static int take_key_size(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *size = find_in(message, NFTA_SET_KEY_LEN);

	if (size && mnl_attr_validate(size, MNL_TYPE_U32) >= 0)
		*(uint32_t *)data = ntohl(mnl_attr_get_u32(size));
	return MNL_CB_OK;
}

void set_key_size(struct pp_nft *nft, uint8_t family, const char *table, const char *set, uint32_t *size)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
	struct nlmsghdr *question = nft_begin(nft, buffer, family, NFT_MSG_GETSET, 0);

	*size = 0;
	mnl_attr_put_strz(question, NFTA_SET_TABLE, table);
	mnl_attr_put_strz(question, NFTA_SET_NAME, set);
	nft_ask(nft, question, take_key_size, size);
}

static void take_verdict(const struct nlattr *verdict, struct set_answer *answer)
{
	const struct nlattr *code = find(verdict, NFTA_VERDICT_CODE),
			    *chain = find(verdict, NFTA_VERDICT_CHAIN);

	answer->effect = EFFECT_ANY;
	if (code && mnl_attr_validate(code, MNL_TYPE_U32) >= 0)
		answer->effect = match_effect(ntohl(mnl_attr_get_u32(code)));
	if (chain && mnl_attr_validate(chain, MNL_TYPE_NUL_STRING) >= 0)
		snprintf(answer->chain, sizeof(answer->chain), "%s", mnl_attr_get_str(chain));
}

static int take_element(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *list = find_in(message, NFTA_SET_ELEM_LIST_ELEMENTS),
			    *element = find(list, NFTA_LIST_ELEM), *given = find(element, NFTA_SET_ELEM_DATA),
			    *value = find(given, NFTA_DATA_VALUE), *verdict = find(given, NFTA_DATA_VERDICT);
	struct set_answer *answer = data;

	answer->match = MATCH_YES;
	if (verdict)
		take_verdict(verdict, answer);
	if (value && mnl_attr_get_payload_len(value) <= sizeof(answer->data)) {
		answer->size = mnl_attr_get_payload_len(value);
		memcpy(answer->data, mnl_attr_get_payload(value), answer->size);
	}
	return MNL_CB_OK;
}

/* Without a key it is the element for what no other one is for. */
static int ask(struct pp_nft *nft, uint8_t family, const char *table, const char *set, const uint8_t *key,
	       size_t size, struct set_answer *answer)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
	struct nlmsghdr *question = nft_begin(nft, buffer, family, NFT_MSG_GETSETELEM, 0);
	struct nlattr *list, *element, *nest;

	mnl_attr_put_strz(question, NFTA_SET_ELEM_LIST_TABLE, table);
	mnl_attr_put_strz(question, NFTA_SET_ELEM_LIST_SET, set);
	list = mnl_attr_nest_start(question, NFTA_SET_ELEM_LIST_ELEMENTS);
	element = mnl_attr_nest_start(question, NFTA_LIST_ELEM);
	if (key) {
		nest = mnl_attr_nest_start(question, NFTA_SET_ELEM_KEY);
		mnl_attr_put(question, NFTA_DATA_VALUE, size, key);
		mnl_attr_nest_end(question, nest);
	} else {
		mnl_attr_put_u32(question, NFTA_SET_ELEM_FLAGS, htonl(NFT_SET_ELEM_CATCHALL));
	}
	mnl_attr_nest_end(question, element);
	mnl_attr_nest_end(question, list);
	return nft_ask(nft, question, take_element, answer);
}

/* Kernels before 5.13 have none for all others, and say that they do not know what is asked. */
struct set_answer set_ask(struct pp_nft *nft, uint8_t family, const char *table, const char *set,
			  const uint8_t *key, size_t size)
{
	struct set_answer answer = { .match = MATCH_MAYBE };
	int ret = ask(nft, family, table, set, key, size, &answer);

	if (ret == -ENOENT) {
		ret = ask(nft, family, table, set, NULL, 0, &answer);
		if (ret == -ENOENT || ret == -EINVAL)
			answer.match = MATCH_NO;
	}
	return answer;
}
