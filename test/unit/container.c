/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Containers made by hand: how they are named, which one is meant, and by which address it is reached. */
#include "unit.h"

#include "portpub/cgroup.h"
#include "portpub/container.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define OTHER "fedcba9876543210fedcba9876543210fedcba9876543210fedcba9876543210"
#define SHORT "0123456789ab"
#define POD "pod12345678_1234_1234_1234_123456789abc"

static const struct {
	const char *text, *name; /* NULL: no runtime is recognised */
} cgroups[] = {
	{ "0::/system.slice/docker-" ID ".scope\n", SHORT },
	{ "12:pids:/docker/" ID "\n11:memory:/docker/" ID "\n", SHORT },
	{ "0::/\n5:devices:/docker/" ID "\n", SHORT },
	{ "0::/../../docker/" ID, SHORT }, /* seen from another cgroup namespace */
	{ "0::/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-" ID ".scope/container\n",
	  SHORT },
	{ "0::/libpod_parent/libpod-" ID "\n", SHORT },
	{ "0::/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-" POD ".slice/cri-containerd-" ID
	  ".scope\n",
	  SHORT },
	{ "0::/kubepods.slice/kubepods-" POD ".slice/crio-" ID ".scope\n", SHORT },
	{ "4:cpu:/kubepods/besteffort/" POD "/" ID "\n", SHORT },
	{ "0::/system.slice/containerd.service/kubepods-" POD ".slice:cri-containerd:" ID "\n", SHORT },
	{ "0::/docker/" ID "/system.slice/nginx.service\n", SHORT },
	{ "0::/docker/" OTHER "/docker/" ID "\n", SHORT },
	{ "0::/lxc.payload.web/system.slice/nginx.service\n", "web" },
	{ "0::/lxc.payload/web\n", "web" },
	{ "3:cpu:/lxc/101/ns\n", "101" },
	{ "0::/machine.slice/machine-my\\x2dweb.scope\n", "my-web" },
	{ "0::/machine.slice/systemd-nspawn@web.service/payload\n", "web" },
	{ "0::/machine.slice/machine-\\x1b[2J.scope\n", "\\x1b[2J" },
	{ "", NULL },
	{ "0::/\n", NULL },
	{ "0::/system.slice/nginx.service\n", NULL },
	{ "0::/user.slice/user-1000.slice/session-2.scope\n", NULL },
	{ "0::/docker/0123456789abcdef\n", NULL },
	{ "0::/docker/x" ID "\n", NULL },
	{ "0::/machine.slice/machine-.scope\n", NULL },
	{ "0::/lxc\n", NULL },
	{ "no cgroup\n", NULL },
};

START_TEST(cgroup_tells_what_the_runtime_calls_a_container)
{
	char name[PP_CGROUP_NAME] = "";
	bool found = pp_cgroup_container(cgroups[_i].text, name);

	ck_assert_msg(found == (cgroups[_i].name != NULL), "%s: %s", cgroups[_i].text, name);
	if (found)
		ck_assert_str_eq(name, cgroups[_i].name);
}
END_TEST

START_TEST(cgroup_name_of_any_length_is_cut)
{
	char text[512], name[PP_CGROUP_NAME];

	snprintf(text, sizeof(text), "0::/lxc/%0300d\n", 1);
	ck_assert(pp_cgroup_container(text, name));
	ck_assert_uint_eq(strlen(name), sizeof(name) - 1);
	ck_assert_str_eq(name + sizeof(name) - 4, "...");
	snprintf(text, sizeof(text), "0::/machine-%0400d.scope\n", 1);
	ck_assert(pp_cgroup_container(text, name));
	ck_assert_uint_eq(strlen(name), sizeof(name) - 1);
}
END_TEST

static struct pp_address address_of(const char *text)
{
	struct pp_address address = { .family = AF_UNSPEC };

	if (text[0])
		ck_assert_msg(pp_address_parse(text, strlen(text), &address), "%s", text);
	return address;
}

/* "10.0.0.2 fd00::2": addresses; "80/tcp@ 53/udp@10.0.0.2": listeners, as portpub orders them. */
static struct pp_container container(const char *name, const char *addresses, const char *listeners)
{
	struct pp_container made = { 0 };
	char word[64];
	int used;

	snprintf(made.name, sizeof(made.name), "%s", name);
	made.addresses.items = calloc(8, sizeof(*made.addresses.items));
	made.sockets.items = calloc(8, sizeof(*made.sockets.items));
	for (; sscanf(addresses, "%63s%n", word, &used) == 1; addresses += used)
		made.addresses.items[made.addresses.count++].address = address_of(word);
	for (; sscanf(listeners, "%63s%n", word, &used) == 1; listeners += used) {
		struct pp_socket *socket = &made.sockets.items[made.sockets.count++];
		char *slash = strchr(word, '/'), *at = strchr(word, '@');

		socket->port = (uint16_t)atoi(word);
		ck_assert(pp_protocol_parse(slash + 1, (size_t)(at - slash - 1), &socket->protocol));
		socket->address = address_of(at + 1);
	}
	return made;
}

