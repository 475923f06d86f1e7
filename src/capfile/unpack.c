// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Streaming decompression: gzip (RFC 1952) by zlib, zstd (RFC 8878) by libzstd, xz by liblzma; and
 * text in UTF-16 (RFC 2781), as Windows saves it, told by its byte order mark and made UTF-8.
 *
 * Each packer is a row of a table. Streams may follow each other in one file, as the tools write
 * them when files are joined; zeroes behind the last one are padding (tapes, block devices).
 */
#include "capfile/unpack.h"

#include <lzma.h>
#include <stdlib.h>
#include <zlib.h>
#include <zstd.h>

#include "base/mem.h"

/* Memory that a stream may demand from its decoder: what `xz -9` and `zstd --long` need. */
enum {
	UNPACK_XZ_MEMORY_BYTES = 256 << 20,
	UNPACK_ZSTD_WINDOW_LOG = 27,
};

enum { UTF8_BYTES_MAX = 4, UNPACK_NO_CHARACTER = 0xfffd, UNPACK_BYTE_ORDER = 0xfeff };

struct unpack {
	const struct unpack_ops *ops;
	z_stream z;
	lzma_stream x;
	ZSTD_DStream *zstd;
	bool between; /* at the boundary of streams */
	/* UTF-16: the first half of a pair, the first byte of a character, what is to be handed out
	 */
	uint32_t high; /* 0: none */
	bool has_odd;
	uint8_t odd;
	uint8_t held[2 * UTF8_BYTES_MAX];
	size_t held_at, held_len;
	bool ended;
	const char *fault;
};

struct unpack_ops {
	enum source_packing packing;
	size_t magic_len;
	uint8_t magic[UNPACK_MAGIC_BYTES];
	uint8_t mask0; /* of the first byte of the magic */
	bool text;     /* it may end anywhere, and nothing follows it */
	bool (*start)(struct unpack *u);
	void (*stop)(struct unpack *u);
	size_t (*step)(struct unpack *u, struct slice *in, uint8_t *out, size_t cap);
};

static void unpack_fail(struct unpack *u, const char *fault)
{
	u->fault = fault;
	u->ended = true;
}

static void slice_advance(struct slice *s, size_t count)
{
	s->ptr += count;
	s->len -= count;
}

static unsigned int length_clamp(size_t len)
{
	return len > (1U << 30) ? 1U << 30 : (unsigned int)len;
}

static bool gzip_start(struct unpack *u)
{
	return inflateInit2(&u->z, MAX_WBITS + 16) == Z_OK;
}

static void gzip_stop(struct unpack *u)
{
	inflateEnd(&u->z);
}

static size_t gzip_step(struct unpack *u, struct slice *in, uint8_t *out, size_t cap)
{
	unsigned int in_len = length_clamp(in->len);
	unsigned int out_len = length_clamp(cap);
	int rc;

	u->z.next_in = (z_const Bytef *)(uintptr_t)in->ptr;
	u->z.avail_in = in_len;
	u->z.next_out = out;
	u->z.avail_out = out_len;
	rc = inflate(&u->z, Z_NO_FLUSH);
	slice_advance(in, in_len - u->z.avail_in);
	if (rc == Z_STREAM_END) {
		u->between = true;
		if (inflateReset(&u->z) != Z_OK)
			unpack_fail(u, "gzip stream cannot be started again");
	} else if (rc != Z_OK && rc != Z_BUF_ERROR) {
		unpack_fail(u, "gzip data are damaged");
	}
	return out_len - u->z.avail_out;
}

static bool zstd_start(struct unpack *u)
{
	u->zstd = ZSTD_createDStream();
	if (!u->zstd)
		return false;
	return !ZSTD_isError(
		ZSTD_DCtx_setParameter(u->zstd, ZSTD_d_windowLogMax, UNPACK_ZSTD_WINDOW_LOG));
}

static void zstd_stop(struct unpack *u)
{
	ZSTD_freeDStream(u->zstd);
}

