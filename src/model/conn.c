// SPDX-License-Identifier: GPL-2.0-or-later
/* Connections as records: see conn.h. What is kept about refusals is in conn_reach.c. */
#include "model/conn.h"

#include "base/hash.h"
#include "base/mem.h"
#include "model/conn_reach.h"

#include <stdlib.h>

static bool conn_record_is(const void *item, const void *key)
{
	const struct conn_record *r = item;

	return r->conn.serial == *(const uint64_t *)key;
}

static uint64_t conn_serial_hash(uint64_t serial)
{
	return hash_u64(hash_start(), serial);
}

static struct conn_record **conn_recent(struct conn_model *m, uint64_t serial)
{
	return &m->recent[serial & (CONN_RECENT - 1)];
}

const struct conn_record *conn_model_find(const struct conn_model *m, uint64_t serial)
{
	return map_find(&m->by_serial, conn_serial_hash(serial), &serial);
}

static struct conn_record *conn_record_add(struct conn_model *m, const struct event *e)
{
	struct conn_record *r = mem_alloc(1, sizeof(*r));

	r->conn = *e->conn;
	r->state = CONN_JOINED;
	r->orphan_last = stamp_none();
	r->first = e->at;
	r->index = m->records.len;
	*(struct conn_record **)vec_push(&m->records) = r;
	map_add(&m->by_serial, conn_serial_hash(r->conn.serial), r);
	return r;
}

/* The record of the event's connection; made when it is new. */
static struct conn_record *conn_record_get(struct conn_model *m, const struct event *e)
{
	uint64_t serial = e->conn->serial;
	struct conn_record **recent = conn_recent(m, serial);
	struct conn_record *r = *recent;

	if (!r || r->conn.serial != serial) {
		r = map_find(&m->by_serial, conn_serial_hash(serial), &serial);
		if (!r)
			r = conn_record_add(m, e);
		*recent = r;
	}
	r->last = e->at;
	return r;
}

static void conn_record_free(struct conn_record *r)
{
	free(r->odds);
	free(r);
}

/* Forgets a record; the last one takes its place, conn_model_sort mends the order. */
static void conn_record_drop(struct conn_model *m, struct conn_record *r)
{
	struct conn_record **place = vec_at(&m->records, r->index);
	struct conn_record **recent = conn_recent(m, r->conn.serial);

	*place = *(struct conn_record **)vec_last(&m->records);
	(*place)->index = r->index;
	m->records.len--;
	map_remove(&m->by_serial, conn_serial_hash(r->conn.serial), &r->conn.serial);
	if (*recent == r)
		*recent = NULL;
	conn_record_free(r);
}

static void conn_ended_add(struct conn_model *m, struct conn_record *r)
{
	struct conn_record *oldest = m->ended_oldest;

	if (m->ended_newest)
		m->ended_newest->ended_newer = r;
	else
		m->ended_oldest = r;
	m->ended_newest = r;
	if (m->ended_count < CONN_ENDED_MAX) {
		m->ended_count++;
		return;
	}
	m->ended_oldest = oldest->ended_newer;
	m->dropped++;
	conn_record_drop(m, oldest);
}

static struct conn_odds *conn_odds_get(struct conn_record *r)
{
	if (!r->odds)
		r->odds = mem_alloc(1, sizeof(*r->odds));
	return r->odds;
}

const struct conn_odds *conn_record_odds(const struct conn_record *r)
{
	static const struct conn_odds none;

	return r->odds ? r->odds : &none;
}

static const struct provenance *conn_last(const struct provenance *first,
					  const struct provenance *last)
{
	return last->frame == FRAME_NONE ? first : last;
}

const struct provenance *conn_record_syn_last(const struct conn_record *r)
{
	return conn_last(&r->syn, &conn_record_odds(r)->syn_last);
}

const struct provenance *conn_record_syn_ack_last(const struct conn_record *r)
{
	return conn_last(&r->syn_ack, &conn_record_odds(r)->syn_ack_last);
}

