/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/go_flags.h"

#include <errno.h>
#include <limits.h>
#include <stdint.h>
#include <string.h>

static const struct pp_go_flag *find(const struct pp_go_flag *flags, const char *name, size_t len)
{
	for (; flags->name; flags++) {
		if (strlen(flags->name) == len && memcmp(flags->name, name, len) == 0)
			return flags;
	}
	return NULL;
}

static bool read_switch(const char *text, bool *out)
{
	static const char *const words[] = { "1", "t", "T", "true",  "TRUE",  "True",
					     "0", "f", "F", "false", "FALSE", "False" };
	size_t count = sizeof(words) / sizeof(words[0]);

	for (size_t i = 0; i < count; i++) {
		if (strcmp(text, words[i]) == 0) {
			*out = i < count / 2;
			return true;
		}
	}
	return false;
}

/* The digits after a prefix such as 0x, and the base it means. A leading 0 alone means octal, too. */
static const char *skip_prefix(const char *text, int *base)
{
	static const struct {
		const char *prefix;
		int base;
	} rows[] = { { "0x", 16 }, { "0X", 16 }, { "0o", 8 }, { "0O", 8 },
		     { "0b", 2 },  { "0B", 2 },  { "0", 8 } };

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		size_t len = strlen(rows[i].prefix);

		if (strncmp(text, rows[i].prefix, len) == 0 && text[len]) {
			*base = rows[i].base;
			return text + len;
		}
	}
	*base = 10;
	return text;
}

/* At least 16 where @c is none of any base. */
static int digit_of(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 'a' - 'A';
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
}

/* Digits may be separated by an underscore each, for which a prefix is a digit, too. */
static bool read_digits(const char *text, int base, int64_t *value)
{
	bool after_digit = base != 10;

	for (; *text; text++) {
		int digit = digit_of(*text);

		if (*text == '_' && after_digit) {
			after_digit = false;
			continue;
		}
		*value = *value * base + digit;
		if (digit >= base || *value > INT_MAX)
			return false;
		after_digit = true;
	}
	return after_digit;
}

static bool read_number(const char *text, int *out)
{
	bool negative = *text == '-';
	int64_t value = 0;
	int base;

	if (*text == '-' || *text == '+')
		text++;
	text = skip_prefix(text, &base);
	if (!read_digits(text, base, &value))
		return false;
	*out = (int)(negative ? -value : value);
	return true;
}

static bool store(const struct pp_go_flag *flag, const char *value)
{
	if (flag->on)
		return read_switch(value, flag->on);
	if (flag->number)
		return read_number(value, flag->number);
	*flag->text = value;
	return true;
}

/* What @argument says after its dashes; NULL where it is no flag. */
static const char *name_of(const char *argument)
{
	if (argument[0] != '-' || !argument[1])
		return NULL;
	return argument + (argument[1] == '-' ? 2 : 1);
}

static bool is_help(const char *name, size_t len)
{
	return (len == 1 && *name == 'h') || (len == 4 && memcmp(name, "help", len) == 0);
}

static enum pp_go_flags_result wrong(struct pp_error *err, const char *what, const char *name)
{
	char shown[64];

	pp_show(shown, sizeof(shown), name, strlen(name));
	pp_fail(err, EINVAL, "%s: -%s", what, shown);
	return PP_GO_FLAGS_WRONG;
}

enum pp_go_flags_result pp_go_flags_read(const struct pp_go_flag *flags, int argc, char **argv,
					 struct pp_error *err)
{
	for (int i = 1; i < argc; i++) {
		const char *name = name_of(argv[i]), *value;
		const struct pp_go_flag *flag;
		size_t len;

		if (!name || !*name) /* "--" is the end, too */
			return PP_GO_FLAGS_READ;
		len = strcspn(name, "=");
		if (len == 0 || *name == '-')
			return wrong(err, "bad flag syntax", name);
		value = name[len] ? name + len + 1 : NULL;
		flag = find(flags, name, len);
		if (!flag && is_help(name, len))
			return PP_GO_FLAGS_HELP;
		if (!flag)
			return wrong(err, "flag provided but not defined", name);
		if (!value && flag->on)
			value = "true";
		if (!value && i + 1 == argc)
			return wrong(err, "flag needs an argument", name);
		if (!store(flag, value ? value : argv[++i]))
			return wrong(err, "invalid value for flag", name);
	}
	return PP_GO_FLAGS_READ;
}