static size_t zstd_step(struct unpack *u, struct slice *in, uint8_t *out, size_t cap)
{
	ZSTD_inBuffer from = {.src = in->ptr, .size = in->len};
	ZSTD_outBuffer to = {.dst = out, .size = cap};
	size_t rc = ZSTD_decompressStream(u->zstd, &to, &from);

	slice_advance(in, from.pos);
	if (ZSTD_isError(rc))
		unpack_fail(u, "zstd data are damaged");
	else if (rc == 0)
		u->between = true;
	return to.pos;
}

static bool xz_start(struct unpack *u)
{
	u->x = (lzma_stream)LZMA_STREAM_INIT;
	return lzma_stream_decoder(&u->x, UNPACK_XZ_MEMORY_BYTES, 0) == LZMA_OK;
}

static void xz_stop(struct unpack *u)
{
	lzma_end(&u->x);
}

static size_t xz_step(struct unpack *u, struct slice *in, uint8_t *out, size_t cap)
{
	lzma_ret rc;

	u->x.next_in = in->ptr;
	u->x.avail_in = in->len;
	u->x.next_out = out;
	u->x.avail_out = cap;
	rc = lzma_code(&u->x, LZMA_RUN);
	slice_advance(in, in->len - u->x.avail_in);
	if (rc == LZMA_STREAM_END) {
		u->between = true;
		if (lzma_stream_decoder(&u->x, UNPACK_XZ_MEMORY_BYTES, 0) != LZMA_OK)
			unpack_fail(u, "xz stream cannot be started again");
	} else if (rc == LZMA_MEMLIMIT_ERROR) {
		unpack_fail(u, "xz data need too much memory to be unpacked");
	} else if (rc != LZMA_OK && rc != LZMA_BUF_ERROR) {
		unpack_fail(u, "xz data are damaged");
	}
	return cap - u->x.avail_out;
}

static bool utf16_start(struct unpack *u)
{
	(void)u;
	return true;
}

static void utf16_stop(struct unpack *u)
{
	(void)u;
}

/* One character as UTF-8: at most UTF8_BYTES_MAX. */
static size_t utf8_put(uint8_t *out, uint32_t c)
{
	static const uint8_t leads[] = {0, 0, 0xc0, 0xe0, 0xf0};
	size_t len = c < 0x80 ? 1 : c < 0x800 ? 2 : c < 0x10000 ? 3 : 4;

	for (size_t i = len; i-- > 1; c >>= 6)
		out[i] = (uint8_t)(0x80 | (c & 0x3f));
	out[0] = (uint8_t)(leads[len] | c);
	return len;
}

/* The next 16 bits. Halves of pairs that stand alone become U+FFFD; byte order marks are left out.
 */
static void utf16_take(struct unpack *u, uint32_t unit)
{
	bool is_low = unit >> 10 == 0xdc00 >> 10;

	u->held_at = u->held_len = 0;
	if (u->high && is_low) {
		u->held_len =
			utf8_put(u->held, 0x10000 + ((u->high & 0x3ff) << 10) + (unit & 0x3ff));
		u->high = 0;
		return;
	}
	if (u->high)
		u->held_len = utf8_put(u->held, UNPACK_NO_CHARACTER);
	u->high = unit >> 10 == 0xd800 >> 10 ? unit : 0;
	if (!u->high && unit != UNPACK_BYTE_ORDER)
		u->held_len += utf8_put(u->held + u->held_len, is_low ? UNPACK_NO_CHARACTER : unit);
}

static size_t utf16_step(struct unpack *u, struct slice *in, uint8_t *out, size_t cap)
{
	bool big = u->ops->packing == SOURCE_UTF16BE;
	size_t len = 0;

	while (len < cap && (u->held_at < u->held_len || in->len)) {
		if (u->held_at < u->held_len) {
			out[len++] = u->held[u->held_at++];
			continue;
		}
		if (u->has_odd)
			utf16_take(u, big ? (uint32_t)(u->odd << 8 | in->ptr[0])
					  : (uint32_t)(in->ptr[0] << 8 | u->odd));
		u->odd = in->ptr[0];
		u->has_odd = !u->has_odd;
		slice_advance(in, 1);
	}
	return len;
}

