/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * Each line of /proc/PID/cgroup ends in a path. Runtimes put their own name for the container into one of
 * its components; below it there may be more (systemd in the container, a second container inside), and
 * above it slices and pods. The innermost component that is recognised is the name:
 *
 *	docker-ID.scope libpod-ID.scope cri-containerd-ID.scope crio-ID.scope PREFIX:ID ID	ID: 64 digits
 *	machine-NAME.scope systemd-nspawn@NAME.service						escaped by systemd
 *	lxc.payload.NAME lxc/NAME lxc.payload/NAME
 */
#include "portpub/cgroup.h"

#include "portpub/error.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

enum { ID_DIGITS = 64, SHORT_DIGITS = 12 };

struct part {
	const char *text;
	size_t len;
};

static bool cut_front(struct part *part, const char *prefix)
{
	size_t len = strlen(prefix);

	if (part->len <= len || memcmp(part->text, prefix, len) != 0)
		return false;
	part->text += len;
	part->len -= len;
	return true;
}

static bool cut_back(struct part *part, const char *suffix)
{
	size_t len = strlen(suffix);

	if (part->len <= len || memcmp(part->text + part->len - len, suffix, len) != 0)
		return false;
	part->len -= len;
	return true;
}

static bool is(struct part part, const char *text)
{
	return part.len == strlen(text) && memcmp(part.text, text, part.len) == 0;
}

static bool name_by_id(struct part part, char *out)
{
	const char *id;

	cut_back(&part, ".scope");
	if (part.len < ID_DIGITS)
		return false;
	id = part.text + part.len - ID_DIGITS;
	if (part.len > ID_DIGITS && id[-1] != '-' && id[-1] != ':')
		return false;
	for (size_t i = 0; i < ID_DIGITS; i++) {
		if (!isxdigit((unsigned char)id[i]))
			return false;
	}
	pp_show(out, PP_CGROUP_NAME, id, SHORT_DIGITS);
	return true;
}

/* systemd writes "my-web" as "my\x2dweb". */
static void unescape(struct part part, char *out)
{
	char name[256];
	size_t used = 0;

	for (size_t i = 0; i < part.len && used < sizeof(name); i++) {
		const char *at = part.text + i;

		if (part.len - i >= 4 && at[0] == '\\' && at[1] == 'x' && isxdigit((unsigned char)at[2]) &&
		    isxdigit((unsigned char)at[3])) {
			const char digits[3] = { at[2], at[3] };

			name[used++] = (char)strtoul(digits, NULL, 16);
			i += 3;
		} else {
			name[used++] = *at;
		}
	}
	pp_show(out, PP_CGROUP_NAME, name, used);
}

static bool name_by_machine(struct part part, char *out)
{
	if (!(cut_front(&part, "machine-") && cut_back(&part, ".scope")) &&
	    !(cut_front(&part, "systemd-nspawn@") && cut_back(&part, ".service")))
		return false;
	unescape(part, out);
	return true;
}

static bool name_by_lxc(struct part part, struct part parent, char *out)
{
	if (!cut_front(&part, "lxc.payload.") && !is(parent, "lxc") && !is(parent, "lxc.payload"))
		return false;
	pp_show(out, PP_CGROUP_NAME, part.text, part.len);
	return true;
}

/* The last component of @path, which loses it. */
static struct part pop(struct part *path)
{
	struct part last = { path->text + path->len, 0 };

	while (path->len && path->text[path->len - 1] != '/') {
		path->len--;
		last.text--;
		last.len++;
	}
	if (path->len)
		path->len--;
	return last;
}

static bool name_by_path(struct part path, char *out)
{
	struct part part = pop(&path);

	while (part.len) {
		struct part parent = pop(&path);

		if (name_by_id(part, out) || name_by_machine(part, out) || name_by_lxc(part, parent, out))
			return true;
		part = parent;
	}
	return false;
}

bool pp_cgroup_container(const char *text, char out[static PP_CGROUP_NAME])
{
	while (*text) {
		size_t len = strcspn(text, "\n");
		const char *path = memchr(text, '/', len); /* behind "4:memory:", or "0::" */

		if (path && name_by_path((struct part){ path, len - (size_t)(path - text) }, out))
			return true;
		text += len + (text[len] == '\n');
	}
	return false;
}
