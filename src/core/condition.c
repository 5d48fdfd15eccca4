/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/condition.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

/* Words that are left. */
struct words {
	const char *const *next;
	size_t left;
};

static bool take(struct words *words, const char *word)
{
	if (!words->left || strcmp(*words->next, word) != 0)
		return false;
	words->next++;
	words->left--;
	return true;
}

static const char *take_any(struct words *words)
{
	if (!words->left)
		return NULL;
	words->left--;
	return *words->next++;
}

static int take_network(struct words *words, sa_family_t family, struct pp_network *out, struct pp_error *err)
{
	const char *text = take_any(words);
	int ret;

	if (out->address.family != AF_UNSPEC)
		return pp_fail(err, EINVAL, "the same is said twice");
	if (!text)
		return pp_fail(err, EINVAL, "a network is missing at the end");
	ret = pp_network_parse(text, strlen(text), out, err);
	if (ret == 0 && out->address.family != family)
		ret = pp_fail(err, EINVAL, "a network of the other family");
	return ret;
}

static int take_interface(struct words *words, struct pp_condition *out, struct pp_error *err)
{
	const char *name = take_any(words);

	if (out->interface[0])
		return pp_fail(err, EINVAL, "the same is said twice");
	if (!name || !name[0] || strlen(name) >= sizeof(out->interface) ||
	    strpbrk(name, "+*/:\"\\ \t\n\v\f\r"))
		return pp_fail(err, EINVAL, "-i needs the name of one interface");
	snprintf(out->interface, sizeof(out->interface), "%s", name);
	return 0;
}

/* -s NETWORK, ! -d NETWORK, -i INTERFACE */
static int take_option(struct words *words, sa_family_t family, struct pp_condition *out,
		       struct pp_error *err)
{
	bool negated = take(words, "!");

	if (take(words, "-s")) {
		out->not_source = negated;
		return take_network(words, family, &out->source, err);
	}
	if (take(words, "-d")) {
		out->not_destination = negated;
		return take_network(words, family, &out->destination, err);
	}
	if (!negated && take(words, "-i"))
		return take_interface(words, out, err);
	return pp_fail(err, EINVAL, "only -s, ! -s, -d, ! -d, -i, saddr and daddr are known here");
}

/* ip saddr NETWORK, ip6 daddr != NETWORK */
static int take_expression(struct words *words, sa_family_t family, struct pp_condition *out,
			   struct pp_error *err)
{
	bool source = take(words, "saddr"), negated;

	if (!source && !take(words, "daddr"))
		return pp_fail(err, EINVAL, "only saddr and daddr are known here");
	negated = take(words, "!=");
	*(source ? &out->not_source : &out->not_destination) = negated;
	return take_network(words, family, source ? &out->source : &out->destination, err);
}

int pp_condition_parse(const char *const texts[], size_t count, sa_family_t family, struct pp_condition *out,
		       struct pp_error *err)
{
	struct words words = { texts, count };
	struct pp_condition condition = *out;
	int ret = 0;

	while (ret == 0 && words.left) {
		if (take(&words, family == AF_INET ? "ip" : "ip6"))
			ret = take_expression(&words, family, &condition, err);
		else
			ret = take_option(&words, family, &condition, err);
	}
	if (ret == 0)
		*out = condition;
	return ret;
}

static size_t format_network(const struct pp_network *network, bool negated, const char *option, char *out,
			     size_t size)
{
	char text[PP_NETWORK_TEXT];

	if (network->address.family == AF_UNSPEC)
		return 0;
	return (size_t)snprintf(out, size, "%s%s %s ", negated ? "! " : "", option,
				pp_network_format(network, text));
}

const char *pp_condition_format(const struct pp_condition *condition, char out[static PP_CONDITION_TEXT])
{
	size_t len;

	out[0] = '\0';
	len = format_network(&condition->source, condition->not_source, "-s", out, PP_CONDITION_TEXT);
	len += format_network(&condition->destination, condition->not_destination, "-d", out + len,
			      PP_CONDITION_TEXT - len);
	if (condition->interface[0])
		len += (size_t)snprintf(out + len, PP_CONDITION_TEXT - len, "-i %s ", condition->interface);
	if (len)
		out[len - 1] = '\0';
	return out;
}

bool pp_condition_is_any(const struct pp_condition *condition)
{
	return condition->source.address.family == AF_UNSPEC &&
	       condition->destination.address.family == AF_UNSPEC && !condition->interface[0];
}

static size_t size_of(sa_family_t family)
{
	return family == AF_INET ? 4 : 16;
}

/* One on, or one back; false past the end. */
static bool step(struct pp_address *address, bool back)
{
	size_t i = size_of(address->family);

	while (i-- > 0) {
		address->bytes[i] = (uint8_t)(address->bytes[i] + (back ? -1 : 1));
		if (address->bytes[i] != (back ? 0xff : 0))
			return true;
	}
	return false;
}

size_t pp_condition_ranges(const struct pp_network *network, bool negated, sa_family_t family,
			   struct pp_address_range out[static 2])
{
	struct pp_address_range all = { { .family = family }, { .family = family } }, before = all,
				after = all;
	size_t count = 0;

	memset(all.last.bytes, 0xff, size_of(family));
	if (network->address.family == AF_UNSPEC) {
		out[0] = all;
		return 1;
	}
	before.last = network->address;
	after.first = pp_network_last(network);
	if (!negated) {
		out[0] = (struct pp_address_range){ network->address, after.first };
		return 1;
	}
	if (step(&before.last, true))
		out[count++] = before;
	after.last = all.last;
	if (step(&after.first, false))
		out[count++] = after;
	return count;
}
