// SPDX-License-Identifier: GPL-2.0-or-later
/* Captures given together: merged by time, and never summed. */
#include "capfile/write.h"
#include "check.h"
#include "evidence/capture.h"
#include "frame_make.h"
#include "ingest/merge.h"
#include "ingest/survey/survey.h"
#include "proto/packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FILES_MAX = 4, SECOND = 1000000000 };

/* Captures that are being made, as files. */
struct files {
	struct strbuf bytes[FILES_MAX];
	char path[FILES_MAX][40];
	uint64_t frames[FILES_MAX];
	int64_t now_ns;
};

static void files_init(struct files *f)
{
	*f = (struct files){.now_ns = INT64_C(1700000000) * SECOND};
	for (size_t i = 0; i < FILES_MAX; i++)
		pcap_write_header(&f->bytes[i], 1, 65535);
}

/* A segment, half a second after the last, that is seen by the files in `mask`. */
static void put(struct files *f, unsigned int mask, const struct frame_spec *spec, size_t snap)
{
	struct strbuf frame;

	f->now_ns += SECOND / 2;
	strbuf_init(&frame);
	frame_make(&frame, spec);
	for (unsigned int i = 0; i < FILES_MAX; i++) {
		if (!(mask & 1U << i))
			continue;
		/* each file's clock is some seconds off */
		pcap_write_packet(&f->bytes[i], stamp_utc(f->now_ns + INT64_C(3) * i * SECOND),
				  slice_make(frame.data, frame.len < snap ? frame.len : snap),
				  (uint32_t)frame.len);
		f->frames[i]++;
	}
	strbuf_deinit(&frame);
}

/* A connection: SYN, then `count` calls of four bytes; `isn` makes it this one. */
static void put_conn(struct files *f, unsigned int mask, uint16_t port, uint32_t isn, size_t count)
{
	struct frame_spec spec = {
		.proto = 6,
		.src_host = 1,
		.dst_host = 2,
		.src_port = port,
		.dst_port = 2049,
		.seq = isn,
		.flags = TCP_SYN,
		.timestamps = true,
		.tsval = isn,
	};

	put(f, mask, &spec, 1000);
	spec.flags = TCP_ACK;
	spec.seq++;
	spec.payload = "call";
	spec.payload_len = 4;
	for (size_t i = 0; i < count; i++) {
		spec.tsval += 500;
		put(f, mask, &spec, 1000);
		spec.seq += 4;
	}
}

static struct survey *survey_files(struct files *f, size_t count)
{
	struct survey *s = survey_create();

	for (size_t i = 0; i < count; i++) {
		FILE *file;
		struct err *err;

		snprintf(f->path[i], sizeof(f->path[i]), "/tmp/nfsleuth-survey-XXXXXX");
		file = fdopen(mkstemp(f->path[i]), "w");
		if (!CHECK(file != NULL))
			return s;
		fwrite(f->bytes[i].data, 1, f->bytes[i].len, file);
		fclose(file);
		err = survey_add(s, (uint32_t)i, f->path[i], SURVEY_SKIM_BYTES);
		CHECK(!err);
		err_destroy(err);
	}
	survey_settle(s);
	return s;
}

static void files_deinit(struct files *f)
{
	for (size_t i = 0; i < FILES_MAX; i++) {
		strbuf_deinit(&f->bytes[i]);
		if (f->path[i][0] != '\0')
			remove(f->path[i]);
	}
}

static bool speaks(const struct survey *s, uint32_t evidence, uint16_t port, uint64_t frame)
{
	struct endpoint client = {.addr = {[10] = 0xff, 0xff, 192, 0, 2, 1}, .port = port};
	struct endpoint server = {.addr = {[10] = 0xff, 0xff, 192, 0, 2, 2}, .port = 2049};
	struct provenance at = {.evidence = evidence, .frame = frame, .at = stamp_none()};
	bool there = survey_ask(s, &at, TRANSPORT_TCP, &client, &server).speaks;

	CHECK(survey_ask(s, &at, TRANSPORT_TCP, &server, &client).speaks == there);
	return there;
}

TEST(the_fuller_capture_speaks)
{
	const struct survey_pair *pairs;
	struct survey *s;
	struct files f;
	size_t count;

	files_init(&f);
	put_conn(&f, 3, 700, 1000, 20); /* both */
	put_conn(&f, 2, 800, 2000, 20); /* the second only */
	put(&f, 2,
	    &(struct frame_spec){.proto = 6,
				 .src_host = 2,
				 .dst_host = 1,
				 .src_port = 2049,
				 .dst_port = 700,
				 .flags = TCP_ACK,
				 .payload = "one more",
				 .payload_len = 8},
	    1000);
	s = survey_files(&f, 2);
	CHECK(!speaks(s, 0, 700, 1));
	CHECK(speaks(s, 1, 700, 1));
	CHECK(speaks(s, 1, 800, 22));
	/* standard input has no survey: it speaks for what nobody has */
	CHECK(!speaks(s, 7, 700, 1));
	CHECK(speaks(s, 7, 900, 1));
	pairs = survey_pairs(s, &count);
	if (CHECK(count == 1)) {
		CHECK_EQ_U64(pairs[0].silent, 0);
		CHECK_EQ_U64(pairs[0].speaker, 1);
		CHECK_EQ_U64(pairs[0].conn_count, 1);
		CHECK_EQ_U64(pairs[0].sample_count, 21);
		CHECK_EQ_I64(pairs[0].clock_delta_ns, INT64_C(3) * SECOND);
	}
	survey_destroy(s);
	files_deinit(&f);
}

