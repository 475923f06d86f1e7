// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nsm-notify-lost: the lock manager restarted, a client did not learn of it and did not take its
 * locks back, and somebody else got one (catalogue C6). Both believe that they hold it.
 *
 * What decides is the second grant: the first holder was granted the lock before the restart, has
 * not given it back and has not reclaimed it, and is alive. If it is not alive nobody could have
 * told it.
 */
#include "diagnose/rules/lock/nlm_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"
#include "event/handle.h"
#include "model/nlm/nlm.h"

#include <inttypes.h>

/* statd sends SM_NOTIFY again and again; sm-notify does for 15 minutes. */
enum { NOTIFIES_MIN = 3 };
#define UNANSWERED_NS (10 * STAMP_NS_PER_S)

/* The notifications of this server to this client; NULL: none was seen. */
static const struct nlm_notify *notify_of(const struct rule_input *in,
					  const struct endpoint *server,
					  const struct endpoint *client)
{
	for (size_t i = 0; i < in->nlm->notifies.len; i++) {
		const struct nlm_notify *n = *(struct nlm_notify **)vec_at(&in->nlm->notifies, i);

		if (endpoint_same_host(&n->from, server) && endpoint_same_host(&n->to, client))
			return n;
	}
	return NULL;
}

/* The first holder was heard of after the restart, and its capture goes on until the lock is taken.
 */
static bool is_alive(const struct rule_input *in, const struct nlm_taken *t, struct stamp restart)
{
	struct stamp end = transport_evidence_end(in, t->conn_from.evidence);

	if (path_span_ns(t->taken.at, end) < 0)
		return false;
	if (transport_known(&t->heard) || transport_known(&t->unlocked))
		return true;
	for (size_t i = 0; i < in->conns->records.len; i++) {
		const struct conn_record *r = transport_record(in, i);

		if (endpoint_same_host(&r->conn.client, &t->from.host) &&
		    transport_known(&r->established) &&
		    path_span_ns(restart, r->established.at) > 0)
			return true;
	}
	return false;
}

static bool is_lossy(const struct rule_input *in, const struct nlm_taken *t)
{
	const struct conn_record *r = conn_model_find(in->conns, t->conn_from.serial);

	return t->conn_from.lossy || t->conn.lossy || (r && r->conn.lossy);
}

/* It names itself and its process alike: one client at two addresses, as NAT or a second interface
 * makes it; or two hosts that have one name. */
static bool is_of_one_name(const struct nlm_taken *t)
{
	return t->from.caller[0] && t->from.hash == t->to.hash &&
	       strcmp(t->from.caller, t->to.caller) == 0;
}

static void one_name_tell(struct diagnosis *d, const struct nlm_taken *t)
{
	const char *from = nfs4_host_text(d, &t->from.host), *to = nfs4_host_text(d, &t->to.host);

	diagnosis_undecided(d, "nsm-notify-lost",
			    arena_format(&d->arena,
					 "%s got a lock that %s had got before a restart, and both "
					 "name themselves \"%s\" with the same process: either it "
					 "is one client at two addresses (NAT, two interfaces), or "
					 "two hosts have one name",
					 to, from, t->from.caller),
			    "uname -n; ip -br address, on each of the two");
}

static const char *notify_text(struct diagnosis *d, const struct nlm_taken *t,
			       const struct nlm_notify *n)
{
	const char *client = nfs4_host_text(d, &t->from.host);

	if (!n)
		return arena_format(
			&d->arena,
			"No SM_NOTIFY of the server to %s is in the evidence: it was not "
			"sent, or to another name or address.",
			client);
	return arena_format(&d->arena, "SM_NOTIFY went to %s at %s (as %s, state %" PRId32 ") %s.",
			    client, nlm_time_text(d, n->first.at), n->name[0] ? n->name : "nobody",
			    n->state,
			    n->answered.frame == FRAME_NONE
				    ? "and was not answered"
				    : "and was answered, and no lock was reclaimed after it: the "
				      "client may know the server by another name");
}

