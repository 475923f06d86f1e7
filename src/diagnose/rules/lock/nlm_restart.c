// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlm-server-restart: the lock manager restarted, and the clients are told and take their locks
 * back (catalogue C4, C6). What shows it: SM_NOTIFY from a host that is a server, locks that are
 * granted with the reclaim flag, DENIED_GRACE_PERIOD, and another port of the lock manager than
 * before.
 *
 * A lock manager grants reclaims only in the grace period after its start. SM_NOTIFY from a host
 * that is a client says that the client has restarted: that is no business of this rule.
 */
#include "base/strbuf.h"
#include "diagnose/rules/lock/nlm_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/transport.h"
#include "model/logs.h"
#include "model/nlm/nlm.h"
#include "model/portmap.h"
#include "names/nfs3.h"
#include "names/nlm.h"

#include <inttypes.h>
#include <stdlib.h>

enum { PROGRAM_MOUNT = 100005 };

/* Signs no further apart belong to one restart: a grace period lasts 50 to 90 s by default. */
#define ONE_RESTART_NS (120 * STAMP_NS_PER_S)

enum sign_kind { SIGN_NOTIFY, SIGN_RECLAIM, SIGN_GRACE, SIGN_MOVE, SIGN_KINDS };

struct sign {
	enum sign_kind kind;
	struct endpoint server; /* port 0 */
	struct endpoint client; /* port 0; of SIGN_GRACE: the first one */
	const struct conn *conn;
	const struct provenance *at, *last;
	const void *of; /* by kind */
};

/* --- signs --- */

static bool serves_nfs(const struct rule_input *in, const struct endpoint *host)
{
	for (size_t i = 0; i < in->conns->rpc_servers.len; i++) {
		const struct conn_rpc_server *s =
			*(struct conn_rpc_server **)vec_at(&in->conns->rpc_servers, i);

		for (uint32_t j = 0; j < s->programs_len && endpoint_same_host(&s->at, host); j++)
			if (s->programs[j].program == NFS_PROGRAM ||
			    s->programs[j].program == PROGRAM_MOUNT)
				return true;
	}
	return false;
}

bool nlm_is_server(const struct rule_input *in, const struct endpoint *host)
{
	for (size_t i = 0; i < in->nlm->reclaims.len; i++)
		if (endpoint_same_host(
			    &(*(struct nlm_reclaim **)vec_at(&in->nlm->reclaims, i))->server, host))
			return true;
	for (size_t i = 0; i < in->nlm->graces.len; i++)
		if (endpoint_same_host(&(*(struct nlm_grace **)vec_at(&in->nlm->graces, i))->server,
				       host))
			return true;
	return serves_nfs(in, host);
}

static void sign_add(struct vec *out, struct sign s)
{
	*(struct sign *)vec_push(out) = s;
}

static void signs_of_portmap(const struct rule_input *in, struct vec *out)
{
	for (size_t i = 0; i < in->portmap->services.len; i++) {
		const struct portmap_service *s =
			*(struct portmap_service **)vec_at(&in->portmap->services, i);

		for (uint32_t j = 0; j < s->moves_len && s->program == NLM_PROG; j++)
			sign_add(out,
				 (struct sign){SIGN_MOVE, s->server, s->client, &s->conn,
					       &s->moves[j].told, &s->moves[j].told, &s->moves[j]});
	}
}

static int sign_order(const void *a, const void *b)
{
	const struct sign *x = a, *y = b;
	int order = endpoint_compare(&x->server, &y->server);

	if (order == 0)
		order = (x->at->at.ns > y->at->at.ns) - (x->at->at.ns < y->at->at.ns);
	if (order == 0)
		order = (int)x->kind - (int)y->kind;
	return order ? order : endpoint_compare(&x->client, &y->client);
}

