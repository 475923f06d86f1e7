// SPDX-License-Identifier: GPL-2.0-or-later
/* The rules about kernel logs: from the text of a log to findings, each with its twin. */
#include "check.h"
#include "log_rules_stage.h"

#include <stdio.h>

TEST(not_responding_is_an_interval)
{
	const struct finding *f;
	struct told t;

	tell("[   84.910657] lockd: server 192.0.2.10 not responding, still trying\n"
	     "[   90.000000] lockd: server 192.0.2.10 not responding, still trying\n"
	     "[  103.348659] lockd: server 192.0.2.10 OK\n"
	     "[  103.400000] lockd: server 192.0.2.10 OK\n"
	     "[  200.000000] nfs: server 192.0.2.10 not responding, still trying\n",
	     NULL, &t);
	CHECK_EQ_U64(t.model.intervals.len, 2);
	f = find(&t, "rpc-not-responding");
	if (CHECK(f)) {
		CHECK(strstr(f->why, "18.4 s") && strstr(f->why, "timers of its own"));
		CHECK_TEXT(f->server, "192.0.2.10");
		CHECK_EQ_U64(f->cites.len, 2);
	}
	CHECK(!find(&t, "soft-mount-io-error"));
	CHECK_TEXT((*(struct incident *)vec_at(&t.d.incidents, 0)).headline->id,
		   "rpc-not-responding");
	told_deinit(&t);
}

/* A call of lockd that waits through alarms; the complaint comes `late` s after the last is over.
 */
static const struct finding *after_alarms(struct told *t, const char *first, unsigned late,
					  const char *more)
{
	char text[1024];

	snprintf(text, sizeof(text),
		 "[   49.696061] RPC:    49 setting alarm for %s ms\n"
		 "[   69.745721] RPC:    49 call_status (status -110)\n"
		 "[   69.771959] RPC:    49 setting alarm for 30000 ms\n"
		 "[   99.979495] RPC:    49 setting alarm for 40000 ms\n"
		 "%s"
		 "[  %u.403783] lockd: server 192.0.2.10 not responding, still trying\n",
		 first, more, 140 + late);
	tell(text, NULL, t);
	return find(t, "rpc-not-responding");
}

TEST(alarms_tell_how_long_the_call_had_waited)
{
	struct told t;
	const struct finding *f = after_alarms(&t, "20000", 0, "");

	if (CHECK(f)) {
		CHECK(strstr(f->why, "task 49 had waited 90.7 s") &&
		      strstr(f->why, "20.0 s, 30.0 s, 40.0 s"));
		CHECK(!strstr(f->why, "about a minute"));
		CHECK_EQ_U64(f->cites.len, 4);
	}
	told_deinit(&t);
}

TEST(twin_alarms_of_another_call_tell_nothing)
{
	struct told t;
	const struct finding *f;

	/* The complaint comes much later than the last alarm ran out: another call's. */
	f = after_alarms(&t, "20000", 40, "");
	CHECK(f && strstr(f->why, "about a minute"));
	told_deinit(&t);
	/* Two calls whose alarms ran out just then. */
	f = after_alarms(&t, "20000", 0, "[  100.000000] RPC:    50 setting alarm for 40000 ms\n");
	CHECK(f && strstr(f->why, "about a minute"));
	told_deinit(&t);
	/* The first alarm had not run out when the second was set: an answer came in between. */
	f = after_alarms(&t, "60000", 0, "");
	CHECK(f && strstr(f->why, "had waited 70.6 s"));
	told_deinit(&t);
}

TEST(twin_a_log_without_a_complaint_is_silent)
{
	struct told t;

	tell("[    0.000000] Linux version 6.1\n"
	     "[    4.900000] IPv6: ADDRCONF(NETDEV_UP): eth0: link is not ready\n"
	     "[    4.992950] IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready\n"
	     "[    7.675667] NFSD: Using nfsdcld client tracking operations.\n"
	     "[   84.910657] lockd: server 192.0.2.10 OK\n",
	     NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 0);
	told_deinit(&t);
}

