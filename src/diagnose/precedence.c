// SPDX-License-Identifier: GPL-2.0-or-later
/* See precedence.h. The ids are those of catalogue/ids.list. */
#include "diagnose/precedence.h"

#include "diagnose/catalogue.h"

#include <string.h>

/* Rows of one left side, each explained by it; what follows over several rows is worked out. */
static const struct {
	const char *left;
	const char *right;
} precedence_rows[] = {
	/* A host off the network cannot be reached, so nothing is answered, so the lease runs out.
	 */
	{"host-link-down", "net-unreachable"},
	{"net-unreachable", "tcp-path-silent"},
	{"net-unreachable", "tcp-syn-unanswered"},
	{"tcp-path-silent", "nfs4-lease-expired"},
	{"tcp-syn-unanswered", "nfs4-lease-expired"},
	{"nfs4-lease-expired", "nfs4-lock-reclaim-failed"},

	{"host-filter-drop", "tcp-synack-unacknowledged"},
	{"host-filter-drop", "tcp-syn-unanswered"},
	{"host-filter-drop", "tcp-path-silent"},
	{"tcp-synack-unacknowledged", "portmap-unanswered"},
	{"tcp-syn-unanswered", "portmap-unanswered"},
	{"portmap-unanswered", "rpc-not-sent"},
	{"portmap-unanswered", "rpc-not-responding"},

	/* The client uses its port again while the server still has the old connection. */
	{"tcp-fin-unanswered", "tcp-syn-challenged"},
	{"tcp-fin-unanswered", "tcp-half-closed"},

	/* Between two instances nothing listens; the new one knows nobody and is in grace. */
	{"nfs4-server-restart", "tcp-syn-refused"},
	{"nfs4-server-restart", "nfs4-session-reset-loop"},
	{"nfs4-server-restart", "nfs4-grace-wait"},
	{"nfs4-grace-too-long", "nfs4-grace-wait"},
	/* The same event, told by what matters: clients may not reclaim. */
	{"nfs4-server-scope-changed", "nfs4-server-restart"},
	{"nfs4-server-scope-changed", "nfs4-lock-reclaim-failed"},
	{"nlm-server-restart", "nlm-port-changed"},
	{"nlm-server-restart", "nlm-grace"},
	{"nlm-server-restart", "tcp-syn-refused"},
	{"nlm-server-restart", "portmap-unanswered"},
	{"nlm-port-changed", "tcp-syn-refused"},
	{"nlm-port-changed", "tcp-syn-unanswered"},
	{"nlm-server-restart", "nlm-locks-out-of-step"},
	{"nsm-notify-lost", "nlm-locks-out-of-step"},
	{"nsm-notify-lost", "nlm-grace"},
	{"nsm-notify-lost", "nlm-port-changed"},

	/* The server's callback is what is not answered, or refused. */
	{"nlm-granted-lost", "tcp-syn-unanswered"},
	{"nlm-granted-lost", "tcp-syn-refused"},
	{"nlm-granted-lost", "rpc-not-responding"},

	/* One directory at the server, and not the server. */
	{"dir-server-slow", "rpc-server-slow"},
	{"dir-server-slow", "rpc-not-responding"},

	/* A server whose statd does not take the client under watch denies its locks. */
	{"nsm-monitor-failed", "nlm-denied-nolocks"},

	/* What the client's log complains about when calls are not answered. */
	{"tcp-path-silent", "rpc-not-responding"},
	{"tcp-syn-unanswered", "rpc-not-responding"},
	{"tcp-syn-refused", "rpc-not-responding"},
	{"tcp-syn-challenged", "rpc-not-responding"},
	{"tcp-half-closed", "rpc-not-responding"},
	{"tcp-large-segments-lost", "rpc-not-responding"},
	{"tcp-loss", "rpc-not-responding"},
	{"tcp-delivery-delayed", "rpc-not-responding"},
	{"rpc-server-silent", "rpc-not-responding"},
	/* A program that stands still does not close its side either. */
	{"rpc-server-silent", "tcp-half-closed"},
	/* Nor does it take new ones: behind a full queue its host drops SYNs. */
	{"rpc-server-silent", "tcp-syn-unanswered"},
	{"rpc-server-slow", "rpc-not-responding"},
	{"rpc-framing-broken", "rpc-not-responding"},
	{"nlm-port-changed", "rpc-not-responding"},
	{"rpc-not-sent", "rpc-not-responding"},
	{"rpc-timeout-too-small", "rpc-not-responding"},
	{"rpc-timeout-too-small", "rpc-retransmission"},
	{"rpc-timeout-too-small", "soft-mount-io-error"},
	{"rpc-not-responding", "soft-mount-io-error"},
	{"rpc-not-responding", "task-hung"},
	{"dir-listing-exclusive", "task-hung"},
	{"dir-listing-writer-queued", "task-hung"},
	{"client-memory-exhausted", "task-hung"},
	{"dir-listing-exclusive", "client-memory-exhausted"},
	{"getattr-flush", "task-hung"},
	{"gss-upcall-stuck", "nfs4-state-manager-stuck"},
	{"gss-upcall-stuck", "task-hung"},
	{"idmap-slow", "task-hung"},
	{"mount-trunking-blocked", "task-hung"},
	{"nfs4-state-manager-stuck", "task-hung"},
	{"nfsd-threads-stuck", "rpc-server-silent"},
	{"nfsd-threads-stuck", "task-hung"},
	{"rpc-server-silent", "nfs4-state-manager-stuck"},
	{"rpc-server-silent", "writeback-stalled"},
	{"rpc-server-slow", "writeback-stalled"},
	{"writeback-stalled", "task-hung"},

	{"nfs4-client-owner-collision", "nfs4-session-reset-loop"},
	{"nfs4-session-reset-loop", "nfs4-lock-reclaim-failed"},
	{"nfs4-session-reset-loop", "nfs4-clientid-mismatch"},
	{"nfs4-session-reset-loop", "soft-mount-io-error"},
	/* The other ways in which state is taken away again and again. */
	{"nfs4-lease-expired", "nfs4-session-reset-loop"},
	{"nfs4-client-expired", "nfs4-session-reset-loop"},
	{"nfs4-client-expired", "nfs4-lock-reclaim-failed"},
	{"nfs4-session-only-lost", "nfs4-session-reset-loop"},

	/* Where each call takes long, slots fill up for that reason. */
	{"rpc-server-slow", "nfs4-slots-exhausted"},
	/* A recall that does not reach its holder, or a holder that reaches nobody. */
	{"nfs4-backchannel-down", "nfs4-recall-unanswered"},
	{"tcp-path-silent", "nfs4-recall-unanswered"},
	{"tcp-syn-unanswered", "nfs4-recall-unanswered"},
	/* The server takes away what is not returned, and the client then looks what it has left.
	 */
	{"nfs4-recall-unanswered", "nfs4-test-stateid-loop"},
	{"nfs4-test-stateid-loop", "nfs4-stateid-loop"},

	{"tcp-delivery-delayed", "rpc-server-slow"},
	{"tcp-delivery-delayed", "rpc-retransmission"},
	{"tcp-loss", "rpc-server-slow"},
	{"tcp-loss", "rpc-retransmission"},
};

