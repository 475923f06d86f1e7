// SPDX-License-Identifier: GPL-2.0-or-later
/* Rules about tasks that wait for something else than a directory's lock, with silent twins. */
#include "tasks_script.h"

#include <stdio.h>

static void tell(const char *text, struct tasks_told *out)
{
	static const struct rule *const rules[] = {
		&rule_client_memory_exhausted, &rule_getattr_flush,
		&rule_gss_upcall_stuck,        &rule_idmap_slow,
		&rule_mount_trunking_blocked,  &rule_nfs4_state_manager_stuck,
		&rule_nfsd_threads_stuck,      &rule_task_waits_for_rpc,
		&rule_writeback_stalled,
	};
	const char *texts[] = {text, NULL};

	tasks_tell(rules, sizeof(rules) / sizeof(rules[0]), texts, out);
}

/* 1: a finding of this id; 2: undecided about it; 0: silent. */
static unsigned told(const char *text, const char *id)
{
	struct tasks_told t;
	unsigned result;

	tell(text, &t);
	CHECK(t.taken);
	result = tasks_found(&t, id) != NULL;
	for (size_t i = 0; !result && i < t.d.undecided.len; i++)
		if (strcmp(((struct undecided *)vec_at(&t.d.undecided, i))->id, id) == 0)
			result = 2;
	tasks_told_deinit(&t);
	return result;
}

/* A round of a loop over /proc; the time makes it another look. */
#define LOOK(second) "==== 2026-11-22T01:47:" second "Z\n"
#define TASK(pid, name, switches) \
	"--- " pid " " name "\nState:\tD (disk sleep)\nvoluntary_ctxt_switches:\t" switches "\n"
#define RECOVERS                                                      \
	"[<0>] nfs4_wait_clnt_recover+0x1e/0xb0 [nfsv4]\n"            \
	"[<0>] nfs4_client_recover_expired_lease+0x1e/0xb0 [nfsv4]\n" \
	"[<0>] nfs4_do_open+0xd8/0x410 [nfsv4]\n"
#define MANAGER                                            \
	"[<0>] rpc_wait_bit_killable+0x1e/0xb0 [sunrpc]\n" \
	"[<0>] __rpc_execute+0xd8/0x410 [sunrpc]\n"        \
	"[<0>] nfs4_run_exchange_id+0xd8/0x410 [nfsv4]\n"  \
	"[<0>] nfs4_state_manager+0xd8/0x410 [nfsv4]\n"    \
	"[<0>] nfs4_run_state_manager+0xd8/0x410 [nfsv4]\n"

TEST(state_manager_that_does_not_move)
{
	const struct finding *f;
	struct tasks_told t;

	tell(LOOK("20") TASK("31", "cat", "5") RECOVERS TASK("32", "192.0.2.10-manager", "9")
		     MANAGER LOOK("50") TASK("31", "cat", "5")
			     RECOVERS TASK("32", "192.0.2.10-manager", "9") MANAGER,
	     &t);
	f = tasks_found(&t, "nfs4-state-manager-stuck");
	if (CHECK(f)) {
		CHECK(strstr(f->why, "PID 32") && strstr(f->why, "EXCHANGE_ID"));
		CHECK(strstr(f->why, "did not run between two looks"));
	}
	tasks_told_deinit(&t);
}

TEST(twin_recovery_that_goes_on)
{
	CHECK_EQ_U64(told(LOOK("20") TASK("31", "cat", "5") RECOVERS LOOK("50")
				  TASK("31", "cat", "8") RECOVERS,
			  "nfs4-state-manager-stuck"),
		     2);
	CHECK_EQ_U64(told(LOOK("20") TASK("31", "cat", "5") RECOVERS, "nfs4-state-manager-stuck"),
		     2);
}

