/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Every record counts as a user of what it shares, whether or not anything had to be done for it: the admin may
 * take away later what was there at first. A sysctl is remembered before it is set, and put back by the last
 * user, if it still is what we made it. After a crash at any point the same calls, made again, end the same way.
 */
#include "share.h"

#include "forward.h"
#include "portpub/foreign.h"

#include <errno.h>
#include <linux/netfilter.h>
#include <stdio.h>
#include <string.h>

static void add(struct share out[static SHARES_MAX], size_t *count, enum share_kind kind, const char *prefix,
		const char *what, const char *interface)
{
	struct share *share = &out[*count];

	*share = (struct share){ .kind = kind };
	snprintf(share->name, sizeof(share->name), "%s%s", prefix, what);
	snprintf(share->interface, sizeof(share->interface), "%s", interface);
	for (size_t i = 0; i < *count; i++) {
		if (strcmp(out[i].name, share->name) == 0)
			return;
	}
	++*count;
}

/* Which ways in the kernel carries: a bit for each class of host address. */
static unsigned int classes_of(const struct pp_record *record, sa_family_t family)
{
	const struct pp_publications *list = &record->request.publications;
	unsigned int classes = 0;
	struct pp_error ignored;
	struct pp_plan plan;

	for (size_t i = 0; i < list->count; i++) {
		if (pp_plan_make(&list->items[i], &record->request, &plan, &ignored) < 0)
			continue;
		for (size_t w = 0; w < plan.count; w++) {
			if (plan.ways[w].family == family && plan.ways[w].path == PP_PATH_KERNEL)
				classes |= 1U << plan.ways[w].class;
		}
	}
	return classes;
}

/* What the networks of a CNI runtime let through to the container's own address is theirs to say. */
static bool is_for_some(const struct pp_record *record)
{
	const struct pp_publications *list = &record->request.publications;

	if (record->attachment)
		return false;
	for (size_t i = 0; i < list->count; i++) {
		if (pp_plan_is_for_some(&list->items[i], &record->request))
			return true;
	}
	return false;
}

size_t shares_of(const struct pp_record *record, struct share out[static SHARES_MAX])
{
	bool local = is_for_some(record);
	char address[PP_ADDRESS_TEXT], container[PP_ATTACHMENT_SHARE];
	size_t count = 0;

	if (record->attachment)
		add(out, &count, SHARE_CONTAINER, pp_attachment_share(record->attachment, container), "", "");
	for (size_t f = 0; f < 2; f++) {
		const struct pp_address *target = pp_target_of(&record->request.target, pp_families[f]);
		const char *interface = record->interfaces[f];
		unsigned int classes = classes_of(record, pp_families[f]);

		if (target->family == AF_UNSPEC)
			continue;
		pp_address_format(target, address);
		add(out, &count, SHARE_TARGET, "target-", address, "");
		if (local)
			add(out, &count, SHARE_LOCAL, "local-", address, "");
		if (!classes)
			continue;
		if (record->request.masquerade != PP_MASQUERADE_NEVER) {
			add(out, &count, SHARE_OWN, "own-", address, "");
			add(out, &count, SHARE_BRIDGE, "bridge-", interface, interface);
			if (classes & 1U << PP_CLASS_LOOPBACK)
				add(out, &count, SHARE_LOCALNET, "localnet-", interface, interface);
		}
		if (classes & (1U << PP_CLASS_ANY | 1U << PP_CLASS_SPECIFIC))
			add(out, &count, f == 0 ? SHARE_FORWARD4 : SHARE_FORWARD6,
			    f == 0 ? "forward4" : "forward6", "", interface);
	}
	return count;
}

int shares_take(const struct pp_store *store, const struct pp_record *record, struct pp_error *err)
{
	struct share shares[SHARES_MAX];
	size_t count = shares_of(record, shares);
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = pp_store_use(store, shares[i].name, record->id, err);
	return ret;
}

