// SPDX-License-Identifier: GPL-2.0-or-later
/* See log_wire.h. */
#include "ingest/log/log_wire.h"

#include <stdlib.h>

#include "base/hash.h"
#include "base/mem.h"
#include "names/nfs3.h"
#include "names/nlm.h"
#include "names/portmap.h"

enum { PORT_NFS = 2049 };

/* Replies this close to each other end one wait: tasks are woken one after the other. */
#define REPLIES_TOGETHER_NS STAMP_NS_PER_S

/* What one client wants of one server. */
struct log_wire_pair {
	struct endpoint client, server;
	uint16_t nlm_port; /* as last told or used; 0: not known */
	struct log_wire_wanted {
		struct provenance since;      /* FRAME_NONE: nothing is outstanding */
		struct provenance unanswered; /* the first call that was given up */
		bool guessed; /* `since` is a SYN to the portmapper, who is asked for others too */
		size_t wait;  /* the last wait that ended, index + 1; 0: none */
	} wanted[LOG_WIRE_PROGRAM_COUNT];
};

static bool pair_is(const void *item, const void *key)
{
	const struct log_wire_pair *a = item;
	const struct log_wire_pair *b = key;

	return endpoint_equal(&a->client, &b->client) && endpoint_equal(&a->server, &b->server);
}

void log_wire_init(struct log_wire *w)
{
	*w = (struct log_wire){.complete_ns = LOG_WIRE_WAIT_MIN_NS};
	map_init(&w->pairs, pair_is);
	vec_init(&w->pair_list, sizeof(struct log_wire_pair *));
	vec_init(&w->waits, sizeof(struct log_wire_wait));
}

void log_wire_deinit(struct log_wire *w)
{
	for (size_t i = 0; i < w->pair_list.len; i++)
		free(*(struct log_wire_pair **)vec_at(&w->pair_list, i));
	vec_deinit(&w->pair_list);
	vec_deinit(&w->waits);
	map_deinit(&w->pairs);
}

int64_t log_wire_wait_ns(const struct log_wire_wait *wait)
{
	int64_t ns;

	if (wait->reply.frame == FRAME_NONE)
		return INT64_MAX;
	return __builtin_sub_overflow(wait->reply.at.ns, wait->start.at.ns, &ns) ? 0 : ns;
}

static struct log_wire_pair *pair_of(struct log_wire *w, const struct conn *conn)
{
	struct log_wire_pair key = {.client = conn->client, .server = conn->server};
	struct log_wire_pair *p;
	uint64_t hash;

	key.client.port = key.server.port = 0;
	hash = hash_bytes(key.client.addr, sizeof(key.client.addr)) ^
	       hash_u64(0, hash_bytes(key.server.addr, sizeof(key.server.addr)));
	p = map_find(&w->pairs, hash, &key);
	if (p)
		return p;
	if (w->pair_list.len == LOG_WIRE_PAIRS_MAX) {
		w->full = true;
		return NULL;
	}
	p = mem_copy(&key, sizeof(key));
	map_add(&w->pairs, hash, p);
	*(struct log_wire_pair **)vec_push(&w->pair_list) = p;
	return p;
}

static void see(struct log_wire *w, const struct event *e)
{
	if (!stamp_known(w->first) || e->at.at.ns < w->first.ns)
		w->first = e->at.at;
	if (!stamp_known(w->last) || e->at.at.ns > w->last.ns)
		w->last = e->at.at;
}

static void want(struct log_wire_pair *p, enum log_wire_program program,
		 const struct provenance *at, bool guessed)
{
	struct log_wire_wanted *wanted = &p->wanted[program];

	if (wanted->since.frame == FRAME_NONE) {
		wanted->since = *at;
		wanted->guessed = guessed;
	} else if (!guessed) {
		wanted->guessed = false;
	}
}

