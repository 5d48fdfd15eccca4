/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A number for names that are too long, or too odd, for an id: FNV-1a. Nobody is kept from finding two of one number. */
#ifndef PORTPUB_DIGEST_H
#define PORTPUB_DIGEST_H

#include <stdint.h>

#define PP_DIGEST_INIT ((uint64_t)0xcbf29ce484222325)

/* @digest, and @text after it, to its end: "a", "bc" is not "ab", "c". */
uint64_t pp_digest(uint64_t digest, const char *text);

#endif
