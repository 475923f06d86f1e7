// SPDX-License-Identifier: GPL-2.0-or-later
/* Two captures of one wire: segments are placed, and captures that lose packets are no wire that
 * does. */
#include "capfile/write.h"
#include "check.h"
#include "evidence/capture.h"
#include "frame_make.h"
#include "ingest/ingest.h"
#include "ingest/merge.h"
#include "ingest/survey/survey.h"
#include "model/wire/wire.h"
#include "proto/packet.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { CALL_BYTES = 44, CALLS_MAX = 64, CLIENT = 0, SERVER = 1 };
#define MS_NS INT64_C(1000000)

/* Who shows a segment. */
enum { AT_CLIENT = 1, AT_SERVER = 2, AT_BOTH = 3 };

/* A connection, and the two captures of it that are being made. */
struct scene {
	struct strbuf file[2];
	char path[2][40];
	int64_t now_ns;
	int64_t offset_ns; /* clock of the server's minus that of the client's, at first */
	int64_t drift_ppm;
	uint32_t seq[2]; /* next of the client, of the server */
	uint16_t ip_id;
	bool translated;  /* the server's capture shows the client as host 77, port 9000 */
	bool no_stamps;   /* of TCP */
	bool no_ids;      /* of IP */
	int64_t hurry_ns; /* by how much less than 1 ms a segment is on its way */
	uint32_t stream;  /* bytes of the client's stream so far, for its contents */
	struct wire_model wire;
	struct wire_tale tale[2]; /* by enum conn_side */
};

static void scene_init(struct scene *s)
{
	*s = (struct scene){.now_ns = INT64_C(1700000000000000000), .offset_ns = 7000 * MS_NS};
	s->seq[CLIENT] = 4294967000U; /* around the corner soon */
	s->seq[SERVER] = 77000;
	for (int i = 0; i < 2; i++)
		pcap_write_header(&s->file[i], 1, 65535);
}

/* The contents of a stream of calls without end: each byte by its place. */
static uint8_t stream_byte(uint32_t at)
{
	uint32_t xid = at / CALL_BYTES + 1;
	uint8_t call[CALL_BYTES] = {[0] = 0x80,  [3] = CALL_BYTES - 4, [15] = 2, [17] = 1,
				    [18] = 0x86, [19] = 0xa3,          [23] = 3};

	call[7] = (uint8_t)xid;
	call[6] = (uint8_t)(xid >> 8);
	return call[at % CALL_BYTES];
}

static void put(struct scene *s, int file, int64_t at_ns, const struct frame_spec *spec)
{
	struct strbuf frame;
	int64_t since_ns = at_ns - INT64_C(1700000000000000000);

	if (file == SERVER)
		at_ns += s->offset_ns + since_ns / 1000000 * s->drift_ppm;
	strbuf_init(&frame);
	frame_make(&frame, spec);
	pcap_write_packet(&s->file[file], stamp_utc(at_ns), slice_make(frame.data, frame.len),
			  (uint32_t)frame.len);
	strbuf_deinit(&frame);
}

/*
 * A segment of this side with the numbers from `seq` on, as the captures in `mask` show it; it is
 * 1 ms on its way, and the next comes 10 ms later.
 */
static void segment(struct scene *s, int from, unsigned mask, uint32_t seq, size_t len,
		    uint8_t flags)
{
	char bytes[CALL_BYTES * CALLS_MAX];
	struct frame_spec spec = {
		.proto = 6,
		.seq = seq,
		.ack = s->seq[!from],
		.flags = flags,
		.timestamps = !s->no_stamps,
		.tsval = (uint32_t)(s->now_ns / MS_NS) + (uint32_t)from * 1000000,
		.ip_id = s->no_ids ? 0 : ++s->ip_id,
		.payload = len ? bytes : NULL,
		.payload_len = len,
	};
	uint32_t stream = s->stream - (s->seq[CLIENT] - seq);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)stream_byte(stream + (uint32_t)i);
	for (int file = 0; file < 2; file++) {
		bool other = s->translated && file == SERVER;

		if (!(mask & 1U << file))
			continue;
		spec.src_host = from == CLIENT ? (other ? 77 : 1) : 2;
		spec.dst_host = from == CLIENT ? 2 : (other ? 77 : 1);
		spec.src_port = from == CLIENT ? (other ? 9000 : 901) : 2049;
		spec.dst_port = from == CLIENT ? 2049 : (other ? 9000 : 901);
		put(s, file, s->now_ns + (file == from ? 0 : MS_NS - s->hurry_ns), &spec);
	}
	s->now_ns += 10 * MS_NS;
}

