// SPDX-License-Identifier: GPL-2.0-or-later
/* rpc-framing-broken under scripted events, and its twins. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "model/conn.h"
#include "script.h"

enum { PROGRAM_NFS = 100003 };

/* What is told of a connection before it ends. */
struct how {
	bool calls, lossy, closed, to_tls, joined;
	const char *bytes; /* NULL: of SSH */
	enum conn_side from;
	uint64_t records;
	uint16_t port;
};

static void play(struct script *s, const struct how *how)
{
	struct conn c = script_conn(1, "192.0.2.21", 901, "192.0.2.10", how->port);
	struct event_unframed u = {.from = how->from,
				   .bytes = "SSH-2.0",
				   .len = 7,
				   .records = how->records,
				   .to_tls = how->to_tls};
	struct conn_totals totals = {.last = script_place(s, 5)};
	struct event e = {.kind = EVENT_UNFRAMED, .conn = &c, .unframed = &u};

	if (how->bytes)
		memcpy(u.bytes, how->bytes, u.len);
	c.lossy = how->lossy;
	c.joined = how->joined;
	if (!how->joined)
		script_handshake(s, 1, &c);
	if (how->calls)
		script_exchange(s, 2, &c, PROGRAM_NFS, 3);
	e.at = script_place(s, 3);
	event_emit(&s->board, &e);
	if (how->closed)
		script_tcp(s, 4, &c, TCP_FACT_RST, CONN_FROM_SERVER);
	e = (struct event){
		.kind = EVENT_CONN_END, .at = totals.last, .conn = &c, .totals = &totals};
	event_emit(&s->board, &e);
}

/* The finding's confidence, or -1 without one. */
static int confidence_after(const struct how *how)
{
	static const struct rule *const rules[] = {&rule_rpc_framing_broken};
	struct script s = script_make();
	struct conn_model conns;
	struct evidence_list evidence;
	struct rule_input in = {.evidence = &evidence, .conns = &conns};
	struct diagnosis d;
	int confidence = -1;

	conn_model_init(&conns);
	conn_model_attach(&conns, &s.board);
	evidence_list_init(&evidence);
	evidence_list_add(&evidence, "client.pcap", EVIDENCE_PCAP);
	diagnosis_init(&d);
	play(&s, how);
	CHECK_EQ_U64(conns.unframed.len, 1);
	diagnose_run_rules(rules, 1, &in, &d);
	if (d.findings.len)
		confidence = (int)finding_at(&d.findings, 0)->confidence;
	diagnosis_deinit(&d);
	evidence_list_deinit(&evidence);
	conn_model_deinit(&conns);
	return confidence;
}

TEST(a_lost_mark_and_a_reset_are_certain)
{
	CHECK_EQ_I64(confidence_after(&(struct how){
			     .calls = true, .records = 3, .closed = true, .port = 2049}),
		     CONFIDENCE_CERTAIN);
}

TEST(a_lost_mark_alone_is_likely)
{
	CHECK_EQ_I64(confidence_after(&(struct how){.calls = true, .records = 3, .port = 2049}),
		     CONFIDENCE_LIKELY);
}

TEST(an_answer_that_is_no_rpc_is_certain)
{
	CHECK_EQ_I64(confidence_after(
			     &(struct how){.calls = true, .from = CONN_FROM_SERVER, .port = 2049}),
		     CONFIDENCE_CERTAIN);
}

TEST(twins_are_silent)
{
	/* who never speaks RPC; bytes that the capture lost; TLS as agreed; no port of NFS */
	CHECK_EQ_I64(confidence_after(&(struct how){.closed = true, .port = 2049}), -1);
	CHECK_EQ_I64(confidence_after(&(struct how){
			     .calls = true, .records = 3, .lossy = true, .port = 2049}),
		     -1);
	CHECK_EQ_I64(confidence_after(&(struct how){
			     .calls = true, .records = 1, .to_tls = true, .port = 2049}),
		     -1);
	CHECK_EQ_I64(confidence_after(&(struct how){.records = 3, .port = 22}), -1);
}

TEST(twin_tls_on_a_connection_that_was_joined_is_silent)
{
	struct how how = {.calls = true,
			  .records = 1,
			  .closed = true,
			  .joined = true,
			  .bytes = "\x17\x03\x03\x01\x00\x33\x33",
			  .port = 2049};

	CHECK_EQ_I64(confidence_after(&how), -1);
	how.joined = false;
	CHECK_EQ_I64(confidence_after(&how), CONFIDENCE_CERTAIN);
	how.joined = true;
	how.bytes = NULL;
	CHECK_EQ_I64(confidence_after(&how), CONFIDENCE_CERTAIN);
}

TEST(one_record_of_a_connection_that_was_joined_is_no_place_to_lose)
{
	struct how how = {.calls = true, .records = 1, .joined = true, .port = 2049};

	CHECK_EQ_I64(confidence_after(&how), -1);
	how.records = 3;
	CHECK_EQ_I64(confidence_after(&how), CONFIDENCE_LIKELY);
}
