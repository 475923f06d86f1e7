// SPDX-License-Identifier: GPL-2.0-or-later
/* The building blocks of the generated XDR decoders: arrays, lists, bitmaps, attribute values. */
#include "proto/xdr.h"

void xdr_bitmap_set(struct xdr_bitmap *map, uint32_t bit)
{
	if (bit / 32 >= XDR_BITMAP_WORDS)
		return;
	while (map->count <= bit / 32)
		map->words[map->count++] = 0;
	map->words[bit / 32] |= UINT32_C(1) << (bit % 32);
}

struct xdr_array xdr_array_make(uint32_t count, struct slice encoded)
{
	return (struct xdr_array){.count = count, .at = cursor_make(encoded)};
}

struct xdr_list xdr_list_make(uint32_t count, struct slice encoded)
{
	return (struct xdr_list){.count = count, .at = cursor_make(encoded)};
}

struct cursor xdr_opaque_cursor(struct xdr_opaque opaque)
{
	return cursor_make_cut(slice_make(opaque.ptr, opaque.have), opaque.len - opaque.have);
}

/* The same in its place: see cursor_start. */
static void opaque_start(struct cursor *c, const struct xdr_opaque *opaque)
{
	cursor_start(c, slice_make(opaque->ptr, opaque->have), opaque->len - opaque->have);
}

/* Lets a cursor end where `to` stands, which was reached from it; not across a gap. */
static void span(struct cursor *from, const struct cursor *to)
{
	size_t len = cursor_offset(to) - cursor_offset(from);

	if (!cursor_ok(to) || len > cursor_here(from))
		return;
	from->end = from->pos + len;
	from->tail_end = from->end;
	from->gap = 0;
	from->missing = 0;
}

uint32_t xdr_take_count(struct cursor *c, uint32_t limit)
{
	uint32_t count = cursor_u32(c);

	if (count <= limit)
		return count;
	cursor_fail(c, CURSOR_LIMIT);
	return 0;
}

void xdr_take_bytes(struct cursor *c, uint8_t *out, uint32_t len)
{
	struct slice bytes = cursor_bytes(c, xdr_padded(len));

	if (bytes.len)
		memcpy(out, bytes.ptr, len);
	else
		memset(out, 0, len);
}

void xdr_take_bitmap(struct cursor *c, struct xdr_bitmap *out)
{
	out->count = xdr_take_count(c, XDR_BITMAP_WORDS);
	memset(out->words, 0, sizeof(out->words));
	for (uint32_t i = 0; i < out->count; i++)
		out->words[i] = cursor_u32(c);
}

void xdr_skip_array(struct cursor *c, uint32_t limit, xdr_skip_function *skip)
{
	uint32_t count = xdr_take_count(c, limit);

	/* Each element has bytes of its own, so the message bounds the loop. */
	for (uint32_t i = 0; i < count && cursor_ok(c); i++)
		skip(c);
}

void xdr_skip_array_fixed(struct cursor *c, uint32_t limit, uint32_t element_bytes)
{
	uint32_t count = xdr_take_count(c, limit);

	if (count > SIZE_MAX / element_bytes)
		cursor_fail(c, CURSOR_LIMIT);
	cursor_skip(c, (size_t)count * element_bytes);
}

struct xdr_array xdr_take_array(struct cursor *c, uint32_t limit, xdr_skip_function *skip)
{
	struct xdr_array array = {.count = xdr_take_count(c, limit)};

	cursor_copy(&array.at, c);
	for (uint32_t i = 0; i < array.count && cursor_ok(c); i++)
		skip(c);
	span(&array.at, c);
	return array;
}

struct xdr_array xdr_take_array_fixed(struct cursor *c, uint32_t limit, uint32_t element_bytes)
{
	struct xdr_array array = {.count = xdr_take_count(c, limit)};

	cursor_copy(&array.at, c);
	if (array.count > SIZE_MAX / element_bytes)
		cursor_fail(c, CURSOR_LIMIT);
	cursor_skip(c, (size_t)array.count * element_bytes);
	span(&array.at, c);
	return array;
}

void xdr_skip_list(struct cursor *c, xdr_skip_function *skip)
{
	while (cursor_bool(c))
		skip(c);
}

struct xdr_list xdr_take_list(struct cursor *c, xdr_skip_function *skip)
{
	struct xdr_list list = {.count = 0};

	cursor_copy(&list.at, c);
	while (cursor_bool(c)) {
		skip(c);
		if (cursor_ok(c))
			list.count++;
	}
	span(&list.at, c);
	return list;
}

void xdr_attribute_walk_init(struct xdr_attribute_walk *walk,
			     const struct xdr_attribute_table *table, const struct xdr_bitmap *mask,
			     struct xdr_opaque values)
{
	walk->table = table;
	walk->mask = mask;
	walk->next_bit = 0;
	walk->number = 0;
	walk->fault = CURSOR_OK;
	opaque_start(&walk->rest, &values);
	cursor_copy(&walk->at, &walk->rest);
}

static const struct xdr_attribute *attribute_find(const struct xdr_attribute_table *table,
						  uint32_t number)
{
	/* The numbers are nearly dense: the row is at or before its own number. */
	uint32_t i = number < table->count ? number : table->count - 1;

	while (i > 0 && table->rows[i].number > number)
		i--;
	return table->rows[i].number == number ? &table->rows[i] : NULL;
}

static void attribute_skip(const struct xdr_attribute *row, struct cursor *c)
{
	if (row->wire_bytes)
		cursor_skip(c, row->wire_bytes);
	else
		row->skip(c);
}

bool xdr_attribute_find(const struct xdr_attribute_table *table, const struct xdr_bitmap *mask,
			struct xdr_opaque values, uint32_t number, struct cursor *at)
{
	const struct xdr_attribute *row;
	struct cursor rest;

	if (!xdr_bitmap_has(mask, number))
		return false;
	opaque_start(&rest, &values);
	for (uint32_t bit = 0; bit < number; bit++) {
		if (!xdr_bitmap_has(mask, bit))
			continue;
		row = attribute_find(table, bit);
		if (!row)
			return false;
		attribute_skip(row, &rest);
		if (!cursor_ok(&rest))
			return false;
	}
	row = attribute_find(table, number);
	if (!row)
		return false;
	cursor_copy(at, &rest);
	attribute_skip(row, &rest);
	span(at, &rest);
	return true;
}

bool xdr_attribute_walk_next(struct xdr_attribute_walk *walk)
{
	const struct xdr_attribute *row;
	uint32_t bit = walk->next_bit;
	uint32_t end = walk->mask->count * 32;

	if (walk->fault != CURSOR_OK)
		return false;
	while (bit < end && !xdr_bitmap_has(walk->mask, bit))
		bit++;
	walk->next_bit = bit + 1;
	if (bit >= end) {
		walk->next_bit = end;
		walk->fault = cursor_left(&walk->rest) ? CURSOR_SHORT : CURSOR_OK;
		return false;
	}
	walk->number = bit;
	row = attribute_find(walk->table, bit);
	if (!row) {
		walk->fault = CURSOR_VALUE;
		return false;
	}
	cursor_copy(&walk->at, &walk->rest);
	attribute_skip(row, &walk->rest);
	/* A value that is cut is still handed out: its cursor tells where it ends. */
	walk->fault = walk->rest.fault;
	span(&walk->at, &walk->rest);
	return true;
}
