// SPDX-License-Identifier: GPL-2.0-or-later
/* See err.h. */
#include "base/err.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct err {
	char *text;
};

static struct err err_no_memory = {(char *)"out of memory"};

static struct err *err_wrap(char *text)
{
	struct err *err = malloc(sizeof(*err));

	if (!err) {
		free(text);
		return &err_no_memory;
	}
	err->text = text;
	return err;
}

struct err *err_new(const char *format, ...)
{
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	return len < 0 ? &err_no_memory : err_wrap(text);
}

struct err *err_new_errno(int errno_value, const char *format, ...)
{
	char *what = NULL;
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&what, format, args);
	va_end(args);
	if (len < 0)
		return &err_no_memory;
	len = asprintf(&text, "%s: %s", what, strerror(errno_value));
	free(what);
	return len < 0 ? &err_no_memory : err_wrap(text);
}

const char *err_text(const struct err *err)
{
	return err->text;
}

void err_destroy(struct err *err)
{
	if (!err || err == &err_no_memory)
		return;
	free(err->text);
	free(err);
}
