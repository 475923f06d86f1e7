// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The cursor, driven by a small program: the first bytes of the input are operations, the rest is
 * the message, with a gap and a cut. What is left and what was passed always add up to the message.
 */
#include "base/cursor.h"
#include "fuzz.h"

#include <stdlib.h>

enum { OPERATIONS = 24, HEADER_BYTES = OPERATIONS + 3 };

static void expect(bool holds)
{
	if (!holds)
		abort();
}

/* Touches what was returned, so that a sanitizer sees a slice that is out of bounds. */
static void touch(struct slice bytes)
{
	volatile uint8_t sum = 0;

	for (size_t i = 0; i < bytes.len; i++)
		sum = (uint8_t)(sum + bytes.ptr[i]);
}

static void operate(struct cursor *c, uint8_t operation)
{
	size_t count = operation >> 3;

	switch (operation & 7) {
	case 0:
		cursor_u8(c);
		break;
	case 1:
		cursor_u16(c);
		break;
	case 2:
		cursor_u32(c);
		break;
	case 3:
		cursor_u64(c);
		break;
	case 4:
		cursor_skip(c, count * count);
		break;
	case 5:
		touch(cursor_bytes(c, count));
		break;
	case 6:
		touch(xdr_opaque_slice(cursor_opaque(c, UINT32_MAX)));
		break;
	case 7:
		touch(xdr_opaque_slice(cursor_opaque_fixed(c, (uint32_t)count)));
		break;
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct cursor c;
	size_t bytes, message;

	if (size < HEADER_BYTES)
		return 0;
	bytes = size - HEADER_BYTES;
	c = cursor_make_gapped(slice_make(data + HEADER_BYTES, bytes), data[0], data[1], data[2]);
	message = bytes + data[1] + data[2];
	for (size_t i = 3; i < HEADER_BYTES; i++) {
		size_t before = cursor_offset(&c);

		operate(&c, data[i]);
		expect(cursor_offset(&c) >= before);
		expect(cursor_left(&c) == (cursor_ok(&c) ? message - cursor_offset(&c) : 0));
	}
	return 0;
}
