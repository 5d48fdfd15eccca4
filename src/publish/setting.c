/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a sysctl was, and what it was made, is kept in a file that has its name, with ':' for '/': no interface
 * has a ':' in its name. A sysctl that somebody has set to something else since is theirs.
 */
#include "setting.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

static void swap(char *text, char from, char to)
{
	for (; *text; text++) {
		if (*text == from)
			*text = to;
	}
}

bool setting_is_on(const char *sysctl)
{
	char value[PP_SYSCTL_VALUE];
	struct pp_error ignored;

	return pp_sysctl_read(sysctl, value, &ignored) == 0 && value[0] && strcmp(value, "0") != 0;
}

int setting_remember(const struct pp_store *store, const char *sysctl, const char *value, const char *lost,
		     struct pp_error *err)
{
	char name[PP_SYSCTL_NAME], kept[2 * PP_SYSCTL_VALUE];

	snprintf(name, sizeof(name), "%s", sysctl);
	swap(name, '/', ':');
	snprintf(kept, sizeof(kept), "%s %s", value, lost);
	return pp_store_keep(store, name, kept, err);
}

int setting_set(const struct pp_store *store, const char *sysctl, const char *value,
		const struct pp_report *report, struct pp_error *err)
{
	char was[PP_SYSCTL_VALUE], text[PP_SYSCTL_NAME];
	int ret = pp_sysctl_read(sysctl, was, err);

	if (ret < 0 || strcmp(was, value) == 0)
		return ret;
	ret = setting_remember(store, sysctl, was, value, err);
	if (ret == 0)
		ret = pp_sysctl_write(sysctl, value, err);
	if (ret == 0)
		pp_report_say(report,
			      "%s is %s now; it is put back when nothing published needs it any longer",
			      pp_sysctl_show(sysctl, text), value);
	return ret;
}

struct putting {
	const struct pp_store *store;
	const char *suffix;
	int ret;
	struct pp_error *err;
};

/* Has the sysctl that is kept as @name this end? */
static bool ends(const char *name, const char *suffix)
{
	size_t len = strlen(name), end = strlen(suffix);
	char text[PP_SYSCTL_NAME];

	snprintf(text, sizeof(text), "%s", name);
	swap(text, ':', '/');
	return end <= len && strcmp(text + len - end, suffix) == 0;
}

static bool read_kept(const struct pp_store *store, const char *name, char was[static PP_SYSCTL_VALUE],
		      char ours[static PP_SYSCTL_VALUE])
{
	char kept[PP_STORE_VALUE];

	return pp_store_kept(store, name, kept) && sscanf(kept, "%31s %31s", was, ours) == 2;
}

static void put_back(const char *name, void *data)
{
	struct putting *putting = data;
	char sysctl[PP_SYSCTL_NAME], was[PP_SYSCTL_VALUE], ours[PP_SYSCTL_VALUE], now[PP_SYSCTL_VALUE];
	struct pp_error ignored;
	int ret = 0;

	snprintf(sysctl, sizeof(sysctl), "%s", name);
	swap(sysctl, ':', '/');
	if (!ends(name, putting->suffix))
		return;
	if (read_kept(putting->store, name, was, ours) && pp_sysctl_read(sysctl, now, &ignored) == 0 &&
	    strcmp(now, ours) == 0)
		ret = pp_sysctl_write(sysctl, was, putting->err);
	if (ret == 0 || ret == -ENOENT) /* the interface is gone */
		pp_store_forget(putting->store, name);
	else
		putting->ret = ret;
}

int setting_put_back(const struct pp_store *store, const char *prefix, const char *suffix,
		     struct pp_error *err)
{
	struct putting putting = { store, suffix, 0, err };
	char name[PP_SYSCTL_NAME];

	snprintf(name, sizeof(name), "%s", prefix);
	swap(name, '/', ':');
	pp_store_each_kept(store, name, put_back, &putting);
	return putting.ret;
}

static void look(const char *name, void *data)
{
	struct putting *putting = data;
	char sysctl[PP_SYSCTL_NAME], was[PP_SYSCTL_VALUE], ours[PP_SYSCTL_VALUE], now[PP_SYSCTL_VALUE];

	snprintf(sysctl, sizeof(sysctl), "%s", name);
	swap(sysctl, ':', '/');
	if (read_kept(putting->store, name, was, ours) && pp_sysctl_read(sysctl, now, putting->err) == 0 &&
	    strcmp(now, ours) == 0)
		putting->ret = 1;
}

bool setting_is_ours(const struct pp_store *store, const char *prefix)
{
	struct pp_error ignored;
	struct putting putting = { store, "", 0, &ignored };
	char name[PP_SYSCTL_NAME];

	snprintf(name, sizeof(name), "%s", prefix);
	swap(name, '/', ':');
	pp_store_each_kept(store, name, look, &putting);
	return putting.ret;
}

static void forget(const char *name, void *data)
{
	const struct putting *putting = data;

	if (ends(name, putting->suffix))
		pp_store_forget(putting->store, name);
}

void setting_give_up(const struct pp_store *store, const char *prefix, const char *suffix)
{
	struct putting putting = { store, suffix, 0, NULL };
	char name[PP_SYSCTL_NAME];

	snprintf(name, sizeof(name), "%s", prefix);
	swap(name, '/', ':');
	pp_store_each_kept(store, name, forget, &putting);
}
