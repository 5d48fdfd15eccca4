/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Theory of operation
 *
 * A keeper in the background is this program once more, so that what the command has had in memory is not the
 * keeper's for years. It inherits three kinds of descriptors: the leash, its file, and the sockets that have its ports,
 * which it tells from others by these ports. The rest it reads from the record. Over the leash it says once how it
 * went (struct word); the command says, by a byte, that the record is active, and ends without a word where it is not,
 * or where it is killed.
 */
#include "portpub/keeper.h"

#include "keep.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* How it went, in one packet. */
struct word {
	int code; /* an errno, or 0 */
	char message[sizeof(((struct pp_error *)0)->message)];
	struct pp_target target;
};

static int keep_over_exec(int fd)
{
	return fcntl(fd, F_SETFD, 0);
}

/* In the child, which has nothing of its own yet. Returns only if it fails. */
static int become_keeper(const char *id, int leash, int file, const struct pp_held *held)
{
	char numbers[2][16], name[] = PP_KEEPER_NAME, own[PP_ID_SIZE];
	char *arguments[] = { name, own, numbers[0], numbers[1], NULL };
	int null = open("/dev/null", O_RDWR | O_CLOEXEC);

	snprintf(own, sizeof(own), "%s", id);
	snprintf(numbers[0], sizeof(numbers[0]), "%d", leash);
	snprintf(numbers[1], sizeof(numbers[1]), "%d", file);
	if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 || setsid() < 0 ||
	    chdir("/") < 0 || keep_over_exec(leash) < 0 || keep_over_exec(file) < 0)
		return -errno;
	for (size_t i = 0; i < held->count; i++) {
		if (held->items[i].fd >= 0 && keep_over_exec(held->items[i].fd) < 0)
			return -errno;
	}
	execv("/proc/self/exe", arguments);
	return -errno;
}

/* Told by the keeper, or by the child that could not become one. */
static void tell(int leash, const struct pp_error *err, const struct pp_target *target)
{
	struct word word = { 0 };

	if (err) {
		word.code = err->code;
		snprintf(word.message, sizeof(word.message), "%s", err->message);
	}
	if (target)
		word.target = *target;
	send(leash, &word, sizeof(word), MSG_NOSIGNAL);
}

static int fail_start(struct pp_error *err, int code)
{
	return pp_fail(err, code, "cannot start the keeper: %s", strerror(code));
}

static int hear(int leash, struct pp_target *target, struct pp_error *err)
{
	struct word word;
	ssize_t len;

	do
		len = recv(leash, &word, sizeof(word), 0);
	while (len < 0 && errno == EINTR);
	if (len != (ssize_t)sizeof(word))
		return pp_fail(err, EIO, "the keeper ended before it had begun");
	word.message[sizeof(word.message) - 1] = '\0';
	if (word.code)
		return pp_fail(err, word.code, "%s", word.message);
	*target = word.target;
	return 0;
}

/* The child of the child is the keeper, and nobody's child: whoever runs the command has no more of them to wait for. */
static int spawn(const char *id, int leash, int file, const struct pp_held *held, struct pp_error *err)
{
	pid_t child = fork();
	struct pp_error fault;
	int status;

	if (child < 0)
		return fail_start(err, errno);
	if (child == 0) {
		pid_t keeper = fork();

		if (keeper == 0)
			keeper = become_keeper(id, leash, file, held);
		if (keeper < 0) {
			fail_start(&fault, keeper == -1 ? errno : -keeper);
			tell(leash, &fault, NULL);
		}
		_exit(0);
	}
	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return 0;
}

static int start_in_background(const struct pp_store *store, struct pp_record *record, struct pp_held *held,
			       int *leash, void *data, struct pp_error *err)
{
	struct pp_kept kept = PP_KEPT_INIT;
	struct pp_error ignored;
	int ends[2], ret;

	(void)data;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) < 0)
		return fail_start(err, errno);
	ret = pp_kept_make(store, record->id, record->keeper, &kept, err);
	if (ret < 0) {
		close(ends[0]);
		close(ends[1]);
		return ret;
	}
	ret = spawn(record->id, ends[1], kept.fd, held, err);
	close(ends[1]);
	if (ret == 0)
		ret = hear(ends[0], &record->request.target, err);
	pp_kept_close(&kept);
	if (ret < 0) {
		close(ends[0]);
		pp_kept_drop(store, record->id, record->keeper, &ignored);
		return ret;
	}
	*leash = ends[0];
	return 0;
}

const struct pp_keeping pp_keeping_in_background = { .start = start_in_background, .many = true };

/* What was inherited and is no socket with a port of ours may have been meant for somebody else: it is closed. */
static int collect(const struct pp_record *record, int leash, int file, struct pp_held *held,
		   struct pp_error *err)
{
	DIR *list = opendir("/proc/self/fd");
	struct dirent *entry;
	int ret = 0;

