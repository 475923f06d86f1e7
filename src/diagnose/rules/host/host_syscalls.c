// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What an strace of a program tells, each for its id:
 *
 * soft-mount-io-error  EIO or ETIMEDOUT below a soft mount, after as long as its timers say
 * file-handle-stale    ESTALE for the root of a mount, or for many files of it
 * nsm-monitor-failed   ENOLCK for a lock on a mount of version 3 or 2
 *
 * An strace shows what a program got and how long it waited, and not why; so all are possible at
 * most but the first, whose time is the kernel's own. Which mount a path is on must be told by the
 * evidence. What merely took long is undecided: the task's stack says what it waited for.
 */
#include "diagnose/rules/host/host_common.h"
#include "diagnose/rules/nfs4/nfs4_common.h"
#include "diagnose/rules/rules.h"
#include "diagnose/rules/timers.h"
#include "model/host.h"
#include "model/mount.h"

#include <inttypes.h>
#include <string.h>

enum { STALE_PATHS_MIN = 5, VERSION_OF_STATE = 4 };

/* Timers count in ticks, and the trace begins a little before the call is sent. */
enum { MAJOR_MIN_PERCENT = 90 };

static bool path_is_below(struct slice path, const char *point)
{
	size_t len = strlen(point);

	if (len > 1 && path.len >= len && memcmp(path.ptr, point, len) == 0)
		return path.len == len || path.ptr[len] == '/';
	return false;
}

/* The mount of the same host that the path is on, by the longest name; NULL: none is told. */
static const struct mount_record *mount_of(const struct rule_input *in, const struct host_record *r)
{
	struct slice path = r->fact.syscall.path;
	const struct mount_record *best = NULL;

	for (size_t i = 0; in->mounts && i < in->mounts->records.len; i++) {
		const struct mount_record *m =
			*(struct mount_record **)vec_at(&in->mounts->records, i);

		if (path_is_below(path, m->mount_point) &&
		    (m->at.evidence == r->at.evidence ||
		     timers_one_folder(in, m->at.evidence, r->at.evidence)) &&
		    (!best || strlen(m->mount_point) > strlen(best->mount_point)))
			best = m;
	}
	return best;
}

static bool is_error(const struct syscall_fact *s, const char *error)
{
	return slice_equal(s->error, slice_of_string(error));
}

static struct finding *begin(struct diagnosis *d, const char *id, enum finding_confidence c,
			     const struct host_record *r, const struct mount_record *m)
{
	const struct syscall_fact *s = &r->fact.syscall;
	struct finding *f = diagnosis_add(d, id, c);
	const char *name = host_safe_text(d, s->name), *error = host_safe_text(d, s->error);
	const char *path = host_safe_text(d, s->path);

	if (m->server_is_address)
		finding_set_server(d, f, &m->server_at);
	finding_subject(d, f, "mount", "%s:%s on %s", host_safe_text(d, slice_of_string(m->server)),
			host_safe_text(d, slice_of_string(m->export)),
			host_safe_text(d, slice_of_string(m->mount_point)));
	f->count = s->count;
	f->title = arena_format(&d->arena, "a program got %s from %s for %s%s", error, name, path,
				s->paths > 1 ? " and others" : "");
	finding_cite(d, f, &r->at, NULL, "%s fails with %s", name, error);
	finding_cite(d, f, &m->at, NULL, "the mount that the file is on");
	return f;
}

static const char *times_text(struct diagnosis *d, const struct syscall_fact *s)
{
	return arena_format(&d->arena, "%" PRIu64 " call%s of %s failed with %s", s->count,
			    s->count == 1 ? "" : "s", host_safe_text(d, s->name),
			    host_safe_text(d, s->error));
}

static void tell_missing(struct diagnosis *d, const char *id, const struct syscall_fact *s,
			 const char *why, const char *how)
{
	diagnosis_undecided(d, id, arena_format(&d->arena, "%s: %s", times_text(d, s), why), how);
}

static void soft_run(const struct rule_input *in, struct diagnosis *d)
{
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_SYSCALL, &i))) {
		const struct syscall_fact *s = &r->fact.syscall;
		const struct mount_record *m = mount_of(in, r);
		struct timing_call call;
		struct finding *f;

		if (!is_error(s, "EIO") && !(m && is_error(s, "ETIMEDOUT")))
			continue;
		if (!m || !m->timing_known) {
			tell_missing(d, "soft-mount-io-error", s,
				     "which mount that is on, and with which options",
				     "nfsstat -m");
			continue;
		}
		call = timing_call_of_mount(&m->timing);
		if (call.failure == TIMING_HARD ||
		    s->longest_ns < timing_major_ns(&call) / 100 * MAJOR_MIN_PERCENT)
			continue;
		f = begin(d, "soft-mount-io-error", CONFIDENCE_LIKELY, r, m);
		f->why = arena_format(
			&d->arena,
			"%s, after %s at most. The file is on a mount with %s, whose calls are "
			"given up when no answer has come in %s: the server, or the way to it, was "
			"silent for that long.",
			times_text(d, s), nfs4_duration_text(d, s->longest_ns),
			timing_failure_name(call.failure),
			nfs4_duration_text(d, timing_major_ns(&call)));
	}
}

