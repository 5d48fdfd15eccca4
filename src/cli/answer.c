/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answer.h"

#include <errno.h>
#include <stdlib.h>

enum { OPT_JSON = 256 };

const struct cli_option answer_options[] = {
	{ OPT_JSON, "json", NULL, "answer in JSON", false },
	{ 0 },
};

int answer_take_option(int key, void *data, struct pp_error *err)
{
	(void)err;
	*(bool *)data = key == OPT_JSON; /* there is no other */
	return 0;
}

void answer_append(json_t **array, json_t *item)
{
	if (*array && json_array_append_new(*array, item) == 0)
		return;
	if (!*array)
		json_decref(item);
	json_decref(*array);
	*array = NULL;
}

int answer_print(json_t *value, struct pp_error *err)
{
	char *text = value ? json_dumps(value, JSON_INDENT(2)) : NULL;

	json_decref(value);
	if (!text)
		return pp_fail(err, ENOMEM, "out of memory");
	puts(text);
	free(text);
	return 0;
}
