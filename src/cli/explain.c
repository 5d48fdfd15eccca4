/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * portpub explain: what `add` would do, and why. It reads, plans and prints: in words with a small
 * picture (explain_text.c), as JSON (explain_json.c), or as the table nft would load. The answer is the
 * one for a host that has nf_tables and a caller who may use it, whoever asks: that is what makes it the
 * same for everybody.
 */
#include "explain.h"

#include "portpub/conflict.h"
#include "portpub/json.h"
#include "portpub/route.h"
#include "portpub/ruleset.h"
#include "portpub/spec.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

enum { OPT_FROM = 256, OPT_DIALECT, OPT_SERVICE, OPT_TO, OPT_VIA, OPT_JSON, OPT_NFT };

static const struct cli_option options[] = {
	{ 'p', "publish", "SPEC", "the same as a SPEC by itself" },
	{ OPT_FROM, "from", "FILE|-", "read publications from JSON, too" },
	{ OPT_DIALECT, "dialect", "NAME",
	  "disco, compose, netavark, cni, docker or oci; told by the keys if left out" },
	{ OPT_SERVICE, "service", "NAME", "of a file with several services" },
	{ OPT_TO, "to", "ADDR[,ADDR6]", "the container's address, or one of each family" },
	{ OPT_VIA, "via", "PATH", "auto (the default), kernel or userspace" },
	{ OPT_JSON, "json", NULL, "answer in JSON" },
	{ OPT_NFT, "nft", NULL, "answer with the nftables rules; needs --to" },
	{ 0 },
};

struct arguments {
	const char *from, *service;
	enum pp_dialect dialect;
	bool json, nft;
	unsigned int seen; /* a bit for each option from OPT_FROM on */
};

static int read_spec(const char *text, struct pp_publications *out, struct pp_error *err)
{
	struct pp_publication publication;
	int ret = pp_spec_parse(text, strlen(text), PP_SPEC_ALL, &publication, err);

	return ret < 0 ? ret : pp_publications_append(out, &publication, err);
}

/* Put the file's name in front of where the error is in it. */
static void name_file(struct pp_error *err, const char *path)
{
	char where[sizeof(err->where)], shown[64];

	if (strcmp(path, "-") == 0)
		return;
	pp_show(shown, sizeof(shown), path, strlen(path));
	snprintf(where, sizeof(where), "%s%s%.*s", shown, err->where[0] ? ": " : "",
		 (int)(sizeof(where) - strlen(shown) - sizeof(": ")), err->where);
	memcpy(err->where, where, sizeof(where));
}

static int read_document(const struct arguments *arguments, struct pp_publications *out, struct pp_error *err)
{
	char *text;
	size_t len;
	int ret = cli_read_file(arguments->from, PP_JSON_MAX, &text, &len, err);

	if (ret < 0)
		return ret;
	ret = pp_json_read(text, len, arguments->dialect, arguments->service, out, err);
	if (ret < 0)
		name_file(err, arguments->from);
	free(text);
	return ret;
}

/* Only -p may be said more than once. */
static bool is_repeated(int key, struct arguments *arguments)
{
	unsigned int bit = key >= OPT_FROM ? 1U << (key - OPT_FROM) : 0;
	bool repeated = arguments->seen & bit;

	arguments->seen |= bit;
	return repeated;
}

static const char *name_of(int key)
{
	const struct cli_option *option = options;

	while (option->key != key)
		option++;
	return option->name;
}

static int take_option(int key, struct arguments *arguments, struct explanation *explanation,
		       struct pp_error *err)
{
	if (is_repeated(key, arguments))
		return pp_fail(err, EINVAL, "--%s is given twice", name_of(key));
	switch (key) {
	case 'p':
		return read_spec(optarg, &explanation->request.publications, err);
	case OPT_FROM:
		arguments->from = optarg;
		return 0;
	case OPT_DIALECT:
		if (!pp_dialect_parse(optarg, &arguments->dialect))
			return pp_fail(err, EINVAL,
				       "--dialect is disco, compose, netavark, cni, docker, oci or auto");
		return 0;
	case OPT_SERVICE:
		arguments->service = optarg;
		return 0;
	case OPT_TO:
		return pp_target_parse(optarg, strlen(optarg), &explanation->request.target, err);
	case OPT_VIA:
		if (!pp_via_parse(optarg, &explanation->request.via))
			return pp_fail(err, EINVAL, "--via is auto, kernel or userspace");
		return 0;
	case OPT_JSON:
		arguments->json = true;
		return 0;
	case OPT_NFT:
		arguments->nft = true;
		return 0;
	default:
		return pp_fail(err, ENOSYS, "an option of the table is not handled: %d", key);
	}
}

