// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_common.h. */
#include "diagnose/rules/nfs4/nfs4_common.h"

#include "base/strbuf.h"
#include "names/nfs4.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { OWNER_TITLE_BYTES = 44 };

/*
 * A Linux client asks twice before it makes its first session: once to learn of trunking, once in
 * earnest (nfs41_discover_server_trunking, nfs4_establish_lease). To recover it asks once.
 */
enum { EXCHANGE_IDS_OF_MOUNT = 2 };

void nfs4_losses(const struct nfs4_model *m, struct vec *out)
{
	vec_init(out, sizeof(struct nfs4_loss));
	for (size_t i = 0; i < m->parties.len; i++) {
		struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		for (uint32_t k = 0; k < p->recoveries_len; k++)
			*(struct nfs4_loss *)vec_push(out) =
				(struct nfs4_loss){p, &p->recoveries[k]};
	}
}

int64_t nfs4_lease_ns(const struct nfs4_server *server, bool *told)
{
	*told = server->lease_time_s != 0;
	return (*told ? (int64_t)server->lease_time_s : NFS4_LEASE_ASSUMED_S) * STAMP_NS_PER_S;
}

bool nfs4_loss_after_silence(const struct nfs4_loss *loss)
{
	bool told;

	return !loss->recovery->renewals_missed &&
	       loss->recovery->silence_ns > nfs4_lease_ns(loss->party->server, &told);
}

bool nfs4_loss_in_time(const struct nfs4_loss *loss)
{
	bool told;
	int64_t lease_ns = nfs4_lease_ns(loss->party->server, &told);

	if (!told)
		lease_ns = NFS4_LEASE_SHORTEST_S * STAMP_NS_PER_S;
	return loss->recovery->silence_ns >= 0 && loss->recovery->silence_ns <= lease_ns;
}

bool nfs4_loss_unexplained(const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	bool identity_lost = r->kind == RECOVERY_FULL || r->create_refused.frame != FRAME_NONE;

	return identity_lost && nfs4_loss_in_time(loss) && !nfs4_loss_boot_changed(r) &&
	       !nfs4_loss_reclaimed(r);
}

bool nfs4_loss_unseen_others(const struct nfs4_recovery *r)
{
	int64_t seen = r->seen_identifications >= 0 ? r->seen_identifications
						    : (int64_t)r->own_identifications;

	return r->clientid_steps > seen;
}

bool nfs4_loss_others_mounted(const struct nfs4_recovery *r)
{
	int64_t identifications = r->clientid_steps - (int64_t)r->own_identifications;
	int64_t sessions = r->session_steps - 1;

	return r->session_steps > 0 && identifications > 0 &&
	       sessions * EXCHANGE_IDS_OF_MOUNT <= identifications;
}

bool nfs4_loss_boot_changed(const struct nfs4_recovery *r)
{
	return r->old_boot_s >= 0 && r->new_boot_s >= 0 && r->old_boot_s != r->new_boot_s;
}

bool nfs4_loss_boot_same(const struct nfs4_recovery *r)
{
	return r->old_boot_s >= 0 && r->old_boot_s == r->new_boot_s;
}

bool nfs4_loss_reclaimed(const struct nfs4_recovery *r)
{
	return r->grace > 0 || r->reclaims_ok > 0;
}

bool nfs4_loss_sees_others(const struct nfs4_model *m, const struct nfs4_loss *loss)
{
	for (size_t i = 0; i < m->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (p->server == loss->party->server && !p->merged_into &&
		    p->evidence == loss->recovery->lost.evidence &&
		    !endpoint_same_host(&p->host, &loss->party->host))
			return true;
	}
	return false;
}

