// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a server's list of its NFSv4 clients tells (/proc/fs/nfsd/clients, catalogue A1, A13), each
 * for its id:
 *
 * nfs4-client-owner-collision  two addresses under one client owner, both of which renew
 * nfs4-backchannel-down        a client that renews, and whose callback state is DOWN or FAULT
 *
 * A list shows one moment. Callbacks fail to a machine that stands still, too: they are tried for a
 * tenth of the lease, so who renewed later than that was alive when they failed. An address that
 * does not renew any more may be a client's old one; and a client that is gone is called back by
 * nobody. Silent for a host that a capture shows: the wire tells what came of it.
 */
#include "diagnose/rules/host/host_clients.h"

#include "base/hash.h"
#include "base/map.h"
#include "diagnose/rules/host/host_common.h"
#include "diagnose/rules/timers.h"
#include "diagnose/rules/transport.h"
#include "model/host.h"

#include <inttypes.h>

/* Linux' default lease: who renewed within it was alive a moment ago. */
enum { RENEWED_MAX_S = 90 };

/* Less than a tenth of the default lease, and of a short one. */
enum { HEARD_MAX_S = 8, HEARD_SURE_S = 5 };

enum { CASES_MAX = 16 };

static bool is_alive(const struct nfsd_client_fact *c)
{
	return c->has_renewed && c->renewed_s <= RENEWED_MAX_S && !c->courtesy && !c->expirable;
}

/* The rows of one list with one owner. */
struct owner {
	const struct host_record *first, *other; /* the first, and the first of another address */
};

static bool owner_equal(const void *item, const void *key)
{
	const struct host_record *a = ((const struct owner *)item)->first, *b = key;

	return a->fact.list == b->fact.list &&
	       slice_equal(a->fact.client.name, b->fact.client.name);
}

/* The first row above in the same list with this owner and another address; NULL: none. */
static const struct host_record *rival_of(struct diagnosis *d, struct map *owners,
					  const struct host_record *r)
{
	const struct slice name = r->fact.client.name;
	uint64_t hash = hash_u64(hash_bytes(name.ptr, name.len), r->fact.list);
	struct owner *o = map_find(owners, hash, r);

	if (!o) {
		o = arena_alloc(&d->arena, sizeof(*o));
		o->first = r;
		map_add(owners, hash, o);
		return NULL;
	}
	if (endpoint_same_host(&o->first->fact.client.at, &r->fact.client.at))
		return o->other;
	if (!o->other)
		o->other = r;
	return o->first;
}

static const char *renewed_text(struct diagnosis *d, const struct nfsd_client_fact *c)
{
	if (!c->has_renewed)
		return "when it last renewed is not told";
	return arena_format(&d->arena, "renewed %" PRIu64 " s ago", c->renewed_s);
}

static void collision_tell(struct diagnosis *d, const struct host_record *a,
			   const struct host_record *b)
{
	const struct nfsd_client_fact *x = &a->fact.client, *y = &b->fact.client;
	bool alive = is_alive(x) && is_alive(y);
	struct finding *f = diagnosis_add(d, "nfs4-client-owner-collision",
					  alive ? CONFIDENCE_LIKELY : CONFIDENCE_POSSIBLE);
	const char *name = host_safe_text(d, x->name);

	finding_add_client(d, f, &x->at);
	finding_add_client(d, f, &y->at);
	finding_subject(d, f, "owner", "%s", name);
	f->count = 1;
	f->title = arena_format(&d->arena, "%s and %s present one NFSv4 client owner, \"%s\"",
				transport_host(d, &x->at), transport_host(d, &y->at), name);
	f->why = arena_format(
		&d->arena,
		"The server has two clients named \"%s\" at once: %s (%s) and %s (%s). To it they "
		"are one client that keeps rebooting: when it confirms one of them it drops the "
		"client ID and the session of the other.%s",
		name, transport_host(d, &x->at), renewed_text(d, x), transport_host(d, &y->at),
		renewed_text(d, y),
		alive ? "" : " One that does not renew may be the same client's old address.");
	finding_cite(d, f, &a->at, NULL, "client 0x%016" PRIx64 " from %s", x->clientid,
		     transport_host(d, &x->at));
	finding_cite(d, f, &b->at, NULL, "client 0x%016" PRIx64 " from %s under the same name",
		     y->clientid, transport_host(d, &y->at));
	finding_rule_out(d, f, "nfs4-clientid-in-use",
			 "the server took both instead of answering NFS4ERR_CLID_INUSE");
	if (!alive)
		diagnosis_undecided(d, "nfs4-client-owner-collision",
				    "whether both addresses are in use now: both must renew",
				    "grep -H . /proc/fs/nfsd/clients/*/info, twice a minute apart, "
				    "on the server");
}

void host_clients_collision(const struct rule_input *in, struct diagnosis *out)
{
	const struct host_record *told[CASES_MAX];
	const struct host_record *r;
	struct map owners;
	size_t len = 0, i = 0;

	if (host_is_told(out, "nfs4-client-owner-collision"))
		return;
	map_init(&owners, owner_equal);
	while ((r = host_model_next(in->hosts, HOST_NFSD_CLIENT, &i))) {
		const struct host_record *rival;
		bool known = false;

		if (r->fact.client.name.len == 0 || !r->fact.client.has_address)
			continue;
		rival = rival_of(out, &owners, r);
		for (size_t k = 0; k < len; k++)
			known |= slice_equal(told[k]->fact.client.name, r->fact.client.name);
		if (!rival || known || len == CASES_MAX)
			continue;
		told[len++] = r;
		collision_tell(out, rival, r);
	}
	map_deinit(&owners);
}

