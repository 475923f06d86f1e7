// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nlm-blocked (context): a lock is waited for because somebody else holds it, and who that is.
 *
 * Contention is what locks are for, so this is never a cause by itself. Waits that nobody notices
 * are not spoken of. Waits for one file make one finding.
 */
#include "diagnose/rules/lock/nlm_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "event/handle.h"
#include "model/nlm/nlm.h"

#include <inttypes.h>
#include <stdlib.h>

/* Shorter than this nobody notices. */
#define WAIT_MIN_NS (5 * STAMP_NS_PER_S)

/* A lock that is granted so long after its holder gave it back was not handed on at once. */
#define HANDED_ON_LATE_NS (2 * STAMP_NS_PER_S)

struct wait {
	const struct nlm_lock *lock;
	int64_t ns;
};

static int order_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static int order_handle(const struct file_handle *a, const struct file_handle *b)
{
	return a->len != b->len ? order_u64(a->len, b->len) : memcmp(a->bytes, b->bytes, a->len);
}

/* By server and file; the longest wait first, then by time and frame. */
static int wait_order(const void *a, const void *b)
{
	const struct wait *v = a, *w = b;
	const struct nlm_lock *x = v->lock, *y = w->lock;
	int order = memcmp(x->conn.server.addr, y->conn.server.addr, IDENT_ADDR_BYTES);

	if (order == 0)
		order = order_handle(&x->file, &y->file);
	if (order == 0)
		order = (w->ns > v->ns) - (w->ns < v->ns);
	if (order == 0)
		order = (x->asked.at.ns > y->asked.at.ns) - (x->asked.at.ns < y->asked.at.ns);
	if (order == 0)
		order = order_u64(x->asked.evidence, y->asked.evidence);
	return order ? order : order_u64(x->asked.frame, y->asked.frame);
}

/* How long: one that has no end in the evidence goes on until the evidence ends. */
static int64_t wait_ns(const struct rule_input *in, const struct nlm_lock *l)
{
	const struct evidence *e;

	if (l->granted.frame != FRAME_NONE || l->ended.frame != FRAME_NONE ||
	    l->state != NLM_WAITING || l->asked.evidence >= in->evidence->items.len)
		return nlm_lock_wait_ns(l);
	e = evidence_list_at(in->evidence, l->asked.evidence);
	return e->last.clock == l->asked.at.clock ? e->last.ns - l->asked.at.ns : 0;
}

static bool waits_join(const struct nlm_lock *a, const struct nlm_lock *b)
{
	return endpoint_same_host(&a->conn.server, &b->conn.server) &&
	       file_handle_equal(&a->file, &b->file);
}

/* "process 3 of 192.0.2.32 (app-02)" */
static const char *owner_text(struct diagnosis *d, const struct nlm_owner *o)
{
	const char *host = nfs4_host_text(d, &o->host);

	return o->caller[0] ? arena_format(&d->arena, "process %" PRId32 " of %s (%s)", o->svid,
					   host, o->caller)
			    : arena_format(&d->arena, "process %" PRId32 " of %s", o->svid, host);
}

static const char *range_text(struct diagnosis *d, uint64_t offset, uint64_t length)
{
	if (length == 0)
		return offset ? arena_format(&d->arena, "from byte %" PRIu64 " on", offset)
			      : "the whole file";
	return arena_format(&d->arena, "%" PRIu64 " bytes at %" PRIu64, length, offset);
}

static const char *holder_text(struct diagnosis *d, const struct nlm_lock *l)
{
	const struct nlm_holder *h = &l->holder;

	if (h->seen)
		return arena_format(&d->arena, "%s, which got it at %s", owner_text(d, &h->owner),
				    nlm_time_text(d, h->granted.at));
	if (h->told)
		return arena_format(&d->arena,
				    "process %" PRId32 " of some host, as an answer to TEST says",
				    h->owner.svid);
	return "somebody whose lock was granted before the evidence begins, or on the server "
	       "itself";
}

