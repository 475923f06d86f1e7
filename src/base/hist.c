// SPDX-License-Identifier: GPL-2.0-or-later
/* See hist.h. */
#include "base/hist.h"

#include "base/mem.h"

#include <math.h>
#include <stdlib.h>

void hist_init(struct hist *h)
{
	*h = (struct hist){0};
}

void hist_deinit(struct hist *h)
{
	free(h->buckets);
	hist_init(h);
}

static unsigned hist_bucket(uint64_t ns)
{
	unsigned shift;

	if (ns < 1u << HIST_SUB_BITS)
		return (unsigned)ns;
	shift = 63u - (unsigned)__builtin_clzll(ns) - HIST_SUB_BITS;
	return ((shift + 1) << HIST_SUB_BITS) +
	       (unsigned)((ns >> shift) & ((1u << HIST_SUB_BITS) - 1));
}

static uint64_t hist_bucket_top(unsigned bucket)
{
	unsigned sub = bucket & ((1u << HIST_SUB_BITS) - 1);
	unsigned shift = bucket >> HIST_SUB_BITS;

	if (shift == 0)
		return bucket;
	shift--;
	return (((uint64_t)sub + (1u << HIST_SUB_BITS) + 1) << shift) - 1;
}

void hist_add(struct hist *h, int64_t ns)
{
	uint64_t value = ns < 0 ? 0 : (uint64_t)ns;

	if (!h->buckets)
		h->buckets = mem_alloc(HIST_BUCKETS, sizeof(*h->buckets));
	h->buckets[hist_bucket(value)]++;
	h->count++;
	if (__builtin_add_overflow(h->sum_ns, (int64_t)value, &h->sum_ns))
		h->sum_ns = INT64_MAX;
	if ((int64_t)value > h->max_ns)
		h->max_ns = (int64_t)value;
}

int64_t hist_percentile(const struct hist *h, double percent)
{
	uint64_t wanted = (uint64_t)ceil((double)h->count * percent / 100.0);
	uint64_t seen = 0;

	if (h->count == 0)
		return 0;
	if (wanted == 0)
		wanted = 1;
	for (unsigned i = 0; i < HIST_BUCKETS; i++) {
		seen += h->buckets[i];
		if (seen >= wanted) {
			uint64_t top = hist_bucket_top(i);

			return top > (uint64_t)h->max_ns ? h->max_ns : (int64_t)top;
		}
	}
	return h->max_ns;
}
