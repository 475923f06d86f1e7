// SPDX-License-Identifier: GPL-2.0-or-later
/* Who waits for a directory's lock, and who holds it, from texts of many kernels; with twins. */
#include "tasks_script.h"

static void tell(const char *text, struct tasks_told *out)
{
	static const struct rule *const rules[] = {
		&rule_dir_listing_exclusive,
		&rule_dir_listing_writer_queued,
		&rule_task_hung,
	};
	const char *texts[] = {text, NULL};

	tasks_tell(rules, sizeof(rules) / sizeof(rules[0]), texts, out);
}

/* How many findings of this id there are. */
static size_t told(const char *text, const char *id)
{
	struct tasks_told t;
	size_t count = 0;

	tell(text, &t);
	CHECK(t.tasks.snapshots.len);
	for (size_t i = 0; i < t.d.findings.len; i++)
		count += strcmp(finding_at(&t.d.findings, i)->id, id) == 0;
	tasks_told_deinit(&t);
	return count;
}

/* --- /proc/PID/stack, 5.10 --- */

#define LISTS_510(pid, fs)                                 \
	"--- " #pid " ls\n"                                \
	"State:\tD (disk sleep)\n"                         \
	"[<0>] rpc_wait_bit_killable+0x1e/0xb0 [sunrpc]\n" \
	"[<0>] __rpc_execute+0xd8/0x410 [sunrpc]\n"        \
	"[<0>] _nfs4_proc_readdir+0x255/0x2d0 [nfsv4]\n"   \
	"[<0>] " fs "+0x103/0x6b0 [nfs]\n"                 \
	"[<0>] iterate_dir+0x92/0x1d0\n"                   \
	"[<0>] __x64_sys_getdents64+0x78/0x110\n"          \
	"217 0x3 0x55b9cfe46a50 0x8000 0x0 0x7f68e4e47cc0 0x40 0x7ffd1c674c58 0x7f68e4d44043\n"
#define WAITS_510(pid, lock)              \
	"--- " #pid " ls\n"               \
	"State:\tD (disk sleep)\n"        \
	"[<0>] " lock "+0x257/0x4d0\n"    \
	"[<0>] iterate_dir+0x151/0x1d0\n" \
	"[<0>] __x64_sys_getdents64+0x78/0x110\n"
#define WRITE_510 "rwsem_down_write_slowpath"
#define READ_510  "rwsem_down_read_slowpath"
#define CROWD_510 WAITS_510(12, WRITE_510) WAITS_510(13, WRITE_510) WAITS_510(14, WRITE_510)

TEST(proc_stacks_with_a_holder_are_likely)
{
	const struct finding *f;
	struct tasks_told t;

	tell("==== 2026-11-22T01:47:20.533Z\n" LISTS_510(11, "nfs_readdir") CROWD_510, &t);
	CHECK_EQ_U64(t.kind, EVIDENCE_STACKS);
	f = tasks_found(&t, "dir-listing-exclusive");
	if (CHECK(f)) {
		CHECK_EQ_U64(f->confidence, CONFIDENCE_LIKELY);
		CHECK_EQ_U64(f->count, 3);
		CHECK_EQ_I64(f->first.ns, INT64_C(1795312040533000000));
		CHECK(strstr(f->title, "PID 11") && strstr(f->title, "READDIR"));
		CHECK(strstr(f->why, "look again"));
	}
	tasks_told_deinit(&t);
}

TEST(a_holder_that_changes_is_slow_and_not_stuck)
{
	const struct finding *f;
	struct tasks_told t;

	tell(LISTS_510(11, "nfs_readdir") CROWD_510 LISTS_510(12, "nfs_readdir")
		     WAITS_510(11, WRITE_510) WAITS_510(13, WRITE_510) WAITS_510(14, WRITE_510),
	     &t);
	CHECK_EQ_U64(t.tasks.snapshots.len, 2);
	f = tasks_found(&t, "dir-listing-exclusive");
	if (CHECK(f))
		CHECK(strstr(f->why, "slow and not stuck"));
	tasks_told_deinit(&t);
}

