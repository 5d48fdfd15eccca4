/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A process that has taken bytes from anybody for years is not trusted with more than its work. Whoever takes it
 * over finds root's user id, perhaps, since the records are root's, and with it:
 *
 *	no_new_privs	running a set-user-ID program gains nothing. The two that follow ask for it, unless one
 *			is root.
 *	Landlock	which files may be opened, made, renamed and removed: without it, all of root's.
 *	capabilities	none, or CAP_NET_ADMIN, out of reach in every set; the securebits say that being root is
 *			no reason to have any. Without CAP_SETPCAP, which ordinary users lack, the bounding set
 *			and the securebits stay: what they would stop is running a program that has capabilities, and
 *			no_new_privs has done that.
 *	seccomp		which system calls there are. The list, with its reasons, is in src/calls.c. The last part,
 *			since it refuses the calls that make the others.
 *
 * Each stands without the others, and all of them last until the process ends. Nothing has to be cleaned up.
 *
 * Landlock knows a file by its inode. Those of /proc are made anew whenever the kernel has dropped its memory of
 * a path (tried: after drop_caches /proc/sys/net was closed to us), but not while somebody has the path open.
 * So what a path was opened by stays open, and takes a descriptor each.
 *
 * What counts lines or watches memory, the sanitizers and valgrind, asks for calls and files of its own: built with
 * -DPORTPUB_INSTRUMENTED neither Landlock nor seccomp is in force, and the result says so.
 */
#include "portpub/sandbox.h"

#include "calls.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <linux/securebits.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Of <linux/landlock.h>, which Linux 5.10 has not, and which grows faster than distributions follow. */
#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule 445
#define SYS_landlock_restrict_self 446
#endif

enum { ASK_VERSION = 1, PATH_BENEATH = 1 };

enum rights {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_DIR = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_DIR = 1 << 7,
	MAKE_REG = 1 << 8,
	REFER = 1 << 13,     /* rename to another directory; version 2 */
	TRUNCATE = 1 << 14,  /* version 3 */
	IOCTL_DEV = 1 << 15, /* version 5 */
	OF_A_FILE = READ_FILE | WRITE_FILE | TRUNCATE,
	BELOW_A_DIRECTORY = OF_A_FILE | READ_DIR | REMOVE_DIR | REMOVE_FILE | MAKE_DIR | MAKE_REG | REFER,
};

enum { ABSTRACT_UNIX_SOCKETS = 1 << 0 }; /* to connect to whose there are none of ours */

struct ruleset {
	uint64_t rights, net_rights, scoped;
};

struct rule {
	uint64_t rights;
	int32_t path;
} __attribute__((packed));

#ifdef PORTPUB_INSTRUMENTED
static const bool instrumented = true;
#else
static const bool instrumented = false;
#endif

/* The list has the calls of 64-bit machines; on s390x the arguments of mmap are in memory, where no filter looks. */
#if !defined(PORTPUB_INSTRUMENTED) && defined(__LP64__) && !defined(__s390x__)
static const bool has_list = true;
#else
static const bool has_list = false;
#endif

/*
 * The rights to take away. Version 1 has no way to let a file be renamed to another directory, which is what
 * becomes of a record: there is no ruleset for it. TCP ports are left alone: to connect is the work. So is whom
 * a signal reaches, since that asks whether others live, too; seccomp lets no other signal out.
 */
static struct ruleset all_rights(long version)
{
	struct ruleset ruleset = { .rights = (REFER << 1) - 1 };

	if (version >= 3)
		ruleset.rights |= TRUNCATE;
	if (version >= 5)
		ruleset.rights |= IOCTL_DEV;
	if (version >= 6)
		ruleset.scoped = ABSTRACT_UNIX_SOCKETS;
	return ruleset;
}

static int fail_path(struct pp_error *err, int code, const char *path)
{
	char shown[128];

	pp_show(shown, sizeof(shown), path, strlen(path));
	return pp_fail(err, code == EINVAL ? EIO : code, "cannot keep %s for the sandbox: %s", shown,
		       strerror(code));
}

