// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nsm-monitor-failed: a kernel says that it cannot have a host watched (catalogue C5;
 * fs/lockd/mon.c, nsm_monitor). lockd asks the statd of its own host before the first lock, over
 * the loopback interface: no capture of the network shows it. At a client every lock fails with
 * ENOLCK without a message of NLM; a server answers DENIED_NOLOCKS.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "model/nlm/nlm.h"

#include <inttypes.h>
#include <string.h>

/* The denials of a server to this host, by address or by the name that it calls itself; or NULL. */
static const struct nlm_denial *denial_of(const struct rule_input *in,
					  const struct logs_subject *of)
{
	for (size_t i = 0; in->nlm && i < in->nlm->denials.len; i++) {
		const struct nlm_denial *n = *(struct nlm_denial **)vec_at(&in->nlm->denials, i);

		if (of->server_is_address ? endpoint_same_host(&n->client, &of->server_at)
					  : strcmp(n->caller, of->server) == 0)
			return n;
	}
	return NULL;
}

/* Names the two hosts as far as the evidence tells which of them is the server. */
static void about(const struct rule_input *in, struct diagnosis *d, struct finding *f,
		  const struct logs_subject *of, const struct nlm_denial *n)
{
	struct logs_subject unnamed = {.host = of->host, .program = "", .server = ""};

	if (!n) {
		log_finding_about(in, d, f, &unnamed);
	} else {
		finding_subject(d, f, "log of", "%s", log_host_text(d, of->host));
		finding_set_server(d, f, &n->server);
		finding_add_client(d, f, &n->client);
	}
	finding_subject(d, f, "cannot watch", "%s", log_text(d, of->server));
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct logs_tally *t)
{
	struct finding *f = diagnosis_add(d, "nsm-monitor-failed", CONFIDENCE_CERTAIN);
	const struct nlm_denial *n = denial_of(in, &t->of);
	const char *host = log_text(d, t->of.host->name), *peer = log_text(d, t->of.server);

	about(in, d, f, &t->of, n);
	f->first = t->first.at;
	f->last = t->last.at;
	f->count = t->count;
	f->title = arena_format(&d->arena, "lockd of %s cannot have %s watched: its statd fails",
				host, peer);
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " time%s (the line is limited in its rate) the kernel of %s wrote that "
		"the rpc.statd of its own host did not take %s under watch: it does not run, does "
		"not answer, or refuses the name. %s",
		t->count, t->count == 1 ? "" : "s", host, peer,
		n ? arena_format(&d->arena,
				 "It is the server: it answered %s of %s with DENIED_NOLOCKS.",
				 nfs4_count_text(d, n->count, "lock request", "lock requests"),
				 nfs4_host_text(d, &n->client))
		  : "If it is the client of the two, its locks fail with ENOLCK and no LOCK is on "
		    "the "
		    "wire; if it is the server, it answers LOCK with DENIED_NOLOCKS.");
	for (uint32_t i = 0; i < t->cites_len; i++)
		finding_cite(d, f, &t->cites[i], NULL, "lockd: cannot monitor %s", peer);
	if (n)
		finding_cite(d, f, &n->first, &n->conn, "the first DENIED_NOLOCKS");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->monitors.len; i++)
		tell(in, out, logs_tally_at(&in->logs->monitors, i));
}

const struct rule rule_nsm_monitor_failed = {
	.id = "nsm-monitor-failed",
	.needs = "the kernel log of the host whose statd fails",
	.run = run,
};
