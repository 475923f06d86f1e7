// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-backchannel-down (catalogue A13): the server says that it cannot call the client back, in
 * the flags of its replies to SEQUENCE (RFC 8881 section 18.46.3) or by NFS4ERR_CB_PATH_DOWN to
 * RENEW in 4.0 (RFC 7530 section 16.28.4). After a reconnection it may say so for a moment, until
 * BIND_CONN_TO_SESSION has bound the new connection: what decides is that it goes on.
 */
#include "diagnose/rules/host/host_clients.h"
#include "diagnose/rules/nfs4/nfs4_state_common.h"
#include "diagnose/rules/rules.h"
#include "names/nfs4.h"

#include <inttypes.h>
#include <string.h>

enum { REPLIES_MIN = 3, REPLIES_MIN_V40 = 2, BINDS_MIN = 3 };
#define LASTS_NS       (45 * STAMP_NS_PER_S)
#define LASTS_BOUND_NS (5 * STAMP_NS_PER_S) /* with BIND_CONN_TO_SESSION in vain */

static const struct nfs4_flag_stretch *stretch_of(const struct nfs4_flagged *f)
{
	const struct nfs4_flag_stretch *now = &f->now[NFS4_FLAGS_BACKCHANNEL];
	const struct nfs4_flag_stretch *over = &f->longest[NFS4_FLAGS_BACKCHANNEL];

	return nfs4_span_ns(&over->span) > nfs4_span_ns(&now->span) ? over : now;
}

static bool is_down(const struct nfs4_flagged *f)
{
	const struct nfs4_flag_stretch *s = stretch_of(f);
	uint64_t replies = f->minor_version == 0 ? REPLIES_MIN_V40 : REPLIES_MIN;
	int64_t lasted = nfs4_span_ns(&s->span);

	if (f->no_backchannel || s->span.count < replies)
		return false;
	return lasted >= LASTS_NS || (s->binds >= BINDS_MIN && lasted >= LASTS_BOUND_NS);
}