/* How the wait ended. */
static const char *end_text(struct diagnosis *d, const struct nlm_lock *l)
{
	const struct nlm_holder *h = &l->holder;
	const char *late = "";

	if (l->granted.frame == FRAME_NONE)
		return l->state == NLM_CANCELLED ? "It was given up."
						 : "It was not granted within the evidence.";
	if (h->seen && h->released.frame != FRAME_NONE && !l->granted_by_callback &&
	    l->granted.at.ns - h->released.at.ns > HANDED_ON_LATE_NS)
		late = arena_format(&d->arena,
				    " That was %s after the holder had given it back: no callback "
				    "of the server is seen to have brought it.",
				    nfs4_duration_text(d, l->granted.at.ns - h->released.at.ns));
	return arena_format(
		&d->arena, "It was granted at %s, %s.%s", nlm_time_text(d, l->granted.at),
		l->granted_by_callback ? "by the server's callback" : "when the client asked again",
		late);
}

static void cite_wait(struct diagnosis *d, struct finding *f, const struct nlm_lock *l)
{
	finding_cite(d, f, &l->refused, &l->conn, "%s: somebody else holds it",
		     l->block ? "LOCK answered BLOCKED" : "LOCK answered DENIED");
	finding_cite(d, f, &l->asked, &l->conn, "the lock is asked for");
	if (l->holder.seen) {
		finding_cite(d, f, &l->holder.granted, &l->conn, "the holder gets the lock");
		finding_cite(d, f, &l->holder.released, &l->conn, "the holder gives it back");
	}
	finding_cite(d, f, &l->called_back, &l->conn, "the server's callback: granted");
	finding_cite(d, f, &l->granted, &l->conn, "granted");
}

static void about_wait(struct diagnosis *d, struct finding *f, const struct wait *w)
{
	const struct nlm_lock *l = w->lock;
	const struct provenance *end =
		l->granted.frame != FRAME_NONE ? &l->granted : &l->asked_last;

	finding_add_client(d, f, &l->owner.host);
	if (l->holder.seen)
		finding_add_client(d, f, &l->holder.owner.host);
	nfs4_finding_span(f, &l->asked);
	nfs4_finding_span(f, end);
	cite_wait(d, f, l);
}

static void waits_tell(struct diagnosis *d, const struct wait *waits, size_t n)
{
	const struct nlm_lock *l = waits[0].lock; /* the longest */
	struct finding *f = diagnosis_add(d, "nlm-blocked",
					  l->holder.seen ? CONFIDENCE_CERTAIN : CONFIDENCE_LIKELY);

	finding_set_server(d, f, &l->conn.server);
	finding_subject(d, f, "file", "handle with hash 0x%08x (nfs.fh.hash)",
			file_handle_hash(&l->file));
	f->count = n;
	for (size_t i = 0; i < n; i++)
		about_wait(d, f, &waits[i]);
	f->title = arena_format(
		&d->arena, "%s waited %s for a lock that %s held",
		nfs4_host_text(d, &l->owner.host), nfs4_duration_text(d, waits[0].ns),
		l->holder.seen ? nfs4_host_text(d, &l->holder.owner.host) : "somebody else");
	f->why = arena_format(
		&d->arena, "%s%s asked at %s for %s lock (%s); the holder was %s. %s",
		n == 1 ? "For this file "
		       : arena_format(&d->arena,
				      "The longest of %zu such waits for this file: ", n),
		owner_text(d, &l->owner), nlm_time_text(d, l->asked.at),
		l->exclusive ? "an exclusive" : "a shared", range_text(d, l->offset, l->length),
		holder_text(d, l), end_text(d, l));
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	struct vec waits;

	vec_init(&waits, sizeof(struct wait));
	for (size_t i = 0; i < longest_count(&in->nlm->waits); i++) {
		const struct nlm_lock *l = longest_at(&in->nlm->waits, i);
		struct wait w = {l, wait_ns(in, l)};

		if (w.ns >= WAIT_MIN_NS && (l->holder.seen || l->graces == 0))
			*(struct wait *)vec_push(&waits) = w;
	}
	if (waits.len)
		qsort(waits.items, waits.len, waits.item_bytes, wait_order);
	for (size_t i = 0, n; i < waits.len; i += n) {
		const struct wait *first = vec_at(&waits, i);

		for (n = 1; i + n < waits.len && waits_join(first->lock, first[n].lock);)
			n++;
		waits_tell(out, first, n);
	}
	vec_deinit(&waits);
}

const struct rule rule_nlm_blocked = {
	.id = "nlm-blocked",
	.needs = "a capture of NLM traffic",
	.run = run,
};
