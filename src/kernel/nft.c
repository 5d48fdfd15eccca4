/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to nf_tables and their answers. The kernel works a datagram off before sendto() returns, so that all
 * answers are there to be read without waiting; answers to earlier questions, which may be left over, are told
 * by their sequence numbers.
 */
#include "portpub/nft.h"

#include "batch.h"
#include "nft.h"
#include "rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

enum {
	RECEIVE_SIZE = 32768, /* what the kernel fills at most */
	SET_COUNT = 20,       /* NFTA_SET_COUNT, which older headers lack */
	DUMP_GAIN = 8,        /* elements of a dump for the price of one answer, and less */
	FIND_MAX = 64, /* elements in one question: the answers wait, each by itself, until they are read */
	FIND_SIZE = 8192,
};

int nft_fail(struct pp_error *err, int code)
{
	switch (code) {
	case EPERM:
	case EACCES:
		return pp_fail(
			err, EPERM,
			"the kernel path needs CAP_NET_ADMIN in this network namespace: run it as root");
	case EOPNOTSUPP:
	case EPROTONOSUPPORT:
	case EAFNOSUPPORT:
		return pp_fail(
			err, EOPNOTSUPP,
			"this kernel has no nf_tables: it needs CONFIG_NF_TABLES and CONFIG_NF_TABLES_INET");
	case EINVAL: /* of the kernel, not of the user */
		code = EPROTO;
		break;
	}
	return pp_fail(err, code, "nf_tables: %s", strerror(code));
}

void pp_nft_close(struct pp_nft *nft)
{
	if (nft->socket)
		mnl_socket_close(nft->socket);
	nft->socket = NULL;
}

struct nlmsghdr *nft_begin(struct pp_nft *nft, char *buffer, uint8_t family, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *message = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *generic;

	message->nlmsg_type = (uint16_t)((NFNL_SUBSYS_NFTABLES << 8) | type);
	message->nlmsg_flags = NLM_F_REQUEST | flags;
	message->nlmsg_seq = ++nft->sequence;
	generic = mnl_nlmsg_put_extra_header(message, sizeof(*generic));
	generic->nfgen_family = family;
	generic->version = NFNETLINK_V0;
	return message;
}

/* Take the mark of a dump that changes spoilt off its messages, so that it is read to its end. */
static bool take_mark(char *buffer, ssize_t size)
{
	struct nlmsghdr *message = (void *)buffer;
	bool marked = false;
	int left = (int)size;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		marked |= message->nlmsg_flags & NLM_F_DUMP_INTR;
		message->nlmsg_flags &= (uint16_t)~NLM_F_DUMP_INTR;
	}
	return marked;
}

int nft_ask(struct pp_nft *nft, const struct nlmsghdr *question, mnl_cb_t take, void *data)
{
	_Alignas(struct nlmsghdr) char buffer[RECEIVE_SIZE];
	unsigned int port = mnl_socket_get_portid(nft->socket);
	bool spoilt = false;
	int ret = MNL_CB_OK;

	if (mnl_socket_sendto(nft->socket, question, question->nlmsg_len) < 0)
		return -errno;
	while (ret > MNL_CB_STOP) {
		ssize_t n = recv(mnl_socket_get_fd(nft->socket), buffer, sizeof(buffer), MSG_DONTWAIT);

		if (n < 0 && errno == EAGAIN)
			return 0; /* one answer, and no dump */
		if (n < 0)
			return -errno;
		if (((struct nlmsghdr *)buffer)->nlmsg_seq != question->nlmsg_seq)
			continue; /* left over */
		spoilt |= take_mark(buffer, n);
		ret = mnl_cb_run(buffer, (size_t)n, question->nlmsg_seq, port, take, data);
	}
	if (ret < 0)
		return -errno;
	return spoilt ? -EINTR : 0;
}

const struct nlattr *nft_find(const struct nlmsghdr *message, uint16_t type)
{
	const struct nlattr *attr;

	mnl_attr_for_each (attr, message, sizeof(struct nfgenmsg)) {
		if (mnl_attr_get_type(attr) == type)
			return attr;
	}
	return NULL;
}

static int take_generation(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *id = nft_find(message, NFTA_GEN_ID);

	if (id && mnl_attr_validate(id, MNL_TYPE_U32) >= 0)
		*(uint32_t *)data = ntohl(mnl_attr_get_u32(id));
	return MNL_CB_OK;
}

static int add_rules(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *table = nft_find(message, NFTA_CHAIN_TABLE),
			    *use = nft_find(message, NFTA_CHAIN_USE);

	if (table && use && mnl_attr_validate(table, MNL_TYPE_NUL_STRING) >= 0 &&
	    mnl_attr_validate(use, MNL_TYPE_U32) >= 0 && strcmp(mnl_attr_get_str(table), PP_TABLE_NAME) == 0)
		*(size_t *)data += ntohl(mnl_attr_get_u32(use));
	return MNL_CB_OK;
}