/* "web: 80/tcp@, db: 5432/tcp@", each with the address 10.0.0.2. */
static struct pp_containers containers(const char *text)
{
	struct pp_containers list = { calloc(8, sizeof(*list.items)), 0, 8, false };
	char name[16], listeners[64];
	int used;

	for (; sscanf(text, " %15[a-z]:%63[^,]%n", name, listeners, &used) == 2;
	     text += used + (text[used] == ','))
		list.items[list.count++] = container(name, "10.0.0.2", listeners);
	return list;
}

static void list_names(const struct pp_containers *list, char *out, size_t size)
{
	size_t used = 0;

	out[0] = '\0';
	for (size_t i = 0; i < list->count; i++)
		used += (size_t)snprintf(out + used, size - used, "%s%s", i ? " " : "", list->items[i].name);
}

enum { SPECS_MAX = 5 };

static struct pp_publications publications(const char *const specs[SPECS_MAX])
{
	size_t count = 0;

	while (count < SPECS_MAX && specs[count])
		count++;
	return unit_publications(specs, count);
}

static const struct {
	const char *containers, *specs[SPECS_MAX];
	int ret;
	const char *left, *message; /* "" when there is none */
} choices[] = {
	{ "web: 80/tcp@, db: 5432/tcp@", { "8080:80" }, 0, "web", "" },
	{ "web: 80/tcp@, db: 5432/tcp@", { "5432" }, 0, "db", "" },
	{ "web: 80/tcp@10.0.0.2", { "8080:80" }, 0, "web", "" },
	{ "web: 80/tcp@, dns: 80/udp@", { "8080:80/udp" }, 0, "dns", "" },
	{ "web: 80/tcp@ 443/tcp@, old: 80/tcp@", { "8080:80", "8443:443" }, 0, "web", "" },
	{ "ftp: 21/tcp@ 30005/tcp@, web: 80/tcp@", { "30000-30009:30000-30009" }, 0, "ftp", "" },
	{ "web: 79/tcp@ 81/tcp@, db: 5432/tcp@",
	  { "8080:80" },
	  -ENOENT,
	  "web db",
	  "no container listens on 80/tcp: choose one by --pid PID or --to ADDRESS" },
	{ "web: 80/tcp@, dns: 53/udp@",
	  { "8080:80", "53:53/udp" },
	  -ENOENT,
	  "web dns",
	  "no container listens on 80/tcp and 53/udp: choose one by --pid PID or --to ADDRESS" },
	{ "web: 29999/tcp@ 30010/tcp@",
	  { "30000-30009:30000-30009", "1", "2", "3", "4" },
	  -ENOENT,
	  "web",
	  "no container listens on 30000-30009/tcp, 1/tcp, 2/tcp and 2 more: choose one by --pid PID or --to"
	  " ADDRESS" },
	{ "web: 80/tcp@, db: 5432/tcp@, two: 80/tcp@",
	  { "8080:80" },
	  -ENOTUNIQ,
	  "web two",
	  "2 containers listen on 80/tcp: choose one by --pid PID or --to ADDRESS" },
	{ "", { "8080:80" }, -ENOENT, "", "no container is to be found here: say where to by --to ADDRESS" },
};

START_TEST(container_is_chosen_when_it_alone_listens_for_everything)
{
	struct pp_containers list = containers(choices[_i].containers);
	struct pp_publications wanted = publications(choices[_i].specs);
	struct pp_error err = { .message = "" };
	char names[64];

	ck_assert_int_eq(pp_containers_choose(&list, &wanted, &err), choices[_i].ret);
	list_names(&list, names, sizeof(names));
	ck_assert_str_eq(names, choices[_i].left);
	ck_assert_str_eq(err.message, choices[_i].message);
	pp_publications_fini(&wanted);
	pp_containers_fini(&list);
	pp_containers_fini(&list);
}
END_TEST

