/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The sticky cursor: the only way to read bytes of the wire.
 *
 * After the first fault every read returns zeroes and the cursor stays where it is: a decoder reads
 * straight through and asks once at the end. All multi-byte integers are big endian (XDR, RFC 4506,
 * and the headers of IP and TCP); readers of files with another byte order use capfile's own.
 *
 * A message may be incomplete in two ways, and both are told apart from a malformed one:
 *  - bytes at its end were never captured (snap length): they are `missing`;
 *  - bytes in its middle were left out, because they were not captured or because they are the
 *    payload of a READ or WRITE that nobody wants: there are `gap` bytes between `end` and what
 *    follows. A skip may cross the gap when it covers it whole; a read may not.
 */
#ifndef BASE_CURSOR_H
#define BASE_CURSOR_H

#include "base/slice.h"

enum cursor_fault {
	CURSOR_OK,    /* no fault so far */
	CURSOR_CUT,   /* the message goes on, but its bytes are not here: damage of the evidence */
	CURSOR_SHORT, /* the message itself ends too early: malformed */
	CURSOR_LIMIT, /* a length or count is above the limit that the protocol or we set */
	CURSOR_VALUE, /* a value that the protocol does not allow here (a bad discriminant) */
};

struct cursor {
	const uint8_t *pos;      /* the next byte */
	const uint8_t *end;      /* end of the contiguous bytes at pos */
	const uint8_t *tail_end; /* end of the bytes behind the gap; they start at `end` */
	size_t gap;              /* bytes left out between `end` and the byte stored there */
	size_t missing;          /* bytes of the message after tail_end that are not here */
	size_t offset_base;      /* offset in the message of `origin` */
	const uint8_t *origin;   /* where counting of the offset starts */
	enum cursor_fault fault; /* the first fault, CURSOR_OK while there is none */
};

/*
 * An opaque or string as it stands in a message: `len` is what the message announces; `have` is how
 * much of it is here (less than `len` only where it crosses a gap or a cut). Borrowed bytes.
 */
struct xdr_opaque {
	const uint8_t *ptr;
	uint32_t len;
	uint32_t have;
};

/*
 * The same as cursor_make_cut, in its place. On the hot path: a cursor that is returned is copied
 * sixteen bytes at a time just after it was written eight at a time, and the processor waits then.
 */
static inline void cursor_start(struct cursor *c, struct slice bytes, size_t missing_bytes)
{
	const uint8_t *start = bytes.ptr ? bytes.ptr : (const uint8_t *)"";

	c->pos = start;
	c->end = start + bytes.len;
	c->tail_end = c->end;
	c->gap = missing_bytes;
	c->missing = 0;
	c->offset_base = 0;
	c->origin = start;
	c->fault = CURSOR_OK;
}

/* A copy, word by word for the same reason. */
static inline void cursor_copy(struct cursor *to, const struct cursor *from)
{
	to->pos = from->pos;
	to->end = from->end;
	to->tail_end = from->tail_end;
	to->gap = from->gap;
	to->missing = from->missing;
	to->offset_base = from->offset_base;
	to->origin = from->origin;
	to->fault = from->fault;
}

/* A cursor over bytes that are all there. */
static inline struct cursor cursor_make(struct slice bytes)
{
	const uint8_t *start = bytes.ptr ? bytes.ptr : (const uint8_t *)"";
	const uint8_t *end = start + bytes.len;

	return (struct cursor){.pos = start, .end = end, .tail_end = end, .origin = start};
}

/* A cursor over a message of bytes.len + missing_bytes, of which only the first part is here. */
static inline struct cursor cursor_make_cut(struct slice bytes, size_t missing_bytes)
{
	struct cursor c = cursor_make(bytes);

	c.gap = missing_bytes;
	return c;
}

/*
 * A cursor over a message whose head and tail lie one after the other in `bytes`, with gap_bytes
 * left out after the first head_bytes, and missing_bytes more missing at its end.
 */
struct cursor cursor_make_gapped(struct slice bytes, size_t head_bytes, size_t gap_bytes,
				 size_t missing_bytes);

/* Records the fault (the first one stays) and makes all further reads return zeroes. */
void cursor_fail(struct cursor *c, enum cursor_fault fault);

