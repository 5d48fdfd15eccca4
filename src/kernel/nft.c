/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * The kernel works a datagram off before sendto() returns, so that all answers are there to be read without
 * waiting; answers to earlier questions, which may be left over, are told by their sequence numbers. A batch
 * asks for one acknowledgement, with its last message; a refused message answers by itself, and says at which
 * attribute, from which the entry follows. Losing the race for a generation is an answer to the first message.
 */
#include "portpub/nft.h"

#include "batch.h"
#include "nft.h"
#include "rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libmnl/libmnl.h>
#include <libnftnl/chain.h>
#include <libnftnl/expr.h>
#include <libnftnl/rule.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

enum {
	RECEIVE_SIZE = 32768 /* what the kernel fills at most */,
	OVERHEAD = 64 /* the kernel keeps 32 bytes for itself */
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

int nft_ask(struct pp_nft *nft, const struct nlmsghdr *question, mnl_cb_t take, void *data)
{
	_Alignas(struct nlmsghdr) char buffer[RECEIVE_SIZE];
	unsigned int port = mnl_socket_get_portid(nft->socket);
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
		ret = mnl_cb_run(buffer, (size_t)n, question->nlmsg_seq, port, take, data);
	}
	return ret < 0 ? -errno : 0;
}

static const struct nlattr *find(const struct nlmsghdr *message, uint16_t type)
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
	const struct nlattr *id = find(message, NFTA_GEN_ID);

	if (id && mnl_attr_validate(id, MNL_TYPE_U32) >= 0)
		*(uint32_t *)data = ntohl(mnl_attr_get_u32(id));
	return MNL_CB_OK;
}

static int count_message(const struct nlmsghdr *message, void *data)
{
	(void)message;
	++*(size_t *)data;
	return MNL_CB_OK;
}

static int add_rules(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *table = find(message, NFTA_CHAIN_TABLE), *use = find(message, NFTA_CHAIN_USE);

	if (table && use && mnl_attr_validate(table, MNL_TYPE_NUL_STRING) >= 0 &&
	    mnl_attr_validate(use, MNL_TYPE_U32) >= 0 && strcmp(mnl_attr_get_str(table), PP_TABLE_NAME) == 0)
		*(size_t *)data += ntohl(mnl_attr_get_u32(use));
	return MNL_CB_OK;
}

/* As the chains count them: nothing jumps to a chain, which would count, too. To list the rules costs more. */
static int count_rules(struct pp_nft *nft, size_t *count)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE];
	struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETCHAIN, NLM_F_DUMP);

	*count = 0;
	return nft_ask(nft, question, add_rules, count);
}

static int find_table(struct pp_nft *nft, bool *found)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE];
	struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETTABLE, 0);
	size_t count = 0;
	int ret;

	mnl_attr_put_strz(question, NFTA_TABLE_NAME, PP_TABLE_NAME);
	ret = nft_ask(nft, question, count_message, &count);
	*found = count > 0;
	return ret == -ENOENT ? 0 : ret;
}

static int read_generation(struct pp_nft *nft)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE];
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

int pp_nft_look(struct pp_nft *nft, enum pp_nft_state *state, struct pp_error *err)
{
	bool found = true;
	size_t count = 0;
	int ret = read_generation(nft);

	do {
		if (ret == 0 || ret == -EINTR)
			ret = count_rules(nft, &count);
	} while (ret == -EINTR);
	if (ret == 0 && count == 0)
		ret = find_table(nft, &found);
	if (ret < 0)
		return nft_fail(err, -ret);
	*state = !found ? PP_NFT_ABSENT : count == rules_count() ? PP_NFT_WHOLE : PP_NFT_DAMAGED;
	return 0;
}

/* What the kernel said to a batch. */
struct answer {
	int code;          /* of the first refusal; 0: none */
	uint32_t sequence; /* of the message that was refused */
	uint32_t offset;   /* of the attribute in it; 0 where that is not told */
	bool acknowledged;
};