static bool party_survived(const struct nfs4_party *p, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	return p->server == loss->party->server && !p->merged_into &&
	       p->evidence == r->lost.evidence &&
	       !endpoint_same_host(&p->host, &loss->party->host) &&
	       p->first_seen.frame != FRAME_NONE && p->last_renewal.frame != FRAME_NONE &&
	       r->last_renewal.frame != FRAME_NONE &&
	       p->first_seen.at.ns <= r->last_renewal.at.ns &&
	       p->last_renewal.at.ns >= r->lost.at.ns && !p->recoveries_count &&
	       (p->state_made.frame == FRAME_NONE || p->state_made.at.ns <= r->last_renewal.at.ns);
}

const struct nfs4_party *nfs4_loss_survivor(const struct nfs4_model *m,
					    const struct nfs4_loss *loss)
{
	for (size_t i = 0; i < m->parties.len; i++) {
		const struct nfs4_party *p = *(struct nfs4_party **)vec_at(&m->parties, i);

		if (party_survived(p, loss))
			return p;
	}
	return NULL;
}

bool nfs4_loss_without_restart(const struct nfs4_model *m, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;

	if (nfs4_loss_boot_same(r))
		return true;
	return r->old_boot_s < 0 && r->new_boot_s < 0 && !r->connection_lost &&
	       !loss->party->server->boots_len && nfs4_loss_survivor(m, loss);
}

const char *nfs4_owner_text(struct diagnosis *d, const struct nfs4_owner *owner)
{
	struct strbuf text;
	const char *kept;

	strbuf_init(&text);
	strbuf_add_safe(&text, slice_make(owner->name.bytes, owner->name.len));
	kept = arena_text(&d->arena, strbuf_text(&text));
	strbuf_deinit(&text);
	return kept;
}

const char *nfs4_owner_title(struct diagnosis *d, const struct nfs4_owner *owner)
{
	const char *text = nfs4_owner_text(d, owner);
	size_t len = strlen(text);
	size_t keep = OWNER_TITLE_BYTES - strlen("...");

	if (len <= OWNER_TITLE_BYTES)
		return text;
	while (keep > 0 && ((unsigned char)text[keep] & 0xc0) == 0x80) /* inside a UTF-8 letter */
		keep--;
	return arena_format(&d->arena, "%.*s...", (int)keep, text);
}

const char *nfs4_host_text(struct diagnosis *d, const struct endpoint *host)
{
	return diagnosis_host_text(d, host);
}

const char *nfs4_date_text(struct diagnosis *d, struct stamp at)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format(at, text);
	return arena_text(&d->arena, text);
}

const char *nfs4_verifier_text(struct diagnosis *d, const struct nfs4_instance *i)
{
	uint64_t value = 0;

	if (stamp_known(i->boot))
		return nfs4_date_text(d, i->boot);
	for (size_t k = 0; k < sizeof(i->verifier); k++)
		value = value << 8 | i->verifier[k];
	return arena_format(&d->arena, "0x%016" PRIx64, value);
}

const char *nfs4_boot_text(struct diagnosis *d, int64_t boot_s)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format(stamp_utc(boot_s * STAMP_NS_PER_S), text);
	/* Whole seconds: "2026-11-22T01:09:22Z". */
	return arena_format(&d->arena, "%.19sZ", text);
}

const char *nfs4_duration_text(struct diagnosis *d, int64_t ns)
{
	char text[STAMP_TEXT_BYTES];

	stamp_format_duration(ns, text);
	return arena_text(&d->arena, text);
}

const char *nfs4_status_text(struct diagnosis *d, uint32_t status)
{
	const char *name = nfs4_nfsstat4_name(status);

	return name ? name
		    : arena_format(&d->arena,
				   "NFS4ERR_??"
				   "?(%" PRIu32 ")",
				   status);
}

const char *nfs4_op_text(struct diagnosis *d, uint32_t op)
{
	const struct names_operation *row = nfs4_nfs_opnum4_find(op);

	return row ? row->name
		   : arena_format(&d->arena,
				  "OP_??"
				  "?(%" PRIu32 ")",
				  op);
}

const char *nfs4_count_text(struct diagnosis *d, uint64_t count, const char *one, const char *many)
{
	return arena_format(&d->arena, "%" PRIu64 " %s", count, count == 1 ? one : many);
}

