/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A printer that prints nothing but looks at everything that it is given: every byte is read once,
 * so that a sanitizer sees what is not there. For tests and fuzz targets. Where it is given a
 * digest, it folds in all that it is told: values that print alike have the same.
 */
#ifndef XDR_NULL_H
#define XDR_NULL_H

#include "proto/xdr_printer.h"

/* FNV-1a: it only has to tell values apart. */
static inline void null_fold(struct xdr_printer *p, const void *bytes, size_t len)
{
	uint64_t *digest = p->context;

	for (size_t i = 0; i < len; i++) {
		volatile uint8_t byte = ((const uint8_t *)bytes)[i];

		if (digest)
			*digest = (*digest ^ byte) * UINT64_C(0x100000001b3);
	}
}

static inline void null_number(struct xdr_printer *p, uint64_t value)
{
	null_fold(p, &value, sizeof(value));
}

static inline void look(struct xdr_printer *p, const char *text)
{
	if (text)
		null_fold(p, text, strlen(text) + 1);
}

static inline void null_begin_struct(struct xdr_printer *p, const char *field, const char *type)
{
	look(p, field);
	look(p, type);
}

static inline void null_end(struct xdr_printer *p)
{
	look(p, "end");
}

static inline void null_begin_array(struct xdr_printer *p, const char *field, uint32_t count)
{
	look(p, field);
	null_number(p, count);
}

static inline void null_unsigned(struct xdr_printer *p, const char *field, uint64_t value,
				 const char *name)
{
	look(p, field);
	look(p, name);
	null_number(p, value);
}

static inline void null_signed(struct xdr_printer *p, const char *field, int64_t value)
{
	look(p, field);
	null_number(p, (uint64_t)value);
}

static inline void null_bool(struct xdr_printer *p, const char *field, bool value)
{
	look(p, field);
	null_number(p, value);
}

static inline void null_flags(struct xdr_printer *p, const char *field, uint32_t value,
			      const struct names_table *names)
{
	look(p, field);
	null_number(p, value);
	for (uint32_t bit = 0; bit < 32; bit++)
		look(p, names_lookup(names, value & UINT32_C(1) << bit));
}

static inline void null_bytes(struct xdr_printer *p, const char *field, struct xdr_opaque value,
			      enum xdr_bytes kind)
{
	look(p, field);
	null_number(p, kind);
	null_number(p, value.len);
	null_fold(p, value.ptr, value.have);
}

static inline void null_fault(struct xdr_printer *p, enum cursor_fault fault)
{
	null_number(p, fault);
}

/* *digest, which may be NULL, outlives the printer. */
static inline struct xdr_printer xdr_digest_printer(uint64_t *digest)
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

	return (struct xdr_printer){.ops = &ops, .context = digest};
}

static inline struct xdr_printer xdr_null_printer(void)
{
	return xdr_digest_printer(NULL);
}

#endif
