/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Scripted NFSv4 clients over script.h: each function is one COMPOUND with its answer, 1 ms later,
 * of a client whose server is a Linux nfsd (start time and counter in its client IDs).
 */
#ifndef NFS4_SCRIPT_H
#define NFS4_SCRIPT_H

#include "model/nfs4/nfs4.h"
#include "names/nfs4.h"
#include "script.h"

#define V4_SERVER "192.0.2.10"
#define V4_BOOT_S (SCRIPT_EPOCH_S - 1000)

/* The server, the script and the model that listens. */
struct v4_stage {
	struct script script;
	struct nfs4_model model;
	int64_t boot_s;
	uint32_t counter;  /* of client IDs */
	uint32_t sessions; /* that were made */
	uint64_t serial;   /* of connections */
	uint32_t evidence;
	const char *scope; /* that EXCHANGE_ID tells; NULL: none */
	bool unseen;       /* what is played now is not in the evidence */
	bool opaque;       /* the server's IDs tell nothing */
};

struct v4_client {
	struct conn conn;
	const char *owner;
	uint8_t verifier[NFS4_VERIFIER_BYTES];
	uint32_t minor_version;
	uint64_t id;
	uint8_t session[NFS4_SESSIONID_BYTES];
	uint32_t sequence; /* of slot 0 */
};

static inline void v4_init(struct v4_stage *st)
{
	*st = (struct v4_stage){.script = script_make(), .boot_s = V4_BOOT_S, .counter = 100};
	nfs4_model_init(&st->model);
	nfs4_model_attach(&st->model, &st->script.board);
}

static inline void v4_connect(struct v4_stage *st, struct v4_client *c, const char *host)
{
	st->serial++;
	c->conn =
		script_conn(st->serial, host, (uint16_t)(700 + st->serial % 300), V4_SERVER, 2049);
	c->conn.evidence = st->evidence;
}

/* The machine's verifier is the second of its boot, after SCRIPT_EPOCH_S. */
static inline struct v4_client v4_client(struct v4_stage *st, const char *host, const char *owner,
					 int boot)
{
	struct v4_client c = {.owner = owner, .minor_version = 1};
	uint64_t ns = __builtin_bswap64((uint64_t)((SCRIPT_EPOCH_S + boot) * STAMP_NS_PER_S));

	memcpy(c.verifier, &ns, sizeof(ns));
	v4_connect(st, &c, host);
	return c;
}

static inline uint64_t v4_new_id(struct v4_stage *st)
{
	st->counter++;
	if (st->opaque)
		return st->counter * 0x9e3779b97f4a7c15u;
	return (uint64_t)__builtin_bswap32((uint32_t)st->boot_s) << 32 |
	       __builtin_bswap32(st->counter);
}

/* A COMPOUND of one fact, or of SEQUENCE alone where fact is NULL. */
static inline void v4_compound(struct v4_stage *st, double at, struct v4_client *c,
			       struct nfs4_fact *fact, bool sequence, uint32_t status)
{
	struct nfs4_op_fact op = {.op = fact ? fact->op : OP_SEQUENCE, .status = NFS4_STATUS_NONE};
	struct rpc_call call = {
		.conn = &c->conn,
		.program = NFS4_PROGRAM,
		.version = NFS_V4,
		.procedure = NFSPROC4_COMPOUND,
		.has_call = true,
		.minor_version = c->minor_version,
		.status = NFS4_STATUS_NONE,
		.ops = &op,
		.ops_len = 1,
		.facts = fact,
		.facts_len = fact ? 1 : 0,
	};
	struct event e = {.conn = &c->conn, .rpc = &call};

	if (fact)
		fact->status = NFS4_STATUS_NONE;
	if (sequence) {
		call.sequence = (struct nfs4_sequence){
			.present = true, .seqid = ++c->sequence, .status = NFS4_STATUS_NONE};
		memcpy(call.sequence.sessionid, c->session, NFS4_SESSIONID_BYTES);
	}
	if (st->unseen)
		return;
	e.kind = EVENT_RPC_CALL;
	e.at = call.call = script_place(&st->script, at);
	e.at.evidence = call.call.evidence = st->evidence;
	event_emit(&st->script.board, &e);
	call.outcome = RPC_SUCCESS;
	call.has_status = true;
	call.status = op.status = status;
	if (fact)
		fact->status = status;
	if (sequence)
		call.sequence.status =
			fact && status != NFS4ERR_BADSESSION ? (uint32_t)NFS4_OK : status;
	e.kind = EVENT_RPC_REPLY;
	e.at = call.reply = script_place(&st->script, at + 0.001);
	e.at.evidence = call.reply.evidence = st->evidence;
	event_emit(&st->script.board, &e);
}

