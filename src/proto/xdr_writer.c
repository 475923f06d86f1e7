// SPDX-License-Identifier: GPL-2.0-or-later
/* Writing XDR to the caller's memory. */
#include "proto/xdr_writer.h"

/* Room for len bytes, or NULL after a fault. */
static uint8_t *room(struct xdr_writer *w, size_t len)
{
	uint8_t *at = w->pos;

	if (w->overflow || w->invalid)
		return NULL;
	if (len > (size_t)(w->end - w->pos)) {
		w->overflow = true;
		return NULL;
	}
	w->pos += len;
	return at;
}

void xdr_put_u32(struct xdr_writer *w, uint32_t value)
{
	uint32_t wire = __builtin_bswap32(value);
	uint8_t *at = room(w, sizeof(wire));

	if (at)
		memcpy(at, &wire, sizeof(wire));
}

void xdr_put_u64(struct xdr_writer *w, uint64_t value)
{
	uint64_t wire = __builtin_bswap64(value);
	uint8_t *at = room(w, sizeof(wire));

	if (at)
		memcpy(at, &wire, sizeof(wire));
}

void xdr_put_bool(struct xdr_writer *w, bool value)
{
	xdr_put_u32(w, value ? 1 : 0);
}

void xdr_put_raw(struct xdr_writer *w, struct slice bytes)
{
	uint8_t *at = room(w, bytes.len);

	if (at && bytes.len)
		memcpy(at, bytes.ptr, bytes.len);
}

void xdr_put_bytes(struct xdr_writer *w, const uint8_t *bytes, uint32_t len)
{
	uint8_t *at = room(w, xdr_padded(len));

	if (!at || !len)
		return;
	memcpy(at, bytes, len);
	memset(at + len, 0, xdr_padded(len) - len);
}

void xdr_put_opaque(struct xdr_writer *w, struct xdr_opaque opaque, uint32_t limit)
{
	if (opaque.len > limit || opaque.have != opaque.len)
		w->invalid = true;
	xdr_put_u32(w, opaque.len);
	xdr_put_bytes(w, opaque.ptr, opaque.len);
}

void xdr_put_bitmap(struct xdr_writer *w, const struct xdr_bitmap *map)
{
	if (map->count > XDR_BITMAP_WORDS)
		w->invalid = true;
	xdr_put_u32(w, map->count);
	for (uint32_t i = 0; i < map->count && i < XDR_BITMAP_WORDS; i++)
		xdr_put_u32(w, map->words[i]);
}

/* A cursor that a decoder limited to an array or list has all its bytes in one piece. */
static struct slice encoded_bytes(struct xdr_writer *w, const struct cursor *at)
{
	if (!cursor_ok(at) || cursor_here(at) != cursor_left(at))
		w->invalid = true;
	return slice_make(at->pos, cursor_here(at));
}

void xdr_put_array(struct xdr_writer *w, const struct xdr_array *array, uint32_t limit)
{
	struct slice bytes = encoded_bytes(w, &array->at);

	if (array->count > limit)
		w->invalid = true;
	xdr_put_u32(w, array->count);
	xdr_put_raw(w, bytes);
}

void xdr_put_list(struct xdr_writer *w, const struct xdr_list *list)
{
	struct slice bytes = encoded_bytes(w, &list->at);

	if (bytes.len == 0)
		xdr_put_bool(w, false);
	xdr_put_raw(w, bytes);
}
