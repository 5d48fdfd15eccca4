/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 *	lock	anchor-1 or anchor-2, whichever is free: of all who want it, one has it
 *	table	made anew by a socket that stays open
 *
 * When the owner dies, both end. The lock goes first by a moment in which the table is still there: whoever has
 * taken the lock then is refused the table, and gives the lock back. Who has waited for the end of the process comes
 * later, and finds neither.
 *
 * A table of the name that has no owner, as it comes of a saved ruleset, is replaced.
 */
#include "portpub/anchor.h"

#include "batch.h"
#include "nft.h"
#include "rules.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { ATTEMPTS = 100 };

void pp_anchor_close(struct pp_anchor *anchor)
{
	pp_nft_close(&anchor->nft);
	for (size_t i = 0; i < PP_ANCHORS; i++) {
		if (anchor->files[i] >= 0)
			close(anchor->files[i]);
	}
	*anchor = PP_ANCHOR_INIT;
}

int pp_anchor_open(struct pp_anchor *anchor, int dir, struct pp_error *err)
{
	static const char *const names[PP_ANCHORS] = { "anchor-1", "anchor-2" };
	struct pp_anchor opened = PP_ANCHOR_INIT;
	int ret = pp_nft_open(&opened.nft, err);

	for (size_t i = 0; ret == 0 && i < PP_ANCHORS; i++) {
		opened.files[i] = openat(dir, names[i], O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
		if (opened.files[i] < 0)
			ret = pp_fail(err, errno == EINVAL ? EIO : errno,
				      "cannot open %s beside the records: %s", names[i], strerror(errno));
	}
	if (ret < 0)
		pp_anchor_close(&opened);
	else
		*anchor = opened;
	return ret;
}

int pp_anchor_fail(struct pp_error *err, int code)
{
	if (code == EINVAL || code == EOPNOTSUPP) /* before Linux 5.12, unknown flags are the former */
		return pp_fail(
			err, EOPNOTSUPP,
			"this kernel has no tables with an owner (Linux 5.12): when somebody flushes the"
			" rulesets, established connections through published ports are reset");
	return nft_fail(err, code);
}

struct table {
	bool found;
	uint32_t owner; /* the port of its socket, or 0 */
};

static int take_table(const struct nlmsghdr *message, void *data)
{
	const struct nlattr *owner = nft_find(message, NFTA_TABLE_OWNER);
	struct table *table = data;

	table->found = true;
	if (owner && mnl_attr_validate(owner, MNL_TYPE_U32) >= 0)
		table->owner = ntohl(mnl_attr_get_u32(owner));
	return MNL_CB_OK;
}

static int find_table(struct pp_nft *nft, const char *name, struct table *table)
{
	_Alignas(struct nlmsghdr) char buffer[NFT_QUESTION_SIZE];
	struct nlmsghdr *question = nft_begin(nft, buffer, NFPROTO_INET, NFT_MSG_GETTABLE, 0);
	int ret;

	*table = (struct table){ 0 };
	mnl_attr_put_strz(question, NFTA_TABLE_NAME, name);
	ret = nft_ask(nft, question, take_table, table);
	return ret == -ENOENT ? 0 : ret;
}

/* Returns 0 or a negative errno without words. */
static int make_table(struct pp_nft *nft, const char *name, bool exists)
{
	struct batch batch = { .sequence = nft->sequence };
	struct pp_error err;
	size_t fault;
	int ret = batch_open(&batch, NULL, &err);

	if (ret == 0)
		ret = rules_build_anchor(&batch, name, exists, &err);
	if (ret == 0)
		ret = batch_close(&batch, &err);
	if (ret == 0)
		ret = nft_send(nft, &batch, &fault);
	batch_fini(&batch);
	return ret;
}

/* The lock is ours. -EBUSY: the table is somebody's all the same. */
static int take_table_of(struct pp_nft *nft, const char *name, struct pp_error *err)
{
	int ret = -EEXIST;

	for (int attempt = 0; attempt < ATTEMPTS && (ret == -EEXIST || ret == -ENOENT); attempt++) {
		struct table table;

		ret = find_table(nft, name, &table);
		if (ret == 0 && table.owner)
			return pp_fail(err, EBUSY, "the table inet %s has an owner", name);
		if (ret == 0)
			ret = make_table(nft, name, table.found);
	}
	return ret < 0 ? pp_anchor_fail(err, -ret) : 0;
}

static int set_lock(int file, short type)
{
	struct flock lock = { .l_type = type, .l_whence = SEEK_SET };

	return fcntl(file, F_SETLK, &lock) < 0 ? -errno : 0;
}

static int take(struct pp_anchor *anchor, size_t i, struct pp_error *err)
{
	int ret = set_lock(anchor->files[i], F_WRLCK);

	if (ret == -EACCES || ret == -EAGAIN)
		return pp_fail(err, EBUSY, "the table inet %s has an owner", pp_anchor_tables[i]);
	if (ret < 0)
		return pp_fail(err, -ret, "cannot lock the file of the table inet %s: %s",
			       pp_anchor_tables[i], strerror(-ret));
	ret = take_table_of(&anchor->nft, pp_anchor_tables[i], err);
	if (ret < 0)
		set_lock(anchor->files[i], F_UNLCK);
	else
		anchor->number = (int)i + 1;
	return ret;
}

int pp_anchor_take(struct pp_anchor *anchor, struct pp_error *err)
{
	int ret = anchor->number ? 0 : -EBUSY;

	for (size_t i = 0; ret == -EBUSY && i < PP_ANCHORS; i++)
		ret = take(anchor, i, err);
	return ret;
}

pid_t pp_anchor_owner(const struct pp_anchor *anchor, int number)
{
	struct flock lock = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

	if (fcntl(anchor->files[number - 1], F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : -1;
}

int pp_anchor_watch(const struct pp_anchor *anchor, int number)
{
	pid_t pid = pp_anchor_owner(anchor, number);
	int fd;

	if (pid <= 0)
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (fd < 0)
		return -errno;
	if (pp_anchor_owner(anchor, number) == pid) /* and nobody else has got the number meanwhile */
		return fd;
	close(fd);
	return -ESRCH;
}
