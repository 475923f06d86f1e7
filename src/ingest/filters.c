// SPDX-License-Identifier: GPL-2.0-or-later
/* See filters.h. */
#include "ingest/filters.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/vec.h"
#include "evidence/line/filter_line.h"

struct filter_entry {
	struct filter_fact fact; /* its text lies in the arena */
	uint32_t evidence;
	uint64_t line;
};

struct filters {
	struct arena arena;
	struct vec entries; /* struct filter_entry */
	struct filter_reader reader;
	uint32_t evidence; /* that the reader is in */
};

struct filters *filters_create(void)
{
	struct filters *f = mem_alloc(1, sizeof(*f));

	arena_init(&f->arena);
	vec_init(&f->entries, sizeof(struct filter_entry));
	return f;
}

void filters_destroy(struct filters *f)
{
	if (!f)
		return;
	vec_deinit(&f->entries);
	arena_deinit(&f->arena);
	free(f);
}

bool filters_take_line(struct filters *f, uint32_t evidence, uint64_t line, struct slice text)
{
	struct filter_entry *e;
	struct filter_fact fact;

	if (evidence != f->evidence)
		f->reader = (struct filter_reader){0};
	f->evidence = evidence;
	if (text.len > FILTER_BYTES_MAX)
		text.len = FILTER_BYTES_MAX;
	if (!filter_line_parse(&f->reader, text, &fact))
		return false;
	if (f->entries.len == FILTERS_MAX)
		return true;
	e = vec_push(&f->entries);
	*e = (struct filter_entry){.fact = fact, .evidence = evidence, .line = line};
	while (text.len && (text.ptr[0] == ' ' || text.ptr[0] == '\t'))
		text = slice_make(text.ptr + 1, text.len - 1);
	e->fact.text = slice_make(arena_copy(&f->arena, text.ptr, text.len), text.len);
	return true;
}

uint64_t filters_count(const struct filters *f, uint32_t evidence)
{
	uint64_t count = 0;

	for (size_t i = f->entries.len; i > 0; i--) {
		const struct filter_entry *e = vec_at(&f->entries, i - 1);

		if (e->evidence != evidence)
			break;
		count++;
	}
	return count;
}

void filters_emit(const struct filters *f, const struct event_board *board)
{
	for (size_t i = 0; i < f->entries.len; i++) {
		const struct filter_entry *e = vec_at(&f->entries, i);
		struct event event = {
			.kind = EVENT_FILTER,
			.at = {.evidence = e->evidence, .frame = e->line, .at = stamp_none()},
			.filter = &e->fact,
		};

		event_emit(board, &event);
	}
}