static void stale_run(const struct rule_input *in, struct diagnosis *d)
{
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_SYSCALL, &i))) {
		const struct syscall_fact *s = &r->fact.syscall;
		const struct mount_record *m = mount_of(in, r);
		struct finding *f;

		if (!is_error(s, "ESTALE"))
			continue;
		if (!m || (s->paths < STALE_PATHS_MIN && s->path.len > strlen(m->mount_point))) {
			tell_missing(d, "file-handle-stale", s,
				     "whether the whole export is stale, or somebody removed the "
				     "file",
				     "nfsstat -m; stat -f MOUNTPOINT");
			continue;
		}
		f = begin(d, "file-handle-stale", CONFIDENCE_POSSIBLE, r, m);
		f->why = arena_format(
			&d->arena,
			"%s, for %" PRIu64 " path%s%s. A file that was removed gives this too, but "
			"neither the root of a mount nor many files at once are removed.",
			times_text(d, s), s->paths, s->paths == 1 ? "" : "s",
			s->path.len > strlen(m->mount_point) ? ""
							     : ", the root of the mount among "
							       "them");
		tell_missing(d, "file-handle-stale", s, "what the server says of its handles",
			     "tcpdump -i any -s 0 -w stale.pcap port 2049");
	}
}

static void lock_run(const struct rule_input *in, struct diagnosis *d)
{
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_SYSCALL, &i))) {
		const struct syscall_fact *s = &r->fact.syscall;
		const struct mount_record *m = mount_of(in, r);
		struct finding *f;

		if (!is_error(s, "ENOLCK"))
			continue;
		tell_missing(d, "nsm-monitor-failed", s,
			     "whether the statd of this host runs, and what the server answered",
			     "rpcinfo -p; dmesg | grep lockd; nfsstat -m");
		if (!m || !m->timing_known || !m->timing.has_vers ||
		    m->timing.vers >= VERSION_OF_STATE)
			continue;
		f = begin(d, "nsm-monitor-failed", CONFIDENCE_POSSIBLE, r, m);
		f->why = arena_format(
			&d->arena,
			"%s. On a mount of version %" PRIu32 " a lock fails so, before anything is "
			"sent, when the host's rpc.statd does not run or does not take the server "
			"under watch; or when the server answers that it has no locks left.",
			times_text(d, s), m->timing.vers);
	}
}

static bool is_listing(const struct syscall_fact *s)
{
	return slice_equal(s->name, slice_of_string("getdents64")) ||
	       slice_equal(s->name, slice_of_string("getdents"));
}

/* What took long, of files: the trace does not tell what it waited for. */
static void long_run(const struct rule_input *in, struct diagnosis *d)
{
	const struct host_record *r;
	size_t i = 0;

	while ((r = host_model_next(in->hosts, HOST_SYSCALL, &i))) {
		const struct syscall_fact *s = &r->fact.syscall;
		const char *path = host_safe_text(d, s->path);

		if (s->error.len || (!mount_of(in, r) && !is_listing(s)))
			continue;
		diagnosis_undecided(
			d, is_listing(s) ? "dir-listing-rtt-bound" : "task-waits-for-rpc",
			arena_format(&d->arena,
				     "%" PRIu64 " call%s of %s (%s) took %s at the longest%s: what "
				     "it waited for, %s",
				     s->count, s->count == 1 ? "" : "s", host_safe_text(d, s->name),
				     s->path.len ? path : "no path",
				     nfs4_duration_text(d, s->longest_ns),
				     s->unfinished ? ", and was not over" : "",
				     is_listing(s) ? "round trips, a lock, or other calls between"
						   : "and since when"),
			"while it waits, twice: cat /proc/PID/stack; cat /proc/self/mountstats");
	}
}

const struct rule rule_soft_mount_traced = {
	.id = "soft-mount-io-error",
	.needs = "an strace with times (-T), and the options of the mount",
	.run = soft_run,
};

const struct rule rule_file_handle_stale_traced = {
	.id = "file-handle-stale",
	.needs = "an strace, and the mounts",
	.run = stale_run,
};

const struct rule rule_nsm_monitor_traced = {
	.id = "nsm-monitor-failed",
	.needs = "an strace of a program that locks, and the mounts",
	.run = lock_run,
};

const struct rule rule_task_waits_traced = {
	.id = "task-waits-for-rpc",
	.needs = "an strace with times (-T)",
	.run = long_run,
};
