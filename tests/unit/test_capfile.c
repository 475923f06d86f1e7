// SPDX-License-Identifier: GPL-2.0-or-later
/* pcap in its variants, and what may be wrong with it. */
#include "base/mem.h"
#include "base/strbuf.h"
#include "capfile/capfile.h"
#include "capfile/write.h"
#include "check.h"

#include <stdlib.h>

enum { PACKETS = 40, BASE_S = 1700000001 };

/* One way to write a pcap. */
struct variant {
	uint32_t magic;
	bool big_endian;
	uint16_t minor;
	uint32_t frac_ns;
	size_t header_extra; /* bytes behind the file header */
	size_t record_extra; /* bytes behind each record header */
	bool lengths_swapped;
};

static const struct variant variants[] = {
	{0xa1b2c3d4, false, 4, 1000, 0, 0, false},  {0xa1b2c3d4, true, 4, 1000, 0, 0, false},
	{0xa1b23c4d, false, 4, 1, 0, 0, false},     {0xa1b23c4d, true, 4, 1, 0, 0, false},
	{0xa1b2cd34, false, 4, 1000, 0, 8, false},  {0xa1b2cd34, true, 4, 1000, 0, 8, false},
	{0xa1b2cd34, false, 4, 1000, 0, 12, false}, {0x1c0001ac, false, 4, 1, 4, 0, false},
	{0x1c0001ac, true, 4, 1, 4, 0, false},      {0x1c0001ab, false, 4, 1000, 4, 0, false},
	{0xa1b2c3d4, false, 2, 1000, 0, 0, true},   {0xa1b2c3d4, true, 3, 1000, 0, 0, true},
};

enum { VARIANTS = sizeof(variants) / sizeof(variants[0]) };

static void put_u32(struct strbuf *out, const struct variant *v, uint32_t value)
{
	if (v->big_endian)
		value = __builtin_bswap32(value);
	strbuf_add(out, &value, 4);
}

static void put_header(struct strbuf *out, const struct variant *v, uint32_t snaplen,
		       uint32_t linktype)
{
	uint32_t version = v->big_endian ? 2U << 16 | v->minor : (uint32_t)v->minor << 16 | 2;

	put_u32(out, v, v->magic);
	put_u32(out, v, version);
	put_u32(out, v, 0);
	put_u32(out, v, 0);
	put_u32(out, v, snaplen);
	put_u32(out, v, linktype);
	strbuf_add(out, "\0\0\0\0", v->header_extra);
}

static void put_record(struct strbuf *out, const struct variant *v, uint32_t seconds,
		       uint32_t fraction, uint32_t cap, uint32_t wire)
{
	put_u32(out, v, seconds);
	put_u32(out, v, fraction);
	put_u32(out, v, v->lengths_swapped ? wire : cap);
	put_u32(out, v, v->lengths_swapped ? cap : wire);
	strbuf_add(out, "\7\7\7\7\7\7\7\7\7\7\7\7", v->record_extra);
}

/* Packet i: 60 + i bytes of 0x80 + i, of which ten were not captured. */
static void put_packet(struct strbuf *out, const struct variant *v, uint32_t i)
{
	put_record(out, v, BASE_S + i, 1000 + i, 50 + i, 60 + i);
	for (uint32_t j = 0; j < 50 + i; j++)
		strbuf_add_char(out, (char)(0x80 + i));
}

static struct capfile *open_bytes(const void *bytes, size_t len)
{
	struct source *source = source_create_memory(slice_make(bytes, len));
	struct capfile *cf = NULL;
	struct err *err = capfile_open(source, &cf);

	if (err) {
		source_destroy(source);
		err_destroy(err);
		return NULL;
	}
	return cf;
}