TEST(soft_mounts_are_told_by_nfs_alone)
{
	struct told t;

	tell("[   84.910657] nfs: server nas not responding, timed out\n"
	     "[   85.910657] nfs: server nas not responding, timed out\n",
	     NULL, &t);
	if (CHECK(find(&t, "soft-mount-io-error")))
		CHECK_EQ_U64(find(&t, "soft-mount-io-error")->count, 2);
	CHECK(find(&t, "rpc-not-responding"));
	told_deinit(&t);
	tell("[   84.910657] lockd: server nas not responding, timed out\n", NULL, &t);
	CHECK(!find(&t, "soft-mount-io-error"));
	if (CHECK(find(&t, "rpc-not-responding")))
		CHECK(strstr(find(&t, "rpc-not-responding")->why, "a server speaks of a client"));
	told_deinit(&t);
}

#define STACK                                      \
	"[  121.000001] Call Trace:\n"             \
	"[  121.000002]  __schedule+0x282/0x870\n" \
	"[  121.000003]  schedule+0x46/0xb0\n"     \
	"[  121.000004]  rwsem_down_write_slowpath+0x257/0x4d0\n"

TEST(hung_task_is_told_with_where_it_waits)
{
	const struct finding *f;
	struct told t;

	tell("[  121.000000] INFO: task touch:312 blocked for more than 120 seconds.\n" STACK
	     "[  121.000005]  path_openat+0x3a1/0x11c0\n",
	     NULL, &t);
	f = find(&t, "task-hung");
	if (CHECK(f)) {
		CHECK(strstr(f->title, "touch (PID 312)") && strstr(f->title, "path_openat"));
		CHECK(strstr(f->why, "victim"));
	}
	told_deinit(&t);
}

TEST(hung_work_of_the_server_is_no_victim_of_a_directory)
{
	const struct finding *f;
	struct told t;

	tell("[  121.000000] INFO: task kworker/u64:3:4001 blocked for more than 120 seconds.\n"
	     "[  121.000001] Call Trace:\n"
	     "[  121.000002]  __schedule+0x282/0x870\n"
	     "[  121.000003]  schedule+0x46/0xb0\n"
	     "[  121.000004]  __flush_workqueue+0x13a/0x3f0\n"
	     "[  121.000005]  nfsd4_shutdown_callback+0x9a/0x120 [nfsd]\n"
	     "[  121.000006]  laundromat_main+0x15/0x30 [nfsd]\n",
	     NULL, &t);
	f = find(&t, "task-hung");
	if (CHECK(f))
		CHECK(strstr(f->why, "callbacks") && !strstr(f->why, "victim"));
	told_deinit(&t);
}

TEST(twin_hung_task_of_another_file_system_is_none_of_ours)
{
	struct told t;

	tell("[  121.000000] INFO: task jbd2:312 blocked for more than 120 seconds.\n" STACK
	     "[  121.000005]  jbd2_journal_commit_transaction+0x3a1/0x11c0 [jbd2]\n",
	     NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 0);
	told_deinit(&t);
}

#define UP   "Nov 14 10:00:00 srv kernel: e1000e: eth0 NIC Link is Up 1000 Mbps\n"
#define DOWN "Nov 14 11:00:00 srv kernel: e1000e: eth0 NIC Link is Down\n"
#define COMPLAINT \
	"Nov 14 11:01:00 srv kernel: lockd: server 192.0.2.10 not responding, still trying\n"
#define UP_AGAIN "Nov 14 11:02:00 srv kernel: e1000e: eth0 NIC Link is Up 1000 Mbps\n"

TEST(link_down_while_a_server_does_not_respond)
{
	const struct finding *f;
	struct told t;

	tell(UP DOWN COMPLAINT UP_AGAIN, NULL, &t);
	f = find(&t, "host-link-down");
	if (CHECK(f)) {
		CHECK(strstr(f->why, "2 min"));
		CHECK_EQ_U64(f->confidence, CONFIDENCE_LIKELY);
		CHECK_EQ_U64(f->explains.len, 1);
	}
	CHECK_TEXT((*(struct incident *)vec_at(&t.d.incidents, 0)).headline->id, "host-link-down");
	told_deinit(&t);
}