/* The program of the call, or the one whose port it asks for; false: neither. */
static bool call_program(const struct rpc_call *c, enum log_wire_program *out)
{
	uint32_t program = c->program;

	if (c->program == PMAP_PROG && c->told_kind == RPC_TOLD_PORT)
		program = c->told.port->program;
	if (c->from != CONN_FROM_CLIENT || (program != NFS_PROGRAM && program != NLM_PROG))
		return false;
	*out = program == NLM_PROG ? LOG_WIRE_NLM : LOG_WIRE_NFS;
	return true;
}

/* Makes room: what is shorter than twice the least length goes. */
static void waits_thin(struct log_wire *w)
{
	size_t kept = 0;

	w->complete_ns *= 2;
	for (size_t i = 0; i < w->waits.len; i++) {
		const struct log_wire_wait *wait = vec_at(&w->waits, i);

		if (log_wire_wait_ns(wait) >= w->complete_ns)
			*(struct log_wire_wait *)vec_at(&w->waits, kept++) = *wait;
	}
	w->waits.len = kept;
	for (size_t i = 0; i < w->pair_list.len; i++) {
		struct log_wire_pair *p = *(struct log_wire_pair **)vec_at(&w->pair_list, i);

		for (int k = 0; k < LOG_WIRE_PROGRAM_COUNT; k++)
			p->wanted[k].wait = 0;
	}
}

static struct log_wire_wait *wait_add(struct log_wire *w, const struct log_wire_pair *p,
				      enum log_wire_program program, const struct provenance *start)
{
	struct log_wire_wait *wait;

	while (w->waits.len == LOG_WIRE_WAITS_MAX && w->complete_ns < INT64_MAX / 4)
		waits_thin(w);
	if (w->waits.len == LOG_WIRE_WAITS_MAX) {
		w->full = true;
		return NULL;
	}
	wait = vec_push(&w->waits);
	wait->client = p->client;
	wait->server = p->server;
	wait->program = program;
	wait->start = *start;
	return wait;
}

/* The wait that this reply ends too, if it comes right behind the reply that ended it. */
static struct log_wire_wait *wait_last(const struct log_wire *w,
				       const struct log_wire_wanted *wanted,
				       const struct provenance *reply)
{
	struct log_wire_wait *wait = wanted->wait ? vec_at(&w->waits, wanted->wait - 1) : NULL;

	return wait && reply->at.ns - wait->reply.at.ns <= REPLIES_TOGETHER_NS ? wait : NULL;
}

static void take_reply(struct log_wire *w, struct log_wire_pair *p, enum log_wire_program program,
		       const struct event *e)
{
	struct log_wire_wanted *wanted = &p->wanted[program];
	const struct provenance *start = &wanted->since;
	int64_t own_ns = e->rpc->has_call ? e->at.at.ns - e->rpc->call.at.ns : 0;
	struct log_wire_wait *wait;

	if (e->rpc->has_call && (start->frame == FRAME_NONE || e->rpc->call.at.ns < start->at.ns))
		start = &e->rpc->call;
	if (start->frame != FRAME_NONE && e->at.at.ns - start->at.ns >= w->complete_ns) {
		wait = wait_last(w, wanted, &e->at);
		if (!wait) {
			wait = wait_add(w, p, program, start);
			wanted->wait = wait ? w->waits.len : 0;
			if (wait)
				wait->reply = e->at;
		}
		if (wait)
			wait->reply_last = e->at.at;
		if (wait && own_ns > wait->old_ns && wait->old_reply.frame == FRAME_NONE &&
		    own_ns >= w->complete_ns) {
			wait->old_reply = e->at;
			wait->old_ns = own_ns;
		}
	}
	wanted->since = (struct provenance){.frame = FRAME_NONE};
}

static void wire_take_call(void *context, const struct event *e)
{
	struct log_wire *w = context;
	enum log_wire_program program;
	struct log_wire_pair *p;

	if (!call_program(e->rpc, &program))
		return;
	see(w, e);
	p = pair_of(w, e->conn);
	if (!p)
		return;
	want(p, program, &e->at, false);
	if (e->rpc->program == NLM_PROG)
		p->nlm_port = e->conn->server.port;
}