static bool check_packet(const struct variant *v, const struct capfile_packet *p, uint32_t i)
{
	bool all = true;

	for (size_t j = 0; j < p->bytes.len; j++)
		all = all && p->bytes.ptr[j] == (uint8_t)(0x80 + i);
	all = CHECK(all);
	all = CHECK_EQ_U64(p->cap_bytes, 50 + i) && all;
	all = CHECK_EQ_U64(p->bytes.len, 50 + i) && all;
	all = CHECK_EQ_U64(p->wire_bytes, 60 + i) && all;
	all = CHECK_EQ_U64(p->linktype, 1) && all;
	return CHECK_EQ_I64(p->at.ns, (BASE_S + (int64_t)i) * STAMP_NS_PER_S +
					      (1000 + (int64_t)i) * v->frac_ns) &&
	       all;
}

static const struct capfile_damage *find_damage(const struct capfile_stats *stats,
						enum capfile_damage_kind kind)
{
	for (size_t i = 0; i < stats->damage_count; i++) {
		if (stats->damage[i].kind == kind)
			return &stats->damage[i];
	}
	return NULL;
}

TEST(every_variant_is_read)
{
	for (size_t i = 0; i < VARIANTS; i++) {
		const struct variant *v = &variants[i];
		struct capfile_packet p;
		struct capfile_stats stats;
		struct strbuf file;
		struct capfile *cf;

		strbuf_init(&file);
		/* the bits above 16 tell of a frame check sequence */
		put_header(&file, v, 65535, 0xf4000001);
		for (uint32_t j = 0; j < PACKETS; j++)
			put_packet(&file, v, j);
		cf = open_bytes(file.data, file.len);
		if (!CHECK(cf != NULL))
			return;
		for (uint32_t j = 0; j < PACKETS; j++) {
			CHECK(capfile_next(cf, &p) == CAPFILE_PACKET);
			CHECK_EQ_U64(p.frame, j + 1);
			if (!check_packet(v, &p, j))
				return;
		}
		CHECK(capfile_next(cf, &p) == CAPFILE_END);
		CHECK(capfile_next(cf, &p) == CAPFILE_END);
		capfile_get_stats(cf, &stats);
		CHECK_EQ_U64(stats.packets, PACKETS);
		CHECK_EQ_U64(stats.cut_count, PACKETS);
		CHECK_EQ_U64(stats.damage_count, 0);
		CHECK_EQ_U64(stats.snaplen, 65535);
		CHECK_EQ_I64(stats.last.ns - stats.first.ns,
			     (PACKETS - 1) * (STAMP_NS_PER_S + v->frac_ns));
		capfile_destroy(cf);
		strbuf_deinit(&file);
	}
}

TEST(a_cut_at_every_byte_keeps_what_was_before)
{
	const struct variant *v = &variants[0];
	struct strbuf file;
	size_t ends[4] = {24};

	strbuf_init(&file);
	put_header(&file, v, 65535, 1);
	for (uint32_t j = 0; j < 3; j++) {
		put_packet(&file, v, j);
		ends[j + 1] = file.len;
	}
	for (size_t len = 0; len <= file.len; len++) {
		uint8_t *copy = check_copy(file.data, len);
		struct capfile *cf = open_bytes(copy, len);
		struct capfile_stats stats;
		struct capfile_packet p;
		size_t whole = 0;

		CHECK((cf != NULL) == (len >= 24));
		while (whole < 3 && len >= ends[whole + 1])
			whole++;
		for (uint32_t j = 0; cf && j < whole; j++)
			CHECK(capfile_next(cf, &p) == CAPFILE_PACKET && check_packet(v, &p, j));
		if (cf) {
			CHECK(capfile_next(cf, &p) == CAPFILE_END);
			capfile_get_stats(cf, &stats);
			CHECK_EQ_U64(stats.damage_count, len != ends[whole]);
			if (len != ends[whole] && CHECK(stats.damage_count == 1)) {
				CHECK(stats.damage[0].kind == CAPFILE_DAMAGE_CUT);
				CHECK_EQ_U64(stats.damage[0].offset, ends[whole]);
				CHECK_EQ_U64(stats.damage[0].frame, whole);
			}
		}
		capfile_destroy(cf);
		free(copy);
	}
	strbuf_deinit(&file);
}

