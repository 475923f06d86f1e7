// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * nfs4-lock-reclaim-failed: the client says itself that it lost locks when it recovered its state
 * (fs/nfs/nfs4state.c, nfs4_reclaim_locks and nfs4_reclaim_open_state).
 *
 * It rests on the client's log alone. On the wire a reclaim that is refused tells that state was
 * lost, but not that there were locks in it.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"

#include <inttypes.h>

static const char *how_many(struct diagnosis *d, const struct logs_tally *loss)
{
	if (loss->sum)
		return arena_format(&d->arena, "%" PRIu64 " lock%s in %" PRIu64 " recover%s",
				    loss->sum, loss->sum == 1 ? "" : "s", loss->count,
				    loss->count == 1 ? "y" : "ies");
	return arena_format(&d->arena, "locks (%" PRIu64 " message%s)", loss->count,
			    loss->count == 1 ? "" : "s");
}

static void tell(const struct rule_input *in, struct diagnosis *d, const struct logs_tally *loss)
{
	struct finding *f = diagnosis_add(d, "nfs4-lock-reclaim-failed", CONFIDENCE_CERTAIN);

	log_finding_about(in, d, f, &loss->of);
	f->first = loss->first.at;
	f->last = loss->last.at;
	f->count = loss->count;
	f->title = arena_format(&d->arena, "%s lost locks at %s in recovery, says its log",
				log_text(d, loss->of.host->name), log_server_text(d, &loss->of));
	f->why = arena_format(
		&d->arena,
		"The client lost %s: the server had taken its state away, and the locks could not "
		"be had again. Programs that held them get EIO from every later access to the "
		"file, on hard mounts too, until they close it. The log does not tell why the "
		"state was lost.",
		how_many(d, loss));
	for (uint32_t i = 0; i < loss->cites_len; i++)
		finding_cite(d, f, &loss->cites[i], NULL, "the client says that it lost locks");
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->losses.len; i++)
		tell(in, out, *(struct logs_tally **)vec_at(&in->logs->losses, i));
}

const struct rule rule_nfs4_lock_reclaim_failed = {
	.id = "nfs4-lock-reclaim-failed",
	.needs = "the kernel log of the client",
	.run = run,
};
