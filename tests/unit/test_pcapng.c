// SPDX-License-Identifier: GPL-2.0-or-later
/* pcapng: sections, interfaces, clocks, every kind of block, and what may be wrong with them. */
#include "base/strbuf.h"
#include "capfile/capfile.h"
#include "capfile/write.h"
#include "check.h"

#include <stdlib.h>

/* Writes blocks in either byte order. */
struct maker {
	struct strbuf out;
	bool big_endian;
	size_t start; /* of the block that is being written */
};

static void put_u32(struct maker *m, uint32_t v)
{
	v = m->big_endian ? __builtin_bswap32(v) : v;
	strbuf_add(&m->out, &v, 4);
}

static void put_u16(struct maker *m, uint16_t v)
{
	v = m->big_endian ? __builtin_bswap16(v) : v;
	strbuf_add(&m->out, &v, 2);
}

static void put_u64(struct maker *m, uint64_t v)
{
	v = m->big_endian ? __builtin_bswap64(v) : v;
	strbuf_add(&m->out, &v, 8);
}

static void put_text(struct maker *m, const char *text)
{
	strbuf_add(&m->out, text, strlen(text));
	strbuf_add(&m->out, "\0\0\0", -strlen(text) & 3);
}

static void start(struct maker *m, uint32_t type)
{
	m->start = m->out.len;
	put_u32(m, type);
	put_u32(m, 0);
}

static void end(struct maker *m)
{
	uint32_t len = (uint32_t)(m->out.len - m->start + 4);

	put_u32(m, len);
	memcpy(m->out.data + m->start + 4, m->out.data + m->out.len - 4, 4);
}

static void put_section(struct maker *m, bool big_endian)
{
	m->big_endian = big_endian;
	start(m, 0x0a0d0d0a);
	put_u32(m, 0x1a2b3c4d);
	put_u16(m, 1);
	put_u16(m, 0);
	put_u64(m, UINT64_MAX);
	put_u16(m, 1);
	put_u16(m, 5);
	put_text(m, "hello");
	put_u16(m, 4);
	put_u16(m, 4);
	put_text(m, "made");
	put_u32(m, 0);
	end(m);
}

static void put_interface(struct maker *m, uint16_t linktype, int tsresol, int64_t tsoffset)
{
	start(m, 1);
	put_u16(m, linktype);
	put_u16(m, 0);
	put_u32(m, 96);
	if (tsresol >= 0) {
		put_u16(m, 9);
		put_u16(m, 1);
		strbuf_add_char(&m->out, (char)tsresol);
		strbuf_add(&m->out, "\0\0\0", 3);
	}
	if (tsoffset != 0) {
		put_u16(m, 14);
		put_u16(m, 8);
		put_u64(m, (uint64_t)tsoffset);
	}
	end(m);
}

static void put_packet(struct maker *m, uint32_t interface, uint64_t units, const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	start(m, 6);
	put_u32(m, interface);
	put_u32(m, (uint32_t)(units >> 32));
	put_u32(m, (uint32_t)units);
	put_u32(m, len);
	put_u32(m, len + 1);
	put_text(m, text);
	put_u16(m, 1);
	put_u16(m, 3);
	put_text(m, "why");
	put_u32(m, 0);
	end(m);
}

static struct capfile *open_bytes(const void *bytes, size_t len)
{
	struct source *source = source_create_memory(slice_make(bytes, len));
	struct capfile *cf = NULL;
	struct err *err = capfile_open(source, &cf);

	if (err)
		source_destroy(source);
	err_destroy(err);
	return cf;
}

static void check_next(struct capfile *cf, uint64_t frame, int64_t ns, const char *text)
{
	struct capfile_packet p;

	if (!CHECK(capfile_next(cf, &p) == CAPFILE_PACKET))
		return;
	CHECK_EQ_U64(p.frame, frame);
	CHECK_EQ_I64(p.at.ns, ns);
	CHECK_BYTES(p.bytes.ptr, p.bytes.len, text, strlen(text));
}

static void check_end(struct capfile *cf, size_t damage_count)
{
	struct capfile_stats stats;
	struct capfile_packet p;

	CHECK(capfile_next(cf, &p) == CAPFILE_END);
	capfile_get_stats(cf, &stats);
	CHECK_EQ_U64(stats.damage_count, damage_count);
}

