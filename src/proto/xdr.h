/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the generated decoders of XDR (RFC 4506) are made of.
 *
 * Decoders allocate nothing. An array or list is not unpacked: it is a count and a cursor at its
 * first element, from which the caller decodes one element after the other:
 *
 *	struct cursor at = args.argarray.at;
 *
 *	for (uint32_t i = 0; i < args.argarray.count && cursor_ok(&at); i++)
 *		nfs4_decode_nfs_argop4(&at, &op);
 *
 * After a fault of the cursor the output holds what was decoded up to there; the fields behind are
 * zero, and no arm of a union is to be read but the one that its discriminant selects.
 */
#ifndef PROTO_XDR_H
#define PROTO_XDR_H

#include "base/cursor.h"

#include <stdbool.h>
#include <stdint.h>

/* The limit of `<>`, where the protocol sets none: the length of the record bounds it. */
#define XDR_ANY UINT32_C(0x7fffffff)

/* Words of a bitmap that we hold; NFSv4 uses three. */
#define XDR_BITMAP_WORDS 8

/* A variable array. The cursor ends behind the last element, unless something of it is not here. */
struct xdr_array {
	uint32_t count; /* as announced */
	struct cursor at;
};

/*
 * A linked list: before each element stands the bool TRUE, behind the last one FALSE. To walk it:
 * `while (cursor_bool(&at))` decode an element.
 */
struct xdr_list {
	uint32_t count; /* elements that were seen to be there */
	struct cursor at;
};

struct xdr_bitmap {
	uint32_t count; /* words on the wire */
	uint32_t words[XDR_BITMAP_WORDS];
};

typedef void xdr_skip_function(struct cursor *c);

/* The bytes that an opaque of that length takes with its padding. */
static inline size_t xdr_padded(uint32_t len)
{
	return ((size_t)len + 3) & ~(size_t)3;
}

static inline bool xdr_bitmap_has(const struct xdr_bitmap *map, uint32_t bit)
{
	if (bit / 32 >= map->count || bit / 32 >= XDR_BITMAP_WORDS)
		return false;
	return (map->words[bit / 32] >> (bit % 32) & 1) != 0;
}

/* Sets a bit below 32 * XDR_BITMAP_WORDS and lets the map grow to hold it. */
void xdr_bitmap_set(struct xdr_bitmap *map, uint32_t bit);

/* An array or list from elements that were encoded before (xdr_writer_bytes); borrows the bytes. */
struct xdr_array xdr_array_make(uint32_t count, struct slice encoded);
struct xdr_list xdr_list_make(uint32_t count, struct slice encoded);

/* A cursor over an opaque, with what is not here of it as a cut. Offsets count from its start. */
struct cursor xdr_opaque_cursor(struct xdr_opaque opaque);

/* Decoding of the building blocks; the limits are counts of elements or bytes. */
uint32_t xdr_take_count(struct cursor *c, uint32_t limit);
void xdr_take_bytes(struct cursor *c, uint8_t *out, uint32_t len);
void xdr_take_bitmap(struct cursor *c, struct xdr_bitmap *out);
struct xdr_array xdr_take_array(struct cursor *c, uint32_t limit, xdr_skip_function *skip);
struct xdr_array xdr_take_array_fixed(struct cursor *c, uint32_t limit, uint32_t element_bytes);
struct xdr_list xdr_take_list(struct cursor *c, xdr_skip_function *skip);

/* The same without a result. Values that do not steer the encoding are not checked. */
void xdr_skip_array(struct cursor *c, uint32_t limit, xdr_skip_function *skip);
void xdr_skip_array_fixed(struct cursor *c, uint32_t limit, uint32_t element_bytes);
void xdr_skip_list(struct cursor *c, xdr_skip_function *skip);

static inline void xdr_skip_opaque(struct cursor *c, uint32_t limit)
{
	cursor_skip(c, xdr_padded(xdr_take_count(c, limit)));
}

static inline void xdr_skip_bitmap(struct cursor *c)
{
	xdr_skip_array_fixed(c, XDR_BITMAP_WORDS, 4);
}

/* File attributes of NFSv4: values without lengths in the order of the bits of a bitmap. */
struct xdr_attribute {
	uint32_t number;
	uint32_t wire_bytes; /* 0: varies, use skip */
	xdr_skip_function *skip;
};

struct xdr_attribute_table {
	const struct xdr_attribute *rows; /* sorted by number */
	uint32_t count;
};

/*
 * A walk over attribute values. Borrows the table and the bitmap. After the walk `fault` tells
 * whether it came to the end: CURSOR_VALUE is an attribute whose type is not known (`number`),
 * behind which nothing can be found; CURSOR_SHORT also stands for bytes left over behind the last
 * value.
 */
struct xdr_attribute_walk {
	const struct xdr_attribute_table *table;
	const struct xdr_bitmap *mask;
	uint32_t next_bit;
	uint32_t number;  /* of the attribute that `at` stands at */
	struct cursor at; /* at its value; a copy, to be used freely */
	struct cursor rest;
	enum cursor_fault fault;
};

void xdr_attribute_walk_init(struct xdr_attribute_walk *walk,
			     const struct xdr_attribute_table *table, const struct xdr_bitmap *mask,
			     struct xdr_opaque values);

/* Goes to the next attribute; false at the end or after a fault. */
bool xdr_attribute_walk_next(struct xdr_attribute_walk *walk);

/* The value of one attribute, as a walk comes by it; false: it is not there, or not reached. */
bool xdr_attribute_find(const struct xdr_attribute_table *table, const struct xdr_bitmap *mask,
			struct xdr_opaque values, uint32_t number, struct cursor *at);

#endif