TEST(twin_listers_that_share_the_lock)
{
	CHECK_EQ_U64(told(LISTS_510(11, "nfs_readdir") LISTS_510(12, "nfs_readdir")
				  LISTS_510(13, "nfs_readdir") LISTS_510(14, "nfs_readdir"),
			  "dir-listing-exclusive"),
		     0);
}

#define TWO_WAIT_510 WAITS_510(12, WRITE_510) WAITS_510(13, WRITE_510)
TEST(two_wait_for_the_lister_that_is_seen)
{
	CHECK_EQ_U64(told(LISTS_510(11, "nfs_readdir") TWO_WAIT_510, "dir-listing-exclusive"), 1);
}

/* As /proc/PID/stack shows it on 6.1: the functions of the lock are left out. */
#define ASLEEP_61(pid)                    \
	"--- " #pid " ls\n"               \
	"State:\tD (disk sleep)\n"        \
	"[<0>] iterate_dir+0x14e/0x1c0\n" \
	"[<0>] __x64_sys_getdents64+0x84/0x120\n"

static size_t left_open(const char *text)
{
	struct tasks_told t;
	size_t count;

	tell(text, &t);
	CHECK_EQ_U64(t.d.findings.len, 0);
	count = t.d.undecided.len;
	tasks_told_deinit(&t);
	return count;
}

TEST(stacks_that_end_before_the_lock_leave_it_open)
{
	CHECK_EQ_U64(left_open(LISTS_510(11, "nfs_readdir") ASLEEP_61(12) ASLEEP_61(13)), 1);
	CHECK_EQ_U64(left_open(LISTS_510(11, "nfs_readdir") ASLEEP_61(12)), 0);
}

TEST(twin_two_wait_and_nobody_is_seen_inside)
{
	CHECK_EQ_U64(told(TWO_WAIT_510, "dir-listing-exclusive"), 0);
}

TEST(twin_two_listers_that_meet)
{
	CHECK_EQ_U64(told(LISTS_510(11, "nfs_readdir") WAITS_510(12, WRITE_510),
			  "dir-listing-exclusive"),
		     0);
}

TEST(twin_readers_wait_for_the_shared_lock)
{
	CHECK_EQ_U64(told(LISTS_510(11, "nfs_readdir") WAITS_510(12, READ_510)
				  WAITS_510(13, READ_510) WAITS_510(14, READ_510),
			  "dir-listing-exclusive"),
		     0);
}

#define OUTAGE "[  400.000000] nfs: server 192.0.2.10 not responding, still trying\n"

TEST(while_the_server_does_not_respond_it_is_only_possible)
{
	const struct finding *f;
	struct tasks_told t;

	tell(OUTAGE LISTS_510(11, "nfs_readdir") CROWD_510, &t);
	f = tasks_found(&t, "dir-listing-exclusive");
	if (CHECK(f)) {
		CHECK_EQ_U64(f->confidence, CONFIDENCE_POSSIBLE);
		CHECK(strstr(f->why, "that outage decides"));
	}
	tasks_told_deinit(&t);
}

TEST(without_a_holder_it_is_only_possible)
{
	const struct finding *f;
	struct tasks_told t;

	tell(CROWD_510, &t);
	f = tasks_found(&t, "dir-listing-exclusive");
	if (CHECK(f)) {
		CHECK_EQ_U64(f->confidence, CONFIDENCE_POSSIBLE);
		CHECK(strstr(f->why, "not shown"));
	}
	tasks_told_deinit(&t);
}

/* --- 3.10: a mutex, which all file systems take --- */