static inline void v4_sequence(struct v4_stage *st, double at, struct v4_client *c, uint32_t status)
{
	v4_compound(st, at, c, NULL, true, status);
}

static inline void v4_exchange_id(struct v4_stage *st, double at, struct v4_client *c,
				  uint32_t status, uint64_t id)
{
	struct nfs4_fact f = {
		.kind = NFS4_FACT_EXCHANGE_ID, .op = OP_EXCHANGE_ID, .res_clientid = id};

	f.owner = (struct nfs4_name){(uint16_t)strlen(c->owner), (const uint8_t *)c->owner};
	memcpy(f.verifier, c->verifier, sizeof(f.verifier));
	if (st->scope)
		f.server_scope =
			(struct nfs4_name){(uint16_t)strlen(st->scope), (const uint8_t *)st->scope};
	v4_compound(st, at, c, &f, false, status);
	if (status == NFS4_OK)
		c->id = id;
}

static inline void v4_create_session(struct v4_stage *st, double at, struct v4_client *c,
				     uint32_t status)
{
	struct nfs4_fact f = {
		.kind = NFS4_FACT_CREATE_SESSION, .op = OP_CREATE_SESSION, .clientid = c->id};
	uint64_t wire = st->opaque ? ~c->id : __builtin_bswap64(c->id);

	st->sessions += status == NFS4_OK;
	memcpy(f.res_sessionid, &wire, sizeof(wire));
	memcpy(f.res_sessionid + sizeof(wire), &st->sessions, sizeof(st->sessions));
	v4_compound(st, at, c, &f, false, status);
	if (status == NFS4_OK) {
		memcpy(c->session, f.res_sessionid, sizeof(c->session));
		c->sequence = 0;
	}
}

static inline void v4_destroy(struct v4_stage *st, double at, struct v4_client *c, uint32_t op,
			      uint32_t status)
{
	struct nfs4_fact f = {.kind = op == OP_DESTROY_SESSION ? NFS4_FACT_DESTROY_SESSION
							       : NFS4_FACT_DESTROY_CLIENTID,
			      .op = op,
			      .clientid = c->id};

	memcpy(f.sessionid, c->session, sizeof(f.sessionid));
	v4_compound(st, at, c, &f, false, status);
}

static inline void v4_reclaim_complete(struct v4_stage *st, double at, struct v4_client *c)
{
	struct nfs4_fact f = {.kind = NFS4_FACT_RECLAIM_COMPLETE, .op = OP_RECLAIM_COMPLETE};

	v4_compound(st, at, c, &f, true, NFS4_OK);
}

static inline void v4_lease(struct v4_stage *st, double at, struct v4_client *c, uint32_t seconds)
{
	struct nfs4_fact f = {
		.kind = NFS4_FACT_LEASE_TIME, .op = OP_GETATTR, .lease_time_s = seconds};

	v4_compound(st, at, c, &f, true, NFS4_OK);
}

static inline void v4_open(struct v4_stage *st, double at, struct v4_client *c, uint32_t claim,
			   uint32_t status)
{
	struct nfs4_fact f = {.kind = NFS4_FACT_OPEN, .op = OP_OPEN, .claim = claim};

	v4_compound(st, at, c, &f, true, status);
}

/* From EXCHANGE_ID to RECLAIM_COMPLETE, and the lease of 90 s is told. */
static inline void v4_mount(struct v4_stage *st, double at, struct v4_client *c)
{
	v4_exchange_id(st, at, c, NFS4_OK, v4_new_id(st));
	v4_create_session(st, at + 0.01, c, NFS4_OK);
	v4_reclaim_complete(st, at + 0.02, c);
	v4_lease(st, at + 0.03, c, 90);
}

/* The whole ladder: refused, and back with another client ID within 0.1 s. */
static inline void v4_lose(struct v4_stage *st, double at, struct v4_client *c)
{
	v4_sequence(st, at, c, NFS4ERR_BADSESSION);
	v4_destroy(st, at + 0.01, c, OP_DESTROY_SESSION, NFS4ERR_BADSESSION);
	v4_create_session(st, at + 0.02, c, NFS4ERR_STALE_CLIENTID);
	v4_exchange_id(st, at + 0.03, c, NFS4_OK, v4_new_id(st));
	v4_create_session(st, at + 0.04, c, NFS4_OK);
	v4_reclaim_complete(st, at + 0.05, c);
}

static inline const struct nfs4_party *v4_party(const struct v4_stage *st, size_t instance)
{
	const struct nfs4_instance *i =
		*(struct nfs4_instance **)vec_at(&st->model.instances, instance);

	return nfs4_party_find(i->party);
}

#endif
