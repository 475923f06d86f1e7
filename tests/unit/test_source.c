// SPDX-License-Identifier: GPL-2.0-or-later
/* The window over files: plain and packed, whole and cut, in one piece and in many. */
#include "base/mem.h"
#include "base/strbuf.h"
#include "capfile/source.h"
#include "check.h"

#include <lzma.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <zlib.h>
#include <zstd.h>

enum { TEXT_BYTES = 300000 };

/* Bytes that pack, but not to nothing. */
static struct slice make_text(void)
{
	uint8_t *text = mem_alloc(TEXT_BYTES, 1);
	uint32_t state = 1;

	for (size_t i = 0; i < TEXT_BYTES; i++) {
		state = state * 1664525 + 1013904223;
		text[i] = (uint8_t)("abcdefgh 0123456"[state >> 28]);
	}
	return slice_make(text, TEXT_BYTES);
}

static struct slice pack_gzip(struct slice text)
{
	size_t cap = text.len + 1000;
	uint8_t *out = mem_alloc(cap, 1);
	z_stream z = {0};

	deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY);
	z.next_in = (Bytef *)(uintptr_t)text.ptr;
	z.avail_in = (uInt)text.len;
	z.next_out = out;
	z.avail_out = (uInt)cap;
	deflate(&z, Z_FINISH);
	deflateEnd(&z);
	return slice_make(out, cap - z.avail_out);
}

static struct slice pack_zstd(struct slice text)
{
	size_t cap = ZSTD_compressBound(text.len);
	uint8_t *out = mem_alloc(cap, 1);
	ZSTD_CCtx *context = ZSTD_createCCtx();
	size_t len;

	/* as the tool does by default */
	ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
	len = ZSTD_compress2(context, out, cap, text.ptr, text.len);
	ZSTD_freeCCtx(context);
	return slice_make(out, len);
}

static struct slice pack_xz(struct slice text)
{
	size_t cap = lzma_stream_buffer_bound(text.len);
	uint8_t *out = mem_alloc(cap, 1);
	size_t len = 0;

	lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, text.ptr, text.len, out, &len, cap);
	return slice_make(out, len);
}

typedef struct slice pack_fn(struct slice text);

static const struct packer {
	pack_fn *pack;
	enum source_packing packing;
} packers[] = {
	{pack_gzip, SOURCE_GZIP},
	{pack_zstd, SOURCE_ZSTD},
	{pack_xz, SOURCE_XZ},
};

enum { PACKERS = sizeof(packers) / sizeof(packers[0]) };

static void free_slice(struct slice s)
{
	free((void *)(uintptr_t)s.ptr);
}

/* Reads all of it in steps; the number of bytes, all of which must be those of text. */
static size_t read_all(struct source *s, struct slice text, size_t step)
{
	size_t total = 0;

	for (;;) {
		struct slice got = source_take(s, step);

		if (got.len == 0)
			return total;
		if (!CHECK(got.len <= text.len - total &&
			   memcmp(got.ptr, text.ptr + total, got.len) == 0))
			return 0;
		total += got.len;
		CHECK_EQ_U64(source_offset(s), total);
	}
}

TEST(plain_bytes_are_read_as_they_are)
{
	struct slice text = make_text();
	struct source *s = source_create_memory(text);

	CHECK(source_packing(s) == SOURCE_PLAIN);
	CHECK_EQ_U64(source_peek(s, 100).len, TEXT_BYTES);
	CHECK_EQ_U64(read_all(s, text, 977), TEXT_BYTES);
	CHECK(!source_fault(s));
	source_destroy(s);
	free_slice(text);
}

TEST(packed_bytes_are_unpacked)
{
	struct slice text = make_text();

	for (size_t i = 0; i < PACKERS; i++) {
		struct slice packed = packers[i].pack(text);
		struct source *s = source_create_memory(packed);

		CHECK(source_packing(s) == packers[i].packing);
		CHECK_EQ_U64(read_all(s, text, 977), TEXT_BYTES);
		CHECK(!source_fault(s));
		source_destroy(s);
		free_slice(packed);
	}
	free_slice(text);
}

