// SPDX-License-Identifier: GPL-2.0-or-later
/* See engine.h. */
#include "diagnose/engine.h"

#include "diagnose/chain.h"
#include "diagnose/host_address.h"
#include "diagnose/incident.h"
#include "diagnose/inert.h"
#include "diagnose/precedence.h"
#include "diagnose/same_server.h"

#include <stdlib.h>
#include <string.h>

static int order_text(const char *a, const char *b)
{
	return strcmp(a ? a : "", b ? b : "");
}

static int order_clients(const struct finding *a, const struct finding *b)
{
	for (size_t i = 0; i < a->clients_at.len && i < b->clients_at.len; i++) {
		int order = endpoint_compare(vec_at(&a->clients_at, i), vec_at(&b->clients_at, i));

		if (order)
			return order;
	}
	return (a->clients_at.len > b->clients_at.len) - (a->clients_at.len < b->clients_at.len);
}

/* By id, server, clients, time, words: the order of rules leaves no trace. */
static int finding_order(const void *a, const void *b)
{
	const struct finding *x = *(struct finding *const *)a;
	const struct finding *y = *(struct finding *const *)b;
	int order = strcmp(x->id, y->id);

	if (order == 0)
		order = endpoint_compare(&x->server_at, &y->server_at);
	if (order == 0)
		order = order_clients(x, y);
	if (order == 0)
		order = (x->first.ns > y->first.ns) - (x->first.ns < y->first.ns);
	if (order == 0)
		order = order_text(x->title, y->title);
	return order ? order : order_text(x->why, y->why);
}

static int undecided_order(const void *a, const void *b)
{
	const struct undecided *x = a;
	const struct undecided *y = b;
	int order = strcmp(x->id, y->id);

	return order ? order : strcmp(x->missing, y->missing);
}

static void findings_number(struct diagnosis *d)
{
	const char *id = "";
	unsigned number = 0;

	if (d->findings.len)
		qsort(d->findings.items, d->findings.len, d->findings.item_bytes, finding_order);
	for (size_t i = 0; i < d->findings.len; i++) {
		struct finding *f = finding_at(&d->findings, i);

		number = strcmp(id, f->id) == 0 ? number + 1 : 1;
		id = f->id;
		f->key = arena_format(&d->arena, "%s#%u", f->id, number);
	}
	if (d->undecided.len)
		qsort(d->undecided.items, d->undecided.len, d->undecided.item_bytes,
		      undecided_order);
}

/*
 * What is merely possible does not take the headline from a cause that is more than that: it would
 * put a guess before a proof.
 */
static bool finding_may_explain(const struct finding *left, const struct finding *right)
{
	return right->role == ROLE_SYMPTOM || left->confidence > CONFIDENCE_POSSIBLE ||
	       right->confidence == CONFIDENCE_POSSIBLE;
}

static bool has_packet_list(const struct evidence_list *evidence)
{
	for (uint32_t i = 0; evidence && i < evidence->items.len; i++)
		if (evidence_list_at(evidence, i)->kind == EVIDENCE_PACKET_LIST)
			return true;
	return false;
}

/* What such a finding rests on is that something did not come. */
static bool is_by_absence(const char *id)
{
	static const char *const ids[] = {"tcp-syn-unanswered", "tcp-half-closed",
					  "tcp-path-silent", "tcp-fin-unanswered",
					  "tcp-syn-challenged"};

	for (size_t i = 0; i < sizeof(ids) / sizeof(ids[0]); i++)
		if (strcmp(id, ids[i]) == 0)
			return true;
	return false;
}

/* Somebody chose what a list of packets shows: it proves nothing for certain. */
static void findings_temper(struct diagnosis *d, const struct evidence_list *evidence)
{
	for (size_t i = 0; i < d->findings.len; i++) {
		struct finding *f = finding_at(&d->findings, i);

		for (size_t k = 0; k < f->cites.len; k++) {
			const struct cite *c = vec_at(&f->cites, k);
			const struct evidence *e;

			if (c->at.frame == FRAME_NONE)
				continue;
			e = evidence_list_at(evidence, c->at.evidence);
			if (e->kind == EVIDENCE_PACKET_LIST && e->partial && is_by_absence(f->id))
				f->confidence = CONFIDENCE_POSSIBLE;
			else if (e->kind == EVIDENCE_PACKET_LIST &&
				 f->confidence == CONFIDENCE_CERTAIN)
				f->confidence = CONFIDENCE_LIKELY;
		}
	}
}

static void finding_explain(struct finding *left, struct finding *right)
{
	right->explained = true;
	finding_join(left, right);
	if (left->explains.len < FINDING_EXPLAINS_MAX)
		*(struct finding **)vec_push(&left->explains) = right;
	else
		left->explains_more++;
}

/* What the finding explains among those of [from, to). */
static void finding_explain_some(const struct diagnosis *d, struct finding *left, size_t from,
				 size_t to)
{
	for (size_t j = from; j < to; j++) {
		struct finding *right = finding_at(&d->findings, j);

		if (left != right && finding_times_follow(left, right) &&
		    finding_may_explain(left, right) && finding_subjects_meet(left, right))
			finding_explain(left, right);
	}
}

/* Findings stand by id, and of most ids a given one explains nothing. */
static void findings_explain(struct diagnosis *d, const struct precedence *p)
{
	size_t begin[PRECEDENCE_IDS_MAX + 1]; /* by place: of the findings of this id */
	size_t next = 0;

	for (size_t place = 0; place <= PRECEDENCE_IDS_MAX; place++) {
		while (next < d->findings.len && finding_at(&d->findings, next)->place < place)
			next++;
		begin[place] = next;
	}
	for (size_t i = 0; i < d->findings.len; i++) {
		struct finding *left = finding_at(&d->findings, i);

		for (size_t place = 0; place < PRECEDENCE_IDS_MAX; place++)
			if (begin[place] < begin[place + 1] &&
			    precedence_explains_place(p, left->place, place))
				finding_explain_some(d, left, begin[place], begin[place + 1]);
	}
}

void diagnose_run_rules(const struct rule *const *rules, size_t count, const struct rule_input *in,
			struct diagnosis *out)
{
	struct precedence precedence;

	for (size_t i = 0; i < count; i++)
		rules[i]->run(in, out);
	diagnosis_make_inert(out);
	same_servers_settle(in, out);
	host_addresses_settle(in, out);
	if (has_packet_list(in->evidence))
		findings_temper(out, in->evidence);
	precedence_init(&precedence);
	findings_number(out);
	findings_explain(out, &precedence);
	incidents_make(out, &precedence);
	chains_make(out);
}

void diagnose_run(const struct rule_input *in, struct diagnosis *out)
{
	diagnose_run_rules(diagnose_rules, diagnose_rules_count, in, out);
}
