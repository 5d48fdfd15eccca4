/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "portpub/entry.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct pp_address address_of(const char *text)
{
	struct pp_address address;

	if (!pp_address_parse(text, strlen(text), &address))
		ck_abort_msg("%s is no address", text);
	return address;
}

enum { SPECS = 5 };

struct asked {
	const char *specs[SPECS], *to, *allow;
	enum pp_via via;
	bool alone;
};

static struct pp_record record_of(const char *id, const struct asked *asked)
{
	struct pp_record record = {
		.request = { .via = asked->via, .no_keeper = true, .alone = { asked->alone, asked->alone } },
		.interfaces = { "br0", "br0" }
	};
	struct pp_network network;
	struct pp_error err;
	size_t count = 0;

	while (count < SPECS && asked->specs[count])
		count++;
	record.request.publications = unit_publications(asked->specs, count);
	strcpy(record.id, id);
	ck_assert_int_eq(pp_target_parse(asked->to, strlen(asked->to), &record.request.target, &err), 0);
	if (asked->allow) {
		ck_assert_int_eq(pp_network_parse(asked->allow, strlen(asked->allow), &network, &err), 0);
		ck_assert_int_eq(pp_networks_append(&record.request.allow, &network, &err), 0);
	}
	return record;
}

/* "any4 tcp . 80 : 10.0.0.2 . 80 (web)\n..." */
static char *format(const struct pp_entries *list)
{
	char *text, key[PP_ENTRY_TEXT], value[PP_ENTRY_TEXT];
	size_t size;
	FILE *out = open_memstream(&text, &size);

	for (size_t i = 0; i < list->count; i++) {
		const struct pp_entry *entry = &list->items[i];

		pp_entry_format_key(entry, key);
		pp_entry_format_value(entry, value);
		fprintf(out, "%s %s%s%s%s%s%s\n", pp_set_shape(entry->set)->name, key, value[0] ? " : " : "",
			value, entry->owner[0] ? " (" : "", entry->owner, entry->owner[0] ? ")" : "");
	}
	fclose(out);
	return text;
}

static const struct {
	enum pp_protocol protocol;
	const char *address;
	uint16_t port;
	enum pp_set set;
	size_t size;
	uint8_t key[PP_KEY_MAX];
} keys[] = {
	{ PP_TCP, "127.0.0.1", 80, PP_SET_HOST4, 12, { 6, 0, 0, 0, 127, 0, 0, 1, 0, 80, 0, 0 } },
	{ PP_UDP, "0.0.0.0", 258, PP_SET_ANY4, 8, { 17, 0, 0, 0, 1, 2, 0, 0 } },
	{ PP_SCTP, "2001:db8::7", 65535, PP_SET_HOST6, 24, { 132, 0, 0, 0, 0x20, 0x01, 0x0d, 0xb8,
							     0,   0, 0, 0, 0,    0,    0,    0,
							     0,   0, 0, 7, 255,  255,  0,    0 } },
	{ PP_TCP, "::", 1, PP_SET_ANY6, 8, { 6, 0, 0, 0, 0, 1, 0, 0 } },
};

START_TEST(entry_has_the_bytes_that_the_kernel_compares)
{
	struct pp_address address = address_of(keys[_i].address), back;
	struct pp_entry entry;

	entry = pp_entry_of_port(keys[_i].protocol, &address, keys[_i].port);
	ck_assert_int_eq(entry.set, keys[_i].set);
	ck_assert_uint_eq(pp_key_size(pp_set_shape(entry.set)), keys[_i].size);
	ck_assert_mem_eq(entry.key, keys[_i].key, PP_KEY_MAX);
	ck_assert_int_eq(pp_entry_protocol(&entry), keys[_i].protocol);
	ck_assert_uint_eq(pp_entry_port(&entry), keys[_i].port);
	back = pp_entry_address(&entry);
	ck_assert_int_eq(pp_address_compare(&back, &address), 0);
}
END_TEST

