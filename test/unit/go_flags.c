/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/go_flags.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ARGUMENTS = 8 };

struct values {
	const char *text;
	int number;
	bool on;
};

/* What the program is told by @words, separated by a bar each. "" is no argument at all. */
static enum pp_go_flags_result read_words(const char *words, struct values *values, struct pp_error *err)
{
	struct pp_go_flag flags[] = {
		{ "text", "", &values->text, NULL, NULL },
		{ "number", "", NULL, &values->number, NULL },
		{ "on", "", NULL, NULL, &values->on },
		{ 0 },
	};
	static char copy[512], program[] = "program";
	char *argv[ARGUMENTS + 1] = { program }, *rest = copy;
	int argc = 1;

	*values = (struct values){ "unset", -1, false };
	snprintf(copy, sizeof(copy), "%s", words);
	while (*words && rest) {
		ck_assert_int_lt(argc, ARGUMENTS);
		argv[argc++] = strsep(&rest, "|");
	}
	return pp_go_flags_read(flags, argc, argv, err);
}

static const struct {
	const char *words;
	struct values values;
} good[] = {
	{ "", { "unset", -1, false } },
	{ "-text|v", { "v", -1, false } },
	{ "--text|v", { "v", -1, false } },
	{ "-text=v", { "v", -1, false } },
	{ "--text=v", { "v", -1, false } },
	{ "-text=", { "", -1, false } },
	{ "-text|", { "", -1, false } },
	{ "-text=a=b", { "a=b", -1, false } },
	{ "-text|-on", { "-on", -1, false } }, /* the next argument, whatever it is */
	{ "-text|--", { "--", -1, false } },
	{ "-text|a|-text|b", { "b", -1, false } },
	{ "-on", { "unset", -1, true } },
	{ "--on", { "unset", -1, true } },
	{ "-on=true", { "unset", -1, true } },
	{ "-on=1", { "unset", -1, true } },
	{ "-on=T", { "unset", -1, true } },
	{ "-on|-on=false", { "unset", -1, false } },
	{ "-on|-on=0", { "unset", -1, false } },
	{ "-on|-on=F", { "unset", -1, false } },
	{ "-on|false", { "unset", -1, true } }, /* that is an argument, and the end */
	{ "-on|word|-text|v", { "unset", -1, true } },
	{ "-on|-|-text|v", { "unset", -1, true } },
	{ "-on|", { "unset", -1, true } },
	{ "-on||-text|v", { "unset", -1, true } },
	{ "-on|--|-text|v", { "unset", -1, true } },
	{ "word|-nonsense", { "unset", -1, false } },
	{ "--|-nonsense", { "unset", -1, false } },
	{ "-number|80|-on|-text|v", { "v", 80, true } },
	{ "-number=0", { "unset", 0, false } },
	{ "-number=-5", { "unset", -5, false } },
	{ "-number|-5", { "unset", -5, false } },
	{ "-number=+5", { "unset", 5, false } },
	{ "-number=0x1F", { "unset", 31, false } },
	{ "-number=0Xff", { "unset", 255, false } },
	{ "-number=-0x10", { "unset", -16, false } },
	{ "-number=0o17", { "unset", 15, false } },
	{ "-number=0O17", { "unset", 15, false } },
	{ "-number=017", { "unset", 15, false } },
	{ "-number=00", { "unset", 0, false } },
	{ "-number=0b101", { "unset", 5, false } },
	{ "-number=0B101", { "unset", 5, false } },
	{ "-number=2147483647", { "unset", 2147483647, false } },
	{ "-number=0x000000000000000000001", { "unset", 1, false } },
	{ "-number=010", { "unset", 8, false } },
	{ "-number=8_080", { "unset", 8080, false } },
	{ "-number=-1_0_0", { "unset", -100, false } },
	{ "-number=0x_1f", { "unset", 31, false } },
	{ "-number=0X1_F", { "unset", 31, false } },
	{ "-number=0b_1_0", { "unset", 2, false } },
	{ "-number=0o_17", { "unset", 15, false } },
	{ "-number=0_17", { "unset", 15, false } },
};

START_TEST(go_flags_reads_what_go_reads)
{
	struct values values;
	struct pp_error err;

	ck_assert_msg(read_words(good[_i].words, &values, &err) == PP_GO_FLAGS_READ, "%s: %s", good[_i].words,
		      err.message);
	ck_assert_msg(strcmp(values.text, good[_i].values.text) == 0, "%s: %s", good[_i].words, values.text);
	ck_assert_msg(values.number == good[_i].values.number, "%s: %d", good[_i].words, values.number);
	ck_assert_msg(values.on == good[_i].values.on, "%s: %d", good[_i].words, values.on);
}
END_TEST

static const char *const asks_for_help[] = { "-h",     "--h",    "-help",      "--help",      "-h=1",
					     "-help=", "-on|-h", "-text|v|-h", "-h|-nonsense" };

START_TEST(go_flags_tells_who_asks_for_help)
{
	struct values values;
	struct pp_error err;

	ck_assert_msg(read_words(asks_for_help[_i], &values, &err) == PP_GO_FLAGS_HELP, "%s",
		      asks_for_help[_i]);
}
END_TEST

#define UNKNOWN "flag provided but not defined: -"
#define NO_VALUE "flag needs an argument: -"
#define INVALID "invalid value for flag: -"
#define SYNTAX "bad flag syntax: -"

