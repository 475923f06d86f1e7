// SPDX-License-Identifier: GPL-2.0-or-later
/* Sorting of lines, in memory and by way of a temporary file. */
#include "check.h"
#include "cmd/sorter.h"

#include <stdio.h>
#include <stdlib.h>

enum { SORTER_LINES = 5000 };

struct sorted {
	uint64_t count;
	int64_t last_ns;
	unsigned last_number;
	bool ordered;
	bool intact;
};

static void take(void *context, const struct sort_key *key, struct slice line)
{
	struct sorted *s = context;
	char text[16];
	unsigned number;

	snprintf(text, sizeof(text), "%.*s", (int)line.len, (const char *)line.ptr);
	number = (unsigned)strtoul(text, NULL, 10);
	/* Keys come from few values: within one key the order of adding holds. */
	if (s->count &&
	    (key->ns < s->last_ns || (key->ns == s->last_ns && number < s->last_number)))
		s->ordered = false;
	if (key->ns != (int64_t)(number * 7919u % 97u) - 50)
		s->intact = false;
	s->last_ns = key->ns;
	s->last_number = number;
	s->count++;
}

static void check_sorting(size_t memory_bytes)
{
	struct sorter *sorter = sorter_create(memory_bytes);
	struct sorted s = {.ordered = true, .intact = true};
	struct err *err;
	char text[16];

	for (unsigned i = 0; i < SORTER_LINES; i++) {
		struct sort_key key = {.ns = (int64_t)(i * 7919u % 97u) - 50};
		int len = snprintf(text, sizeof(text), "%u", i);

		sorter_add(sorter, &key, slice_make(text, (size_t)len));
	}
	err = sorter_run(sorter, take, &s);
	CHECK(!err);
	err_destroy(err);
	CHECK_EQ_U64(s.count, SORTER_LINES);
	CHECK(s.ordered);
	CHECK(s.intact);
	sorter_destroy(sorter);
}

TEST(sorter_sorts_in_memory)
{
	check_sorting(SORTER_MEMORY_BYTES);
}

TEST(sorter_sorts_by_way_of_a_file)
{
	check_sorting(4096);
	check_sorting(1);
}

TEST(sorter_of_nothing)
{
	struct sorter *sorter = sorter_create(1);
	struct sorted s = {.ordered = true};
	struct err *err = sorter_run(sorter, take, &s);

	CHECK(!err);
	CHECK_EQ_U64(s.count, 0);
	sorter_destroy(sorter);
}

TEST(sorter_tells_when_it_cannot_write)
{
	char *before = getenv("TMPDIR") ? strdup(getenv("TMPDIR")) : NULL;
	struct sort_key key = {0};
	struct sorted s = {.ordered = true};
	struct sorter *sorter;
	struct err *err;

	setenv("TMPDIR", "/nonexistent", 1);
	sorter = sorter_create(1);
	sorter_add(sorter, &key, slice_of_string("0"));
	sorter_add(sorter, &key, slice_of_string("1"));
	err = sorter_run(sorter, take, &s);
	CHECK(err);
	err_destroy(err);
	sorter_destroy(sorter);
	if (before)
		setenv("TMPDIR", before, 1);
	else
		unsetenv("TMPDIR");
	free(before);
}