enum { PRECEDENCE_ROWS = sizeof(precedence_rows) / sizeof(precedence_rows[0]) };

/*
 * Causes that give wrong results where others only take time: two hosts hold one lock, or one holds
 * a lock of which it does not know; the server takes two hosts for one, and goes on to drop the
 * locks of each for the other when a restart, say, is long over. They go before the others of an
 * incident that are no more certain.
 */
static const char *const precedence_harmful[] = {
	"nfs4-client-owner-collision",
	"nsm-notify-lost",
	"nlm-retransmission-denied",
};

/* Symptoms without a cause, by how much they hurt: lost data and errors before waiting. */
static const char *const precedence_symptoms[] = {
	"nfs4-lock-reclaim-failed",
	"nlm-locks-out-of-step",
	"soft-mount-io-error",
	"task-hung",
	"rpc-not-responding",
	"nfs4-session-reset-loop",
	"nfs4-clientid-mismatch",
	"nfs4-grace-wait",
	"nlm-grace",
	"rpc-retransmission",
};

enum { PRECEDENCE_SYMPTOMS = sizeof(precedence_symptoms) / sizeof(precedence_symptoms[0]) };

/*
 * What a fault of a server looks like to its clients, each with a finding of its own: a client that
 * was connected has another one than a client that connects. Loss is not among them: each client
 * has a cable of its own.
 */
static const char *const precedence_outages[] = {
	"net-unreachable",    "nfs4-server-restart", "nlm-server-restart",
	"portmap-unanswered", "rpc-not-responding",  "rpc-server-silent",
	"tcp-path-silent",    "tcp-syn-refused",     "tcp-syn-unanswered",
};
static const char *const precedence_slow[] = {"nfsd-threads-stuck", "rpc-server-slow"};