/* What the portmapper answers: NLM's port, or another's: then it was not asked for NLM's. */
static void take_port(struct log_wire *w, const struct event *e)
{
	const struct rpc_call *c = e->rpc;
	bool nlm = c->told_kind == RPC_TOLD_PORT && c->told.port->program == NLM_PROG;
	struct log_wire_pair *p = c->from == CONN_FROM_CLIENT ? pair_of(w, e->conn) : NULL;
	struct log_wire_wanted *wanted = p ? &p->wanted[LOG_WIRE_NLM] : NULL;

	if (!p)
		return;
	if (nlm && c->told.port->answered)
		p->nlm_port = c->told.port->port;
	if (!nlm && wanted->guessed)
		wanted->since = (struct provenance){.frame = FRAME_NONE};
}

static void wire_take_reply(void *context, const struct event *e)
{
	struct log_wire *w = context;
	enum log_wire_program program;
	struct log_wire_pair *p;

	if (e->rpc->program == PMAP_PROG) {
		take_port(w, e);
		return;
	}
	if (!call_program(e->rpc, &program))
		return;
	see(w, e);
	p = pair_of(w, e->conn);
	if (p)
		take_reply(w, p, program, e);
}

static void wire_take_unanswered(void *context, const struct event *e)
{
	struct log_wire *w = context;
	enum log_wire_program program;
	struct log_wire_pair *p;
	struct log_wire_wanted *wanted;

	if (!e->rpc->has_call || !call_program(e->rpc, &program) || e->rpc->program == PMAP_PROG)
		return;
	p = pair_of(w, e->conn);
	if (!p)
		return;
	wanted = &p->wanted[program];
	if (wanted->unanswered.frame == FRAME_NONE || e->rpc->call.at.ns < wanted->unanswered.at.ns)
		wanted->unanswered = e->rpc->call;
}

/* A SYN for a program's port, or for the port of who tells ports. */
static void wire_take_tcp(void *context, const struct event *e)
{
	struct log_wire *w = context;
	uint16_t port = e->conn->server.port;
	struct log_wire_pair *p;

	if (e->tcp->fact != TCP_FACT_SYN && e->tcp->fact != TCP_FACT_SYN_REPEAT)
		return;
	p = pair_of(w, e->conn);
	if (!p)
		return;
	see(w, e);
	if (port == PORT_NFS)
		want(p, LOG_WIRE_NFS, &e->at, false);
	else if (port == PMAP_PORT || port == p->nlm_port)
		want(p, LOG_WIRE_NLM, &e->at, port == PMAP_PORT);
}

void log_wire_attach(struct log_wire *w, struct event_board *board)
{
	event_board_add(board, EVENT_TCP, wire_take_tcp, w);
	event_board_add(board, EVENT_RPC_CALL, wire_take_call, w);
	event_board_add(board, EVENT_RPC_REPLY, wire_take_reply, w);
	event_board_add(board, EVENT_RPC_UNANSWERED, wire_take_unanswered, w);
}

void log_wire_finish(struct log_wire *w)
{
	for (size_t i = 0; i < w->pair_list.len; i++) {
		struct log_wire_pair *p = *(struct log_wire_pair **)vec_at(&w->pair_list, i);

		for (int k = 0; k < LOG_WIRE_PROGRAM_COUNT; k++) {
			const struct log_wire_wanted *wanted = &p->wanted[k];
			const struct provenance *start = &wanted->since;

			if (wanted->unanswered.frame != FRAME_NONE &&
			    (start->frame == FRAME_NONE || wanted->unanswered.at.ns < start->at.ns))
				start = &wanted->unanswered;
			if (start->frame != FRAME_NONE)
				wait_add(w, p, (enum log_wire_program)k, start);
		}
	}
}