TEST(copies_leave_it_to_the_first)
{
	struct survey *s;
	struct files f;

	files_init(&f);
	put_conn(&f, 7, 700, 1000, 300);
	s = survey_files(&f, 3);
	CHECK(speaks(s, 0, 700, 1));
	CHECK(!speaks(s, 1, 700, 1));
	CHECK(!speaks(s, 2, 700, 1));
	survey_destroy(s);
	files_deinit(&f);
}

TEST(the_same_ports_are_not_the_same_connection)
{
	struct survey *s;
	struct files f;

	files_init(&f);
	put_conn(&f, 1, 700, 1000, 10);
	put_conn(&f, 2, 700, 5000, 20);
	s = survey_files(&f, 2);
	CHECK(speaks(s, 0, 700, 1));
	CHECK(speaks(s, 1, 700, 1));
	survey_destroy(s);
	files_deinit(&f);
}

TEST(ports_that_are_used_again)
{
	struct survey *s;
	struct files f;

	files_init(&f);
	put_conn(&f, 1, 700, 1000, 10); /* frames 1..11 of file 0 */
	put_conn(&f, 3, 700, 5000, 20); /* frames 12..32 of file 0, 1..21 of file 1 */
	put_conn(&f, 2, 700, 9000, 5);  /* frames 22..27 of file 1 */
	s = survey_files(&f, 2);
	CHECK(speaks(s, 0, 700, 1));
	CHECK(speaks(s, 0, 700, 12));
	CHECK(speaks(s, 0, 700, 32));
	CHECK(!speaks(s, 1, 700, 1));
	CHECK(!speaks(s, 1, 700, 21));
	CHECK(speaks(s, 1, 700, 22));
	survey_destroy(s);
	files_deinit(&f);
}

TEST(rotated_files_all_speak)
{
	struct frame_spec again = {
		.proto = 6,
		.src_host = 1,
		.dst_host = 2,
		.src_port = 700,
		.dst_port = 2049,
		.seq = 1037,
		.flags = TCP_ACK,
		.timestamps = true,
		.tsval = 99999,
		.payload = "call",
		.payload_len = 4,
	};
	struct survey *s;
	struct files f;

	files_init(&f);
	put_conn(&f, 1, 700, 1000, 10);
	/* the last call is sent again, in the next file: the same numbers, made later */
	put(&f, 2, &again, 1000);
	s = survey_files(&f, 2);
	CHECK(speaks(s, 0, 700, 1));
	CHECK(speaks(s, 1, 700, 1));
	survey_destroy(s);
	files_deinit(&f);
}

TEST(a_small_snap_length_is_recognised)
{
	struct frame_spec spec = {
		.proto = 6,
		.src_host = 1,
		.dst_host = 2,
		.src_port = 700,
		.dst_port = 2049,
		.flags = TCP_ACK,
		.timestamps = true,
		.payload = "a longer call",
		.payload_len = 13,
	};
	struct survey *s;
	struct files f;

	files_init(&f);
	for (uint32_t i = 0; i < 50; i++) {
		spec.seq = i * 13;
		spec.tsval = i;
		put(&f, 1, &spec, 66);
		f.now_ns -= SECOND / 2;
		put(&f, 2, &spec, 1000);
	}
	s = survey_files(&f, 2);
	CHECK(!speaks(s, 0, 700, 1));
	CHECK(speaks(s, 1, 700, 1));
	survey_destroy(s);
	files_deinit(&f);
}

TEST(captures_are_merged_by_time)
{
	struct capture *captures[3] = {NULL};
	struct merge_item item;
	struct survey *s;
	struct merge m;
	struct files f;
	uint64_t seen[3] = {0};
	int64_t last_ns = INT64_MIN;

	files_init(&f);
	put_conn(&f, 7, 700, 1000, 10);
	f.now_ns -= INT64_C(4) * SECOND; /* time runs backwards in all of them */
	put_conn(&f, 7, 800, 1000, 10);
	s = survey_files(&f, 3);
	merge_init(&m);
	for (uint32_t i = 0; i < 3; i++) {
		struct err *err = capture_open(f.path[i], &captures[i]);

		if (!CHECK(!err))
			return;
		/* with their clocks put right the three are one */
		merge_add(&m, i, captures[i], -INT64_C(3) * i * SECOND);
	}
	for (uint64_t n = 0; merge_next(&m, &item); n++) {
		CHECK(item.key_ns >= last_ns);
		last_ns = item.key_ns;
		CHECK_EQ_U64(item.packet->frame, ++seen[item.evidence]);
		if (n < 30)
			CHECK_EQ_U64(item.evidence, n % 3);
	}
	for (size_t i = 0; i < 3; i++) {
		CHECK_EQ_U64(seen[i], 22);
		capture_destroy(captures[i]);
	}
	merge_deinit(&m);
	survey_destroy(s);
	files_deinit(&f);
}
