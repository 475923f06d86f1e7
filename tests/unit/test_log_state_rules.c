// SPDX-License-Identifier: GPL-2.0-or-later
/* What kernel logs say of the state of clients and of their locks, each with its twin. */
#include "check.h"
#include "log_rules_stage.h"

#include <stdio.h>

TEST(open_files_that_were_given_up_are_told)
{
	const struct finding *f;
	struct told t;

	tell("[   20.100000] NFSv4: state recovery failed for open file a/b c, error = -13\n"
	     "[   20.200000] NFSv4: state recovery failed for open file a/d, error = -116\n",
	     NULL, &t);
	f = find(&t, "nfs4-lock-reclaim-failed");
	if (CHECK(f)) {
		CHECK_EQ_U64(f->count, 2);
		CHECK(strstr(f->why, "13 (EACCES)"));
	}
	told_deinit(&t);
}

TEST(locks_of_lockd_that_are_out_of_step_are_told_by_kind)
{
	struct told t;

	tell("[   20.100000] lockd: failed to reclaim lock for pid 12 (errno -37, status 4)\n"
	     "[   20.200000] lockd: unexpected unlock status: 2\n"
	     "[   20.300000] nlmclnt_lock: VFS is out of sync with lock manager!\n",
	     NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 3);
	if (CHECK(find(&t, "nlm-locks-out-of-step")))
		CHECK(strstr(find(&t, "nlm-locks-out-of-step")->why, "too late"));
	told_deinit(&t);
	tell("[   20.100000] lockd: failed to reclaim lock for pid 12 (errno -110, status 0)\n",
	     NULL, &t);
	if (CHECK(find(&t, "nlm-locks-out-of-step")))
		CHECK(strstr(find(&t, "nlm-locks-out-of-step")->why, "110 (ETIMEDOUT)"));
	told_deinit(&t);
}

TEST(twin_a_reclaim_that_is_only_put_off_is_silent)
{
	struct told t;

	tell("[   20.100000] lockd: spurious grace period reject?!\n"
	     "[   20.200000] lockd: server nas OK\n",
	     NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 0);
	told_deinit(&t);
}

TEST(lost_locks_are_counted_for_each_server)
{
	const struct finding *f;
	struct told t;

	tell("[   20.889708] NFS: 192.0.2.10: lost 1 locks\n"
	     "[   21.511177] NFS: 192.0.2.10: lost 2 locks\n",
	     NULL, &t);
	f = find(&t, "nfs4-lock-reclaim-failed");
	if (CHECK(f)) {
		CHECK_EQ_U64(f->count, 2);
		CHECK(strstr(f->why, "3 locks in 2 recoveries"));
	}
	told_deinit(&t);
	tell("[   20.889708] NFS: __nfs4_reclaim_open_state: Lock reclaim failed!\n", NULL, &t);
	CHECK(find(&t, "nfs4-lock-reclaim-failed"));
	told_deinit(&t);
}

/* Faster than a lease runs out: somebody takes the state away, and the log does not tell who. */
TEST(locks_lost_again_and_again_leave_a_question)
{
	struct told t;

	tell("[   20.889708] NFS: 192.0.2.10: lost 1 locks\n"
	     "[   21.511177] NFS: 192.0.2.10: lost 1 locks\n"
	     "[   23.011177] NFS: 192.0.2.10: lost 1 locks\n",
	     NULL, &t);
	CHECK_EQ_U64(t.d.undecided.len, 1);
	told_deinit(&t);
	tell("[   20.889708] NFS: 192.0.2.10: lost 1 locks\n"
	     "[  421.511177] NFS: 192.0.2.10: lost 1 locks\n"
	     "[ 1823.011177] NFS: 192.0.2.10: lost 1 locks\n",
	     NULL, &t);
	CHECK_EQ_U64(t.d.undecided.len, 0);
	told_deinit(&t);
}

TEST(states_of_another_client_id_are_told_by_client)
{
	const struct finding *f;
	struct told t;

	tell("[ 4000.000000] NFSD: client 192.0.2.21 testing state ID with incorrect client ID\n"
	     "[ 4000.100000] NFSD: client 192.0.2.22 testing state ID with incorrect client ID\n"
	     "[ 4000.200000] NFSD: client 192.0.2.21 testing state ID with incorrect client ID\n",
	     NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 2);
	f = find(&t, "nfs4-clientid-mismatch");
	if (CHECK(f)) {
		CHECK_EQ_U64(f->count, 2);
		CHECK_EQ_U64(f->cites.len, 2);
		CHECK_EQ_U64(f->clients.len, 1);
		CHECK(strstr(f->title, "192.0.2.21"));
	}
	told_deinit(&t);
}

TEST(twin_what_else_nfsd_says_of_clients)
{
	struct told t;

	tell("[ 4000.000000] NFSD: starting 90-second grace period (net f0000000)\n"
	     "[ 4000.100000] nfsd4_validate_stateid: 443 callbacks suppressed\n"
	     "Nov 14 10:00:00 srv app[7]: NFSD: client a testing state ID with incorrect client "
	     "ID\n",
	     NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 0);
	CHECK_EQ_U64(t.model.mismatches.len, 0);
	told_deinit(&t);
}

#define IN_USE "NFS: Server nas reports our clientid is in use\n"
#define FAILED(section, error) \
	"NFS: state manager: " section " failed on NFSv4 server nas with error " error "\n"

