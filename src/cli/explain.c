/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portpub explain: what `add` would do, and why. It reads, plans and prints: in words with a small
 * picture (explain_text.c), as JSON (explain_json.c), or as the table nft would load. The answer is the
 * one for a host that has nf_tables and a caller who may use it, whoever asks: that is what makes it the
 * same for everybody. Of this host it takes the container's bridge.
 */
#include "explain.h"

#include "portpub/publish.h"
#include "portpub/ruleset.h"
#include "request.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>

enum { OPT_JSON = REQUEST_OPTION_END, OPT_NFT };

static const struct cli_option options[] = {
	REQUEST_OPTIONS,
	{ OPT_JSON, "json", NULL, "answer in JSON", false },
	{ OPT_NFT, "nft", NULL, "answer with the nftables rules; needs --to", false },
	{ 0 },
};

struct question {
	struct request_arguments arguments;
	struct explanation explanation;
	bool json, nft;
};

static int take_option(int key, void *data, struct pp_error *err)
{
	struct question *question = data;

	switch (key) {
	case OPT_JSON:
		question->json = true;
		return 0;
	case OPT_NFT:
		question->nft = true;
		return 0;
	default:
		return request_take(key, &question->arguments, &question->explanation.request, err);
	}
}

static int explain_nft(const struct pp_request *request, struct pp_error *err)
{
	struct pp_record record = { .request = *request };
	struct pp_error no_way;
	int ret = pp_ruleset_check(request, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < 2; i++) {
		if (pp_publish_find_way(&record, pp_families[i], &no_way) < 0)
			printf("# %s\n", no_way.message);
	}
	return pp_ruleset_print(&record, stdout, err);
}

/* All that is asked of this host: does the container reach itself? Where there is no way to it, it does not tell. */
static void look_at_bridge(struct pp_request *request)
{
	struct pp_record record = { .request = *request };
	struct pp_error no_way;

	for (size_t f = 0; f < 2; f++) {
		if (pp_publish_find_way(&record, pp_families[f], &no_way) == 0)
			request->alone[f] = record.request.alone[f];
	}
}

static int answer(const struct question *question, struct pp_error *err)
{
	if (question->json && question->nft)
		return pp_fail(err, EINVAL, "--json and --nft are two answers: choose one");
	if (question->nft)
		return explain_nft(&question->explanation.request, err);
	if (question->json)
		return explain_json(&question->explanation, err);
	explain_text(&question->explanation);
	return 0;
}

static int explain(const struct cli_command *self, int argc, char **argv, struct question *question,
		   struct pp_error *err)
{
	struct pp_request *request = &question->explanation.request;
	int ret = cli_options(self, argc, argv, take_option, question, err);

	if (ret == 0)
		ret = request_complete(self->name, &question->arguments, argv + optind, request, err);
	if (ret == 0)
		ret = request_plan(request, err);
	if (ret == 0)
		look_at_bridge(request);
	return ret == 0 ? answer(question, err) : ret;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct question question = { 0 };
	struct pp_error err;
	int ret = explain(self, argc, argv, &question, &err);

	pp_request_fini(&question.explanation.request);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_explain = {
	.name = "explain",
	.synopsis = "[[-p] SPEC...] [--from FILE|- [--dialect NAME] [--service NAME]]\n               [--to "
		    "ADDR[,ADDR6]] [--via PATH] [--allow CIDR]... [--json | --nft]",
	.summary = "Say what publishing SPEC would do, and why; needs no privilege and changes nothing",
	.options = options,
	.run = run,
};