static int collect(const struct arguments *arguments, char **specs, struct explanation *explanation,
		   struct pp_error *err)
{
	struct pp_plan ignored;
	int ret = 0;

	for (; ret == 0 && *specs; specs++)
		ret = read_spec(*specs, &explanation->request.publications, err);
	if (ret == 0 && arguments->from)
		ret = read_document(arguments, &explanation->request.publications, err);
	if (ret == 0)
		ret = pp_conflicts_find(&explanation->request.publications, NULL, err);
	for (size_t i = 0; ret == 0 && i < explanation->request.publications.count; i++)
		ret = pp_plan_make(&explanation->request.publications.items[i], &explanation->request,
				   &explanation->host, &ignored, err);
	return ret;
}

static int check_arguments(const struct arguments *arguments, bool specs, struct pp_error *err)
{
	if (!specs && !arguments->from)
		return pp_fail(err, EINVAL, "explain what? portpub explain 8080:80, or --from FILE");
	if (arguments->json && arguments->nft)
		return pp_fail(err, EINVAL, "--json and --nft are two answers: choose one");
	if (!arguments->from && (arguments->service || arguments->dialect != PP_DIALECT_AUTO))
		return pp_fail(err, EINVAL, "--service and --dialect belong to --from");
	return 0;
}

static int explain_nft(const struct explanation *explanation, struct pp_error *err)
{
	struct pp_ruleset ruleset = { .request = &explanation->request, .host = &explanation->host };
	struct pp_error no_way;
	int ret = pp_ruleset_check(&ruleset, err);

	if (ret < 0)
		return ret;
	for (size_t i = 0; i < 2; i++) {
		const struct pp_address *to = pp_target_of(&explanation->request.target, pp_families[i]);

		if (to->family != AF_UNSPEC && pp_route_interface(to, ruleset.interfaces[i], &no_way) < 0)
			printf("# %s\n", no_way.message);
	}
	pp_ruleset_print(&ruleset, stdout);
	return 0;
}

static int answer(const struct arguments *arguments, const struct explanation *explanation,
		  struct pp_error *err)
{
	if (arguments->nft)
		return explain_nft(explanation, err);
	if (arguments->json)
		return explain_json(explanation, err);
	explain_text(explanation);
	return 0;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct explanation explanation = { 0 };
	struct arguments arguments = { 0 };
	struct pp_error err;
	int key, ret = 0, status;

	while (ret == 0 && (key = cli_next_option(self, argc, argv)) != -1) {
		if (key == '?' || key == 'h') {
			pp_publications_fini(&explanation.request.publications);
			if (key == '?')
				return CLI_USAGE;
			cli_print_help(self, stdout);
			return cli_finish();
		}
		ret = take_option(key, &arguments, &explanation, &err);
	}
	if (ret == 0)
		ret = check_arguments(&arguments, explanation.request.publications.count || optind < argc,
				      &err);
	if (ret == 0)
		ret = collect(&arguments, argv + optind, &explanation, &err);
	if (ret == 0)
		ret = answer(&arguments, &explanation, &err);
	status = ret < 0 ? cli_fail(&err) : cli_finish();
	pp_publications_fini(&explanation.request.publications);
	return status;
}

const struct cli_command cli_explain = {
	.name = "explain",
	.synopsis = "[[-p] SPEC...] [--from FILE|- [--dialect NAME] [--service NAME]]\n               [--to "
		    "ADDR[,ADDR6]] [--via PATH] [--json | --nft]",
	.summary = "Say what publishing SPEC would do, and why; needs no privilege and changes nothing",
	.options = options,
	.run = run,
};
