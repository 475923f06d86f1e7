/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A printer that prints nothing but looks at everything that it is given: every byte is read once,
 * so that a sanitizer sees what is not there. For tests and fuzz targets.
 */
#ifndef XDR_NULL_H
#define XDR_NULL_H

#include "proto/xdr_printer.h"

static inline void look(const char *text)
{
	volatile size_t sink = text ? strlen(text) : 0;

	(void)sink;
}

static inline void null_begin_struct(struct xdr_printer *p, const char *field, const char *type)
{
	(void)p;
	look(field);
	look(type);
}

static inline void null_end(struct xdr_printer *p)
{
	(void)p;
}

static inline void null_begin_array(struct xdr_printer *p, const char *field, uint32_t count)
{
	(void)p;
	(void)count;
	look(field);
}

static inline void null_unsigned(struct xdr_printer *p, const char *field, uint64_t value,
				 const char *name)
{
	(void)p;
	(void)value;
	look(field);
	look(name);
}

static inline void null_signed(struct xdr_printer *p, const char *field, int64_t value)
{
	(void)p;
	(void)value;
	look(field);
}

static inline void null_bool(struct xdr_printer *p, const char *field, bool value)
{
	(void)p;
	(void)value;
	look(field);
}

static inline void null_flags(struct xdr_printer *p, const char *field, uint32_t value,
			      const struct names_table *names)
{
	(void)p;
	look(field);
	for (uint32_t bit = 0; bit < 32; bit++)
		look(names_lookup(names, value & UINT32_C(1) << bit));
}

static inline void null_bytes(struct xdr_printer *p, const char *field, struct xdr_opaque value,
			      enum xdr_bytes kind)
{
	volatile uint8_t sink = 0;

	(void)p;
	(void)kind;
	look(field);
	for (uint32_t i = 0; i < value.have; i++)
		sink = sink ^ value.ptr[i];
}

static inline void null_fault(struct xdr_printer *p, enum cursor_fault fault)
{
	(void)p;
	(void)fault;
}

static inline struct xdr_printer xdr_null_printer(void)
{
	static const struct xdr_printer_ops ops = {
		.begin_struct = null_begin_struct,
		.end_struct = null_end,
		.begin_array = null_begin_array,
		.end_array = null_end,
		.put_unsigned = null_unsigned,
		.put_signed = null_signed,
		.put_bool = null_bool,
		.put_flags = null_flags,
		.put_bytes = null_bytes,
		.put_fault = null_fault,
	};

	return (struct xdr_printer){.ops = &ops};
}

#endif
