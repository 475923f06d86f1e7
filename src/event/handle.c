// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See handle.h. CRC-32 as in IEEE 802.3. Handles are short and many, and zlib takes what is short
 * byte by byte, each of which waits for the one before: eight at a time are three times as fast.
 */
#include "event/handle.h"

#include <pthread.h>
#include <string.h>
#include <zlib.h>

enum { CRC_STEP = 8 };

/* crc_tables[i][b]: what the byte b does to the sum when i bytes follow it. */
static uint32_t crc_tables[CRC_STEP][256];
static pthread_once_t crc_once = PTHREAD_ONCE_INIT;

static void crc_make(void)
{
	const z_crc_t *first = get_crc_table();

	for (size_t b = 0; b < 256; b++)
		crc_tables[0][b] = (uint32_t)first[b];
	for (size_t i = 1; i < CRC_STEP; i++)
		for (size_t b = 0; b < 256; b++) {
			uint32_t before = crc_tables[i - 1][b];

			crc_tables[i][b] = before >> 8 ^ crc_tables[0][before & 0xff];
		}
}

/* Four bytes in the order in which they stand, the first in the lowest bits. */
static uint32_t crc_load(const uint8_t *p)
{
	return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

uint32_t file_handle_hash_bytes(const uint8_t *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;

	if (len == 0)
		return 0;
	pthread_once(&crc_once, crc_make);
	for (; len >= CRC_STEP; bytes += CRC_STEP, len -= CRC_STEP) {
		uint32_t low = crc_load(bytes) ^ crc, high = crc_load(bytes + 4);

		crc = crc_tables[7][low & 0xff] ^ crc_tables[6][low >> 8 & 0xff] ^
		      crc_tables[5][low >> 16 & 0xff] ^ crc_tables[4][low >> 24] ^
		      crc_tables[3][high & 0xff] ^ crc_tables[2][high >> 8 & 0xff] ^
		      crc_tables[1][high >> 16 & 0xff] ^ crc_tables[0][high >> 24];
	}
	if (len >= 4) { /* XDR pads to four: most have no more left */
		uint32_t last = crc_load(bytes) ^ crc;

		crc = crc_tables[3][last & 0xff] ^ crc_tables[2][last >> 8 & 0xff] ^
		      crc_tables[1][last >> 16 & 0xff] ^ crc_tables[0][last >> 24];
		bytes += 4;
		len -= 4;
	}
	for (; len; bytes++, len--)
		crc = crc >> 8 ^ crc_tables[0][(crc ^ *bytes) & 0xff];
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
