// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * soft-mount-io-error: "nfs: server X not responding, timed out": a call of a soft mount was given
 * up (net/sunrpc/clnt.c, rpc_check_timeout), and some program got an error for it. Other programs
 * than nfs are no mounts: lockd and callbacks give up on their own account.
 */
#include "diagnose/rules/log_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"

#include <inttypes.h>
#include <string.h>

static bool is_soft(const struct logs_interval *v)
{
	return v->gave_up > 0 && strcmp(v->of.program, "nfs") == 0;
}

/* This one, or the next of its subject in which calls were given up; NULL: none. */
static const struct logs_interval *soft_from(const struct logs_interval *v)
{
	while (v && !is_soft(v))
		v = v->next;
	return v;
}

/* What the mount's options say to it; they are cited. Empty: they are not in the evidence. */
static const char *of_mount(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			    const struct logs_interval *v)
{
	const struct mount_record *m;
	struct timing_call call = timers_of(in, v, &m);

	if (!m)
		return "";
	finding_cite(d, f, &m->at, NULL, "the mount's options");
	if (call.failure == TIMING_HARD)
		return arena_format(
			&d->arena,
			" The options given of %s say hard: they are of another mount, or "
			"were changed since.",
			log_text(d, m->mount_point));
	return arena_format(&d->arena, " %s is mounted %s with %s: a call is given up after %s%s.",
			    log_text(d, m->mount_point), timing_failure_name(call.failure),
			    timers_text(d, &call), log_duration_text(d, timing_major_ns(&call)),
			    call.keeps ? ", since 5.2 only when its connection is gone as well"
				       : "");
}

/* `v` is the first of its subject. */
static void tell(const struct rule_input *in, struct diagnosis *d, const struct logs_interval *v)
{
	struct finding *f = diagnosis_add(d, "soft-mount-io-error", CONFIDENCE_CERTAIN);
	uint64_t count = 0;

	log_finding_about(in, d, f, &v->of);
	for (const struct logs_interval *one = v; one; one = soft_from(one->next)) {
		count += one->gave_up;
		log_finding_span(f, &one->gave_up_first);
		log_finding_span(f, &one->last);
		finding_cite(d, f, &one->gave_up_first, NULL, "a call of a soft mount is given up");
	}
	f->count = count;
	f->title = arena_format(&d->arena,
				"%s gave up calls to %s: the mount is soft, programs got errors",
				log_text(d, v->of.host->name), log_server_text(d, &v->of));
	f->why = arena_format(
		&d->arena,
		"%" PRIu64 " call%s of the host %s timed out and %s given up. The program gets EIO "
		"(ETIMEDOUT with softerr); data that were still to be written may be lost, which "
		"shows only at fsync or close. The log tells no more: other calls may have been "
		"given up in silence, as the kernel limits the rate of this message.%s",
		count, count == 1 ? "" : "s", log_text(d, v->of.host->name),
		count == 1 ? "was" : "were", of_mount(in, d, f, v));
}

static void run(const struct rule_input *in, struct diagnosis *out)
{
	for (size_t i = 0; in->logs && i < in->logs->intervals.len; i++) {
		const struct logs_interval *v = logs_interval_at(in->logs, i);
		const struct logs_interval *soft = v == v->head ? soft_from(v) : NULL;

		if (soft)
			tell(in, out, soft);
	}
}

const struct rule rule_soft_mount_io_error = {
	.id = "soft-mount-io-error",
	.needs = "the kernel log of the client",
	.run = run,
};