/* Slow paths: see cursor_skip, cursor_need and cursor_opaque_fixed. */
void cursor_skip_slow(struct cursor *c, size_t count);
bool cursor_need_slow(struct cursor *c, size_t count);
struct xdr_opaque cursor_opaque_slow(struct cursor *c, uint32_t len);

static inline bool cursor_ok(const struct cursor *c)
{
	return c->fault == CURSOR_OK;
}

/* Bytes that can be read before the end, or the next gap. */
static inline size_t cursor_here(const struct cursor *c)
{
	return (size_t)(c->end - c->pos);
}

/* Bytes that the message has from here on, captured or not. */
static inline size_t cursor_left(const struct cursor *c)
{
	return (size_t)(c->tail_end - c->pos) + c->gap + c->missing;
}

/* Offset in the message of the next byte. */
static inline size_t cursor_offset(const struct cursor *c)
{
	return c->offset_base + (size_t)(c->pos - c->origin);
}

/* True when count bytes can be read at once; otherwise the fault is CUT or SHORT. */
static inline bool cursor_need(struct cursor *c, size_t count)
{
	if (__builtin_expect(count <= cursor_here(c) && c->fault == CURSOR_OK, 1))
		return true;
	return cursor_need_slow(c, count);
}

static inline void cursor_skip(struct cursor *c, size_t count)
{
	if (__builtin_expect(count <= cursor_here(c), 1))
		c->pos += count;
	else
		cursor_skip_slow(c, count);
}

static inline uint8_t cursor_u8(struct cursor *c)
{
	if (!cursor_need(c, 1))
		return 0;
	return *c->pos++;
}

static inline uint16_t cursor_u16(struct cursor *c)
{
	uint16_t v;

	if (!cursor_need(c, 2))
		return 0;
	memcpy(&v, c->pos, 2);
	c->pos += 2;
	return __builtin_bswap16(v);
}

static inline uint32_t cursor_u32(struct cursor *c)
{
	uint32_t v;

	if (!cursor_need(c, 4))
		return 0;
	memcpy(&v, c->pos, 4);
	c->pos += 4;
	return __builtin_bswap32(v);
}

static inline uint64_t cursor_u64(struct cursor *c)
{
	uint64_t v;

	if (!cursor_need(c, 8))
		return 0;
	memcpy(&v, c->pos, 8);
	c->pos += 8;
	return __builtin_bswap64(v);
}

static inline int32_t cursor_i32(struct cursor *c)
{
	return (int32_t)cursor_u32(c);
}

static inline int64_t cursor_i64(struct cursor *c)
{
	return (int64_t)cursor_u64(c);
}

/* XDR bool: 0 or 1; anything else is CURSOR_VALUE. */
static inline bool cursor_bool(struct cursor *c)
{
	uint32_t v = cursor_u32(c);

	if (__builtin_expect(v > 1, 0))
		cursor_fail(c, CURSOR_VALUE);
	return v == 1;
}

/* count bytes in one piece, borrowed; an empty slice after a fault. */
struct slice cursor_bytes(struct cursor *c, size_t count);

/*
 * XDR opaque of fixed length, padded to four bytes. Crosses a gap like cursor_skip; what is not
 * here shows in `have`. After a fault all fields are zero, but when the message is cut inside of
 * the opaque the fault is CURSOR_CUT and the result tells what is here of it.
 */
static inline struct xdr_opaque cursor_opaque_fixed(struct cursor *c, uint32_t len)
{
	size_t padded = ((size_t)len + 3) & ~(size_t)3;
	struct xdr_opaque o = {c->pos, len, len};

	if (__builtin_expect(padded > cursor_here(c) || c->fault != CURSOR_OK, 0))
		return cursor_opaque_slow(c, len);
	c->pos += padded;
	return o;
}

/* XDR opaque<limit> or string<limit>: CURSOR_LIMIT when it announces more than limit bytes. */
static inline struct xdr_opaque cursor_opaque(struct cursor *c, uint32_t limit)
{
	uint32_t len = cursor_u32(c);

	if (__builtin_expect(len > limit, 0)) {
		cursor_fail(c, CURSOR_LIMIT);
		return (struct xdr_opaque){0};
	}
	return cursor_opaque_fixed(c, len);
}

static inline struct slice xdr_opaque_slice(struct xdr_opaque o)
{
	return slice_make(o.ptr, o.have);
}

#endif
