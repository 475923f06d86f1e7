// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Decoded values as one line of text: `name=value` with nested structures in braces. Bytes that are
 * meant to be text are made safe for a terminal; long ones are cut with an ellipsis.
 */
#include "ingest/private.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "proto/nfs4_xdr.h"
#include "proto/xdr_type.h"

#include <inttypes.h>
#include <stdlib.h>

enum {
	LINE_BYTES_MAX = 8192,
	VALUE_ALIGN_BYTES = 64,
	OP_OUTER = 2,       /* the operation's union, and the structure of its arm */
	TEXT_BYTES_MIN = 4, /* shorter printable bytes are more likely a number */
};

/* Numbers this large are no quantities but client IDs and the like, which are known by their
 * digits. */
#define HEX_FROM (UINT64_C(1) << 56)

/* A line that grows. Of an operation the outer two structures are not shown: the viewer names it.
 */
struct text_line {
	struct strbuf text;
	unsigned depth;  /* structures and arrays that are open */
	unsigned hidden; /* of them: so many outer ones are not shown */
};

static struct strbuf *line_of(struct xdr_printer *p)
{
	return &((struct text_line *)p->context)->text;
}

/* True where a value belongs to a structure that is not shown: the number of the operation. */
static bool is_hidden(struct xdr_printer *p)
{
	const struct text_line *line = p->context;

	return line->depth > 0 && line->depth < line->hidden;
}

/* A separator where one is needed, and the field's name. False: the line is full. */
static bool begin_field(struct xdr_printer *p, const char *field)
{
	struct strbuf *line = line_of(p);

	if (line->len > LINE_BYTES_MAX || is_hidden(p))
		return false;
	if (line->len && line->data[line->len - 1] != '{' && line->data[line->len - 1] != '[')
		strbuf_add_char(line, ' ');
	if (field) {
		strbuf_add_text(line, field);
		strbuf_add_char(line, '=');
	}
	return true;
}

static void begin_struct(struct xdr_printer *p, const char *field, const char *type)
{
	struct text_line *line = p->context;

	(void)type;
	if (line->depth >= line->hidden && begin_field(p, field))
		strbuf_add_char(&line->text, '{');
	line->depth++;
}

static void end_struct(struct xdr_printer *p)
{
	struct text_line *line = p->context;

	if (--line->depth >= line->hidden)
		strbuf_add_char(&line->text, '}');
}

static void begin_array(struct xdr_printer *p, const char *field, uint32_t count)
{
	(void)count;
	if (begin_field(p, field))
		strbuf_add_char(line_of(p), '[');
}

static void end_array(struct xdr_printer *p)
{
	strbuf_add_char(line_of(p), ']');
}

static void put_unsigned(struct xdr_printer *p, const char *field, uint64_t value, const char *name)
{
	if (!begin_field(p, field))
		return;
	if (name)
		strbuf_add_text(line_of(p), name);
	else if (value >= HEX_FROM)
		strbuf_add_format(line_of(p), "0x%016" PRIx64, value);
	else
		strbuf_add_format(line_of(p), "%" PRIu64, value);
}

static void put_signed(struct xdr_printer *p, const char *field, int64_t value)
{
	if (begin_field(p, field))
		strbuf_add_format(line_of(p), "%" PRId64, value);
}

static void put_bool(struct xdr_printer *p, const char *field, bool value)
{
	if (begin_field(p, field))
		strbuf_add_text(line_of(p), value ? "true" : "false");
}

static void put_flags(struct xdr_printer *p, const char *field, uint32_t value,
		      const struct names_table *names)
{
	uint32_t rest = value;
	const char *between = "";

	if (!begin_field(p, field))
		return;
	for (uint32_t i = 0; i < names->count; i++) {
		uint32_t flag = names->entries[i].value;

		if (flag == 0 || (rest & flag) != flag)
			continue;
		strbuf_add_format(line_of(p), "%s%s", between, names->entries[i].name);
		between = "|";
		rest &= ~flag;
	}
	if (rest || !value)
		strbuf_add_format(line_of(p), "%s0x%" PRIx32, between, rest);
}