/* The descriptor of the path stays open: see above. */
static int keep_path(int fd, uint64_t all, const char *path, struct pp_error *err)
{
	struct rule rule = { .path = open(path, O_PATH | O_CLOEXEC) };
	struct stat status;

	if (rule.path < 0 || fstat(rule.path, &status) < 0)
		return fail_path(err, errno, path);
	rule.rights = (S_ISDIR(status.st_mode) ? BELOW_A_DIRECTORY : OF_A_FILE) & all;
	if (syscall(SYS_landlock_add_rule, fd, PATH_BENEATH, &rule, 0) < 0)
		return fail_path(err, errno, path);
	return 0;
}

/* *@out is -1 where there is no Landlock. */
static int make_ruleset(const struct pp_sandbox_needs *needs, int *out, struct pp_error *err)
{
	long version = instrumented ? 0 : syscall(SYS_landlock_create_ruleset, NULL, 0, ASK_VERSION);
	struct ruleset ruleset = all_rights(version);
	int fd = version < 2 ? -1 : (int)syscall(SYS_landlock_create_ruleset, &ruleset, sizeof(ruleset), 0);
	int ret = 0;

	for (size_t i = 0; fd >= 0 && ret == 0 && i < needs->count; i++)
		ret = keep_path(fd, ruleset.rights, needs->paths[i], err);
	if (ret < 0)
		close(fd);
	else
		*out = fd;
	return ret;
}

static bool restrict_files(int ruleset)
{
	bool done = ruleset >= 0 && syscall(SYS_landlock_restrict_self, ruleset, 0) == 0;

	if (ruleset >= 0)
		close(ruleset);
	return done;
}

/* What root may, a new set of capabilities, and what a program is given when it is run. */
static bool lock_capabilities(void)
{
	const unsigned long bits = SECBIT_NOROOT | SECBIT_NO_SETUID_FIXUP | SECBIT_NO_CAP_AMBIENT_RAISE;
	const unsigned long locks = SECBIT_NOROOT_LOCKED | SECBIT_NO_SETUID_FIXUP_LOCKED |
				    SECBIT_NO_CAP_AMBIENT_RAISE_LOCKED | SECBIT_KEEP_CAPS_LOCKED;
	bool locked = prctl(PR_SET_SECUREBITS, bits | locks) == 0;

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap) >= 0; cap++)
		locked = prctl(PR_CAPBSET_DROP, cap) == 0 && locked;
	return locked;
}

/* The ambient set, which is never more than the inheritable one, is empty then, too. */
static bool drop_capabilities(bool admin)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct had[_LINUX_CAPABILITY_U32S_3], has[_LINUX_CAPABILITY_U32S_3] = { 0 };

	static_assert(CAP_NET_ADMIN < 32, "it is in the first word");
	if (syscall(SYS_capget, &header, had) < 0)
		return false;
	if (admin)
		has[0].effective = has[0].permitted = had[0].permitted & CAP_TO_MASK(CAP_NET_ADMIN);
	return syscall(SYS_capset, &header, has) == 0;
}

/*
 * SPEC_ALLOW: before Linux 5.16 whoever is filtered is slowed down by measures against programs that spy on the
 * memory of their own process. No such program is run here.
 */
static bool restrict_calls(void)
{
	const struct sock_fprog filter = { calls_count, (struct sock_filter *)calls_filter };

	return has_list &&
	       syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_SPEC_ALLOW, &filter) == 0;
}

int pp_sandbox_enter(const struct pp_sandbox_needs *needs, struct pp_sandbox *out, struct pp_error *err)
{
	int ruleset, ret = make_ruleset(needs, &ruleset, err);

	if (ret < 0)
		return ret;
	out->no_new_privs = prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
	out->landlock = restrict_files(ruleset);
	out->locked = lock_capabilities();
	out->capabilities = drop_capabilities(needs->admin);
	out->seccomp = restrict_calls();
	return 0;
}
