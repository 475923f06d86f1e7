// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The recovery ladder: what a client does after its server refused its session or client ID.
 *
 * Minor versions 1 and 2 (RFC 8881 section 8.4; Linux nfs4_state_manager): refused (BADSESSION) →
 * DESTROY_SESSION → CREATE_SESSION; if that is answered STALE_CLIENTID → EXCHANGE_ID →
 * CREATE_SESSION → reclaims → RECLAIM_COMPLETE. Minor version 0 (RFC 7530 section 9.6.3): refused
 * (STALE_CLIENTID, EXPIRED) → SETCLIENTID → SETCLIENTID_CONFIRM → reclaims; it has no last step, so
 * a recovery stays open for what it still answers until the next one begins.
 */
#include "model/nfs4_internal.h"

#include "base/mem.h"
#include "names/nfs4.h"

#include <stdlib.h>

/* How far the clocks of a server and of a capture may be apart for a guess to be believed. */
#define BOOT_SLACK_NS (300 * STAMP_NS_PER_S)

/*
 * The place for the next recovery: when all are used up, the last one is overwritten. Most clients
 * never need one and few need many, so the room doubles.
 */
static struct nfs4_recovery *recovery_place(struct nfs4_party *p)
{
	uint32_t len = p->recoveries_len;

	if (len < NFS4_RECOVERIES_MAX) {
		if ((len & (len - 1)) == 0) /* 0, or a power of two: the room is used up */
			p->recoveries = mem_resize(p->recoveries, len ? len * 2 : 1,
						   sizeof(*p->recoveries));
		p->recoveries_len++;
	}
	return &p->recoveries[p->recoveries_len - 1];
}

/*
 * A start time that is only plausible is believed to have changed where it falls into the time
 * between the last answer of the old instance and the first of the new one.
 */
static bool boot_change_fits(const struct nfs4_recovery *r)
{
	int64_t boot_ns = r->new_boot_s * STAMP_NS_PER_S;
	const struct provenance *before =
		provenance_seen(&r->last_renewal) ? &r->last_renewal : &r->lost_call;

	return r->new_boot_s > r->old_boot_s && boot_ns > before->at.ns - BOOT_SLACK_NS &&
	       boot_ns < r->created.at.ns + BOOT_SLACK_NS;
}

static void recovery_read_boots(const struct nfs4_server *server, struct nfs4_recovery *r)
{
	enum nfs4_clientid_layout layout = server->layout;

	r->old_boot_s = nfs4_clientid_boot_s(layout, r->old_clientid);
	r->new_boot_s = nfs4_clientid_boot_s(layout, r->new_clientid);
	if (r->old_boot_s < 0 || r->new_boot_s < 0)
		return;
	if (r->old_boot_s == r->new_boot_s)
		r->clientid_steps =
			(int64_t)(uint32_t)(nfs4_clientid_counter(layout, r->new_clientid) -
					    nfs4_clientid_counter(layout, r->old_clientid));
	else if (!server->layout_proven && !boot_change_fits(r))
		r->old_boot_s = r->new_boot_s = -1;
}

static void recovery_close(struct nfs4_party *p)
{
	struct nfs4_recovery *r = p->now;

	if (!r->old_clientid && r->has_old_session && p->server->layout_proven) {
		memcpy(&r->old_clientid, r->old_sessionid, sizeof(r->old_clientid));
		r->old_clientid = __builtin_bswap64(r->old_clientid);
	}
	if (r->old_clientid && r->new_clientid)
		recovery_read_boots(p->server, r);
	p->full_count += r->kind == RECOVERY_FULL;
	p->session_only_count += r->kind == RECOVERY_SESSION_ONLY;
	p->now = NULL;
	p->ladder = LADDER_IDLE;
}

void nfs4_ladder_disown_boots(struct nfs4_party *p)
{
	for (uint32_t i = 0; i < p->recoveries_len; i++) {
		p->recoveries[i].old_boot_s = p->recoveries[i].new_boot_s = -1;
		p->recoveries[i].clientid_steps = -1;
	}
}

void nfs4_ladder_absorb(struct nfs4_party *known, struct nfs4_party *unknown)
{
	bool known_open = known->ladder != LADDER_IDLE;

	known->recoveries_count += unknown->recoveries_count;
	known->full_count += unknown->full_count;
	known->session_only_count += unknown->session_only_count;
	/* A recovery that is under way stays the last one, at its place: then only counts move. */
	for (uint32_t i = 0; i < unknown->recoveries_len && !known_open; i++)
		*recovery_place(known) = unknown->recoveries[i];
	if (unknown->ladder != LADDER_IDLE && !known_open) {
		known->ladder = unknown->ladder;
		known->now = &known->recoveries[known->recoveries_len - 1];
	}
	free(unknown->recoveries);
	unknown->recoveries = NULL;
	unknown->recoveries_len = 0;
	unknown->recoveries_count = unknown->full_count = unknown->session_only_count = 0;
	unknown->now = NULL;
	unknown->ladder = LADDER_IDLE;
}

void nfs4_ladder_end(struct nfs4_party *p)
{
	if (p->ladder != LADDER_IDLE)
		recovery_close(p);
}

/*
 * Another instance of the owner whom the server accepted after it had accepted us: whoever that is
 * has pushed us out.
 */
