// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-session-reset-loop as a client's own trace tells it. Why the server refuses what it gave
 * before is not in it: another instance of the owner, an administrator, a server that restarts.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/nfs4/nfs4_trace.h"

#include <inttypes.h>

#include "model/ladder.h"

/* Fewer rounds than this are recoveries, no loop. */
enum { ROUNDS_MIN = 3 };

static void tell(struct diagnosis *d, const struct ladder_client *c)
{
	struct finding *f = diagnosis_add(d, "nfs4-session-reset-loop", CONFIDENCE_CERTAIN);
	int64_t ns = 0;

	finding_subject(d, f, "trace of", "%s", nfs4_trace_host_text(d, c->host, c->host_told));
	if (c->has_server)
		finding_set_server(d, f, &c->server_at);
	else if (c->server[0])
		finding_subject(d, f, "server", "%s", log_text(d, c->server));
	if (c->has_client)
		finding_add_client(d, f, &c->client_at);
	f->host = log_text(d, c->host);
	f->first = c->first.at;
	f->last = c->last.at;
	f->count = c->rounds;
	log_elapsed_ns(&c->first, &c->last, &ns);
	f->title = arena_format(&d->arena, "the client lost and rebuilt NFSv4 state %s within %s",
				nfs4_count_text(d, c->rounds, "time", "times"),
				nfs4_duration_text(d, ns));
	f->why = arena_format(
		&d->arena,
		"In each round the server refuses what it gave before, and the client sets up its "
		"session anew%s. Programs see delays; locks and opens may be lost in between, "
		"which shows as EIO later. A Linux client logs none of the rounds that succeed, "
		"at most locks that it lost.",
		c->rounds_clientid
			? arena_format(&d->arena, ", in %s its client ID too",
				       nfs4_count_text(d, c->rounds_clientid, "round", "rounds"))
			: "");
	for (uint32_t i = 0; i < c->cites_len; i++)
		finding_cite(d, f, &c->cites[i], NULL, "refused: %s",
			     nfs4_status_text(d, c->cited_status[i]));
	finding_cite(d, f, &c->last, NULL, "state is rebuilt for the last time here");
	if (c->rounds_clientid >= ROUNDS_MIN &&
	    !nfs4_trace_was_told(d, "nfs4-client-owner-collision"))
		diagnosis_undecided(
			d, "nfs4-client-owner-collision",
			"why the server forgets this client: the client's own trace does not show "
			"whether another one presents the same owner",
			"on the server: trace-cmd record -e nfsd:nfsd_clid_fresh -e "
			"nfsd:nfsd_clid_verf_mismatch sleep 60; trace-cmd report");
}

void nfs4_loop_tell_ladder(const struct rule_input *in, struct diagnosis *out)
{
	const struct ladder_model *m = in->ladders;

	if (nfs4_trace_was_told(out, "nfs4-session-reset-loop"))
		return;
	for (size_t i = 0; m && i < m->clients.len; i++) {
		const struct ladder_client *c =
			*(struct ladder_client *const *)vec_at(&m->clients, i);

		if (c->rounds >= ROUNDS_MIN)
			tell(out, c);
	}
}