/* A file of packets 0..PACKETS with something in the place of packet 10. */
static void put_file_with(struct strbuf *file, const void *bytes, size_t len, bool keep)
{
	strbuf_init(file);
	put_header(file, &variants[0], 65535, 1);
	for (uint32_t i = 0; i < PACKETS; i++) {
		if (i == 10)
			strbuf_add(file, bytes, len);
		if (i != 10 || keep)
			put_packet(file, &variants[0], i);
	}
}

/* Reads a file with damage: packets without number 10, one resync, this kind of damage. */
static void check_resync(const struct strbuf *file, enum capfile_damage_kind kind, bool has_ten,
			 uint64_t skipped)
{
	struct capfile *cf = open_bytes(file->data, file->len);
	const struct capfile_damage *damage;
	struct capfile_stats stats;
	struct capfile_packet p;
	enum capfile_result result;
	uint64_t resyncs = 0;
	uint32_t i = 0;

	if (!CHECK(cf != NULL))
		return;
	while ((result = capfile_next(cf, &p)) != CAPFILE_END) {
		if (result == CAPFILE_RESYNC) {
			resyncs++;
			continue;
		}
		i += i == 10 && !has_ten;
		if (!check_packet(&variants[0], &p, i++))
			break;
	}
	CHECK_EQ_U64(i, PACKETS);
	CHECK_EQ_U64(resyncs, 1);
	capfile_get_stats(cf, &stats);
	damage = find_damage(&stats, kind);
	if (CHECK(damage != NULL)) {
		CHECK_EQ_U64(damage->count, 1);
		CHECK_EQ_U64(damage->frame, 10);
		CHECK_EQ_U64(damage->skipped_bytes, skipped);
	}
	capfile_destroy(cf);
}

TEST(garbage_between_records_is_skipped)
{
	struct strbuf file;
	uint8_t garbage[777];

	memset(garbage, 0xee, sizeof(garbage));
	put_file_with(&file, garbage, sizeof(garbage), true);
	check_resync(&file, CAPFILE_DAMAGE_LENGTH, true, sizeof(garbage));
	strbuf_deinit(&file);
}

TEST(zeroes_between_records_are_skipped)
{
	struct strbuf file;
	uint8_t *zeroes = mem_alloc(3 << 20, 1);

	put_file_with(&file, zeroes, 3 << 20, true);
	check_resync(&file, CAPFILE_DAMAGE_ZEROES, true, 3 << 20);
	strbuf_deinit(&file);
	free(zeroes);
}

TEST(lengths_that_lie_are_found_out)
{
	static const uint32_t lies[] = {10,     59,     61,         1000,       100000,
					262144, 300000, 0x7fffffff, 0x80000000, 0xffffffff};

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct strbuf record;
		struct strbuf file;

		strbuf_init(&record);
		put_packet(&record, &variants[0], 10);
		memcpy(record.data + 8, &lies[i], 4);
		put_file_with(&file, record.data, record.len, false);
		if (lies[i] > 60) {
			check_resync(&file, CAPFILE_DAMAGE_LENGTH, false, record.len);
		} else {
			/* too short: the packet is taken as it is, its rest is skipped */
			struct capfile *cf = open_bytes(file.data, file.len);
			struct capfile_packet p;
			uint32_t n = 0;

			for (enum capfile_result r = CAPFILE_PACKET; r != CAPFILE_END;
			     r = capfile_next(cf, &p))
				n += r == CAPFILE_PACKET;
			CHECK_EQ_U64(n - 1, PACKETS);
			capfile_destroy(cf);
		}
		strbuf_deinit(&record);
		strbuf_deinit(&file);
	}
}

