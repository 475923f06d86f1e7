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
#include "model/nfs4/nfs4_internal.h"

#include "base/mem.h"
#include "names/nfs4.h"

#include <stdlib.h>

/* How far the clocks of a server and of a capture may be apart for a guess to be believed. */
#define BOOT_SLACK_NS (300 * STAMP_NS_PER_S)

/* Calls of one client are answered in any order, but not so much. */
#define CLOCK_SET_BACK_NS STAMP_NS_PER_S

static bool boot_changed(const struct nfs4_recovery *r)
{
	return r->old_boot_s >= 0 && r->old_boot_s != r->new_boot_s;
}

/*
 * The place for the next recovery: when all are used up, the last one is overwritten, or the one
 * before it where the last one tells of a restart that no other does. Most clients
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
	} else if (boot_changed(&p->recoveries[len - 1]) &&
		   !boot_changed(&p->recoveries[len - 2])) {
		p->recoveries[len - 2] = p->recoveries[len - 1];
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
	if (r->old_boot_s == r->new_boot_s) {
		r->clientid_steps =
			(int64_t)(uint32_t)(nfs4_clientid_counter(layout, r->new_clientid) -
					    nfs4_clientid_counter(layout, r->old_clientid));
		if (server->layout_proven && r->has_old_session && r->has_new_session)
			r->session_steps =
				nfs4_session_steps(layout, r->old_sessionid, r->new_sessionid);
	} else if (!server->layout_proven && !boot_change_fits(r)) {
		r->old_boot_s = r->new_boot_s = -1;
	}
}

/* Where the layout is proven a session ID begins with the client ID that it was made for. */
static uint64_t clientid_of_session(const struct nfs4_server *server,
				    const uint8_t sessionid[NFS4_SESSIONID_BYTES])
{
	uint64_t clientid;

	memcpy(&clientid, sessionid, sizeof(clientid));
	return server->layout == NFS4_LAYOUT_GANESHA ? clientid : __builtin_bswap64(clientid);
}

static void recovery_close(struct nfs4_party *p)
{
	struct nfs4_recovery *r = p->now;

	if (!r->old_clientid && r->has_old_session && p->server->layout_proven)
		r->old_clientid = clientid_of_session(p->server, r->old_sessionid);
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
		p->recoveries[i].session_steps = -1;
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
 * has pushed us out. Where our own acceptance is not in the evidence we must have been there before
 * the other, else it may be what we were before a reboot.
 */
static void recovery_find_other(struct nfs4_party *p)
{
	const struct provenance *since =
		provenance_seen(&p->state_made) ? &p->state_made : &p->first_seen;
	struct nfs4_recovery *r = p->now;
	const struct vec *instances;

	if (r->other || !p->instance)
		return;
	instances = &p->instance->owner->instances;
	for (size_t i = 0; i < instances->len; i++) {
		const struct nfs4_instance *other = *(struct nfs4_instance **)vec_at(instances, i);

		if (other == p->instance || !provenance_seen(&other->accepted_last))
			continue;
		if (provenance_before(&other->accepted_last, since) ||
		    provenance_before(&r->lost, &other->accepted_last))
			continue;
		r->other = other;
		r->other_accepted = other->accepted_last;
	}
}

/*
 * Between the last renewal and the call that was refused, by one clock only: the capture's, and
 * where that stood still the server's, which is the one that a lease goes by.
 */
static void recovery_measure_silence(struct nfs4_party *p, struct nfs4_recovery *r,
				     const struct conn *conn)
{
	r->connection_lost = p->renewed_on != conn->serial;
	/* A connection that the capture shows from its middle had calls that are not there. */
	r->renewals_missed |= r->connection_lost && conn->joined;
	if (p->last_renewal.evidence != r->lost_call.evidence)
		return;
	/* Answered before the renewal that went before it: the capture's clock was set back. */
	if (r->lost.at.ns < p->last_renewal.at.ns - CLOCK_SET_BACK_NS)
		return;
	/* Most of the time is one that the server has not seen: a lease goes by its clock. */
	if (!r->connection_lost &&
	    conn->clock_ahead_ns > (r->lost.at.ns - p->last_renewal.at.ns) / 2)
		return;
	r->silence_ns = r->lost_call.at.ns - p->last_renewal.at.ns;
	if (r->silence_ns < 0)
		r->silence_ns = 0;
	if (!r->connection_lost && p->renewed_clock_ns >= 0) {
		r->hidden_ns = conn->clock_lost_ns - p->renewed_clock_ns;
		r->silence_ns += r->hidden_ns;
	}
	if (r->silence_ns > p->longest_silence_ns)
		p->longest_silence_ns = r->silence_ns;
}

/* The client ID that fell: best told by the session that was refused. 0: not known. */
static uint64_t clientid_lost(const struct nfs4_party *p, const struct nfs4_session *session)
{
	if (session && session->has_clientid)
		return session->clientid;
	if (session && p->server->layout_proven)
		return clientid_of_session(p->server, session->id);
	return p->has_clientid ? p->clientid : 0;
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
		.silence_ns = -1,
		.hidden_ns = -1,
		.calls_in_silence = p->calls_since_renewal,
		.renewals_missed = p->renewals_missed,
		.old_boot_s = -1,
		.new_boot_s = -1,
		.clientid_steps = -1,
		.seen_identifications = -1,
		.session_steps = -1,
		.old_given_count = p->has_clientid ? p->clientid_given_count : 0,
	};
	if (p->calls_since_renewal)
		r->first_attempt = p->first_attempt;
	if (provenance_seen(&p->last_renewal))
		recovery_measure_silence(p, r, call->conn);
	if (session) {
		r->has_old_session = true;
		memcpy(r->old_sessionid, session->id, NFS4_SESSIONID_BYTES);
	}
	r->old_clientid = clientid_lost(p, session);
	p->now = r;
	p->ladder = LADDER_LOST;
	p->recoveries_count++;
	recovery_find_other(p);
}

