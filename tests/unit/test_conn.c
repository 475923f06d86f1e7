// SPDX-License-Identifier: GPL-2.0-or-later
/* The model of connections under scripted events. */
#include "check.h"
#include "model/conn.h"
#include "script.h"

static struct conn_record *record_at(const struct conn_model *m, size_t i)
{
	return *(struct conn_record **)vec_at(&m->records, i);
}

static struct conn_reach *reach_at(const struct conn_model *m, size_t i)
{
	return *(struct conn_reach **)vec_at(&m->reach, i);
}

TEST(conn_life_from_syn_to_fin)
{
	struct script s = script_make();
	struct conn c = script_conn(7, "192.0.2.21", 901, "192.0.2.10", 2049);
	struct conn_model m;
	const struct conn_record *r;

	conn_model_init(&m);
	conn_model_attach(&m, &s.board);
	script_tcp(&s, 0, &c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	r = conn_model_find(&m, 7);
	if (!CHECK(r != NULL))
		return;
	CHECK_TEXT(conn_state_name(r->state), "syn-sent");
	script_tcp(&s, 1, &c, TCP_FACT_SYN_REPEAT, CONN_FROM_CLIENT);
	script_tcp(&s, 1.1, &c, TCP_FACT_SYN_ACK, CONN_FROM_SERVER);
	CHECK_TEXT(conn_state_name(r->state), "syn-answered");
	script_tcp(&s, 1.2, &c, TCP_FACT_ESTABLISHED, CONN_FROM_CLIENT);
	CHECK_TEXT(conn_state_name(r->state), "established");
	script_exchange(&s, 2, &c, 100003, 4);
	script_tcp(&s, 3, &c, TCP_FACT_RETRANSMISSION, CONN_FROM_SERVER);
	script_tcp(&s, 4, &c, TCP_FACT_FIN, CONN_FROM_CLIENT);
	script_tcp(&s, 5, &c, TCP_FACT_FIN_REPEAT, CONN_FROM_CLIENT);
	CHECK_TEXT(conn_state_name(r->state), "closing");
	script_tcp(&s, 6, &c, TCP_FACT_RST, CONN_FROM_SERVER);
	CHECK_TEXT(conn_state_name(r->state), "reset");
	script_end(&s, 7, &c);
	CHECK_EQ_U64(r->syns, 2);
	CHECK_EQ_U64(r->syn.frame, 1);
	CHECK_EQ_U64(r->fins[CONN_FROM_CLIENT], 2);
	CHECK_EQ_U64(r->fins[CONN_FROM_SERVER], 0);
	CHECK_EQ_U64(r->retransmissions[CONN_FROM_SERVER], 1);
	CHECK_EQ_U64(r->calls, 1);
	CHECK_EQ_U64(r->replies, 1);
	CHECK(r->ended && r->carried_rpc);
	CHECK_EQ_U64(m.records.len, 1);
	CHECK(conn_model_is_rpc_server(&m, &c.server));
	CHECK(!conn_model_is_rpc_server(&m, &c.client));
	conn_model_deinit(&m);
}

TEST(conn_reach_tells_an_outage)
{
	struct script s = script_make();
	struct conn before = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
	struct conn refused = script_conn(2, "192.0.2.21", 902, "192.0.2.10", 2049);
	struct conn after = script_conn(3, "192.0.2.21", 903, "192.0.2.10", 2049);
	struct conn_model m;
	const struct conn_reach *reach;
	const struct conn_outage *o;

	conn_model_init(&m);
	conn_model_attach(&m, &s.board);
	script_handshake(&s, 0, &before);
	script_exchange(&s, 1, &before, 100003, 4);
	s.ttl = 63;
	for (int i = 0; i < 6; i++)
		script_refused(&s, 10 + i * 3, &refused);
	s.ttl = 64;
	script_handshake(&s, 40, &after);
	if (!CHECK_EQ_U64(m.reach.len, 1))
		return;
	reach = reach_at(&m, 0);
	CHECK_EQ_U64(reach->refused, 6);
	CHECK_EQ_U64(reach->established, 2);
	CHECK_EQ_U64(reach->hops[0].ttl, 64);
	CHECK_EQ_U64(reach->outages.len, 1);
	o = vec_at(&reach->outages, 0);
	CHECK_EQ_U64(o->refused, 6);
	CHECK_EQ_U64(o->cites_len, CONN_CITES_MAX);
	CHECK_EQ_U64(o->ttl, 63);
	CHECK_EQ_U64(o->worked_before.frame, 5); /* the reply */
	CHECK_EQ_I64(o->recovered.at.ns, script_at(40.0002).ns);
	CHECK(!reach->down);
	conn_model_deinit(&m);
}

TEST(conn_reach_ignores_what_is_neither_refused_nor_rpc)
{
	struct script s = script_make();
	struct conn web = script_conn(1, "192.0.2.21", 50000, "192.0.2.80", 443);
	struct conn_model m;

	conn_model_init(&m);
	conn_model_attach(&m, &s.board);
	script_handshake(&s, 0, &web);
	script_end(&s, 1, &web);
	CHECK_EQ_U64(m.reach.len, 0);
	conn_model_deinit(&m);
}

TEST(conn_callback_port_is_no_rpc_server)
{
	struct script s = script_make();
	struct conn c = script_conn(1, "192.0.2.10", 901, "192.0.2.21", 40000);
	struct rpc_call cb = {.conn = &c,
			      .program = 0x40000000,
			      .version = 1,
			      .has_call = true,
			      .is_callback = true};
	struct conn_model m;

	conn_model_init(&m);
	conn_model_attach(&m, &s.board);
	script_rpc(&s, 0, EVENT_RPC_CALL, &cb);
	CHECK(conn_model_rpc_server(&m, &c.server) != NULL);
	CHECK(!conn_model_is_rpc_server(&m, &c.server));
	conn_model_deinit(&m);
}

TEST(conn_reach_keeps_the_longest_outages)
{
	struct script s = script_make();
	struct conn_model m;
	const struct conn_reach *reach;

	conn_model_init(&m);
	conn_model_attach(&m, &s.board);
	for (unsigned i = 0; i < CONN_OUTAGES_MAX + 4; i++) {
		struct conn c = script_conn(i + 1, "192.0.2.21", 901, "192.0.2.10", 2049);
		double at = i * 1000.0;

		script_refused(&s, at, &c);
		script_refused(&s, at + (i == 0 ? 500 : i), &c);
		script_handshake(&s, at + 900, &c);
	}
	reach = reach_at(&m, 0);
	CHECK_EQ_U64(reach->outages.len, CONN_OUTAGES_MAX);
	CHECK_EQ_U64(reach->outages_dropped, 4);
	CHECK_EQ_I64(((struct conn_outage *)vec_at(&reach->outages, 0))->first.at.ns,
		     script_at(0.0001).ns);
	CHECK_EQ_I64(((struct conn_outage *)vec_at(&reach->outages, 1))->first.at.ns,
		     script_at(5000.0001).ns);
	conn_model_deinit(&m);
}

TEST(conn_cap_forgets_the_oldest_ended)
{
	struct script s = script_make();
	struct conn open = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
	struct conn_model m;

	conn_model_init(&m);
	conn_model_attach(&m, &s.board);
	script_handshake(&s, 0, &open);
	for (uint64_t i = 2; i < CONN_ENDED_MAX + 12; i++) {
		struct conn c = script_conn(i, "192.0.2.21", 902, "192.0.2.10", 2049);

		script_tcp(&s, (double)i, &c, TCP_FACT_SYN, CONN_FROM_CLIENT);
		script_end(&s, (double)i, &c);
	}
	CHECK_EQ_U64(m.dropped, 10);
	CHECK_EQ_U64(m.records.len, CONN_ENDED_MAX + 1);
	CHECK(conn_model_find(&m, 1) != NULL);
	CHECK(conn_model_find(&m, 2) == NULL);
	CHECK(conn_model_find(&m, 11) == NULL);
	CHECK(conn_model_find(&m, 12) != NULL);
	conn_model_sort(&m);
	CHECK_EQ_U64(record_at(&m, 0)->conn.serial, 1);
	for (size_t i = 1; i < m.records.len; i++)
		if (!CHECK_EQ_U64(record_at(&m, i)->conn.serial, i + 11))
			break;
	conn_model_deinit(&m);
}
