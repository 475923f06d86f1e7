// SPDX-License-Identifier: GPL-2.0-or-later
/* The cursor's slow paths: gaps, cuts and faults. XDR encodings follow RFC 4506. */
#include "base/cursor.h"

struct cursor cursor_make_gapped(struct slice bytes, size_t head_bytes, size_t gap_bytes,
				 size_t missing_bytes)
{
	struct cursor c = cursor_make(bytes);

	if (head_bytes >= bytes.len || gap_bytes == 0) {
		c.gap = gap_bytes + missing_bytes;
		return c;
	}
	c.end = bytes.ptr + head_bytes;
	c.gap = gap_bytes;
	c.missing = missing_bytes;
	return c;
}

void cursor_fail(struct cursor *c, enum cursor_fault fault)
{
	if (c->fault != CURSOR_OK)
		return;
	c->fault = fault;
	/* The offset stays; nothing is left to read. */
	c->offset_base = cursor_offset(c);
	c->end = c->pos;
	c->tail_end = c->pos;
	c->origin = c->pos;
	c->gap = 0;
	c->missing = 0;
}

/* Enters the bytes behind the gap. The caller has checked that the whole gap is skipped. */
static void cursor_cross_gap(struct cursor *c)
{
	c->offset_base = c->offset_base + (size_t)(c->end - c->origin) + c->gap;
	c->pos = c->end;
	c->origin = c->end;
	c->end = c->tail_end;
	c->gap = c->missing;
	c->missing = 0;
}

bool cursor_need_slow(struct cursor *c, size_t count)
{
	if (c->fault != CURSOR_OK)
		return false;
	if (count <= cursor_here(c))
		return true;
	cursor_fail(c, count <= cursor_left(c) ? CURSOR_CUT : CURSOR_SHORT);
	return false;
}

void cursor_skip_slow(struct cursor *c, size_t count)
{
	if (c->fault != CURSOR_OK)
		return;
	if (count > cursor_left(c)) {
		cursor_fail(c, CURSOR_SHORT);
		return;
	}
	while (count > cursor_here(c)) {
		count -= cursor_here(c);
		if (count < c->gap ||
		    (count == c->gap && c->end == c->tail_end && c->missing == 0)) {
			/* Stops inside of what is not here, or at the very end of it. */
			if (count == c->gap) {
				cursor_cross_gap(c);
				return;
			}
			cursor_fail(c, CURSOR_CUT);
			return;
		}
		count -= c->gap;
		cursor_cross_gap(c);
	}
	c->pos += count;
}

struct slice cursor_bytes(struct cursor *c, size_t count)
{
	struct slice bytes = {0};

	if (!cursor_need(c, count))
		return bytes;
	bytes = slice_make(c->pos, count);
	c->pos += count;
	return bytes;
}

struct xdr_opaque cursor_opaque_slow(struct cursor *c, uint32_t len)
{
	struct xdr_opaque o = {0};
	size_t padded = ((size_t)len + 3) & ~(size_t)3;

	if (!cursor_ok(c))
		return o;
	if (padded > cursor_left(c)) {
		cursor_fail(c, CURSOR_SHORT);
		return o;
	}
	o.ptr = c->pos;
	o.len = len;
	o.have = cursor_here(c) < len ? (uint32_t)cursor_here(c) : len;
	cursor_skip(c, padded);
	return o;
}