static void signs_collect(const struct rule_input *in, struct vec *out)
{
	for (size_t i = 0; i < in->nlm->notifies.len; i++) {
		const struct nlm_notify *n = *(struct nlm_notify **)vec_at(&in->nlm->notifies, i);

		if (nlm_is_server(in, &n->from))
			sign_add(out, (struct sign){SIGN_NOTIFY, n->from, n->to, &n->conn,
						    &n->first, &n->last, n});
	}
	for (size_t i = 0; i < in->nlm->reclaims.len; i++) {
		const struct nlm_reclaim *c = *(struct nlm_reclaim **)vec_at(&in->nlm->reclaims, i);

		if (c->granted)
			sign_add(out, (struct sign){SIGN_RECLAIM, c->server, c->client, &c->conn,
						    &c->first, &c->last, c});
	}
	for (size_t i = 0; i < in->nlm->graces.len; i++) {
		const struct nlm_grace *g = *(struct nlm_grace **)vec_at(&in->nlm->graces, i);

		sign_add(out, (struct sign){SIGN_GRACE, g->server, g->clients[0], &g->conn,
					    &g->first, &g->last, g});
	}
	signs_of_portmap(in, out);
	if (out->len)
		qsort(out->items, out->len, out->item_bytes, sign_order);
}

const struct provenance *nlm_restart_sign(const struct rule_input *in,
					  const struct endpoint *server, struct stamp from,
					  struct stamp until)
{
	const struct provenance *found = NULL;
	struct vec signs;

	vec_init(&signs, sizeof(struct sign));
	signs_collect(in, &signs);
	for (size_t i = 0; i < signs.len && !found; i++) {
		const struct sign *s = vec_at(&signs, i);

		if (endpoint_same_host(&s->server, server) && path_span_ns(from, s->at->at) > 0 &&
		    path_span_ns(s->at->at, until) > 0)
			found = s->at;
	}
	vec_deinit(&signs);
	return found;
}

/* --- what they tell --- */

static void why_add_notify(struct diagnosis *d, struct strbuf *why, const struct nlm_notify *n)
{
	strbuf_add_format(
		why, " At %s the server's statd told %s so (SM_NOTIFY, state %" PRId32 "), %s.",
		nlm_time_text(d, n->first.at), nfs4_host_text(d, &n->to), n->state,
		n->answered.frame == FRAME_NONE ? "and no answer is in the evidence"
						: "and was answered");
}

static void why_add_reclaim(struct diagnosis *d, struct strbuf *why, const struct nlm_reclaim *c)
{
	strbuf_add_format(why, " %s took back %s from %s on (LOCK with the reclaim flag, granted)",
			  nfs4_host_text(d, &c->client),
			  nfs4_count_text(d, c->granted, "lock", "locks"),
			  nlm_time_text(d, c->first.at));
	if (c->refused)
		strbuf_add_format(why, ", and was refused %" PRIu64, c->refused);
	strbuf_add_text(why, ".");
}

static void why_add(struct diagnosis *d, struct strbuf *why, const struct sign *s)
{
	const struct nlm_grace *g = s->of;
	const struct portmap_move *move = s->of;

	switch (s->kind) {
	case SIGN_NOTIFY:
		why_add_notify(d, why, s->of);
		break;
	case SIGN_RECLAIM:
		why_add_reclaim(d, why, s->of);
		break;
	case SIGN_GRACE:
		strbuf_add_format(why, " %s answered DENIED_GRACE_PERIOD from %s to %s.",
				  nfs4_count_text(d, g->count, "request was", "requests were"),
				  nlm_time_text(d, g->first.at), nlm_time_text(d, g->last.at));
		break;
	case SIGN_MOVE:
		strbuf_add_format(
			why,
			" At %s the portmapper told %s port %u of the lock manager; before "
			"it was %u.",
			nlm_time_text(d, move->told.at), nfs4_host_text(d, &s->client), move->to,
			move->from);
		break;
	case SIGN_KINDS:
		break;
	}
}

