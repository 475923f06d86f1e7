// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_range.h. */
#include "lab/serve/nfs4/nfs4_range.h"
#include "base/mem.h"

#include <stdlib.h>

bool nfs4_span_make(uint64_t offset, uint64_t length, bool exclusive, struct nfs4_span *out)
{
	if (length == 0 || (length != UINT64_MAX && length > ~offset))
		return false;
	out->start = offset;
	out->end = length == UINT64_MAX ? UINT64_MAX : offset + (length - 1);
	out->exclusive = exclusive;
	return true;
}

static bool overlaps(const struct nfs4_range *range, const struct nfs4_span *span)
{
	return range->start <= span->end && span->start <= range->end;
}

struct nfs4_range *nfs4_range_conflict(const struct nfs4_file *file, const struct nfs4_span *span,
				       const struct nfs4_owner *owner)
{
	for (struct nfs4_link *link = file->ranges.next; link != &file->ranges; link = link->next) {
		struct nfs4_range *range = NFS4_ITEM(link, struct nfs4_range, in_file);

		if (overlaps(range, span) && range->state->owner != owner &&
		    (range->exclusive || span->exclusive))
			return range;
	}
	return NULL;
}

static void range_add(struct nfs4_server *server, struct nfs4_state *state,
		      const struct nfs4_span *span)
{
	struct nfs4_range *range = mem_alloc(1, sizeof(*range));

	range->state = state;
	range->start = span->start;
	range->end = span->end;
	range->exclusive = span->exclusive;
	nfs4_list_append(&state->file->ranges, &range->in_file);
	server->range_count++;
}

static void range_destroy(struct nfs4_server *server, struct nfs4_range *range)
{
	nfs4_list_remove(&range->in_file);
	server->range_count--;
	free(range);
}

/* Takes the span out of one range; what is left of it are none, one or two. */
static void range_cut(struct nfs4_server *server, struct nfs4_range *range,
		      const struct nfs4_span *span)
{
	struct nfs4_span tail = {span->end + 1, range->end, range->exclusive};
	bool has_head = range->start < span->start;
	bool has_tail = range->end > span->end;

	if (has_tail)
		range_add(server, range->state, &tail);
	if (has_head)
		range->end = span->start - 1;
	else
		range_destroy(server, range);
}

bool nfs4_range_unlock(struct nfs4_server *server, struct nfs4_state *state,
		       const struct nfs4_span *span)
{
	struct nfs4_link *last = state->file->ranges.prev;
	struct nfs4_link *next;

	/* One range at most is cut into two. */
	if (server->range_count >= NFS4_MAX_RANGES)
		return false;
	if (nfs4_list_empty(&state->file->ranges))
		return true;
	for (struct nfs4_link *link = state->file->ranges.next;; link = next) {
		struct nfs4_range *range = NFS4_ITEM(link, struct nfs4_range, in_file);
		bool is_last = link == last; /* tails are added behind it, and need no look */

		next = link->next;
		if (range->state == state && overlaps(range, span))
			range_cut(server, range, span);
		if (is_last)
			return true;
	}
}

/* Neighbours of one kind become one, so that a file locked byte by byte does not fill the table. */
static struct nfs4_span merged(struct nfs4_server *server, struct nfs4_state *state,
			       struct nfs4_span span)
{
	struct nfs4_link *next;

	for (struct nfs4_link *link = state->file->ranges.next; link != &state->file->ranges;
	     link = next) {
		struct nfs4_range *range = NFS4_ITEM(link, struct nfs4_range, in_file);

		next = link->next;
		if (range->state != state || range->exclusive != span.exclusive)
			continue;
		if (span.start != 0 && range->end == span.start - 1) {
			span.start = range->start;
			range_destroy(server, range);
		} else if (span.end != UINT64_MAX && range->start == span.end + 1) {
			span.end = range->end;
			range_destroy(server, range);
		}
	}
	return span;
}

bool nfs4_range_lock(struct nfs4_server *server, struct nfs4_state *state,
		     const struct nfs4_span *span)
{
	struct nfs4_span whole;

	if (server->range_count + 1 >= NFS4_MAX_RANGES || !nfs4_range_unlock(server, state, span))
		return false;
	whole = merged(server, state, *span);
	range_add(server, state, &whole);
	return true;
}
