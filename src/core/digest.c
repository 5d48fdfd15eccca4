/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/digest.h"

uint64_t pp_digest(uint64_t digest, const char *text)
{
	do {
		digest = (digest ^ (unsigned char)*text) * 0x100000001b3;
	} while (*text++);
	return digest;
}