static uint32_t read_offset(const struct nlmsghdr *message)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);
	size_t skip = sizeof(*error);
	const struct nlattr *attr;

	if (!(message->nlmsg_flags & NLM_F_ACK_TLVS))
		return 0;
	if (!(message->nlmsg_flags & NLM_F_CAPPED))
		skip += MNL_ALIGN(error->msg.nlmsg_len - sizeof(struct nlmsghdr));
	mnl_attr_for_each (attr, message, skip) {
		if (mnl_attr_get_type(attr) == NLMSGERR_ATTR_OFFS &&
		    mnl_attr_validate(attr, MNL_TYPE_U32) >= 0)
			return mnl_attr_get_u32(attr);
	}
	return 0;
}

static void read_answer(const struct nlmsghdr *message, uint32_t first, uint32_t last, struct answer *answer)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(message);

	if (message->nlmsg_type != NLMSG_ERROR || message->nlmsg_seq < first || message->nlmsg_seq > last)
		return;
	if (error->error == 0) {
		answer->acknowledged = true;
	} else if (answer->code == 0) {
		answer->code = -error->error;
		answer->sequence = message->nlmsg_seq;
		answer->offset = read_offset(message);
	}
}

/* Errors may overflow the buffer; then the first ones, which are there, are enough. */
static int read_answers(struct pp_nft *nft, uint32_t first, uint32_t last, struct answer *answer)
{
	_Alignas(struct nlmsghdr) char buffer[8192];

	for (;;) {
		ssize_t n = recv(mnl_socket_get_fd(nft->socket), buffer, sizeof(buffer), MSG_DONTWAIT);
		const struct nlmsghdr *message = (void *)buffer;
		int left = (int)n;

		if (n < 0 && errno == ENOBUFS)
			continue;
		if (n < 0)
			break;
		for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left))
			read_answer(message, first, last, answer);
	}
	if (errno != EAGAIN)
		return -errno;
	return answer->code || answer->acknowledged ? 0 : -EIO;
}

/* The entry, counted among those that @batch adds, at which the kernel stopped. */
static size_t find_fault(const struct batch *batch, const struct answer *answer)
{
	const struct nlmsghdr *message = (void *)batch->data;
	int left = (int)batch->size;
	size_t count = 0;

	for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
		const struct nlattr *list, *element;

		if (message->nlmsg_type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_NEWSETELEM))
			continue;
		list = find(message, NFTA_SET_ELEM_LIST_ELEMENTS);
		mnl_attr_for_each_nested(element, list)
		{
			size_t end = (size_t)((const char *)mnl_attr_get_payload(element) -
					      (const char *)message) +
				     mnl_attr_get_payload_len(element);

			if (message->nlmsg_seq == answer->sequence && end > answer->offset)
				return count;
			count++;
		}
	}
	return 0;
}

/* How many bytes may be sent at once, having tried to have @wanted. */
static size_t make_room(struct pp_nft *nft, size_t wanted)
{
	int size = (int)wanted, have = 0, fd = mnl_socket_get_fd(nft->socket);
	socklen_t len = sizeof(have);

	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &have, &len);
	if ((size_t)have >= wanted)
		return (size_t)have - OVERHEAD;
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	getsockopt(fd, SOL_SOCKET, SO_SNDBUF, &have, &len);
	return (size_t)have - OVERHEAD;
}

/* Returns 0, or a negative errno without words; -EAGAIN for a stale generation. */
static int send_batch(struct pp_nft *nft, struct batch *batch, size_t *fault)
{
	uint32_t first = ((struct nlmsghdr *)batch->data)->nlmsg_seq;
	struct answer answer = { 0 };
	int ret;

	nft->sequence = batch->sequence;
	if (mnl_socket_sendto(nft->socket, batch->data, batch->size) < 0)
		return -errno;
	ret = read_answers(nft, first, batch->sequence, &answer);
	if (ret < 0)
		return ret;
	if (answer.code == 0) {
		nft->generation++;
		return 0;
	}
	if (answer.code == ERESTART)
		return -EAGAIN;
	*fault = find_fault(batch, &answer);
	return -answer.code;
}

