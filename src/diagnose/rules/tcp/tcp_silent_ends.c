// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * tcp-path-silent where the capture that speaks for the connection is the one near the server: what
 * the client sends in vain only the other one shows. See model/wire/wire.h.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/tcp/tcp_silent.h"

#include <inttypes.h>

/* What only has segments of this size in vain may be a path that takes small ones. */
enum { FORTH_LARGE_BYTES = 1000 };

/* Segments of the client in a row that the server's capture does not show. */
struct forth {
	const struct wire_run *run;
	struct wire_tale tale;
	uint64_t again; /* of them: the same data again, and nothing came back since */
	bool small;     /* one of these is */
	struct provenance again_first, again_last;
	struct provenance heard; /* in the time of the run, at the client; FRAME_NONE: nothing */
};

/* When the client's capture shows the last segment of the server that both show. */
static int64_t forth_back_ns(const struct wire_record *w)
{
	bool high = endpoint_compare(&w->conn.server, &w->conn.client) > 0;
	int64_t ns = w->last_ns[high];

	if (w->conn.evidence != w->path->a)
		return ns; /* the client's capture is a */
	return __builtin_add_overflow(ns, w->last_delta_ns[high], &ns) ? INT64_MAX : ns;
}

/*
 * What came back in the time of the run though the server's capture does not show that: then it
 * missed things, and only what the client sent later was in vain. False: it is not known.
 */
static bool forth_heard(const struct wire_record *w, const struct wire_tale *back,
			struct forth *out)
{
	const struct wire_run *answers = &back->way->now[WIRE_OTHER];
	int64_t from_ns = out->run->first.at.ns, to_ns = out->run->last.at.ns;
	int64_t both_ns = forth_back_ns(w);

	if (answers->count == 0 || answers->last.at.ns < from_ns)
		return true;
	out->heard = answers->last;
	return answers->last.at.ns <= to_ns && both_ns <= answers->last.at.ns;
}

static void forth_count_again(struct forth *f)
{
	const struct vec *places = &f->tale.way->places;
	int64_t from_ns = transport_known(&f->heard) ? f->heard.at.ns : f->run->first.at.ns;

	for (size_t i = 0; i < places->len; i++) {
		const struct wire_place *p = vec_at(places, i);
		const struct provenance *at = &p->at[WIRE_OTHER];

		if (!p->again || transport_known(&p->at[WIRE_SPEAKER]) ||
		    p->fate == WIRE_FATE_RECEIVED || at->at.ns < from_ns ||
		    at->at.ns > f->run->last.at.ns)
			continue;
		if (f->again++ == 0)
			f->again_first = *at;
		f->again_last = *at;
		f->small |= p->bytes < FORTH_LARGE_BYTES;
	}
}

static bool forth_counts(const struct rule_input *in, const struct wire_record *w,
			 struct forth *out)
{
	const struct conn_record *r = conn_model_find(in->conns, w->conn.serial);
	struct wire_tale back;

	*out = (struct forth){0};
	if (!r || !r->carried_rpc || !transport_port_is_nfs(in, &w->conn.server) ||
	    !wire_record_tale(w, CONN_FROM_CLIENT, &out->tale) ||
	    !wire_record_tale(w, CONN_FROM_SERVER, &back) || !out->tale.is_shown ||
	    !back.is_shown || out->tale.sender != WIRE_OTHER ||
	    evidence_list_at(in->evidence, out->tale.near_receiver)->dropped_packets)
		return false;
	out->run = &out->tale.way->longest[WIRE_OTHER];
	if (out->run->count < SILENCE_REPEATS_MIN || !forth_heard(w, &back, out))
		return false;
	forth_count_again(out);
	return out->small && out->again >= SILENCE_REPEATS_MIN &&
	       path_span_ns(out->again_first.at, out->again_last.at) >= SILENCE_MIN_NS;
}

/* All of the run was in vain: it did not arrive. */
static void forth_tell_lost(const struct rule_input *in, struct diagnosis *d,
			    const struct wire_record *w, const struct forth *forth)
{
	const char *client = transport_host(d, &w->conn.client);
	const char *server = transport_endpoint(d, &w->conn.server);
	const struct wire_run *run = forth->run;
	struct finding *f = transport_finding(d, "tcp-path-silent", CONFIDENCE_LIKELY, &w->conn,
					      run->first.at, run->last.at);

	f->count = forth->again;
	f->title = arena_format(&d->arena, "nothing of %s arrives at %s for %s", client, server,
				transport_duration(d, path_span_ns(f->first, f->last)));
	f->why = arena_format(
		&d->arena,
		"On an established connection %" PRIu64 " segments in a row of %s, from %s on, are "
		"in %s and not in %s, taken nearer to %s, which begins before and goes on behind "
		"that: they are lost between the two captures, unless the second was interrupted. "
		"%" PRIu64
		" of them are the same data sent again: %s got no acknowledgement of it.",
		run->count, client, transport_time(d, run->first.at),
		evidence_list_at(in->evidence, forth->tale.near_sender)->id,
		evidence_list_at(in->evidence, forth->tale.near_receiver)->id, server, forth->again,
		client);
	finding_cite(d, f, &run->first, &w->conn, "the first that does not arrive");
	finding_cite(d, f, &forth->again_first, &w->conn, "the same data sent again");
	finding_cite(d, f, &forth->again_last, &w->conn, "sent again for the last time in vain");
	finding_cite(d, f, &run->last, &w->conn, "the last in a row that does not arrive");
	finding_rule_out(d, f, "rpc-server-silent", "the client got no acknowledgement");
}

/* The server's capture misses what the server had, too: it does not tell where the rest is. */
static void forth_tell_unplaced(const struct rule_input *in, struct diagnosis *d,
				const struct wire_record *w, const struct forth *forth)
{
	const char *client = transport_host(d, &w->conn.client);
	const char *server = transport_endpoint(d, &w->conn.server);
	const char *near = evidence_list_at(in->evidence, forth->tale.near_sender)->id;
	const char *there = evidence_list_at(in->evidence, forth->tale.near_receiver)->id;
	struct finding *f = transport_finding(d, "tcp-path-silent", CONFIDENCE_LIKELY, &w->conn,
					      forth->again_first.at, forth->again_last.at);

	f->count = forth->again;
	f->title = arena_format(&d->arena, "%s fell silent towards %s for %s", server, client,
				transport_duration(d, path_span_ns(f->first, f->last)));
	f->why = arena_format(
		&d->arena,
		"On an established connection %s sent the same data again %" PRIu64
		" times from %s on. The last thing of %s in %s, taken nearer to %s, came before "
		"that, in frame %" PRIu64 ". %s, taken nearer to the server, shows nothing of it, "
		"nor what was answered before: it missed that, and does not tell whether the rest "
		"arrived.",
		client, forth->again, transport_time(d, forth->again_first.at), server, near,
		client, forth->heard.frame, there);
	finding_cite(d, f, &forth->heard, &w->conn, "the last that came of the server");
	finding_cite(d, f, &forth->again_first, &w->conn, "the same data sent again");
	finding_cite(d, f, &forth->again_last, &w->conn, "sent again for the last time in vain");
	finding_rule_out(d, f, "rpc-server-silent", "not even TCP acknowledged what was sent");
}

void silent_forth_tell(const struct rule_input *in, struct diagnosis *d,
		       const struct wire_record *w)
{
	struct forth forth;

	if (!forth_counts(in, w, &forth))
		return;
	if (transport_known(&forth.heard))
		forth_tell_unplaced(in, d, w, &forth);
	else
		forth_tell_lost(in, d, w, &forth);
}