START_TEST(entry_has_room_for_the_key_and_value_of_every_set)
{
	const struct pp_shape *shape = pp_set_shape((enum pp_set)_i);

	ck_assert_uint_le(pp_key_size(shape), PP_KEY_MAX);
	ck_assert_uint_le(pp_value_size(shape), PP_VALUE_MAX);
}
END_TEST

static const struct {
	struct asked asked;
	const char *entries;
} owned[] = {
	{ { { "80:81" }, "10.0.0.2", NULL, PP_VIA_AUTO, false }, "any4 tcp . 80 : 10.0.0.2 . 81 (web)\n" },
	{ { { "80:81" }, "10.0.0.2,fd00::2", NULL, PP_VIA_AUTO, false },
	  "any4 tcp . 80 : 10.0.0.2 . 81 (web)\nany6 tcp . 80 : fd00::2 . 81 (web)\n" },
	{ { { "0.0.0.0:80:81/udp" }, "10.0.0.2,fd00::2", NULL, PP_VIA_AUTO, false },
	  "any4 udp . 80 : 10.0.0.2 . 81 (web)\n" },
	{ { { "127.0.0.1:80:81", "[2001:db8::1]:65534-65535:1-2/sctp" },
	    "10.0.0.2,fd00::2",
	    NULL,
	    PP_VIA_AUTO,
	    false },
	  "host4 tcp . 127.0.0.1 . 80 : 10.0.0.2 . 81 (web)\n"
	  "host6 sctp . 2001:db8::1 . 65534 : fd00::2 . 1 (web)\n"
	  "host6 sctp . 2001:db8::1 . 65535 : fd00::2 . 2 (web)\n" },
	{ { { "80-90:80-90" }, "10.0.0.2", "192.0.2.0/24", PP_VIA_AUTO, false }, NULL },
	{ { { "80:81" }, "10.0.0.2,fd00::2", "192.0.2.0/24", PP_VIA_AUTO, false },
	  "any4 tcp . 80 : 10.0.0.2 . 81 (web)\nclosed_any4 tcp . 80 (web)\n"
	  "any6 tcp . 80 : fd00::2 . 81 (web)\nclosed_any6 tcp . 80 (web)\n"
	  "admit_any4 80 . tcp . 192.0.2.0/24 (web)\n" },
	{ { { "192.0.2.1:80-81:90-91" }, "10.0.0.2", "0.0.0.0/0", PP_VIA_AUTO, true },
	  "host4 tcp . 192.0.2.1 . 80 : 10.0.0.2 . 90 (web)\nhost4 tcp . 192.0.2.1 . 81 : 10.0.0.2 . 91 "
	  "(web)\n"
	  "closed_host4 tcp . 192.0.2.1 . 80 (web)\nclosed_host4 tcp . 192.0.2.1 . 81 (web)\n"
	  "alone_host4 10.0.0.2 . tcp . 192.0.2.1 . 80 (web)\n"
	  "alone_host4 10.0.0.2 . tcp . 192.0.2.1 . 81 (web)\n"
	  "admit_host4 80-81 . tcp . 192.0.2.1 . 0.0.0.0/0 (web)\n" },
	{ { { "80:81" }, "10.0.0.2,fd00::2", NULL, PP_VIA_USERSPACE, true }, "" },
	{ { { "[::1]:80:81" }, "10.0.0.2,fd00::2", NULL, PP_VIA_AUTO, true }, "" },
	{ { { "[2001:db8::1]:80:81" }, "10.0.0.2", NULL, PP_VIA_AUTO, true }, "" },
	{ { { "80" }, "10.0.0.2", NULL, PP_VIA_AUTO, true }, "" },
};

START_TEST(record_owns_an_element_for_each_port_that_the_kernel_carries)
{
	struct pp_record record = record_of("web", &owned[_i].asked);
	struct pp_entries list = PP_ENTRIES_INIT;
	struct pp_error err;
	char *text;

	ck_assert_int_eq(pp_entries_owned(&record, &list, &err), 0);
	text = format(&list);
	if (owned[_i].entries)
		ck_assert_str_eq(text, owned[_i].entries);
	else /* a range is an element a port, twice with a list, which is one interval */
		ck_assert_uint_eq(list.count, 2 * 11 + 1);
	free(text);
	pp_entries_fini(&list);
	pp_record_fini(&record);
}
END_TEST

