// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What printers are told, attribute values, lists, and what callers build with the writer: by hand
 * where the random messages of test_xdr.c cannot say what is right.
 */
#include "base/strbuf.h"
#include "check.h"
#include "proto/nfs3_xdr.h"
#include "proto/nfs4_xdr.h"

static void text_field(struct xdr_printer *p, const char *field)
{
	struct strbuf *out = p->context;

	if (field)
		strbuf_add_format(out, "%s=", field);
}

static void text_begin_struct(struct xdr_printer *p, const char *field, const char *type)
{
	text_field(p, field);
	strbuf_add_format(p->context, "%s{", type);
}

static void text_end_struct(struct xdr_printer *p)
{
	strbuf_add_format(p->context, "}");
}

static void text_begin_array(struct xdr_printer *p, const char *field, uint32_t count)
{
	text_field(p, field);
	strbuf_add_format(p->context, "%u[", count);
}

static void text_end_array(struct xdr_printer *p)
{
	strbuf_add_format(p->context, "]");
}

static void text_unsigned(struct xdr_printer *p, const char *field, uint64_t value,
			  const char *name)
{
	text_field(p, field);
	if (name)
		strbuf_add_format(p->context, "%s ", name);
	else
		strbuf_add_format(p->context, "%llu ", (unsigned long long)value);
}

static void text_signed(struct xdr_printer *p, const char *field, int64_t value)
{
	text_field(p, field);
	strbuf_add_format(p->context, "%lld ", (long long)value);
}

static void text_bool(struct xdr_printer *p, const char *field, bool value)
{
	text_field(p, field);
	strbuf_add_text(p->context, value ? "TRUE " : "FALSE ");
}

static void text_flags(struct xdr_printer *p, const char *field, uint32_t value,
		       const struct names_table *names)
{
	text_field(p, field);
	for (uint32_t bit = 0; bit < 32; bit++) {
		const char *name = names_lookup(names, value & UINT32_C(1) << bit);

		if (name)
			strbuf_add_format(p->context, "%s ", name);
	}
}

static void text_bytes(struct xdr_printer *p, const char *field, struct xdr_opaque value,
		       enum xdr_bytes kind)
{
	text_field(p, field);
	if (kind == XDR_BYTES_TEXT) {
		strbuf_add_format(p->context, "'%.*s' ", (int)value.have, (const char *)value.ptr);
		return;
	}
	for (uint32_t i = 0; i < value.have; i++)
		strbuf_add_format(p->context, "%02x", value.ptr[i]);
	strbuf_add_format(p->context, " ");
}

static void text_fault(struct xdr_printer *p, enum cursor_fault fault)
{
	strbuf_add_format(p->context, "FAULT%d ", (int)fault);
}

static struct xdr_printer text_printer(struct strbuf *out)
{
	static const struct xdr_printer_ops ops = {
		.begin_struct = text_begin_struct,
		.end_struct = text_end_struct,
		.begin_array = text_begin_array,
		.end_array = text_end_array,
		.put_unsigned = text_unsigned,
		.put_signed = text_signed,
		.put_bool = text_bool,
		.put_flags = text_flags,
		.put_bytes = text_bytes,
		.put_fault = text_fault,
	};

	strbuf_init(out);
	return (struct xdr_printer){.ops = &ops, .context = out};
}

static struct xdr_opaque opaque_of(const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	return (struct xdr_opaque){.ptr = (const uint8_t *)text, .len = len, .have = len};
}

/* A SEQUENCE and a GETATTR as a client would send them. */
static struct slice compound_make(uint8_t *memory, size_t size)
{
	static uint8_t ops[256];
	struct xdr_writer inner = xdr_writer_make(ops, sizeof(ops));
	struct xdr_writer w = xdr_writer_make(memory, size);
	struct nfs4_nfs_argop4 op = {.argop = OP_SEQUENCE};
	struct nfs4_COMPOUND4args args = {.tag = opaque_of("hi"), .minorversion = 2};

	op.opsequence.sa_sessionid[15] = 7;
	op.opsequence.sa_cachethis = true;
	nfs4_encode_nfs_argop4(&inner, &op);
	op = (struct nfs4_nfs_argop4){.argop = OP_GETATTR};
	xdr_bitmap_set(&op.opgetattr.attr_request, FATTR4_SIZE);
	xdr_bitmap_set(&op.opgetattr.attr_request, FATTR4_OWNER);
	nfs4_encode_nfs_argop4(&inner, &op);
	args.argarray = xdr_array_make(2, xdr_writer_bytes(&inner));
	nfs4_encode_COMPOUND4args(&w, &args);
	CHECK(xdr_writer_ok(&inner) && xdr_writer_ok(&w));
	return xdr_writer_bytes(&w);
}

