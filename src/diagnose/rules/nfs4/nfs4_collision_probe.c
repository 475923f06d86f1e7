// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-client-owner-collision where a server's trace names no verifiers: probes of the functions of
 * fs/nfsd/nfs4state.c, or its answers to SEQUENCE.
 *
 * CREATE_SESSION and SETCLIENTID_CONFIRM throw out a confirmed client only for another instance of
 * its owner. A client
 * that rebooted never uses the session that it had before: where somebody misses its session right
 * behind, and comes and throws out again, both are alive. A power cut, after which many clients
 * come anew, has no such misses; a server that restarted has nobody to throw out.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>
#include <string.h>

#include "model/nfs4/clid.h"

enum { MUTUAL_SURE = 2, ROUNDS_MIN = 3 };

static const char *proof_words(struct diagnosis *d, const struct clid_table *t)
{
	if (t->mutual)
		return arena_format(
			&d->arena,
			"%s times the one that missed it was not the one that had come, "
			"and came next: %s and %s in the first of these rounds.",
			arena_format(&d->arena, "%" PRIu64, t->mutual),
			transport_endpoint(d, &t->sides[0]), transport_endpoint(d, &t->sides[1]));
	if (t->rounds)
		return "Whose calls these were the trace does not tell.";
	return "Whether sessions were missed in between the trace does not tell; they were ended "
	       "by their clients, which one that rebooted cannot do.";
}

static void tell(struct diagnosis *d, const struct clid_table *t,
		 enum finding_confidence confidence)
{
	struct finding *f = diagnosis_add(d, "nfs4-client-owner-collision", confidence);
	uint64_t rounds = t->rounds ? t->rounds : t->rounds_ended;

	finding_subject(d, f, "trace of", "%s", nfs4_trace_host_text(d, t->host, t->host_told));
	f->host = log_text(d, t->host);
	for (size_t i = 0; t->has_sides && i < 2; i++)
		finding_add_client(d, f, &t->sides[i]);
	f->first = t->first.at;
	f->last = t->last.at;
	f->count = rounds;
	f->title = arena_format(&d->arena, "client instances with one owner throw each other out%s",
				t->has_sides ? arena_format(&d->arena, ": %s and %s",
							    transport_endpoint(d, &t->sides[0]),
							    transport_endpoint(d, &t->sides[1]))
					     : "");
	f->why = arena_format(
		&d->arena,
		"The server's trace has a client that is confirmed (CREATE_SESSION, or "
		"SETCLIENTID_CONFIRM) throw out another confirmed one %s, which happens "
		"only for another instance of that client's owner; %s somebody %s in "
		"between. A client that rebooted does not know its old "
		"sessions, so those that were thrown out are alive. %s The server must take each "
		"instance for a reboot of the other.",
		nfs4_count_text(d, t->expelled, "time", "times"),
		nfs4_count_text(d, rounds, "time", "times"),
		t->rounds ? "used a session, or client ID, that was gone" : "ended a session",
		proof_words(d, t));
	for (uint32_t i = 0; i < t->cites_len; i++)
		finding_cite(d, f, &t->cites[i], NULL,
			     t->cited[i] == CLID_EXPELLED
				     ? "a client that is confirmed throws out another one"
				     : "a session, or client ID, is used that is gone");
	finding_cite(d, f, &t->last, NULL, "the last time here");
	finding_rule_out(d, f, "nfs4-server-restart",
			 "a server that restarted has no confirmed client to throw out");
	finding_rule_out(d, f, "nfs4-lease-expired",
			 "the clients were thrown out for others, not when their leases ended");
}

static void judge(struct diagnosis *d, const struct clid_table *t)
{
	if (t->mutual >= MUTUAL_SURE)
		tell(d, t, CONFIDENCE_CERTAIN);
	else if (t->mutual || t->rounds >= ROUNDS_MIN)
		tell(d, t, CONFIDENCE_LIKELY);
	else if (t->rounds_ended >= ROUNDS_MIN)
		tell(d, t, CONFIDENCE_POSSIBLE);
	else if (t->expelled >= ROUNDS_MIN)
		diagnosis_undecided(
			d, "nfs4-client-owner-collision",
			"whether clients rebooted, or several present one owner: the server threw "
			"out confirmed clients for new instances, and the trace does not show "
			"whether the old ones live on",
			"trace-cmd record -e nfsd:nfsd_clid_fresh -e nfsd:nfsd_clid_verf_mismatch "
			"-e nfsd:nfsd_clid_confirmed sleep 60; trace-cmd report");
}

/* Of two recordings of one server the one that tells more. */
static bool tells_more(const struct clid_table *a, const struct clid_table *b)
{
	if (a->mutual != b->mutual)
		return a->mutual > b->mutual;
	if (a->rounds != b->rounds)
		return a->rounds > b->rounds;
	if (a->rounds_ended != b->rounds_ended)
		return a->rounds_ended > b->rounds_ended;
	return a->expelled > b->expelled;
}

static bool is_best(const struct clid_model *m, size_t index)
{
	const struct clid_table *t = *(struct clid_table *const *)vec_at(&m->tables, index);

	for (size_t i = 0; i < m->tables.len; i++) {
		const struct clid_table *o = *(struct clid_table *const *)vec_at(&m->tables, i);

		if (i != index && strcmp(o->host, t->host) == 0 &&
		    (tells_more(o, t) || (i < index && !tells_more(t, o))))
			return false;
	}
	return true;
}

void nfs4_collision_tell_probes(const struct rule_input *in, struct diagnosis *out)
{
	const struct clid_model *m = in->clids;

	if (nfs4_trace_was_told(out, "nfs4-client-owner-collision"))
		return;
	for (size_t i = 0; m && i < m->tables.len; i++)
		if (is_best(m, i))
			judge(out, *(struct clid_table *const *)vec_at(&m->tables, i));
}