#define HUNG(name, pid)                                                                   \
	"[  400.000000] INFO: task " name ":" pid " blocked for more than 120 seconds.\n" \
	"[  400.000001] task:" name "            state:D stack:    0 pid:" pid            \
	" ppid:   245 flags:0x00000002\n"                                                 \
	"[  400.000002] Call Trace:\n"                                                    \
	"[  400.000003]  __schedule+0x282/0x870\n"                                        \
	"[  400.000004]  schedule+0x46/0xb0\n"

TEST(gssd_does_not_answer)
{
	CHECK_EQ_U64(told(HUNG("cat", "41") "[  400.000005]  gss_cred_init+0x257/0x4d0 "
					    "[auth_rpcgss]\n"
					    "[  400.000006]  rpcauth_lookup_credcache+0x3f/0x60 "
					    "[sunrpc]\n",
			  "gss-upcall-stuck"),
		     1);
}

TEST(twin_a_key_for_somebody_else)
{
	static const char text[] =
		HUNG("cat", "41") "[  400.000005]  wait_for_key_construction+0x57/0x4d0\n"
				  "[  400.000006]  request_key+0x3f/0x60\n"
				  "[  400.000007]  dns_query+0x3f/0x60 [dns_resolver]\n";

	CHECK_EQ_U64(told(text, "gss-upcall-stuck"), 0);
	CHECK_EQ_U64(told(text, "idmap-slow"), 0);
}

TEST(identity_mapping)
{
	CHECK_EQ_U64(told(HUNG("ls", "42") "[  400.000005]  wait_for_key_construction+0x57/0x4d0\n"
					   "[  400.000006]  request_key+0x3f/0x60\n"
					   "[  400.000007]  nfs_idmap_get_key+0x3f/0x60 [nfsv4]\n"
					   "[  400.000008]  nfs_map_name_to_uid+0x3f/0x60 "
					   "[nfsv4]\n",
			  "idmap-slow"),
		     1);
}

TEST(mounts_behind_a_dead_server)
{
	CHECK_EQ_U64(told(HUNG("mount.nfs", "43") "[  400.000005]  __mutex_lock+0x57/0x4d0\n"
						  "[  400.000006]  "
						  "nfs4_discover_server_trunking+0x3f/0x60 "
						  "[nfsv4]\n",
			  "mount-trunking-blocked"),
		     1);
}

#define FLUSH                                                   \
	"[  400.000005]  io_schedule+0x57/0x4d0\n"              \
	"[  400.000006]  folio_wait_bit_common+0x57/0x4d0\n"    \
	"[  400.000007]  folio_wait_writeback+0x3f/0x60\n"      \
	"[  400.000008]  __filemap_fdatawait_range+0x3f/0x60\n" \
	"[  400.000009]  nfs_wb_all+0x3f/0x60 [nfs]\n"

TEST(stat_waits_for_a_writer)
{
	static const char text[] = HUNG("ls", "44") FLUSH "[  400.000010]  nfs_getattr+0x1/0x2 "
							  "[nfs]\n";

	CHECK_EQ_U64(told(text, "getattr-flush"), 1);
	CHECK_EQ_U64(told(text, "writeback-stalled"), 0);
}

TEST(writers_wait_for_writeback)
{
	static const char text[] =
		HUNG("dd", "45") FLUSH "[  400.000010]  nfs_file_fsync+0x1/0x2 [nfs]\n" HUNG(
			"cp", "46") "[  400.000005]  balance_dirty_pages+0x57/0x4d0\n"
				    "[  400.000006]  generic_perform_write+0x57/0x4d0\n"
				    "[  400.000007]  nfs_file_write+0x3f/0x60 [nfs]\n";

	CHECK_EQ_U64(told(text, "writeback-stalled"), 1);
	CHECK_EQ_U64(told(text, "getattr-flush"), 0);
}

TEST(twin_writers_while_the_server_does_not_respond)
{
	static const char text[] =
		"[  300.000000] nfs: server 192.0.2.10 not responding, still trying\n" HUNG("dd",
											    "45")
			FLUSH "[  400.000010]  nfs_file_fsync+0x1/0x2 [nfs]\n" HUNG("cp", "46")
				FLUSH "[  400.000010]  nfs_file_fsync+0x1/0x2 [nfs]\n";

	CHECK_EQ_U64(told(text, "writeback-stalled"), 2);
}

