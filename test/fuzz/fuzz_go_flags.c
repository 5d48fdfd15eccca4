/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command lines, an argument a line: nothing is read but these, and a value is the same however it is given. */
#include "claims.h"

#include "portpub/go_flags.h"

#include <ctype.h>
#include <limits.h>
#include <stdio.h>

enum { ARGUMENTS = 16 };

struct values {
	const char *text;
	int number;
	bool on;
};

static enum pp_go_flags_result read_all(int argc, char **argv, struct values *values)
{
	struct pp_go_flag flags[] = {
		{ "text", "", &values->text, NULL, NULL },
		{ "number", "", NULL, &values->number, NULL },
		{ "on", "", NULL, NULL, &values->on },
		{ 0 },
	};
	struct pp_error err = { 0 };
	enum pp_go_flags_result result;

	*values = (struct values){ NULL, INT_MIN, false };
	result = pp_go_flags_read(flags, argc, argv, &err);
	claim(result == PP_GO_FLAGS_READ || result == PP_GO_FLAGS_HELP || result == PP_GO_FLAGS_WRONG);
	if (result == PP_GO_FLAGS_WRONG)
		claim_error(&err);
	return result;
}

/* Each argument is as large as it is, and nothing follows the last, so that the sanitizer sees who reads on. */
static int split(const char *text, size_t size, char **argv)
{
	int argc = 0;

	argv[argc++] = strdup("program");
	while (size > 0 && argc < ARGUMENTS) {
		const char *end = memchr(text, '\n', size);
		size_t len = end ? (size_t)(end - text) : size;

		argv[argc] = strndup(text, len);
		claim(argv[argc++] != NULL);
		len += end != NULL;
		text += len;
		size -= len;
	}
	return argc;
}

static bool is_of(const char *text, int argc, char **argv)
{
	for (int i = 1; i < argc; i++) {
		if (text >= argv[i] && text <= argv[i] + strlen(argv[i]))
			return true;
	}
	return false;
}

/* The value as it is written, in two arguments and in one: both are taken, or none. */
static bool is_taken(const char *name, const char *value, struct values *values)
{
	size_t size = strlen(name) + strlen(value) + 3;
	char *together = malloc(size), program[] = "program",
	     *apart[] = { program, together, (char *)(uintptr_t)value };
	struct values again;
	bool taken;

	claim(together != NULL);
	snprintf(together, size, "-%s", name);
	taken = read_all(3, apart, values) == PP_GO_FLAGS_READ;
	snprintf(together, size, "-%s=%s", name, value);
	claim((read_all(2, apart, &again) == PP_GO_FLAGS_READ) == taken);
	claim(again.number == values->number);
	claim(!values->text || (values->text == value && strcmp(again.text, value) == 0));
	free(together);
	return taken;
}

/* The same, by somebody else's reader: for which the underscores are left out, and the base is said. */
static long long number_of(const char *value)
{
	static const char letters[] = "box";
	static const int bases[] = { 2, 8, 16 };
	char *plain = strdup(value), *to = plain, *end;
	const char *at = value + (*value == '-' || *value == '+'), *letter;
	int base = *at == '0' && at[1] ? 8 : 10;
	long long number;

	claim(plain != NULL);
	letter = base == 8 ? strchr(letters, tolower((unsigned char)at[1])) : NULL;
	if (letter) {
		base = bases[letter - letters];
		at += 2;
	}
	for (; *at; at++) {
		if (*at != '_')
			*to++ = *at;
	}
	*to = '\0';
	claim(isxdigit((unsigned char)*plain));
	number = strtoll(plain, &end, base);
	claim(*end == '\0');
	free(plain);
	return *value == '-' ? -number : number;
}

static void claim_number(int number)
{
	const char *sign = number < 0 ? "-" : "";
	unsigned int size = (unsigned int)abs(number);
	struct values values;
	char texts[5][32];

	snprintf(texts[0], sizeof(texts[0]), "%s%u", sign, size);
	snprintf(texts[1], sizeof(texts[1]), "%s0x%x", sign, size);
	snprintf(texts[2], sizeof(texts[2]), "%s0X_%X", sign, size);
	snprintf(texts[3], sizeof(texts[3]), "%s0o%o", sign, size);
	snprintf(texts[4], sizeof(texts[4]), "%s0%o", sign, size);
	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		claim(is_taken("number", texts[i], &values) && values.number == number);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[ARGUMENTS], **exact;
	int argc = split((const char *)data, size, argv);
	struct values values;

	exact = malloc((size_t)argc * sizeof(*exact));
	claim(exact != NULL);
	memcpy(exact, argv, (size_t)argc * sizeof(*exact));
	read_all(argc, exact, &values);
	claim(!values.text || is_of(values.text, argc, argv));
	for (int i = 1; i < argc; i++) {
		claim(is_taken("text", argv[i], &values) && values.text == argv[i]);
		if (!is_taken("number", argv[i], &values))
			continue;
		claim(values.number == number_of(argv[i]));
		claim_number(values.number);
	}
	for (int i = 0; i < argc; i++)
		free(argv[i]);
	free(exact);
	return 0;
}
