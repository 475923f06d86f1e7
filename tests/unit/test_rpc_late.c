// SPDX-License-Identifier: GPL-2.0-or-later
/* Late and missing answers under scripted events, and what looks like them. */
#include "check.h"
#include "stage.h"

struct late {
	double answer;  /* seconds from the call; 0: never */
	double again;   /* the client sends it again after so many seconds; 0: not */
	double busy;    /* so long answers were on their way meanwhile, this one's with them */
	double stalled; /* TCP gets the call across only after so many seconds; 0: at once */
	double ahead;   /* so much of the time the server's own clock has not seen */
	uint32_t program, procedure;
	uint16_t port;
};

static void play(struct stage *st, const struct late *how, struct conn *c)
{
	uint64_t frame = 99;
	struct rpc_call rpc = {.conn = c,
			       .xid = 7,
			       .program = how->program,
			       .version = 4,
			       .procedure = how->procedure,
			       .has_call = true};
	struct provenance heard, since;

	script_handshake(&st->script, 1, c);
	heard = script_place(&st->script, 2);
	script_rpc(&st->script, 10, EVENT_RPC_CALL, &rpc);
	since = rpc.call;
	if (how->stalled > 0) {
		stage_again(st, 10.2, c, CONN_FROM_CLIENT, &since, &heard);
		stage_again(st, 10 + how->stalled, c, CONN_FROM_CLIENT, &since, &heard);
		script_tcp(&st->script, 10.001 + how->stalled, c, TCP_FACT_PROGRESS,
			   CONN_FROM_SERVER);
	}
	if (how->again > 0) {
		rpc.retransmissions.items = &frame;
		rpc.retransmissions.len = 1;
		script_rpc(&st->script, 10 + how->again, EVENT_RPC_REPEAT, &rpc);
	}
	c->clock_ahead_ns = (int64_t)(how->ahead * 1e9);
	if (how->answer > 0) {
		rpc.outcome = RPC_SUCCESS;
		rpc.reply_busy_ns = (int64_t)(how->busy * 1e9);
		script_rpc(&st->script, 10 + how->answer, EVENT_RPC_REPLY, &rpc);
	} else {
		script_rpc(&st->script, 500, EVENT_RPC_UNANSWERED, &rpc);
	}
}

static size_t late_findings(const struct rule *rule, const struct late *how)
{
	struct stage st;
	struct conn c;
	size_t found;

	stage_init(&st);
	stage_works(&st, 0, how->port);
	c = stage_conn(&st, how->port);
	play(&st, how, &c);
	stage_end(&st, 500, &c, true);
	found = stage_findings(&st, rule, 500);
	if (found) {
		const struct finding *f = stage_finding(&st, 0);

		CHECK_EQ_I64(f->first.ns, script_at(10).ns);
		CHECK_TEXT(f->server, STAGE_SERVER);
	}
	stage_deinit(&st);
	return found;
}

TEST(slow_answers_speak)
{
	const struct late alone = {
		.answer = 20, .program = STAGE_NFS, .procedure = 1, .port = 2049};
	const struct late again = {
		.answer = 12, .again = 10, .program = STAGE_NLM, .procedure = 2, .port = 4045};

	/* 16 s were the server's all the same. */
	const struct late behind = {
		.answer = 40, .busy = 24, .program = STAGE_NFS, .procedure = 1, .port = 2049};

	CHECK_EQ_U64(late_findings(&rule_rpc_server_slow, &alone), 1);
	CHECK_EQ_U64(late_findings(&rule_rpc_server_slow, &behind), 1);
	CHECK_EQ_U64(late_findings(&rule_rpc_server_slow, &again), 1);
	CHECK_EQ_U64(late_findings(&rule_rpc_retransmission, &again), 1);
	CHECK_EQ_U64(late_findings(&rule_rpc_server_silent, &again), 0);
}

TEST(slow_twins_say_nothing)
{
	const struct late twins[] = {
		/* The first lock, while statd waits for the name service. */
		{.answer = 9, .program = STAGE_NLM, .procedure = 2, .port = 4045},
		/* The network had it all the time. */
		{.answer = 80, .stalled = 79, .program = STAGE_NFS, .procedure = 1, .port = 2049},
		{.answer = 80, .stalled = 79, .again = 75, .program = STAGE_NFS, .port = 2049},
		/* Answers came one behind the other. */
		{.answer = 40, .busy = 36, .program = STAGE_NFS, .procedure = 1, .port = 2049},
		{.answer = 40, .busy = 26, .program = STAGE_NFS, .procedure = 1, .port = 2049},
		/* A client that takes its time with a granted lock. */
		{.answer = 20, .again = 10, .program = STAGE_NLM, .procedure = 5, .port = 4045},
		/* The clock of the capture was set meanwhile. */
		{.answer = 20, .ahead = 19, .program = STAGE_NFS, .procedure = 1, .port = 2049},
		{.program = STAGE_NFS, .procedure = 1, .port = 2049},
	};

	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		CHECK_EQ_U64(late_findings(&rule_rpc_server_slow, &twins[i]), 0);
}

/* The client uses its port again, and no end of the connection before it was captured. */
TEST(twin_a_connection_that_was_followed_may_have_been_answered)
{
	struct late how = {.program = STAGE_NFS, .procedure = 1, .port = 2049};

	for (int followed = 0; followed < 2; followed++) {
		struct stage st;
		struct conn c, next;

		stage_init(&st);
		stage_works(&st, 0, how.port);
		c = stage_conn(&st, how.port);
		play(&st, &how, &c);
		stage_end(&st, 500, &c, true);
		next = stage_conn(&st, how.port);
		if (followed)
			next.client = c.client;
		script_tcp(&st.script, 400, &next, TCP_FACT_SYN, CONN_FROM_CLIENT);
		CHECK_EQ_U64(stage_findings(&st, &rule_rpc_server_silent, 500), !followed);
		stage_deinit(&st);
	}
}