static void recovery_find_other(struct nfs4_party *p)
{
	struct nfs4_recovery *r = p->now;
	const struct vec *instances;

	if (r->other || !p->instance)
		return;
	instances = &p->instance->owner->instances;
	for (size_t i = 0; i < instances->len; i++) {
		const struct nfs4_instance *other = *(struct nfs4_instance **)vec_at(instances, i);

		if (other == p->instance || !provenance_seen(&other->accepted_last))
			continue;
		if (provenance_seen(&p->state_made) &&
		    other->accepted_last.at.ns < p->state_made.at.ns)
			continue;
		if (other->accepted_last.at.ns > r->lost.at.ns)
			continue;
		r->other = other;
		r->other_accepted = other->accepted_last;
	}
}

static void recovery_start(struct nfs4_party *p, const struct nfs4_session *session,
			   const struct rpc_call *call, uint32_t op, uint32_t status)
{
	struct nfs4_recovery *r = recovery_place(p);

	*r = (struct nfs4_recovery){
		.lost_status = status,
		.lost_op = op,
		.lost = call->reply,
		.lost_call = call->call,
		.last_renewal = p->last_renewal,
		.first_attempt = p->first_attempt,
		.silence_ns = -1,
		.calls_in_silence = p->calls_since_renewal,
		.old_boot_s = -1,
		.new_boot_s = -1,
		.clientid_steps = -1,
		.seen_identifications = -1,
		.old_given_count = p->has_clientid ? p->clientid_given_count : 0,
	};
	if (provenance_seen(&p->last_renewal)) {
		r->silence_ns = call->call.at.ns - p->last_renewal.at.ns;
		if (r->silence_ns < 0)
			r->silence_ns = 0;
		r->connection_lost = p->renewed_on != call->conn->serial;
	}
	if (session) {
		r->has_old_session = true;
		memcpy(r->old_sessionid, session->id, NFS4_SESSIONID_BYTES);
	}
	if (p->has_clientid)
		r->old_clientid = p->clientid;
	p->now = r;
	p->ladder = LADDER_LOST;
	p->recoveries_count++;
	recovery_find_other(p);
}

void nfs4_ladder_lost(struct nfs4_party *p, struct nfs4_session *session,
		      const struct rpc_call *call, uint32_t op, uint32_t status)
{
	if (session) {
		if (session->destroyed_by_client || (p->session && session != p->session))
			return; /* a late echo of a session that is already given up */
		/* Answers to calls that were under way when the session fell. */
		if (p->ladder != LADDER_IDLE && p->now->has_old_session &&
		    memcmp(p->now->old_sessionid, session->id, NFS4_SESSIONID_BYTES) == 0)
			return;
	} else if (p->ladder != LADDER_IDLE && p->ladder != LADDER_CREATED) {
		return;
	} else if (provenance_seen(&p->state_made) && call->call.at.ns < p->state_made.at.ns) {
		return; /* minor version 0: sent before the new client ID was there */
	}
	nfs4_ladder_end(p);
	recovery_start(p, session, call, op, status);
}

void nfs4_ladder_destroyed(struct nfs4_party *p, const struct rpc_call *call)
{
	if (p->ladder != LADDER_LOST)
		return;
	p->ladder = LADDER_DESTROYED;
	p->now->destroy = call->reply;
}

void nfs4_ladder_refused(struct nfs4_party *p, const struct rpc_call *call)
{
	if (p->ladder == LADDER_CREATED)
		nfs4_ladder_end(p);
	if (p->ladder == LADDER_IDLE)
		recovery_start(p, NULL, call, OP_CREATE_SESSION, NFS4ERR_STALE_CLIENTID);
	if (p->ladder == LADDER_IDENTIFIED)
		return; /* the new client ID was pushed out too: the same recovery goes on */
	p->ladder = LADDER_REFUSED;
	p->now->create_refused = call->reply;
}

void nfs4_ladder_identified(struct nfs4_party *p, const struct rpc_call *call,
			    const struct nfs4_fact *fact)
{
	struct nfs4_recovery *r = p->now;

	if (p->ladder == LADDER_IDLE || p->ladder == LADDER_CREATED)
		return; /* a mount, an update of the callback, or trunking discovery */
	p->ladder = LADDER_IDENTIFIED;
	if (!provenance_seen(&r->identified))
		r->identified = call->reply;
	r->own_identifications++;
	r->confirmed = (fact->res_flags & EXCHGID4_FLAG_CONFIRMED_R) != 0;
	recovery_find_other(p);
}

void nfs4_ladder_created(struct nfs4_party *p, const struct rpc_call *call,
			 const struct nfs4_clientid *clientid)
{
	struct nfs4_recovery *r = p->now;

	if (p->ladder == LADDER_IDLE || p->ladder == LADDER_CREATED)
		return;
	r->kind = p->ladder == LADDER_IDENTIFIED ? RECOVERY_FULL : RECOVERY_SESSION_ONLY;
	r->created = call->reply;
	r->new_clientid = clientid->id;
	if (r->old_given_count && clientid->given_count >= r->old_given_count)
		r->seen_identifications = (int64_t)(clientid->given_count - r->old_given_count);
	p->ladder = LADDER_CREATED;
	if (r->kind == RECOVERY_SESSION_ONLY)
		recovery_close(p);
}

void nfs4_ladder_reclaim_complete(struct nfs4_party *p, const struct rpc_call *call)
{
	if (p->ladder != LADDER_CREATED)
		return;
	p->now->reclaim_complete = call->reply;
	recovery_close(p);
}

void nfs4_ladder_attempted(struct nfs4_party *p, const struct rpc_call *call)
{
	if (p->calls_since_renewal++ == 0)
		p->first_attempt = call->call;
}

void nfs4_ladder_renewed(struct nfs4_party *p, const struct rpc_call *call)
{
	p->last_renewal = call->reply;
	p->renewals++;
	p->renewed_on = call->conn->serial;
	p->calls_since_renewal = 0;
}
