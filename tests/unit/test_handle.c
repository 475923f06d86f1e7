// SPDX-License-Identifier: GPL-2.0-or-later
/* The hash of file handles is CRC-32, whatever the length. */
#include "check.h"
#include "event/handle.h"

/* IEEE 802.3 section 3.2.9, bit by bit. */
static uint32_t crc_by_bits(const uint8_t *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc & 1 ? crc >> 1 ^ UINT32_C(0xedb88320) : crc >> 1;
	}
	return ~crc;
}

TEST(handles_are_hashed_by_crc)
{
	uint8_t bytes[RPC_HANDLE_BYTES_MAX];

	CHECK_EQ_U64(file_handle_hash_bytes((const uint8_t *)"123456789", 9), 0xcbf43926);
	CHECK_EQ_U64(file_handle_hash_bytes((const uint8_t *)"", 0), 0);
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (uint8_t)(i * 37 + 200);
	for (size_t len = 1; len <= sizeof(bytes); len++)
		CHECK_EQ_U64(file_handle_hash_bytes(bytes, len), crc_by_bits(bytes, len));
}
