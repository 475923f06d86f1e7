/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tables over all generated types and procedures: for who does not know at compile time what will
 * come, such as `show`, the fuzz target and the tests.
 */
#ifndef PROTO_XDR_TYPE_H
#define PROTO_XDR_TYPE_H

#include "proto/xdr_printer.h"
#include "proto/xdr_writer.h"

/* The C value behind the void pointers is the type's own, of size_bytes. */
struct xdr_type {
	const char *name;
	size_t size_bytes;
	void (*decode)(struct cursor *c, void *out);
	void (*skip)(struct cursor *c);
	void (*encode)(struct xdr_writer *w, const void *in);
	void (*print)(struct xdr_printer *p, const char *field, const void *in);
};

/* The types of a procedure; NULL stands for void. */
struct xdr_procedure {
	uint32_t program;
	uint32_t version;
	uint32_t procedure;
	const struct xdr_type *args;
	const struct xdr_type *results;
};

/* What one specification has. */
struct xdr_spec {
	const char *name;
	const struct xdr_type *types;
	uint32_t type_count;
	const struct xdr_procedure *procedures;
	uint32_t procedure_count;
};

/* Arguments and results that are plain XDR: bool and unsigned int. */
extern const struct xdr_type xdr_type_bool;
extern const struct xdr_type xdr_type_u32;

/* All specifications, count of them in *count. */
const struct xdr_spec *const *xdr_specs(size_t *count);

/* NULL when no specification has it. */
const struct xdr_procedure *xdr_procedure_find(uint32_t program, uint32_t version,
					       uint32_t procedure);

#endif