/* As the chains count them: nothing jumps to a chain, which would count, too. To list the rules costs more. */
static int count_rules(struct pp_nft *nft, size_t *count)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
	struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETCHAIN, NLM_F_DUMP);

	*count = 0;
	return nft_ask(nft, question, add_rules, count);
}

struct table {
	bool found, dormant;
	char comment[COMMENT_MAX + 1];
};

static int take_table(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *flags = nft_find(message, NFTA_TABLE_FLAGS);
	struct table *table = data;

	table->found = true;
	table->dormant = flags && mnl_attr_validate(flags, MNL_TYPE_U32) >= 0 &&
			 ntohl(mnl_attr_get_u32(flags)) & NFT_TABLE_F_DORMANT;
	comment_parse(nft_find(message, NFTA_TABLE_USERDATA), table->comment, sizeof(table->comment));
	return MNL_CB_OK;
}

static int find_table(struct pp_nft *nft, struct table *table)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
	struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETTABLE, 0);
	int ret;

	*table = (struct table){ 0 };
	mnl_attr_put_strz(question, NFTA_TABLE_NAME, PP_TABLE_NAME);
	ret = nft_ask(nft, question, take_table, table);
	return ret == -ENOENT ? 0 : ret;
}

static int read_generation(struct pp_nft *nft)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
	struct nlmsghdr *question = nft_begin(nft, buffer, AF_UNSPEC, NFT_MSG_GETGEN, 0);
	int ret = nft_ask(nft, question, take_generation, &nft->generation);

	return ret == -EINVAL ? -EOPNOTSUPP : ret; /* there is no such subsystem */
}

int pp_nft_open(struct pp_nft *nft, struct pp_error *err)
{
	int on = 1, ret = 0;

	nft->socket = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC);
	if (!nft->socket)
		return nft_fail(err, errno);
	if (mnl_socket_bind(nft->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		ret = -errno;
	/* Without them an error is still an error, if one that says less. */
	mnl_socket_setsockopt(nft->socket, NETLINK_EXT_ACK, &on, sizeof(on));
	mnl_socket_setsockopt(nft->socket, NETLINK_CAP_ACK, &on, sizeof(on));
	if (ret == 0)
		ret = read_generation(nft);
	if (ret == 0)
		return 0;
	pp_nft_close(nft);
	return nft_fail(err, -ret);
}

struct reading {
	enum pp_set set;
	bool (*keep)(const struct pp_entry *entry, void *data);
	void *data;
	struct pp_entries *out;
	struct pp_error *err;
	int ret;
};

static int take_entries(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *list = nft_find(message, NFTA_SET_ELEM_LIST_ELEMENTS), *element;
	struct reading *reading = data;
	struct pp_entry entry;

	if (!list)
		return MNL_CB_OK;
	mnl_attr_for_each_nested(element, list)
	{
		if (!entry_parse(element, reading->set, &entry) ||
		    (reading->keep && !reading->keep(&entry, reading->data)))
			continue;
		if (reading->ret == 0)
			reading->ret = pp_entries_append(reading->out, &entry, reading->err);
	}
	return MNL_CB_OK;
}

int pp_nft_read(struct pp_nft *nft, enum pp_set set, bool (*keep)(const struct pp_entry *entry, void *data),
		void *data, struct pp_entries *out, struct pp_error *err)
{
	struct reading reading = { set, keep, data, out, err, 0 };
	size_t count = out->count;
	int ret;

	do {
		_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
		struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETSETELEM,
						      NLM_F_DUMP);

		out->count = count;
		mnl_attr_put_strz(question, NFTA_SET_ELEM_LIST_TABLE, PP_TABLE_NAME);
		mnl_attr_put_strz(question, NFTA_SET_ELEM_LIST_SET, pp_set_shape(set)->name);
		ret = nft_ask(nft, question, take_entries, &reading);
	} while (ret == -EINTR); /* somebody changed it meanwhile */
	if (ret < 0 && ret != -ENOENT)
		return nft_fail(err, -ret);
	return reading.ret;
}

static bool is_of_others(const struct pp_nft *nft, const struct table *table)
{
	static const size_t before = sizeof(RULES_COMMENT) - 1;

	return nft->records && strncmp(table->comment, RULES_COMMENT, before) == 0 &&
	       strcmp(table->comment + before, nft->records) != 0;
}

static bool count_entry(const struct pp_entry *entry, void *data)
{
	(void)entry;
	++*(size_t *)data;
	return false;
}

/* An empty table is nobody's any more, whatever it says. */
static int check_empty(struct pp_nft *nft, const struct table *table, struct pp_error *err)
{
	struct pp_entries none = PP_ENTRIES_INIT;
	char records[PP_NFT_RECORDS + 8];
	size_t count = 0;
	int ret = 0;

	for (int set = 0; ret == 0 && set < PP_SET_COUNT; set++)
		ret = pp_nft_read(nft, (enum pp_set)set, count_entry, &count, &none, err);
	pp_entries_fini(&none);
	if (ret < 0 || count == 0)
		return ret;
	pp_show(records, sizeof(records), table->comment + sizeof(RULES_COMMENT) - 1,
		strlen(table->comment) - (sizeof(RULES_COMMENT) - 1));
	return pp_fail(err, EBUSY,
		       "what is published here has its records elsewhere: PORTPUB_RUNTIME_DIR=%s is what to"
		       " call portpub with, or nft delete table inet " PP_TABLE_NAME " if they are gone",
		       records);
}

