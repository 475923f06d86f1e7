/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about counters of mounts share. */
#ifndef DIAGNOSE_RULES_COUNTERS_COMMON_H
#define DIAGNOSE_RULES_COUNTERS_COMMON_H

#include "diagnose/finding.h"
#include "model/counters.h"

struct counters_sum {
	uint64_t calls, received_bytes, queue_ms, rtt_ms, execute_ms;
};

/* Of the operations in the list, which NULL ends; `names` NULL: of all. */
struct counters_sum counters_sum_of(const struct counters_span *s, const char *const *names);

/* "4457 GETATTR, 2 ACCESS", of those that were called. */
const char *counters_calls_text(struct diagnosis *d, const struct counters_span *s,
				const char *const *names);

/* "In the 44 s since it was mounted", "In the 60 s between two readings". */
const char *counters_span_text(struct diagnosis *d, const struct counters_span *s);

/* Names the server and the mount. */
void counters_about(struct diagnosis *d, struct finding *f, const struct counters_span *s);

/* Cites the operation's line, of the later reading. */
void counters_cite(struct diagnosis *d, struct finding *f, const struct counters_span *s,
		   const struct mount_op_stats *op);

#endif