TEST(twin_link_down_that_nobody_missed)
{
	struct told t;

	tell(UP DOWN UP_AGAIN, NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 0);
	told_deinit(&t);
	tell(DOWN COMPLAINT UP_AGAIN, NULL, &t);
	CHECK(!find(&t, "host-link-down"));
	told_deinit(&t);
}

/* The log begins with the loss: the complaint while it is down, and its end, tell that it was up.
 */
TEST(link_down_where_the_log_begins)
{
	const struct finding *f;
	struct told t;

	tell(DOWN COMPLAINT UP_AGAIN "Nov 14 11:02:03 srv kernel: lockd: server 192.0.2.10 OK\n",
	     NULL, &t);
	f = find(&t, "host-link-down");
	CHECK(f && f->confidence == CONFIDENCE_LIKELY && f->count == 1);
	told_deinit(&t);
	tell("Nov 14 10:59:00 srv kernel: lockd: server 192.0.2.10 not responding, still "
	     "trying\n" DOWN UP_AGAIN "Nov 14 11:02:03 srv kernel: lockd: server 192.0.2.10 OK\n",
	     NULL, &t);
	CHECK(!find(&t, "host-link-down"));
	told_deinit(&t);
}

TEST(a_link_that_flaps_is_one_finding)
{
	const struct finding *f;
	struct told t;

	tell(UP DOWN
	     "Nov 14 11:00:03 srv kernel: e1000e: eth0 NIC Link is Up 1000 Mbps\n"
	     "Nov 14 11:00:10 srv kernel: e1000e: eth0 NIC Link is Down\n"
	     "Nov 14 11:00:20 srv kernel: e1000e: eth0 NIC Link is Up 1000 Mbps\n"
	     "Nov 14 11:00:30 srv kernel: e1000e: eth0 NIC Link is Down\n" COMPLAINT UP_AGAIN,
	     NULL, &t);
	CHECK_EQ_U64(t.d.findings.len, 2); /* and the complaint */
	f = find(&t, "host-link-down");
	if (CHECK(f)) {
		CHECK_EQ_U64(f->count, 3);
		CHECK(strstr(f->title, "went down 3 times") &&
		      strstr(f->why, "for 90.0 s at most"));
	}
	told_deinit(&t);
}

#define BOND "Nov 14 11:00:00 srv kernel: bond0: (slave eth0): link status definitely "

/* The link of a bond, and the bond itself: its last link is gone. */
TEST(link_of_a_bond_is_only_possible)
{
	const struct finding *f;
	struct told t;

	tell(UP DOWN BOND "down, disabling slave\n" COMPLAINT UP_AGAIN, NULL, &t);
	f = find(&t, "host-link-down");
	if (CHECK(f)) {
		CHECK_EQ_U64(f->confidence, CONFIDENCE_POSSIBLE);
		CHECK(strstr(f->why, "one link of a bond"));
	}
	told_deinit(&t);
	tell("Nov 14 10:00:00 srv kernel: bond0: active interface up!\n"
	     "Nov 14 11:00:00 srv kernel: bond0: now running without any active "
	     "interface!\n" COMPLAINT "Nov 14 11:02:00 srv kernel: bond0: active interface up!\n",
	     NULL, &t);
	f = find(&t, "host-link-down");
	if (CHECK(f))
		CHECK_EQ_U64(f->confidence, CONFIDENCE_LIKELY);
	told_deinit(&t);
}

TEST(twin_link_down_while_the_server_answers)
{
	struct told t;

	/* It is reached over another one. */
	tell(UP DOWN COMPLAINT "Nov 14 11:01:30 srv kernel: lockd: server 192.0.2.10 OK\n" UP_AGAIN,
	     NULL, &t);
	CHECK(find(&t, "rpc-not-responding"));
	CHECK(!find(&t, "host-link-down"));
	told_deinit(&t);
}

