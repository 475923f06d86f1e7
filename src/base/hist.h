/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A log-linear histogram of durations: 16 buckets per power of two, so a percentile is at most
 * 1/16 (6.25 %) above the true value. Fixed size, whatever is counted.
 */
#ifndef BASE_HIST_H
#define BASE_HIST_H

#include <stdint.h>

enum { HIST_SUB_BITS = 4, HIST_BUCKETS = (64 - HIST_SUB_BITS + 1) << HIST_SUB_BITS };

struct hist {
	uint64_t count;
	int64_t max_ns; /* exact */
	int64_t sum_ns;
	uint32_t *buckets; /* HIST_BUCKETS, allocated by the first value */
};

void hist_init(struct hist *h);
void hist_deinit(struct hist *h);

/* Adds a duration; negative ones (a clock that jumped) count as 0. */
void hist_add(struct hist *h, int64_t ns);

/* Upper bound of the bucket in which the percentile (0..100) lies, at most max_ns; 0 when empty. */
int64_t hist_percentile(const struct hist *h, double percent);

#endif