void nfs4_ladder_lost(struct nfs4_party *p, struct nfs4_session *session,
		      const struct rpc_call *call, uint32_t op, uint32_t status)
{
	if (session) {
		if (session->destroy_sent || (p->session && session != p->session))
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

/*
 * What was lost, told by the client ID that works in the end. A client may introduce itself without
 * need and get back the one that it had; and a step that the capture lost proves nothing.
 */
static enum nfs4_recovery_kind recovery_kind(const struct nfs4_party *p, uint64_t clientid)
{
	const struct nfs4_recovery *r = p->now;
	bool identified = p->ladder == LADDER_IDENTIFIED;

	if (provenance_seen(&r->create_refused))
		return RECOVERY_FULL;
	if (r->old_clientid ? r->old_clientid != clientid : identified && !r->confirmed)
		return RECOVERY_FULL;
	if (p->minor_version == 0 || (!r->old_clientid && p->lossy))
		return RECOVERY_OPEN;
	return RECOVERY_SESSION_ONLY;
}

void nfs4_ladder_created(struct nfs4_party *p, const struct rpc_call *call,
			 const struct nfs4_clientid *clientid)
{
	struct nfs4_recovery *r = p->now;

	if (p->ladder == LADDER_IDLE || p->ladder == LADDER_CREATED)
		return;
	r->kind = recovery_kind(p, clientid->id);
	r->created = call->reply;
	r->new_clientid = clientid->id;
	if (r->old_given_count && clientid->given_count >= r->old_given_count)
		r->seen_identifications = (int64_t)(clientid->given_count - r->old_given_count);
	p->ladder = LADDER_CREATED;
	if (r->kind != RECOVERY_FULL)
		recovery_close(p);
}

void nfs4_ladder_reclaim_complete(struct nfs4_party *p, const struct rpc_call *call)
{
	if (p->ladder != LADDER_CREATED)
		return;
	p->now->reclaim_complete = call->reply;
	recovery_close(p);
}

void nfs4_ladder_missed(struct nfs4_party *p)
{
	p->renewals_missed = true;
}

void nfs4_ladder_gave_up(struct nfs4_party *p, const struct rpc_call *call)
{
	nfs4_ladder_end(p);
	p->has_clientid = false;
	p->session = NULL;
	p->state_made = call->reply; /* from here on another instance would be in nobody's way */
	p->last_renewal = (struct provenance){.frame = FRAME_NONE};
	p->calls_since_renewal = 0;
	p->renewals_missed = false;
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
	p->renewed_clock_ns = call->conn->clock_lost_ns;
	p->calls_since_renewal = 0;
	p->renewals_missed = false;
}