static const char *said_text(struct diagnosis *d, const struct nfs4_flagged *f,
			     const struct nfs4_flag_stretch *s)
{
	const char *text = "";

	if (f->minor_version == 0)
		return "NFS4ERR_CB_PATH_DOWN to RENEW";
	static const struct {
		uint32_t flag;
		const char *name;
	} rows[] = {
		{SEQ4_STATUS_CB_PATH_DOWN, "SEQ4_STATUS_CB_PATH_DOWN"},
		{SEQ4_STATUS_CB_PATH_DOWN_SESSION, "SEQ4_STATUS_CB_PATH_DOWN_SESSION"},
		{SEQ4_STATUS_BACKCHANNEL_FAULT, "SEQ4_STATUS_BACKCHANNEL_FAULT"},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
		if (s->flags & rows[i].flag)
			text = arena_format(&d->arena, "%s%s%s", text, *text ? " and " : "",
					    rows[i].name);
	return text;
}

static const char *binds_text(struct diagnosis *d, const struct nfs4_flag_stretch *s)
{
	if (s->binds == 0)
		return "";
	return arena_format(&d->arena,
			    " The client sent BIND_CONN_TO_SESSION %s meanwhile, %s answered "
			    "NFS4_OK, and the server went on saying so.",
			    nfs4_count_text(d, s->binds, "time", "times"),
			    s->binds == s->binds_ok
				    ? "each"
				    : arena_format(&d->arena, "of which %" PRIu64, s->binds_ok));
}

static void cite_all(struct diagnosis *d, struct finding *f, const struct nfs4_flagged *flagged,
		     const struct nfs4_flag_stretch *s)
{
	struct conn conn = nfs4_conn_to(&flagged->server);
	const char *said = flagged->minor_version == 0 ? "NFS4ERR_CB_PATH_DOWN to RENEW"
						       : said_text(d, flagged, s);

	finding_cite(d, f, &s->span.first, &conn, "the server says %s for the first time", said);
	finding_cite(d, f, &s->span.last, &conn, "it still says so");
	finding_cite(d, f, &s->bind_first, &conn, "the first BIND_CONN_TO_SESSION is answered");
	finding_cite(d, f, &s->bind_last, &conn, "the last BIND_CONN_TO_SESSION is answered %s",
		     nfs4_status_text(d, s->bind_status));
	finding_cite(d, f, &s->cleared, &conn, "the server does not say so any more");
}

/* A client that never asked for a backchannel misses none: its session was made before the capture.
 */
static bool wants_one(const struct rule_input *in, const struct nfs4_flagged *f)
{
	if (f->minor_version == 0 || stretch_of(f)->binds)
		return true;
	for (const struct nfs4_session *s = in->nfs4 ? in->nfs4->sessions : NULL; s; s = s->next)
		if (memcmp(s->id, f->sessionid, sizeof(s->id)) == 0 &&
		    endpoint_equal(&s->server->at, &f->server))
			return s->created.frame != FRAME_NONE;
	return false;
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct nfs4_flagged *p)
{
	struct finding *f =
		diagnosis_add(d, "nfs4-backchannel-down",
			      wants_one(in, p) ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);
	const struct nfs4_flag_stretch *s = stretch_of(p);
	const char *who = nfs4_host_text(d, &p->client);
	const char *lasted = nfs4_duration_text(d, nfs4_span_ns(&s->span));

	nfs4_finding_host(in, d, f, &p->server, &p->client);
	nfs4_finding_span(f, &s->span.first);
	nfs4_finding_span(f, &s->span.last);
	f->count = s->span.count;
	f->title = arena_format(&d->arena, "%s says for %s that it cannot call %s back",
				nfs4_host_text(d, &p->server), lasted, who);
	f->why = arena_format(
		&d->arena,
		"The server answered %s in %" PRIu64 " replies to %s within %s, and in none "
		"between them was it otherwise: by its own word it has no way to call the client, "
		"whose own calls are answered.%s Until that is cured the server gives it no "
		"delegations, and cannot recall those that it has: others that want such a file "
		"have to wait.",
		said_text(d, p, s), s->span.count, who, lasted, binds_text(d, s));
	cite_all(d, f, p, s);
	finding_rule_out(d, f, "tcp-path-silent",
			 "the client's calls are answered: the way to the server is open");
	if (p->minor_version == 0)
		finding_add_remedy(d, f,
				   "See that the server can reach the address and port that the "
				   "client told in SETCLIENTID: a packet filter or NAT in between "
				   "has to let connections from the server through; or mount with "
				   "4.1 or later, which needs none.");
}

/* The longest of one client at one server. */
static bool is_longest(const struct nfs4_state_model *m, const struct nfs4_flagged *f)
{
	for (struct recent_item *i = m->flagged.oldest; i; i = i->newer) {
		const struct nfs4_flagged *o = (const struct nfs4_flagged *)(const void *)i;
		int64_t apart =
			nfs4_span_ns(&stretch_of(o)->span) - nfs4_span_ns(&stretch_of(f)->span);

		if (o != f && is_down(o) && endpoint_same_host(&o->client, &f->client) &&
		    endpoint_equal(&o->server, &f->server) &&
		    (apart > 0 ||
		     (apart == 0 && memcmp(o->sessionid, f->sessionid, sizeof(o->sessionid)) < 0)))
			return false;
	}
	return true;
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	host_clients_callback(in, out);
	if (!in->state)
		return;
	for (struct recent_item *i = in->state->flagged.oldest; i; i = i->newer) {
		const struct nfs4_flagged *f = (const struct nfs4_flagged *)(const void *)i;

		if (is_down(f) && is_longest(in->state, f))
			tell(in, out, f);
	}
}

const struct rule rule_nfs4_backchannel_down = {
	.id = "nfs4-backchannel-down",
	.needs = "a capture with replies to SEQUENCE, or to RENEW in 4.0; or the server's list of "
		 "clients",
	.run = run,
};
