// SPDX-License-Identifier: GPL-2.0-or-later
/* The sticky cursor: reads, faults, cuts and gaps. */
#include "base/cursor.h"
#include "check.h"

#include <stdlib.h>

static const uint8_t counting[16] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};

TEST(cursor_reads_big_endian)
{
	struct cursor c = cursor_make(slice_make(counting + 1, 15));

	CHECK_EQ_U64(cursor_u8(&c), 1);
	CHECK_EQ_U64(cursor_u16(&c), 0x0203);
	CHECK_EQ_U64(cursor_u32(&c), 0x04050607);
	CHECK_EQ_U64(cursor_u64(&c), 0x08090a0b0c0d0e0f);
	CHECK(cursor_ok(&c));
	CHECK_EQ_U64(cursor_left(&c), 0);
	CHECK_EQ_U64(cursor_offset(&c), 15);
}

TEST(cursor_reads_negative_numbers)
{
	uint8_t bytes[12];
	struct cursor c = cursor_make(slice_make(bytes, sizeof(bytes)));

	memset(bytes, 0xff, sizeof(bytes));
	CHECK_EQ_I64(cursor_i32(&c), -1);
	CHECK_EQ_I64(cursor_i64(&c), -1);
}

TEST(cursor_first_fault_sticks_and_reads_zero)
{
	struct cursor c = cursor_make(slice_make(counting + 1, 6));

	CHECK_EQ_U64(cursor_u32(&c), 0x01020304);
	CHECK_EQ_U64(cursor_u32(&c), 0);
	CHECK_EQ_U64(c.fault, CURSOR_SHORT);
	CHECK_EQ_U64(cursor_u8(&c), 0);
	CHECK_EQ_U64(cursor_bytes(&c, 1).len, 0);
	cursor_fail(&c, CURSOR_LIMIT);
	cursor_skip(&c, 1);
	CHECK_EQ_U64(c.fault, CURSOR_SHORT);
	CHECK_EQ_U64(cursor_offset(&c), 4);
	CHECK_EQ_U64(cursor_left(&c), 0);
}

/* The whole message is cut at each byte: what is here is read, the rest is CUT and never SHORT. */
TEST(cursor_tells_cut_from_short)
{
	for (size_t here = 0; here < sizeof(counting); here++) {
		uint8_t *copy = check_copy(counting, here);
		struct cursor c = cursor_make_cut(slice_make(copy, here), sizeof(counting) - here);

		CHECK_EQ_U64(cursor_left(&c), sizeof(counting));
		for (size_t at = 0; at < sizeof(counting) / 4; at++)
			cursor_u32(&c);
		CHECK_EQ_U64(c.fault, CURSOR_CUT);
		CHECK_EQ_U64(cursor_offset(&c), here / 4 * 4);
		free(copy);
	}
}

TEST(cursor_past_a_cut_message_is_short)
{
	struct cursor c = cursor_make_cut(slice_make(counting, 4), 4);

	cursor_skip(&c, 9);
	CHECK_EQ_U64(c.fault, CURSOR_SHORT);
	c = cursor_make_cut(slice_make(counting, 4), 3);
	cursor_u64(&c);
	CHECK_EQ_U64(c.fault, CURSOR_SHORT);
}

TEST(cursor_skips_to_the_very_end_of_a_cut_message)
{
	struct cursor c = cursor_make_cut(slice_make(counting, 4), 8);

	cursor_skip(&c, 12);
	CHECK(cursor_ok(&c));
	CHECK_EQ_U64(cursor_left(&c), 0);
	CHECK_EQ_U64(cursor_offset(&c), 12);
	cursor_u8(&c);
	CHECK_EQ_U64(c.fault, CURSOR_SHORT);
}

TEST(cursor_crosses_a_gap_only_whole)
{
	/* 4 bytes, 8 left out, 12 more, 4 missing at the end: 28. */
	struct slice bytes = slice_make(counting, 16);
	struct cursor c = cursor_make_gapped(bytes, 4, 8, 4);

	CHECK_EQ_U64(cursor_left(&c), 28);
	cursor_skip(&c, 12);
	CHECK(cursor_ok(&c));
	CHECK_EQ_U64(cursor_offset(&c), 12);
	CHECK_EQ_U64(cursor_u32(&c), 0x04050607);
	CHECK_EQ_U64(cursor_left(&c), 12);
	cursor_skip(&c, 8);
	CHECK_EQ_U64(cursor_left(&c), 4);
	cursor_u32(&c);
	CHECK_EQ_U64(c.fault, CURSOR_CUT);

	c = cursor_make_gapped(bytes, 4, 8, 4);
	cursor_skip(&c, 11);
	CHECK_EQ_U64(c.fault, CURSOR_CUT);

	c = cursor_make_gapped(bytes, 4, 8, 4);
	cursor_u64(&c);
	CHECK_EQ_U64(c.fault, CURSOR_CUT);
}

