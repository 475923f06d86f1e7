// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Who presents which client owner, and what the server makes of it: EXCHANGE_ID, CREATE_SESSION and
 * their ends (RFC 8881 sections 18.35-18.37, 18.50), SETCLIENTID and SETCLIENTID_CONFIRM (RFC 7530
 * sections 16.33-16.34).
 */
#include "model/nfs4/nfs4_internal.h"

#include "event/nfs4_date.h"
#include "names/nfs4.h"

/*
 * Linux presents a verifier of all ones when it only wants the server to forget its state
 * (nfs4_init_boot_verifier, NFS4CLNT_PURGE_STATE): that is no other incarnation.
 */
static bool verifier_purges(const uint8_t verifier[NFS4_VERIFIER_BYTES])
{
	for (unsigned i = 0; i < NFS4_VERIFIER_BYTES; i++)
		if (verifier[i] != 0xff)
			return false;
	return true;
}

/* Keeps a name for the run; one that is already kept costs nothing. */
static void name_keep(struct nfs4_model *m, struct nfs4_name *kept, struct nfs4_name name)
{
	if (kept->len == name.len &&
	    (name.len == 0 || memcmp(kept->bytes, name.bytes, name.len) == 0))
		return;
	kept->bytes = (const uint8_t *)arena_copy(&m->arena, name.bytes, name.len);
	kept->len = name.len;
}

static void instance_add_host(struct nfs4_instance *i, const struct rpc_call *call)
{
	struct endpoint host = call->conn->client;

	host.port = 0;
	for (uint32_t k = 0; k < i->hosts_len; k++)
		if (endpoint_equal(&i->hosts[k], &host))
			return;
	if (i->hosts_len == NFS4_HOSTS_MAX)
		return;
	i->hosts[i->hosts_len] = host;
	i->host_first[i->hosts_len++] = call->call;
}

/* Keeps the order in which the owner's instances come and come back. */
static void owner_note_presence(struct nfs4_owner *o, struct nfs4_instance *i,
				const struct rpc_call *call)
{
	struct nfs4_instance *before = o->current;

	o->current = i;
	if (!before || before == i || i->identifications == 0)
		return;
	o->returns_in_one_capture += i->last.evidence == before->last.evidence &&
				     i->last.evidence == call->call.evidence;
	if (o->returns++ == 0) {
		o->return_first[0] = i->last;
		o->return_first[1] = before->last;
		o->return_first[2] = call->call;
		o->return_instance[0] = i;
		o->return_instance[1] = before;
	}
	o->return_last = call->call;
}

static struct nfs4_instance *identity_instance(struct nfs4_model *m, struct nfs4_path *path,
					       const struct rpc_call *call,
					       const struct nfs4_fact *fact)
{
	struct nfs4_owner *o = nfs4_owner_get(m, path->server_at, fact->owner, call->minor_version);
	struct nfs4_instance *i = o ? nfs4_instance_get(m, o, fact->verifier) : NULL;

	if (!i)
		return NULL;
	owner_note_presence(o, i, call);
	if (i->identifications++ == 0) {
		i->first = call->call;
		i->evidence = call->call.evidence;
		i->boot = nfs4_verifier_date(fact->verifier, call->call.at);
	}
	i->last = call->call;
	i->in_several_captures |= i->evidence != call->call.evidence;
	instance_add_host(i, call);
	return i;
}

/* Takes over what an unknown party did before it told its name. */
static void party_absorb(struct nfs4_party *known, struct nfs4_party *unknown)
{
	unknown->merged_into = known;
	if (unknown->last_renewal.at.ns > known->last_renewal.at.ns ||
	    !provenance_seen(&known->last_renewal)) {
		known->last_renewal = unknown->last_renewal;
		known->renewed_on = unknown->renewed_on;
		known->renewed_clock_ns = unknown->renewed_clock_ns;
	}
	if (provenance_seen(&unknown->first_seen) &&
	    (!provenance_seen(&known->first_seen) ||
	     provenance_before(&unknown->first_seen, &known->first_seen)))
		known->first_seen = unknown->first_seen;
	known->renewals_missed |= unknown->renewals_missed;
	known->renewals += unknown->renewals;
	known->lossy |= unknown->lossy;
	if (!known->session)
		known->session = unknown->session;
	nfs4_ladder_absorb(known, unknown);
	nfs4_slots_absorb(known, unknown);
	nfs4_waits_absorb(known, unknown);
	known->reclaim_complete |= unknown->reclaim_complete;
}