#define LISTS_310(pid, fs)                                                                     \
	"/proc/" #pid "/stack:[<ffffffffc04a6d24>] rpc_wait_bit_killable+0x24/0xb0 [sunrpc]\n" \
	"/proc/" #pid "/stack:[<ffffffffc04a7e15>] __rpc_execute+0xf5/0x370 [sunrpc]\n"        \
	"/proc/" #pid "/stack:[<ffffffffc05123f5>] nfs3_proc_readdir+0xd5/0x1b0 [nfsv3]\n"     \
	"/proc/" #pid "/stack:[<ffffffffc04e2a1c>] " fs "+0x11c/0x730\n"                       \
	"/proc/" #pid "/stack:[<ffffffff8121a2a8>] vfs_readdir+0xb8/0xe0\n"                    \
	"/proc/" #pid "/stack:[<ffffffffffffffff>] 0xffffffffffffffff\n"
#define WAITS_310(pid)                                                                           \
	"/proc/" #pid "/stack:[<ffffffff816b8a17>] __mutex_lock_killable_slowpath+0x147/0x190\n" \
	"/proc/" #pid "/stack:[<ffffffff8121a25c>] vfs_readdir+0x6c/0xe0\n"                      \
	"/proc/" #pid "/stack:[<ffffffffffffffff>] 0xffffffffffffffff\n"

TEST(mutex_of_old_kernels)
{
	CHECK_EQ_U64(told(LISTS_310(21, "nfs_readdir") WAITS_310(22) WAITS_310(23) WAITS_310(24),
			  "dir-listing-exclusive"),
		     1);
}

TEST(twin_mutex_of_another_file_system)
{
	CHECK_EQ_U64(told(WAITS_310(22) WAITS_310(23) WAITS_310(24), "dir-listing-exclusive"), 0);
	CHECK_EQ_U64(told("/proc/21/stack:[<ffffffffc04e2a1c>] ext4_readdir+0x11c/0x730 [ext4]\n"
			  "/proc/21/stack:[<ffffffff8121a2a8>] vfs_readdir+0xb8/0xe0\n" WAITS_310(
				  22) WAITS_310(23) WAITS_310(24),
			  "dir-listing-exclusive"),
		     0);
}

/* --- the kernel's own listings --- */

#define LISTED(pid)                                                        \
	"[   48.700945] task:find            state:D stack:    0 pid:" pid \
	" ppid:   245 flags:0x00000002\n"                                  \
	"[   48.701136] Call trace:\n"                                     \
	"[   48.701333]  __switch_to+0xf0/0x170\n"                         \
	"[   48.701401]  __schedule+0x2a0/0x700\n"                         \
	"[   48.701440]  schedule+0x58/0xf0\n"
#define LISTED_WRITE(pid)                                         \
	LISTED(pid)                                               \
	"[   48.701493]  rwsem_down_write_slowpath+0x2d4/0x5a0\n" \
	"[   48.701547]  down_write_killable+0x80/0xa0\n"         \
	"[   48.701580]  iterate_dir+0x170/0x1d4\n"               \
	"[   48.701609]  __arm64_sys_getdents64+0x74/0x130\n"
#define LISTED_READ(pid)                                         \
	LISTED(pid)                                              \
	"[   48.701493]  rwsem_down_read_slowpath+0x2d4/0x5a0\n" \
	"[   48.701547]  down_read+0x80/0xa0\n"                  \
	"[   48.701580]  walk_component+0x170/0x1d4\n"           \
	"[   48.701609]  path_lookupat+0x74/0x130\n"
#define LISTED_HOLDER(pid)                                           \
	LISTED(pid)                                                  \
	"[   48.701493]  rpc_wait_bit_killable+0x24/0x90 [sunrpc]\n" \
	"[   48.701547]  __rpc_execute+0x120/0x4a0 [sunrpc]\n"       \
	"[   48.701580]  nfs4_proc_readdir+0x170/0x1d4 [nfsv4]\n"    \
	"[   48.701590]  nfs_readdir+0x170/0x1d4 [nfs]\n"            \
	"[   48.701600]  iterate_dir+0x94/0x1d4\n"