static void handshake(struct scene *s)
{
	segment(s, CLIENT, AT_BOTH, s->seq[CLIENT]++, 0, TCP_SYN);
	segment(s, SERVER, AT_BOTH, s->seq[SERVER]++, 0, TCP_SYN | TCP_ACK);
	segment(s, CLIENT, AT_BOTH, s->seq[CLIENT], 0, TCP_ACK);
}

/* A call in one segment, acknowledged. */
static void call(struct scene *s, unsigned mask)
{
	s->seq[CLIENT] += CALL_BYTES;
	s->stream += CALL_BYTES;
	segment(s, CLIENT, mask, s->seq[CLIENT] - CALL_BYTES, CALL_BYTES, TCP_ACK | TCP_PSH);
	segment(s, SERVER, AT_BOTH, s->seq[SERVER], 0, TCP_ACK);
}

static void calls(struct scene *s, unsigned count)
{
	while (count--)
		call(s, AT_BOTH);
}

/* Time passes; the captures go on. */
static void later(struct scene *s, int64_t ms)
{
	s->now_ns += ms * MS_NS;
}

/* Reads both captures as a run does; true when the client's connection is placed. */
static bool scene_read(struct scene *s)
{
	struct survey *survey = survey_create();
	struct ingest_options options = {.survey = survey};
	struct evidence_list evidence;
	struct event_board board = {0};
	struct capture *capture[2] = {NULL, NULL};
	struct ingest *in;
	struct merge merge;
	struct merge_item item;
	bool placed;

	evidence_list_init(&evidence);
	wire_model_init(&s->wire);
	wire_model_attach(&s->wire, &board);
	merge_init(&merge);
	for (uint32_t i = 0; i < 2; i++) {
		FILE *file;

		snprintf(s->path[i], sizeof(s->path[i]), "/tmp/nfsleuth-ends-XXXXXX");
		file = fdopen(mkstemp(s->path[i]), "w");
		fwrite(s->file[i].data, 1, s->file[i].len, file);
		fclose(file);
		evidence_list_add(&evidence, s->path[i], EVIDENCE_PCAP);
		err_destroy(survey_add(survey, i, s->path[i], SURVEY_SKIM_BYTES));
		err_destroy(capture_open(s->path[i], &capture[i]));
	}
	survey_settle(survey);
	for (uint32_t i = 0; i < 2; i++)
		merge_add(&merge, i, capture[i], survey_shift_ns(survey, i));
	in = ingest_create(&options, &board, &evidence);
	while (merge_next(&merge, &item))
		ingest_frame(in, item.evidence, item.packet->frame, item.packet->at,
			     item.packet->linktype, item.packet->bytes, item.packet->wire_bytes);
	ingest_finish(in);
	wire_model_finish(&s->wire);
	placed = s->wire.records.len == 1;
	for (enum conn_side from = CONN_FROM_CLIENT; placed && from <= CONN_FROM_SERVER; from++)
		placed = wire_record_tale(*(struct wire_record **)vec_at(&s->wire.records, 0), from,
					  &s->tale[from]);
	merge_deinit(&merge);
	ingest_destroy(in);
	survey_destroy(survey);
	evidence_list_deinit(&evidence);
	for (int i = 0; i < 2; i++) {
		capture_destroy(capture[i]);
		remove(s->path[i]);
		strbuf_deinit(&s->file[i]);
	}
	return placed;
}

