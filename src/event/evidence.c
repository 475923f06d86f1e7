// SPDX-License-Identifier: GPL-2.0-or-later
/* See evidence.h. */
#include "event/evidence.h"

#include <string.h>

void evidence_list_init(struct evidence_list *list)
{
	vec_init(&list->items, sizeof(struct evidence));
	arena_init(&list->arena);
}

void evidence_list_deinit(struct evidence_list *list)
{
	for (uint32_t i = 0; i < list->items.len; i++) {
		struct evidence *e = evidence_list_at(list, i);

		vec_deinit(&e->damage);
		vec_deinit(&e->notes);
		vec_deinit(&e->clock_notes);
	}
	vec_deinit(&list->items);
	arena_deinit(&list->arena);
}

struct evidence *evidence_list_at(const struct evidence_list *list, uint32_t index)
{
	return vec_at(&list->items, index);
}

struct evidence *evidence_list_add(struct evidence_list *list, const char *path,
				   enum evidence_kind kind)
{
	struct evidence *e = vec_push(&list->items);

	e->id = arena_format(&list->arena, "e%zu", list->items.len);
	e->path = arena_text(&list->arena, path);
	e->kind = kind;
	e->first = stamp_none();
	e->last = stamp_none();
	e->clock_error_ns = -1;
	vec_init(&e->damage, sizeof(struct evidence_damage));
	vec_init(&e->notes, sizeof(const char *));
	vec_init(&e->clock_notes, sizeof(const char *));
	return e;
}

void evidence_add_damage(struct evidence_list *list, uint32_t index, const char *what,
			 uint64_t count, uint64_t offset, uint64_t frame)
{
	struct evidence *e = evidence_list_at(list, index);
	struct evidence_damage *d;

	for (size_t i = 0; i < e->damage.len; i++) {
		d = vec_at(&e->damage, i);
		if (strcmp(d->what, what) == 0) {
			d->count += count;
			return;
		}
	}
	d = vec_push(&e->damage);
	*d = (struct evidence_damage){arena_text(&list->arena, what), count, offset, frame};
}

void evidence_add_note(struct evidence_list *list, uint32_t index, const char *note)
{
	struct evidence *e = evidence_list_at(list, index);

	*(const char **)vec_push(&e->notes) = arena_text(&list->arena, note);
}

void evidence_add_clock_note(struct evidence_list *list, uint32_t index, const char *note)
{
	struct evidence *e = evidence_list_at(list, index);

	evidence_add_note(list, index, note);
	*(const char **)vec_push(&e->clock_notes) = *(const char **)vec_last(&e->notes);
}

/*
 * Of segments that are missing one by one, as in a sample, those in a row make one hole: as many
 * holes come to one segment that is there as segments are missing of one that was sent. A hole
 * where many were dropped at once stays one.
 */
bool evidence_may_lack(const struct evidence_list *list, uint32_t index, uint64_t packets)
{
	enum { WHOLE = 1000000, SELDOM = WHOLE / 100 };
	const struct evidence *e;
	uint64_t missing, all = WHOLE;

	if (index >= list->items.len)
		return false;
	e = evidence_list_at(list, index);
	/* One hole tells no rate; nor do those of who left all data out by a filter. */
	if (e->holes < 2 || e->data_segments == 0 || e->partial)
		return false;
	missing = e->holes > e->data_segments ? WHOLE : e->holes * WHOLE / e->data_segments;
	for (uint64_t i = 0; i < packets && all > SELDOM && missing < WHOLE; i++)
		all = all * missing / WHOLE;
	return all > SELDOM;
}

const char *evidence_kind_name(enum evidence_kind kind)
{
	static const char *const names[] = {
		[EVIDENCE_PCAP] = "pcap",
		[EVIDENCE_PCAPNG] = "pcapng",
		[EVIDENCE_KERNEL_LOG] = "kernel-log",
		[EVIDENCE_MOUNTS] = "mounts",
		[EVIDENCE_HOST_CLOCK] = "host-clock",
		[EVIDENCE_STACKS] = "stacks",
		[EVIDENCE_FILTERS] = "packet-filter",
		[EVIDENCE_LISTS] = "lists",
		[EVIDENCE_PACKET_LIST] = "packet-list",
		[EVIDENCE_STRACE] = "strace",
		[EVIDENCE_TRACE] = "trace",
		[EVIDENCE_UNREAD] = "unread",
	};

	return names[kind];
}

bool evidence_has_lines(enum evidence_kind kind)
{
	return kind == EVIDENCE_KERNEL_LOG || kind == EVIDENCE_MOUNTS ||
	       kind == EVIDENCE_HOST_CLOCK || kind == EVIDENCE_STACKS || kind == EVIDENCE_FILTERS ||
	       kind == EVIDENCE_LISTS || kind == EVIDENCE_STRACE || kind == EVIDENCE_TRACE ||
	       kind == EVIDENCE_PACKET_LIST;
}