#define SYSRQ "[   48.700585] sysrq: Show Blocked State\n"

TEST(sysrq_of_arm64)
{
	const struct task_seen *s;
	struct tasks_told t;

	tell(SYSRQ LISTED_HOLDER("31") LISTED_WRITE(" 32") LISTED_WRITE(" 33") LISTED_WRITE("34"),
	     &t);
	CHECK(tasks_found(&t, "dir-listing-exclusive"));
	s = tasks_seen(&t, 33);
	if (CHECK(s)) {
		CHECK_EQ_U64(s->wait, TASK_WAIT_LOCK);
		CHECK_EQ_U64(s->mode, TASK_MODE_WRITE);
		CHECK_TEXT(s->name, "find");
		CHECK_TEXT(s->sleeps_in, "rwsem_down_write_slowpath");
	}
	tasks_told_deinit(&t);
}

#define CREATES(pid)                                              \
	LISTED(pid)                                               \
	"[   48.701493]  rwsem_down_write_slowpath+0x2d4/0x5a0\n" \
	"[   48.701580]  path_openat+0x170/0x1d4\n"               \
	"[   48.701609]  do_filp_open+0x74/0x130\n"

TEST(a_create_queues_before_readers)
{
	const struct finding *f;
	struct tasks_told t;

	tell(SYSRQ LISTED_HOLDER("31") CREATES("32") LISTED_READ("33") LISTED_READ("34"), &t);
	f = tasks_found(&t, "dir-listing-writer-queued");
	if (CHECK(f)) {
		CHECK(strstr(f->title, "PID 32"));
		CHECK(tasks_found(&t, "dir-listing-exclusive") == NULL);
	}
	tasks_told_deinit(&t);
}

TEST(twin_a_create_beside_listers_that_wait_themselves)
{
	CHECK_EQ_U64(told(SYSRQ LISTED_HOLDER("31") CREATES("32") LISTED_WRITE("33")
				  LISTED_WRITE("34"),
			  "dir-listing-writer-queued"),
		     0);
}

TEST(twin_a_create_without_readers)
{
	CHECK_EQ_U64(told(SYSRQ LISTED_HOLDER("31") CREATES("32"), "dir-listing-writer-queued"), 0);
}

/* --- a session of crash, with notes, and the log that accuses the wrong one --- */

#define HUNG                                                                       \
	"[316100.086897] INFO: task rsync:71 blocked for more than 120 seconds.\n" \
	"[316100.086950]       Not tainted 4.19.90 #1\n"                           \
	"[316100.087036] rsync           D    0 71 15 0x00000080\n"                \
	"[316100.087039] Call Trace:\n"                                            \
	"[316100.087052]  schedule+0x28/0x80\n"                                    \
	"[316100.087055]  rwsem_down_read_failed+0x11c/0x190\n"                    \
	"[316100.087060]  down_read+0x13/0x30\n"                                   \
	"[316100.087063]  lookup_slow+0x27/0x50\n"
#define PS                                                                      \
	"crash> ps rsync # 注释\n"                                            \
	"   PID    PPID  CPU       TASK        ST  %MEM     VSZ    RSS  COMM\n" \
	"   15      1   5  ffff91fd87239780  IN   0.0  213108   1592  rsync\n"  \
	">  71     15   7  ffff91fd6d044680  UN   0.7  409284 128232  rsync\n"  \
	"   72     15   5  ffff91fde98a1780  UN   1.0  410648 181880  rsync\n"  \
	"   73     15   0  ffff91fe2c35de00  UN   1.0  410052 183764  rsync\n"  \
	"   74     15   0  ffff91fe2c35de80  UN   1.0  410052 183764  rsync\n"
#define BT(pid, task) \
	"crash> bt " #pid "\nPID: " #pid "  TASK: " task "  CPU: 5   COMMAND: \"rsync\"\n"
