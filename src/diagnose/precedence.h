/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What explains what: which finding is the cause when several hold for the same subjects at the
 * same time, and which of several headlines is the gravest. A table, not a computation: it says
 * what the field knows, and never counts.
 */
#ifndef DIAGNOSE_PRECEDENCE_H
#define DIAGNOSE_PRECEDENCE_H

#include "diagnose/finding.h"

enum { PRECEDENCE_IDS_MAX = 128, PRECEDENCE_WORDS = PRECEDENCE_IDS_MAX / 64 };

/* The table with what follows from it, by the ids' places in catalogue_ids. */
struct precedence {
	uint64_t explains[PRECEDENCE_IDS_MAX][PRECEDENCE_WORDS]; /* [left], a bit for each right */
	uint32_t weight[PRECEDENCE_IDS_MAX]; /* of causes: how many ids it explains */
	uint8_t shared[PRECEDENCE_IDS_MAX];  /* faults with one number are shared; 0: none */
};

void precedence_init(struct precedence *p);

/* True when a finding `left` is what a finding `right` comes from, if they meet. */
bool precedence_explains(const struct precedence *p, const char *left, const char *right);

/* The same by the ids' places in catalogue_ids, for who asks of many pairs. */
static inline bool precedence_explains_place(const struct precedence *p, size_t left, size_t right)
{
	return left < PRECEDENCE_IDS_MAX && right < PRECEDENCE_IDS_MAX &&
	       p->explains[left][right / 64] >> right % 64 & 1;
}

/*
 * True when findings of these two ids, about one server at one time, are one fault of the server
 * (or of the way to it) as two of its clients have it.
 */
bool precedence_shared(const struct precedence *p, const char *a, const char *b);

/*
 * Order of headlines, the gravest first: causes before symptoms; what is more than possible before
 * what is only that; the one that can explain more; the surer; the more frequent; the earlier; by
 * key. Negative: a goes before b. Keys must be set.
 */
int precedence_compare(const struct precedence *p, const struct finding *a,
		       const struct finding *b);

/* A row of the table, for tests: false when there is no such row. */
bool precedence_row(size_t index, const char **left, const char **right);

#endif