static const struct unpack_ops unpack_table[] = {
	{SOURCE_GZIP, 3, {0x1f, 0x8b, 0x08}, 0xff, false, gzip_start, gzip_stop, gzip_step},
	{SOURCE_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}, 0xff, false, zstd_start, zstd_stop, zstd_step},
	/* a skippable frame, as pzstd puts first: any of 0x50..0x5f */
	{SOURCE_ZSTD, 4, {0x50, 0x2a, 0x4d, 0x18}, 0xf0, false, zstd_start, zstd_stop, zstd_step},
	{SOURCE_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0x00}, 0xff, false, xz_start, xz_stop, xz_step},
	{SOURCE_UTF16LE, 2, {0xff, 0xfe}, 0xff, true, utf16_start, utf16_stop, utf16_step},
	{SOURCE_UTF16BE, 2, {0xfe, 0xff}, 0xff, true, utf16_start, utf16_stop, utf16_step},
};

enum { UNPACK_ROWS = sizeof(unpack_table) / sizeof(unpack_table[0]) };

static bool unpack_magic_matches(const struct unpack_ops *ops, struct slice head)
{
	return head.len >= ops->magic_len && (head.ptr[0] & ops->mask0) == ops->magic[0] &&
	       memcmp(head.ptr + 1, ops->magic + 1, ops->magic_len - 1) == 0;
}

enum source_packing unpack_sniff(struct slice head)
{
	for (size_t i = 0; i < UNPACK_ROWS; i++) {
		if (unpack_magic_matches(&unpack_table[i], head))
			return unpack_table[i].packing;
	}
	return SOURCE_PLAIN;
}

struct unpack *unpack_create(enum source_packing packing)
{
	struct unpack *u = mem_alloc(1, sizeof(*u));

	u->ops = unpack_table;
	for (size_t i = 0; i < UNPACK_ROWS; i++) {
		if (unpack_table[i].packing == packing) {
			u->ops = &unpack_table[i];
			break;
		}
	}
	if (!u->ops->start(u))
		unpack_fail(u, "the unpacking library cannot be started");
	return u;
}

void unpack_destroy(struct unpack *u)
{
	if (!u)
		return;
	u->ops->stop(u);
	free(u);
}

/* Between two streams: what follows is another one, padding, or nothing that belongs to us. */
static void unpack_start_next(struct unpack *u, struct slice *in)
{
	while (in->len > 0 && in->ptr[0] == 0)
		slice_advance(in, 1);
	if (in->len == 0)
		return;
	/* only the first byte is sure to be here already; the decoder looks at the others */
	for (size_t i = 0; i < UNPACK_ROWS; i++) {
		const struct unpack_ops *ops = &unpack_table[i];

		if (ops->packing == u->ops->packing && (in->ptr[0] & ops->mask0) == ops->magic[0]) {
			u->between = false;
			return;
		}
	}
	unpack_fail(u, "other bytes follow the packed data");
}

size_t unpack_run(struct unpack *u, struct slice *in, uint8_t *out, size_t cap)
{
	size_t got = 0;

	while (got == 0 && !u->ended) {
		size_t before = in->len;

		if (u->between)
			unpack_start_next(u, in);
		if (u->between || u->ended)
			break;
		got = u->ops->step(u, in, out, cap);
		if (got == 0 && in->len == before && !u->between)
			break;
	}
	return got;
}

bool unpack_ended(const struct unpack *u)
{
	return u->ended;
}

bool unpack_complete(const struct unpack *u)
{
	return u->between || u->ops->text;
}

const char *unpack_fault(const struct unpack *u)
{
	return u->fault;
}
