// SPDX-License-Identifier: GPL-2.0-or-later
/* See handle.h. CRC-32 as in IEEE 802.3. */
#include "event/handle.h"

#include <string.h>
#include <zlib.h>

uint32_t file_handle_hash_bytes(const uint8_t *bytes, size_t len)
{
	return len ? (uint32_t)crc32(0, bytes, (uInt)len) : 0;
}

uint32_t file_handle_hash(const struct file_handle *handle)
{
	return file_handle_hash_bytes(handle->bytes, handle->len);
}

bool file_handle_equal(const struct file_handle *a, const struct file_handle *b)
{
	return a->len == b->len && memcmp(a->bytes, b->bytes, a->len) == 0;
}