#define BT_72                                                                           \
	BT(72, "ffff91fde98a1780")                                                      \
	" #0 [ffffa932c498bca0] __schedule at ffffffffa749c4a6\n"                       \
	" #1 [ffffa932c498bd40] schedule at ffffffffa749cb48\n"                         \
	" #2 [ffffa932c498bd48] rwsem_down_write_failed_killable at ffffffffa74a074d\n" \
	" #3 [ffffa932c498be30] down_write_killable at ffffffffa749f7b0\n"              \
	" #4 [ffffa932c498be38] iterate_dir at ffffffffa6edccc9\n"                      \
	"    RIP: 00007f612a9bd757  RSP: 00007fff67b2a338  RFLAGS: 00000246\n"
#define BT_74                                                                         \
	BT(74, "ffff91fe2c35de80")                                                    \
	" #0 [ffffa932c4ea77f8] __schedule at ffffffffa749c4a6\n"                     \
	" #1 [ffffa932c4ea78a0] rpc_wait_bit_killable at ffffffffc072230e [sunrpc]\n" \
	" #2 [ffffa932c4ea7a48] _nfs4_proc_readdir at ffffffffc082ab85 [nfsv4]\n"     \
	" #3 [ffffa932c4ea7940] __rpc_execute at ffffffffc0722fd0 [sunrpc]\n"         \
	" #4 [ffffa932c4ea7da0] nfs_readdir at ffffffffc07e096c [nfs]\n"              \
	" #5 [ffffa932c4ea7e38] iterate_dir at ffffffffa6edcce6\n"
#define BT_71                                                                 \
	BT(71, "ffff91fd6d044680")                                            \
	" #0 [ffffa932d099fa90] __schedule at ffffffffa749c4a6\n"             \
	" #1 [ffffa932d099fb38] rwsem_down_read_failed at ffffffffa74a02fc\n" \
	" #2 [ffffa932d099fc30] lookup_slow at ffffffffa6ed42f7\n"
/* 73 is known by a comment alone, 72 by a command, 74 by a line of prose. */
#define FILES                                                              \
	"crash> bt 72 -FF\n"                                               \
	" #4 [ffffa932c498be38] iterate_dir at ffffffffa6edccc9\n"         \
	"    ffffa932c498be60: 00000000fffffff2 [ffff91fe2bb65b00:filp]\n" \
	"crash> struct file.f_inode ffff91fe2bb65b00\n"                    \
	"  f_inode = 0xffff91fca5985500,\n"                                \
	"# 73\n"                                                           \
	"[ffff91fcbfe03f00:filp]\n"                                        \
	"  FREE / [ALLOCATED]\n"                                           \
	"  f_inode = 0xffff91fca5985500,\n"                                \
	"进程`74`的`inode`:\n"                                          \
	"[ffff91fdfdcbf000:filp]\n"                                        \
	"  f_inode = 0xffff91fca5985500,\n"                                \
	"struct inode 0xffff91fca5985500 -x\n"                             \
	"  i_mode = 0x41e0, # 目录\n"                                    \
	"crash> bt 71 -FF\n"                                               \
	"    ffffa932d099fc18: [ffff91fcb02b7440:dentry] [ffff91fca59855a0:nfs_inode_cache]\n"

TEST(a_session_with_notes_names_holder_and_victim)
{
	const struct finding *f, *hung;
	struct tasks_told t;

	tell(HUNG PS BT_72 BT_71 BT_74 FILES, &t);
	f = tasks_found(&t, "dir-listing-exclusive");
	hung = tasks_found(&t, "task-hung");
	if (CHECK(f) && CHECK(hung)) {
		CHECK_EQ_U64(f->confidence, CONFIDENCE_CERTAIN);
		CHECK_EQ_U64(f->count, 3);
		CHECK(strstr(f->title, "PID 74"));
		CHECK(strstr(f->why, "ffff91fca5985500"));
		CHECK(strstr(f->why, "accuses that one"));
		CHECK_EQ_U64(f->explains.len, 1);
		CHECK(strstr(hung->why, "PID 74"));
	}
	CHECK(tasks_seen(&t, 73) && tasks_seen(&t, 73)->inode == UINT64_C(0xffff91fca5985500));
	tasks_told_deinit(&t);
}

