/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the generated printers call: they visit a decoded value and never print themselves.
 *
 * `field` is the name in the specification, NULL for the elements of an array and for what the
 * caller gave no name. All strings but the bytes of put_bytes are static.
 */
#ifndef PROTO_XDR_PRINTER_H
#define PROTO_XDR_PRINTER_H

#include "names/names.h"
#include "proto/xdr.h"

enum xdr_bytes {
	XDR_BYTES_HEX,
	XDR_BYTES_TEXT, /* meant to be UTF-8; may be anything */
};

struct xdr_printer;

struct xdr_printer_ops {
	void (*begin_struct)(struct xdr_printer *p, const char *field, const char *type);
	void (*end_struct)(struct xdr_printer *p);
	void (*begin_array)(struct xdr_printer *p, const char *field, uint32_t count);
	void (*end_array)(struct xdr_printer *p);
	/* name: that of an enum's value; NULL when it has none, and for numbers */
	void (*put_unsigned)(struct xdr_printer *p, const char *field, uint64_t value,
			     const char *name);
	void (*put_signed)(struct xdr_printer *p, const char *field, int64_t value);
	void (*put_bool)(struct xdr_printer *p, const char *field, bool value);
	void (*put_flags)(struct xdr_printer *p, const char *field, uint32_t value,
			  const struct names_table *names);
	void (*put_bytes)(struct xdr_printer *p, const char *field, struct xdr_opaque value,
			  enum xdr_bytes kind);
	/* The array, list or attributes in question end here although more was announced. */
	void (*put_fault)(struct xdr_printer *p, enum cursor_fault fault);
};

struct xdr_printer {
	const struct xdr_printer_ops *ops;
	void *context;
};

/* The numbers of the bits that are set, as an array; name may be NULL. */
void xdr_print_bitmap(struct xdr_printer *p, const char *field, const struct xdr_bitmap *map,
		      const char *(*name)(uint32_t value));

/* Bytes of fixed length. */
static inline void xdr_print_fixed(struct xdr_printer *p, const char *field, const uint8_t *bytes,
				   uint32_t len)
{
	struct xdr_opaque value = {.ptr = bytes, .len = len, .have = len};

	p->ops->put_bytes(p, field, value, XDR_BYTES_HEX);
}

#endif
