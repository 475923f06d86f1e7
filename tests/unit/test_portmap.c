// SPDX-License-Identifier: GPL-2.0-or-later
/* The model of questions to portmappers under scripted events. */
#include "check.h"
#include "model/portmap.h"
#include "nlm_script.h"

#include <netinet/in.h>

enum { MOUNT = 100005, NLM = 100021, NFS = 100003 };

struct stage {
	struct script s;
	struct portmap_model m;
	struct conn c, nfs;
};

static void stage_init(struct stage *st)
{
	*st = (struct stage){.s = script_make()};
	st->c = script_conn(1, CLIENT_A, 40000, SERVER, PORTMAP_PORT);
	st->nfs = script_conn(2, CLIENT_A, 700, SERVER, 2049);
	portmap_model_init(&st->m);
	portmap_model_attach(&st->m, &st->s.board);
}

TEST(portmap_told_port_is_known)
{
	struct endpoint nlm = script_endpoint(SERVER, 4045), other = script_endpoint(SERVER, 4046);
	const struct portmap_service *s;
	struct stage st;

	stage_init(&st);
	script_getport(&st.s, 1, &st.c, NLM, IPPROTO_TCP, 4045);
	script_getport(&st.s, 2, &st.c, 300000, IPPROTO_TCP, 4046);
	CHECK(portmap_model_is_nfs_port(&st.m, &nlm));
	CHECK(!portmap_model_is_nfs_port(&st.m, &other));
	CHECK(portmap_model_port(&st.m, &other) != NULL);
	if (!CHECK_EQ_U64(st.m.services.len, 2))
		return;
	s = *(struct portmap_service **)vec_at(&st.m.services, 0);
	CHECK_EQ_U64(s->port, 4045);
	CHECK_EQ_U64(s->asked, 1);
	CHECK_EQ_U64(s->told, 1);
	CHECK_EQ_U64(s->refusals.count, 0);
	portmap_model_deinit(&st.m);
}

TEST(portmap_longest_row_of_refusals_is_kept)
{
	const struct portmap_service *s;
	struct stage st;

	stage_init(&st);
	for (int i = 0; i < 4; i++)
		script_getport(&st.s, i * 5, &st.c, NLM, IPPROTO_TCP, 0);
	script_getport(&st.s, 20, &st.c, NLM, IPPROTO_TCP, 4045);
	script_getport(&st.s, 30, &st.c, NLM, IPPROTO_TCP, 0);
	portmap_model_finish(&st.m);
	s = *(struct portmap_service **)vec_at(&st.m.services, 0);
	CHECK_EQ_U64(s->refusals.count, 4);
	CHECK_EQ_I64(s->refusals.over.at.ns, script_at(20.001).ns);
	portmap_model_deinit(&st.m);
}

TEST(portmap_conversation_is_no_trouble_but_silence_is)
{
	const struct portmap_peer *p;
	const struct portmap_trouble *t;
	struct stage st;

	stage_init(&st);
	script_handshake(&st.s, 0, &st.c);
	script_getport(&st.s, 1, &st.c, NLM, IPPROTO_TCP, 4045);
	for (int i = 0; i < 3; i++)
		script_tcp(&st.s, 10 + i * 10, &st.c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_exchange(&st.s, 35, &st.nfs, NFS, 3);
	script_handshake(&st.s, 50, &st.c);
	portmap_model_finish(&st.m);
	if (!CHECK_EQ_U64(st.m.peers.len, 1))
		return;
	p = *(struct portmap_peer **)vec_at(&st.m.peers, 0);
	if (!CHECK_EQ_U64(p->troubles_len, 1))
		return;
	t = &p->troubles[0];
	CHECK_EQ_U64(t->connections, 4);
	CHECK_EQ_U64(t->vain, 3);
	CHECK_EQ_I64(t->first.at.ns, script_at(10).ns);
	CHECK_EQ_I64(t->alive.at.ns, script_at(35.001).ns);
	CHECK_EQ_I64(t->over.at.ns, script_at(50.0002).ns);
	CHECK_EQ_I64(t->worked_before.at.ns, script_at(1.001).ns);
	portmap_model_deinit(&st.m);
}

TEST(portmap_copy_of_a_syn_is_no_second_try)
{
	const struct portmap_peer *p;
	struct stage st;

	stage_init(&st);
	script_handshake(&st.s, 0, &st.c);
	script_getport(&st.s, 0.001, &st.c, NLM, IPPROTO_TCP, 4045);
	script_tcp(&st.s, 0.02, &st.c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_tcp(&st.s, 0.04, &st.c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_exchange(&st.s, 30, &st.nfs, NFS, 3);
	script_handshake(&st.s, 60, &st.c);
	portmap_model_finish(&st.m);
	p = *(struct portmap_peer **)vec_at(&st.m.peers, 0);
	if (CHECK_EQ_U64(p->troubles_len, 1)) {
		CHECK_EQ_U64(p->troubles[0].vain, 1); /* and at 60 s one that works */
		CHECK(!p->troubles[0].call_sure);
	}
	portmap_model_deinit(&st.m);
}

TEST(portmap_reply_to_an_older_call_shows_no_life)
{
	struct rpc_call old = {.conn = NULL, .program = NFS, .version = 3, .has_call = true};
	const struct portmap_peer *p;
	struct stage st;

	stage_init(&st);
	old.conn = &st.nfs;
	script_rpc(&st.s, 1, EVENT_RPC_CALL, &old);
	script_tcp(&st.s, 10, &st.c, TCP_FACT_SYN, CONN_FROM_CLIENT);
	script_rpc(&st.s, 20, EVENT_RPC_REPLY, &old);
	portmap_model_finish(&st.m);
	p = *(struct portmap_peer **)vec_at(&st.m.peers, 0);
	CHECK_EQ_U64(p->troubles[0].alive.frame, FRAME_NONE);
	portmap_model_deinit(&st.m);
}

TEST(portmap_caps_hold_and_are_counted)
{
	struct stage st;

	stage_init(&st);
	for (uint32_t i = 0; i < PORTMAP_SERVICES_MAX + 3; i++)
		script_getport(&st.s, 1, &st.c, MOUNT + i, IPPROTO_TCP, 0);
	CHECK_EQ_U64(st.m.services.len, PORTMAP_SERVICES_MAX);
	CHECK(st.m.dropped >= 3);
	portmap_model_deinit(&st.m);
}