static void taken_tell(const struct rule_input *in, struct diagnosis *d, const struct nlm_taken *t,
		       const struct provenance *restart)
{
	const struct nlm_notify *n = notify_of(in, &t->server, &t->from.host);
	bool unlocked = t->unlocked.frame != FRAME_NONE;
	struct finding *f = diagnosis_add(d, "nsm-notify-lost",
					  unlocked ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	const char *from = nfs4_host_text(d, &t->from.host), *to = nfs4_host_text(d, &t->to.host);

	finding_set_server(d, f, &t->server);
	finding_add_client(d, f, &t->from.host);
	finding_add_client(d, f, &t->to.host);
	finding_subject(d, f, "file", "handle with hash 0x%08x (nfs.fh.hash)",
			file_handle_hash(&t->file));
	f->first = restart->at;
	f->last = unlocked ? t->unlocked.at : t->taken.at;
	f->count = 1;
	f->title =
		arena_format(&d->arena, "%s got a lock that %s still holds, after a restart of %s",
			     to, from, nfs4_host_text(d, &t->server));
	f->why = arena_format(
		&d->arena,
		"%s got the lock at %s. The lock manager restarted, which shows at %s, and %s did "
		"not take its lock back: %s got it at %s.%s %s",
		from, nlm_time_text(d, t->granted.at), nlm_time_text(d, restart->at), from, to,
		nlm_time_text(d, t->taken.at),
		unlocked ? arena_format(
				   &d->arena,
				   " %s gave it back at %s: until then it believed that it held "
				   "it.",
				   from, nlm_time_text(d, t->unlocked.at))
			 : "",
		notify_text(d, t, n));
	finding_cite(d, f, &t->taken, &t->conn, "the same lock is granted to %s", to);
	finding_cite(d, f, &t->granted, &t->conn_from, "the lock is granted to %s", from);
	finding_cite(d, f, restart, &t->conn, "the lock manager has restarted");
	finding_cite(d, f, &t->unlocked, &t->conn, "%s gives back what it held", from);
	if (n)
		finding_cite(d, f, &n->first, &n->conn, "SM_NOTIFY to %s", from);
	finding_rule_out(d, f, "nlm-blocked", "the server gave one lock to two hosts");
}

/* --- SM_NOTIFY that nobody answers --- */

static void unanswered_tell(struct diagnosis *d, const struct nlm_notify *n)
{
	struct finding *f = diagnosis_add(d, "nsm-notify-lost", CONFIDENCE_LIKELY);
	const char *to = nfs4_host_text(d, &n->to);

	finding_set_server(d, f, &n->from);
	finding_add_client(d, f, &n->to);
	f->first = n->first.at;
	f->last = n->last.at;
	f->count = n->count + n->repeats;
	f->title = arena_format(&d->arena, "%s does not learn that %s has restarted", to,
				nfs4_host_text(d, &n->from));
	f->why = arena_format(
		&d->arena,
		"The server's statd sent SM_NOTIFY to port %u of %s %" PRIu64
		" times from %s to %s, and no answer is in the evidence. As long as the client "
		"does not know, it does not take its locks back, and when the grace period is over "
		"others can get them.",
		n->conn.server.port, to, f->count, nlm_time_text(d, n->first.at),
		nlm_time_text(d, n->last.at));
	finding_cite(d, f, &n->first, &n->conn, "the first SM_NOTIFY");
	finding_cite(d, f, &n->last, &n->conn, "the last SM_NOTIFY, unanswered like the others");
}

static bool is_unanswered(const struct rule_input *in, const struct nlm_notify *n)
{
	return n->answered.frame == FRAME_NONE && n->count + n->repeats >= NOTIFIES_MIN &&
	       path_span_ns(n->first.at, n->last.at) >= UNANSWERED_NS && !n->conn.lossy &&
	       nlm_is_server(in, &n->from) && transport_host_hears(in, n->conn.evidence, &n->from);
}

/* True when a lock of that client was told of already. */
static bool is_told(const struct diagnosis *d, const struct nlm_notify *n)
{
	for (size_t i = 0; i < d->findings.len; i++) {
		const struct finding *f = finding_at(&d->findings, i);

		for (size_t j = 0;
		     f->id && strcmp(f->id, "nsm-notify-lost") == 0 && j < f->clients_at.len; j++)
			if (endpoint_same_host(vec_at(&f->clients_at, j), &n->to))
				return true;
	}
	return false;
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->nlm->taken.len; i++) {
		const struct nlm_taken *t = *(struct nlm_taken **)vec_at(&in->nlm->taken, i);
		const struct provenance *restart =
			nlm_restart_sign(in, &t->server, t->granted.at, t->taken.at);

		if (!restart || is_lossy(in, t) || !is_alive(in, t, restart->at))
			continue;
		if (is_of_one_name(t))
			one_name_tell(out, t);
		else
			taken_tell(in, out, t, restart);
	}
	for (size_t i = 0; i < in->nlm->notifies.len; i++) {
		const struct nlm_notify *n = *(struct nlm_notify **)vec_at(&in->nlm->notifies, i);

		if (is_unanswered(in, n) && !is_told(out, n))
			unanswered_tell(out, n);
	}
}

const struct rule rule_nsm_notify_lost = {
	.id = "nsm-notify-lost",
	.needs = "a capture of NLM traffic that begins before the restart",
	.run = run,
};
