// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which host of the captures wrote a log. Its complaints and "OK" lines are waits of one host, and
 * other lines are other moments of it: if by the settled times they are those of one client on the
 * wire, and of no other, it is that one. A complaint without an end is that of a client whose call
 * is as old as a timeout then. Where an outage hits several clients alike, it is said that it may
 * be any of them.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "base/mem.h"
#include "ingest/log/log_private.h"

/* Settled times and the captures' are no further apart, but for what they are said to be off. */
#define WHOSE_SLACK_NS (2 * STAMP_NS_PER_S)

/* Of a clock that is said to be off by more nothing is believed anyway. */
#define WHOSE_ERROR_MAX_NS (INT64_C(86400) * STAMP_NS_PER_S)

/* Complaints up to 2084, as everywhere here: see log_anchor.h. */
#define WHOSE_TIME_MAX_NS INT64_C(3600000000000000000)

/* Clients that are named where it may be any of several. */
enum { WHOSE_MAX = 16, WHOSE_NAMED_MAX = 4 };

/* As soon behind the captures' begin a call may be from before. */
#define WHOSE_SEEN_NS (30 * STAMP_NS_PER_S)

/* Clients whose waits fit all complaints of a log that the captures can show. */
struct whose {
	struct endpoint at[WHOSE_MAX];
	size_t len;
	bool refuted; /* no client waits as it says, or too many do */
	/* What decided: a line of the log and the beginning of the first client's wait. */
	uint64_t line;
	struct slice text;
	struct provenance frame;
};

static int64_t slack_of(const struct log_file *f)
{
	int64_t error_ns = f->error_ns > 0 ? f->error_ns : 0;

	return WHOSE_SLACK_NS + (error_ns < WHOSE_ERROR_MAX_NS ? error_ns : WHOSE_ERROR_MAX_NS);
}

/* The settled times of the file's records; the caller frees them. */
static int64_t *settled_times(const struct logs *l, const struct log_file *f)
{
	int64_t *own_ns = mem_alloc(f->last - f->first + 1, sizeof(*own_ns));

	for (size_t i = f->first; i < f->last; i++) {
		const struct log_record *r = vec_at(&l->records, i);

		own_ns[i - f->first] = r->at.clock == CLOCK_UTC ? r->at.ns : INT64_MIN;
	}
	return own_ns;
}

static void whose_note(const struct logs *l, const struct log_file *f, const struct log_join *join)
{
	bool server = join->kind == LOG_JOIN_STARTED;
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add_format(&text, "was written by %s ", server ? "server" : "client");
	endpoint_add_host(&text, &join->client);
	strbuf_add_text(&text, ": ");
	log_join_add_reason(l, &text, join);
	strbuf_add_format(&text, ", and no other %s has one that fits",
			  server ? "server" : "client");
	evidence_add_note(l->evidence, f->evidence, strbuf_text(&text));
	strbuf_deinit(&text);
}

/* --- by complaints alone --- */

static bool whose_has(const struct endpoint *at, size_t len, const struct endpoint *host)
{
	for (size_t i = 0; i < len; i++)
		if (endpoint_same_host(&at[i], host))
			return true;
	return false;
}

/* The clients that may have made this complaint; SIZE_MAX: more than are looked at. */
static size_t complainers_find(const struct logs *l, const struct log_record *r, int64_t slack_ns,
			       struct endpoint *out, struct provenance *first)
{
	size_t len = 0;

	for (size_t k = 0; k < l->wire.waits.len; k++) {
		const struct log_wire_wait *w = vec_at(&l->wire.waits, k);

		if (!log_wire_wait_is(&r->fact, w, r->at.ns, slack_ns) ||
		    whose_has(out, len, &w->client))
			continue;
		if (len == WHOSE_MAX)
			return SIZE_MAX;
		if (len == 0)
			*first = w->start;
		out[len++] = w->client;
	}
	return len;
}

static void whose_take(const struct logs *l, const struct log_record *r, int64_t slack_ns,
		       struct whose *w)
{
	struct endpoint found[WHOSE_MAX];
	struct provenance first;
	size_t len = complainers_find(l, r, slack_ns, found, &first);
	size_t kept = 0;