/* Owners and tags are opaque to the protocol, yet often text. */
static bool looks_like_text(struct slice bytes)
{
	for (size_t i = 0; i < bytes.len; i++)
		if (bytes.ptr[i] < ' ' || bytes.ptr[i] > '~')
			return false;
	return bytes.len >= TEXT_BYTES_MIN;
}

static void put_bytes(struct xdr_printer *p, const char *field, struct xdr_opaque value,
		      enum xdr_bytes kind)
{
	struct slice shown = xdr_opaque_slice(value);

	if (!begin_field(p, field))
		return;
	if (shown.len > INGEST_BYTES_SHOWN_MAX)
		shown.len = INGEST_BYTES_SHOWN_MAX;
	if (kind == XDR_BYTES_TEXT || looks_like_text(shown)) {
		strbuf_add_char(line_of(p), '"');
		strbuf_add_safe(line_of(p), shown);
		strbuf_add_char(line_of(p), '"');
	} else {
		strbuf_add_text(line_of(p), "0x");
		strbuf_add_hex(line_of(p), shown);
	}
	if (shown.len < value.len)
		strbuf_add_format(line_of(p), "...(%" PRIu32 " bytes)", value.len);
}

static void put_fault(struct xdr_printer *p, enum cursor_fault fault)
{
	if (begin_field(p, NULL))
		strbuf_add_format(line_of(p), "...(%s)", ingest_fault_text(fault));
}

static const struct xdr_printer_ops line_ops = {
	.begin_struct = begin_struct,
	.end_struct = end_struct,
	.begin_array = begin_array,
	.end_array = end_array,
	.put_unsigned = put_unsigned,
	.put_signed = put_signed,
	.put_bool = put_bool,
	.put_flags = put_flags,
	.put_bytes = put_bytes,
	.put_fault = put_fault,
};

char *ingest_text_type(struct ingest *in, const struct xdr_type *type, struct cursor *c)
{
	struct text_line line = {.hidden = 1};
	struct xdr_printer printer = {.ops = &line_ops, .context = &line};

	if (in->scratch_bytes < type->size_bytes) {
		free(in->scratch);
		in->scratch_bytes = type->size_bytes;
		in->scratch = mem_alloc(1, type->size_bytes + VALUE_ALIGN_BYTES);
	}
	memset(in->scratch, 0, type->size_bytes);
	type->decode(c, in->scratch);
	type->print(&printer, NULL, in->scratch);
	if (c->fault != CURSOR_OK)
		put_fault(&printer, c->fault);
	return strbuf_take(&line.text);
}

static void text_op(struct cursor *c, bool callback, bool reply, struct xdr_printer *printer)
{
	union {
		struct nfs4_nfs_argop4 arg;
		struct nfs4_nfs_resop4 res;
		struct nfs4_nfs_cb_argop4 cb_arg;
		struct nfs4_nfs_cb_resop4 cb_res;
	} op;

	memset(&op, 0, sizeof(op));
	if (callback && reply) {
		nfs4_decode_nfs_cb_resop4(c, &op.cb_res);
		nfs4_print_nfs_cb_resop4(printer, NULL, &op.cb_res);
	} else if (callback) {
		nfs4_decode_nfs_cb_argop4(c, &op.cb_arg);
		nfs4_print_nfs_cb_argop4(printer, NULL, &op.cb_arg);
	} else if (reply) {
		nfs4_decode_nfs_resop4(c, &op.res);
		nfs4_print_nfs_resop4(printer, NULL, &op.res);
	} else {
		nfs4_decode_nfs_argop4(c, &op.arg);
		nfs4_print_nfs_argop4(printer, NULL, &op.arg);
	}
}

char *ingest_text_op(struct cursor c, bool callback, bool reply)
{
	struct text_line line = {.hidden = OP_OUTER};
	struct xdr_printer printer = {.ops = &line_ops, .context = &line};

	text_op(&c, callback, reply, &printer);
	if (c.fault != CURSOR_OK)
		put_fault(&printer, c.fault);
	return strbuf_take(&line.text);
}