TEST(clocks_of_every_resolution)
{
	static const struct {
		int tsresol;
		int64_t offset;
		uint64_t units;
		int64_t ns;
	} clocks[] = {
		{-1, 0, UINT64_C(1700000000123456), INT64_C(1700000000123456000)},
		{6, 0, UINT64_C(1700000000123456), INT64_C(1700000000123456000)},
		{9, 0, UINT64_C(1700000000123456789), INT64_C(1700000000123456789)},
		{12, 1700000000, UINT64_C(123456789012), INT64_C(1700000000123456789)},
		{0, 0, 1700000000, INT64_C(1700000000000000000)},
		{3, -1, UINT64_C(1700000000500), INT64_C(1699999999500000000)},
		{0x80 | 1, 0, UINT64_C(3400000001), INT64_C(1700000000500000000)},
		{0x80 | 20, 1700000000, 1 << 18, INT64_C(1700000000250000000)},
	};

	for (size_t i = 0; i < sizeof(clocks) / sizeof(clocks[0]); i++) {
		for (int big = 0; big < 2; big++) {
			struct maker m = {0};
			struct capfile *cf;

			put_section(&m, big);
			put_interface(&m, 1, clocks[i].tsresol, clocks[i].offset);
			put_packet(&m, 0, clocks[i].units, "packet");
			cf = open_bytes(m.out.data, m.out.len);
			check_next(cf, 1, clocks[i].ns, "packet");
			check_end(cf, 0);
			capfile_destroy(cf);
			strbuf_deinit(&m.out);
		}
	}
}

TEST(times_out_of_range_are_damage)
{
	struct maker m = {0};
	struct capfile_packet p;
	struct capfile *cf;

	put_section(&m, false);
	put_interface(&m, 1, 0, 0);
	put_packet(&m, 0, UINT64_MAX, "x");
	cf = open_bytes(m.out.data, m.out.len);
	CHECK(capfile_next(cf, &p) == CAPFILE_PACKET);
	CHECK(!stamp_known(p.at));
	check_end(cf, 1);
	capfile_destroy(cf);
	strbuf_deinit(&m.out);
}

static void note_journal(void *arg, uint64_t frame, struct slice text)
{
	CHECK_EQ_U64(frame, 3);
	CHECK_BYTES(text.ptr, text.len, "MESSAGE=nfs", 11);
	++*(uint64_t *)arg;
}

/* Two sections of different byte order, with all kinds of blocks. */
static void put_all(struct maker *m)
{
	put_section(m, false);
	put_interface(m, 1, 9, 0);
	put_interface(m, 113, -1, 0);
	put_packet(m, 1, 5, "one");
	start(m, 4); /* names: an end of records */
	put_u32(m, 0);
	end(m);
	start(m, 2); /* the obsolete packet block */
	put_u16(m, 0);
	put_u16(m, 0xffff);
	put_u32(m, 0);
	put_u32(m, 7);
	put_u32(m, 3);
	put_u32(m, 3);
	put_text(m, "two");
	end(m);
	start(m, 9);
	put_text(m, "MESSAGE=nfs");
	end(m);
	start(m, 0x00000bad); /* custom: Wireshark numbers it */
	put_u32(m, 32473);
	end(m);
	start(m, 0x0badf00d); /* a kind that nobody knows */
	put_text(m, "????????");
	end(m);
	for (uint64_t i = 1; i <= 2; i++) {
		start(m, 5); /* counters so far */
		put_u32(m, 0);
		put_u64(m, 0);
		put_u16(m, 5);
		put_u16(m, 8);
		put_u64(m, 100 * i);
		put_u16(m, 7);
		put_u16(m, 8);
		put_u64(m, 7 * i);
		put_u32(m, 0);
		end(m);
	}
	put_section(m, true);
	put_interface(m, 101, 9, 0);
	start(m, 3); /* a simple packet, cut by the interface's 96 bytes */
	put_u32(m, 100);
	for (int i = 0; i < 96; i++)
		strbuf_add_char(&m->out, 'z');
	end(m);
}

TEST(all_kinds_of_blocks)
{
	struct maker m = {0};
	struct capfile_stats stats;
	struct capfile_packet p;
	struct capfile *cf;
	uint64_t journals = 0;

	put_all(&m);
	cf = open_bytes(m.out.data, m.out.len);
	if (!CHECK(cf != NULL))
		return;
	capfile_set_journal(cf, note_journal, &journals);
	check_next(cf, 1, 5000, "one");
	check_next(cf, 2, 7, "two");
	CHECK(capfile_next(cf, &p) == CAPFILE_PACKET);
	CHECK_EQ_U64(journals, 1);
	CHECK_EQ_U64(p.frame, 5);
	CHECK(!stamp_known(p.at));
	CHECK_EQ_U64(p.cap_bytes, 96);
	CHECK_EQ_U64(p.wire_bytes, 100);
	CHECK_EQ_U64(p.linktype, 101);
	CHECK_EQ_U64(p.interface, 2);
	check_end(cf, 0);
	capfile_get_stats(cf, &stats);
	CHECK_EQ_U64(stats.packets, 3);
	CHECK_EQ_U64(stats.untimed_count, 1);
	CHECK_EQ_U64(stats.sections, 2);
	CHECK_EQ_U64(stats.interfaces, 3);
	CHECK_EQ_U64(stats.snaplen, 96);
	CHECK(stats.drops.known);
	CHECK_EQ_U64(stats.drops.interface_drops, 200);
	CHECK_EQ_U64(stats.drops.system_drops, 14);
	CHECK_TEXT(stats.application, "made");
	CHECK_EQ_U64(stats.comment_count, 3);
	CHECK_TEXT(stats.comments[0].text, "hello");
	CHECK_TEXT(stats.comments[1].text, "why");
	CHECK_EQ_U64(stats.comments[1].frame, 1);
	capfile_destroy(cf);
	strbuf_deinit(&m.out);
}

