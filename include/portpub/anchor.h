/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A table that outlives a flush of all rulesets, and with it every established connection.
 *
 * When the last rule goes that asks about connections, as in `nft flush ruleset`, the kernel stops tracking and
 * translating them, and the packets of those that were translated are answered with a reset. A table that has an
 * owner (Linux 5.12) is passed over by a flush, and refused to everybody else; it ends with its owner's socket.
 * There are two at most, each with an owner of its own, so that the death of one leaves no gap.
 *
 * Whose they are is told by locks on the files anchor-1 and anchor-2, beside the records: the kernel notifies
 * nobody of the end of such a table, but it knows the process that holds a lock, and tells when that ends.
 */
#ifndef PORTPUB_ANCHOR_H
#define PORTPUB_ANCHOR_H

#include "portpub/nft.h"

#include <sys/types.h>

struct pp_anchor {
	struct pp_nft nft; /* whose socket is the owner */
	int files[PP_ANCHORS];
	int number; /* of the one that is ours, from 1 on; or 0 */
};

#define PP_ANCHOR_INIT ((struct pp_anchor){ PP_NFT_INIT, { -1, -1 }, 0 })

/*
 * Once in a process: its locks are on the files, whichever descriptor they were opened by, and all of them end when
 * one is closed. They are lost in a child, and kept by another program in the same process. @dir is the directory
 * of the records, which is not needed later.
 */
int pp_anchor_open(struct pp_anchor *anchor, int dir, struct pp_error *err);
void pp_anchor_close(struct pp_anchor *anchor);

/*
 * Own one of them, from now on until pp_anchor_close. -EBUSY: all have owners; pp_anchor_watch tells when to try again.
 * -EOPNOTSUPP: this kernel has no such tables, which the words tell. -EPERM without CAP_NET_ADMIN.
 */
int pp_anchor_take(struct pp_anchor *anchor, struct pp_error *err);

/* The process that has number @number; 0 where nobody else has it, -1 for one of a PID namespace we cannot see into. */
pid_t pp_anchor_owner(const struct pp_anchor *anchor, int number);

/*
 * A descriptor, the caller's to close, that becomes readable when the owner of @number ends; -ESRCH where nobody
 * else has it, or whoever has it cannot be seen.
 */
int pp_anchor_watch(const struct pp_anchor *anchor, int number);

/* What a refusal of such a table means, as an errno of the kernel: fills @err and returns a negative errno. */
int pp_anchor_fail(struct pp_error *err, int code);

#endif