TEST(twin_link_down_long_before_is_only_possible)
{
	const struct finding *f;
	struct told t;

	tell(UP DOWN "Nov 14 16:00:00 srv kernel: nfs: server 192.0.2.10 not responding, still "
		     "trying\n",
	     NULL, &t);
	f = find(&t, "host-link-down");
	if (CHECK(f))
		CHECK_EQ_U64(f->confidence, CONFIDENCE_POSSIBLE);
	told_deinit(&t);
}

TEST(link_down_while_data_are_sent_in_vain)
{
	/* Nov 14 11:00:30 2026 */
	struct stamp at = stamp_utc(INT64_C(1794654030) * STAMP_NS_PER_S);
	struct path_model path;
	struct path_stall *stall;
	const struct finding *f;
	struct told t;

	path_model_init(&path);
	stall = vec_push(&path.stalls);
	stall->conn = script_conn(1, "192.0.2.21", 901, "192.0.2.10", 2049);
	stall->first = (struct provenance){.frame = 7, .at = at};
	stall->heard_before = true;
	stall->quiet.from = (struct provenance){.frame = 6, .at = at};
	stall->quiet.last = (struct provenance){.frame = 9, .at = at};
	stall->quiet.last.at.ns += 20 * STAMP_NS_PER_S;
	tell(UP DOWN UP_AGAIN, &path, &t);
	f = find(&t, "host-link-down");
	if (CHECK(f))
		CHECK_TEXT(f->server, "192.0.2.10");
	told_deinit(&t);
	/* Twin: the server is heard while the link is still down. */
	stall->quiet.until = (struct provenance){.frame = 10, .at = at};
	stall->quiet.until.at.ns += 21 * STAMP_NS_PER_S;
	tell(UP DOWN UP_AGAIN, &path, &t);
	CHECK(!find(&t, "host-link-down"));
	told_deinit(&t);
	/* Twin: the capture shows one direction. */
	stall->quiet.until.frame = FRAME_NONE;
	stall->heard_before = false;
	tell(UP DOWN UP_AGAIN, &path, &t);
	CHECK(!find(&t, "host-link-down"));
	told_deinit(&t);
	stall->heard_before = true;
	/* Twin: one segment was lost, and sent again at once. */
	stall->quiet.until.frame = FRAME_NONE;
	stall->quiet.last = stall->quiet.from;
	tell(UP DOWN UP_AGAIN, &path, &t);
	CHECK(!find(&t, "host-link-down"));
	told_deinit(&t);
	/* Twin: at another time. */
	stall->quiet.last.at.ns += 20 * STAMP_NS_PER_S;
	stall->first.at.ns += 3600 * STAMP_NS_PER_S;
	tell(UP DOWN UP_AGAIN, &path, &t);
	CHECK(!find(&t, "host-link-down"));
	told_deinit(&t);
	path_model_deinit(&path);
}

/* What is said of a complaint with this line before it. */
static void check_standstill(const char *line, const char *said)
{
	struct strbuf text;
	const struct finding *f;
	struct told t;

	strbuf_init(&text);
	strbuf_add_format(&text,
			  "Nov 21 07:12:31 lap kernel: %s\n"
			  "Nov 21 07:12:46 lap kernel: nfs: server nas.home not responding, still "
			  "trying\n"
			  "Nov 21 07:12:52 lap kernel: nfs: server nas.home OK\n",
			  line);
	tell(strbuf_text(&text), NULL, &t);
	if (CHECK_EQ_U64(t.d.findings.len, 1)) {
		f = finding_at(&t.d.findings, 0);
		CHECK(strstr(f->why, said) != NULL);
	}
	told_deinit(&t);
	strbuf_deinit(&text);
}

TEST(a_host_that_stood_still_is_said_so)
{
	check_standstill("PM: suspend exit", "The host woke up from suspend or hibernation 15.0 s "
					     "before it complained");
	check_standstill("watchdog: BUG: soft lockup - CPU#2 stuck for 142s! [swapper/2:0]",
			 "a CPU of this host had not been running");
	check_standstill("PM: suspend entry (deep)", "The log does not tell why");
}