void nfs4_finding_span(struct finding *f, const struct provenance *at)
{
	if (at->frame == FRAME_NONE || !stamp_known(at->at))
		return;
	if (!stamp_known(f->first) || at->at.ns < f->first.ns)
		f->first = at->at;
	if (!stamp_known(f->last) || at->at.ns > f->last.ns)
		f->last = at->at;
}

void nfs4_finding_about(struct diagnosis *d, struct finding *f, const struct nfs4_party *party)
{
	const struct nfs4_instance *i = party->instance;

	finding_set_server(d, f, &party->server->at);
	finding_add_client(d, f, &party->host);
	if (!i)
		return;
	finding_subject(d, f, "owner", "%s", nfs4_owner_text(d, i->owner));
	if (stamp_known(i->boot))
		finding_subject(d, f, "client instance", "boot verifier %s",
				nfs4_date_text(d, i->boot));
}

struct finding *nfs4_slot_finding(struct diagnosis *d, const char *id,
				  enum finding_confidence confidence,
				  const struct nfs4_party *party, const struct nfs4_slot_streak *s)
{
	struct finding *f = diagnosis_add(d, id, confidence);

	nfs4_finding_about(d, f, party);
	finding_subject(d, f, "slot", "%" PRIu32, s->slot);
	nfs4_finding_span(f, &s->first);
	nfs4_finding_span(f, &s->last);
	f->count = s->count;
	return f;
}

void nfs4_cite(struct diagnosis *d, struct finding *f, const struct nfs4_server *server,
	       const struct provenance *at, const char *format, ...)
{
	struct conn conn = {.transport = TRANSPORT_TCP, .server = server->at};
	char text[512];
	va_list args;

	if (at->frame == FRAME_NONE)
		return;
	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	finding_cite(d, f, at, &conn, "%s", text);
}

void nfs4_rule_out_restart(const struct nfs4_model *m, struct diagnosis *d, struct finding *f,
			   const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	const struct nfs4_party *kept;
	const char *who;

	if (nfs4_loss_boot_same(r)) {
		finding_rule_out(d, f, "nfs4-server-restart",
				 "the client IDs from before and after name the same start of the "
				 "NFS service, %s",
				 nfs4_boot_text(d, r->old_boot_s));
		return;
	}
	kept = nfs4_loss_survivor(m, loss);
	if (!kept)
		return;
	who = nfs4_host_text(d, &kept->host);
	finding_rule_out(d, f, "nfs4-server-restart",
			 "%s, another client, kept its client ID: it worked before and after, and "
			 "did not introduce itself in between",
			 who);
	nfs4_cite(d, f, loss->party->server, &kept->state_made,
		  "%s gets the client ID that it keeps", who);
	nfs4_cite(d, f, loss->party->server, &kept->last_renewal,
		  "the last renewal of %s that is accepted, with that client ID", who);
}

void nfs4_cite_ladder(struct diagnosis *d, struct finding *f, const struct nfs4_loss *loss)
{
	const struct nfs4_recovery *r = loss->recovery;
	const struct nfs4_server *s = loss->party->server;
	const char *who = nfs4_host_text(d, &loss->party->host);

	nfs4_cite(d, f, s, &r->lost, "%s of %s answered %s", nfs4_op_text(d, r->lost_op), who,
		  nfs4_status_text(d, r->lost_status));
	nfs4_cite(d, f, s, &r->create_refused,
		  "CREATE_SESSION of %s answered NFS4ERR_STALE_CLIENTID: its client ID is gone too",
		  who);
	nfs4_cite(d, f, s, &r->identified, "%s introduces itself anew and gets %s client ID%s", who,
		  r->kind == RECOVERY_FULL           ? "another"
		  : r->kind == RECOVERY_SESSION_ONLY ? "the"
						     : "a",
		  r->kind == RECOVERY_SESSION_ONLY ? " that it had" : "");
	nfs4_cite(d, f, s, &r->created, "%s works again", who);
}
