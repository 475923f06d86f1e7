// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a server tells a client again and again in the replies to SEQUENCE (RFC 8881 section 18.46:
 * sr_status_flags; in 4.0 the status of RENEW, RFC 7530 section 16.28), what the client does about
 * it (BIND_CONN_TO_SESSION), and TEST_STATEID.
 */
#include "model/nfs4/nfs4_state_internal.h"

#include "base/mem.h"
#include "names/nfs4.h"

#include <stdlib.h>

enum {
	FLAGS_BACKCHANNEL = SEQ4_STATUS_CB_PATH_DOWN | SEQ4_STATUS_CB_PATH_DOWN_SESSION |
			    SEQ4_STATUS_BACKCHANNEL_FAULT,
	FLAGS_REVOKED = SEQ4_STATUS_EXPIRED_ALL_STATE_REVOKED |
			SEQ4_STATUS_EXPIRED_SOME_STATE_REVOKED | SEQ4_STATUS_ADMIN_STATE_REVOKED |
			SEQ4_STATUS_RECALLABLE_STATE_REVOKED,
};

static const uint32_t group_flags[NFS4_FLAG_GROUPS] = {
	[NFS4_FLAGS_BACKCHANNEL] = FLAGS_BACKCHANNEL,
	[NFS4_FLAGS_REVOKED] = FLAGS_REVOKED,
};

bool nfs4_flagged_equal(const void *item, const void *key)
{
	const struct nfs4_flagged *a = item, *b = key;

	return memcmp(a->sessionid, b->sessionid, sizeof(a->sessionid)) == 0 &&
	       endpoint_equal(&a->server, &b->server);
}

static uint64_t flagged_hash(const struct nfs4_flagged *f)
{
	return endpoint_hash(hash_bytes(f->sessionid, sizeof(f->sessionid)), &f->server);
}

/* The record of the session; NULL: none, and `make` is false. */
static struct nfs4_flagged *flagged_get(struct nfs4_state_model *m, const struct rpc_call *call,
					const uint8_t *id, size_t id_bytes, bool make)
{
	struct nfs4_flagged key = {.server = call->conn->server};
	struct nfs4_flagged *f;
	uint64_t hash;

	if (!make && m->flagged.len == 0)
		return NULL;
	memcpy(key.sessionid, id, id_bytes);
	hash = flagged_hash(&key);
	f = recent_find(&m->flagged, hash, &key);
	if (f || !make)
		return f;
	f = mem_alloc(1, sizeof(*f));
	*f = key;
	f->minor_version = call->minor_version;
	free(recent_add(&m->flagged, hash, &f->item));
	return f;
}

static void stretch_end(struct nfs4_flagged *f, enum nfs4_flag_group group,
			const struct provenance *cleared)
{
	struct nfs4_flag_stretch *now = &f->now[group];

	now->cleared = *cleared;
	if (span_ns(&now->span) >= span_ns(&f->longest[group].span))
		f->longest[group] = *now;
	*now = (struct nfs4_flag_stretch){0};
}

static void flags_told(struct nfs4_state_model *m, const struct rpc_call *call, const uint8_t *id,
		       size_t id_bytes, uint32_t flags)
{
	bool any = (flags & (FLAGS_BACKCHANNEL | FLAGS_REVOKED)) != 0;
	struct nfs4_flagged *f = flagged_get(m, call, id, id_bytes, any);

	if (!f)
		return;
	f->client = host_of(&call->conn->client);
	recent_touch(&m->flagged, &f->item);
	for (unsigned g = 0; g < NFS4_FLAG_GROUPS; g++) {
		if (flags & group_flags[g]) {
			span_add(&f->now[g].span, &call->reply, call->conn);
			f->now[g].flags |= flags & group_flags[g];
		} else if (f->now[g].span.count) {
			stretch_end(f, g, &call->reply);
		}
	}
}

static void take_bind(struct nfs4_state_model *m, const struct rpc_call *call,
		      const struct nfs4_fact *fact)
{
	struct nfs4_flagged *f =
		flagged_get(m, call, fact->sessionid, sizeof(fact->sessionid), false);
	struct nfs4_flag_stretch *now;

	if (!f || fact->status == NFS4_STATUS_NONE)
		return;
	now = &f->now[NFS4_FLAGS_BACKCHANNEL];
	if (now->span.count == 0)
		return;
	if (now->binds++ == 0)
		now->bind_first = call->reply;
	now->bind_last = call->reply;
	now->bind_status = fact->status;
	now->binds_ok += fact->status == NFS4_OK;
}