/* How far a change has come. */
struct progress {
	bool built;
	size_t removed, added;
};

static bool is_done(const struct pp_nft_change *change, const struct progress *progress)
{
	return progress->built && progress->removed == change->remove.count &&
	       progress->added == change->add.count;
}

/* The next batch of the change, of at most @limit bytes. */
static int build_batch(const struct pp_nft_change *change, const uint32_t *generation, size_t limit,
		       struct progress *progress, struct batch *batch, struct pp_error *err)
{
	int ret = batch_open(batch, generation, err);

	if (ret == 0 && !progress->built && change->found != PP_NFT_WHOLE)
		ret = rules_build(batch, change->found == PP_NFT_DAMAGED, err);
	progress->built = true;
	if (ret == 0)
		ret = batch_entries(batch, false, change->remove.items, change->remove.count,
				    &progress->removed, limit, err);
	if (ret == 0 && progress->removed == change->remove.count)
		ret = batch_entries(batch, true, change->add.items, change->add.count, &progress->added,
				    limit, err);
	return ret == 0 ? batch_close(batch, err) : ret;
}

/*
 * Builds the batch as if it could have any size, and where the socket's buffer may only grow so far, again and
 * again in parts.
 */
static int commit_parts(struct pp_nft *nft, const struct pp_nft_change *change, bool checked,
			struct progress *done, size_t *fault, struct pp_error *err)
{
	struct batch batch = { .sequence = nft->sequence };
	size_t limit = SIZE_MAX, part = 0;
	int ret = 0;

	while (ret == 0 && !is_done(change, done)) {
		struct progress next = *done;

		ret = build_batch(change, checked ? &nft->generation : NULL, limit, &next, &batch, err);
		if (ret < 0)
			break;
		if (batch.size > limit) {
			ret = nft_fail(err, EMSGSIZE);
			break;
		}
		if (limit == SIZE_MAX) {
			limit = make_room(nft, batch.size + OVERHEAD);
			if (batch.size > limit)
				continue;
		}
		ret = send_batch(nft, &batch, &part);
		if (ret < 0) {
			*fault = done->added + part;
			nft_fail(err, -ret);
			break;
		}
		*done = next;
	}
	batch_fini(&batch);
	return ret;
}

/* Earlier batches of a change whose later one failed. The table itself may stay: it does nothing empty. */
static void undo(struct pp_nft *nft, const struct pp_nft_change *change, const struct progress *done)
{
	struct pp_nft_change back = {
		.found = PP_NFT_WHOLE,
		.remove = { change->add.items, done->added },
		.add = { change->remove.items, change->found == PP_NFT_WHOLE ? done->removed : 0 },
	};
	struct progress progress = { .built = true };
	struct pp_error ignored;
	size_t fault = 0;

	commit_parts(nft, &back, false, &progress, &fault, &ignored);
}

int pp_nft_commit(struct pp_nft *nft, const struct pp_nft_change *change, size_t *fault, struct pp_error *err)
{
	struct progress done = { .built = change->found == PP_NFT_WHOLE };
	int ret;

	*fault = 0;
	if (is_done(change, &done))
		return 0;
	ret = commit_parts(nft, change, true, &done, fault, err);
	if (ret < 0 && (done.added || done.removed))
		undo(nft, change, &done);
	return ret;
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
	const struct nlattr *list = find(message, NFTA_SET_ELEM_LIST_ELEMENTS), *element;
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
		_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE];
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

