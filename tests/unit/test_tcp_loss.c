// SPDX-License-Identifier: GPL-2.0-or-later
/* tcp-loss and tcp-large-segments-lost under scripted events, and their twins. */
#include "check.h"
#include "stage.h"

struct large {
	unsigned repeats;
	bool full;    /* only segments of the largest size */
	bool works;   /* another connection of the same hosts is made meanwhile */
	bool arrives; /* in the end */
	uint64_t payload_bytes;
};

static void again(struct stage *st, double at, const struct conn *c, bool full,
		  const struct provenance *since)
{
	struct event_tcp tcp = {.fact = TCP_FACT_RETRANSMISSION,
				.bytes = full ? 1448 : 200,
				.full = full,
				.since = *since,
				.heard = {.frame = 1, .at = script_at(1)}};
	struct event e = {.kind = EVENT_TCP, .conn = c, .tcp = &tcp};

	e.at = script_place(&st->script, at);
	event_emit(&st->script.board, &e);
}

static void end(struct stage *st, double at, const struct conn *c, uint64_t segments,
		uint64_t payload_bytes)
{
	struct conn_totals totals = {.segments = {segments, segments},
				     .payload_bytes = {payload_bytes}};
	struct event e = {.kind = EVENT_CONN_END, .conn = c, .totals = &totals};

	e.at = script_place(&st->script, at);
	totals.first = totals.last = e.at;
	event_emit(&st->script.board, &e);
}

static size_t large_findings(const struct large *how, const struct rule *rule)
{
	struct stage st;
	struct conn c;
	struct provenance since;
	double after = 0.2;
	size_t found;

	stage_init(&st);
	c = stage_conn(&st, 2049);
	script_handshake(&st.script, 1, &c);
	since = script_place(&st.script, 10);
	for (unsigned i = 0; i < how->repeats; i++, after = 2 * after + 0.2)
		again(&st, 10 + after, &c, how->full, &since);
	if (how->works)
		stage_works(&st, 13, 2049);
	if (how->arrives)
		script_tcp(&st.script, 10 + after, &c, TCP_FACT_PROGRESS, CONN_FROM_SERVER);
	end(&st, 100, &c, 100, how->payload_bytes);
	found = stage_findings(&st, rule, 200);
	stage_deinit(&st);
	return found;
}

TEST(large_segments_speak)
{
	const struct large how = {.repeats = 7, .full = true, .works = true, .payload_bytes = 9000};

	CHECK_EQ_U64(large_findings(&how, &rule_tcp_large_segments_lost), 1);
	CHECK_EQ_U64(large_findings(&how, &rule_tcp_path_silent), 0);
}

TEST(large_twins_say_nothing)
{
	const struct large twins[] = {
		{.repeats = 7, .works = true, .payload_bytes = 9000},
		{.repeats = 7, .full = true, .payload_bytes = 9000}, /* nobody is heard */
		{.repeats = 7, .full = true, .works = true, .payload_bytes = 9000000},
		{.repeats = 7, .full = true, .works = true, .arrives = true, .payload_bytes = 9000},
		{.repeats = 3, .full = true, .works = true, .payload_bytes = 9000},
	};

	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		CHECK_EQ_U64(large_findings(&twins[i], &rule_tcp_large_segments_lost), 0);
}

/* So many waits of this many seconds, on a connection of so many segments. */
static size_t loss_findings(unsigned stalls, double seconds, uint64_t segments)
{
	struct stage st;
	struct conn c;
	size_t found;

	stage_init(&st);
	c = stage_conn(&st, 2049);
	script_handshake(&st.script, 1, &c);
	for (unsigned i = 0; i < stalls; i++) {
		struct provenance since = script_place(&st.script, 10 + i * 5);

		again(&st, 10.01 + i * 5, &c, false, &since);
		script_tcp(&st.script, 10 + i * 5 + seconds, &c, TCP_FACT_PROGRESS,
			   CONN_FROM_SERVER);
	}
	end(&st, 900, &c, segments, 100000);
	found = stage_findings(&st, &rule_tcp_loss, 1000);
	stage_deinit(&st);
	return found;
}

TEST(loss_in_plenty_speaks)
{
	CHECK_EQ_U64(loss_findings(40, 0.6, 1000), 1);
}

TEST(loss_twins_say_nothing)
{
	CHECK_EQ_U64(loss_findings(5, 4, 1000), 0);
	CHECK_EQ_U64(loss_findings(40, 0.1, 1000), 0);
	CHECK_EQ_U64(loss_findings(40, 0.6, 100000), 0);
}
