// SPDX-License-Identifier: GPL-2.0-or-later
/* See orphan.h. */
#include "ingest/rpc/orphan.h"

bool orphan_fits(const struct cursor *body)
{
	/* What lies behind a gap in the middle would be lost. */
	return cursor_here(body) <= ORPHAN_BYTES_MAX && body->end == body->tail_end;
}

struct orphan *orphans_place(struct orphans *o)
{
	return &o->held[o->next];
}

void orphan_fill(struct orphans *o, struct orphan *place, struct flow *flow, enum conn_side from,
		 uint32_t xid, const struct cursor *body)
{
	place->flow = flow;
	place->from = from;
	place->xid = xid;
	place->len = (uint32_t)cursor_here(body);
	place->missing_bytes = cursor_left(body) - place->len;
	memcpy(place->bytes, body->pos, place->len);
	o->next = (o->next + 1) % ORPHANS_HELD;
	o->taken++;
}

void orphan_free(struct orphans *o, struct orphan *orphan)
{
	if (orphan->flow)
		o->taken--;
	orphan->flow = NULL;
}

struct orphan *orphans_find(struct orphans *o, const struct flow *flow, enum conn_side from,
			    uint32_t xid, struct stamp call_at)
{
	for (uint32_t i = 0; i < ORPHANS_HELD && o->taken; i++) {
		struct orphan *orphan = &o->held[i];
		int64_t wait_ns = call_at.ns - orphan->at.at.ns;

		if (orphan->flow == flow && orphan->xid == xid && orphan->from == from &&
		    wait_ns >= 0 && wait_ns < ORPHAN_WAIT_NS)
			return orphan;
	}
	return NULL;
}

struct orphan *orphans_of(struct orphans *o, const struct flow *flow)
{
	for (uint32_t i = 0; i < ORPHANS_HELD && o->taken; i++) {
		struct orphan *orphan = &o->held[(o->next + i) % ORPHANS_HELD];

		if (orphan->flow == flow)
			return orphan;
	}
	return NULL;
}

struct cursor orphan_body(const struct orphan *orphan)
{
	return cursor_make_cut(slice_make(orphan->bytes, orphan->len), orphan->missing_bytes);
}
