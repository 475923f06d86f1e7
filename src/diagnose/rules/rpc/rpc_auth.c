// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * rpc-auth-refused: a server refuses calls for their credentials, again and again (catalogue E2;
 * RFC 5531 section 9). One refusal that is followed by success with another flavor is how a mount
 * finds its flavor; a context of RPCSEC_GSS that has run out is refused once and made anew. A probe
 * for TLS (AUTH_TLS, RFC 9289) is refused by each server that has none.
 */
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"

#include <inttypes.h>

/* In a row, without a success with the same flavor between them. */
enum { REFUSED_MIN = 4 };

/* A success so soon after the last refusal means that another flavor was agreed on. */
#define AGREED_NS (5 * STAMP_NS_PER_S)

enum { FLAVOR_NONE = 0, FLAVOR_SYS = 1, FLAVOR_GSS = 6, FLAVOR_TLS = 7 };

static const char *flavor_text(struct diagnosis *d, uint32_t flavor)
{
	switch (flavor) {
	case FLAVOR_NONE:
		return "AUTH_NONE";
	case FLAVOR_SYS:
		return "AUTH_SYS";
	case FLAVOR_GSS:
		return "RPCSEC_GSS";
	default:
		return arena_format(&d->arena, "flavor %" PRIu32, flavor);
	}
}

/* RFC 5531 section 9, RFC 2203 section 5.3.3.3. */
static const char *reason_text(struct diagnosis *d, uint32_t auth_stat)
{
	static const char *const names[] = {
		[1] = "AUTH_BADCRED",
		[2] = "AUTH_REJECTEDCRED",
		[3] = "AUTH_BADVERF",
		[4] = "AUTH_REJECTEDVERF",
		[5] = "AUTH_TOOWEAK",
		[6] = "AUTH_INVALIDRESP",
		[7] = "AUTH_FAILED",
		[13] = "RPCSEC_GSS_CREDPROBLEM",
		[14] = "RPCSEC_GSS_CTXPROBLEM",
	};

	if (auth_stat < sizeof(names) / sizeof(*names) && names[auth_stat])
		return names[auth_stat];
	return arena_format(&d->arena, "auth_stat %" PRIu32, auth_stat);
}

static void auth_tell(struct diagnosis *d, const struct path_calls *c,
		      const struct path_refusals *r)
{
	struct finding *f = transport_finding(d, "rpc-auth-refused", CONFIDENCE_LIKELY, &c->conn,
					      r->first.at, r->last.at);
	const char *server = transport_endpoint(d, &c->conn.server);
	const char *reason = reason_text(d, r->auth_stat);

	f->count = r->refused;
	finding_subject(d, f, "program", "%s", transport_program(d, c->program));
	finding_subject(d, f, "flavor", "%s", flavor_text(d, r->flavor));
	f->title = arena_format(&d->arena, "%s refuses the credentials of %s: %s", server,
				transport_host(d, &c->conn.client), reason);
	f->why = arena_format(&d->arena,
			      "%" PRIu64 " calls with %s were denied with %s, %" PRIu64
			      " in a row without a success, and no other flavor was agreed on.",
			      r->refused, flavor_text(d, r->flavor), reason, r->longest);
	for (uint32_t i = 0; i < r->cites_len; i++)
		finding_cite(d, f, &r->cites[i], &c->conn, "denied: %s", reason);
	finding_cite(d, f, &r->last, &c->conn, "denied for the last time");
	finding_rule_out(d, f, "rpc-server-silent", "each call was answered");
}

static void auth_run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; i < in->path->calls.len; i++) {
		const struct path_calls *c = *(struct path_calls **)vec_at(&in->path->calls, i);

		for (uint32_t j = 0; j < c->refusals_len; j++) {
			const struct path_refusals *r = &c->refusals[j];
			bool agreed = stamp_known(c->accepted_last) &&
				      path_span_ns(r->last.at, c->accepted_last) > 0 &&
				      path_span_ns(r->first.at, c->accepted_last) < AGREED_NS;

			if (r->longest >= REFUSED_MIN && r->flavor != FLAVOR_TLS && !agreed &&
			    transport_port_is_nfs(in, &c->conn.server))
				auth_tell(out, c, r);
		}
	}
}

const struct rule rule_rpc_auth_refused = {
	.id = "rpc-auth-refused",
	.needs = "a capture that shows calls and their replies",
	.run = auth_run,
};