static sa_family_t family_of(const struct share *share)
{
	return share->kind == SHARE_FORWARD4 ? AF_INET : AF_INET6;
}

/* Is its sysctl, if it has one, as it has to be? @name is that of route_localnet. */
static bool is_set(const struct share *share, char name[static PP_SYSCTL_NAME])
{
	struct pp_error ignored;

	switch (share->kind) {
	case SHARE_LOCALNET:
		return pp_sysctl_of_interface(AF_INET, share->interface, "route_localnet", name, &ignored) <
			       0 ||
		       setting_is_on(name) || setting_is_on("net/ipv4/conf/all/route_localnet");
	case SHARE_FORWARD4:
		return forward_is_on(AF_INET, share->interface);
	case SHARE_FORWARD6: /* of all interfaces: forward_set looks at each */
		return false;
	default:
		return true;
	}
}

void share_find_lacking(const struct share *share, const struct pp_interface_addresses *list,
			void (*lack)(const char *sysctl, void *data), void *data)
{
	char name[PP_SYSCTL_NAME];

	if (share->kind == SHARE_FORWARD4 || share->kind == SHARE_FORWARD6)
		forward_find_lacking(family_of(share), share->interface, list, lack, data);
	else if (!is_set(share, name))
		lack(name, data);
}

static void count_difference(const char *line, void *data)
{
	(void)line;
	++*(size_t *)data;
}

/* Before packets for 127/8 are let in by an interface: are the rules that keep them out what they should be? */
static int check_guard(struct pp_nft *nft, struct pp_error *err)
{
	size_t differences = 0;
	int ret = pp_nft_check(nft, count_difference, &differences, err);

	if (ret == 0 && differences)
		return pp_fail(
			err, EUCLEAN,
			"somebody has changed the rules of table inet " PP_TABLE_NAME
			", the guard of 127.0.0.0/8 among them: see portpub check; once it is deleted, the"
			" next add makes it anew");
	return ret;
}

static int set(const struct pp_store *store, struct pp_nft *nft, const struct share *share,
	       const struct pp_report *report, struct pp_error *err)
{
	char name[PP_SYSCTL_NAME];
	int ret = 0;

	if (is_set(share, name))
		return 0;
	if (share->kind == SHARE_LOCALNET)
		ret = check_guard(nft, err);
	if (ret < 0)
		return ret;
	return share->kind == SHARE_LOCALNET
		       ? setting_set(store, name, "1", report, err)
		       : forward_set(store, family_of(share), share->interface, report, err);
}

int shares_set(const struct pp_store *store, struct pp_nft *nft, const struct pp_record *record,
	       const struct pp_report *report, struct pp_error *err)
{
	struct share shares[SHARES_MAX];
	size_t count = shares_of(record, shares);
	int ret = 0;

	for (size_t i = 0; ret == 0 && i < count; i++)
		ret = set(store, nft, &shares[i], report, err);
	return ret;
}

/*
 * Another table that translates: docker's, libvirt's, also by the old iptables. A firewall may have a chain for
 * routed packets and route none. Where nothing can be read, somebody may.
 */
static bool is_forwarding(struct pp_nft *nft, sa_family_t family, char *who, size_t size)
{
	struct pp_foreign_chains chains = PP_FOREIGN_CHAINS_INIT;
	struct pp_error ignored;
	bool found = pp_foreign_chains_read(nft, &chains, &ignored) < 0;

	if (found)
		snprintf(who, size, "somebody, perhaps,");
	for (size_t i = 0; i < chains.count && !found; i++) {
		const struct pp_foreign_chain *chain = &chains.items[i];

		found = chain->nat;
		snprintf(who, size, "table %s %s", pp_foreign_family(chain->family), chain->table);
	}
	pp_foreign_chains_fini(&chains);
	if (!found && pp_foreign_is_legacy(family, "nat")) {
		found = true;
		snprintf(who, size, "table nat of %s-legacy", family == AF_INET ? "iptables" : "ip6tables");
	}
	return found;
}