/* The part of @text that is of admit_any4, admit_any6, admit_host4 and admit_host6. */
static const char *admitted(const char *text)
{
	const char *found = strstr(text, "admit_");

	return found ? found : "";
}

static const struct {
	const char *specs[SPECS], *entries;
} joined[] = {
	{ { "82:1", "80:9", "81:5", "90-95:90-95", "83-85:83-85" },
	  "admit_any4 80-85 . tcp . 192.0.2.0/24 (web)\nadmit_any4 90-95 . tcp . 192.0.2.0/24 (web)\n" },
	{ { "80:80", "81:81/udp", "192.0.2.1:82:82", "192.0.2.3:83:83" },
	  "admit_any4 80 . tcp . 192.0.2.0/24 (web)\n"
	  "admit_host4 82 . tcp . 192.0.2.1 . 192.0.2.0/24 (web)\n"
	  "admit_host4 83 . tcp . 192.0.2.3 . 192.0.2.0/24 (web)\n"
	  "admit_any4 81 . udp . 192.0.2.0/24 (web)\n" },
	{ { "80:80", "82:82" },
	  "admit_any4 80 . tcp . 192.0.2.0/24 (web)\nadmit_any4 82 . tcp . 192.0.2.0/24 (web)\n" },
	{ { "1-65535:1-65535", "1-65535:1-65535/udp" },
	  "admit_any4 1-65535 . tcp . 192.0.2.0/24 (web)\nadmit_any4 1-65535 . udp . 192.0.2.0/24 (web)\n" },
	{ { "[::]:80:80" }, "" },
};

START_TEST(allow_list_is_one_interval_for_ports_side_by_side)
{
	struct asked asked = { { 0 }, "10.0.0.2,fd00::2", "192.0.2.0/24", PP_VIA_AUTO, false };
	struct pp_entries list = PP_ENTRIES_INIT;
	struct pp_record record;
	struct pp_error err;
	char *text;

	memcpy(asked.specs, joined[_i].specs, sizeof(joined[_i].specs));
	record = record_of("web", &asked);
	ck_assert_int_eq(pp_entries_owned(&record, &list, &err), 0);
	text = format(&list);
	ck_assert_str_eq(admitted(text), joined[_i].entries);
	free(text);
	pp_entries_fini(&list);
	pp_record_fini(&record);
}
END_TEST

static const struct {
	struct asked asked[3];
	const char *entries;
} shared[] = {
	{ { { { "80:80" }, "10.0.0.2,fd00::2", NULL, PP_VIA_AUTO, false } },
	  "hairpin \"br0\" . \"br0\"\nown4 10.0.0.2 . 10.0.0.2\nown6 fd00::2 . fd00::2\n" },
	{ { { { "127.0.0.1:80:81" }, "10.0.0.2,fd00::2", NULL, PP_VIA_AUTO, false } },
	  "hairpin \"br0\" . \"br0\"\nown4 10.0.0.2 . 10.0.0.2\n"
	  "direct4 tcp . 10.0.0.2 . 81\ndirect6 tcp . fd00::2 . 81\n" },
	/* What another publishes to everybody is for everybody, by its family. */
	{ { { { "127.0.0.1:80:81" }, "10.0.0.2", NULL, PP_VIA_AUTO, false },
	    { { "8000:81" }, "10.0.0.2", NULL, PP_VIA_AUTO, false } },
	  "hairpin \"br0\" . \"br0\"\nown4 10.0.0.2 . 10.0.0.2\n" },
	{ { { { "127.0.0.1:80:81" }, "10.0.0.2,fd00::2", NULL, PP_VIA_AUTO, false },
	    { { "[2001:db8::1]:8000:81" }, "10.0.0.2,fd00::2", NULL, PP_VIA_AUTO, false } },
	  "hairpin \"br0\" . \"br0\"\nown4 10.0.0.2 . 10.0.0.2\nown6 fd00::2 . fd00::2\n"
	  "direct4 tcp . 10.0.0.2 . 81\n" },
	{ { { { "127.0.0.1:80:81" }, "10.0.0.2", NULL, PP_VIA_AUTO, false },
	    { { "8000:81/udp" }, "10.0.0.2", NULL, PP_VIA_AUTO, false },
	    { { "8000:81" }, "10.0.0.3", NULL, PP_VIA_AUTO, false } },
	  "hairpin \"br0\" . \"br0\"\nown4 10.0.0.2 . 10.0.0.2\nown4 10.0.0.3 . 10.0.0.3\n"
	  "direct4 tcp . 10.0.0.2 . 81\n" },
	/* Two of one container are one. */
	{ { { { "127.0.0.1:80-81:81-82" }, "10.0.0.2", NULL, PP_VIA_AUTO, false },
	    { { "127.0.0.2:80:82" }, "10.0.0.2", NULL, PP_VIA_AUTO, false } },
	  "hairpin \"br0\" . \"br0\"\nown4 10.0.0.2 . 10.0.0.2\n"
	  "direct4 tcp . 10.0.0.2 . 81\ndirect4 tcp . 10.0.0.2 . 82\n" },
	{ { { { "127.0.0.1:80:81" }, "10.0.0.2", NULL, PP_VIA_USERSPACE, false } }, "" },
};

