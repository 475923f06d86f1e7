/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * How long something went on, by the time that surely passed between one answer and the next. The
 * clock of a capture may be set meanwhile. The server's own timestamps (RFC 7323) tell, where there
 * are any; without them a gap that is longer than every other one counts as long as the next: who
 * asks again and again does so in a rhythm.
 */
#ifndef MODEL_NFS4_GAPS_H
#define MODEL_NFS4_GAPS_H

#include "event/ident.h"

struct nfs4_gaps {
	uint32_t count;              /* of the gaps that no timestamps speak of */
	int64_t sum_ns;              /* of all that count */
	int64_t longest_ns, next_ns; /* of those that no timestamps speak of */
	int64_t ahead_ns;            /* clock_ahead_ns at the last answer */
};

/* From one answer to the next, which came on `conn`. A gap that is not positive counts nothing. */
static inline void nfs4_gaps_add(struct nfs4_gaps *g, int64_t gap_ns, const struct conn *conn)
{
	int64_t before_ns = g->ahead_ns;

	g->ahead_ns = conn->clock_ahead_ns;
	if (gap_ns <= 0)
		return;
	if (conn->clock_lost_ns >= 0) {
		if (g->ahead_ns - before_ns <= gap_ns / 2)
			g->sum_ns += gap_ns;
		return;
	}
	g->count++;
	g->sum_ns += gap_ns;
	if (gap_ns > g->longest_ns) {
		g->next_ns = g->longest_ns;
		g->longest_ns = gap_ns;
	} else if (gap_ns > g->next_ns) {
		g->next_ns = gap_ns;
	}
}

/* Of a single gap nothing tells that it is odd. */
static inline int64_t nfs4_gaps_ns(const struct nfs4_gaps *g)
{
	return g->sum_ns - (g->count > 1 ? g->longest_ns - g->next_ns : 0);
}

#endif
