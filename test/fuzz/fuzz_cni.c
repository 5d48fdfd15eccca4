/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	claim_document(data, size, PP_DIALECT_CNI, NULL);
	return 0;
}
