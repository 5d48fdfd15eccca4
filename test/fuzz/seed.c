/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Make the first inputs of the fuzzers of the corpus: seed CORPUS-FILE DIRECTORY... writes every row to each. */
#include <errno.h>
#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LINE_SIZE = 1 << 16 };

static int write_row(const char *directory, const char *name, const char *text, size_t len)
{
	char path[4096];
	FILE *file;
	size_t written;

	snprintf(path, sizeof(path), "%s/%s", directory, name);
	file = fopen(path, "we");
	if (!file)
		return -1;
	written = fwrite(text, 1, len, file);
	return fclose(file) == 0 && written == len ? 0 : -1;
}

static size_t unhex(const char *hex, char *out)
{
	size_t len = strlen(hex) / 2;

	for (size_t i = 0; i < len; i++)
		sscanf(hex + 2 * i, "%2hhx", (unsigned char *)&out[i]);
	return len;
}

static int seed(const char *line, const char *name, char **directories)
{
	static char bytes[LINE_SIZE];
	json_t *row = json_loads(line, JSON_ALLOW_NUL, NULL), *text = json_object_get(row, "input");
	const char *hex = json_string_value(json_object_get(row, "input_hex")), *from;
	size_t len;
	int ret = 0;

	if (!text)
		text = json_object_get(row, "doc_text");
	from = text ? json_string_value(text) : bytes;
	len = text ? json_string_length(text) : hex ? unhex(hex, bytes) : 0;
	for (; ret == 0 && *directories; directories++)
		ret = write_row(*directories, name, from, len);
	json_decref(row);
	return ret;
}

int main(int argc, char **argv)
{
	static char line[LINE_SIZE];
	FILE *file = argc > 2 ? fopen(argv[1], "re") : NULL;
	const char *base = file ? strrchr(argv[1], '/') : NULL;
	char name[64];

	for (int i = 0; file && fgets(line, sizeof(line), file); i++) {
		snprintf(name, sizeof(name), "%.40s-%d", base ? base + 1 : argv[1], i);
		if (seed(line, name, argv + 2) < 0) {
			fprintf(stderr, "seed: %s: %s\n", argv[1], strerror(errno));
			return EXIT_FAILURE;
		}
	}
	return file && fclose(file) == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