void nfs4_party_join(struct nfs4_path *path, struct nfs4_party *known)
{
	struct nfs4_party *p = nfs4_party_find(path->party);

	known = nfs4_party_find(known);
	if (p == known)
		return;
	if (!p->instance && !known->merged_into)
		party_absorb(known, p);
	path->party = known;
}

/* The path's party is the instance's from now on. */
static void identity_bind(struct nfs4_model *m, struct nfs4_path *path, struct nfs4_instance *i)
{
	struct nfs4_party *p = nfs4_party_find(path->party);

	if (i->party) {
		nfs4_party_join(path, i->party);
	} else if (!p->instance) {
		i->party = p;
		p->instance = i;
	} else {
		i->party = nfs4_party_make(m, path->server_at);
		if (!i->party)
			return;
		i->party->instance = i;
		path->party = i->party;
	}
}

void nfs4_identity_presented(struct nfs4_model *m, struct nfs4_path *path,
			     const struct rpc_call *call, const struct nfs4_fact *fact)
{
	struct nfs4_instance *i;

	if (fact->owner.len == 0 || verifier_purges(fact->verifier))
		return;
	i = identity_instance(m, path, call, fact);
	if (!i)
		return;
	identity_bind(m, path, i);
	nfs4_party_find(path->party)->minor_version = call->minor_version;
}

/* Keeps the server's scope, and that it changed. */
static void take_scope(struct nfs4_model *m, struct nfs4_server *s, struct nfs4_name scope,
		       const struct provenance *at)
{
	if (scope.len == 0)
		return;
	if (s->scope.len &&
	    (s->scope.len != scope.len || memcmp(s->scope.bytes, scope.bytes, scope.len) != 0)) {
		s->scope_before = s->scope;
		s->scope_seen = s->scope_told;
		s->scope_changed = *at;
		s->scope_changes++;
	}
	name_keep(m, &s->scope, scope);
	s->scope_told = *at;
}

/* Whether the party knew the server under another scope; from now on it knows this one. */
static void note_scope(struct nfs4_party *p)
{
	if (p->now && p->scope_known && p->scope_changes != p->server->scope_changes)
		p->now->scope_changed = true;
	p->scope_known = p->server->scope.len > 0;
	p->scope_changes = p->server->scope_changes;
}

static void instance_in_use(struct nfs4_instance *i, const struct rpc_call *call)
{
	if (i->in_use++ == 0)
		i->in_use_first = call->reply;
	i->in_use_last = call->reply;
}

void nfs4_identity_answered(struct nfs4_model *m, struct nfs4_path *path,
			    const struct rpc_call *call, const struct nfs4_fact *fact)
{
	struct nfs4_party *p = nfs4_party_find(path->party);
	struct nfs4_instance *i = p->instance;
	struct nfs4_clientid *c;

	if (!i || memcmp(i->verifier, fact->verifier, NFS4_VERIFIER_BYTES) != 0)
		return;
	if (fact->status == NFS4ERR_CLID_INUSE)
		instance_in_use(i, call);
	if (fact->status == NFS4ERR_DELAY)
		nfs4_stretch_add(&path->server_at->put_off, &call->reply);
	if (fact->status != NFS4_OK)
		return;
	if (fact->kind == NFS4_FACT_EXCHANGE_ID) {
		name_keep(m, &path->server_at->owner, fact->server_owner);
		take_scope(m, path->server_at, fact->server_scope, &call->reply);
		note_scope(p);
	} else {
		nfs4_layout_guess(path->server_at, fact->res_clientid, call->reply.at);
	}
	c = nfs4_clientid_get(m, path->server_at, fact->res_clientid);
	c->instance = i;
	path->server_at->identifications++;
	if (!provenance_seen(&c->given)) {
		c->given = call->reply;
		c->given_count = path->server_at->identifications;
	}
	nfs4_boot_note(path->server_at, fact->res_clientid, &call->reply);
	nfs4_ladder_identified(p, call, fact);
}

