// SPDX-License-Identifier: GPL-2.0-or-later
/* See mounts.h. */
#include "ingest/mounts.h"

#include <stdlib.h>

#include "base/arena.h"
#include "base/mem.h"
#include "base/vec.h"
#include "evidence/line/mount_line.h"
#include "ingest/log/log_facts.h"

struct mount_entry {
	struct mount_fact fact; /* its texts lie in the arena */
	uint32_t evidence;
	uint64_t line; /* of its options */
};

struct mounts {
	struct arena arena;
	struct vec entries; /* struct mount_entry */
	/* A mount whose options must follow. */
	struct mount_fact open; /* its texts lie in open_text */
	struct strbuf open_text;
	bool has_open;
	uint32_t open_evidence;
};

struct mounts *mounts_create(void)
{
	struct mounts *m = mem_alloc(1, sizeof(*m));

	arena_init(&m->arena);
	vec_init(&m->entries, sizeof(struct mount_entry));
	strbuf_init(&m->open_text);
	return m;
}

void mounts_destroy(struct mounts *m)
{
	if (!m)
		return;
	strbuf_deinit(&m->open_text);
	vec_deinit(&m->entries);
	arena_deinit(&m->arena);
	free(m);
}

static struct slice keep(struct mounts *m, struct slice s)
{
	return slice_make(arena_copy(&m->arena, s.ptr, s.len), s.len);
}

static void add(struct mounts *m, uint32_t evidence, uint64_t line, const struct mount_fact *fact)
{
	struct slice addr = mount_option_value(fact->options, "addr");
	struct mount_entry *e;

	if (m->entries.len == MOUNTS_MAX)
		return;
	e = vec_push(&m->entries);
	*e = (struct mount_entry){.evidence = evidence, .line = line};
	e->fact.server = keep(m, fact->server);
	e->fact.export = keep(m, fact->export);
	e->fact.mount_point = keep(m, fact->mount_point);
	e->fact.fstype = keep(m, fact->fstype);
	e->fact.options = keep(m, fact->options);
	e->fact.server_is_address = (addr.len && log_address_parse(addr, &e->fact.server_at)) ||
				    log_address_parse(fact->server, &e->fact.server_at);
}

/* Keeps the line until its options come; the fact's texts point into the copy. */
static void keep_open(struct mounts *m, uint32_t evidence, struct slice text)
{
	strbuf_reset(&m->open_text);
	strbuf_add(&m->open_text, text.ptr, text.len);
	text = slice_make(strbuf_text(&m->open_text), m->open_text.len);
	m->has_open = mount_line_parse(text, &m->open) == MOUNT_LINE_DEVICE;
	m->open_evidence = evidence;
}

bool mounts_take_line(struct mounts *m, uint32_t evidence, uint64_t line, struct slice text)
{
	struct mount_fact fact;
	bool known = true;

	if (text.len > MOUNT_BYTES_MAX)
		text.len = MOUNT_BYTES_MAX;
	switch (mount_line_parse(text, &fact)) {
	case MOUNT_LINE_OTHER:
		m->has_open = false;
		return false;
	case MOUNT_LINE_WHOLE:
		add(m, evidence, line, &fact);
		m->has_open = false;
		break;
	case MOUNT_LINE_DEVICE:
		keep_open(m, evidence, text);
		break;
	case MOUNT_LINE_OPTIONS:
		known = m->has_open && m->open_evidence == evidence;
		if (known) {
			m->open.options = fact.options;
			add(m, evidence, line, &m->open);
		}
		m->has_open = false;
		break;
	}
	return known;
}

uint64_t mounts_count(const struct mounts *m, uint32_t evidence)
{
	uint64_t count = 0;

	for (size_t i = m->entries.len; i > 0; i--) {
		const struct mount_entry *e = vec_at(&m->entries, i - 1);

		if (e->evidence != evidence)
			break;
		count++;
	}
	return count;
}

void mounts_emit(const struct mounts *m, const struct event_board *board)
{
	for (size_t i = 0; i < m->entries.len; i++) {
		const struct mount_entry *e = vec_at(&m->entries, i);
		struct event event = {
			.kind = EVENT_MOUNT,
			.at = {.evidence = e->evidence, .frame = e->line, .at = stamp_none()},
			.mount = &e->fact,
		};

		event_emit(board, &event);
	}
}