const struct provenance *conn_record_fin_last(const struct conn_record *r, enum conn_side from)
{
	return conn_last(&r->fin[from], &conn_record_odds(r)->fin_last[from]);
}

static void conn_note_first(struct provenance *place, const struct provenance *at)
{
	if (place->frame == FRAME_NONE)
		*place = *at;
}

/* The state after a fact. Only facts that the state tells apart are taken; others leave it. */
static enum conn_state conn_state_next(enum conn_state state, enum tcp_fact fact)
{
	switch (fact) {
	case TCP_FACT_SYN:
	case TCP_FACT_SYN_REPEAT:
		return state == CONN_JOINED ? CONN_SYN_SENT : state;
	case TCP_FACT_SYN_ACK:
		return state == CONN_JOINED || state == CONN_SYN_SENT ? CONN_SYN_ANSWERED : state;
	case TCP_FACT_ESTABLISHED:
		return CONN_ESTABLISHED;
	case TCP_FACT_REFUSED:
		return CONN_REFUSED;
	case TCP_FACT_FIN:
	case TCP_FACT_FIN_REPEAT:
		return state == CONN_RESET ? state : CONN_CLOSING;
	case TCP_FACT_RST:
		return state == CONN_REFUSED ? state : CONN_RESET;
	case TCP_FACT_BARE_ACK_TO_SYN:
	case TCP_FACT_FIN_ACKED:
	case TCP_FACT_RETRANSMISSION:
	case TCP_FACT_LOST:
	case TCP_FACT_SHOWN_LATE:
	case TCP_FACT_PROGRESS:
	case TCP_FACT_COUNT:
		break;
	}
	return state;
}

/* Counts and places of a fact in the connection's record. */
static void conn_record_note(struct conn_record *r, const struct event *e)
{
	const struct event_tcp *tcp = e->tcp;

	switch (tcp->fact) {
	case TCP_FACT_SYN:
	case TCP_FACT_SYN_REPEAT:
		if (r->syns++)
			conn_odds_get(r)->syn_last = e->at;
		r->syns_after_answer += r->syn_acks != 0;
		conn_note_first(&r->syn, &e->at);
		break;
	case TCP_FACT_SYN_ACK:
		if (r->syn_acks++)
			conn_odds_get(r)->syn_ack_last = e->at;
		r->syn_acks_anew += tcp->anew;
		r->answered_ttl = tcp->ttl;
		conn_note_first(&r->syn_ack, &e->at);
		break;
	case TCP_FACT_ESTABLISHED:
		conn_note_first(&r->established, &e->at);
		break;
	case TCP_FACT_REFUSED:
		conn_note_first(&r->refused, &e->at);
		break;
	case TCP_FACT_BARE_ACK_TO_SYN:
		r->challenges++;
		conn_note_first(&conn_odds_get(r)->challenge, &e->at);
		break;
	case TCP_FACT_FIN:
	case TCP_FACT_FIN_REPEAT:
		if (r->fins[tcp->from]++) {
			conn_odds_get(r)->fin_last[tcp->from] = e->at;
			r->odds->fin_heard[tcp->from] = tcp->heard;
		}
		conn_note_first(&r->fin[tcp->from], &e->at);
		break;
	case TCP_FACT_RST:
		if (r->rst.frame == FRAME_NONE) {
			r->rst_from = tcp->from;
			conn_odds_get(r)->rst_heard = tcp->heard;
			r->odds->rst_said = tcp->said;
		}
		conn_note_first(&r->rst, &e->at);
		break;
	case TCP_FACT_RETRANSMISSION:
		r->retransmissions[tcp->from]++;
		break;
	case TCP_FACT_LOST:
		r->conn.lossy = true;
		break;
	case TCP_FACT_FIN_ACKED:
		r->fin_acked[tcp->from] = true;
		break;
	case TCP_FACT_SHOWN_LATE:
	case TCP_FACT_PROGRESS:
	case TCP_FACT_COUNT:
		break;
	}
}

