// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Which client of the captures wrote a log. Its complaints and "OK" lines are waits of one host: if
 * by the settled times they are those of one client on the wire, and of no other, it is that one.
 * Where an outage hits several clients alike, nothing is told.
 */
#include <stdlib.h>

#include "base/mem.h"
#include "ingest/log_private.h"

/* Settled times and the captures' are no further apart, but for what they are said to be off. */
#define WHOSE_SLACK_NS (2 * STAMP_NS_PER_S)

static struct log_join whose_join(const struct logs *l, const struct log_file *f)
{
	const struct log_join_range range = {.max_ns = WHOSE_SLACK_NS +
						       (f->error_ns > 0 ? f->error_ns : 0)};
	int64_t *own_ns = mem_alloc(f->last - f->first + 1, sizeof(*own_ns));
	struct log_join join;

	for (size_t i = f->first; i < f->last; i++) {
		const struct log_record *r = vec_at(&l->records, i);

		own_ns[i - f->first] = r->at.clock == CLOCK_UTC ? r->at.ns : INT64_MIN;
	}
	join = log_wire_join(l, f, own_ns, &range);
	free(own_ns);
	return join;
}

static void whose_note(const struct logs *l, const struct log_file *f, const struct log_join *join)
{
	struct strbuf text;

	strbuf_init(&text);
	strbuf_add_text(&text, "was written by client ");
	endpoint_add_host(&text, &join->client);
	strbuf_add_text(&text, ": ");
	log_join_add_reason(l, &text, join);
	strbuf_add_text(&text, ", and no other client has one that fits");
	evidence_add_note(l->evidence, f->evidence, strbuf_text(&text));
	strbuf_deinit(&text);
}

void log_clients_settle(struct logs *l)
{
	for (size_t i = 0; i < l->files.len; i++) {
		struct log_file *f = vec_at(&l->files, i);
		struct log_host *h;
		struct log_join join;

		if (f->host == LOG_HOST_NONE || f->hosts_told > 1)
			continue;
		join = whose_join(l, f);
		if (join.fits == 0 || join.ambiguous || !join.one_client || join.by_complaint)
			continue;
		h = vec_at(&l->hosts, f->host);
		h->torn |= h->has_at && !endpoint_same_host(&h->at, &join.client);
		h->at = join.client;
		h->has_at = true;
		whose_note(l, f, &join);
	}
}
