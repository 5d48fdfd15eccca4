/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claims.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum pp_spec_forms forms[] = { PP_SPEC_SHORT, PP_SPEC_ALL };

	for (size_t i = 0; i < 2; i++) {
		struct pp_publication publication;
		struct pp_error err = { 0 };

		if (pp_spec_parse((const char *)data, size, forms[i], &publication, &err) < 0)
			claim_error(&err);
		else
			claim_publication(&publication);
	}
	return 0;
}
