/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What an OCI runtime writes: whatever it is, it has an id and a task, or an error in words; so have its annotations. */
#include "claims.h"

#include "portpub/hook_state.h"
#include "portpub/record.h"

static void claim_request(const struct pp_hook_state *state)
{
	struct pp_request request = { 0 };
	struct pp_error err = { 0 };
	bool is_via_said;

	if (pp_hook_state_request(state, &request, &is_via_said, &err) < 0)
		claim_error(&err);
	for (size_t i = 0; i < request.publications.count; i++)
		claim_publication(&request.publications.items[i]);
	pp_request_fini(&request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pp_hook_state state = PP_HOOK_STATE_INIT;
	enum pp_hook_task task;
	char id[PP_HOOK_ID];
	struct pp_error err;

	if (pp_hook_state_read((const char *)data, size, &state, &err) < 0) {
		claim_error(&err);
		return 0;
	}
	claim(state.container[0] && state.pid >= 0);
	claim(pp_id_check(pp_hook_state_id(&state, id), &err) == 0);
	if (pp_hook_state_task(&state, NULL, &task, &err) < 0)
		claim_error(&err);
	claim_request(&state);
	pp_hook_state_fini(&state);
	return 0;
}