START_TEST(records_share_what_their_container_needs_once)
{
	const struct pp_record *refs[3];
	struct pp_record records[3];
	struct pp_entries list = PP_ENTRIES_INIT;
	struct pp_error err;
	size_t count = 0;
	char *text;

	for (; count < 3 && shared[_i].asked[count].to; count++) {
		records[count] = record_of("web", &shared[_i].asked[count]);
		refs[count] = &records[count];
	}
	ck_assert_int_eq(pp_entries_shared(refs, count, &list, &err), 0);
	text = format(&list);
	ck_assert_str_eq(text, shared[_i].entries);
	free(text);
	pp_entries_fini(&list);
	for (size_t i = 0; i < count; i++)
		pp_record_fini(&records[i]);
}
END_TEST

static const struct {
	const char *specs[SPECS];
	enum pp_masquerade masquerade;
	struct {
		const char *words[4];
		size_t count;
	} only[2];
	const char *entries; /* but those of the ports themselves, and what is shared */
} special[] = {
	{ { "80:81", "82:81" }, PP_MASQUERADE_NEEDED, { { { 0 }, 0 } }, "" },
	/* Two host ports that lead to one. */
	{ { "80:81", "82:81" },
	  PP_MASQUERADE_NEVER,
	  { { { 0 }, 0 } },
	  "plain4 tcp . 10.0.0.2 . 81 (web)\nplain6 tcp . fd00::2 . 81 (web)\n" },
	{ { "0.0.0.0:80:81/udp" },
	  PP_MASQUERADE_ALL,
	  { { { 0 }, 0 } },
	  "masked4 udp . 10.0.0.2 . 81 (web)\n" },
	{ { "80-81:80-81" },
	  PP_MASQUERADE_NEEDED,
	  { { { "-s", "10.0.0.0/8" }, 2 } },
	  "some4 80-81 . tcp . 0.0.0.0/0 (web)\nwhen4 80-81 . tcp . 0.0.0.0/0 . 10.0.0.0/8 (web)\n" },
	{ { "80:80" },
	  PP_MASQUERADE_NEEDED,
	  { { { "!", "-s", "10.0.0.0/8" }, 3 } },
	  "some4 80 . tcp . 0.0.0.0/0 (web)\nwhen4 80 . tcp . 0.0.0.0/0 . 0.0.0.0-9.255.255.255 (web)\n"
	  "when4 80 . tcp . 0.0.0.0/0 . 11.0.0.0-255.255.255.255 (web)\n" },
	/* Nobody can come from there: the port is nobody's. */
	{ { "80:80" },
	  PP_MASQUERADE_NEEDED,
	  { { { "!", "-s", "0.0.0.0/0" }, 3 } },
	  "some4 80 . tcp . 0.0.0.0/0 (web)\n" },
	{ { "192.0.2.1:80:80", "198.51.100.1:80:80" },
	  PP_MASQUERADE_NEEDED,
	  { { { "-d", "192.0.2.0/24" }, 2 } },
	  "some4 80 . tcp . 192.0.2.1 (web)\nwhen4 80 . tcp . 192.0.2.1 . 0.0.0.0/0 (web)\n"
	  "some4 80 . tcp . 198.51.100.1 (web)\n" },
	{ { "80:80" },
	  PP_MASQUERADE_NEEDED,
	  { { { 0 }, 0 }, { { "-i", "eth0" }, 2 } },
	  "via6 \"eth0\" . tcp . 80 (web)\nbound6 tcp . 80 (web)\n" },
	{ { "80:80" },
	  PP_MASQUERADE_NEEDED,
	  { { { "-i", "eth0", "-s", "10.0.0.1" }, 4 } },
	  "some4 80 . tcp . 0.0.0.0/0 (web)\nwhen4 80 . tcp . 0.0.0.0/0 . 10.0.0.1 (web)\n"
	  "via4 \"eth0\" . tcp . 80 (web)\nbound4 tcp . 80 (web)\n" },
};