TEST(ends_all_arrive_and_the_clock_is_told)
{
	struct wire_clock clock;
	struct scene s;

	scene_init(&s);
	s.drift_ppm = 50;
	handshake(&s);
	for (unsigned i = 0; i < 30; i++) {
		calls(&s, 5);
		later(&s, 1000);
	}
	calls(&s, 60);
	CHECK(scene_read(&s));
	CHECK_EQ_U64(s.tale[CLIENT].near_sender, 0);
	CHECK_EQ_U64(s.tale[CLIENT].near_receiver, 1);
	CHECK_EQ_U64(s.tale[CLIENT].lost, 0);
	CHECK_EQ_U64(s.tale[SERVER].lost, 0);
	CHECK_EQ_U64(s.tale[CLIENT].arrived, 1 + 30 * 5 + 60);
	CHECK(wire_path_clock(s.tale[CLIENT].record->path, &clock));
	CHECK(llabs(clock.offset_ns - s.offset_ns) < 4 * MS_NS);
	CHECK(clock.bound_ns < 2 * MS_NS);
	CHECK(clock.has_drift);
	CHECK(llabs(clock.drift_ppb - 50000) <= clock.drift_bound_ppb);
	wire_model_deinit(&s.wire);
}

TEST(ends_lost_from_the_client_sent_again_and_placed)
{
	struct wire_span span;
	struct scene s;

	scene_init(&s);
	handshake(&s);
	calls(&s, 10);
	s.seq[CLIENT] += CALL_BYTES;
	s.stream += CALL_BYTES;
	segment(&s, CLIENT, AT_CLIENT, s.seq[CLIENT] - CALL_BYTES, CALL_BYTES, TCP_ACK);
	later(&s, 200);
	segment(&s, CLIENT, AT_BOTH, s.seq[CLIENT] - CALL_BYTES, CALL_BYTES, TCP_ACK);
	segment(&s, SERVER, AT_BOTH, s.seq[SERVER], 0, TCP_ACK);
	later(&s, 3000);
	calls(&s, 200);
	CHECK(scene_read(&s));
	CHECK_EQ_U64(s.tale[CLIENT].lost, 1);
	CHECK_EQ_U64(s.tale[CLIENT].not_shown, 0);
	CHECK_EQ_U64(s.tale[SERVER].lost, 0);
	span = wire_tale_span(&s.tale[CLIENT], stamp_utc(0), stamp_utc(INT64_MAX));
	CHECK_EQ_U64(span.lost, 1);
	CHECK(span.arrived_last && span.arrived_last->again);
	wire_model_deinit(&s.wire);
}

TEST(ends_twin_missed_by_the_capture_is_not_lost)
{
	struct scene s;

	scene_init(&s);
	handshake(&s);
	calls(&s, 10);
	call(&s, AT_CLIENT);
	calls(&s, 300);
	CHECK(scene_read(&s));
	CHECK_EQ_U64(s.tale[CLIENT].lost, 0);
	CHECK_EQ_U64(s.tale[CLIENT].not_shown, 1);
	wire_model_deinit(&s.wire);
}

/* The second comes so close behind the first that it may be the same frame, captured twice. */
TEST(ends_sent_again_at_once_is_not_lost)
{
	struct scene s;

	scene_init(&s);
	s.no_stamps = s.no_ids = true;
	segment(&s, CLIENT, AT_BOTH, s.seq[CLIENT]++, 0, TCP_SYN);
	segment(&s, SERVER, AT_BOTH, s.seq[SERVER], 0, TCP_SYN | TCP_ACK);
	s.now_ns -= 9 * MS_NS + MS_NS / 2;
	s.hurry_ns = MS_NS / 2 - MS_NS / 20;
	segment(&s, SERVER, AT_BOTH, s.seq[SERVER]++, 0, TCP_SYN | TCP_ACK);
	s.hurry_ns = 0;
	segment(&s, CLIENT, AT_BOTH, s.seq[CLIENT], 0, TCP_ACK);
	calls(&s, 10);
	later(&s, 3000);
	calls(&s, 200);
	CHECK(scene_read(&s));
	CHECK_EQ_U64(s.tale[SERVER].lost, 0);
	CHECK_EQ_U64(s.tale[SERVER].not_shown, 0);
	wire_model_deinit(&s.wire);
}

