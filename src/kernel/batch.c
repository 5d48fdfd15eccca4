/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

enum {
	MESSAGE_MAX = 60000, /* the list of elements is one attribute, of at most 65,535 bytes */
	ELEMENT_MAX = 256,
	HEADROOM = 256, /* headers and names of a message, or the end of the batch */
	ROOM_FOR_ONE = 2 * HEADROOM + ELEMENT_MAX,
	COMMENT_TYPE = 0, /* nft's own type of user data */
};

void batch_fini(struct batch *batch)
{
	free(batch->data);
	*batch = (struct batch){ .sequence = batch->sequence };
}

int batch_reserve(struct batch *batch, size_t size, struct pp_error *err)
{
	size_t wanted = batch->size + size, capacity = batch->capacity ? batch->capacity : 8192;
	char *data;

	if (wanted <= batch->capacity)
		return 0;
	while (capacity < wanted)
		capacity += capacity / 2;
	data = realloc(batch->data, capacity);
	if (!data)
		return pp_fail(err, ENOMEM, "out of memory");
	batch->data = data;
	batch->capacity = capacity;
	return 0;
}

static struct nlmsghdr *begin(struct batch *batch, uint16_t type, uint8_t family, uint16_t flags,
			      uint16_t resource)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(batch->data + batch->size);
	struct nfgenmsg *generic;

	message->nlmsg_type = type;
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++batch->sequence;
	generic = mnl_nlmsg_put_extra_header(message, sizeof(*generic));
	generic->nfgen_family = family;
	generic->version = NFNETLINK_V0;
	generic->res_id = htons(resource);
	return message;
}

struct nlmsghdr *batch_begin(struct batch *batch, uint16_t type, uint16_t family, uint16_t flags)
{
	return begin(batch, (NFNL_SUBSYS_NFTABLES << 8) | type, (uint8_t)family, flags, 0);
}

void batch_end(struct batch *batch, const struct nlmsghdr *message)
{
	batch->size += MNL_ALIGN(message->nlmsg_len);
}

int batch_open(struct batch *batch, const uint32_t *generation, struct pp_error *err)
{
	struct nlmsghdr *message;

	batch->size = 0;
	if (batch_reserve(batch, HEADROOM, err) < 0)
		return -ENOMEM;
	message = begin(batch, NFNL_MSG_BATCH_BEGIN, AF_UNSPEC, 0, NFNL_SUBSYS_NFTABLES);
	if (generation)
		mnl_attr_put_u32(message, NFNL_BATCH_GENID, htonl(*generation));
	batch_end(batch, message);
	return 0;
}

/* The last message asks for an answer: one for each would overflow the receive buffer. */
static void ask_for_answer(struct batch *batch)
{
	struct nlmsghdr *message = (void *)batch->data;
	int left = (int)batch->size;

	while (left > (int)MNL_ALIGN(message->nlmsg_len))
		message = mnl_nlmsg_next(message, &left);
	message->nlmsg_flags |= NLM_F_ACK;
}

int batch_close(struct batch *batch, struct pp_error *err)
{
	if (batch_reserve(batch, HEADROOM, err) < 0)
		return -ENOMEM;
	ask_for_answer(batch);
	batch_end(batch, begin(batch, NFNL_MSG_BATCH_END, AF_UNSPEC, 0, NFNL_SUBSYS_NFTABLES));
	return 0;
}

static void put_data(struct nlmsghdr *message, uint16_t type, const void *data, size_t size)
{
	struct nlattr *nest = mnl_attr_nest_start(message, type);

	mnl_attr_put(message, NFTA_DATA_VALUE, size, data);
	mnl_attr_nest_end(message, nest);
}

void batch_put_comment(struct nlmsghdr *message, uint16_t type, const char *text)
{
	uint8_t data[2 + COMMENT_MAX + 1];
	size_t len = strnlen(text, COMMENT_MAX);

	data[0] = COMMENT_TYPE;
	data[1] = (uint8_t)(len + 1);
	memcpy(data + 2, text, len);
	data[2 + len] = '\0';
	mnl_attr_put(message, type, 2 + len + 1, data);
}

/* To remove an entry its key is enough. */
static void put_element(struct nlmsghdr *message, const struct pp_entry *entry, bool whole)
{
	const struct pp_shape *shape = pp_set_shape(entry->set);
	struct nlattr *nest = mnl_attr_nest_start(message, NFTA_LIST_ELEM);

	put_data(message, NFTA_SET_ELEM_KEY, entry->key, pp_key_size(shape));
	if (shape->interval)
		put_data(message, NFTA_SET_ELEM_KEY_END, entry->last, pp_key_size(shape));
	if (whole && shape->map)
		put_data(message, NFTA_SET_ELEM_DATA, entry->value, pp_value_size(shape));
	if (whole && entry->owner[0])
		batch_put_comment(message, NFTA_SET_ELEM_USERDATA, entry->owner);
	mnl_attr_nest_end(message, nest);
}

