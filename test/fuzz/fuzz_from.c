/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole --from reader: any document, any dialect; and, like argv, the service it is asked for. */
#include "claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	claim_document(data, size, PP_DIALECT_AUTO, NULL);
	claim_document(data, size, PP_DIALECT_AUTO, "web");
	return 0;
}