static void sign_cite(struct diagnosis *d, struct finding *f, const struct sign *s)
{
	static const char *const texts[SIGN_KINDS] = {
		[SIGN_NOTIFY] = "SM_NOTIFY: the server says that it has restarted",
		[SIGN_RECLAIM] = "a lock is granted with the reclaim flag",
		[SIGN_GRACE] = "DENIED_GRACE_PERIOD: the lock manager has just started",
		[SIGN_MOVE] = "the portmapper tells another port of the lock manager than before",
	};

	finding_add_client(d, f, &s->client);
	nfs4_finding_span(f, s->at);
	nfs4_finding_span(f, s->last);
	finding_cite(d, f, s->at, s->conn, "%s", texts[s->kind]);
}

/* The kernel log of a server that started its grace period at that time. */
static void cite_logs(const struct rule_input *in, struct diagnosis *d, struct finding *f)
{
	for (size_t i = 0; in->logs && i < in->logs->hosts.len; i++) {
		const struct logs_host *h = *(struct logs_host **)vec_at(&in->logs->hosts, i);
		const struct provenance *at = &h->last[LOG_GRACE_STARTED];

		if (at->frame != FRAME_NONE && at->at.clock == f->first.clock &&
		    path_span_ns(at->at, f->first) < ONE_RESTART_NS &&
		    path_span_ns(f->last, at->at) <= 0)
			finding_cite(d, f, at, NULL, "a grace period starts, says the kernel");
	}
}

/* All signs of one restart. */
static void restart_tell(const struct rule_input *in, struct diagnosis *d, const struct sign *s,
			 size_t n)
{
	uint32_t kinds = 0, told[SIGN_KINDS] = {0};
	struct finding *f;
	struct strbuf why;

	for (size_t i = 0; i < n; i++)
		kinds |= 1U << s[i].kind;
	if (!(kinds & ~(1U << SIGN_MOVE)))
		return;
	f = diagnosis_add(d, "nlm-server-restart",
			  kinds & (1U << SIGN_NOTIFY | 1U << SIGN_RECLAIM) ? CONFIDENCE_CERTAIN
									   : CONFIDENCE_LIKELY);
	finding_set_server(d, f, &s->server);
	f->count = 1;
	f->title = arena_format(
		&d->arena, "the lock manager of %s %s", nfs4_host_text(d, &s->server),
		kinds == 1U << SIGN_GRACE ? "has just started, or restarted" : "restarted");
	strbuf_init(&why);
	strbuf_add_text(&why,
			kinds & 1U << SIGN_RECLAIM
				? "A restart voids all locks; the clients have to take them back."
				: "A restart voids all locks until the clients take them back.");
	for (size_t i = 0; i < n; i++) {
		if (told[s[i].kind]++ < 2)
			why_add(d, &why, &s[i]);
		sign_cite(d, f, &s[i]);
	}
	if (!(kinds & 1U << SIGN_NOTIFY))
		strbuf_add_text(&why, " No SM_NOTIFY of the server is in the evidence.");
	if (kinds == 1U << SIGN_GRACE)
		strbuf_add_text(&why, " It may as well have taken over from another node.");
	f->why = arena_text(&d->arena, strbuf_text(&why));
	strbuf_deinit(&why);
	cite_logs(in, d, f);
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec signs;

	vec_init(&signs, sizeof(struct sign));
	signs_collect(in, &signs);
	for (size_t i = 0, n; i < signs.len; i += n) {
		const struct sign *first = vec_at(&signs, i);
		struct stamp last = first->last->at;

		for (n = 1; i + n < signs.len; n++) {
			if (!endpoint_same_host(&first[n].server, &first->server) ||
			    path_span_ns(last, first[n].at->at) > ONE_RESTART_NS)
				break;
			if (path_span_ns(last, first[n].last->at) > 0)
				last = first[n].last->at;
		}
		restart_tell(in, out, first, n);
	}
	vec_deinit(&signs);
}

const struct rule rule_nlm_server_restart = {
	.id = "nlm-server-restart",
	.needs = "a capture of NLM and NSM traffic",
	.run = run,
};