TEST(a_tail_of_zeroes_is_told)
{
	const struct variant *v = &variants[0];
	struct capfile_stats stats;
	struct capfile_packet p;
	struct strbuf file;
	struct capfile *cf;
	size_t end;

	strbuf_init(&file);
	put_header(&file, v, 65535, 1);
	put_packet(&file, v, 0);
	end = file.len;
	for (int i = 0; i < 4096; i++)
		strbuf_add_char(&file, '\0');
	cf = open_bytes(file.data, file.len);
	CHECK(capfile_next(cf, &p) == CAPFILE_PACKET);
	CHECK(capfile_next(cf, &p) == CAPFILE_END);
	capfile_get_stats(cf, &stats);
	CHECK_EQ_U64(stats.damage_count, 1);
	CHECK(stats.damage[0].kind == CAPFILE_DAMAGE_ZEROES);
	CHECK_EQ_U64(stats.damage[0].offset, end);
	CHECK_EQ_U64(stats.damage[0].skipped_bytes, 4096);
	capfile_destroy(cf);
	strbuf_deinit(&file);
}

TEST(time_may_run_backwards)
{
	const struct variant *v = &variants[0];
	struct capfile_stats stats;
	struct capfile_packet p;
	struct strbuf file;
	struct capfile *cf;

	strbuf_init(&file);
	put_header(&file, v, 65535, 1);
	put_packet(&file, v, 5);
	put_packet(&file, v, 2);
	put_packet(&file, v, 7);
	cf = open_bytes(file.data, file.len);
	while (capfile_next(cf, &p) == CAPFILE_PACKET)
		;
	capfile_get_stats(cf, &stats);
	CHECK_EQ_U64(stats.packets, 3);
	CHECK_EQ_U64(stats.backwards_count, 1);
	CHECK_EQ_I64(stats.backwards_max_ns, 3 * STAMP_NS_PER_S + 3000);
	CHECK_EQ_I64(stats.first.ns, (BASE_S + INT64_C(2)) * STAMP_NS_PER_S + 1002000);
	capfile_destroy(cf);
	strbuf_deinit(&file);
}

TEST(more_captured_than_there_was_is_used_and_told)
{
	const struct variant *v = &variants[0];
	struct capfile_stats stats;
	struct capfile_packet p;
	struct strbuf file;
	struct capfile *cf;

	strbuf_init(&file);
	put_header(&file, v, 65535, 1);
	put_record(&file, v, BASE_S, 0, 8, 4);
	strbuf_add(&file, "12345678", 8);
	put_packet(&file, v, 1);
	cf = open_bytes(file.data, file.len);
	CHECK(capfile_next(cf, &p) == CAPFILE_PACKET);
	CHECK_EQ_U64(p.bytes.len, 8);
	CHECK_EQ_U64(p.wire_bytes, 8);
	CHECK(capfile_next(cf, &p) == CAPFILE_PACKET && check_packet(v, &p, 1));
	capfile_get_stats(cf, &stats);
	CHECK(find_damage(&stats, CAPFILE_DAMAGE_BEYOND_WIRE) != NULL);
	capfile_destroy(cf);
	strbuf_deinit(&file);
}

TEST(what_we_write_we_read)
{
	struct capfile_packet p;
	struct strbuf file;
	struct capfile *cf;

	strbuf_init(&file);
	pcap_write_header(&file, 113, 96);
	pcap_write_packet(&file, stamp_utc(INT64_C(1700000000123456789)), slice_make("abcd", 4), 9);
	cf = open_bytes(file.data, file.len);
	CHECK(capfile_next(cf, &p) == CAPFILE_PACKET);
	CHECK_EQ_I64(p.at.ns, INT64_C(1700000000123456789));
	CHECK_BYTES(p.bytes.ptr, p.bytes.len, "abcd", 4);
	CHECK_EQ_U64(p.wire_bytes, 9);
	CHECK_EQ_U64(p.linktype, 113);
	CHECK(capfile_next(cf, &p) == CAPFILE_END);
	capfile_destroy(cf);
	strbuf_deinit(&file);
}

TEST(what_is_no_capture_is_refused)
{
	CHECK(!open_bytes("", 0));
	CHECK(!open_bytes("Nov 22 01:09:29 host kernel: nfs: server\n", 41));
	CHECK(!open_bytes("\xd4\xc3\xb2\xa1", 4));
	/* version 1.0 */
	CHECK(!open_bytes("\xd4\xc3\xb2\xa1\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 24));
}
