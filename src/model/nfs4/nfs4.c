// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The NFSv4 model's door: takes events of the fore channel and hands each fact to the part that
 * keeps it (nfs4_identity.c, nfs4_ladder.c).
 */
#include "model/nfs4/nfs4.h"

#include "model/nfs4/nfs4_internal.h"
#include "names/nfs4.h"

static bool call_is_ours(const struct rpc_call *call)
{
	return call->has_call && call->program == NFS4_PROGRAM && call->version == NFS_V4 &&
	       call->from == CONN_FROM_CLIENT;
}

/*
 * Operations that renew the lease of minor version 0 when they succeed: those that carry a client
 * ID or a stateid (RFC 7530 section 9.5).
 */
static bool op_renews(uint32_t op)
{
	switch (op) {
	case OP_RENEW:
	case OP_OPEN:
	case OP_OPEN_CONFIRM:
	case OP_OPEN_DOWNGRADE:
	case OP_CLOSE:
	case OP_READ:
	case OP_WRITE:
	case OP_LOCK:
	case OP_LOCKU:
	case OP_DELEGRETURN:
		return true;
	default:
		return false;
	}
}

static bool call_renews_v40(const struct rpc_call *call)
{
	for (uint32_t i = 0; i < call->ops_len; i++)
		if (op_renews(call->ops[i].op))
			return true;
	return false;
}

/*
 * What a later operation of the COMPOUND was answered does not take a renewal back, nor does the
 * hint that the callback path is down (RFC 7530 section 16.28.4).
 */
static bool reply_renews_v40(const struct rpc_call *call)
{
	for (uint32_t i = 0; i < call->ops_len; i++)
		if (op_renews(call->ops[i].op) &&
		    (call->ops[i].status == NFS4_OK || call->ops[i].status == NFS4ERR_CB_PATH_DOWN))
			return true;
	return false;
}

/* Statuses by which a server says that it does not know the client or its session (any more). */
static bool status_is_loss(uint32_t status)
{
	return status == NFS4ERR_BADSESSION || status == NFS4ERR_DEADSESSION ||
	       status == NFS4ERR_STALE_CLIENTID || status == NFS4ERR_EXPIRED ||
	       status == NFS4ERR_STALE_STATEID;
}

static struct nfs4_session *path_session(struct nfs4_model *m, struct nfs4_path *path,
					 const struct rpc_call *call)
{
	struct nfs4_session *s = nfs4_session_get(m, path->server_at, call->sequence.sessionid);

	if (s->party)
		nfs4_party_join(path, s->party);
	else
		s->party = nfs4_party_find(path->party);
	return s;
}

/* Each call on a slot counts its sequence number up by one (RFC 8881 section 2.10.6.1). */
static bool session_lacks_calls(struct nfs4_session *s, const struct nfs4_sequence *sequence)
{
	uint32_t *last;
	bool lacks;

	if (sequence->slot >= NFS4_SLOTS_WATCHED)
		return false;
	last = &s->slot_sequence[sequence->slot];
	lacks = *last && sequence->seqid > *last && sequence->seqid - *last > 1;
	*last = sequence->seqid;
	return lacks;
}

static void note_destroy(struct nfs4_model *m, const struct nfs4_path *path,
			 const struct nfs4_fact *fact)
{
	struct nfs4_session *s = nfs4_session_find(m, path->server_at, fact->sessionid);

	if (s)
		s->destroy_sent = true;
}

static void take_call(void *context, const struct event *event)
{
	struct nfs4_model *m = context;
	const struct rpc_call *call = event->rpc;
	struct nfs4_path *path;
	struct nfs4_session *s;
	struct nfs4_party *p;

	if (!call_is_ours(call))
		return;
	path = nfs4_path_get(m, call->conn);
	if (!path)
		return;
	s = call->sequence.present ? path_session(m, path, call) : NULL;
	for (uint32_t i = 0; i < call->facts_len; i++)
		if (call->facts[i].kind == NFS4_FACT_EXCHANGE_ID ||
		    call->facts[i].kind == NFS4_FACT_SETCLIENTID)
			nfs4_identity_presented(m, path, call, &call->facts[i]);
		else if (call->facts[i].kind == NFS4_FACT_DESTROY_SESSION)
			note_destroy(m, path, &call->facts[i]);
	p = nfs4_party_find(path->party);
	if (!provenance_seen(&p->first_seen)) {
		p->first_seen = call->call;
		p->evidence = call->call.evidence;
		p->minor_version = call->minor_version;
	}
	p->host = call->conn->client;
	p->host.port = 0;
	if (s) {
		s->sequences++;
		if (call->sequence.slot > s->highest_slot)
			s->highest_slot = call->sequence.slot;
		if (session_lacks_calls(s, &call->sequence))
			nfs4_ladder_missed(p);
		nfs4_slots_called(m, s, call);
		nfs4_ladder_attempted(p, call);
	} else if (call->minor_version == 0 && call_renews_v40(call)) {
		nfs4_ladder_attempted(p, call);
	}
}

