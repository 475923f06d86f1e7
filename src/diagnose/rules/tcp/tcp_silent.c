// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tcp-path-silent: data is sent again and again on an established connection, and nothing at all
 * comes back (catalogue B1, B16). The sender's own repetitions prove that it got no
 * acknowledgement, so packets that the capture lost cannot look like this.
 *
 * A server's data that nobody takes hurts only a client that is still there: it counts when the
 * client answers again later.
 */
#include "diagnose/rules/tcp/tcp_silent.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

/*
 * A client that does not take answers for a while is missed by nobody: a machine that is paused,
 * dumped or moved. Only when it is away for long does it lose leases and locks by it.
 */
#define CLIENT_AWAY_MIN_NS (30 * STAMP_NS_PER_S)

/* Silences of connections between the same hosts that are no further apart are one. */
#define JOIN_NS (10 * STAMP_NS_PER_S)

static bool silence_is(const struct rule_input *in, const struct path_stall *s)
{
	const struct path_quiet *q = &s->quiet;
	int64_t min_ns = s->from == CONN_FROM_SERVER ? CLIENT_AWAY_MIN_NS : SILENCE_MIN_NS;

	if (!s->heard_before || q->repeats < SILENCE_REPEATS_MIN ||
	    path_span_ns(q->from.at, q->last.at) < min_ns)
		return false;
	if (s->from == CONN_FROM_SERVER && !transport_known(&q->until))
		return false;
	return transport_port_is_nfs(in, &s->conn.server) && !transport_stall_is_large(in, s);
}

static bool silence_counts(const struct rule_input *in, const struct path_stall *s)
{
	return silence_is(in, s) && !transport_stall_may_be_large(in, s);
}

/* The host is there for small segments: this connection is treated differently, or large ones are.
 */
static void size_undecided(const struct rule_input *in, struct diagnosis *d)
{
	for (size_t i = 0; i < in->path->stalls.len; i++) {
		const struct path_stall *s = vec_at(&in->path->stalls, i);

		if (!silence_is(in, s) || !transport_stall_may_be_large(in, s))
			continue;
		diagnosis_undecided(
			d, "tcp-path-silent",
			arena_format(
				&d->arena,
				"only segments of %" PRIu64 " bytes and more of %s got no "
				"answer, and the other host was heard meanwhile: either "
				"something on the way does not carry packets of that size, or it "
				"does not know this connection any more",
				s->bytes_min,
				transport_host(d, s->from == CONN_FROM_CLIENT ? &s->conn.client
									      : &s->conn.server)),
			"ping -M do -s 1472 PEER, and smaller until it answers, from the host that "
			"sends them");
		return;
	}
}

void transport_silences(const struct rule_input *in, struct vec *out)
{
	for (size_t i = 0; i < in->path->stalls.len; i++) {
		const struct path_stall *s = vec_at(&in->path->stalls, i);
		const struct path_quiet *q = &s->quiet;
		struct transport_trouble *t;

		if (!silence_counts(in, s))
			continue;
		t = vec_push(out);
		t->conn = s->conn;
		t->from = s->from;
		t->first = q->from.at;
		t->over = transport_known(&q->until);
		t->end = t->over ? q->until.at : q->last.at;
		t->tries = q->repeats;
		t->conns = 1;
		t->cite_first = s->since;
		t->cite_last = q->last;
		t->cite_over = q->until;
		t->worked_before = true;
		for (uint32_t j = 0; j < s->cites_len; j++)
			t->cites[t->cites_len++] = s->cites[j];
	}
	transport_join(out, JOIN_NS);
}

static void silence_tell(const struct rule_input *in, struct diagnosis *d,
			 const struct transport_trouble *t)
{
	struct finding *f = transport_finding(d, "tcp-path-silent", CONFIDENCE_LIKELY, &t->conn,
					      t->first, t->end);
	const char *client = transport_host(d, &t->conn.client);
	const char *server = transport_endpoint(d, &t->conn.server);
	bool from_client = t->from == CONN_FROM_CLIENT;
	const char *silent = from_client ? server : client;

	f->count = t->tries;
	f->title = arena_format(&d->arena, "%s fell silent towards %s for %s", silent,
				from_client ? client : server,
				transport_duration(d, path_span_ns(t->first, t->end)));
	f->why = arena_format(
		&d->arena,
		"On an established connection %s sent the same data again %" PRIu32
		" times after %s, and nothing at all came back from %s, %s. The connection had "
		"worked before: a host, a link or something on the way stopped. %s",
		from_client ? client : server, t->tries, transport_time(d, t->first), silent,
		t->over ? arena_format(&d->arena, "until %s", transport_time(d, t->end))
			: "as long as the evidence shows it",
		transport_where(in, d, f, t, t->from));
	finding_cite(d, f, &t->cite_first, &t->conn, "the last progress before the silence");
	finding_cite(d, f, &t->cite_last, &t->conn, "sent again for the last time%s",
		     t->over ? "" : ", in vain");
	finding_cite(d, f, &t->cite_over, &t->conn, "the other side again");
	for (uint32_t i = 0; i < t->cites_len; i++)
		finding_cite(d, f, &t->cites[i], &t->conn, "the same data sent again");
	finding_rule_out(d, f, "rpc-server-silent", "not even TCP acknowledged what was sent");
	finding_rule_out(d, f, "tcp-loss", "nothing came back at all in all that time");
}