TEST(twin_writers_of_another_file_system)
{
	CHECK_EQ_U64(
		told(HUNG("dd",
			  "45") "[  400.000005]  balance_dirty_pages+0x57/0x4d0\n"
				"[  400.000007]  ext4_file_write_iter+0x3f/0x60 [ext4]\n" HUNG(
					"cp",
					"46") "[  400.000005]  balance_dirty_pages+0x57/0x4d0\n"
					      "[  400.000007]  ext4_file_write_iter+0x3f/0x60 "
					      "[ext4]\n",
		     "writeback-stalled"),
		0);
}

#define NFSD(pid)                                                 \
	HUNG("nfsd", pid)                                         \
	"[  400.000005]  rwsem_down_write_slowpath+0x57/0x4d0\n"  \
	"[  400.000006]  xfs_ilock+0x57/0x4d0 [xfs]\n"            \
	"[  400.000007]  nfsd_vfs_write+0x3f/0x60 [nfsd]\n"       \
	"[  400.000008]  nfsd_dispatch+0x3f/0x60 [nfsd]\n"        \
	"[  400.000009]  svc_process_common+0x3f/0x60 [sunrpc]\n" \
	"[  400.000010]  nfsd+0x3f/0x60 [nfsd]\n"

TEST(threads_of_the_server)
{
	CHECK_EQ_U64(told(NFSD("51") NFSD("52"), "nfsd-threads-stuck"), 1);
	CHECK_EQ_U64(told(NFSD("51"), "nfsd-threads-stuck"), 0);
}

#define NFSD_FROZEN(pid, switches)                                                      \
	"--- " pid " nfsd\nState:\tD (disk sleep)\nvoluntary_ctxt_switches:\t" switches \
	"\nnonvoluntary_ctxt_switches:\t8\n"                                            \
	"[<0>] percpu_rwsem_wait+0x116/0x140\n"                                         \
	"[<0>] nfsd_vfs_write+0x65d/0x6a0 [nfsd]\n"                                     \
	"[<0>] nfsd_dispatch+0x19e/0x2b0 [nfsd]\n"                                      \
	"[<0>] svc_process+0xad/0x100 [sunrpc]\n"                                       \
	"[<0>] nfsd+0x99/0xc0 [nfsd]\n"

TEST(threads_of_the_server_in_a_frozen_file_system)
{
	CHECK_EQ_U64(told(LOOK("20") NFSD_FROZEN("51", "40") NFSD_FROZEN("52", "9") LOOK("50")
				  NFSD_FROZEN("51", "40") NFSD_FROZEN("52", "9"),
			  "nfsd-threads-stuck"),
		     1);
}

TEST(twin_threads_of_the_server_that_go_on)
{
	CHECK_EQ_U64(told(LOOK("20") NFSD_FROZEN("51", "40") NFSD_FROZEN("52", "9") LOOK("50")
				  NFSD_FROZEN("51", "47") NFSD_FROZEN("52", "12"),
			  "nfsd-threads-stuck"),
		     2);
}

TEST(twin_idle_threads_of_the_server)
{
	CHECK_EQ_U64(told("--- 51 nfsd\nState:\tS (sleeping)\n[<0>] svc_recv+0x3f/0x60 [sunrpc]\n"
			  "[<0>] nfsd+0x3f/0x60 [nfsd]\n"
			  "--- 52 nfsd\nState:\tS (sleeping)\n[<0>] svc_recv+0x3f/0x60 [sunrpc]\n"
			  "[<0>] nfsd+0x3f/0x60 [nfsd]\n",
			  "nfsd-threads-stuck"),
		     0);
}