TEST(what_came_before_a_cut_is_used)
{
	struct slice text = make_text();

	for (size_t i = 0; i < PACKERS; i++) {
		struct slice packed = packers[i].pack(text);
		size_t most = 0;

		for (size_t len = 6; len < packed.len; len += packed.len / 37) {
			uint8_t *copy = check_copy(packed.ptr, len);
			struct source *s = source_create_memory(slice_make(copy, len));
			size_t got = read_all(s, text, 4096);

			CHECK(got < TEXT_BYTES || len > packed.len - 64);
			CHECK(got >= most);
			CHECK(source_fault(s) != NULL);
			most = got;
			source_destroy(s);
			free(copy);
		}
		CHECK(most > TEXT_BYTES / 2);
		free_slice(packed);
	}
	free_slice(text);
}

TEST(joined_streams_are_one)
{
	struct slice text = make_text();
	struct slice half = slice_make(text.ptr, TEXT_BYTES / 2);
	struct slice rest = slice_make(text.ptr + TEXT_BYTES / 2, TEXT_BYTES / 2);

	for (size_t i = 0; i < PACKERS; i++) {
		struct slice a = packers[i].pack(half);
		struct slice b = packers[i].pack(rest);
		struct strbuf joined;
		struct source *s;

		strbuf_init(&joined);
		strbuf_add(&joined, a.ptr, a.len);
		strbuf_add(&joined, b.ptr, b.len);
		strbuf_add(&joined, "\0\0\0\0\0\0\0\0", 8);
		s = source_create_memory(slice_make(joined.data, joined.len));
		CHECK_EQ_U64(read_all(s, text, 65536), TEXT_BYTES);
		CHECK(!source_fault(s));
		source_destroy(s);
		/* other bytes behind it are told */
		strbuf_add(&joined, "garbage", 7);
		s = source_create_memory(slice_make(joined.data, joined.len));
		CHECK_EQ_U64(read_all(s, text, 65536), TEXT_BYTES);
		CHECK(source_fault(s) != NULL);
		source_destroy(s);
		strbuf_deinit(&joined);
		free_slice(a);
		free_slice(b);
	}
	free_slice(text);
}

TEST(damaged_streams_end_with_a_fault)
{
	struct slice text = make_text();

	for (size_t i = 0; i < PACKERS; i++) {
		struct slice packed = packers[i].pack(text);
		uint8_t *copy = check_copy(packed.ptr, packed.len);
		struct source *s;

		memset(copy + packed.len / 2, 0xff, 64);
		s = source_create_memory(slice_make(copy, packed.len));
		while (source_take(s, 4096).len > 0)
			;
		CHECK(source_fault(s) != NULL);
		source_destroy(s);
		free(copy);
		free_slice(packed);
	}
	free_slice(text);
}

TEST(a_bomb_costs_no_memory)
{
	uint64_t bomb_bytes = UINT64_C(64) << 20;
	uint8_t *zeroes = mem_alloc(bomb_bytes, 1);
	struct slice packed = pack_zstd(slice_make(zeroes, bomb_bytes));
	struct source *s = source_create_memory(packed);

	CHECK(packed.len < 100000);
	CHECK(source_peek(s, SIZE_MAX).len <= SOURCE_PEEK_BYTES_MAX);
	CHECK_EQ_U64(source_skip(s, UINT64_MAX), bomb_bytes);
	CHECK_EQ_U64(source_offset(s), bomb_bytes);
	CHECK(!source_fault(s));
	source_destroy(s);
	free_slice(packed);
	free(zeroes);
}

TEST(files_are_opened_by_their_path)
{
	char path[] = "/tmp/nfsleuth-source-XXXXXX";
	int fd = mkstemp(path);
	struct slice text = make_text();
	struct source *s = NULL;
	struct err *err;
	FILE *file = fdopen(fd, "w");

	/* three windows, so that the window moves */
	for (int i = 0; i < 12; i++)
		fwrite(text.ptr, 1, text.len, file);
	fclose(file);
	err = source_open(path, &s);
	if (!CHECK(!err))
		return;
	CHECK(source_seekable(s));
	CHECK_EQ_U64(source_raw_bytes(s), 12 * TEXT_BYTES);
	for (int i = 0; i < 12; i++) {
		struct slice got = source_take(s, TEXT_BYTES);

		CHECK_BYTES(got.ptr, got.len, text.ptr, text.len);
	}
	CHECK_EQ_U64(source_take(s, 1).len, 0);
	source_destroy(s);
	remove(path);
	free_slice(text);

	err = source_open(path, &s);
	CHECK(err && strstr(err_text(err), path));
	err_destroy(err);
	err = source_open("/", &s);
	CHECK(err && strstr(err_text(err), "is a directory"));
	err_destroy(err);
}

