/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "portpub/sysctl.h"

#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* What the kernel takes for a name (dev_valid_name), without the two that stand for no one interface. */
static bool is_interface(const char *name)
{
	static const char *const others[] = { "", ".", "..", "all", "default" };

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		if (strcmp(name, others[i]) == 0)
			return false;
	}
	return strlen(name) < IF_NAMESIZE && !strpbrk(name, "/: \t\n\v\f\r");
}

int pp_sysctl_of_interface(sa_family_t family, const char *interface, const char *key,
			   char out[static PP_SYSCTL_NAME], struct pp_error *err)
{
	char shown[IF_NAMESIZE * 4];

	if (!is_interface(interface)) {
		pp_show(shown, sizeof(shown), interface, strlen(interface));
		return pp_fail(err, EINVAL, "no interface can have the name \"%s\"", shown);
	}
	snprintf(out, PP_SYSCTL_NAME, "net/%s/conf/%s/%s", pp_family_name(family), interface, key);
	return 0;
}

const char *pp_sysctl_show(const char *name, char out[static PP_SYSCTL_NAME])
{
	bool keep = strchr(name, '.') != NULL;

	pp_show(out, PP_SYSCTL_NAME, name, strlen(name));
	for (char *c = out; *c && !keep; c++) {
		if (*c == '/')
			*c = '.';
	}
	return out;
}

/*
 * Names come from the records, too, which keepers write from their sandboxes: one that somebody has taken over must not
 * have the next command set kernel.core_pattern.
 */
static bool is_of_the_network(const char *name)
{
	return strncmp(name, "net/", strlen("net/")) == 0 && !strstr(name, "/../");
}

static int open_value(const char *name, int flags)
{
	char path[PP_SYSCTL_NAME + sizeof("/proc/sys/")];

	if (!is_of_the_network(name)) {
		errno = ENOENT;
		return -1;
	}
	if ((size_t)snprintf(path, sizeof(path), "/proc/sys/%s", name) >= sizeof(path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	return open(path, flags | O_CLOEXEC);
}

/* One system call that reads or writes, between open and close. Returns its result, or -errno. */
static ssize_t once(const char *name, char *in, const char *value, size_t size)
{
	int fd = open_value(name, in ? O_RDONLY : O_WRONLY);
	ssize_t n;

	if (fd < 0)
		return -errno;
	n = in ? pread(fd, in, size, 0) : pwrite(fd, value, size, 0);
	if (n < 0)
		n = -errno;
	close(fd);
	return n;
}

int pp_sysctl_read(const char *name, char out[static PP_SYSCTL_VALUE], struct pp_error *err)
{
	char value[PP_SYSCTL_VALUE + 1], text[PP_SYSCTL_NAME]; /* one more, for the line end */
	ssize_t n = once(name, value, NULL, sizeof(value));

	if (n == -ENOENT)
		return pp_fail(err, ENOENT, "there is no %s here", pp_sysctl_show(name, text));
	if (n < 0)
		return pp_fail(err, n == -EINVAL ? EIO : (int)-n, "cannot read %s: %s",
			       pp_sysctl_show(name, text), strerror((int)-n));
	if (n > 0 && value[n - 1] == '\n')
		n--;
	if (n >= PP_SYSCTL_VALUE)
		return pp_fail(err, EOVERFLOW, "%s is longer than any value looked for there",
			       pp_sysctl_show(name, text));
	value[n] = '\0';
	memcpy(out, value, (size_t)n + 1);
	return 0;
}

static int fail_write(const char *name, const char *value, int code, struct pp_error *err)
{
	char text[PP_SYSCTL_NAME];

	pp_sysctl_show(name, text);
	switch (code) {
	case ENOENT:
		return pp_fail(err, code, "cannot set %s: there is none here", text);
	case EROFS:
		return pp_fail(err, code,
			       "cannot set %s: /proc/sys is read-only here; where it is not: sysctl -w %s=%s",
			       text, text, value);
	case EACCES:
	case EPERM:
		return pp_fail(err, code, "not permitted to set %s; with CAP_NET_ADMIN: sysctl -w %s=%s",
			       text, text, value);
	case EINVAL:
		return pp_fail(err, EIO, "the kernel does not take %s for %s", value, text);
	default:
		return pp_fail(err, code, "cannot set %s: %s", text, strerror(code));
	}
}

int pp_sysctl_write(const char *name, const char *value, struct pp_error *err)
{
	ssize_t n = once(name, NULL, value, strlen(value));

	return n < 0 ? fail_write(name, value, (int)-n, err) : 0;
}
