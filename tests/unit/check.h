/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Assertions for unit tests, and a runner that prints TAP.
 *
 *	TEST(cursor_reads_big_endian)
 *	{
 *		struct cursor c = cursor_make(slice_make("\0\1", 2));
 *
 *		CHECK_EQ_U64(cursor_u16(&c), 1);
 *	}
 *
 * A file of tests has no main and no list of its tests: each TEST adds itself, and they run in the
 * order in which they stand. A failed check is noted and the test goes on; every check is true when
 * it holds, so that a test that cannot go on writes `if (!CHECK(p)) return;`.
 */
#ifndef CHECK_H
#define CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef void check_test_fn(void);

struct check_test {
	const char *name;
	check_test_fn *run;
	struct check_test *next; /* the runner's */
};

/* Adds a test to those that run. Called by TEST, before main. */
void check_add(struct check_test *test);

/* The checks behind the macros below: true when they hold, else one line that says why not. */
bool check_true(bool holds, const char *file, int line, const char *what);
bool check_u64(uint64_t got, uint64_t want, const char *file, int line, const char *what);
bool check_i64(int64_t got, int64_t want, const char *file, int line, const char *what);
bool check_text(const char *got, const char *want, const char *file, int line, const char *what);
bool check_bytes(const void *got, size_t got_len, const void *want, size_t want_len,
		 const char *file, int line, const char *what);

/* A copy on the heap of exactly this size, so that a sanitizer sees an over-read; free() it. */
void *check_copy(const void *bytes, size_t len);

#define TEST(name)                                                          \
	static void test_##name(void);                                      \
	__attribute__((constructor)) static void test_add_##name(void)      \
	{                                                                   \
		static struct check_test test = {#name, test_##name, NULL}; \
		check_add(&test);                                           \
	}                                                                   \
	static void test_##name(void)

#define CHECK(cond)             check_true((cond), __FILE__, __LINE__, #cond)
#define CHECK_EQ_U64(got, want) check_u64((got), (want), __FILE__, __LINE__, #got)
#define CHECK_EQ_I64(got, want) check_i64((got), (want), __FILE__, __LINE__, #got)
#define CHECK_TEXT(got, want)   check_text((got), (want), __FILE__, __LINE__, #got)
#define CHECK_BYTES(got, got_len, want, want_len) \
	check_bytes((got), (got_len), (want), (want_len), __FILE__, __LINE__, #got)

#endif