	if (len == 0) {
		w->refuted |=
			r->at.ns - WHOSE_SEEN_NS > l->wire.first.ns && r->at.ns < l->wire.last.ns;
		return;
	}
	if (len == SIZE_MAX) {
		w->refuted = true;
		return;
	}
	if (w->line == 0) {
		w->line = r->line;
		w->text = r->fact.line;
		w->frame = first;
		memcpy(w->at, found, len * sizeof(found[0]));
		w->len = len;
		return;
	}
	for (size_t i = 0; i < w->len; i++)
		if (whose_has(found, len, &w->at[i]))
			w->at[kept++] = w->at[i];
	w->refuted |= kept == 0;
	w->len = kept;
}

static struct whose whose_complaints(const struct logs *l, const struct log_file *f)
{
	struct whose w = {.len = 0};

	if (f->by_complaint || l->wire.full || l->wire.complete_ns > LOG_WIRE_WAIT_MIN_NS)
		return w;
	for (size_t i = f->first; i < f->last && !w.refuted; i++) {
		const struct log_record *r = vec_at(&l->records, i);

		if (r->fact.kind == LOG_NOT_RESPONDING && r->at.clock == CLOCK_UTC &&
		    r->at.ns > WHOSE_ERROR_MAX_NS * 2 && r->at.ns < WHOSE_TIME_MAX_NS)
			whose_take(l, r, slack_of(f), &w);
	}
	if (w.refuted)
		w.len = 0;
	return w;
}

static void complainers_note(const struct logs *l, const struct log_file *f, const struct whose *w)
{
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add_text(&text,
			w->len == 1 ? "was written by client " : "may be the log of clients ");
	for (size_t i = 0; i < w->len && i < WHOSE_NAMED_MAX; i++) {
		strbuf_add_text(&text, i ? ", " : "");
		endpoint_add_host(&text, &w->at[i]);
	}
	if (w->len > WHOSE_NAMED_MAX)
		strbuf_add_format(&text, " and %zu more", w->len - WHOSE_NAMED_MAX);
	strbuf_add_text(&text, ": \"");
	strbuf_add_safe(&text, w->text);
	strbuf_add_format(&text, "\" in line %" PRIu64, w->line);
	if (w->len == 1)
		strbuf_add_format(&text,
				  " comes while its wait from frame %" PRIu64
				  " of %s on goes on, and no other client waits so",
				  w->frame.frame,
				  evidence_list_at(l->evidence, w->frame.evidence)->id);
	else
		strbuf_add_text(&text, " fits the waits of each of them: whose it is stays open");
	evidence_add_note(l->evidence, f->evidence, strbuf_text(&text));
	strbuf_deinit(&text);
}

/* --- all of them --- */

static void host_set(struct logs *l, const struct log_file *f, const struct endpoint *at)
{
	struct log_host *h = vec_at(&l->hosts, f->host);

	h->torn |= h->has_at && !endpoint_same_host(&h->at, at);
	h->at = *at;
	h->has_at = true;
}

/* By waits with an end, else by lines of other kinds; kind COMPLAINT, or no fits: neither tells. */
static struct log_join whose_join(const struct logs *l, const struct log_file *f)
{
	const struct log_join_range range = {.max_ns = slack_of(f)};
	int64_t *own_ns = settled_times(l, f);
	struct log_join join = log_wire_join(l, f, own_ns, &range);

	if (join.fits == 0 || join.kind == LOG_JOIN_COMPLAINT)
		join = log_anchor_join(l, f, own_ns, &range, false, true);
	if (join.fits == 0 || join.ambiguous || join.weak || !join.one_client)
		join.kind = LOG_JOIN_COMPLAINT;
	free(own_ns);
	return join;
}

static void settle_client(struct logs *l, const struct log_file *f)
{
	struct log_join join = whose_join(l, f);
	struct whose w;

	if (join.fits && join.kind != LOG_JOIN_COMPLAINT) {
		if (join.kind != LOG_JOIN_STARTED)
			host_set(l, f, &join.client);
		whose_note(l, f, &join);
		return;
	}
	w = whose_complaints(l, f);
	if (w.len == 0)
		return;
	if (w.len == 1)
		host_set(l, f, &w.at[0]);
	complainers_note(l, f, &w);
}

void log_clients_settle(struct logs *l)
{
	for (size_t i = 0; i < l->files.len; i++) {
		const struct log_file *f = vec_at(&l->files, i);

		if (f->host != LOG_HOST_NONE && f->hosts_told <= 1)
			settle_client(l, f);
	}
}