static void conn_take_tcp(void *context, const struct event *e)
{
	struct conn_model *m = context;
	struct conn_record *r = conn_record_get(m, e);

	r->state = conn_state_next(r->state, e->tcp->fact);
	conn_record_note(r, e);
	conn_reach_take_tcp(m, r, e);
}

static void conn_take_call(void *context, const struct event *e)
{
	struct conn_model *m = context;
	struct conn_record *r = conn_record_get(m, e);

	if (!r->carried_rpc) {
		r->carried_rpc = true;
		r->conn = *e->conn; /* its sides may have been guessed until now */
		conn_reach_take_first_rpc(m, r, e);
	}
	if (e->kind == EVENT_RPC_CALL)
		r->calls++;
}

static void conn_take_reply(void *context, const struct event *e)
{
	struct conn_model *m = context;
	struct conn_record *r;

	conn_take_call(m, e);
	r = conn_record_get(m, e);
	r->replies++;
	r->replied = e->at;
	if (!e->rpc->has_call)
		r->orphan_last = e->at.at;
	if (r->reach && e->rpc->from == CONN_FROM_CLIENT)
		r->reach->worked_last = e->at;
}

static void conn_take_end(void *context, const struct event *e)
{
	struct conn_model *m = context;
	struct conn_record *r = conn_record_get(m, e);

	if (r->ended)
		return;
	r->conn = *e->conn;
	r->ended = true;
	r->totals = *e->totals;
	r->first = r->totals.first;
	r->last = r->totals.last;
	conn_ended_add(m, r);
}

static void conn_take_unframed(void *context, const struct event *e)
{
	struct conn_model *m = context;

	if (m->unframed.len == CONN_UNFRAMED_MAX)
		m->dropped++;
	else
		*(struct conn_unframed *)vec_push(&m->unframed) =
			(struct conn_unframed){.conn = *e->conn, .at = e->at, .what = *e->unframed};
}

void conn_model_init(struct conn_model *m)
{
	*m = (struct conn_model){0};
	vec_init(&m->unframed, sizeof(struct conn_unframed));
	map_init(&m->by_serial, conn_record_is);
	vec_init(&m->records, sizeof(struct conn_record *));
	conn_reach_init(m);
}

void conn_model_deinit(struct conn_model *m)
{
	for (size_t i = 0; i < m->records.len; i++)
		conn_record_free(*(struct conn_record **)vec_at(&m->records, i));
	vec_deinit(&m->records);
	vec_deinit(&m->unframed);
	map_deinit(&m->by_serial);
	conn_reach_deinit(m);
}

void conn_model_attach(struct conn_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_TCP, conn_take_tcp, m);
	event_board_add(board, EVENT_RPC_CALL, conn_take_call, m);
	event_board_add(board, EVENT_RPC_REPLY, conn_take_reply, m);
	event_board_add(board, EVENT_UNFRAMED, conn_take_unframed, m);
	event_board_add(board, EVENT_CONN_END, conn_take_end, m);
}

static int conn_record_compare(const void *a, const void *b)
{
	const struct conn_record *x = *(struct conn_record *const *)a;
	const struct conn_record *y = *(struct conn_record *const *)b;

	return (x->conn.serial > y->conn.serial) - (x->conn.serial < y->conn.serial);
}

void conn_model_sort(struct conn_model *m)
{
	if (m->records.len == 0)
		return;
	qsort(m->records.items, m->records.len, m->records.item_bytes, conn_record_compare);
	for (size_t i = 0; i < m->records.len; i++)
		(*(struct conn_record **)vec_at(&m->records, i))->index = i;
}

const char *conn_state_name(enum conn_state state)
{
	static const char *const names[CONN_STATE_COUNT] = {
		[CONN_JOINED] = "joined",
		[CONN_SYN_SENT] = "syn-sent",
		[CONN_SYN_ANSWERED] = "syn-answered",
		[CONN_ESTABLISHED] = "established",
		[CONN_REFUSED] = "refused",
		[CONN_CLOSING] = "closing",
		[CONN_RESET] = "reset",
	};

	return names[state];
}