static void put_names(struct nlmsghdr *message, const char *set)
{
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_TABLE, PP_TABLE_NAME);
	mnl_attr_put_strz(message, NFTA_SET_ELEM_LIST_SET, set);
}

void batch_put_keys(struct nlmsghdr *message, const struct pp_entry *const entries[], size_t count)
{
	struct nlattr *list;

	put_names(message, pp_set_shape(entries[0]->set)->name);
	list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
	for (size_t i = 0; i < count; i++)
		put_element(message, entries[i], false);
	mnl_attr_nest_end(message, list);
}

/*
 * A shared entry may be there already, through a record that has no container in common with the one at hand
 * but its bridge; an owned one must not.
 */
static uint16_t flags_of(const struct pp_entry *entry, bool add)
{
	if (!add)
		return 0;
	return entry->owner[0] ? NLM_F_CREATE | NLM_F_EXCL : NLM_F_CREATE;
}

int batch_entries(struct batch *batch, bool add, const struct pp_entry *const entries[], size_t count,
		  size_t *next, size_t limit, struct pp_error *err)
{
	while (*next < count && batch->size + ROOM_FOR_ONE < limit) {
		const struct pp_entry *first = entries[*next];
		struct nlmsghdr *message;
		struct nlattr *list;

		if (batch_reserve(batch, MESSAGE_MAX + HEADROOM + ELEMENT_MAX, err) < 0)
			return -ENOMEM;
		message = batch_begin(batch, add ? NFT_MSG_NEWSETELEM : NFT_MSG_DELSETELEM, NFPROTO_INET,
				      flags_of(first, add));
		put_names(message, pp_set_shape(first->set)->name);
		list = mnl_attr_nest_start(message, NFTA_SET_ELEM_LIST_ELEMENTS);
		while (*next < count && entries[*next]->set == first->set &&
		       message->nlmsg_len < MESSAGE_MAX &&
		       batch->size + message->nlmsg_len + HEADROOM + ELEMENT_MAX < limit)
			put_element(message, entries[(*next)++], add);
		mnl_attr_nest_end(message, list);
		batch_end(batch, message);
	}
	return 0;
}

static const struct nlattr *find(const struct nlattr *nest, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each_nested(attr, nest)
	{
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static bool get_data(const struct nlattr *element, uint16_t type, uint8_t *out, size_t size)
{
	const struct nlattr *attr = find(element, type), *value = attr ? find(attr, NFTA_DATA_VALUE) : NULL;

	if (!value || mnl_attr_get_payload_len(value) != size)
		return false;
	memcpy(out, mnl_attr_get_payload(value), size);
	return true;
}

bool comment_parse(const struct nlattr *attr, char *out, size_t size)
{
	const uint8_t *data = attr ? mnl_attr_get_payload(attr) : NULL;
	size_t len = attr ? mnl_attr_get_payload_len(attr) : 0;

	if (len < 2 || data[0] != COMMENT_TYPE || data[1] > len - 2 || data[1] > size)
		return false;
	snprintf(out, size, "%.*s", (int)data[1], (const char *)data + 2);
	return true;
}

static void get_owner(const struct nlattr *element, char out[static PP_ID_SIZE])
{
	struct pp_error ignored;

	if (!comment_parse(find(element, NFTA_SET_ELEM_USERDATA), out, PP_ID_SIZE) ||
	    pp_id_check(out, &ignored) < 0) /* somebody else's words */
		out[0] = '\0';
}

/* nft writes one counter as an expression, and several as a list: a kernel may tell it either way. */
static uint64_t get_packets(const struct nlattr *element)
{
	const struct nlattr *expression = find(element, NFTA_SET_ELEM_EXPR), *list, *data, *packets;

	if (!expression) {
		list = find(element, NFTA_SET_ELEM_EXPRESSIONS);
		expression = list ? find(list, NFTA_LIST_ELEM) : NULL;
	}
	data = expression ? find(expression, NFTA_EXPR_DATA) : NULL;
	packets = data ? find(data, NFTA_COUNTER_PACKETS) : NULL;
	if (!packets || mnl_attr_validate(packets, MNL_TYPE_U64) < 0)
		return 0;
	return be64toh(mnl_attr_get_u64(packets));
}

bool entry_parse(const struct nlattr *element, enum pp_set set, struct pp_entry *out)
{
	const struct pp_shape *shape = pp_set_shape(set);

	*out = (struct pp_entry){ .set = set };
	if (!get_data(element, NFTA_SET_ELEM_KEY, out->key, pp_key_size(shape)))
		return false;
	if (shape->interval && !get_data(element, NFTA_SET_ELEM_KEY_END, out->last, pp_key_size(shape)))
		memcpy(out->last, out->key, sizeof(out->last));
	if (shape->map && !get_data(element, NFTA_SET_ELEM_DATA, out->value, pp_value_size(shape)))
		return false;
	get_owner(element, out->owner);
	if (shape->map)
		out->packets = get_packets(element);
	return true;
}
