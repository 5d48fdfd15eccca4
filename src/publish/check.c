/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Records against kernel: both as sorted lists of entries, walked side by side. The rules are compared as the
 * kernel tells them, expression by expression.
 */
#include "check.h"

#include "portpub/kept.h"
#include "portpub/nft.h"
#include "portpub/publish.h"
#include "portpub/sysctl.h"
#include "share.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct check {
	struct pp_store store;
	struct pp_nft nft;
	struct pp_records records;
	struct pp_entries wanted, kernel;
	const char *id; /* or NULL: all */
	check_differ *differ;
	void *data;
};

__attribute__((format(printf, 3, 4))) static void differ(const struct check *check, const char *owner,
							 const char *format, ...)
{
	char line[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(line, sizeof(line), format, args);
	va_end(args);
	check->differ(owner, line, check->data);
}

static int compare(const void *left, const void *right)
{
	return pp_entry_compare(left, right);
}

static void sort(struct pp_entries *list)
{
	if (list->count)
		qsort(list->items, list->count, sizeof(list->items[0]), compare);
}

static int want(struct check *check, struct pp_error *err)
{
	const struct pp_record **refs = calloc(check->records.count + 1, sizeof(const struct pp_record *));
	int ret = 0;

	if (!refs)
		return pp_fail(err, ENOMEM, "out of memory");
	for (size_t i = 0; ret == 0 && i < check->records.count; i++) {
		refs[i] = &check->records.items[i];
		ret = pp_entries_owned(refs[i], &check->wanted, err);
	}
	if (ret == 0)
		ret = pp_entries_shared(refs, check->records.count, &check->wanted, err);
	free(refs);
	sort(&check->wanted);
	return ret;
}

static int read_kernel(struct check *check, struct pp_error *err)
{
	int ret = 0;

	for (int set = 0; ret == 0 && set < PP_SET_COUNT; set++)
		ret = pp_nft_read(&check->nft, (enum pp_set)set, NULL, NULL, &check->kernel, err);
	sort(&check->kernel);
	return ret;
}

/* Of one record its own entries count; those it shares with others are everybody's. */
static bool is_asked_about(const struct check *check, const struct pp_entry *entry)
{
	return !check->id || !entry->owner[0] || strcmp(entry->owner, check->id) == 0;
}

static void tell(const struct check *check, const char *what, const struct pp_entry *entry)
{
	char key[PP_ENTRY_TEXT], value[PP_ENTRY_TEXT];

	if (!is_asked_about(check, entry))
		return;
	pp_entry_format_key(entry, key);
	pp_entry_format_value(entry, value);
	differ(check, entry->owner, "%s: %s %s%s%s%s%s", what, pp_set_shape(entry->set)->name, key,
	       value[0] ? " : " : "", value, entry->owner[0] ? ", of " : "", entry->owner);
}

static void compare_entries(const struct check *check, const struct pp_entry *wanted,
			    const struct pp_entry *there)
{
	if (memcmp(wanted->value, there->value, sizeof(wanted->value)) == 0 &&
	    strcmp(wanted->owner, there->owner) == 0)
		return;
	tell(check, "another in the kernel", there);
	tell(check, "missing in the kernel", wanted);
}

/* What a broken record wants is not known; that it is broken has been told. */
static void tell_without(const struct check *check, const struct pp_entry *entry)
{
	for (size_t i = 0; i < check->records.broken_count; i++) {
		if (!entry->owner[0] || strcmp(entry->owner, check->records.broken[i].id) == 0)
			return;
	}
	tell(check, "without a record", entry);
}

static void compare_all(const struct check *check)
{
	const struct pp_entries *wanted = &check->wanted, *kernel = &check->kernel;
	size_t w = 0, k = 0;

	while (w < wanted->count || k < kernel->count) {
		int order = w == wanted->count   ? 1
			    : k == kernel->count ? -1
						 : pp_entry_compare(&wanted->items[w], &kernel->items[k]);

		if (order < 0)
			tell(check, "missing in the kernel", &wanted->items[w++]);
		else if (order > 0)
			tell_without(check, &kernel->items[k++]);
		else
			compare_entries(check, &wanted->items[w++], &kernel->items[k++]);
	}
}

/* What one record lacks. */
struct lack {
	const struct check *check;
	const char *id;
};

static void tell_lack(const char *sysctl, void *data)
{
	const struct lack *lack = data;
	char text[PP_SYSCTL_NAME];

	differ(lack->check, lack->id, "%s is 0, and %s needs it", pp_sysctl_show(sysctl, text), lack->id);
}

static void check_shares(const struct check *check, const struct pp_interface_addresses *addresses,
			 const struct pp_record *record)
{
	struct lack lack = { check, record->id };
	struct share shares[SHARES_MAX];
	size_t count = shares_of(record, shares);

	for (size_t i = 0; i < count; i++)
		share_find_lacking(&shares[i], addresses, tell_lack, &lack);
}

/* The sysctls of all that is asked about. */
static int check_sysctls(const struct check *check, struct pp_error *err)
{
	struct pp_interface_addresses addresses = PP_INTERFACE_ADDRESSES_INIT;
	int ret = pp_interface_addresses_read(&addresses, err);

	for (size_t i = 0; ret == 0 && i < check->records.count; i++) {
		if (!check->id || strcmp(check->id, check->records.items[i].id) == 0)
			check_shares(check, &addresses, &check->records.items[i]);
	}
	pp_interface_addresses_fini(&addresses);
	return ret;
}

/* Returns whether there were any, of those that are asked about. */
static bool differ_of_broken(const struct check *check, const struct pp_records *list)
{
	bool found = false;

	for (size_t i = 0; i < list->broken_count; i++) {
		if (check->id && strcmp(check->id, list->broken[i].id) != 0)
			continue;
		differ(check, list->broken[i].id, "%s", list->broken[i].words);
		found = true;
	}
	return found;
}

/* What it carries is not carried, and its ports may be bound by others; what the kernel carries goes on. */
static void check_keepers(const struct check *check)
{
	struct pp_kept_page page;

	for (size_t i = 0; i < check->records.count; i++) {
		const struct pp_record *record = &check->records.items[i];

		if (!record->keeper || (check->id && strcmp(check->id, record->id) != 0) ||
		    pp_kept_look(&check->store, record->id, record->keeper, &page))
			continue;
		differ(check, record->id, "the keeper of %s has ended: portpub restore begins another",
		       record->id);
	}
}

static int find_records(struct check *check, struct pp_error *err)
{
	struct pp_records left = PP_RECORDS_INIT;
	int ret = pp_store_load_all(&check->store, PP_STAGE_ACTIVE, &check->records, err);
	bool found = !check->id;

	if (ret == 0 && differ_of_broken(check, &check->records))
		found = true;
	for (size_t i = 0; ret == 0 && i < check->records.count && !found; i++)
		found = strcmp(check->records.items[i].id, check->id) == 0;
	if (ret == 0 && !found)
		ret = pp_fail(err, ENOENT, "nothing is published as %s", check->id);
	if (ret == 0)
		ret = pp_store_load_all(&check->store, PP_STAGE_ADDING, &left, err);
	if (ret == 0)
		ret = pp_store_load_all(&check->store, PP_STAGE_DELETING, &left, err);
	if (ret == 0) {
		differ_of_broken(check, &left);
		check_keepers(check);
	}
	for (size_t i = 0; ret == 0 && i < left.count; i++) {
		if (check->id && strcmp(check->id, left.items[i].id) != 0)
			continue;
		differ(check, left.items[i].id, "interrupted: %s was being added or removed",
		       left.items[i].id);
	}
	pp_records_fini(&left);
	return ret;
}

static void differ_of_rules(const char *line, void *data)
{
	const struct check *check = data;

	check->differ("", line, check->data);
}

static int check_kernel(struct check *check, struct pp_error *err)
{
	enum pp_nft_state state = PP_NFT_ABSENT;
	int ret = want(check, err);

	if (ret == 0)
		ret = pp_nft_open(&check->nft, err);
	/* Who may not look: there is nothing to be seen of what is forwarded in userspace alone. */
	if ((ret == -EPERM || ret == -EOPNOTSUPP) && check->records.count && !check->wanted.count)
		return 0;
	if (ret < 0)
		return ret;
	check->nft.records = check->store.base[0] ? check->store.base : NULL;
	ret = pp_nft_look(&check->nft, &state, err);
	if (ret == -EBUSY) { /* there is nothing to compare */
		differ(check, "", "%s", err->message);
		return 0;
	}
	if (ret < 0)
		return ret;
	if (state == PP_NFT_ABSENT && check->wanted.count) /* nothing is not worth a table */
		differ(check, "", "missing in the kernel: the table inet " PP_TABLE_NAME);
	else if (state != PP_NFT_ABSENT)
		ret = pp_nft_check(&check->nft, differ_of_rules, check, err);
	if (ret == 0)
		ret = read_kernel(check, err);
	if (ret == 0)
		compare_all(check);
	return ret;
}

static void finish(struct check *check)
{
	pp_entries_fini(&check->wanted);
	pp_entries_fini(&check->kernel);
	pp_records_fini(&check->records);
	pp_nft_close(&check->nft);
	pp_store_close(&check->store);
}

static int begin(struct check *check, struct pp_error *err)
{
	int ret = pp_store_open_to_read(&check->store, err);

	if (ret == 0)
		ret = find_records(check, err);
	else if (ret == -ENOENT && !check->id)
		ret = 0;
	return ret == 0 ? check_kernel(check, err) : ret;
}

int check_rules(check_differ *differ_by_owner, void *data, struct pp_error *err)
{
	struct check check = {
		.store = PP_STORE_INIT, .nft = PP_NFT_INIT, .differ = differ_by_owner, .data = data
	};
	int ret = begin(&check, err);

	finish(&check);
	return ret;
}

/* Who differs does not matter to all. */
struct telling {
	void (*differ)(const char *line, void *data);
	void *data;
};

static void tell_line(const char *owner, const char *line, void *data)
{
	const struct telling *telling = data;

	(void)owner;
	telling->differ(line, telling->data);
}

int pp_publish_check(const char *id, void (*tell_difference)(const char *line, void *data), void *data,
		     struct pp_error *err)
{
	struct telling telling = { tell_difference, data };
	struct check check = {
		.store = PP_STORE_INIT, .nft = PP_NFT_INIT, .id = id, .differ = tell_line, .data = &telling
	};
	int ret = begin(&check, err);

	if (ret == 0)
		ret = check_sysctls(&check, err);
	finish(&check);
	return ret;
}