TEST(a_refused_client_owner_is_told_by_the_log_alone)
{
	const struct finding *f;
	struct told t;

	tell("[   10.000000] " IN_USE "[   10.000100] " FAILED(
		     "lease expired", "1") "[   80.000000] " IN_USE
					   "[   80.000100] " FAILED("lease expired", "1"),
	     NULL, &t);
	f = find(&t, "nfs4-clientid-in-use");
	CHECK(f && f->confidence == CONFIDENCE_CERTAIN && f->count == 2);
	CHECK(!find(&t, "nfs4-state-manager-stuck"));
	told_deinit(&t);
}

/* A step that fails `count` times, `apart` s after each other. */
static const struct finding *after_failures(struct told *t, unsigned count, unsigned apart,
					    const char *more)
{
	char text[4096] = "";

	for (unsigned i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "[%5u.000000] %s",
			 10 + i * apart, FAILED("check lease", "13"));
	snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s", more);
	tell(text, NULL, t);
	CHECK_EQ_U64(t->model.recoveries.len, 1);
	return find(t, "nfs4-state-manager-stuck");
}

TEST(recovery_that_fails_for_a_minute_is_told)
{
	struct told t;
	const struct finding *f = after_failures(&t, 14, 5, "");

	CHECK(f && f->confidence == CONFIDENCE_LIKELY &&
	      strstr(f->title, "check lease, error 13 (EACCES)") && strstr(f->why, "credentials") &&
	      !strstr(f->why, "later also"));
	told_deinit(&t);
	f = after_failures(&t, 14, 5, "[  100.000000] " FAILED("reclaim reboot", "10008"));
	CHECK(f && strstr(f->why, "later also"));
	told_deinit(&t);
}

TEST(twin_recovery_that_fails_for_moments_is_not)
{
	struct told t;

	CHECK(!after_failures(&t, 14, 1, ""));
	told_deinit(&t);
	CHECK(!after_failures(&t, 3, 60, ""));
	told_deinit(&t);
}

TEST(upcalls_and_loops_are_told)
{
	const struct finding *f;
	struct told t;

	tell("[   10.000000] RPC: AUTH_GSS upcall timed out.\n"
	     "[   10.000000] Please check user daemon is running.\n",
	     NULL, &t);
	CHECK((f = find(&t, "gss-upcall-stuck")) && f->confidence == CONFIDENCE_POSSIBLE);
	told_deinit(&t);
	tell("[   10.000000] RPC: AUTH_GSS upcall failed. Please check user daemon is running.\n"
	     "[   25.000000] RPC: AUTH_GSS upcall failed. Please check user daemon is running.\n"
	     "[   30.000000] NFS: directory a/b contains a readdir loop.Please contact your server "
	     "vendor.  The file: x has duplicate cookie 7\n",
	     NULL, &t);
	f = find(&t, "gss-upcall-stuck");
	CHECK(f && f->confidence == CONFIDENCE_LIKELY && f->count == 2);
	CHECK((f = find(&t, "dir-cookie-loop")) && f->confidence == CONFIDENCE_LIKELY);
	told_deinit(&t);
	/* Clients of other kernels have no timers of Linux. */
	tell("Apr  9 22:01:07 bsd kernel: nfs server nas:/export: not responding\n"
	     "Apr  9 22:01:47 bsd kernel: nfs server nas:/export: is alive again\n",
	     NULL, &t);
	f = find(&t, "rpc-not-responding");
	CHECK(f && strstr(f->why, "it took 40.0 s") && !strstr(f->why, "timeo"));
	told_deinit(&t);
}

/* The log is no finding; of `id` it is undecided what came of it, in words with `part`. */
static void check_undecided(const char *log, const char *id, const char *part)
{
	const struct undecided *u;
	struct told t;

	tell(log, NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 0);
	if (CHECK(t.d.undecided.len == 1)) {
		u = vec_at(&t.d.undecided, 0);
		CHECK_TEXT(u->id, id);
		CHECK(strstr(u->missing, part));
	}
	told_deinit(&t);
}

TEST(what_came_of_another_fileid_is_undecided)
{
	check_undecided("[  100.000000] NFS: server filer error: fileid changed\n"
			"[  100.000004] fsid 0:52: expected fileid 0x40, got 0x81\n"
			"[  290.000000] NFS: server filer error: fileid changed\n"
			"[  290.000004] fsid 0:52: expected fileid 0x44, got 0x92\n",
			"file-handle-stale", "2 times");
}

TEST(what_nfsd_without_tracking_loses_is_undecided)
{
	check_undecided(
		"[   10.000000] NFSD: Unable to initialize client recovery tracking! (-110)\n"
		"[   10.000010] NFSD: starting 90-second grace period (net f0000000)\n",
		"nfs4-lock-reclaim-failed", "ETIMEDOUT");
}

TEST(who_sent_a_fragment_that_is_too_large_is_undecided)
{
	check_undecided("[  100.000000] svc: svc_tcp_recv_record nfsd RPC fragment too large: "
			"1195725856\n"
			"[  160.000000] svc: svc_tcp_recv_record nfsd RPC fragment too large: "
			"1195725856\n",
			"rpc-framing-broken", "(2 times)");
}

TEST(twin_other_lines_about_ids_and_tracking_leave_nothing_undecided)
{
	struct told t;

	tell("[    9.000000] NFSD: Using nfsdcld client tracking operations.\n"
	     "[   10.000010] NFSD: starting 90-second grace period (net f0000000)\n"
	     "[   20.000000] fsid 0:52: expected fileid 0x40, got 0x81\n",
	     NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 0);
	CHECK_EQ_U64(t.d.undecided.len, 0);
	told_deinit(&t);
}
