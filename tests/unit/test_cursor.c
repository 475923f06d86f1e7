// SPDX-License-Identifier: GPL-2.0-or-later
/* The sticky cursor: reads, faults, cuts and gaps. */
#include "base/cursor.h"
#include "check.h"

TEST(cursor_reads_big_endian)
{
	struct cursor c = cursor_make(slice_make("\1\2\3\4\5\6\7\10\11\12\13\14\15\16\17", 15));

	CHECK_EQ_U64(cursor_u8(&c), 1);
	CHECK_EQ_U64(cursor_u16(&c), 0x0203);
	CHECK_EQ_U64(cursor_u32(&c), 0x04050607);
	CHECK_EQ_U64(cursor_u64(&c), 0x08090a0b0c0d0e0f);
	CHECK(cursor_ok(&c));
	CHECK_EQ_U64(cursor_left(&c), 0);
	CHECK_EQ_U64(cursor_offset(&c), 15);
}