TEST(xdr_compound_is_built_and_printed)
{
	uint8_t memory[512];
	struct cursor c = cursor_make(compound_make(memory, sizeof(memory)));
	struct nfs4_COMPOUND4args args;
	struct strbuf out;
	struct xdr_printer p = text_printer(&out);

	nfs4_decode_COMPOUND4args(&c, &args);
	CHECK(cursor_ok(&c) && cursor_left(&c) == 0);
	nfs4_print_COMPOUND4args(&p, NULL, &args);
	CHECK_TEXT(
		strbuf_text(&out),
		"COMPOUND4args{tag='hi' minorversion=2 argarray=2["
		"nfs_argop4{argop=SEQUENCE opsequence=SEQUENCE4args{"
		"sa_sessionid=00000000000000000000000000000007 sa_sequenceid=0 sa_slotid=0 "
		"sa_highest_slotid=0 sa_cachethis=TRUE }}"
		"nfs_argop4{argop=GETATTR opgetattr=GETATTR4args{attr_request=2[size owner ]}}]}");
	strbuf_deinit(&out);
}

/* An unknown operation ends the walk, and what it was is known. */
TEST(xdr_unknown_operation_is_a_value_fault)
{
	static const uint8_t bytes[] = {0, 0, 0, 99, 0, 0, 0, 0};
	struct cursor c = cursor_make(slice_make(bytes, sizeof(bytes)));
	struct cursor peeked = c;
	struct nfs4_nfs_argop4 op;
	uint32_t number, status;

	nfs4_decode_nfs_argop4(&c, &op);
	CHECK_EQ_U64(c.fault, CURSOR_VALUE);
	CHECK_EQ_U64(op.argop, 99);
	CHECK_EQ_U64(cursor_offset(&c), 4);
	CHECK(nfs4_peek_nfs_resop4(&peeked, &number, &status));
	CHECK_EQ_U64(number, 99);
	CHECK_EQ_U64(cursor_offset(&peeked), 0);
}

/* size, owner, then attribute 200, which nobody knows. */
static struct nfs4_fattr4 attributes_make(uint8_t *memory, size_t size, bool unknown)
{
	struct xdr_writer w = xdr_writer_make(memory, size);
	struct nfs4_fattr4 attributes = {0};

	xdr_bitmap_set(&attributes.attrmask, FATTR4_SIZE);
	xdr_put_u64(&w, 4096);
	xdr_bitmap_set(&attributes.attrmask, FATTR4_OWNER);
	xdr_put_opaque(&w, opaque_of("root@x"), XDR_ANY);
	if (unknown) {
		xdr_bitmap_set(&attributes.attrmask, 200);
		xdr_put_u32(&w, 1);
	}
	attributes.attr_vals.ptr = memory;
	attributes.attr_vals.len = (uint32_t)xdr_writer_bytes(&w).len;
	attributes.attr_vals.have = attributes.attr_vals.len;
	return attributes;
}

TEST(xdr_attributes_are_found_and_printed)
{
	uint8_t memory[64];
	struct nfs4_fattr4 attributes = attributes_make(memory, sizeof(memory), false);
	struct cursor at;
	struct strbuf out;
	struct xdr_printer p = text_printer(&out);

	if (CHECK(nfs4_attr_find(&attributes, FATTR4_SIZE, &at)))
		CHECK_EQ_U64(cursor_u64(&at), 4096);
	if (CHECK(nfs4_attr_find(&attributes, FATTR4_OWNER, &at)))
		CHECK_EQ_U64(cursor_opaque(&at, XDR_ANY).len, 6);
	CHECK(!nfs4_attr_find(&attributes, FATTR4_MODE, &at));
	nfs4_print_fattr4(&p, NULL, &attributes);
	CHECK_TEXT(strbuf_text(&out), "fattr4{size=4096 owner='root@x' }");
	strbuf_deinit(&out);
}