TEST(ends_missed_near_the_sender_is_not_lost)
{
	struct scene s;

	scene_init(&s);
	handshake(&s);
	calls(&s, 10);
	call(&s, AT_SERVER);
	calls(&s, 300);
	CHECK(scene_read(&s));
	CHECK_EQ_U64(s.tale[CLIENT].lost, 0);
	CHECK_EQ_U64(s.tale[CLIENT].not_caught, 1);
	wire_model_deinit(&s.wire);
}

/* A call that is so many seconds on its way while answers are not; with its like. */
static void call_late(struct scene *s, int64_t seconds)
{
	s->hurry_ns = -seconds * 1000 * MS_NS;
	s->seq[CLIENT] += CALL_BYTES;
	s->stream += CALL_BYTES;
	segment(s, CLIENT, AT_BOTH, s->seq[CLIENT] - CALL_BYTES, CALL_BYTES, TCP_ACK | TCP_PSH);
	s->hurry_ns = 0;
	later(s, seconds * 1000);
	segment(s, SERVER, AT_BOTH, s->seq[SERVER], 0, TCP_ACK);
}

TEST(ends_late_between_the_two_is_told)
{
	struct wire_transit transit = {0};
	const struct wire_way *way;
	struct scene s;

	scene_init(&s);
	handshake(&s);
	calls(&s, 20);
	call_late(&s, 7);
	calls(&s, 20);
	CHECK(scene_read(&s));
	way = s.tale[CLIENT].way;
	CHECK_EQ_U64(way->late.len, 1);
	CHECK(wire_tale_is_late(&s.tale[CLIENT]));
	CHECK(!wire_tale_is_late(&s.tale[SERVER]));
	CHECK(way->late.len == 1 &&
	      wire_tale_transit(&s.tale[CLIENT], vec_at(&way->late, 0), &transit));
	CHECK(transit.has_one_way);
	CHECK(llabs(transit.ns - 7001 * MS_NS) <= transit.bound_ns);
	CHECK(transit.bound_ns < 5 * MS_NS);
	wire_model_deinit(&s.wire);
}

/*
 * The server's host is paused for 9 s, and its clock with it: what it had sent just before leaves
 * it afterwards, and a call that waits for it seems to come at once, and is not late either.
 */
TEST(ends_twin_host_that_is_paused_with_its_clock_is_no_delay)
{
	struct scene s;
	int64_t paused_ns;
	uint32_t seq;
	uint16_t ip_id;

	scene_init(&s);
	handshake(&s);
	calls(&s, 3);
	paused_ns = s.now_ns;
	seq = s.seq[CLIENT];
	segment(&s, SERVER, AT_SERVER, s.seq[SERVER], 0, TCP_ACK);
	s.seq[CLIENT] += CALL_BYTES;
	s.stream += CALL_BYTES;
	segment(&s, CLIENT, AT_BOTH, seq, CALL_BYTES, TCP_ACK | TCP_PSH);
	/* the first of the two now comes to the client */
	ip_id = s.ip_id;
	s.ip_id -= 2;
	s.seq[CLIENT] = seq;
	s.now_ns = paused_ns;
	s.hurry_ns = -9000 * MS_NS;
	segment(&s, SERVER, AT_CLIENT, s.seq[SERVER], 0, TCP_ACK);
	s.hurry_ns = 0;
	s.ip_id = ip_id;
	s.seq[CLIENT] = seq + CALL_BYTES;
	later(&s, 9100);
	s.offset_ns -= 9000 * MS_NS;
	calls(&s, 300);
	CHECK(scene_read(&s));
	CHECK(!wire_tale_is_late(&s.tale[CLIENT]));
	CHECK(!wire_tale_is_late(&s.tale[SERVER]));
	wire_model_deinit(&s.wire);
}

/* The server's clock is set ahead: all that follows seems late, and nothing is. */
TEST(ends_twin_clock_that_is_set_is_no_delay)
{
	struct scene s;

	scene_init(&s);
	handshake(&s);
	calls(&s, 20);
	s.offset_ns += 9000 * MS_NS;
	calls(&s, 20);
	CHECK(scene_read(&s));
	CHECK(!wire_tale_is_late(&s.tale[CLIENT]));
	CHECK(!wire_tale_is_late(&s.tale[SERVER]));
	wire_model_deinit(&s.wire);
}