START_TEST(record_owns_what_its_conditions_and_its_masquerade_ask_for)
{
	struct asked asked = { { 0 }, "10.0.0.2,fd00::2", NULL, PP_VIA_AUTO, false };
	struct pp_entries list = PP_ENTRIES_INIT, shown = PP_ENTRIES_INIT;
	struct pp_record record;
	struct pp_error err;
	char *text;

	memcpy(asked.specs, special[_i].specs, sizeof(special[_i].specs));
	record = record_of("web", &asked);
	record.request.masquerade = special[_i].masquerade;
	for (size_t f = 0; f < 2; f++)
		ck_assert_int_eq(pp_condition_parse(special[_i].only[f].words, special[_i].only[f].count,
						    pp_families[f], &record.request.only[f], &err),
				 0);
	ck_assert_int_eq(pp_entries_owned(&record, &list, &err), 0);
	for (size_t i = 0; i < list.count; i++) {
		if (list.items[i].set > PP_SET_ANY6)
			ck_assert_int_eq(pp_entries_append(&shown, &list.items[i], &err), 0);
	}
	text = format(&shown);
	ck_assert_str_eq(text, special[_i].entries);
	free(text);
	pp_entries_fini(&list);
	pp_entries_fini(&shown);
	pp_record_fini(&record);
}
END_TEST

/* Of a CNI runtime's there is nothing that keeps others from the container, and with snat off nothing masquerades. */
START_TEST(attachment_shares_no_more_than_it_needs)
{
	struct asked asked = { { "127.0.0.1:80:81" }, "10.0.0.2", NULL, PP_VIA_AUTO, false };
	struct pp_record records[2] = { record_of("web", &asked), record_of("cni", &asked) };
	const struct pp_record *refs[2] = { &records[0], &records[1] };
	static const struct {
		size_t from, count;
		enum pp_masquerade masquerade;
		const char *entries;
	} rows[] = {
		{ 1, 1, PP_MASQUERADE_NEEDED, "hairpin \"br0\" . \"br0\"\nown4 10.0.0.2 . 10.0.0.2\n" },
		{ 1, 1, PP_MASQUERADE_NEVER, "" },
		{ 0, 2, PP_MASQUERADE_NEVER,
		  "hairpin \"br0\" . \"br0\"\nown4 10.0.0.2 . 10.0.0.2\ndirect4 tcp . 10.0.0.2 . 81\n" },
	};
	struct pp_error err;

	records[1].attachment = calloc(1, sizeof(*records[1].attachment));
	for (size_t i = 0; i < UNIT_COUNT(rows); i++) {
		struct pp_entries list = PP_ENTRIES_INIT;
		char *text;

		records[1].request.masquerade = rows[i].masquerade;
		ck_assert_int_eq(pp_entries_shared(refs + rows[i].from, rows[i].count, &list, &err), 0);
		text = format(&list);
		ck_assert_str_eq(text, rows[i].entries);
		free(text);
		pp_entries_fini(&list);
	}
	pp_record_fini(&records[0]);
	pp_record_fini(&records[1]);
}
END_TEST