#define READS(pid, switches)                               \
	TASK(pid, "ls", switches)                          \
	"[<0>] rpc_wait_bit_killable+0x1e/0xb0 [sunrpc]\n" \
	"[<0>] __rpc_execute+0xd8/0x410 [sunrpc]\n"        \
	"[<0>] nfs3_proc_getattr+0xd8/0x410 [nfsv3]\n"

/* Whether the finding about the pace of tasks has these words. */
static bool pace_tells(const char *text, const char *words)
{
	static const struct rule *const rules[] = {&rule_task_pace};
	const char *texts[] = {text, NULL};
	const struct finding *f;
	struct tasks_told t;
	bool found;

	tasks_tell(rules, 1, texts, &t);
	f = tasks_found(&t, "task-waits-for-rpc");
	found = f && (strstr(f->title, words) || strstr(f->why, words));
	tasks_told_deinit(&t);
	return found;
}

TEST(slow_is_not_hung)
{
	const char *text = LOOK("20") READS("31", "500") LOOK("50") READS("31", "800");

	CHECK(pace_tells(text, "is not hung: 300 waits of 100"));
	CHECK(!pace_tells(text, "one reply"));
}

TEST(twin_stuck_is_not_slow)
{
	const char *text = LOOK("20") READS("31", "500") LOOK("50") READS("31", "500");

	CHECK(pace_tells(text, "has waited for one reply for at least 30"));
	CHECK(!pace_tells(text, "not hung"));
}

TEST(twin_looks_that_tell_no_pace)
{
	/* too close, another task, one look */
	CHECK(!pace_tells(LOOK("20") READS("31", "500") LOOK("22") READS("31", "500"), ""));
	CHECK(!pace_tells(LOOK("20") READS("31", "500") LOOK("50") READS("32", "800"), ""));
	CHECK(!pace_tells(LOOK("20") READS("31", "500") LOOK("50") READS("31", "502"), ""));
	CHECK(!pace_tells(LOOK("20") READS("31", "500"), ""));
}

#define OOM "[  410.000000] Out of memory: Killed process 99 (ls) total-vm:352624kB\n"
#define LISTS(pid)                                                                        \
	TASK(pid, "ls", "5")                                                              \
	"[<0>] rpc_wait_bit_killable+0x1e/0xb0 [sunrpc]\n[<0>] __rpc_execute+0xd8/0x410 " \
	"[sunrpc]\n"                                                                      \
	"[<0>] nfs_readdir+0x103/0x6b0 [nfs]\n[<0>] iterate_dir+0x92/0x1d0\n"

TEST(memory_under_the_load)
{
	CHECK_EQ_U64(told(OOM LISTS("61") LISTS("62") LISTS("63"), "client-memory-exhausted"), 1);
}

TEST(twin_memory_without_a_crowd)
{
	CHECK_EQ_U64(told(OOM LISTS("61"), "client-memory-exhausted"), 0);
	CHECK_EQ_U64(told(LISTS("61") LISTS("62") LISTS("63"), "client-memory-exhausted"), 0);
}

#define READS_HUNG(pid)                                                              \
	HUNG("cat", pid)                                                             \
	"[  400.000005]  rpc_wait_bit_killable+0x1e/0xb0 [sunrpc]\n[  400.000006]  " \
	"__rpc_execute+0xd8/0x410 [sunrpc]\n[  400.000007]  nfs_file_read+0x1e/0xb0 [nfs]\n"

/* 0: silent; else 1 + the confidence, when memory runs out at this line of the same log. */
static unsigned memory_told(const char *line)
{
	const struct finding *f;
	struct tasks_told t;
	char text[4096];
	unsigned told;

	snprintf(text, sizeof(text), "%s%s%s%s", READS_HUNG("61"), READS_HUNG("62"),
		 READS_HUNG("63"), line);
	tell(text, &t);
	f = tasks_found(&t, "client-memory-exhausted");
	told = f ? 1 + (unsigned)f->confidence : 0;
	tasks_told_deinit(&t);
	return told;
}

TEST(memory_and_the_crowd_at_one_time)
{
	CHECK_EQ_U64(memory_told(OOM), 1 + CONFIDENCE_LIKELY);
}