TEST(a_copy_at_once_is_no_retransmission)
{
	const struct late how = {
		.answer = 12, .again = 0.1, .program = STAGE_NLM, .procedure = 2, .port = 4045};

	CHECK_EQ_U64(late_findings(&rule_rpc_retransmission, &how), 0);
}

/* How the connection of a call without an answer ends. */
enum closing {
	OPEN,
	SERVER_RST,
	SERVER_FIN,
	CLIENT_FIN,
	CLIENT_FIN_UNACKED,
	CLIENT_RST,
	CLIENT_RST_AFTER_PROBE,
	OPEN_AFTER_PROBE,
};

/* A segment of the client at 40 s, which nobody answered. */
static struct provenance vain_probe(const struct conn *c)
{
	return (struct provenance){.evidence = c->evidence, .frame = 9000, .at = script_at(40)};
}

static void close_by(struct script *s, double at, const struct conn *c, enum closing how)
{
	struct event_tcp rst = {.fact = TCP_FACT_RST,
				.from = how == SERVER_RST ? CONN_FROM_SERVER : CONN_FROM_CLIENT};
	struct event e = {.kind = EVENT_TCP, .conn = c, .tcp = &rst};

	if (how == CLIENT_RST_AFTER_PROBE) {
		rst.said = vain_probe(c);
		rst.heard = (struct provenance){.frame = 3, .at = script_at(10.1)};
	}
	if (how == SERVER_FIN || how == CLIENT_FIN || how == CLIENT_FIN_UNACKED) {
		script_tcp(s, at, c, TCP_FACT_FIN,
			   how == SERVER_FIN ? CONN_FROM_SERVER : CONN_FROM_CLIENT);
		if (how == CLIENT_FIN)
			script_tcp(s, at, c, TCP_FACT_FIN_ACKED, CONN_FROM_SERVER);
	} else if (how != OPEN && how != OPEN_AFTER_PROBE) {
		e.at = script_place(s, at);
		event_emit(&s->board, &e);
	}
}

struct silent {
	bool unacked, lossy;
	enum closing how;
	double closed, end;
	double seen; /* 0, or when the connection is seen last, in a capture with loss elsewhere */
};

/* A call of 10 s without an answer, acknowledged or not; on a sound connection or one with loss. */
static size_t silent_findings(const struct silent *s)
{
	const struct late how = {.program = STAGE_NFS, .procedure = 1, .port = 2049};
	struct conn_totals totals = {.segments = {5, 5}, .unacked_bytes = {s->unacked ? 100 : 0}};
	struct stage st;
	struct conn c;
	struct event e = {.kind = EVENT_CONN_END, .conn = &c, .totals = &totals};
	size_t found;

	stage_init(&st);
	c = stage_conn(&st, 2049);
	c.lossy = s->lossy;
	play(&st, &how, &c);
	close_by(&st.script, s->closed, &c, s->how);
	if (s->how == OPEN_AFTER_PROBE) {
		totals.said[CONN_FROM_CLIENT] = vain_probe(&c);
		totals.said[CONN_FROM_SERVER] =
			(struct provenance){.frame = 3, .at = script_at(10.1)};
	}
	if (s->seen > 0) {
		evidence_list_at(&st.evidence, 0)->lost_bytes = 100;
		totals.last = (struct provenance){.frame = 9001, .at = script_at(s->seen)};
	}
	e.at = script_place(&st.script, s->end);
	event_emit(&st.script.board, &e);
	found = stage_findings(&st, &rule_rpc_server_silent, s->end);
	if (found)
		CHECK_EQ_I64(stage_finding(&st, 0)->last.ns,
			     script_at(s->how == OPEN ? s->end : s->closed).ns);
	stage_deinit(&st);
	return found;
}

TEST(silent_server_speaks)
{
	const struct silent cases[] = {
		{.end = 200},
		{.how = CLIENT_FIN, .closed = 80, .end = 200},
		{.how = CLIENT_RST, .closed = 80, .end = 81},
		{.seen = 190, .end = 200},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
		CHECK_EQ_U64(silent_findings(&cases[i]), 1);
}

TEST(silent_twins_say_nothing)
{
	const struct silent twins[] = {
		{.unacked = true, .end = 200},
		{.lossy = true, .end = 200},
		{.end = 60},
		/* Who closes is no client that gave up. */
		{.how = SERVER_RST, .closed = 80, .end = 200},
		{.how = SERVER_FIN, .closed = 80, .end = 200},
		/* It did not wait for long. */
		{.how = CLIENT_FIN, .closed = 60, .end = 200},
		{.how = CLIENT_RST, .closed = 20, .end = 200},
		/* The server's host may have been away. */
		{.how = CLIENT_FIN_UNACKED, .closed = 80, .end = 200},
		{.how = CLIENT_RST_AFTER_PROBE, .closed = 80, .end = 200},
		{.how = OPEN_AFTER_PROBE, .end = 200},
		/* The capture may have lost the rest of the connection. */
		{.seen = 11, .end = 200},
	};

	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		CHECK_EQ_U64(silent_findings(&twins[i]), 0);
}
