/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/kept.h"
#include "portpub/store.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

static char room[64];
static struct pp_store store;
static struct pp_error err;

static void set_up(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(room, sizeof(room), "%s/store-XXXXXX", tmp && strlen(tmp) < 40 ? tmp : "/tmp");
	ck_assert_ptr_nonnull(mkdtemp(room));
	setenv("PORTPUB_RUNTIME_DIR", room, 1);
	store = PP_STORE_INIT;
	ck_assert_int_eq(pp_store_open(&store, &err), 0);
}

static int remove_one(const char *path, const struct stat *status, int type, struct FTW *ftw)
{
	(void)status;
	(void)type;
	(void)ftw;
	return remove(path);
}

static void tear_down(void)
{
	pp_store_close(&store);
	pp_store_close(&store);
	nftw(room, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	unsetenv("PORTPUB_RUNTIME_DIR");
}

static struct pp_record make(const char *id, const char *const specs[], size_t count)
{
	struct pp_record record = { .request = { .publications = unit_publications(specs, count),
						 .via = PP_VIA_KERNEL,
						 .no_keeper = true,
						 .alone = { true, false } },
				    .interfaces = { "br0", "" },
				    .container = "web-1 \"\xc3\xa4\"",
				    .pid = 4242,
				    .created = 1795000000 };
	struct pp_network network;

	strcpy(record.id, id);
	ck_assert_int_eq(pp_target_parse("10.0.0.2,fd00::2", 16, &record.request.target, &err), 0);
	ck_assert_int_eq(pp_network_parse("192.0.2.0/24", 12, &network, &err), 0);
	ck_assert_int_eq(pp_networks_append(&record.request.allow, &network, &err), 0);
	return record;
}

static void save(const char *id, enum pp_stage stage)
{
	struct pp_record record = make(id, (const char *const[]){ "80:80" }, 1);

	ck_assert_int_eq(pp_store_save(&store, stage, &record, &err), 0);
	pp_record_fini(&record);
}

static bool is_there(enum pp_stage stage, const char *id)
{
	struct pp_record record = { 0 };
	int ret = pp_store_load(&store, stage, id, &record, &err);

	ck_assert_msg(ret == 0 || ret == -ENOENT, "%s", err.message);
	pp_record_fini(&record);
	return ret == 0;
}

START_TEST(record_reads_back_as_what_was_saved)
{
	static const char *const specs[] = { "80:81/tcp", "127.0.0.1:1-65535:1-65535/udp", "[::]:7:8/sctp" };
	struct pp_record record = make("web", specs, 3), back = { 0 };
	char text[PP_PUBLICATION_TEXT], network[PP_NETWORK_TEXT];

	ck_assert_int_eq(pp_store_save(&store, PP_STAGE_ACTIVE, &record, &err), 0);
	ck_assert_int_eq(pp_store_load(&store, PP_STAGE_ACTIVE, "web", &back, &err), 0);
	ck_assert_str_eq(back.id, "web");
	ck_assert_uint_eq(back.request.publications.count, 3);
	for (size_t i = 0; i < 3; i++)
		ck_assert_str_eq(pp_publication_format(&back.request.publications.items[i], text), specs[i]);
	ck_assert_uint_eq(back.request.allow.count, 1);
	ck_assert_str_eq(pp_network_format(&back.request.allow.items[0], network), "192.0.2.0/24");
	ck_assert_int_eq(pp_address_compare(&back.request.target.ipv4, &record.request.target.ipv4), 0);
	ck_assert_int_eq(pp_address_compare(&back.request.target.ipv6, &record.request.target.ipv6), 0);
	ck_assert_int_eq(back.request.via, PP_VIA_KERNEL);
	ck_assert(back.request.no_keeper && back.request.alone[0] && !back.request.alone[1]);
	ck_assert_str_eq(back.interfaces[0], "br0");
	ck_assert_str_eq(back.interfaces[1], "");
	ck_assert_str_eq(back.container, record.container);
	ck_assert_int_eq(back.pid, 4242);
	ck_assert_int_eq(back.created, 1795000000);
	pp_record_fini(&record);
	pp_record_fini(&back);
}
END_TEST

static struct pp_record make_attached(void)
{
	struct pp_record record = make("cni-web", (const char *const[]){ "80:80" }, 1);
	const char *const words[] = { "!", "-s", "10.0.0.0/8", "-i", "eth0" };

	record.attachment = calloc(1, sizeof(*record.attachment));
	strcpy(record.attachment->network, "podman");
	strcpy(record.attachment->container, "web");
	strcpy(record.attachment->interface, "eth0");
	record.netns = strdup("/run/netns/x");
	record.netns_inode = 4026532395;
	record.attachment->waiting = unit_publications((const char *const[]){ "0.0.0.0:81:81" }, 1);
	record.request.masquerade = PP_MASQUERADE_ALL;
	ck_assert_int_eq(pp_condition_parse(words, UNIT_COUNT(words), AF_INET, &record.request.only[0], &err),
			 0);
	return record;
}

START_TEST(attachment_reads_back_as_what_was_saved)
{
	struct pp_record record = make_attached(), back = { 0 }, copy = { 0 };
	char text[PP_CONDITION_TEXT + PP_PUBLICATION_TEXT];

	ck_assert_int_eq(pp_store_save(&store, PP_STAGE_ACTIVE, &record, &err), 0);
	ck_assert_int_eq(pp_store_load(&store, PP_STAGE_ACTIVE, "cni-web", &back, &err), 0);
	ck_assert_int_eq(pp_record_copy(&back, &copy, &err), 0);
	pp_record_fini(&back);
	ck_assert_str_eq(copy.attachment->network, "podman");
	ck_assert_str_eq(copy.attachment->container, "web");
	ck_assert_str_eq(copy.attachment->interface, "eth0");
	ck_assert_str_eq(copy.netns, "/run/netns/x");
	ck_assert_uint_eq(copy.netns_inode, 4026532395);
	ck_assert_uint_eq(copy.attachment->waiting.count, 1);
	ck_assert_str_eq(pp_publication_format(&copy.attachment->waiting.items[0], text),
			 "0.0.0.0:81:81/tcp");
	ck_assert_int_eq(copy.request.masquerade, PP_MASQUERADE_ALL);
	ck_assert_str_eq(pp_condition_format(&copy.request.only[0], text), "! -s 10.0.0.0/8 -i eth0");
	ck_assert(pp_condition_is_any(&copy.request.only[1]));
	ck_assert_uint_eq(copy.request.publications.count, 1);
	ck_assert_uint_eq(copy.request.allow.count, 1);
	pp_record_fini(&record);
	pp_record_fini(&copy);
}
END_TEST

/* What stands in an attached record, and what somebody has made of it. */
static const char *const spoilt[][2] = {
	{ "\"all\"", "\"some\"" },
	{ "\"all\"", "1" },
	{ "! -s 10.0.0.0/8 -i eth0", "-m owner" },
	{ "\"! -s 10.0.0.0/8 -i eth0\"", "[]" },
	{ "! -s 10.0.0.0/8 -i eth0", "a b c d e f g h i j" },
	{ "\"network\"", "\"n\"" },
	{ "4026532395", "\"x\"" },
	{ "\"interface\":\"eth0\"", "\"interface\":\"0123456789abcdef\"" },
	{ "0.0.0.0:81:81/tcp", "81" },
	{ "\"waiting\"", "\"w\"" },
};

static void replace(char *text, const char *from, const char *to, char *out, size_t size)
{
	char *at = strstr(text, from);

	ck_assert_ptr_nonnull(at);
	snprintf(out, size, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
}

START_TEST(attachment_that_is_none_is_no_record)
{
	struct pp_record record = make_attached(), back = { 0 };
	char text[2048], changed[2048];
	int fd;
	ssize_t len;

	ck_assert_int_eq(pp_store_save(&store, PP_STAGE_ACTIVE, &record, &err), 0);
	fd = openat(store.dir, "active/cni-web.json", O_RDWR | O_CLOEXEC);
	len = read(fd, text, sizeof(text) - 1);
	ck_assert_int_gt(len, 0);
	text[len] = '\0';
	replace(text, spoilt[_i][0], spoilt[_i][1], changed, sizeof(changed));
	ck_assert_int_eq(ftruncate(fd, 0), 0);
	ck_assert_int_eq(pwrite(fd, changed, strlen(changed), 0), (ssize_t)strlen(changed));
	close(fd);
	ck_assert_int_eq(pp_store_load(&store, PP_STAGE_ACTIVE, "cni-web", &back, &err), -ENODATA);
	pp_record_fini(&record);
}
END_TEST

START_TEST(record_is_in_one_stage_at_a_time)
{
	save("web", PP_STAGE_ADDING);
	ck_assert(is_there(PP_STAGE_ADDING, "web") && !is_there(PP_STAGE_ACTIVE, "web"));
	ck_assert_int_eq(pp_store_move(&store, PP_STAGE_ADDING, PP_STAGE_ACTIVE, "web", &err), 0);
	ck_assert(!is_there(PP_STAGE_ADDING, "web") && is_there(PP_STAGE_ACTIVE, "web"));
	ck_assert_int_eq(pp_store_move(&store, PP_STAGE_ADDING, PP_STAGE_ACTIVE, "web", &err), -ENOENT);
	ck_assert_int_eq(pp_store_drop(&store, PP_STAGE_ACTIVE, "web", &err), 0);
	ck_assert_int_eq(pp_store_drop(&store, PP_STAGE_ACTIVE, "web", &err), 0);
	ck_assert(!is_there(PP_STAGE_ACTIVE, "web"));
	ck_assert_str_eq(err.message, "nothing is published as web");
}
END_TEST

START_TEST(records_are_listed_in_the_order_of_their_ids)
{
	struct pp_records list = PP_RECORDS_INIT;

	save("b", PP_STAGE_ACTIVE);
	save("a", PP_STAGE_ACTIVE);
	save("10", PP_STAGE_ACTIVE);
	save("c", PP_STAGE_ADDING);
	ck_assert_int_eq(pp_store_load_all(&store, PP_STAGE_ACTIVE, &list, &err), 0);
	ck_assert_uint_eq(list.count, 3);
	ck_assert_str_eq(list.items[0].id, "10");
	ck_assert_str_eq(list.items[1].id, "a");
	ck_assert_str_eq(list.items[2].id, "b");
	pp_records_fini(&list);
	pp_records_fini(&list);
}
END_TEST

START_TEST(broken_record_is_passed_over_and_dropped)
{
	struct pp_records list = PP_RECORDS_INIT;
	int fd = openat(store.dir, "active/half.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	close(fd);
	ck_assert_int_eq(mkdirat(store.dir, "active/room.json", 0755), 0);
	ck_assert_int_eq(symlinkat("web.json", store.dir, "active/link.json"), 0);
	save("web", PP_STAGE_ACTIVE);
	ck_assert_int_eq(pp_store_load_all(&store, PP_STAGE_ACTIVE, &list, &err), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_str_eq(list.items[0].id, "web");
	ck_assert_uint_eq(list.broken_count, 3);
	for (size_t i = 0; i < list.broken_count; i++) {
		ck_assert_ptr_nonnull(strstr(list.broken[i].words, list.broken[i].id));
		ck_assert_int_eq(pp_store_drop(&store, PP_STAGE_ACTIVE, list.broken[i].id, &err), 0);
	}
	pp_records_fini(&list);
	ck_assert_int_eq(pp_store_load_all(&store, PP_STAGE_ACTIVE, &list, &err), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_uint_eq(list.broken_count, 0);
	pp_records_fini(&list);
}
END_TEST

START_TEST(store_that_is_open_is_locked_for_everybody_else)
{
	struct pp_store other = PP_STORE_INIT;
	int fd = openat(store.dir, "lock", O_RDWR | O_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert(flock(fd, LOCK_EX | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	ck_assert(flock(fd, LOCK_SH | LOCK_NB) < 0 && errno == EWOULDBLOCK);
	ck_assert_int_eq(pp_store_try_open(&other, &err), -EAGAIN);
	ck_assert_int_eq(other.dir, -1);
	pp_store_close(&store);
	ck_assert_int_eq(flock(fd, LOCK_EX | LOCK_NB), 0);
	ck_assert_int_eq(flock(fd, LOCK_UN), 0);
	ck_assert_int_eq(pp_store_try_open(&other, &err), 0);
	pp_store_close(&other);
	close(fd);
}
END_TEST

START_TEST(store_is_opened_to_read_by_many_and_makes_nothing)
{
	struct pp_store reader = PP_STORE_INIT, other = PP_STORE_INIT;

	pp_store_close(&store);
	ck_assert_int_eq(pp_store_open_to_read(&reader, &err), 0);
	ck_assert_int_eq(pp_store_open_to_read(&other, &err), 0);
	pp_store_close(&other);
	pp_store_close(&reader);
	nftw(room, remove_one, 8, FTW_DEPTH | FTW_PHYS);
	ck_assert_int_eq(pp_store_open_to_read(&reader, &err), -ENOENT);
	ck_assert_int_lt(access(room, F_OK), 0);
}
END_TEST

START_TEST(another_user_reads_without_the_lock)
{
	int fd = open(room, O_DIRECTORY | O_RDONLY | O_CLOEXEC);
	struct pp_store reader = PP_STORE_INIT;
	struct pp_records list = PP_RECORDS_INIT;
	char way[64]; /* what leads to the room may be root's */

	save("web", PP_STAGE_ACTIVE);
	ck_assert_int_eq(fchmod(fd, 0755), 0);
	snprintf(way, sizeof(way), "/proc/self/fd/%d", fd);
	setenv("PORTPUB_RUNTIME_DIR", way, 1);
	if (seteuid(65534) < 0) { /* an ordinary user is nobody else */
		close(fd);
		return;
	}
	ck_assert_int_eq(pp_store_open_to_read(&reader, &err), 0); /* while somebody has it */
	ck_assert_int_lt(reader.lock, 0);
	ck_assert_int_eq(pp_store_load_all(&reader, PP_STAGE_ACTIVE, &list, &err), 0);
	ck_assert_uint_eq(list.count, 1);
	ck_assert_int_lt(pp_store_open(&reader, &err), 0);
	ck_assert_int_eq(err.code, EACCES);
	pp_store_close(&reader);
	pp_records_fini(&list);
	ck_assert_int_eq(seteuid(0), 0);
	close(fd);
}
END_TEST

static bool skip_named(const char *id, void *data)
{
	return strcmp(id, data) == 0;
}

START_TEST(last_user_is_the_one_that_leaves_nobody)
{
	struct pp_records users = PP_RECORDS_INIT;
	char a[] = "a", nobody[] = "";
	bool last = true;

	save("a", PP_STAGE_ACTIVE);
	save("b", PP_STAGE_ADDING);
	ck_assert_int_eq(pp_store_use(&store, "forward4", "a", &err), 0);
	ck_assert_int_eq(pp_store_use(&store, "forward4", "a", &err), 0);
	ck_assert_int_eq(pp_store_use(&store, "forward4", "b", &err), 0);
	ck_assert(pp_store_is_used(&store, "forward4", skip_named, a));
	ck_assert(!pp_store_is_used(&store, "forward6", skip_named, nobody));
	ck_assert_int_eq(pp_store_load_users(&store, "forward4", skip_named, nobody, &users, &err), 0);
	ck_assert_uint_eq(users.count, 1); /* b is on its way */
	pp_records_fini(&users);
	ck_assert_int_eq(pp_store_leave(&store, "forward4", "b", &last, &err), 0);
	ck_assert(!last);
	ck_assert(!pp_store_is_used(&store, "forward4", skip_named, a));
	ck_assert_int_eq(pp_store_leave(&store, "forward4", "a", &last, &err), 0);
	ck_assert(last);
	ck_assert_int_eq(pp_store_leave(&store, "forward4", "a", &last, &err),
			 0); /* once more, after a crash */
	ck_assert(last);
}
END_TEST

static void count(const char *name, void *data)
{
	pp_store_forget(&store, name);
	++*(int *)data;
}

START_TEST(first_value_is_the_one_that_is_kept)
{
	char value[PP_STORE_VALUE];
	int named = 0;

	ck_assert(!pp_store_kept(&store, "net:ipv4:ip_forward", value));
	ck_assert_int_eq(pp_store_keep(&store, "net:ipv4:ip_forward", "0 1", &err), 0);
	ck_assert_int_eq(pp_store_keep(&store, "net:ipv4:ip_forward", "1 1", &err), 0);
	ck_assert(pp_store_kept(&store, "net:ipv4:ip_forward", value));
	ck_assert_str_eq(value, "0 1");
	ck_assert_int_eq(pp_store_keep(&store, "net:ipv6:conf:all:forwarding", "0 1", &err), 0);
	pp_store_each_kept(&store, "net:ipv6:", count, &named);
	ck_assert_int_eq(named, 1);
	ck_assert(!pp_store_kept(&store, "net:ipv6:conf:all:forwarding", value));
	pp_store_forget(&store, "net:ipv4:ip_forward");
	ck_assert(!pp_store_kept(&store, "net:ipv4:ip_forward", value));
}
END_TEST

/* A record with one key replaced: every other line of the format is right. */
#define KEYS(publications, ipv4, pid)                                                                        \
	"{\"version\":1,\"id\":\"web\",\"created\":1,\"publications\":" publications ",\"ipv4\":" ipv4       \
	",\"ipv6\":null,\"via\":\"auto\",\"no_keeper\":true,\"allow\":[],\"container\":\"\",\"pid\":" pid    \
	"}"

static const struct {
	const char *text, *message;
} files[] = {
	{ KEYS("[\"80:80\"]", "null", "0"), NULL },
	{ "", "it is no JSON object" },
	{ "[]", "it is no JSON object" },
	{ "{\"version\":1,\"version\":1}", "it is no JSON object" },
	{ "{\"version\":2}", "it is of another version" },
	{ KEYS("[\"80:80\"]", "null", "\"0\""), "a key is missing, or is not what it should be" },
	{ KEYS("[\"80\"]", "null", "0"), "a publication has no host port" },
	{ KEYS("[\"80-90:80\"]", "null", "0"), "a publication has no host port" },
	{ KEYS("[\"80:80\",\"x\"]", "null", "0"), "a publication is no spec" },
	{ KEYS("7", "null", "0"), "publications is no list" },
	{ KEYS("[]", "\"10.0.0.2\"", "0"), "a target has no address, interface or alone" },
	{ KEYS("[]", "{\"address\":\"fd00::2\",\"interface\":\"br0\",\"alone\":true}", "0"),
	  "the address of a target is none" },
	{ KEYS("[]", "{\"address\":\"10.0.0.2\",\"interface\":\"a/b\",\"alone\":true}", "0"),
	  "the interface of a target is none" },
};

START_TEST(record_that_is_none_is_an_error_with_its_file)
{
	int fd = openat(store.dir, "active/web.json", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	struct pp_record record = { 0 };
	char message[512];
	int ret;

	ck_assert_int_eq(write(fd, files[_i].text, strlen(files[_i].text)), (ssize_t)strlen(files[_i].text));
	close(fd);
	ret = pp_store_load(&store, PP_STAGE_ACTIVE, "web", &record, &err);
	if (files[_i].message) {
		ck_assert_int_eq(ret, -ENODATA);
		snprintf(message, sizeof(message),
			 "%s/active/web.json is no record: %s; portpub del web drops it", store.path,
			 files[_i].message);
		ck_assert_str_eq(err.message, message);
	} else {
		ck_assert_msg(ret == 0, "%s", err.message);
	}
	pp_record_fini(&record);
}
END_TEST

START_TEST(what_a_killed_program_was_writing_is_gone_when_the_store_is_opened)
{
	int fd = openat(store.dir, "new", O_WRONLY | O_CREAT | O_CLOEXEC, 0644);

	close(fd);
	pp_store_close(&store);
	ck_assert_int_eq(pp_store_open(&store, &err), 0);
	ck_assert_int_lt(faccessat(store.dir, "new", F_OK, 0), 0);
}
END_TEST

static const struct {
	const char *runtime_dir, *xdg, *message;
} places[] = {
	{ "run", NULL, "the directory for records must be an absolute path" },
	{ "", "run", "the directory for records must be an absolute path" },
	{ "/dev/null", NULL, "cannot open /dev/null/net-" },
	{ "/dev/null/portpub", NULL, "cannot open /dev/null/portpub/net-" },
};

START_TEST(directory_is_of_this_boot_and_this_network_namespace)
{
	char boot[9] = "", start[sizeof(room) + 32];
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	ck_assert_int_eq(read(fd, boot, 8), 8);
	close(fd);
	snprintf(start, sizeof(start), "%s/net-%s-", room, boot);
	ck_assert_str_eq(store.base, room);
	ck_assert_msg(strncmp(store.path, start, strlen(start)) == 0, "%s", store.path);
}
END_TEST

START_TEST(directory_that_cannot_be_is_refused_by_name)
{
	struct pp_store refused = PP_STORE_INIT;

	if (!places[_i].runtime_dir[0] && geteuid() == 0) /* root has a place of its own */
		return;
	setenv("PORTPUB_RUNTIME_DIR", places[_i].runtime_dir, 1);
	if (places[_i].xdg)
		setenv("XDG_RUNTIME_DIR", places[_i].xdg, 1);
	ck_assert_int_lt(pp_store_open(&refused, &err), 0);
	ck_assert_msg(strncmp(err.message, places[_i].message, strlen(places[_i].message)) == 0, "%s",
		      err.message);
	ck_assert_int_lt(refused.dir, 0);
}
END_TEST

START_TEST(directory_that_others_may_write_to_is_refused)
{
	struct pp_store other = PP_STORE_INIT;

	ck_assert_int_eq(fchmod(store.dir, 0775), 0);
	ck_assert_int_eq(pp_store_open_unlocked(&other, &err), -EPERM);
	ck_assert_ptr_nonnull(strstr(err.message, " may be written to by others: "));
	ck_assert_int_eq(fchmod(store.dir, 0755), 0);
	ck_assert_int_eq(pp_store_open_unlocked(&other, &err), 0);
	pp_store_close(&other);
	if (fchown(store.dir, 1, (gid_t)-1) < 0) /* which root may */
		return;
	ck_assert_int_eq(pp_store_open_unlocked(&other, &err), -EPERM);
	ck_assert_int_eq(fchown(store.dir, geteuid(), (gid_t)-1), 0);
}
END_TEST

START_TEST(whoever_may_read_the_file_of_a_keeper_keeps_no_other_from_it)
{
	struct flock whole = { .l_type = F_RDLCK, .l_whence = SEEK_SET };
	struct pp_kept kept = PP_KEPT_INIT, other = PP_KEPT_INIT;
	struct pp_kept_page page;
	struct stat status;
	int reader;

	ck_assert_int_eq(pp_kept_make(&store, "web", 1, &kept, &err), 0);
	ck_assert(fstat(kept.fd, &status) == 0 && (status.st_mode & 07777) == 0644);
	ck_assert_int_eq(pp_kept_make(&store, "web", 1, &other, &err), -EBUSY);
	ck_assert_str_eq(err.message, "web has a keeper already");
	reader = openat(store.dir, "kept/web/1", O_RDONLY | O_CLOEXEC);
	ck_assert_int_eq(fcntl(reader, F_OFD_SETLK, &whole), -1);
	ck_assert(pp_kept_look(&store, "web", 1, &page));
	pp_kept_close(&kept); /* it is killed */
	ck_assert_int_eq(fcntl(reader, F_OFD_SETLK, &whole), 0);
	ck_assert(!pp_kept_look(&store, "web", 1, &page));
	ck_assert_int_eq(pp_kept_make(&store, "web", 1, &kept, &err), 0);
	ck_assert(pp_kept_look(&store, "web", 1, &page));
	pp_kept_close(&kept);
	close(reader);
}
END_TEST

Suite *suite_store(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, record_reads_back_as_what_was_saved);
	tcase_add_test(tcase, attachment_reads_back_as_what_was_saved);
	tcase_add_loop_test(tcase, attachment_that_is_none_is_no_record, 0, UNIT_COUNT(spoilt));
	tcase_add_test(tcase, record_is_in_one_stage_at_a_time);
	tcase_add_test(tcase, records_are_listed_in_the_order_of_their_ids);
	tcase_add_test(tcase, broken_record_is_passed_over_and_dropped);
	tcase_add_test(tcase, store_that_is_open_is_locked_for_everybody_else);
	tcase_add_test(tcase, store_is_opened_to_read_by_many_and_makes_nothing);
	tcase_add_test(tcase, another_user_reads_without_the_lock);
	tcase_add_test(tcase, last_user_is_the_one_that_leaves_nobody);
	tcase_add_test(tcase, first_value_is_the_one_that_is_kept);
	tcase_add_test(tcase, directory_that_others_may_write_to_is_refused);
	tcase_add_test(tcase, whoever_may_read_the_file_of_a_keeper_keeps_no_other_from_it);
	tcase_add_loop_test(tcase, record_that_is_none_is_an_error_with_its_file, 0, UNIT_COUNT(files));
	tcase_add_test(tcase, what_a_killed_program_was_writing_is_gone_when_the_store_is_opened);
	tcase_add_test(tcase, directory_is_of_this_boot_and_this_network_namespace);
	tcase_add_loop_test(tcase, directory_that_cannot_be_is_refused_by_name, 0, UNIT_COUNT(places));
	suite_add_tcase(suite, tcase);
	return suite;
}