static void take_fact(struct nfs4_state_model *m, const struct rpc_call *call,
		      const struct nfs4_fact *fact)
{
	struct nfs4_flagged *f;

	switch ((int)fact->kind) {
	case NFS4_FACT_BIND_CONN:
		take_bind(m, call, fact);
		break;
	case NFS4_FACT_CREATE_SESSION:
		if (fact->status != NFS4_OK || call->reply_damage ||
		    fact->flags & fact->res_flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN)
			break;
		f = flagged_get(m, call, fact->res_sessionid, sizeof(fact->res_sessionid), true);
		f->no_backchannel = true;
		break;
	case NFS4_FACT_RENEW:
		if (fact->status == NFS4_OK || fact->status == NFS4ERR_CB_PATH_DOWN)
			flags_told(m, call, (const uint8_t *)&fact->clientid,
				   sizeof(fact->clientid),
				   fact->status == NFS4_OK ? 0 : SEQ4_STATUS_CB_PATH_DOWN);
		break;
	default:
		break;
	}
}

void nfs4_flags_take_reply(struct nfs4_state_model *m, const struct rpc_call *call)
{
	if (call->sequence.present && call->sequence.status == NFS4_OK && !call->reply_damage)
		flags_told(m, call, call->sequence.sessionid, sizeof(call->sequence.sessionid),
			   call->sequence.status_flags);
	for (uint32_t i = 0; i < call->facts_len; i++)
		take_fact(m, call, &call->facts[i]);
}

/* --- TEST_STATEID --- */

bool nfs4_tester_equal(const void *item, const void *key)
{
	const struct nfs4_tester *a = item, *b = key;

	return endpoint_equal(&a->client, &b->client) && endpoint_equal(&a->server, &b->server);
}

static struct nfs4_tester *tester_get(struct nfs4_state_model *m, const struct rpc_call *call)
{
	struct nfs4_tester key = {.server = call->conn->server,
				  .client = host_of(&call->conn->client)};
	uint64_t hash = endpoint_hash(endpoint_hash(hash_start(), &key.server), &key.client);
	struct nfs4_tester *t = recent_find(&m->testers, hash, &key);

	if (t) {
		recent_touch(&m->testers, &t->item);
		return t;
	}
	t = mem_alloc(1, sizeof(*t));
	*t = key;
	free(recent_add(&m->testers, hash, &t->item));
	return t;
}

/* The place of this stateid; of those that are watched the one not seen for longest gives way. */
static struct nfs4_tested *tested_get(struct nfs4_tester *t, const struct nfs4_stateid *stateid,
				      const struct provenance *at)
{
	struct nfs4_tested *place = NULL;

	for (uint32_t i = 0; i < t->watched_len; i++) {
		struct nfs4_tested *w = &t->watched[i];

		if (stateid_same(&w->stateid, stateid))
			return w;
		if (apart_ns(&w->tests.last, at) > NFS4_TEST_PAUSE_NS && w->longest.count < 2 &&
		    w->tests.count < 2)
			place = w;
	}
	if (t->watched_len < NFS4_TESTED_MAX)
		place = &t->watched[t->watched_len++];
	if (place)
		*place = (struct nfs4_tested){
			.stateid = *stateid,
			.status = NFS4_STATUS_NONE,
			.statuses = {NFS4_STATUS_NONE, NFS4_STATUS_NONE},
		};
	return place;
}

static void tested_add(struct nfs4_tested *w, const struct provenance *at, const struct conn *conn,
		       uint32_t status)
{
	if (w->tests.count && apart_ns(&w->tests.last, at) > NFS4_TEST_PAUSE_NS) {
		if (span_ns(&w->tests) >= span_ns(&w->longest))
			w->longest = w->tests;
		w->tests = (struct nfs4_span){0};
	}
	span_add(&w->tests, at, conn);
	w->status = status;
	for (unsigned i = 0; i < 2; i++) {
		if (w->statuses[i] == status)
			break;
		if (w->statuses[i] == NFS4_STATUS_NONE) {
			w->statuses[i] = status;
			break;
		}
	}
}

static uint32_t test_status(const struct rpc_call *call, const struct nfs4_op_fact *op)
{
	for (uint32_t i = 0; i < call->facts_len; i++)
		if (call->facts[i].kind == NFS4_FACT_TEST_STATEID &&
		    &call->ops[call->facts[i].index] == op)
			return call->facts[i].test_status;
	return NFS4_STATUS_NONE;
}

void nfs4_testers_take(struct nfs4_state_model *m, const struct rpc_call *call,
		       const struct nfs4_op_fact *op)
{
	const struct nfs4_stateid *stateid = rpc_op_stateid(call, op);
	struct nfs4_tester *t = tester_get(m, call);
	struct nfs4_tested *w;

	if (op->op == OP_FREE_STATEID) {
		t->frees++;
		t->frees_ok += op->status == NFS4_OK;
		t->free_last = call->reply;
		return;
	}
	t->tests++;
	w = stateid ? tested_get(t, stateid, &call->reply) : NULL;
	if (w)
		tested_add(w, &call->reply, call->conn,
			   op->status == NFS4_OK ? test_status(call, op) : op->status);
}