/* The lock as it is printed: its count and its owner. */
#define LOCK_CRASH(count, owner)                         \
	"crash> struct inode.i_rwsem ffff91fca5985500\n" \
	"  i_rwsem = {\n"                                \
	"    count = {\n"                                \
	"      counter = " count "\n"                    \
	"    },\n"                                       \
	"    owner = " owner ",\n"                       \
	"    osq = {\n"                                  \
	"      tail = {\n"                               \
	"        counter = 7\n"
#define LOCK_DRGN(count, owner)                            \
	">>> Object(prog, 'struct rw_semaphore *', 0)\n"   \
	"*(struct rw_semaphore *)0xffff91fca59855a0 = {\n" \
	"\t.count = (atomic_long_t){\n"                    \
	"\t\t.counter = (s64)" count ",\n"                 \
	"\t},\n"                                           \
	"\t.owner = (atomic_long_t){\n"                    \
	"\t\t.counter = (s64)" owner ",\n"

/* What the finding's words hold, and with which confidence it is made; 0: it is not. */
static unsigned lock_told(const char *text, const char *words)
{
	const struct finding *f;
	struct tasks_told t;
	unsigned result;

	tell(text, &t);
	f = tasks_found(&t, "dir-listing-exclusive");
	result = f ? 1 + f->confidence : 0;
	if (f && !strstr(f->why, words))
		CHECK_TEXT(f->why, words);
	tasks_told_deinit(&t);
	return result;
}

TEST(a_lock_that_is_printed_names_its_owner)
{
	/* Before 5.3: 18 wait, one holds it for writing. 74 owns it. */
	CHECK_EQ_U64(lock_told(PS BT_72 BT_71 BT_74 FILES LOCK_CRASH("-8589934591",
								     "0xffff91fe2c35de80"),
			       "held for writing, and others wait. Its owner is the task at "
			       "ffff91fe2c35de80, the holder"),
		     1 + CONFIDENCE_CERTAIN);
	/* Since 5.3; without the stack of 74 only the lock tells who holds it. */
	CHECK_EQ_U64(lock_told(PS BT_72 BT_71 FILES LOCK_DRGN("3", "-120954127262080"),
			       "(PID 74) owns it, by the lock's own word"),
		     1 + CONFIDENCE_LIKELY);
}

TEST(twin_a_lock_that_readers_hold)
{
	/* 2 readers in units of 256, and waiters; the owner's lowest bit says "to read". */
	CHECK_EQ_U64(lock_told(PS BT_72 BT_71 BT_74 FILES LOCK_CRASH("514", "0xffff91fe2c35de81"),
			       "held for reading, by 2, and others wait"),
		     1 + CONFIDENCE_LIKELY);
	/* A writer, or one reader with others waiting: before 5.3 that is one number. */
	CHECK_EQ_U64(lock_told(PS BT_72 BT_71 BT_74 FILES LOCK_CRASH("-4294967295", "0x1"),
			       "can be read in two ways"),
		     1 + CONFIDENCE_CERTAIN);
}

TEST(twin_the_lock_of_the_mapping_is_another_one)
{
	struct tasks_told t;
	struct task_lock lock;

	tell(PS BT_72 BT_71 BT_74 FILES "crash> struct inode ffff91fca5985500\n"
					"  i_data = {\n    i_mmap_rwsem = {\n      count = {\n"
					"        counter = 1\n      owner = 0xffff91fe2c35de80\n",
	     &t);
	CHECK(t.tasks.snapshots.len);
	CHECK(!task_model_lock(&t.tasks, 0, UINT64_C(0xffff91fca5985500), &lock));
	tasks_told_deinit(&t);
}