TEST(xdr_attributes_behind_an_unknown_one_are_not_guessed)
{
	uint8_t memory[64];
	struct nfs4_fattr4 attributes = attributes_make(memory, sizeof(memory), true);
	struct xdr_attribute_walk walk;
	struct cursor at;

	nfs4_attr_walk(&walk, &attributes);
	CHECK(xdr_attribute_walk_next(&walk));
	CHECK(xdr_attribute_walk_next(&walk));
	CHECK(!xdr_attribute_walk_next(&walk));
	CHECK_EQ_U64(walk.fault, CURSOR_VALUE);
	CHECK_EQ_U64(walk.number, 200);
	CHECK(!nfs4_attr_find(&attributes, 200, &at));
	/* Cut behind the size: the owner is not there, and that is the capture's fault. */
	attributes.attr_vals.have = 8;
	nfs4_attr_walk(&walk, &attributes);
	CHECK(xdr_attribute_walk_next(&walk));
	CHECK(xdr_attribute_walk_next(&walk));
	CHECK_EQ_U64(cursor_u32(&walk.at), 0);
	CHECK_EQ_U64(walk.at.fault, CURSOR_CUT);
	CHECK(!xdr_attribute_walk_next(&walk));
	CHECK(nfs4_attr_find(&attributes, FATTR4_OWNER, &at));
	CHECK_EQ_U64(cursor_u32(&at), 0);
	CHECK_EQ_U64(at.fault, CURSOR_CUT);
	attributes.attr_vals.have = 6; /* within the size */
	CHECK(!nfs4_attr_find(&attributes, FATTR4_OWNER, &at));
}

TEST(xdr_list_is_walked_without_recursion)
{
	uint8_t memory[256];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct nfs3_dirlist3 list = {.eof = true}, got;
	struct nfs3_entry3 entry;
	uint8_t again[256];
	struct xdr_writer whole = xdr_writer_make(again, sizeof(again));
	uint32_t seen = 0;
	struct cursor c;

	for (uint64_t i = 1; i <= 3; i++) {
		entry = (struct nfs3_entry3){.fileid = i, .name = opaque_of("f"), .cookie = i};
		xdr_put_bool(&w, true);
		nfs3_encode_entry3(&w, &entry);
	}
	xdr_put_bool(&w, false);
	list.entries = xdr_list_make(3, xdr_writer_bytes(&w));
	nfs3_encode_dirlist3(&whole, &list);
	c = cursor_make(xdr_writer_bytes(&whole));
	nfs3_decode_dirlist3(&c, &got);
	CHECK(cursor_ok(&c) && got.eof);
	CHECK_EQ_U64(got.entries.count, 3);
	while (cursor_bool(&got.entries.at)) {
		nfs3_decode_entry3(&got.entries.at, &entry);
		CHECK_EQ_U64(entry.fileid, ++seen);
	}
	CHECK_EQ_U64(seen, 3);
	CHECK(cursor_ok(&got.entries.at));
}

/* The data of a READ was left out: what stands behind it is decoded, the data shows as missing. */
TEST(xdr_gap_in_data_is_crossed)
{
	uint8_t memory[64];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct nfs4_nfs_resop4 op;
	struct cursor c;

	xdr_put_u32(&w, OP_READ);
	xdr_put_u32(&w, NFS4_OK);
	xdr_put_bool(&w, true);
	xdr_put_u32(&w, 1000); /* bytes of data, none of them here */
	xdr_put_u32(&w, OP_GETFH);
	xdr_put_u32(&w, NFS4ERR_STALE);
	c = cursor_make_gapped(xdr_writer_bytes(&w), 16, 1000, 0);
	nfs4_decode_nfs_resop4(&c, &op);
	CHECK(cursor_ok(&c));
	CHECK_EQ_U64(op.opread.resok4.data.len, 1000);
	CHECK_EQ_U64(op.opread.resok4.data.have, 0);
	nfs4_decode_nfs_resop4(&c, &op);
	CHECK(cursor_ok(&c) && cursor_left(&c) == 0);
	CHECK_EQ_U64(op.status, NFS4ERR_STALE);
}

TEST(xdr_limits_hold)
{
	static const uint8_t handle[] = {0, 0, 0, 129};
	static const uint8_t bitmap[] = {0, 0, 0, 9};
	struct cursor c = cursor_make_cut(slice_make(handle, sizeof(handle)), 1000);
	struct xdr_opaque fh;
	struct xdr_bitmap map;
	struct xdr_writer w = xdr_writer_make(NULL, 0);

	nfs4_decode_nfs_fh4(&c, &fh);
	CHECK_EQ_U64(c.fault, CURSOR_LIMIT);
	c = cursor_make_cut(slice_make(bitmap, sizeof(bitmap)), 1000);
	nfs4_decode_bitmap4(&c, &map);
	CHECK_EQ_U64(c.fault, CURSOR_LIMIT);
	CHECK_EQ_U64(map.count, 0);
	xdr_put_u32(&w, 1);
	CHECK(w.overflow && !xdr_writer_ok(&w));
}
