/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel.h"

#include "portpub/generation.h"
#include "portpub/nft.h"

#include <poll.h>
#include <stdbool.h>
#include <sys/prctl.h>
#include <sys/socket.h>

static bool is_ready(int fd)
{
	struct pollfd ready = { .fd = fd, .events = POLLIN };

	return poll(&ready, 1, 0) == 1;
}

/* Make the table anew. */
static void commit(void)
{
	struct pp_nft_change change = { 0 };
	struct pp_nft nft = PP_NFT_INIT;
	struct pp_error err;
	size_t fault;

	ck_assert_int_eq(pp_nft_open(&nft, &err), 0);
	ck_assert_int_eq(pp_nft_look(&nft, &change.found, &err), 0);
	if (change.found == PP_NFT_WHOLE)
		change.found = PP_NFT_DAMAGED;
	ck_assert_msg(pp_nft_commit(&nft, &change, &fault, &err) == 0, "%s", err.message);
	pp_nft_close(&nft);
}

/* What one of us does is no change, whatever else its name says. */
static const struct {
	const char *name;
	bool wakes;
} names[] = {
	{ "portpub", false },
	{ "portpub-keeper", false },
	{ "docker-proxy", false },
	{ "dockerd", true },
	{ "docker-pro", true },
	{ "docker-proxies", true },
	{ "dock", true },
	{ "port", true },
	{ "portmap", true },
	{ "portpu", true },
	{ "p", true },
	{ "", true },
	{ "nft", true },
	{ "xportpub", true },
	{ "Portpub", true },
};

START_TEST(generation_wakes_for_transactions_and_nothing_else)
{
	struct pp_generation generation = PP_GENERATION_INIT;
	struct pp_error err;
	char message[4096];

	ck_assert_msg(pp_generation_open(&generation, &err) == 0, "%s", err.message);
	ck_assert(!pp_generation_drain(&generation));
	kernel_sh("nft list ruleset; ip link add name more type bridge");
	ck_assert(!is_ready(generation.fd));
	kernel_sh("nft 'add table ip a; add table ip b; add chain ip a c'");
	ck_assert_int_gt(recv(generation.fd, message, sizeof(message), 0), 0);
	ck_assert_int_lt(recv(generation.fd, message, sizeof(message), 0), 0); /* one for all of it */
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		prctl(PR_SET_NAME, names[i].name);
		commit();
		ck_assert_msg(is_ready(generation.fd) == names[i].wakes, "%s", names[i].name);
		ck_assert_msg(pp_generation_drain(&generation) == names[i].wakes, "%s", names[i].name);
	}
	kernel_sh("nft delete table ip b");
	ck_assert(is_ready(generation.fd));
	ck_assert(pp_generation_drain(&generation));
	ck_assert_str_eq(generation.name, "nft");
	ck_assert(!is_ready(generation.fd));
	ck_assert(!pp_generation_drain(&generation));
	pp_generation_close(&generation);
	pp_generation_close(&generation);
}
END_TEST

START_TEST(generation_hears_of_more_changes_than_it_has_room_for)
{
	struct pp_generation generation = PP_GENERATION_INIT;
	struct pp_error err;
	int least = 1;

	ck_assert_msg(pp_generation_open(&generation, &err) == 0, "%s", err.message);
	ck_assert_int_eq(setsockopt(generation.fd, SOL_SOCKET, SO_RCVBUF, &least, sizeof(least)), 0);
	kernel_sh("for i in $(seq 20); do echo \"add table ip t$i\"; done | nft -i");
	ck_assert(is_ready(generation.fd));
	ck_assert(pp_generation_drain(&generation));
	ck_assert(!pp_generation_drain(&generation));
	kernel_sh("nft flush ruleset");
	ck_assert(is_ready(generation.fd));
	ck_assert(pp_generation_drain(&generation));
	pp_generation_close(&generation);
}
END_TEST

Suite *suite_generation(void)
{
	Suite *suite = suite_create("generation");
	TCase *tcase = tcase_create("generation");

	tcase_add_checked_fixture(tcase, kernel_new_host, NULL);
	tcase_add_test(tcase, generation_wakes_for_transactions_and_nothing_else);
	tcase_add_test(tcase, generation_hears_of_more_changes_than_it_has_room_for);
	suite_add_tcase(suite, tcase);
	return suite;
}
