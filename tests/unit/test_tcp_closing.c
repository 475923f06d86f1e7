// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections that do not end, under scripted events, and twins. */
#include "check.h"
#include "stage.h"

struct closing {
	unsigned fins;
	bool heard;       /* the server spoke on the connection before */
	bool acked;       /* it acknowledges the FIN */
	bool closes;      /* and sends its own */
	unsigned repeats; /* it sends its own again so often */
	bool waits;       /* a call was never answered on it */
	double next_at;   /* the next connection; 0: none */
};

static void fin(struct stage *st, double at, const struct conn *c, bool first,
		const struct provenance *heard)
{
	struct event_tcp tcp = {.fact = first ? TCP_FACT_FIN : TCP_FACT_FIN_REPEAT,
				.from = CONN_FROM_CLIENT,
				.heard = *heard};
	struct event e = {.kind = EVENT_TCP, .conn = c, .tcp = &tcp};

	e.at = script_place(&st->script, at);
	event_emit(&st->script.board, &e);
}

static size_t closing_findings(const struct rule *rule, const struct closing *how)
{
	struct stage st;
	struct conn c;
	struct provenance heard = {0};
	struct rpc_call rpc = {.conn = &c, .program = STAGE_NFS, .version = 3, .has_call = true};
	double after = 0;
	size_t found;

	stage_init(&st);
	c = stage_conn(&st, 2049);
	script_handshake(&st.script, 1, &c);
	if (how->heard)
		heard = script_place(&st.script, 2);
	if (how->waits)
		script_rpc(&st.script, 9, EVENT_RPC_CALL, &rpc);
	for (unsigned i = 0; i < how->fins; i++, after = 2 * after + 0.2)
		fin(&st, 10 + after, &c, i == 0, &heard);
	if (how->acked)
		script_tcp(&st.script, 10.1, &c, TCP_FACT_FIN_ACKED, CONN_FROM_SERVER);
	if (how->closes)
		script_tcp(&st.script, 10.1, &c, TCP_FACT_FIN, CONN_FROM_SERVER);
	for (unsigned i = 0; i < how->repeats; i++)
		script_tcp(&st.script, 11 + i, &c, TCP_FACT_FIN_REPEAT, CONN_FROM_SERVER);
	if (how->waits)
		script_rpc(&st.script, 100, EVENT_RPC_UNANSWERED, &rpc);
	stage_end(&st, 100, &c, true);
	if (how->next_at > 0)
		stage_works(&st, how->next_at, 2049);
	found = stage_findings(&st, rule, 400);
	if (found)
		CHECK_EQ_I64(stage_finding(&st, 0)->first.ns, script_at(10).ns);
	stage_deinit(&st);
	return found;
}

TEST(fin_in_vain_speaks)
{
	const struct closing how = {.fins = 8, .heard = true, .next_at = 130};

	CHECK_EQ_U64(closing_findings(&rule_tcp_fin_unanswered, &how), 1);
}

TEST(fins_of_both_sides_in_vain_speak)
{
	const struct closing how = {
		.fins = 8, .heard = true, .closes = true, .repeats = 4, .next_at = 130};

	CHECK_EQ_U64(closing_findings(&rule_tcp_fin_unanswered, &how), 1);
}

TEST(fin_twins_say_nothing)
{
	const struct closing twins[] = {
		{.fins = 3, .heard = true, .next_at = 130},
		{.fins = 8, .next_at = 130}, /* one direction */
		{.fins = 8, .heard = true, .acked = true, .next_at = 130},
		{.fins = 8, .heard = true, .closes = true, .next_at = 130},
		{.fins = 8, .heard = true, .next_at = 12}, /* nobody waited for it */
	};

	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		CHECK_EQ_U64(closing_findings(&rule_tcp_fin_unanswered, &twins[i]), 0);
}

TEST(half_closed_speaks)
{
	const struct closing how = {
		.fins = 1, .heard = true, .acked = true, .waits = true, .next_at = 130};

	CHECK_EQ_U64(closing_findings(&rule_tcp_half_closed, &how), 1);
}

TEST(half_closed_twins_say_nothing)
{
	const struct closing twins[] = {
		{.fins = 1, .heard = true, .acked = true, .next_at = 130},
		{.fins = 1, .heard = true, .acked = true, .waits = true, .next_at = 14},
		{.fins = 1, .heard = true, .acked = true, .waits = true, .closes = true},
		{.fins = 1, .heard = true, .waits = true},
	};

	for (size_t i = 0; i < sizeof(twins) / sizeof(*twins); i++)
		CHECK_EQ_U64(closing_findings(&rule_tcp_half_closed, &twins[i]), 0);
}
