// SPDX-License-Identifier: GPL-2.0-or-later
/* Reading ahead: the same items in the same order, with a thread and without. */
#include "base/mem.h"
#include "capfile/write.h"
#include "check.h"
#include "frame_make.h"
#include "ingest/ahead.h"

#include <stdio.h>
#include <stdlib.h>

enum { FRAMES = 6000, JOURNAL_EVERY = 7, LONG_EVERY = 500, LONG_BYTES = 300 << 10 };

/* A capture in memory, read by an ahead. */
struct reading {
	struct strbuf bytes;
	struct capture *capture;
	struct merge merge;
	struct ahead *ahead;
	struct strbuf told; /* what journals that came without a thread say */
};

static void reading_make(struct reading *r)
{
	struct strbuf frame;

	strbuf_init(&r->bytes);
	pcapng_write_section(&r->bytes, NULL, NULL);
	pcapng_write_interface(&r->bytes, 1, 1 << 20, "any");
	for (uint32_t i = 0; i < FRAMES; i++) {
		struct frame_spec spec = {.proto = 6,
					  .src_host = 1,
					  .dst_host = 2,
					  .src_port = (uint16_t)(700 + i % 9),
					  .dst_port = 2049,
					  .seq = i,
					  .flags = TCP_ACK};

		strbuf_init(&frame);
		frame_make(&frame, &spec);
		while (i % LONG_EVERY == LONG_EVERY - 1 && frame.len < LONG_BYTES)
			strbuf_add_char(&frame, 'x');
		pcapng_write_packet(&r->bytes, 0, stamp_utc(INT64_C(1700000000000000000) + i),
				    slice_make(frame.data, frame.len), (uint32_t)frame.len, NULL);
		strbuf_deinit(&frame);
		if (i % JOURNAL_EVERY == 0)
			pcapng_write_journal(&r->bytes, slice_of_string("MESSAGE=hello\n"));
	}
}

static void take_journal(void *context, uint64_t frame, struct slice text)
{
	struct reading *r = context;

	if (!ahead_put_journal(r->ahead, 3, frame, text))
		strbuf_add_format(&r->told, "journal %llu %zu\n", (unsigned long long)frame,
				  text.len);
}

static bool reading_start(struct reading *r, bool threaded)
{
	struct err *err;

	reading_make(r);
	strbuf_init(&r->told);
	err = capture_open_source(source_create_memory(slice_make(r->bytes.data, r->bytes.len)),
				  &r->capture);
	if (!CHECK(!err)) {
		err_destroy(err);
		return false;
	}
	merge_init(&r->merge);
	merge_add(&r->merge, 3, r->capture, 0);
	capture_set_journal(r->capture, take_journal, r);
	r->ahead = ahead_create(&r->merge, threaded);
	return true;
}

static void reading_end(struct reading *r)
{
	ahead_destroy(r->ahead);
	merge_deinit(&r->merge);
	capture_destroy(r->capture);
	strbuf_deinit(&r->bytes);
	strbuf_deinit(&r->told);
}

static void tell(struct strbuf *out, const struct ahead_item *item)
{
	const struct ingest_packet *p = item->packet;

	if (item->is_journal)
		strbuf_add_format(out, "journal %llu %zu\n", (unsigned long long)p->where.frame,
				  item->journal.len);
	else
		strbuf_add_format(out, "%u %llu %lld %d %u %u %u %zu\n", p->where.evidence,
				  (unsigned long long)p->where.frame, (long long)p->where.at.ns,
				  p->is_cut, p->wire_bytes, (unsigned)p->packet.kind,
				  p->packet.tcp.seq, p->packet.payload.len);
}

static char *told_by(bool threaded)
{
	struct reading r = {0};
	const struct ahead_item *item;
	char *text;

	if (!reading_start(&r, threaded))
		return mem_copy("", 0);
	while ((item = ahead_next(r.ahead)))
		tell(&r.told, item);
	CHECK(!ahead_next(r.ahead)); /* the end stays the end */
	text = mem_copy(strbuf_text(&r.told), r.told.len);

	reading_end(&r);
	return text;
}

TEST(a_thread_changes_nothing)
{
	char *alone = told_by(false), *ahead = told_by(true);

	CHECK(strlen(alone) > (size_t)FRAMES * 20);
	CHECK(strcmp(alone, ahead) == 0);
	free(alone);
	free(ahead);
}

TEST(who_stops_early_leaves_no_thread_behind)
{
	for (size_t taken = 0; taken < 1200; taken += 399) {
		struct reading r = {0};

		if (!reading_start(&r, true))
			return;
		for (size_t i = 0; i < taken; i++)
			CHECK(ahead_next(r.ahead) != NULL);
		reading_end(&r);
	}
}
