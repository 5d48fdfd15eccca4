/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A batch asks for one acknowledgement, with its last message: one for each would overflow the receive buffer. A
 * refused message answers by itself, and says at which attribute, from which the entry follows. Losing the race
 * for a generation is an answer to the first message.
 *
 * All of a change is one batch where the socket's send buffer can be made large enough. An ordinary user, root of a
 * user namespace too, may only have so much: the change goes in parts then, and what went is undone where a
 * later part fails.
 */
#include "batch.h"
#include "nft.h"
#include "rules.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <string.h>

enum { OVERHEAD = 64 /* of a datagram, in the kernel's account of it */ };

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
		list = nft_find(message, NFTA_SET_ELEM_LIST_ELEMENTS);
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

int nft_send(struct pp_nft *nft, struct batch *batch, size_t *fault)
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
		nft->is_known = false;
		return 0;
	}
	if (answer.code == ERESTART)
		return -EAGAIN;
	*fault = find_fault(batch, &answer);
	return -answer.code;
}

/* How far a change has come. The rules come last: a table without them is known for not being whole. */
struct progress {
	bool sets, rules;
	size_t removed, added;
};

static bool is_done(const struct pp_nft_change *change, const struct progress *progress)
{
	return progress->rules && progress->removed == change->remove.count &&
	       progress->added == change->add.count;
}

/* The next batch of the change, of at most @limit bytes. */
static int build_batch(const struct pp_nft *nft, const struct pp_nft_change *change, bool checked,
		       size_t limit, struct progress *progress, struct batch *batch, struct pp_error *err)
{
	int ret = batch_open(batch, checked ? &nft->generation : NULL, err);

	if (ret == 0 && !progress->sets)
		ret = rules_build_sets(batch, change->found == PP_NFT_DAMAGED, nft->records, err);
	progress->sets = true;
	if (ret == 0)
		ret = batch_entries(batch, false, change->remove.items, change->remove.count,
				    &progress->removed, limit, err);
	if (ret == 0 && progress->removed == change->remove.count)
		ret = batch_entries(batch, true, change->add.items, change->add.count, &progress->added,
				    limit, err);
	if (ret == 0 && !progress->rules && progress->added == change->add.count &&
	    batch->size < limit - RULES_SIZE) {
		ret = rules_build_chains(batch, err);
		progress->rules = true;
	}
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

		ret = build_batch(nft, change, checked, limit, &next, &batch, err);
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
		ret = nft_send(nft, &batch, &part);
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

/* A table that was being made anew is nothing to go back to: the next command begins again. */
static void undo_table(struct pp_nft *nft)
{
	struct batch batch = { .sequence = nft->sequence };
	struct pp_error ignored;
	size_t fault;

	if (batch_open(&batch, NULL, &ignored) == 0 &&
	    rules_build_nothing(&batch, PP_TABLE_NAME, &ignored) == 0 && batch_close(&batch, &ignored) == 0)
		nft_send(nft, &batch, &fault);
	batch_fini(&batch);
}

/* Earlier batches of a change whose later one failed. */
static void undo(struct pp_nft *nft, const struct pp_nft_change *change, const struct progress *done)
{
	struct pp_nft_change back = {
		.found = PP_NFT_WHOLE,
		.remove = { change->add.items, done->added },
		.add = { change->remove.items, done->removed },
	};
	struct progress progress = { .sets = true, .rules = true };
	struct pp_error ignored;
	size_t fault;

	if (change->found == PP_NFT_WHOLE)
		commit_parts(nft, &back, false, &progress, &fault, &ignored);
	else
		undo_table(nft);
}

int pp_nft_commit(struct pp_nft *nft, const struct pp_nft_change *change, size_t *fault, struct pp_error *err)
{
	bool whole = change->found == PP_NFT_WHOLE;
	struct progress done = { .sets = whole, .rules = whole };
	int ret;

	*fault = 0;
	if (is_done(change, &done))
		return 0;
	ret = commit_parts(nft, change, true, &done, fault, err);
	if (ret < 0 && (done.added || done.removed || done.sets != whole))
		undo(nft, change, &done);
	return ret;
}