static const struct {
	const char *words, *message;
} bad[] = {
	{ "-nonsense", UNKNOWN "nonsense" },
	{ "-nonsense=1", UNKNOWN "nonsense=1" },
	{ "-tex|v", UNKNOWN "tex" },
	{ "-texts|v", UNKNOWN "texts" },
	{ "-TEXT|v", UNKNOWN "TEXT" },
	{ "-he", UNKNOWN "he" },
	{ "-helpx", UNKNOWN "helpx" },
	{ "-on|-nonsense", UNKNOWN "nonsense" },
	{ "-\x1b[2J\n", UNKNOWN "\\x1b[2J\\x0a" },
	{ "-text", NO_VALUE "text" },
	{ "-number", NO_VALUE "number" },
	{ "-on|--text", NO_VALUE "text" },
	{ "---text|v", SYNTAX "-text" },
	{ "-=v", SYNTAX "=v" },
	{ "--=v", SYNTAX "=v" },
	{ "-on=", INVALID "on=" },
	{ "-on=yes", INVALID "on=yes" },
	{ "-on=tRUE", INVALID "on=tRUE" },
	{ "-on=truex", INVALID "on=truex" },
	{ "-number=", INVALID "number=" },
	{ "-number|", INVALID "number" },
	{ "-number=-", INVALID "number=-" },
	{ "-number=+", INVALID "number=+" },
	{ "-number=--1", INVALID "number=--1" },
	{ "-number=+-1", INVALID "number=+-1" },
	{ "-number= 1", INVALID "number= 1" },
	{ "-number=1 ", INVALID "number=1 " },
	{ "-number=80/tcp", INVALID "number=80/tcp" },
	{ "-number=8a", INVALID "number=8a" },
	{ "-number=1.0", INVALID "number=1.0" },
	{ "-number=1e3", INVALID "number=1e3" },
	{ "-number=08", INVALID "number=08" },
	{ "-number=0x", INVALID "number=0x" },
	{ "-number=0xg", INVALID "number=0xg" },
	{ "-number=0x0x5", INVALID "number=0x0x5" },
	{ "-number=0x-5", INVALID "number=0x-5" },
	{ "-number=x5", INVALID "number=x5" },
	{ "-number=0o", INVALID "number=0o" },
	{ "-number=0o8", INVALID "number=0o8" },
	{ "-number=0b", INVALID "number=0b" },
	{ "-number=0b2", INVALID "number=0b2" },
	{ "-number=0b0b1", INVALID "number=0b0b1" },
	{ "-number=_1", INVALID "number=_1" },
	{ "-number=-_1", INVALID "number=-_1" },
	{ "-number=1_", INVALID "number=1_" },
	{ "-number=1__0", INVALID "number=1__0" },
	{ "-number=_", INVALID "number=_" },
	{ "-number=0_", INVALID "number=0_" },
	{ "-number=0_8", INVALID "number=0_8" },
	{ "-number=0x_", INVALID "number=0x_" },
	{ "-number=0x__1", INVALID "number=0x__1" },
	{ "-number=0_x1", INVALID "number=0_x1" },
	{ "-number=2147483648", INVALID "number=2147483648" },
	{ "-number=4294967376", INVALID "number=4294967376" }, /* 80, if 32 bits of it were taken */
	{ "-number=18446744073709551696", INVALID "number=18446744073709551696" },
	{ "-number=99999999999999999999999999", INVALID "number=99999999999999999999999999" },
};

START_TEST(go_flags_refuses_what_go_refuses_in_one_line)
{
	struct values values;
	struct pp_error err;

	ck_assert_msg(read_words(bad[_i].words, &values, &err) == PP_GO_FLAGS_WRONG, "%s was accepted",
		      bad[_i].words);
	ck_assert_str_eq(err.message, bad[_i].message);
}
END_TEST

START_TEST(go_flags_cuts_a_message_about_something_endless)
{
	char words[500];
	struct values values;
	struct pp_error err;

	memset(words, 'x', sizeof(words) - 1);
	words[sizeof(words) - 1] = '\0';
	words[0] = '-';
	ck_assert_int_eq(read_words(words, &values, &err), PP_GO_FLAGS_WRONG);
	ck_assert_uint_lt(strlen(err.message), 100);
	ck_assert_ptr_nonnull(strstr(err.message, "..."));
}
END_TEST

/* Letters that mean something, put together at random: whatever comes of it, a value was whole when it was taken. */
START_TEST(go_flags_survives_arguments_at_random)
{
	static const char *const pieces[] = { "-", "--", "=", "text", "number", "on",   "|", "0x",
					      "0", "9",  "f", "h",    "help",   "true", "",  "\xff" };
	unsigned int seed = (unsigned int)_i + 1;
	char words[256] = "";
	struct values values;
	struct pp_error err;
	int bars = 0;

	for (int n = rand_r(&seed) % 20; n > 0; n--) {
		const char *piece = pieces[(size_t)rand_r(&seed) % UNIT_COUNT(pieces)];

		if (*piece == '|' && ++bars == ARGUMENTS - 2)
			break;
		strcat(words, piece);
	}
	if (read_words(words, &values, &err) == PP_GO_FLAGS_WRONG)
		ck_assert_ptr_null(strchr(err.message, '\n'));
	ck_assert_ptr_nonnull(values.text);
}
END_TEST

Suite *suite_go_flags(void)
{
	Suite *suite = suite_create("go_flags");
	TCase *tcase = tcase_create("go_flags");

	tcase_add_loop_test(tcase, go_flags_reads_what_go_reads, 0, UNIT_COUNT(good));
	tcase_add_loop_test(tcase, go_flags_tells_who_asks_for_help, 0, UNIT_COUNT(asks_for_help));
	tcase_add_loop_test(tcase, go_flags_refuses_what_go_refuses_in_one_line, 0, UNIT_COUNT(bad));
	tcase_add_test(tcase, go_flags_cuts_a_message_about_something_endless);
	tcase_add_loop_test(tcase, go_flags_survives_arguments_at_random, 0, 300);
	suite_add_tcase(suite, tcase);
	return suite;
}
