/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Answers in JSON. */
#ifndef PORTPUB_CLI_ANSWER_H
#define PORTPUB_CLI_ANSWER_H

#include "cli.h"

#include <jansson.h>

/* The table of a command that has --json and nothing else, and what takes it into a bool. */
extern const struct cli_option answer_options[];
int answer_take_option(int key, void *data, struct pp_error *err);

/* Append @item to *@array. Both are taken; when memory runs out *@array is NULL, and stays so. */
void answer_append(json_t **array, json_t *item);

/* Print @value, whole or nothing of it, and take it. NULL is -ENOMEM, as jansson has it. */
int answer_print(json_t *value, struct pp_error *err);

#endif