TEST(twin_a_file_of_another_directory)
{
	struct tasks_told t;

	tell(PS BT_72 BT_74 "# 72\n[ffff91fe2bb65b00:filp]\n  f_inode = 0xffff91fca5985500,\n"
			    "# 73\n[ffff91fcbfe03f00:filp]\n  f_inode = 0xffff91fca5777700,\n"
			    "# 74\n[ffff91fdfdcbf000:filp]\n  f_inode = 0xffff91fca5777700,\n",
	     &t);
	CHECK(tasks_found(&t, "dir-listing-exclusive") == NULL);
	CHECK(tasks_seen(&t, 73) && tasks_seen(&t, 73)->wait == TASK_WAIT_NONE);
	tasks_told_deinit(&t);
}

TEST(two_dumps_in_one_text_are_not_mixed)
{
	struct tasks_told t;

	tell(PS BT_72 BT_74 "crash> ps ls\n"
			    "   PID    PPID  CPU       TASK        ST  %MEM     VSZ    RSS  COMM\n"
			    "   571    570   5  ffff88812f9b2680  UN   3.3  189588 175328  ls\n"
			    "   72    573  12  ffff888117444d00  UN   3.4  190248 180860  ls\n",
	     &t);
	CHECK_EQ_U64(t.tasks.snapshots.len, 2);
	tasks_told_deinit(&t);
}

TEST(texts_about_one_dump_are_one_sample)
{
	static const struct rule *const rules[] = {&rule_dir_listing_exclusive};
	static const char *const texts[] = {BT_74, BT_72, PS, NULL};
	struct tasks_told t;

	tasks_tell(rules, 1, texts, &t);
	for (size_t i = 1; i < t.tasks.snapshots.len; i++)
		CHECK_EQ_U64((*(struct task_snapshot **)vec_at(&t.tasks.snapshots, i))->id,
			     (*(struct task_snapshot **)vec_at(&t.tasks.snapshots, 0))->id);
	CHECK_EQ_U64(t.tasks.snapshots.len, 1);
	tasks_told_deinit(&t);
}

TEST(prose_is_no_evidence)
{
	static const char *const texts[] = {
		"There are 18 tasks.\nState: of the art\nnfs_readdir\niterate_dir calls\n", NULL};
	struct tasks_told t;

	tasks_tell(NULL, 0, texts, &t);
	CHECK(!t.taken);
	tasks_told_deinit(&t);
}

/* A task that lists a directory of another file system, 4.18. */
#define LISTS_OTHER                                      \
	"--- 31 ls\n"                                    \
	"State:\tD (disk sleep)\n"                       \
	"[<0>] request_wait_answer+0x101/0x1d0 [fuse]\n" \
	"[<0>] fuse_readdir+0x15a/0x7b0 [fuse]\n"        \
	"[<0>] iterate_dir+0x92/0x1d0\n"                 \
	"[<0>] __x64_sys_getdents64+0x78/0x110\n"

TEST(whose_lock_it_is_is_not_told_beside_another_file_system)
{
	const struct finding *f;
	struct tasks_told t;

	tell("==== 2026-11-22T01:47:20.533Z\n" LISTS_510(11, "nfs_readdir") CROWD_510 LISTS_OTHER,
	     &t);
	f = tasks_found(&t, "dir-listing-exclusive");
	if (CHECK(f)) {
		CHECK(f->confidence == CONFIDENCE_POSSIBLE);
		CHECK(strstr(f->why, "fuse_readdir") && !strstr(f->title, "holds it"));
	}
	tasks_told_deinit(&t);
}

TEST(twin_a_crowd_at_another_file_system_is_silent)
{
	CHECK_EQ_U64(told("==== 2026-11-22T01:47:20.533Z\n" CROWD_510 LISTS_OTHER,
			  "dir-listing-exclusive"),
		     0);
}
