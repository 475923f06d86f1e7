// SPDX-License-Identifier: GPL-2.0-or-later
/* See check.h. Every unit test program links this; it is the one place that keeps state. */
#include "check.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct {
	struct check_test *first;
	struct check_test **end;
	unsigned count;
	bool failed; /* the running test */
} check = {.end = NULL};

void check_add(struct check_test *test)
{
	if (!check.end)
		check.end = &check.first;
	*check.end = test;
	check.end = &test->next;
	check.count++;
}

static bool check_note(bool holds, const char *file, int line, const char *what)
{
	if (!holds) {
		check.failed = true;
		printf("# %s:%d: %s", file, line, what);
	}
	return holds;
}

bool check_true(bool holds, const char *file, int line, const char *what)
{
	if (!check_note(holds, file, line, what))
		puts(" does not hold");
	return holds;
}

bool check_u64(uint64_t got, uint64_t want, const char *file, int line, const char *what)
{
	if (check_note(got == want, file, line, what))
		return true;
	printf(" is %" PRIu64 " (0x%" PRIx64 "), not %" PRIu64 " (0x%" PRIx64 ")\n", got, got, want,
	       want);
	return false;
}

bool check_i64(int64_t got, int64_t want, const char *file, int line, const char *what)
{
	if (check_note(got == want, file, line, what))
		return true;
	printf(" is %" PRId64 ", not %" PRId64 "\n", got, want);
	return false;
}

/* One line of TAP, whatever the text holds. */
static void check_print_text(const char *text)
{
	if (!text) {
		fputs("NULL", stdout);
		return;
	}
	putchar('"');
	for (; *text; text++) {
		if (*text == '\n')
			fputs("\\n", stdout);
		else
			putchar(*text);
	}
	putchar('"');
}

bool check_text(const char *got, const char *want, const char *file, int line, const char *what)
{
	bool same = got && want ? strcmp(got, want) == 0 : got == want;

	if (check_note(same, file, line, what))
		return true;
	fputs(" is ", stdout);
	check_print_text(got);
	fputs(", not ", stdout);
	check_print_text(want);
	putchar('\n');
	return false;
}

bool check_bytes(const void *got, size_t got_len, const void *want, size_t want_len,
		 const char *file, int line, const char *what)
{
	const uint8_t *a = got;
	const uint8_t *b = want;
	size_t common = got_len < want_len ? got_len : want_len;
	size_t at = 0;

	while (at < common && a[at] == b[at])
		at++;
	if (check_note(at == got_len && at == want_len, file, line, what))
		return true;
	printf(" has %zu bytes and differs at %zu from the %zu bytes wanted\n", got_len, at,
	       want_len);
	return false;
}

void *check_copy(const void *bytes, size_t len)
{
	void *copy = malloc(len ? len : 1);

	if (!copy)
		abort();
	if (len)
		memcpy(copy, bytes, len);
	return copy;
}

int main(void)
{
	unsigned number = 0;
	unsigned failures = 0;

	printf("1..%u\n", check.count);
	for (struct check_test *test = check.first; test; test = test->next) {
		check.failed = false;
		test->run();
		failures += check.failed;
		printf("%sok %u - %s\n", check.failed ? "not " : "", ++number, test->name);
		fflush(stdout);
	}
	return failures ? 1 : 0;
}
