// SPDX-License-Identifier: GPL-2.0-or-later
/* Messages to the user, and the nearest name to a mistyped one. See command.h. */
#include "cmd/command.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

enum { NEAREST_BYTES_MAX = 63 };

void command_complain(const char *format, ...)
{
	struct strbuf line;
	char *text = NULL;
	va_list args;
	int len;

	va_start(args, format);
	len = vasprintf(&text, format, args);
	va_end(args);
	if (len < 0)
		return;
	strbuf_init(&line);
	strbuf_add_safe(&line, slice_make(text, (size_t)len));
	fprintf(stderr, "nfsleuth: %s\n", strbuf_text(&line));
	strbuf_deinit(&line);
	free(text);
}

void command_tell_of_terminal(const struct options *options)
{
	for (size_t i = 0; i < options->arg_count; i++) {
		if (strcmp(options->args[i], "-") != 0 || !isatty(STDIN_FILENO))
			continue;
		command_complain("-: reads what is typed or pasted here, up to Ctrl-D");
		return;
	}
}

void command_raise_file_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

bool command_is_path(const char *word)
{
	return access(word, F_OK) == 0;
}

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Levenshtein's distance: letters to add, leave out or change to make one word the other. */
static size_t word_distance(const char *a, const char *b)
{
	size_t row[NEAREST_BYTES_MAX + 1];
	size_t a_len = strlen(a);
	size_t b_len = strlen(b);

	if (a_len > NEAREST_BYTES_MAX || b_len > NEAREST_BYTES_MAX)
		return SIZE_MAX;
	for (size_t j = 0; j <= b_len; j++)
		row[j] = j;
	for (size_t i = 1; i <= a_len; i++) {
		size_t diagonal = row[0];

		row[0] = i;
		for (size_t j = 1; j <= b_len; j++) {
			size_t above = row[j];

			row[j] = least(least(above, row[j - 1]) + 1,
				       diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[b_len];
}

const char *command_nearest(const char *typed, const char *(*name_at)(size_t index), size_t count)
{
	size_t best_distance = strlen(typed) / 2;
	const char *best = NULL;

	for (size_t i = 0; i < count; i++) {
		const char *name = name_at(i);
		size_t distance = word_distance(typed, name);

		if (strlen(typed) >= 2 && strncmp(typed, name, strlen(typed)) == 0)
			distance = 0;
		if (distance < best_distance || (distance == best_distance && !best)) {
			best = name;
			best_distance = distance;
		}
	}
	return best;
}