TEST(cut_at_every_byte)
{
	struct maker m = {0};
	uint64_t before = 0;

	put_all(&m);
	for (size_t len = 0; len <= m.out.len; len++) {
		uint8_t *copy = check_copy(m.out.data, len);
		struct capfile *cf = open_bytes(copy, len);
		struct capfile_stats stats = {0};
		struct capfile_packet p;

		CHECK((cf != NULL) == (len >= 12));
		while (cf && capfile_next(cf, &p) != CAPFILE_END)
			;
		if (cf)
			capfile_get_stats(cf, &stats);
		CHECK(stats.packets >= before && stats.damage_count <= 1);
		before = stats.packets;
		capfile_destroy(cf);
		free(copy);
	}
	CHECK_EQ_U64(before, 3);
	strbuf_deinit(&m.out);
}

TEST(lying_blocks_cost_only_themselves)
{
	static const uint32_t lies[] = {0, 8, 13, 31, 1 << 20, 0x7ffffffc, 0xffffffff};
	struct capfile_packet p;

	for (size_t i = 0; i < sizeof(lies) / sizeof(lies[0]); i++) {
		struct maker m = {0};
		struct capfile *cf;

		put_section(&m, false);
		put_interface(&m, 1, 9, 0);
		put_packet(&m, 0, 1, "first");
		put_packet(&m, 0, 2, "lies");
		memcpy(m.out.data + m.start + 4, &lies[i], 4);
		put_packet(&m, 0, 3, "third");
		put_packet(&m, 0, 4, "fourth");
		cf = open_bytes(m.out.data, m.out.len);
		check_next(cf, 1, 1, "first");
		CHECK(capfile_next(cf, &p) == CAPFILE_RESYNC);
		check_next(cf, 2, 3, "third");
		check_next(cf, 3, 4, "fourth");
		check_end(cf, 1);
		capfile_destroy(cf);
		strbuf_deinit(&m.out);
	}
}

TEST(contradictions_inside_of_blocks_are_told)
{
	struct capfile_stats stats;
	struct maker m = {0};
	struct capfile *cf;
	uint32_t big = 1000;

	put_section(&m, false);
	put_interface(&m, 1, 9, 0);
	put_packet(&m, 7, 1, "of nobody");
	put_packet(&m, 0, 2, "abcd");
	memcpy(m.out.data + m.start + 20, &big, 4); /* captured length beyond the block */
	put_packet(&m, 0, 3, "efgh");
	memcpy(m.out.data + m.start + 34, "\xff\xff", 2); /* option length beyond the block */
	put_packet(&m, 0, 4, "ijkl");
	cf = open_bytes(m.out.data, m.out.len);
	{
		struct capfile_packet p;

		CHECK(capfile_next(cf, &p) == CAPFILE_PACKET);
		CHECK_EQ_U64(p.bytes.len, 16);
		CHECK_BYTES(p.bytes.ptr, 4, "abcd", 4);
	}
	check_next(cf, 2, 3, "efgh");
	check_next(cf, 3, 4, "ijkl");
	check_end(cf, 4);
	capfile_get_stats(cf, &stats);
	CHECK(stats.damage[0].kind == CAPFILE_DAMAGE_INTERFACE);
	CHECK(stats.damage[1].kind == CAPFILE_DAMAGE_LENGTH);
	capfile_destroy(cf);
	strbuf_deinit(&m.out);
}

TEST(what_we_write_we_read)
{
	struct capfile_stats stats;
	struct strbuf file;
	struct capfile *cf;

	strbuf_init(&file);
	pcapng_write_section(&file, "nfsleuth", NULL);
	pcapng_write_interface(&file, 1, 0, "eth0");
	pcapng_write_packet(&file, 0, stamp_utc(INT64_C(1700000000123456789)),
			    slice_make("abcde", 5), 5, "a comment");
	pcapng_write_journal(&file, slice_of_string("MESSAGE=x"));
	pcapng_write_packet(&file, 0, stamp_utc(INT64_C(1700000000123456790)), slice_make("f", 1),
			    1, NULL);
	cf = open_bytes(file.data, file.len);
	check_next(cf, 1, INT64_C(1700000000123456789), "abcde");
	check_next(cf, 3, INT64_C(1700000000123456790), "f");
	check_end(cf, 0);
	capfile_get_stats(cf, &stats);
	CHECK_TEXT(stats.application, "nfsleuth");
	CHECK(stats.comment_count == 1 && stats.comments[0].frame == 1);
	CHECK_TEXT(stats.comments[0].text, "a comment");
	capfile_destroy(cf);
	strbuf_deinit(&file);
}
