// SPDX-License-Identifier: GPL-2.0-or-later
/* See handle.h. CRC-32 as in IEEE 802.3, reflected; bit by bit, as handles are short and few. */
#include "event/handle.h"

#include <string.h>

#define CRC32_POLYNOMIAL 0xedb88320u

uint32_t file_handle_hash(const struct file_handle *handle)
{
	uint32_t crc = UINT32_MAX;

	if (handle->len == 0)
		return 0;
	for (size_t i = 0; i < handle->len; i++) {
		crc ^= handle->bytes[i];
		for (int bit = 0; bit < 8; bit++)
			crc = crc >> 1 ^ (crc & 1 ? CRC32_POLYNOMIAL : 0);
	}
	return ~crc;
}

bool file_handle_equal(const struct file_handle *a, const struct file_handle *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}