/*
 * A session that works is the current one, also where the capture lacks how it was made; but an
 * answer that was under way when a newer one was made says nothing.
 */
static bool session_takes_over(const struct nfs4_session *current, const struct nfs4_session *s,
			       const struct rpc_call *call)
{
	if (!current)
		return true;
	return current != s && s->refusals == 0 && !s->destroy_sent &&
	       provenance_before(&current->created, &call->call);
}

static void take_sequence(struct nfs4_model *m, struct nfs4_path *path, const struct rpc_call *call)
{
	struct nfs4_session *s = path_session(m, path, call);
	struct nfs4_party *p = nfs4_party_find(path->party);

	if (call->sequence.status != NFS4_STATUS_NONE)
		nfs4_slots_answered(m, s, call);
	if (call->sequence.status == NFS4_OK) {
		s->last_ok = call->reply;
		if (session_takes_over(p->session, s, call))
			p->session = s;
		nfs4_ladder_renewed(p, call);
		nfs4_waits_moved(p);
	} else if (status_is_loss(call->sequence.status)) {
		if (s->refusals++ == 0)
			s->refused = call->reply;
		nfs4_ladder_lost(p, s, call, OP_SEQUENCE, call->sequence.status);
	}
}

/* Minor version 0, where any operation with a client ID or stateid may tell the loss. */
static void take_v40(struct nfs4_path *path, const struct rpc_call *call)
{
	struct nfs4_party *p = nfs4_party_find(path->party);
	uint32_t op = call->ops_len ? call->ops[call->ops_len - 1].op : 0;

	for (uint32_t i = 0; i < call->ops_len; i++)
		if (call->ops[i].status == call->status)
			op = call->ops[i].op;
	if (op == OP_SETCLIENTID || op == OP_SETCLIENTID_CONFIRM)
		return; /* a step of the ladder, not its cause */
	if (status_is_loss(call->status) && op_renews(op))
		nfs4_ladder_lost(p, NULL, call, op, call->status);
	else if (reply_renews_v40(call))
		nfs4_ladder_renewed(p, call);
}

static bool fact_reclaims(const struct nfs4_fact *fact)
{
	return fact->kind == NFS4_FACT_OPEN ? fact->claim == CLAIM_PREVIOUS : fact->claim != 0;
}

/* State that no client has during a grace period. */
static bool fact_is_new(const struct nfs4_fact *fact)
{
	return fact->kind == NFS4_FACT_LOCK || fact->claim == CLAIM_NULL || fact->claim == CLAIM_FH;
}

static void take_reclaim(struct nfs4_path *path, const struct rpc_call *call, uint32_t status)
{
	struct nfs4_server *server = path->server_at;
	struct nfs4_recovery *r = nfs4_party_find(path->party)->now;

	if (status == NFS4_OK) {
		if (server->reclaims_ok++ == 0)
			server->reclaim_ok = call->reply;
		if (r)
			r->reclaims_ok++;
	} else if (status != NFS4_STATUS_NONE && status != NFS4ERR_DELAY &&
		   status != NFS4ERR_GRACE) {
		if (server->reclaims_refused++ == 0)
			server->reclaim_refused = call->reply;
		if (r)
			r->reclaims_refused++;
	}
}

static void take_bind(struct nfs4_model *m, struct nfs4_path *path, const struct rpc_call *call,
		      const struct nfs4_fact *fact)
{
	struct nfs4_session *s = nfs4_session_find(m, path->server_at, fact->sessionid);

	if (s && s->party)
		nfs4_party_join(path, s->party);
	if (status_is_loss(fact->status))
		nfs4_ladder_lost(nfs4_party_find(path->party), s, call, fact->op, fact->status);
}

static void take_renew(struct nfs4_model *m, struct nfs4_path *path, const struct nfs4_fact *fact)
{
	const struct nfs4_clientid *c = nfs4_clientid_find(m, path->server_at, fact->clientid);
	struct nfs4_party *p;

	if (c && c->instance && c->instance->party)
		nfs4_party_join(path, c->instance->party);
	p = nfs4_party_find(path->party);
	if (!p->has_clientid) {
		p->has_clientid = true;
		p->clientid = fact->clientid;
	}
}

static bool fact_is_step(const struct nfs4_fact *fact)
{
	return fact->kind == NFS4_FACT_EXCHANGE_ID || fact->kind == NFS4_FACT_CREATE_SESSION ||
	       fact->kind == NFS4_FACT_SETCLIENTID || fact->kind == NFS4_FACT_SETCLIENTID_CONFIRM;
}