START_TEST(container_choice_says_that_not_all_could_be_seen)
{
	struct pp_containers list = containers("web: 80/tcp@");
	struct pp_publications wanted = publications((const char *const[SPECS_MAX]){ "81" });
	struct pp_error err;

	list.hidden = true;
	ck_assert_int_eq(pp_containers_choose(&list, &wanted, &err), -ENOENT);
	ck_assert(strstr(err.message, "; not all processes of this host could be looked into"));
	list.hidden = false;
	list.items[0].closed = EPERM;
	ck_assert_int_eq(pp_containers_choose(&list, &wanted, &err), -ENOENT);
	ck_assert(strstr(err.message, "; not all processes of this host could be looked into"));
	pp_publications_fini(&wanted);
	pp_containers_fini(&list);
}
END_TEST

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	ck_assert_msg(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text), "%s: %s", path,
		      strerror(errno));
	close(fd);
}

/* A host of its own for one test, with these routes; check(3) has forked. False where that is not allowed. */
static bool become_host(void)
{
	char map[32];
	uid_t uid = geteuid();

	if (unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0) {
		printf("# SKIP routes to containers: no user namespaces here; needs root\n");
		return false;
	}
	snprintf(map, sizeof(map), "0 %u 1", uid);
	write_file("/proc/self/uid_map", map);
	ck_assert_int_eq(system("ip link set lo up && ip link add br0 type bridge && ip link set br0 up &&"
				" ip addr add 10.0.0.1/24 dev br0 && ip addr add fd00::1/64 dev br0 nodad &&"
				" ip route add default via 10.0.0.254 && ip route add default via fd00::fe &&"
				" ip route add 128.0.0.0/1 via 10.0.0.254 &&"
				" ip route add unreachable 10.7.0.0/16"),
			 0);
	return true;
}

static const struct {
	const char *addresses, *listeners, *specs[SPECS_MAX];
	const char *ipv4, *ipv6;
} targets[] = {
	{ "10.0.0.2 fd00::2", "80/tcp@", { "80" }, "10.0.0.2", "fd00::2" },
	{ "10.0.0.2 fd00::2", "80/tcp@", { NULL }, "10.0.0.2", "fd00::2" },
	{ "10.0.0.2 fd00::2", "", { "80" }, "10.0.0.2", "fd00::2" }, /* it may listen later */
	{ "10.0.0.2 fd00::2", "80/tcp@0.0.0.0", { "80" }, "10.0.0.2", "" },
	{ "10.0.0.2 fd00::2", "80/tcp@::", { "80" }, "", "fd00::2" },
	{ "10.0.0.2 fd00::2", "80/tcp@0.0.0.0 80/tcp@::", { "80" }, "10.0.0.2", "fd00::2" },
	{ "10.0.0.2 fd00::2", "80/tcp@0.0.0.0 443/tcp@", { "80", "443" }, "10.0.0.2", "" },
	{ "10.0.0.2 fd00::2", "80/tcp@0.0.0.0 443/tcp@::", { "80", "443" }, "", "" },
	{ "10.0.0.2 fd00::2", "80/tcp@0.0.0.0 443/tcp@", { "443" }, "10.0.0.2", "fd00::2" },
	{ "10.0.0.2 fd00::2", "80/tcp@0.0.0.0", { "80", "53:53/udp" }, "10.0.0.2", "" },
	{ "10.0.0.2 10.0.0.3", "80/tcp@10.0.0.3", { "80" }, "10.0.0.3", "" },
	{ "10.0.0.2 10.0.0.3", "80/tcp@10.0.0.9", { "80" }, "", "" },
	{ "172.30.0.2 10.0.0.2", "80/tcp@", { "80" }, "10.0.0.2", "" }, /* by the default route: whose? */
	{ "203.0.113.2 2001:db8::2", "80/tcp@", { "80" }, "", "" },
	{ "10.0.0.1 fd00::1", "80/tcp@", { "80" }, "", "" }, /* our own */
	{ "10.7.0.2", "80/tcp@", { "80" }, "", "" },
	{ "", "80/tcp@", { "80" }, "", "" },
};

START_TEST(container_is_reached_where_it_listens_and_a_route_leads)
{
	if (!become_host())
		return;
	for (size_t i = 0; i < UNIT_COUNT(targets); i++) {
		struct pp_container made = container("web", targets[i].addresses, targets[i].listeners);
		struct pp_publications wanted = publications(targets[i].specs);
		char ipv4[PP_ADDRESS_TEXT], ipv6[PP_ADDRESS_TEXT];
		struct pp_target target;
		bool known = pp_container_target(&made, &wanted, &target);

		pp_address_format(&target.ipv4, ipv4);
		pp_address_format(&target.ipv6, ipv6);
		ck_assert_msg(strcmp(ipv4, targets[i].ipv4) == 0 && strcmp(ipv6, targets[i].ipv6) == 0,
			      "row %zu, %s: %s %s", i, targets[i].addresses, ipv4, ipv6);
		ck_assert(known == (targets[i].ipv4[0] || targets[i].ipv6[0]));
		pp_publications_fini(&wanted);
		pp_container_fini(&made);
	}
}
END_TEST

