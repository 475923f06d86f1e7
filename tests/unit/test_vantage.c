// SPDX-License-Identifier: GPL-2.0-or-later
/* model/vantage.h: where a capture was taken, by what two hosts show in it. */
#include "check.h"
#include "model/vantage.h"
#include "script.h"

static const struct conn_totals plain = {
	.segments = {40, 40}, .small = {40, 40}, .ttl = {64, 64}, .completeness = 15};

/* A connection with a handshake of these milliseconds, and these totals. */
static struct vantage place(double there_ms, double back_ms, const struct conn_totals *totals)
{
	struct script s = script_make();
	struct conn c = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
	struct event e = {.kind = EVENT_CONN_END, .conn = &c, .totals = totals};
	struct conn_model conns;
	struct vantage v;

	conn_model_init(&conns);
	conn_model_attach(&conns, &s.board);
	script_tcp(&s, 1, &c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_tcp(&s, 1 + there_ms / 1e3, &c, TCP_FACT_SYN_ACK, CONN_FROM_SERVER);
	script_tcp(&s, 1 + (there_ms + back_ms) / 1e3, &c, TCP_FACT_ESTABLISHED, CONN_FROM_CLIENT);
	e.at = script_place(&s, 10);
	event_emit(&s.board, &e);
	v = vantage_of(&conns, &c);
	conn_model_deinit(&conns);
	return v;
}

TEST(the_link_layer_tells)
{
	struct conn_totals t = plain;

	t.marked[CONN_FROM_SERVER] = 40;
	CHECK_EQ_I64(place(1, 1, &t).place, VANTAGE_AT_SERVER);
	CHECK(place(1, 1, &t).on_host);
	/* It counts more than times. */
	CHECK_EQ_I64(place(10, 1, &t).place, VANTAGE_AT_SERVER);
	t.marked[CONN_FROM_CLIENT] = 40;
	CHECK_EQ_I64(place(10, 1, &t).place, VANTAGE_BETWEEN);
}

TEST(checksums_of_one_side_tell)
{
	struct conn_totals t = plain;

	t.unfilled[CONN_FROM_CLIENT] = 39;
	CHECK_EQ_I64(place(1, 1, &t).place, VANTAGE_AT_CLIENT);
	CHECK(place(1, 1, &t).on_host);
	/* Guests of one machine: neither side's are filled in. */
	t.unfilled[CONN_FROM_SERVER] = 40;
	CHECK_EQ_I64(place(1, 1, &t).place, VANTAGE_UNKNOWN);
	/* One that happens to look so. */
	t.unfilled[CONN_FROM_CLIENT] = 1;
	t.unfilled[CONN_FROM_SERVER] = 0;
	CHECK_EQ_I64(place(1, 1, &t).place, VANTAGE_UNKNOWN);
}

TEST(handshakes_tell_what_is_near)
{
	CHECK_EQ_I64(place(5, 0.1, &plain).place, VANTAGE_AT_CLIENT);
	CHECK(!place(5, 0.1, &plain).on_host);
	CHECK_EQ_I64(place(0.1, 5, &plain).place, VANTAGE_AT_SERVER);
	CHECK_EQ_I64(place(1, 2, &plain).place, VANTAGE_UNKNOWN);
	CHECK_EQ_I64(place(2000, 1, &plain).place, VANTAGE_UNKNOWN);
}

TEST(hop_counts_tell)
{
	struct conn_totals t = plain;

	t.ttl[CONN_FROM_SERVER] = 61;
	CHECK_EQ_I64(place(1, 1, &t).place, VANTAGE_AT_CLIENT);
	t.ttl[CONN_FROM_CLIENT] = 126;
	CHECK_EQ_I64(place(1, 1, &t).place, VANTAGE_BETWEEN);
	t.ttl[CONN_FROM_SERVER] = 0;
	CHECK_EQ_I64(place(1, 1, &t).place, VANTAGE_UNKNOWN);
}