/* The state of the table, which is there. */
static int judge(struct pp_nft *nft, const struct table *table, enum pp_nft_state *state)
{
	size_t count = 0;
	int ret;

	do
		ret = count_rules(nft, &count);
	while (ret == -EINTR);
	*state = count == rules_count() && !table->dormant ? PP_NFT_WHOLE : PP_NFT_DAMAGED;
	return ret;
}

int pp_nft_look(struct pp_nft *nft, enum pp_nft_state *state, struct pp_error *err)
{
	uint32_t before = nft->generation;
	struct table table = { 0 };
	int ret = read_generation(nft);

	if (ret == 0 && nft->is_known && nft->generation == before) {
		*state = nft->state;
		return 0;
	}
	nft->is_known = false;
	*state = PP_NFT_ABSENT;
	if (ret == 0)
		ret = find_table(nft, &table);
	if (ret == 0 && table.found && is_of_others(nft, &table)) {
		*state = PP_NFT_DAMAGED;
		return check_empty(nft, &table, err);
	}
	if (ret == 0 && table.found)
		ret = judge(nft, &table, state);
	if (ret < 0)
		return nft_fail(err, -ret);
	nft->state = *state;
	nft->is_known = true;
	return 0;
}

static int take_count(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *count = nft_find(message, SET_COUNT);

	if (count && mnl_attr_validate(count, MNL_TYPE_U32) >= 0)
		*(size_t *)data = ntohl(mnl_attr_get_u32(count));
	return MNL_CB_OK;
}

/* How many elements @set has. A kernel that does not tell, before 6.16, might have any number. */
static size_t count_set(struct pp_nft *nft, enum pp_set set)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE] = { 0 };
	struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETSET, 0);
	size_t count = SIZE_MAX;

	mnl_attr_put_strz(question, NFTA_SET_TABLE, PP_TABLE_NAME);
	mnl_attr_put_strz(question, NFTA_SET_NAME, pp_set_shape(set)->name);
	return nft_ask(nft, question, take_count, &count) < 0 ? SIZE_MAX : count;
}

static bool is_at_one(const struct pp_entry *entry, void *data)
{
	return pp_entry_refs_find(data, entry);
}

/* Ask for @refs, of one set and as many as one question has room for. The kernel stops at the first that is not there. */
static int find_some(struct pp_nft *nft, const struct pp_entry_refs *refs, size_t *done,
		     struct pp_entries *out, struct pp_error *err)
{
	_Alignas(struct nlmsghdr) char buffer[FIND_SIZE];
	struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETSETELEM, 0);
	struct reading reading = { refs->items[0]->set, NULL, NULL, out, err, 0 };
	size_t count = refs->count < FIND_MAX ? refs->count : FIND_MAX, found = out->count;
	int ret;

	batch_put_keys(question, refs->items, count);
	ret = nft_ask(nft, question, take_entries, &reading);
	if (ret < 0 && ret != -ENOENT)
		return nft_fail(err, -ret);
	*done = ret == 0 ? count : out->count - found + 1;
	return reading.ret;
}

/* Each answer is a message of its own, which costs as much as a dozen elements in the messages of a dump. */
static int find_in_set(struct pp_nft *nft, struct pp_entry_refs refs, struct pp_entries *out,
		       struct pp_error *err)
{
	enum pp_set set = refs.items[0]->set;
	size_t done = 0;
	int ret = 0;

	if (refs.count > FIND_MAX && count_set(nft, set) / DUMP_GAIN < refs.count)
		return pp_nft_read(nft, set, is_at_one, &refs, out, err);
	for (; ret == 0 && refs.count > 0; refs.items += done, refs.count -= done)
		ret = find_some(nft, &refs, &done, out, err);
	return ret;
}

int pp_nft_find(struct pp_nft *nft, const struct pp_entry_refs *refs, struct pp_entries *out,
		struct pp_error *err)
{
	int ret = 0;

	for (size_t begin = 0, end; ret == 0 && begin < refs->count; begin = end) {
		for (end = begin + 1; end < refs->count && refs->items[end]->set == refs->items[begin]->set;
		     end++)
			;
		ret = find_in_set(nft, (struct pp_entry_refs){ refs->items + begin, end - begin }, out, err);
	}
	return ret;
}

int pp_nft_get(struct pp_nft *nft, const struct pp_entry *key, struct pp_entry *out, struct pp_error *err)
{
	const struct pp_entry_refs refs = { &key, 1 };
	struct pp_entries found = PP_ENTRIES_INIT;
	int ret = pp_nft_find(nft, &refs, &found, err);

	if (ret == 0 && found.count == 0)
		ret = pp_fail(err, ENOENT, "there is no such element");
	else if (ret == 0)
		*out = found.items[0];
	pp_entries_fini(&found);
	return ret;
}