static bool is_captured(const struct rule_input *in, const struct endpoint *host)
{
	for (size_t i = 0; i < in->conns->records.len; i++)
		if (endpoint_same_host(&transport_record(in, i)->conn.client, host))
			return true;
	return false;
}

/* The same client in the last list that has it, if there are several. */
static const struct host_record *client_last(const struct rule_input *in,
					     const struct host_record *of)
{
	const struct host_record *r, *last = of;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_NFSD_CLIENT, &i)))
		if (r->fact.client.clientid == of->fact.client.clientid &&
		    r->fact.list > last->fact.list)
			last = r;
	return last;
}

static void callback_tell(struct diagnosis *d, const struct host_record *r,
			  enum finding_confidence confidence)
{
	const struct nfsd_client_fact *c = &r->fact.client;
	struct finding *f = diagnosis_add(d, "nfs4-backchannel-down", confidence);
	struct provenance at = r->at;
	const char *who = transport_host(d, &c->at);

	finding_add_client(d, f, &c->at);
	finding_subject(d, f, "owner", "%s", host_safe_text(d, c->name));
	f->count = 1;
	f->title = arena_format(&d->arena, "the server cannot call %s back", who);
	f->why = arena_format(
		&d->arena,
		"In the server's list the client, which renewed its lease %" PRIu64
		" s before, has the callback state %s. Until that is cured the server gives it no "
		"delegations, and cannot recall those that it has.",
		c->renewed_s, c->callback == CALLBACK_DOWN ? "DOWN" : "FAULT");
	if (c->callback_line)
		at.frame = c->callback_line;
	finding_cite(d, f, &at, NULL, "the client's callback state");
	finding_rule_out(d, f, "nfs4-lease-expired", "the client renewed %" PRIu64 " s before",
			 c->renewed_s);
}

/* States that an administrator took away stay until the client frees them (RFC 8881 18.38). */
static void revoked_undecided(struct diagnosis *d, const struct nfsd_client_fact *c)
{
	diagnosis_undecided(
		d, "nfs4-test-stateid-loop",
		arena_format(
			&d->arena,
			"whether %s frees what an administrator has taken away from it: %" PRIu64
			" states are listed as revoked",
			c->has_address ? transport_host(d, &c->at) : "a client", c->revoked),
		"on the server, again a minute later: grep -H -e clientid -e revoked "
		"/proc/fs/nfsd/clients/*/info");
}

/*
 * Tells of one client, whose row this is, that cannot be called back; `last` is its row in the last
 * list. False: nothing is told of it.
 */
static bool callback_judge(struct diagnosis *d, const struct host_record *r,
			   const struct host_record *last)
{
	const struct nfsd_client_fact *c = &last->fact.client;
	bool renewed = last != r && c->renewed_s < r->fact.client.renewed_s;

	if ((c->callback != CALLBACK_DOWN && c->callback != CALLBACK_FAULT) || !c->has_address ||
	    !c->confirmed || !is_alive(c))
		return false;
	if (!renewed && (last != r || c->renewed_s > HEARD_MAX_S)) {
		diagnosis_undecided(
			d, "nfs4-backchannel-down",
			arena_format(&d->arena,
				     "whether %s, which the server cannot call back, is there: it "
				     "renewed %" PRIu64 " s before",
				     transport_host(d, &c->at), c->renewed_s),
			"on the server, again after a lease: grep -H -e clientid -e renew -e "
			"callback /proc/fs/nfsd/clients/*/info");
		return false;
	}
	callback_tell(d, last,
		      renewed || c->renewed_s <= HEARD_SURE_S ? CONFIDENCE_LIKELY
							      : CONFIDENCE_POSSIBLE);
	return true;
}

void host_clients_callback(const struct rule_input *in, struct diagnosis *out)
{
	const struct host_record *told[CASES_MAX];
	const struct host_record *r;
	size_t len = 0, i = 0;

	while ((r = host_model_next(in->hosts, HOST_NFSD_CLIENT, &i))) {
		const struct nfsd_client_fact *c = &r->fact.client;
		bool known = len == CASES_MAX;

		if (c->revoked && client_last(in, r) == r)
			revoked_undecided(out, c);
		for (size_t k = 0; k < len; k++)
			known |= endpoint_same_host(&told[k]->fact.client.at, &c->at);
		if (known || (c->callback != CALLBACK_DOWN && c->callback != CALLBACK_FAULT) ||
		    is_captured(in, &c->at))
			continue;
		told[len] = r;
		len += callback_judge(out, r, client_last(in, r));
	}
}

const struct host_record *host_clients_find(const struct rule_input *in, uint64_t clientid,
					    const struct provenance *near)
{
	const struct host_record *r, *found = NULL;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_NFSD_CLIENT, &i))) {
		if (r->fact.client.clientid != clientid)
			continue;
		if (r->at.evidence == near->evidence)
			return r;
		if (!found && timers_one_folder(in, r->at.evidence, near->evidence))
			found = r;
	}
	return found;
}
