// SPDX-License-Identifier: GPL-2.0-or-later
/* See counters_common.h. */
#include "diagnose/rules/counters/counters_common.h"

#include "diagnose/rules/host/host_common.h"

#include "diagnose/rules/nfs4/nfs4_common.h"

#include <inttypes.h>

static bool is_named(const struct mount_op_stats *op, const char *const *names)
{
	if (!names)
		return true;
	for (; *names; names++)
		if (strcmp(op->name, *names) == 0)
			return true;
	return false;
}

/* Counters of evidence may be any number: sums stop at the largest that later sums can bear. */
static void add(uint64_t *sum, uint64_t value)
{
	const uint64_t most = UINT64_C(1) << 40;

	*sum += value < most ? value : most;
}

struct counters_sum counters_sum_of(const struct counters_span *s, const char *const *names)
{
	struct counters_sum sum = {0};

	for (uint32_t i = 0; i < s->stats.ops_len; i++) {
		const struct mount_op_stats *op = &s->stats.ops[i];

		if (!is_named(op, names))
			continue;
		add(&sum.calls, op->calls);
		add(&sum.received_bytes, op->received_bytes);
		add(&sum.queue_ms, op->queue_ms);
		add(&sum.rtt_ms, op->rtt_ms);
		add(&sum.execute_ms, op->execute_ms);
	}
	return sum;
}

const char *counters_calls_text(struct diagnosis *d, const struct counters_span *s,
				const char *const *names)
{
	const char *text = "";

	for (; *names; names++) {
		const struct mount_op_stats *op = counters_op(s, *names);

		if (op)
			text = arena_format(&d->arena, "%s%s%" PRIu64 " %s", text,
					    *text ? ", " : "", op->calls, op->name);
	}
	return text;
}

const char *counters_span_text(struct diagnosis *d, const struct counters_span *s)
{
	if (s->before.frame == FRAME_NONE)
		return arena_format(&d->arena, "In the %" PRIu64 " s since it was mounted",
				    s->seconds);
	return arena_format(&d->arena, "In the %" PRIu64 " s between two readings", s->seconds);
}

void counters_about(struct diagnosis *d, struct finding *f, const struct counters_span *s)
{
	const struct mount_fact *m = &s->stats.mount;

	if (m->server_is_address)
		finding_set_server(d, f, &m->server_at);
	finding_subject(d, f, "mount", "%s:%s on %s", host_safe_text(d, m->server),
			host_safe_text(d, m->export), host_safe_text(d, m->mount_point));
}

void counters_cite(struct diagnosis *d, struct finding *f, const struct counters_span *s,
		   const struct mount_op_stats *op)
{
	struct provenance at = s->at;
	bool between = s->before.frame != FRAME_NONE;

	at.frame = op->line;
	finding_cite(d, f, &at, NULL,
		     "%s: %" PRIu64 " calls%s; waited to be sent %" PRIu64 " ms, for the answer "
		     "%" PRIu64 " ms, in all %" PRIu64 " ms",
		     op->name, op->calls, between ? " since the earlier reading" : "", op->queue_ms,
		     op->rtt_ms, op->execute_ms);
}
