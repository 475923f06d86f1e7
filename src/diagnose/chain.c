// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See chain.h. A chain says nothing that the findings do not say: its links are their titles and
 * cites, and what makes one of them follow another is the table of precedence.
 */
#include "diagnose/chain.h"

#include <stdlib.h>
#include <string.h>

static bool is_before(struct stamp a, struct stamp b)
{
	return a.clock == b.clock && a.ns < b.ns;
}

/* What shows the finding's beginning: the first cite that is not before it; NULL: none. */
static const struct cite *cite_of_begin(const struct finding *f)
{
	for (size_t i = 0; i < f->cites.len; i++) {
		const struct cite *c = vec_at(&f->cites, i);

		if (stamp_known(c->at.at) && !is_before(c->at.at, f->first))
			return c;
	}
	return f->cites.len ? vec_at(&f->cites, 0) : NULL;
}

/* What shows its end; NULL: no cite does. */
static const struct cite *cite_of_end(const struct finding *f)
{
	for (size_t i = f->cites.len; i > 0; i--) {
		const struct cite *c = vec_at(&f->cites, i - 1);

		if (c->at.at.clock == f->last.clock && c->at.at.ns == f->last.ns)
			return c;
	}
	return NULL;
}

/* The finding's place in the chain under way: that of the same kind, or one more. */
static struct chain_link *link_of(struct vec *chain, const struct finding *f)
{
	for (size_t i = 0; i < chain->len; i++) {
		struct chain_link *link = vec_at(chain, i);

		if (strcmp(link->finding->id, f->id) == 0)
			return link;
	}
	return NULL;
}

static void chain_add(struct vec *chain, const struct finding *f)
{
	struct chain_link *link = link_of(chain, f);

	if (link) {
		link->more++;
		if (!is_before(f->first, link->at))
			return;
	} else if (chain->len == CHAIN_LINKS_MAX - 1) { /* one is for the end */
		return;
	} else {
		link = vec_push(chain);
	}
	link->at = f->first;
	link->text = f->title;
	link->finding = f;
	link->cite = cite_of_begin(f);
}

/* By time; what has another clock than UTC comes last. The headline stays where it is. */
static int link_order(const void *a, const void *b)
{
	const struct chain_link *x = a;
	const struct chain_link *y = b;

	if ((x->at.clock == CLOCK_UTC) != (y->at.clock == CLOCK_UTC))
		return x->at.clock == CLOCK_UTC ? -1 : 1;
	if (x->at.ns != y->at.ns)
		return x->at.ns < y->at.ns ? -1 : 1;
	return strcmp(x->finding->key, y->finding->key);
}

/* The end of what lasted longest, if something shows it. */
static void chain_end(struct vec *chain, const struct finding *headline)
{
	const struct finding *last = headline;
	const struct cite *c;
	struct chain_link *link;

	for (size_t i = 0; i < headline->explains.len; i++) {
		const struct finding *f = finding_at(&headline->explains, i);

		if (f->last.clock == last->last.clock && f->last.ns >= last->last.ns)
			last = f;
	}
	c = stamp_known(last->last) ? cite_of_end(last) : NULL;
	if (!c || last->last.ns <= last->first.ns)
		return;
	link = vec_push(chain);
	link->at = c->at.at;
	link->text = c->text;
	link->finding = last;
	link->cite = c;
	link->is_end = true;
}

/* -1: not known, or the one before is later. What began within a second began together. */
static int64_t chain_elapsed_ns(struct stamp from, struct stamp to)
{
	int64_t ns;

	if (!stamp_known(to) || from.clock != to.clock ||
	    __builtin_sub_overflow(to.ns, from.ns, &ns) || ns < -STAMP_NS_PER_S)
		return -1;
	return ns < 0 ? 0 : ns;
}

static void chain_make(struct incident *in)
{
	const struct finding *headline = in->headline;
	struct vec *chain = &in->chain;

	chain_add(chain, headline);
	for (size_t i = 0; i < headline->explains.len; i++) {
		const struct finding *f = finding_at(&headline->explains, i);

		/* One that is seen before its cause is: the evidence of the cause begins later. */
		if (f->first.clock != headline->first.clock || !stamp_known(f->first) ||
		    chain_elapsed_ns(headline->first, f->first) >= 0)
			chain_add(chain, f);
	}
	if (chain->len > 2)
		qsort((struct chain_link *)chain->items + 1, chain->len - 1, chain->item_bytes,
		      link_order);
	chain_end(chain, headline);
	for (size_t i = 0; i < chain->len; i++) {
		struct chain_link *link = vec_at(chain, i);
		const struct chain_link *before = i ? vec_at(chain, i - 1) : NULL;

		link->after_ns = before ? chain_elapsed_ns(before->at, link->at) : -1;
	}
}

void chains_make(struct diagnosis *d)
{
	for (size_t i = 0; i < d->incidents.len; i++)
		chain_make(vec_at(&d->incidents, i));
}
