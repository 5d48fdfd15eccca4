/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to nf_tables, for those who ask about more than our table. */
#ifndef PORTPUB_KERNEL_NFT_H
#define PORTPUB_KERNEL_NFT_H

#include "portpub/nft.h"

#include <libmnl/libmnl.h>

/* Of what a question is written in, which begins as zeros: before 1.0.5, libmnl leaves padding as it is. */
enum { NFT_QUESTION_SIZE = 1024 };

/* Begin a question of one message in @buffer. */
struct nlmsghdr *nft_begin(struct pp_nft *nft, char *buffer, uint8_t family, uint16_t type, uint16_t flags);

/*
 * Send it, and give each answer to @take. Returns 0 or a negative errno without words: -EINTR where a dump
 * was taken while the rulesets changed.
 */
int nft_ask(struct pp_nft *nft, const struct nlmsghdr *question, mnl_cb_t take, void *data);

/*
 * Send a batch, which is closed. Returns 0, or a negative errno without words; -EAGAIN for a stale generation.
 * *@fault is the entry, counted among those it adds, at which the kernel stopped.
 */
struct batch;
int nft_send(struct pp_nft *nft, struct batch *batch, size_t *fault);

/* The attribute of an answer, or NULL. */
const struct nlattr *nft_find(const struct nlmsghdr *message, uint16_t type);

/* An errno of nf_tables in words. */
int nft_fail(struct pp_error *err, int code);

#endif