/* The client ID works from now on: the instance holds state at the server. */
static void identity_accepted(struct nfs4_path *path, struct nfs4_party *p, struct nfs4_clientid *c,
			      const struct rpc_call *call)
{
	bool fresh = !provenance_seen(&c->confirmed);

	if (fresh)
		c->confirmed = call->reply;
	if (c->instance && fresh) {
		if (c->instance->accepted++ == 0)
			c->instance->accepted_first = call->reply;
		c->instance->accepted_last = call->reply;
	}
	nfs4_boot_note(path->server_at, c->id, &call->reply);
	nfs4_ladder_created(p, call, c);
	if (!p->has_clientid || p->clientid != c->id)
		p->state_made = call->reply;
	if (fresh)
		p->reclaim_complete = false;
	p->has_clientid = true;
	p->clientid = c->id;
	p->clientid_given_count = c->given_count;
	nfs4_ladder_renewed(p, call);
}

static void session_made(struct nfs4_model *m, struct nfs4_path *path, struct nfs4_party *p,
			 const struct rpc_call *call, const struct nfs4_fact *fact)
{
	struct nfs4_session *s = nfs4_session_get(m, path->server_at, fact->res_sessionid);

	s->has_clientid = true;
	s->clientid = fact->clientid;
	s->party = p;
	s->created = call->reply;
	s->slots = fact->res_slots;
	s->slots_asked = fact->slots;
	p->session = s;
	if (p->now) {
		p->now->has_new_session = true;
		memcpy(p->now->new_sessionid, fact->res_sessionid, NFS4_SESSIONID_BYTES);
	}
}

/* What EXCHANGE_ID or SETCLIENTID gave is not confirmed. */
static void clientid_in_use(struct nfs4_clientid *c, const struct rpc_call *call)
{
	if (!c->instance)
		return;
	instance_in_use(c->instance, call);
	c->instance->in_use_confirmed++;
}

void nfs4_identity_session(struct nfs4_model *m, struct nfs4_path *path,
			   const struct rpc_call *call, const struct nfs4_fact *fact)
{
	struct nfs4_clientid *c = nfs4_clientid_get(m, path->server_at, fact->clientid);
	struct nfs4_party *p;

	if (c->instance && c->instance->party)
		nfs4_party_join(path, c->instance->party);
	p = nfs4_party_find(path->party);
	p->minor_version = call->minor_version;
	switch (fact->status) {
	case NFS4_OK:
		nfs4_layout_learn(path->server_at, fact->clientid, fact->res_sessionid,
				  call->reply.at);
		identity_accepted(path, p, c, call);
		session_made(m, path, p, call, fact);
		break;
	case NFS4ERR_STALE_CLIENTID:
		if (!provenance_seen(&c->refused))
			c->refused = call->reply;
		nfs4_ladder_refused(p, call);
		break;
	case NFS4ERR_CLID_INUSE:
		clientid_in_use(c, call);
		break;
	default:
		break; /* DELAY and the like: the client asks again */
	}
}

void nfs4_identity_confirm(struct nfs4_model *m, struct nfs4_path *path,
			   const struct rpc_call *call, const struct nfs4_fact *fact)
{
	struct nfs4_clientid *c = nfs4_clientid_get(m, path->server_at, fact->clientid);

	if (fact->status == NFS4ERR_CLID_INUSE)
		clientid_in_use(c, call);
	if (fact->status != NFS4_OK)
		return;
	if (c->instance && c->instance->party)
		nfs4_party_join(path, c->instance->party);
	nfs4_layout_guess(path->server_at, fact->clientid, call->reply.at);
	identity_accepted(path, nfs4_party_find(path->party), c, call);
}

void nfs4_identity_destroyed(struct nfs4_model *m, struct nfs4_path *path,
			     const struct rpc_call *call, const struct nfs4_fact *fact)
{
	struct nfs4_party *p = nfs4_party_find(path->party);
	struct nfs4_clientid *c;
	struct nfs4_session *s;

	if (fact->kind == NFS4_FACT_DESTROY_CLIENTID) {
		c = nfs4_clientid_find(m, path->server_at, fact->clientid);
		if (fact->status == NFS4_OK && c)
			c->destroyed = true;
		if (fact->status == NFS4_OK && p->has_clientid && p->clientid == fact->clientid) {
			nfs4_ladder_gave_up(p, call);
		}
		return;
	}
	s = nfs4_session_find(m, path->server_at, fact->sessionid);
	if (s && s->party)
		nfs4_party_join(path, s->party);
	p = nfs4_party_find(path->party);
	nfs4_ladder_destroyed(p, call);
	if (!s || fact->status != NFS4_OK)
		return;
	s->destroyed = call->reply;
	s->destroyed_by_client = true;
	nfs4_slots_drop(m, s);
	if (p->session == s)
		p->session = NULL;
}
