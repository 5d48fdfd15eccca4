/* SPDX-License-Identifier: GPL-2.0-or-later */
/* portpub who: which publication, or which process, has a host port. */
#include "answer.h"
#include "portpub/holder.h"
#include "portpub/process.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

/* PORT or PORT/PROTOCOL; *@last is the protocol behind the last that is meant. */
static int parse(const char *text, uint16_t *port, int *first, int *last, struct pp_error *err)
{
	size_t len = strlen(text), digits = strspn(text, "0123456789");
	struct pp_piece piece = { text, len, 0, len };
	enum pp_protocol protocol;
	unsigned long number = strtoul(text, NULL, 10);

	if (digits == 0 || digits > 5 || number == 0 || number > UINT16_MAX)
		return pp_fail_at(err, piece, "a port is a number from 1 to 65535");
	*port = (uint16_t)number;
	*first = 0;
	*last = PP_PROTOCOL_COUNT;
	if (digits == len)
		return 0;
	piece.at = digits;
	piece.len = len - digits;
	if (text[digits] != '/' || !pp_protocol_parse(text + digits + 1, len - digits - 1, &protocol))
		return pp_fail_at(err, piece, "behind the port there may be /tcp, /udp or /sctp");
	*first = (int)protocol;
	*last = *first + 1;
	return 0;
}

static void print(const struct pp_holder *holder)
{
	char address[PP_ADDRESS_TEXT], target[PP_ADDRESS_TEXT], words[PP_HOLDER_WORDS];
	bool ipv6 = holder->address.family == AF_INET6;

	pp_address_format(&holder->address, address);
	printf("%s%s%s%s%u/%s %s", ipv6 ? "[" : "", address, ipv6 ? "]" : "", address[0] ? ":" : "",
	       holder->port, pp_protocol_name(holder->protocol), pp_holder_describe(holder, words));
	if (holder->id[0])
		printf(holder->target.family == AF_INET6 ? ", to [%s]:%u" : ", to %s:%u",
		       pp_address_format(&holder->target, target), holder->target_port);
	putchar('\n');
}

static json_t *to_json(const struct pp_holder *holder)
{
	char address[PP_ADDRESS_TEXT], target[PP_ADDRESS_TEXT];
	struct pp_process process = { 0 };
	json_t *publication = json_null(), *who = json_null();

	if (holder->id[0])
		publication = json_pack("{s:s, s:s, s:i}", "id", holder->id, "target",
					pp_address_format(&holder->target, target), "container_port",
					(int)holder->target_port);
	else if (pp_process_of_socket(holder->socket.inode, &process))
		who = json_pack("{s:s, s:i}", "name", process.name, "pid", (int)process.pid);
	return json_pack("{s:s, s:s, s:i, s:o, s:o}", "protocol", pp_protocol_name(holder->protocol),
			 "address", pp_address_format(&holder->address, address), "port", (int)holder->port,
			 "publication", publication, "process", who);
}

static int print_json(const struct pp_holders *list, struct pp_error *err)
{
	json_t *array = json_array();

	for (size_t i = 0; i < list->count; i++)
		answer_append(&array, to_json(&list->items[i]));
	return answer_print(array, err);
}

static int answer(const char *text, bool json, struct pp_error *err)
{
	struct pp_holders list = PP_HOLDERS_INIT;
	uint16_t port = 0;
	int first = 0, last = 0, ret = parse(text, &port, &first, &last, err);

	for (int protocol = first; ret == 0 && protocol < last; protocol++)
		ret = pp_holders_find((enum pp_protocol)protocol, port, &list, err);
	if (ret == 0 && json)
		ret = print_json(&list, err);
	for (size_t i = 0; ret == 0 && !json && i < list.count; i++)
		print(&list.items[i]);
	if (ret == 0 && !list.count)
		ret = list.unknown.code ? pp_fail(err, list.unknown.code, "%s", list.unknown.message)
					: pp_fail(err, ENOENT, "nobody has port %s", text);
	else if (ret == 0 && list.unknown.code)
		fprintf(stderr, "portpub: %s\n", list.unknown.message);
	pp_holders_fini(&list);
	return ret;
}

static int run(const struct cli_command *self, int argc, char **argv)
{
	struct pp_error err;
	bool json = false;
	int ret = cli_options(self, argc, argv, answer_take_option, &json, &err);

	if (ret == CLI_HELPED)
		return cli_finish();
	if (ret == 0 && argc - optind != 1)
		ret = pp_fail(&err, EINVAL, "who has which port? portpub who 8080, or 53/udp");
	if (ret == 0)
		ret = answer(argv[optind], json, &err);
	return ret < 0 ? cli_fail(&err) : cli_finish();
}

const struct cli_command cli_who = {
	.name = "who",
	.synopsis = "PORT[/PROTOCOL] [--json]",
	.summary = "Tell which publication or which process has a host port",
	.options = answer_options,
	.run = run,
};