/* Reads a file that rests before each step, from its first byte on. */
static void check_rest(struct slice packed, struct slice text)
{
	char path[] = "/tmp/nfsleuth-rest-XXXXXX";
	int fd = mkstemp(path);
	struct source *s = NULL;
	size_t total = 0;

	if (!CHECK(fd >= 0) || !CHECK(write(fd, packed.ptr, packed.len) == (ssize_t)packed.len) ||
	    !CHECK(source_open(path, &s) == NULL))
		return;
	close(fd);
	for (;;) {
		struct slice got;

		source_rest(s);
		got = source_take(s, TEXT_BYTES / 5 + 7);
		if (got.len == 0 || !CHECK(memcmp(got.ptr, text.ptr + total, got.len) == 0))
			break;
		total += got.len;
		CHECK_EQ_U64(source_offset(s), total);
	}
	CHECK_EQ_U64(total, TEXT_BYTES);
	CHECK(!source_fault(s));
	source_rest(s);
	CHECK_EQ_U64(source_peek(s, 1).len, 0);
	source_destroy(s);
	remove(path);
}

TEST(utf16_is_read_as_utf8)
{
	/* a mark, "a", U+00E4, U+20AC, U+1F600 in two halves, a half alone, "b" */
	static const uint8_t big[] = {0xfe, 0xff, 0,    'a', 0,    0xe4, 0x20, 0xac,
				      0xd8, 0x3d, 0xde, 0,   0xdc, 0x01, 0,    'b'};
	static const char want[] = "a\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80\xef\xbf\xbd"
				   "b";
	uint8_t little[sizeof(big)];

	for (size_t i = 0; i < sizeof(big); i++)
		little[i] = big[i ^ 1];
	for (int i = 0; i < 2; i++) {
		struct slice text = slice_make(i ? little : big, sizeof(big));
		struct source *s = source_create_memory(text);

		CHECK(source_packing(s) == (i ? SOURCE_UTF16LE : SOURCE_UTF16BE));
		CHECK_EQ_U64(read_all(s, slice_make(want, sizeof(want) - 1), 1), sizeof(want) - 1);
		CHECK(!source_fault(s));
		source_destroy(s);
		for (size_t len = 2; len < sizeof(big);
		     len++) { /* cut anywhere it is just shorter */
			s = source_create_memory(slice_make(text.ptr, len));
			CHECK(read_all(s, slice_make(want, sizeof(want) - 1), 977) < sizeof(want));
			source_destroy(s);
		}
	}
}

TEST(utf16_fills_the_window_and_goes_on)
{
	size_t units = (size_t)SOURCE_WINDOW_BYTES + 333;
	uint8_t *bytes = mem_alloc(units + 1, 2);
	uint8_t *want = mem_alloc(units, 3);
	struct source *s;

	bytes[0] = 0xff;
	bytes[1] = 0xfe;
	for (size_t i = 0; i < units; i++) {
		memcpy(bytes + 2 + 2 * i, "\xac\x20", 2);
		memcpy(want + 3 * i, "\xe2\x82\xac", 3);
	}
	s = source_create_memory(slice_make(bytes, 2 * units + 2));
	CHECK_EQ_U64(read_all(s, slice_make(want, 3 * units), 1 << 20), 3 * units);
	source_destroy(s);
	free(bytes);
	free(want);
}

TEST(a_source_that_rests_reads_on_where_it_was)
{
	struct slice text = make_text();

	check_rest(text, text);
	for (size_t i = 0; i < PACKERS; i++) {
		struct slice packed = packers[i].pack(text);

		check_rest(packed, text);
		free_slice(packed);
	}
	free_slice(text);
}