/*
 * The capture that speaks shows the answers of the server, so that nothing is silent in it; the one
 * near the client shows that they do not arrive.
 */
static bool back_counts(const struct rule_input *in, const struct wire_record *w,
			struct wire_tale *back, struct wire_span *again)
{
	const struct conn_record *r = conn_model_find(in->conns, w->conn.serial);
	const struct wire_run *run;
	struct wire_tale to;

	if (!r || !r->carried_rpc || !wire_record_tale(w, CONN_FROM_SERVER, back) ||
	    !wire_record_tale(w, CONN_FROM_CLIENT, &to) || !back->is_shown || !to.is_shown ||
	    back->near_sender != w->conn.evidence || !transport_port_is_nfs(in, &w->conn.server) ||
	    evidence_list_at(in->evidence, back->near_receiver)->dropped_packets)
		return false;
	run = &back->way->longest[back->sender];
	if (run->count < SILENCE_REPEATS_MIN ||
	    path_span_ns(run->first.at, run->last.at) < SILENCE_MIN_NS)
		return false;
	/* The client sends the same again all the time: it has got nothing. */
	*again = wire_tale_span(&to, run->first.at, run->last.at);
	return again->arrived >= SILENCE_REPEATS_MIN && again->lost == 0 &&
	       path_span_ns(again->arrived_first->at[WIRE_SPEAKER].at,
			    again->arrived_last->at[WIRE_SPEAKER].at) >= SILENCE_MIN_NS / 2;
}

static void back_tell(const struct rule_input *in, struct diagnosis *d, const struct wire_record *w)
{
	const char *client = transport_host(d, &w->conn.client);
	const char *server = transport_endpoint(d, &w->conn.server);
	const struct wire_run *run;
	struct wire_span again;
	struct wire_tale back;
	struct finding *f;

	if (!back_counts(in, w, &back, &again))
		return;
	run = &back.way->longest[back.sender];
	f = transport_finding(d, "tcp-path-silent", CONFIDENCE_LIKELY, &w->conn, run->first.at,
			      run->last.at);
	f->count = run->count;
	f->title = arena_format(&d->arena, "nothing of %s arrives at %s for %s", server, client,
				transport_duration(d, path_span_ns(f->first, f->last)));
	f->why = arena_format(
		&d->arena,
		"On an established connection %" PRIu64 " segments in a row of %s, from %s on, are "
		"in %s and not in %s, taken nearer to %s: they are lost between the two captures. "
		"What %s sends arrives: %" PRIu64
		" segments that it sent again meanwhile, as nothing came back, are in both.",
		run->count, server, transport_time(d, run->first.at),
		evidence_list_at(in->evidence, back.near_sender)->id,
		evidence_list_at(in->evidence, back.near_receiver)->id, client, client,
		again.arrived);
	finding_cite(d, f, &run->first, &w->conn, "the first that does not arrive");
	finding_cite(d, f, &run->last, &w->conn, "the last in a row that does not arrive");
	finding_cite(d, f, &again.arrived_first->at[WIRE_SPEAKER], &w->conn,
		     "sent again by the client");
	finding_cite(d, f, &again.arrived_first->at[WIRE_OTHER], &w->conn,
		     "the same, as it left the client");
	finding_cite(d, f, &again.arrived_last->at[WIRE_SPEAKER], &w->conn,
		     "sent again by the client, for the last time");
	finding_rule_out(d, f, "rpc-server-silent", "the server's TCP answers, in vain");
}

static void silent_run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec troubles;

	vec_init(&troubles, sizeof(struct transport_trouble));
	transport_silences(in, &troubles);
	for (size_t i = 0; i < troubles.len; i++)
		silence_tell(in, out, vec_at(&troubles, i));
	size_undecided(in, out);
	for (size_t i = 0; in->wire && i < in->wire->records.len; i++) {
		const struct wire_record *w = *(struct wire_record **)vec_at(&in->wire->records, i);

		if (w->conn.transport != TRANSPORT_TCP)
			continue; /* datagrams are not acknowledged: rpc-retransmission tells */
		back_tell(in, out, w);
		silent_forth_tell(in, out, w);
	}
	vec_deinit(&troubles);
}

const struct rule rule_tcp_path_silent = {
	.id = "tcp-path-silent",
	.needs = "a capture that shows both directions of the connection",
	.run = silent_run,
};