	if (!list)
		return pp_fail(err, errno, "cannot open /proc/self/fd: %s", strerror(errno));
	while (ret == 0 && (entry = readdir(list))) {
		struct pp_error ignored;
		int fd = (int)strtol(entry->d_name, NULL, 10);

		if (fd <= 2 || fd == leash || fd == file || fd == dirfd(list))
			continue;
		if (pp_held_append(held, fd, &ignored) < 0)
			close(fd);
		else if (!pp_held_leads_to(&held->items[held->count - 1], &record->request.publications))
			close(held->items[--held->count].fd);
	}
	closedir(list);
	return ret;
}

/* Its record is on its way in; or it is active, and this is a new keeper for it. */
static int load(const char *id, struct pp_record *record, struct pp_error *err)
{
	struct pp_store store = PP_STORE_INIT;
	int ret = pp_store_open_unlocked(&store, err);

	if (ret == 0)
		ret = pp_store_load(&store, PP_STAGE_ADDING, id, record, err);
	if (ret == -ENOENT)
		ret = pp_store_load(&store, PP_STAGE_ACTIVE, id, record, err);
	pp_store_close(&store);
	return ret;
}

static int become(const char *id, int leash, int file, struct pp_keeper **out, struct pp_error *err)
{
	struct pp_record record = { 0 };
	struct pp_held held = PP_HELD_INIT;
	struct pp_kept kept = PP_KEPT_INIT;
	int ret = load(id, &record, err);

	if (ret == 0)
		ret = collect(&record, leash, file, &held, err);
	if (ret == 0)
		ret = pp_kept_take(file, &kept, err);
	if (ret == 0)
		ret = keeper_new(&record, &held, &kept, out, err);
	if (ret == 0)
		ret = keeper_confine(*out, err);
	if (ret == 0)
		tell(leash, NULL, &record.request.target);
	pp_held_fini(&held);
	pp_record_fini(&record);
	return ret;
}

static bool parse_descriptor(const char *text, int *out)
{
	char *end;
	long number = strtol(text, &end, 10);

	*out = (int)number;
	return *text && !*end && number > 2 && number <= INT_MAX && fcntl(*out, F_SETFD, FD_CLOEXEC) == 0;
}

int pp_keeper_main(int argc, char **argv)
{
	struct pp_keeper *keeper = NULL;
	struct pp_error err;
	int leash, file, ret;

	if (argc != 4 || pp_id_check(argv[1], &err) < 0 || !parse_descriptor(argv[2], &leash) ||
	    !parse_descriptor(argv[3], &file))
		return 2;
	prctl(PR_SET_NAME, PP_KEEPER_NAME);
	ret = become(argv[1], leash, file, &keeper, &err);
	if (ret < 0)
		tell(leash, &err, NULL);
	else if (keeper_may_begin(keeper, leash))
		ret = keeper_run(keeper, &(struct pp_ending){ 0 }, NULL, &err);
	else
		ret = keeper_end(keeper, NULL, &err);
	keeper_free(keeper);
	return ret < 0;
}

static int start_here(const struct pp_store *store, struct pp_record *record, struct pp_held *held,
		      int *leash, void *data, struct pp_error *err)
{
	struct pp_stay *stay = data;
	struct pp_kept kept = PP_KEPT_INIT;
	struct pp_error ignored;
	int ret = pp_kept_make(store, record->id, record->keeper, &kept, err);

	(void)leash;
	if (ret < 0)
		return ret;
	ret = keeper_new(record, held, &kept, &stay->keeper, err);
	if (ret < 0) {
		pp_kept_close(&kept);
		pp_kept_drop(store, record->id, record->keeper, &ignored);
	} else if (stay->spares_connections) {
		keeper_spare_connections(stay->keeper);
	}
	return ret;
}

void pp_stay_init(struct pp_stay *stay)
{
	*stay = (struct pp_stay){ .keeping = { .start = start_here, .data = stay } };
}

int pp_stay(struct pp_stay *stay, const struct pp_ending *ending, const struct pp_report *report,
	    struct pp_error *err)
{
	struct pp_error ignored;
	int ret = keeper_confine(stay->keeper, err);

	if (ret == 0)
		return keeper_run(stay->keeper, ending, report, err);
	(void)keeper_end(stay->keeper, report, &ignored);
	return ret;
}

int pp_stay_end(struct pp_stay *stay, const struct pp_report *report, struct pp_error *err)
{
	return keeper_end(stay->keeper, report, err);
}

void pp_stay_fini(struct pp_stay *stay)
{
	keeper_free(stay->keeper);
	stay->keeper = NULL;
}