/* Every skip from every place of a gapped message, compared with a plain count. */
TEST(cursor_skip_agrees_with_counting)
{
	enum { HEAD = 3, GAP = 4, TAIL = 5, MISSING = 2, ALL = HEAD + GAP + TAIL + MISSING };

	for (size_t first = 0; first <= ALL; first++) {
		for (size_t second = 0; second <= ALL + 1 - first; second++) {
			struct cursor c = cursor_make_gapped(slice_make(counting, HEAD + TAIL),
							     HEAD, GAP, MISSING);
			size_t to = first + second;

			cursor_skip(&c, first);
			if (!cursor_ok(&c))
				continue;
			CHECK_EQ_U64(cursor_offset(&c), first);
			CHECK_EQ_U64(cursor_left(&c), ALL - first);
			cursor_skip(&c, second);
			if (to > ALL)
				CHECK_EQ_U64(c.fault, CURSOR_SHORT);
			else if (to <= HEAD || (to >= HEAD + GAP && to <= HEAD + GAP + TAIL) ||
				 to == ALL)
				CHECK_EQ_U64(cursor_offset(&c), to);
			else
				CHECK_EQ_U64(c.fault, CURSOR_CUT);
		}
	}
}

TEST(cursor_gap_of_nothing_is_no_gap)
{
	struct cursor c = cursor_make_gapped(slice_make(counting + 1, 8), 2, 0, 4);

	CHECK_EQ_U64(cursor_u32(&c), 0x01020304);
	cursor_skip(&c, 8);
	CHECK(cursor_ok(&c));
	CHECK_EQ_U64(cursor_left(&c), 0);
}

TEST(cursor_of_nothing)
{
	struct cursor c = cursor_make((struct slice){0});

	cursor_skip(&c, 0);
	CHECK_EQ_U64(cursor_bytes(&c, 0).len, 0);
	CHECK(cursor_ok(&c));
	CHECK_EQ_U64(cursor_u8(&c), 0);
	CHECK_EQ_U64(c.fault, CURSOR_SHORT);
}

TEST(cursor_bool_is_zero_or_one)
{
	struct cursor c = cursor_make(slice_make("\0\0\0\0\0\0\0\1\0\0\0\2", 12));

	CHECK(!cursor_bool(&c));
	CHECK(cursor_bool(&c));
	CHECK(!cursor_bool(&c));
	CHECK_EQ_U64(c.fault, CURSOR_VALUE);
}

TEST(cursor_opaque_is_padded_and_limited)
{
	struct slice bytes = slice_make("\0\0\0\5abcde\0\0\0\0\0\0\7", 16);
	struct cursor c = cursor_make(bytes);
	struct xdr_opaque o = cursor_opaque(&c, 5);

	CHECK_BYTES(o.ptr, o.have, "abcde", 5);
	CHECK_EQ_U64(o.len, 5);
	CHECK_EQ_U64(cursor_u32(&c), 7);

	c = cursor_make(bytes);
	o = cursor_opaque(&c, 4);
	CHECK_EQ_U64(c.fault, CURSOR_LIMIT);
	CHECK_EQ_U64(o.len, 0);
}

TEST(cursor_opaque_with_a_huge_length_is_short)
{
	struct cursor c = cursor_make(slice_make("\xff\xff\xff\xff"
						 "abcd",
						 8));
	struct xdr_opaque o = cursor_opaque(&c, UINT32_MAX);

	CHECK_EQ_U64(c.fault, CURSOR_SHORT);
	CHECK_EQ_U64(o.have, 0);
}

TEST(cursor_opaque_tells_what_is_here_of_it)
{
	struct cursor c = cursor_make_cut(slice_make("\0\0\0\6abc", 7), 5);
	struct xdr_opaque o = cursor_opaque(&c, 100);

	CHECK_EQ_U64(o.len, 6);
	CHECK_BYTES(o.ptr, o.have, "abc", 3);
	CHECK(cursor_ok(&c)); /* it ends with the message, so nothing more was to be read */

	c = cursor_make_cut(slice_make("\0\0\0\6abc", 7), 9);
	o = cursor_opaque(&c, 100);
	CHECK_BYTES(o.ptr, o.have, "abc", 3);
	CHECK_EQ_U64(c.fault, CURSOR_CUT);
}

TEST(cursor_opaque_crosses_the_payload_that_was_left_out)
{
	/* A WRITE of 8 bytes whose payload was skipped, and the word behind it. */
	struct cursor c = cursor_make_gapped(slice_make("\0\0\0\10\0\0\0\11", 8), 4, 8, 0);
	struct xdr_opaque o = cursor_opaque(&c, 100);

	CHECK_EQ_U64(o.len, 8);
	CHECK_EQ_U64(o.have, 0);
	CHECK_EQ_U64(cursor_u32(&c), 9);
	CHECK(cursor_ok(&c));
}
