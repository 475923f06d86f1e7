// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-session-reset-loop (symptom): clients climb the recovery ladder again and again. Why, other
 * rules say; one finding for each owner that several instances present, and one for all the other
 * clients of a server.
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

/* Fewer rounds than this are recoveries, no loop. */
enum { ROUNDS_MIN = 3 };

/* Loops of different clients are one where they went on at the same time. */
#define SAME_TIME_NS (60 * STAMP_NS_PER_S)

struct loop {
	const struct nfs4_server *server;
	const struct nfs4_owner *owner; /* NULL: not known, or several */
	uint64_t rounds, clients;
	int64_t from_ns, to_ns; /* first loss and last */
	struct finding *finding;
};

static struct loop *loop_of(struct vec *loops, const struct nfs4_party *p)
{
	bool shared = p->instance && p->instance->owner->instances.len > 1;
	const struct nfs4_owner *owner = shared ? p->instance->owner : NULL;
	int64_t first_ns = p->recoveries[0].lost.at.ns;
	int64_t last_ns = p->recoveries[p->recoveries_len - 1].lost.at.ns;
	struct loop *l;

	for (size_t i = 0; i < loops->len; i++) {
		l = vec_at(loops, i);
		if (l->server == p->server && l->owner == owner &&
		    (owner ||
		     (first_ns < l->to_ns + SAME_TIME_NS && last_ns > l->from_ns - SAME_TIME_NS)))
			return l;
	}
	l = vec_push(loops);
	l->server = p->server;
	l->owner = owner;
	l->from_ns = first_ns;
	l->to_ns = last_ns;
	return l;
}

static void add_party(struct diagnosis *d, struct loop *l, struct nfs4_party *p)
{
	const struct nfs4_recovery *first = &p->recoveries[0];
	const struct nfs4_recovery *last = &p->recoveries[p->recoveries_len - 1];
	struct nfs4_loss loss = {p, first};

	if (!l->finding) {
		l->finding = diagnosis_add(d, "nfs4-session-reset-loop", CONFIDENCE_CERTAIN);
		finding_set_server(d, l->finding, &p->server->at);
		if (l->owner)
			finding_subject(d, l->finding, "owner", "%s", nfs4_owner_text(d, l->owner));
		nfs4_cite_ladder(d, l->finding, &loss);
	}
	nfs4_cite(d, l->finding, p->server, &last->lost, "%s is refused for the last time here",
		  nfs4_host_text(d, &p->host));
	finding_add_client(d, l->finding, &p->host);
	nfs4_finding_span(l->finding, &first->lost);
	nfs4_finding_span(l->finding, &last->lost);
	if (first->lost.at.ns < l->from_ns)
		l->from_ns = first->lost.at.ns;
	if (last->lost.at.ns > l->to_ns)
		l->to_ns = last->lost.at.ns;
	l->rounds += p->recoveries_count;
	l->clients++;
}

static void write_loop(struct diagnosis *d, struct loop *l)
{
	struct finding *f = l->finding;

	f->count = l->rounds;
	f->title = arena_format(&d->arena, "%s lost and rebuilt NFSv4 state %s within %s",
				l->clients == 1 && f->clients.len
					? *(const char **)vec_at(&f->clients, 0)
					: nfs4_count_text(d, l->clients, "client", "clients"),
				nfs4_count_text(d, l->rounds, "time", "times"),
				nfs4_duration_text(d, l->to_ns - l->from_ns));
	f->why = "In each round the server refuses what it gave before, and the client sets it up "
		 "anew: its session, and its client ID where that is gone. Programs see delays; "
		 "locks and opens may be lost in between, which shows as EIO later, and an open "
		 "that needs more than ten rounds fails with EIO. A Linux client logs none of the "
		 "rounds that succeed, at most locks that it lost.";
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	const struct nfs4_model *m = in->nfs4;
	struct vec loops;

	vec_init(&loops, sizeof(struct loop));
	for (size_t i = 0; i < m->parties.len; i++) {
		struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (!p->merged_into && p->recoveries_count >= ROUNDS_MIN)
			add_party(out, loop_of(&loops, p), p);
	}
	for (size_t i = 0; i < loops.len; i++)
		write_loop(out, vec_at(&loops, i));
	vec_deinit(&loops);
	nfs4_loop_tell_ladder(in, out);
}

const struct rule rule_nfs4_session_reset_loop = {
	.id = "nfs4-session-reset-loop",
	.needs = "a capture of NFSv4 traffic with several recoveries of one client, or the "
		 "client's trace of nfs4_*",
	.run = run,
};
