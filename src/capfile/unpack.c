// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Streaming decompression: gzip (RFC 1952) by zlib, zstd (RFC 8878) by libzstd, xz by liblzma.
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

struct unpack {
	const struct unpack_ops *ops;
	z_stream z;
	lzma_stream x;
	ZSTD_DStream *zstd;
	bool between; /* at the boundary of streams */
	bool ended;
	const char *fault;
};

struct unpack_ops {
	enum source_packing packing;
	size_t magic_len;
	uint8_t magic[UNPACK_MAGIC_BYTES];
	uint8_t mask0; /* of the first byte of the magic */
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

static const struct unpack_ops unpack_table[] = {
	{SOURCE_GZIP, 3, {0x1f, 0x8b, 0x08}, 0xff, gzip_start, gzip_stop, gzip_step},
	{SOURCE_ZSTD, 4, {0x28, 0xb5, 0x2f, 0xfd}, 0xff, zstd_start, zstd_stop, zstd_step},
	/* a skippable frame, as pzstd puts first: any of 0x50..0x5f */
	{SOURCE_ZSTD, 4, {0x50, 0x2a, 0x4d, 0x18}, 0xf0, zstd_start, zstd_stop, zstd_step},
	{SOURCE_XZ, 6, {0xfd, '7', 'z', 'X', 'Z', 0x00}, 0xff, xz_start, xz_stop, xz_step},
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
	return u->between;
}

const char *unpack_fault(const struct unpack *u)
{
	return u->fault;
}