TEST(twin_memory_hours_after_the_crowd_or_of_a_limit)
{
	CHECK_EQ_U64(memory_told("[ 9410.000000] Out of memory: Killed process 99 (ls)\n"), 0);
	CHECK_EQ_U64(memory_told("[  410.000000] Memory cgroup out of memory: Killed process 99 "
				 "(ls)\n"),
		     0);
}

#define WAITS(pid)           \
	TASK(pid, "ls", "5") \
	"[<0>] rwsem_down_write_slowpath+0x257/0x4d0\n[<0>] iterate_dir+0x151/0x1d0\n"

TEST(the_holder_waits_for_a_reply)
{
	CHECK_EQ_U64(told(LISTS("61") WAITS("62") WAITS("63") WAITS("64"), "task-waits-for-rpc"),
		     1);
	CHECK_EQ_U64(told(WAITS("62") WAITS("63") WAITS("64"), "task-waits-for-rpc"), 0);
}

#define SHUTDOWN(above)                                               \
	"[  400.000005]  __flush_workqueue+0x152/0x420\n"             \
	"[  400.000006]  nfsd4_shutdown_callback+0x49/0x120 [nfsd]\n" \
	"[  400.000007]  __destroy_client+0x1ee/0x280 [nfsd]\n"       \
	"[  400.000008]  " above "+0x1ce/0x880 [nfsd]\n"
#define UPCALL                                                  \
	"[  400.000005]  wait_for_completion+0x86/0x160\n"      \
	"[  400.000006]  __cld_pipe_upcall+0x49/0x80 [nfsd]\n"  \
	"[  400.000007]  nfsd4_cld_remove+0x1ee/0x280 [nfsd]\n" \
	"[  400.000008]  laundromat_main+0x1ce/0x880 [nfsd]\n"
#define UNLINKS                                                  \
	"[  400.000005]  rwsem_down_write_slowpath+0x57/0x4d0\n" \
	"[  400.000006]  do_unlinkat+0x57/0x4d0\n"               \
	"[  400.000007]  nfs_unlink+0x3f/0x60 [nfs]\n"

/* Whether what is said of a hung task, with what to do about it, has these words. */
static bool hung_tells(const char *text, const char *words)
{
	static const struct rule *const rules[] = {&rule_task_hung};
	const char *texts[] = {text, NULL};
	const struct finding *f;
	struct tasks_told t;
	bool found;

	tasks_tell(rules, 1, texts, &t);
	f = tasks_found(&t, "task-hung");
	found = CHECK(f) && strstr(f->why, words);
	for (size_t i = 0; f && !found && i < f->remedy.len; i++)
		found = strstr(*(const char *const *)vec_at((struct vec *)&f->remedy, i), words);
	tasks_told_deinit(&t);
	return found;
}

TEST(what_to_do_is_what_the_stack_shows)
{
	const char *laundromat = HUNG("kworker/u16:3", "61") SHUTDOWN("laundromat_main");
	const char *thread = HUNG("nfsd", "62") SHUTDOWN("nfsd4_destroy_session");

	CHECK(hung_tells(laundromat, "callbacks of this host's NFS server"));
	CHECK(!hung_tells(laundromat, "director") && !hung_tells(laundromat, "lock"));
	CHECK(hung_tells(thread, "callbacks of this host's NFS server"));
	CHECK(!hung_tells(thread, "file system") && !hung_tells(thread, "iostat"));
	CHECK(hung_tells(HUNG("kworker/u16:3", "61") UPCALL, "systemctl status nfsdcld"));
	CHECK(hung_tells(NFSD("51"), "iostat") && hung_tells(NFSD("51"), "likely owned by"));
	CHECK(!hung_tells(NFSD("51"), "nfs_readdir"));
	CHECK(hung_tells(HUNG("rm", "63") UNLINKS, "nfs_readdir"));
	CHECK(!hung_tells(HUNG("rm", "63") UNLINKS, "nfsd"));
}