enum { SHARED_NONE, SHARED_OUTAGE, SHARED_SLOW };

bool precedence_row(size_t index, const char **left, const char **right)
{
	if (index >= PRECEDENCE_ROWS)
		return false;
	*left = precedence_rows[index].left;
	*right = precedence_rows[index].right;
	return true;
}

/* Place in catalogue_ids; PRECEDENCE_IDS_MAX when there is no such id. */
static size_t precedence_index(const char *id)
{
	const struct catalogue_id *known = catalogue_id_find(id);

	return known ? (size_t)(known - catalogue_ids) : PRECEDENCE_IDS_MAX;
}

static void precedence_share(struct precedence *p, const char *id, uint8_t shared)
{
	size_t index = precedence_index(id);

	if (index < PRECEDENCE_IDS_MAX)
		p->shared[index] = shared;
}

void precedence_init(struct precedence *p)
{
	size_t n =
		catalogue_ids_count < PRECEDENCE_IDS_MAX ? catalogue_ids_count : PRECEDENCE_IDS_MAX;

	memset(p, 0, sizeof(*p));
	for (size_t i = 0; i < PRECEDENCE_ROWS; i++) {
		size_t left = precedence_index(precedence_rows[i].left);
		size_t right = precedence_index(precedence_rows[i].right);

		if (left < n && right < n)
			p->explains[left][right / 64] |= UINT64_C(1) << right % 64;
	}
	for (size_t i = 0; i < sizeof(precedence_outages) / sizeof(precedence_outages[0]); i++)
		precedence_share(p, precedence_outages[i], SHARED_OUTAGE);
	for (size_t i = 0; i < sizeof(precedence_slow) / sizeof(precedence_slow[0]); i++)
		precedence_share(p, precedence_slow[i], SHARED_SLOW);
	/* Warshall's closure: what explains the explainer explains it too. */
	for (size_t via = 0; via < n; via++)
		for (size_t left = 0; left < n; left++)
			if (precedence_explains_place(p, left, via))
				for (size_t i = 0; i < PRECEDENCE_WORDS; i++)
					p->explains[left][i] |= p->explains[via][i];
	for (size_t left = 0; left < n; left++)
		for (size_t i = 0; i < PRECEDENCE_WORDS; i++)
			p->weight[left] += (uint32_t)__builtin_popcountll(p->explains[left][i]);
}

bool precedence_explains(const struct precedence *p, const char *left, const char *right)
{
	return precedence_explains_place(p, precedence_index(left), precedence_index(right));
}

bool precedence_shared(const struct precedence *p, const char *a, const char *b)
{
	size_t i = precedence_index(a);
	size_t k = precedence_index(b);

	return i < PRECEDENCE_IDS_MAX && k < PRECEDENCE_IDS_MAX && p->shared[i] != SHARED_NONE &&
	       p->shared[i] == p->shared[k];
}

static uint32_t precedence_weight(const struct precedence *p, const struct finding *f)
{
	size_t index = precedence_index(f->id);

	if (f->role != ROLE_SYMPTOM)
		return index < PRECEDENCE_IDS_MAX ? p->weight[index] : 0;
	for (uint32_t i = 0; i < PRECEDENCE_SYMPTOMS; i++)
		if (strcmp(precedence_symptoms[i], f->id) == 0)
			return PRECEDENCE_SYMPTOMS - i;
	return 0;
}

static int order_u64(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

static bool precedence_is_harmful(const struct finding *f)
{
	for (size_t i = 0; i < sizeof(precedence_harmful) / sizeof(precedence_harmful[0]); i++)
		if (strcmp(precedence_harmful[i], f->id) == 0)
			return true;
	return false;
}

int precedence_compare(const struct precedence *p, const struct finding *a, const struct finding *b)
{
	int order = order_u64(a->role, b->role);

	if (order == 0)
		order = order_u64(b->confidence > CONFIDENCE_POSSIBLE,
				  a->confidence > CONFIDENCE_POSSIBLE);
	if (order == 0)
		order = order_u64(precedence_is_harmful(b), precedence_is_harmful(a));
	if (order == 0)
		order = order_u64(precedence_weight(p, b), precedence_weight(p, a));
	if (order == 0)
		order = order_u64(b->confidence, a->confidence);
	if (order == 0)
		order = order_u64(b->count, a->count);
	if (order == 0)
		order = (a->first.ns > b->first.ns) - (a->first.ns < b->first.ns);
	return order ? order : strcmp(a->key, b->key);
}
