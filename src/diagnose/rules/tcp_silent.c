// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tcp-path-silent: data is sent again and again on an established connection, and nothing at all
 * comes back (catalogue B1, B16). The sender's own repetitions prove that it got no
 * acknowledgement, so packets that the capture lost cannot look like this.
 *
 * A server's data that nobody takes hurts only a client that is still there: it counts when the
 * client answers again later.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>

/* TCP's timer doubles from 0.2 s or from 1 s: so much later nothing was merely lost once or twice.
 */
#define SILENCE_MIN_NS (5 * STAMP_NS_PER_S)

/*
 * A client that does not take answers for a while is missed by nobody: a machine that is paused,
 * dumped or moved. Only when it is away for long does it lose leases and locks by it.
 */
#define CLIENT_AWAY_MIN_NS (30 * STAMP_NS_PER_S)
enum { REPEATS_MIN = 3 };

/* Silences of connections between the same hosts that are no further apart are one. */
#define JOIN_NS (10 * STAMP_NS_PER_S)

static bool silence_counts(const struct rule_input *in, const struct path_stall *s)
{
	const struct path_quiet *q = &s->quiet;
	int64_t min_ns = s->from == CONN_FROM_SERVER ? CLIENT_AWAY_MIN_NS : SILENCE_MIN_NS;

	if (!s->heard_before || q->repeats < REPEATS_MIN ||
	    path_span_ns(q->from.at, q->last.at) < min_ns)
		return false;
	if (s->from == CONN_FROM_SERVER && !transport_known(&q->until))
		return false;
	return transport_port_is_nfs(in, &s->conn.server) && !transport_stall_is_large(in, s);
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
		" times from %s on, and nothing at all came back from %s, %s. The connection had "
		"worked before: a host, a link or something on the way stopped. %s",
		from_client ? client : server, t->tries, transport_time(d, t->first), silent,
		t->over ? arena_format(&d->arena, "until %s", transport_time(d, t->end))
			: "as long as the evidence shows it",
		transport_where(in, d, f, t, t->from));
	finding_cite(d, f, &t->cite_first, &t->conn, "the last progress before the silence");
	finding_cite(d, f, &t->cite_last, &t->conn, "sent again for the last time in vain");
	finding_cite(d, f, &t->cite_over, &t->conn, "the other side again");
	for (uint32_t i = 0; i < t->cites_len; i++)
		finding_cite(d, f, &t->cites[i], &t->conn, "the same data sent again");
	finding_rule_out(d, f, "rpc-server-silent", "not even TCP acknowledged what was sent");
	finding_rule_out(d, f, "tcp-loss", "nothing came back at all in all that time");
}

static void silent_run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec troubles;

	vec_init(&troubles, sizeof(struct transport_trouble));
	transport_silences(in, &troubles);
	for (size_t i = 0; i < troubles.len; i++)
		silence_tell(in, out, vec_at(&troubles, i));
	vec_deinit(&troubles);
}

const struct rule rule_tcp_path_silent = {
	.id = "tcp-path-silent",
	.needs = "a capture that shows both directions of the connection",
	.run = silent_run,
};