/* A process in a network namespace of its own, which this one may enter. */
static pid_t start_container(void)
{
	int ready[2];
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		if (unshare(CLONE_NEWNET) == 0 && write(ready[1], "", 1) == 1)
			pause();
		_exit(1);
	}
	close(ready[1]);
	ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	return pid;
}

static int count_descriptors(void)
{
	int count = 0;

	for (int fd = 0; fd < 256; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

static ino_t current_namespace(void)
{
	struct stat st;

	ck_assert_int_eq(stat("/proc/thread-self/ns/net", &st), 0);
	return st.st_ino;
}

static const struct pp_container *find_pid(const struct pp_containers *list, pid_t pid)
{
	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i].pid == pid)
			return &list->items[i];
	}
	return NULL;
}

START_TEST(containers_are_read_without_getting_lost_or_leaving_a_descriptor_open)
{
	struct pp_containers list = PP_CONTAINERS_INIT;
	struct pp_container one = PP_CONTAINER_INIT;
	int before = count_descriptors();
	struct pp_error err;
	ino_t home;
	pid_t pid;

	if (!become_host())
		return;
	home = current_namespace();
	pid = start_container();
	ck_assert_int_eq(pp_containers_read(&list, &err), 0);
	ck_assert_uint_eq(current_namespace(), home);
	ck_assert_ptr_nonnull(find_pid(&list, pid));
	ck_assert_int_eq(find_pid(&list, pid)->closed, 0);
	ck_assert_int_eq(pp_container_of_pid(pid, &one, &err), 0);
	ck_assert_uint_eq(current_namespace(), home);
	ck_assert(one.pid == pid && one.ino == find_pid(&list, pid)->ino && one.ino != home);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	ck_assert_int_eq(pp_container_of_pid(pid, &one, &err), -ESRCH);
	pp_container_fini(&one);
	pp_containers_fini(&list);
	ck_assert_int_eq(count_descriptors(), before);
}
END_TEST

START_TEST(container_that_is_none_is_refused_in_words)
{
	static const struct {
		const char *path;
		int ret;
		const char *message;
	} paths[] = {
		{ "/nonexistent", -ENOENT, "/nonexistent: No such file or directory" },
		{ "/dev/null", -EINVAL, "/dev/null is no network namespace" },
		{ "/proc/self/ns/mnt", -EINVAL, "/proc/self/ns/mnt is no network namespace" },
		{ "/proc/self/ns/net", -EINVAL,
		  "/proc/self/ns/net is in this host's own network namespace: no container" },
		{ "/proc/2147483647/ns/net", -ESRCH, "there is no process 2147483647" },
	};
	struct pp_container out = { .pid = 7 };
	struct pp_error err;
	char path[128];

	for (size_t i = 0; i < UNIT_COUNT(paths); i++) {
		ck_assert_int_eq(pp_container_of_netns(paths[i].path, &out, &err), paths[i].ret);
		ck_assert_str_eq(err.message, paths[i].message);
	}
	snprintf(path, sizeof(path), "/proc/%d/ns/net", (int)getpid());
	ck_assert_int_eq(pp_container_of_netns(path, &out, &err), -EINVAL);
	ck_assert_int_eq(pp_container_of_pid(getpid(), &out, &err), -EINVAL);
	snprintf(path, sizeof(path), "process %d is in this host's own network namespace: no container",
		 (int)getpid());
	ck_assert_str_eq(err.message, path);
	ck_assert_int_eq(pp_container_of_pid(0, &out, &err), -ESRCH);
	ck_assert_int_eq(pp_container_of_pid(-1, &out, &err), -ESRCH);
	ck_assert_int_eq(out.pid, 7);
}
END_TEST

Suite *suite_container(void)
{
	Suite *suite = suite_create("container");
	TCase *tcase = tcase_create("container");

	tcase_add_loop_test(tcase, cgroup_tells_what_the_runtime_calls_a_container, 0, UNIT_COUNT(cgroups));
	tcase_add_test(tcase, cgroup_name_of_any_length_is_cut);
	tcase_add_loop_test(tcase, container_is_chosen_when_it_alone_listens_for_everything, 0,
			    UNIT_COUNT(choices));
	tcase_add_test(tcase, container_choice_says_that_not_all_could_be_seen);
	tcase_add_test(tcase, container_is_reached_where_it_listens_and_a_route_leads);
	tcase_add_test(tcase, containers_are_read_without_getting_lost_or_leaving_a_descriptor_open);
	tcase_add_test(tcase, container_that_is_none_is_refused_in_words);
	suite_add_tcase(suite, tcase);
	return suite;
}