TEST(ends_other_capture_that_is_over_proves_nothing)
{
	struct scene s;

	scene_init(&s);
	handshake(&s);
	calls(&s, 30);
	/* the server's capture is stopped here; the client goes on in vain */
	for (unsigned i = 0; i < 8; i++) {
		segment(&s, CLIENT, AT_CLIENT, s.seq[CLIENT], CALL_BYTES, TCP_ACK);
		later(&s, 1000);
	}
	CHECK(scene_read(&s));
	CHECK_EQ_U64(s.tale[CLIENT].lost, 0);
	wire_model_deinit(&s.wire);
}

/* `count` calls in one segment at the client; the server's capture shows them cut, without the
 * piece `lost` (UINT32_MAX: with all). */
static void put_cut(struct scene *s, uint32_t count, uint32_t lost)
{
	uint32_t first = s->seq[CLIENT];
	int64_t begin_ns = s->now_ns;

	s->seq[CLIENT] += count * CALL_BYTES;
	s->stream += count * CALL_BYTES;
	segment(s, CLIENT, AT_CLIENT, first, count * CALL_BYTES, TCP_ACK);
	s->ip_id--;
	for (uint32_t i = 0; i < count; i++) {
		s->now_ns = begin_ns + i * 1000; /* the same timestamp */
		if (i != lost)
			segment(s, CLIENT, AT_SERVER, first + i * CALL_BYTES, CALL_BYTES, TCP_ACK);
	}
	s->now_ns = begin_ns + 10 * MS_NS;
}

TEST(ends_segments_cut_on_the_way_are_the_same)
{
	for (int bare = 0; bare < 2; bare++) {
		struct scene s;

		scene_init(&s);
		s.no_stamps = bare != 0;
		handshake(&s);
		calls(&s, 10);
		put_cut(&s, 20, UINT32_MAX);
		segment(&s, SERVER, AT_BOTH, s.seq[SERVER], 0, TCP_ACK);
		calls(&s, 300);
		CHECK(scene_read(&s));
		CHECK_EQ_U64(s.tale[CLIENT].lost, 0);
		CHECK_EQ_U64(s.tale[CLIENT].not_shown, 0);
		CHECK_EQ_U64(s.tale[CLIENT].arrived, 1 + 10 + 20 + 300);
		wire_model_deinit(&s.wire);
	}
}

TEST(ends_twin_a_piece_of_what_was_cut_is_lost)
{
	struct scene s;
	uint32_t hole;

	scene_init(&s);
	handshake(&s);
	calls(&s, 10);
	hole = s.seq[CLIENT] + 3 * CALL_BYTES;
	put_cut(&s, 20, 3);
	later(&s, 200);
	segment(&s, CLIENT, AT_BOTH, hole, CALL_BYTES, TCP_ACK);
	segment(&s, SERVER, AT_BOTH, s.seq[SERVER], 0, TCP_ACK);
	calls(&s, 300);
	CHECK(scene_read(&s));
	CHECK_EQ_U64(s.tale[CLIENT].lost, 1);
	CHECK_EQ_U64(s.tale[CLIENT].not_shown, 0);
	wire_model_deinit(&s.wire);
}

TEST(ends_translated_addresses_are_one_connection)
{
	const struct wire_record *r;
	struct scene s;

	scene_init(&s);
	s.translated = true;
	handshake(&s);
	calls(&s, 20);
	s.seq[CLIENT] += CALL_BYTES;
	s.stream += CALL_BYTES;
	segment(&s, CLIENT, AT_CLIENT, s.seq[CLIENT] - CALL_BYTES, CALL_BYTES, TCP_ACK);
	later(&s, 200);
	segment(&s, CLIENT, AT_BOTH, s.seq[CLIENT] - CALL_BYTES, CALL_BYTES, TCP_ACK);
	calls(&s, 300);
	CHECK(scene_read(&s));
	CHECK_EQ_U64(s.tale[CLIENT].lost, 1);
	r = s.tale[CLIENT].record;
	CHECK(r->ends[0].port == 9000 || r->ends[1].port == 9000 || r->ends[0].port == 901 ||
	      r->ends[1].port == 901);
	CHECK(!endpoint_equal(&r->ends[0], &r->conn.client) &&
	      !endpoint_equal(&r->ends[1], &r->conn.client));
	wire_model_deinit(&s.wire);
}