static void append_port(struct pp_entries *list, const char *host, uint16_t port, const char *to)
{
	struct pp_address address = address_of(host), target = address_of(to);
	struct pp_entry entry;
	struct pp_error err;

	entry = pp_entry_of_port(PP_TCP, &address, port);
	memcpy(entry.value, target.bytes, 4);
	ck_assert_int_eq(pp_entries_append(list, &entry, &err), 0);
}

START_TEST(difference_is_what_has_another_key_or_another_value)
{
	struct pp_entries a = PP_ENTRIES_INIT, b = PP_ENTRIES_INIT;
	struct pp_entry_refs refs = { 0 };
	struct pp_error err;

	for (uint16_t port = 1; port <= 100; port++) {
		append_port(&a, "127.0.0.1", port, "10.0.0.2");
		if (port % 3)
			append_port(&b, "127.0.0.1", (uint16_t)(101 - port),
				    port % 10 ? "10.0.0.2" : "10.0.0.3");
	}
	/* @b has 67 of the ports, 7 of them with another value: 10, 20, 40, 50, 70, 80 and 100 are no threes. */
	ck_assert_int_eq(pp_entries_minus(&a, &b, &refs, &err), 0);
	ck_assert_uint_eq(refs.count, 33 + 7);
	for (size_t i = 1; i < refs.count; i++)
		ck_assert_int_lt(pp_entry_compare(refs.items[i - 1], refs.items[i]), 0);
	free(refs.items);
	ck_assert_int_eq(pp_entries_minus(&b, &a, &refs, &err), 0);
	ck_assert_uint_eq(refs.count, 7);
	free(refs.items);
	ck_assert_int_eq(pp_entries_minus(&a, &a, &refs, &err), 0);
	ck_assert_uint_eq(refs.count, 0);
	free(refs.items);
	pp_entries_fini(&a);
	pp_entries_fini(&b);
	pp_entries_fini(&b);
}
END_TEST

START_TEST(entries_of_an_interval_set_differ_by_their_upper_ends)
{
	struct pp_entry a = { .set = PP_SET_ADMIT_ANY4, .key = { 6 }, .last = { 6 } }, b = a;

	ck_assert_int_eq(pp_entry_compare(&a, &b), 0);
	b.last[4] = 1;
	ck_assert_int_lt(pp_entry_compare(&a, &b), 0);
	a.set = b.set = PP_SET_HOST4; /* which has none */
	ck_assert_int_eq(pp_entry_compare(&a, &b), 0);
	b.set = PP_SET_ANY4;
	ck_assert_int_ne(pp_entry_compare(&a, &b), 0);
}
END_TEST

Suite *suite_entry(void)
{
	Suite *suite = suite_create("entry");
	TCase *tcase = tcase_create("entry");

	tcase_add_loop_test(tcase, entry_has_the_bytes_that_the_kernel_compares, 0, UNIT_COUNT(keys));
	tcase_add_loop_test(tcase, entry_has_room_for_the_key_and_value_of_every_set, 0, PP_SET_COUNT);
	tcase_add_loop_test(tcase, allow_list_is_one_interval_for_ports_side_by_side, 0,
			    sizeof(joined) / sizeof(joined[0]));
	tcase_add_loop_test(tcase, record_owns_an_element_for_each_port_that_the_kernel_carries, 0,
			    UNIT_COUNT(owned));
	tcase_add_loop_test(tcase, records_share_what_their_container_needs_once, 0, UNIT_COUNT(shared));
	tcase_add_loop_test(tcase, record_owns_what_its_conditions_and_its_masquerade_ask_for, 0,
			    UNIT_COUNT(special));
	tcase_add_test(tcase, attachment_shares_no_more_than_it_needs);
	tcase_add_test(tcase, difference_is_what_has_another_key_or_another_value);
	tcase_add_test(tcase, entries_of_an_interval_set_differ_by_their_upper_ends);
	suite_add_tcase(suite, tcase);
	return suite;
}