int pp_nft_get(struct pp_nft *nft, const struct pp_entry *key, struct pp_entry *out, struct pp_error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE];
	struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETSETELEM, 0);
	struct pp_entries found = PP_ENTRIES_INIT;
	/* cppcheck-suppress ctuuninitvar ; the error is pointed at, and not read */
	struct reading reading = { key->set, NULL, NULL, &found, err, 0 };
	int ret;

	batch_put_key(question, key);
	ret = nft_ask(nft, question, take_entries, &reading);
	if (ret < 0 && ret != -ENOENT)
		nft_fail(err, -ret);
	else if (reading.ret < 0)
		ret = reading.ret;
	else if (found.count == 0)
		ret = pp_fail(err, ENOENT, "there is no such element");
	else
		*out = found.items[0];
	pp_entries_fini(&found);
	return ret;
}

/* nft swaps the one byte of a protocol that it looks up among intervals, which changes nothing. */
static bool is_idle(const struct nftnl_expr *expression)
{
	return strcmp(nftnl_expr_get_str(expression, NFTNL_EXPR_NAME), "byteorder") == 0 &&
	       nftnl_expr_get_u32(expression, NFTNL_EXPR_BYTEORDER_LEN) == 1;
}

/* A rule in the words of libnftnl, without what differs from one table to the next. */
static void describe_rule(struct nftnl_rule *rule, char *out, size_t size)
{
	struct nftnl_expr_iter *iter = nftnl_expr_iter_create(rule);
	struct nftnl_expr *expression;
	int used = snprintf(out, size, "%s:", nftnl_rule_get_str(rule, NFTNL_RULE_CHAIN));

	while (iter && (expression = nftnl_expr_iter_next(iter)) && (size_t)used < size - 1) {
		if (is_idle(expression))
			continue;
		used += snprintf(out + used, size - (size_t)used, " ");
		used += nftnl_expr_snprintf(out + used, size - (size_t)used, expression, NFTNL_OUTPUT_DEFAULT,
					    0);
	}
	if (iter)
		nftnl_expr_iter_destroy(iter);
}

enum { RULE_TEXT = 2048 };

struct rules_check {
	size_t next; /* of the rules that should be there */
	void (*differ)(const char *line, void *data);
	void *data;
	bool failed;
};

static int check_rule(const struct nlmsghdr *message, void *data)
{
	char have[RULE_TEXT], want[RULE_TEXT] = "", line[RULE_TEXT + 64];
	struct rules_check *check = data;
	struct nftnl_rule *there = nftnl_rule_alloc(), *should = NULL;

	if (!there || nftnl_rule_nlmsg_parse(message, there) < 0) {
		check->failed = true;
	} else {
		describe_rule(there, have, sizeof(have));
		if (check->next < rules_count() && (should = rules_make(check->next)))
			describe_rule(should, want, sizeof(want));
		if (strcmp(have, want) != 0) {
			snprintf(line, sizeof(line), "another rule in the kernel: %.200s", have);
			check->differ(line, check->data);
		}
	}
	check->next++;
	if (there)
		nftnl_rule_free(there);
	if (should)
		nftnl_rule_free(should);
	return MNL_CB_OK;
}

int pp_nft_check(struct pp_nft *nft, void (*differ)(const char *line, void *data), void *data,
		 struct pp_error *err)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE];
	struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETRULE, NLM_F_DUMP);
	struct rules_check check = { .differ = differ, .data = data };
	char line[96];
	int ret;

	mnl_attr_put_strz(question, NFTA_RULE_TABLE, PP_TABLE_NAME);
	ret = nft_ask(nft, question, check_rule, &check);
	if (ret < 0)
		return nft_fail(err, -ret);
	if (check.failed)
		return pp_fail(err, EIO, "cannot read the rules of the table");
	if (check.next < rules_count()) {
		snprintf(line, sizeof(line), "missing in the kernel: %zu of %zu rules",
			 rules_count() - check.next, rules_count());
		differ(line, data);
	}
	return 0;
}
