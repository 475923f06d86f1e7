// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-server-scope-changed (catalogue A17): after a failover the server's EXCHANGE_ID names
 * another scope. To clients that is another server, whose state has nothing to do with what they
 * held (RFC 8881 section 2.10.4), so they must not reclaim: opens and locks are lost, though a
 * grace period may be running for them. (Linux: nfs41_check_server_scope.)
 */
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"

#include "base/strbuf.h"

#include <inttypes.h>

static const char *name_text(struct diagnosis *d, struct nfs4_name name)
{
	struct strbuf text;
	const char *kept;

	strbuf_init(&text);
	strbuf_add_safe(&text, slice_make(name.bytes, name.len));
	kept = arena_text(&d->arena, strbuf_text(&text));
	strbuf_deinit(&text);
	return kept;
}

/* One change, and no way back: else several servers answer at the address in turn. */
static bool server_moved_once(const struct nfs4_server *s)
{
	return s->scope_changes == 1;
}

static bool loss_is_of_scope(const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	return r->scope_changed && r->kind == RECOVERY_FULL && r->reclaims_ok == 0 &&
	       server_moved_once(loss->party->server);
}

static void add_loss(struct diagnosis *d, struct finding *f, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	const char *who = nfs4_host_text(d, &loss->party->host);

	finding_add_client(d, f, &loss->party->host);
	nfs4_finding_span(f, &r->lost);
	nfs4_finding_span(f, &r->created);
	nfs4_cite(d, f, loss->party->server, &r->lost, "%s of %s answered %s",
		  nfs4_op_text(d, r->lost_op), who, nfs4_status_text(d, r->lost_status));
	nfs4_cite(d, f, loss->party->server, &r->identified,
		  "%s introduces itself to the server under its new scope", who);
}

static struct finding *begin(struct diagnosis *d, const struct nfs4_server *s)
{
	struct finding *f = diagnosis_add(d, "nfs4-server-scope-changed", CONFIDENCE_CERTAIN);

	finding_set_server(d, f, &s->at);
	finding_subject(d, f, "scope before", "%s", name_text(d, s->scope_before));
	finding_subject(d, f, "scope after", "%s", name_text(d, s->scope));
	nfs4_cite(d, f, s, &s->scope_seen, "the last EXCHANGE_ID that names the old scope");
	nfs4_cite(d, f, s, &s->scope_changed, "the first that names the new one");
	return f;
}

static void finish(struct diagnosis *d, struct finding *f, const struct nfs4_server *s)
{
	const char *clients = nfs4_count_text(d, f->clients.len, "client", "clients");

	f->count = 1; /* the change: how many clients it hit the title says */
	f->title = arena_format(&d->arena,
				"%s came back under another server scope: %s may not reclaim",
				nfs4_host_text(d, &s->at), clients);
	f->why = arena_format(
		&d->arena,
		"EXCHANGE_ID named the server scope \"%s\" before, and \"%s\" afterwards. A client "
		"takes that for another server, where nothing of what it held is known, and does "
		"not ask for it: no reclaim of an open file or lock is seen to be accepted. Open "
		"files are opened anew where that is possible; locks are lost.",
		name_text(d, s->scope_before), name_text(d, s->scope));
	finding_rule_out(d, f, "nfs4-client-owner-collision",
			 "a client that takes another's place does not change the server's scope");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec losses;

	nfs4_losses(in->nfs4, &losses);
	for (size_t s = 0; s < in->nfs4->servers.len; s++) {
		const struct nfs4_server *server =
			*(struct nfs4_server **)vec_at(&in->nfs4->servers, s);
		struct finding *f = NULL;

		for (size_t i = 0; i < losses.len; i++) {
			const struct nfs4_loss *loss = vec_at(&losses, i);

			if (loss->party->server != server || !loss_is_of_scope(loss))
				continue;
			if (!f)
				f = begin(out, server);
			add_loss(out, f, loss);
		}
		if (f)
			finish(out, f, server);
	}
	vec_deinit(&losses);
}

const struct rule rule_nfs4_server_scope_changed = {
	.id = "nfs4-server-scope-changed",
	.needs = "a capture that holds EXCHANGE_IDs from before and after the failover",
	.run = run,
};
