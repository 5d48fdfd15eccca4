/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Files below the directory of the records: read whole, written beside and renamed. */
#ifndef PORTPUB_RECORD_FILES_H
#define PORTPUB_RECORD_FILES_H

#include "portpub/error.h"

#include <dirent.h>
#include <stddef.h>

/* "cannot WHAT DIR/NAME: ...", or, where @name is NULL, DIR alone. Returns -@code. */
int files_fail(struct pp_error *err, int code, const char *what, const char *dir, const char *name);

/* The whole file; *@text is the caller's to free. Returns a negative errno without words. */
int files_read(int dir, const char *name, char **text, size_t *len);

/* Whole, or not at all. The same. */
int files_write(int dir, const char *name, const char *text, size_t len);

/* Remove what a program that was killed has not written to the end. */
void files_clean(int dir);

/* NULL with errno. */
DIR *files_list(int dir, const char *name);

#endif
