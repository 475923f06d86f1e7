// SPDX-License-Identifier: GPL-2.0-or-later
/* See handle.h. CRC-32 as in IEEE 802.3, reflected (0xedb88320), by half bytes: handles are short.
 */
#include "event/handle.h"

#include <string.h>

uint32_t file_handle_hash_bytes(const uint8_t *bytes, size_t len)
{
	static const uint32_t by_nibble[16] = {
		0x00000000, 0x1db71064, 0x3b6e20c8, 0x26d930ac, 0x76dc4190, 0x6b6b51f4,
		0x4db26158, 0x5005713c, 0xedb88320, 0xf00f9344, 0xd6d6a3e8, 0xcb61b38c,
		0x9b64c2b0, 0x86d3d2d4, 0xa00ae278, 0xbdbdf21c,
	};
	uint32_t crc = UINT32_MAX;

	if (len == 0)
		return 0;
	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		crc = crc >> 4 ^ by_nibble[crc & 15];
		crc = crc >> 4 ^ by_nibble[crc & 15];
	}
	return ~crc;
}

uint32_t file_handle_hash(const struct file_handle *handle)
{
	return file_handle_hash_bytes(handle->bytes, handle->len);
}

bool file_handle_equal(const struct file_handle *a, const struct file_handle *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}
