/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes XDR (RFC 4506) to the caller's memory. Like the cursor it is sticky: the caller writes
 * straight through and asks once at the end with xdr_writer_ok.
 */
#ifndef PROTO_XDR_WRITER_H
#define PROTO_XDR_WRITER_H

#include "proto/xdr.h"

struct xdr_writer {
	uint8_t *start;
	uint8_t *pos; /* the next byte; stays after a fault */
	uint8_t *end;
	bool overflow; /* the memory is too small */
	bool invalid;  /* a value cannot be encoded: over a limit, no such arm, bytes not here */
};

static inline struct xdr_writer xdr_writer_make(void *memory, size_t size_bytes)
{
	uint8_t *start = (uint8_t *)memory;

	return (struct xdr_writer){.start = start, .pos = start, .end = start + size_bytes};
}

static inline bool xdr_writer_ok(const struct xdr_writer *w)
{
	return !w->overflow && !w->invalid;
}

/* What was written so far; borrows the caller's memory. */
static inline struct slice xdr_writer_bytes(const struct xdr_writer *w)
{
	return slice_make(w->start, (size_t)(w->pos - w->start));
}

void xdr_put_u32(struct xdr_writer *w, uint32_t value);
void xdr_put_u64(struct xdr_writer *w, uint64_t value);
void xdr_put_bool(struct xdr_writer *w, bool value);

/* Bytes as they are, without length or padding. */
void xdr_put_raw(struct xdr_writer *w, struct slice bytes);

/* Opaque of fixed length with its padding. */
void xdr_put_bytes(struct xdr_writer *w, const uint8_t *bytes, uint32_t len);

/* Opaque or string with its length; invalid when it is longer than limit or not wholly here. */
void xdr_put_opaque(struct xdr_writer *w, struct xdr_opaque opaque, uint32_t limit);

void xdr_put_bitmap(struct xdr_writer *w, const struct xdr_bitmap *map);

/* Copies the encoded elements; invalid when they are not wholly here. */
void xdr_put_array(struct xdr_writer *w, const struct xdr_array *array, uint32_t limit);

/* The same for a list; one without any bytes is the empty list. */
void xdr_put_list(struct xdr_writer *w, const struct xdr_list *list);

#endif