/* --- datagrams --- */

enum { REPLY_BYTES = 28, TIMER_MS = 1100 };

/* A call of the client or a reply of the server, over UDP, without an identification. */
static void datagram(struct scene *s, int from, unsigned mask, uint32_t xid)
{
	char bytes[CALL_BYTES] = {[7] = 1, [3] = (char)xid};
	struct frame_spec spec = {
		.proto = 17,
		.src_host = from == CLIENT ? 1 : 2,
		.dst_host = from == CLIENT ? 2 : 1,
		.src_port = from == CLIENT ? 901 : 2049,
		.dst_port = from == CLIENT ? 2049 : 901,
		.payload = bytes,
		.payload_len = from == CLIENT ? CALL_BYTES - 4 : REPLY_BYTES,
	};

	for (uint32_t i = 0; from == CLIENT && i < CALL_BYTES - 4; i++)
		bytes[i] = (char)stream_byte((xid - 1) * CALL_BYTES + 4 + i);
	for (int file = 0; file < 2; file++)
		if (mask & 1U << file)
			put(s, file, s->now_ns + (file == from ? 0 : MS_NS), &spec);
	s->now_ns += 10 * MS_NS;
}

static void exchange(struct scene *s, uint32_t xid, unsigned call_mask, unsigned reply_mask)
{
	datagram(s, CLIENT, call_mask, xid);
	if (reply_mask)
		datagram(s, SERVER, reply_mask, xid);
}

/* Twenty exchanges, the one, the same once more where `again`, and twenty more. */
static bool datagrams_read(struct scene *s, unsigned call_mask, unsigned reply_mask, bool again)
{
	scene_init(s);
	for (uint32_t xid = 1; xid <= 20; xid++)
		exchange(s, xid, AT_BOTH, AT_BOTH);
	exchange(s, 21, call_mask, reply_mask);
	later(s, TIMER_MS);
	if (again)
		exchange(s, 21, AT_BOTH, AT_BOTH);
	for (uint32_t xid = 22; xid <= 42; xid++)
		exchange(s, xid, AT_BOTH, AT_BOTH);
	return scene_read(s);
}

static void check_datagrams(unsigned call_mask, unsigned reply_mask, bool again,
			    uint64_t lost_there, uint64_t lost_back, uint64_t not_shown)
{
	struct scene s;

	if (CHECK(datagrams_read(&s, call_mask, reply_mask, again))) {
		CHECK_EQ_U64(s.tale[CONN_FROM_CLIENT].near_sender, CLIENT);
		CHECK_EQ_U64(s.tale[CONN_FROM_CLIENT].lost, lost_there);
		CHECK_EQ_U64(s.tale[CONN_FROM_SERVER].lost, lost_back);
		CHECK_EQ_U64(s.tale[CONN_FROM_CLIENT].not_shown, not_shown);
		CHECK_EQ_U64(s.tale[CONN_FROM_SERVER].not_shown, 0);
	}
	wire_model_deinit(&s.wire);
}

TEST(datagrams_that_are_lost)
{
	check_datagrams(AT_CLIENT, 0, true, 1, 0, 0);
	check_datagrams(AT_BOTH, AT_SERVER, true, 0, 1, 0);
}

TEST(twins_of_lost_datagrams)
{
	check_datagrams(AT_BOTH, AT_BOTH, false, 0, 0, 0);
	check_datagrams(AT_BOTH, AT_BOTH, true, 0, 0, 0);
	check_datagrams(AT_CLIENT, AT_BOTH, false, 0, 0, 1); /* answered: it came */
	check_datagrams(AT_BOTH, AT_SERVER, false, 0, 0, 0); /* nobody asks again: it came */
}