static void take_fact(struct nfs4_model *m, struct nfs4_path *path, const struct rpc_call *call,
		      const struct nfs4_fact *fact)
{
	switch (fact->kind) {
	case NFS4_FACT_EXCHANGE_ID:
	case NFS4_FACT_SETCLIENTID:
		nfs4_identity_answered(m, path, call, fact);
		break;
	case NFS4_FACT_CREATE_SESSION:
		nfs4_identity_session(m, path, call, fact);
		break;
	case NFS4_FACT_SETCLIENTID_CONFIRM:
		nfs4_identity_confirm(m, path, call, fact);
		break;
	case NFS4_FACT_DESTROY_SESSION:
	case NFS4_FACT_DESTROY_CLIENTID:
		nfs4_identity_destroyed(m, path, call, fact);
		break;
	case NFS4_FACT_BIND_CONN:
		take_bind(m, path, call, fact);
		break;
	case NFS4_FACT_RECLAIM_COMPLETE:
		if (!fact->one_fs &&
		    (fact->status == NFS4_OK || fact->status == NFS4ERR_COMPLETE_ALREADY)) {
			nfs4_party_find(path->party)->reclaim_complete = true;
			nfs4_ladder_reclaim_complete(nfs4_party_find(path->party), call);
		}
		break;
	case NFS4_FACT_RENEW:
		take_renew(m, path, fact);
		break;
	case NFS4_FACT_OPEN:
	case NFS4_FACT_LOCK:
		if (fact_reclaims(fact))
			take_reclaim(path, call, fact->status);
		else if (fact->status == NFS4_OK && fact_is_new(fact))
			nfs4_waits_opened(nfs4_party_find(path->party), call);
		break;
	case NFS4_FACT_TEST_STATEID:
		break;
	case NFS4_FACT_LEASE_TIME:
		if (fact->status == NFS4_OK) {
			path->server_at->lease_time_s = fact->lease_time_s;
			path->server_at->lease_cite = call->reply;
		}
		break;
	}
}

/* A client that is answered so by its own fault makes many periods: the first are kept. */
static void grace_period_note(struct nfs4_server *server, const struct provenance *at)
{
	struct nfs4_grace *grace = &server->grace;

	if (grace->periods_count == 0 || grace->opened_then != server->opens_ok.count) {
		grace->periods_count++;
		grace->opened_then = server->opens_ok.count;
		if (grace->periods_len < NFS4_GRACE_PERIODS_MAX)
			grace->periods[grace->periods_len++] = (struct nfs4_grace_period){
				.opened_before = server->opens_ok.last,
				.first = *at,
			};
	}
	if (grace->periods_count == grace->periods_len)
		grace->periods[grace->periods_len - 1].count++;
}

static void take_grace(struct nfs4_model *m, struct nfs4_path *path, const struct rpc_call *call)
{
	struct nfs4_grace *grace = &path->server_at->grace;
	struct nfs4_party *p = nfs4_party_find(path->party);

	if (grace->count == 0)
		grace->first = call->reply;
	if (grace->count < NFS4_CITES_MAX)
		grace->cites[grace->count] = call->reply;
	grace->count++;
	grace->last = call->reply;
	grace_period_note(path->server_at, &call->reply);
	p->grace_answers++;
	nfs4_waits_grace(m, p, call);
	if (p->now)
		p->now->grace++;
}

static void take_reply(void *context, const struct event *event)
{
	struct nfs4_model *m = context;
	const struct rpc_call *call = event->rpc;
	struct nfs4_path *path;

	if (!call_is_ours(call) || call->outcome != RPC_SUCCESS)
		return;
	path = nfs4_path_get(m, call->conn);
	if (!path)
		return;
	nfs4_party_find(path->party)->lossy |= call->conn->lossy;
	for (uint32_t i = 0; i < call->facts_len; i++)
		if (call->facts[i].kind == NFS4_FACT_RENEW)
			take_renew(m, path, &call->facts[i]);
	if (call->sequence.present)
		take_sequence(m, path, call);
	else if (call->minor_version == 0 && call->has_status)
		take_v40(path, call);
	for (uint32_t i = 0; i < call->facts_len; i++) {
		take_fact(m, path, call, &call->facts[i]);
		if (fact_is_step(&call->facts[i]))
			nfs4_waits_step(m, nfs4_party_find(path->party), call, &call->facts[i]);
	}
	if (call->has_status && call->status == NFS4ERR_GRACE)
		take_grace(m, path, call);
}

/* Bytes that the wire had and the capture has not: renewals may have been among them. */
static void take_tcp(void *context, const struct event *event)
{
	struct nfs4_model *m = context;
	struct nfs4_path *path;

	if (event->tcp->fact != TCP_FACT_LOST || !event->tcp->acked)
		return;
	path = nfs4_path_find(m, event->conn);
	if (path)
		nfs4_ladder_missed(nfs4_party_find(path->party));
}

void nfs4_model_attach(struct nfs4_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_TCP, take_tcp, m);
	event_board_add_calls(board, EVENT_RPC_CALL, EVENT_CALLS_NFS4, take_call, m);
	event_board_add_calls(board, EVENT_RPC_REPLY, EVENT_CALLS_NFS4, take_reply, m);
}

void nfs4_model_finish(struct nfs4_model *m)
{
	nfs4_slots_finish(m);
	for (size_t i = 0; i < m->parties.len; i++) {
		struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		nfs4_ladder_end(p);
		nfs4_waits_end(p);
		if (p->server->layout_disproved)
			nfs4_ladder_disown_boots(p);
	}
}