/* Nobody needs it: back to what it was, unless somebody relies on it. */
static int put_back(const struct pp_store *store, struct pp_nft *nft, const struct share *share,
		    const struct pp_report *report, struct pp_error *err)
{
	char name[PP_SYSCTL_NAME], who[2 * PP_FOREIGN_NAME];
	int ret;

	switch (share->kind) {
	case SHARE_LOCALNET:
		ret = pp_sysctl_of_interface(AF_INET, share->interface, "route_localnet", name, err);
		return ret < 0 ? ret : setting_put_back(store, name, "", err);
	case SHARE_FORWARD4:
	case SHARE_FORWARD6:
		if (!forward_is_ours(store, family_of(share)) ||
		    !is_forwarding(nft, family_of(share), who, sizeof(who)))
			return forward_put_back(store, family_of(share), err);
		pp_report_say(report, "%s forwarding is left on: %s forwards, too",
			      share->kind == SHARE_FORWARD4 ? "IPv4" : "IPv6", who);
		forward_give_up(store, family_of(share));
		return 0;
	default:
		return 0;
	}
}

static bool is_among(const struct share *share, const struct share *list, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		if (strcmp(list[i].name, share->name) == 0)
			return true;
	}
	return false;
}

int shares_leave(const struct pp_store *store, struct pp_nft *nft, const struct pp_record *record,
		 const struct pp_record *but, const struct pp_report *report, struct pp_error *err)
{
	struct share shares[SHARES_MAX], kept[SHARES_MAX];
	size_t count = shares_of(record, shares), kept_count = but ? shares_of(but, kept) : 0;
	int ret = 0;

	for (size_t i = 0; i < count; i++) {
		bool last = false;
		int one;

		if (is_among(&shares[i], kept, kept_count))
			continue;
		one = pp_store_leave(store, shares[i].name, record->id, &last, err);
		if (one == 0 && last)
			one = put_back(store, nft, &shares[i], report, err);
		if (ret == 0)
			ret = one; /* the others are put back all the same */
	}
	return ret;
}

/* As shares_of has named it; what has no sysctl may be of any kind. */
static struct share share_of_name(const char *name)
{
	static const char localnet[] = "localnet-";
	struct share share = { .kind = SHARE_TARGET };

	snprintf(share.name, sizeof(share.name), "%s", name);
	if (strncmp(name, localnet, sizeof(localnet) - 1) == 0) {
		share.kind = SHARE_LOCALNET;
		snprintf(share.interface, sizeof(share.interface), "%s", name + sizeof(localnet) - 1);
	} else if (strcmp(name, "forward4") == 0 || strcmp(name, "forward6") == 0) {
		share.kind = name[sizeof("forward") - 1] == '4' ? SHARE_FORWARD4 : SHARE_FORWARD6;
	}
	return share;
}

struct drop {
	const struct pp_store *store;
	struct pp_nft *nft;
	char *id;
	const struct pp_report *report;
	struct pp_error *err;
	int ret;
};

static bool is_same_id(const char *id, void *data)
{
	return strcmp(id, data) == 0;
}

/* Put back first: what is not counted any longer is not found again by who does this once more. */
static void drop_one(const char *name, void *data)
{
	struct drop *drop = data;
	struct share share = share_of_name(name);
	bool last;

	if (drop->ret == 0 && !pp_store_is_used(drop->store, name, is_same_id, drop->id))
		drop->ret = put_back(drop->store, drop->nft, &share, drop->report, drop->err);
	if (drop->ret == 0)
		drop->ret = pp_store_leave(drop->store, name, drop->id, &last, drop->err);
}

int shares_drop(const struct pp_store *store, struct pp_nft *nft, char *id, const struct pp_report *report,
		struct pp_error *err)
{
	struct drop drop = { store, nft, id, report, err, 0 };

	pp_store_each_used(store, drop_one, &drop);
	return drop.ret;
}
