// SPDX-License-Identifier: GPL-2.0-or-later
/* Who waits for whom: circles, chains, locks that name their owner and waiters; and twins. */
#include "tasks_script.h"

#include <stdio.h>

static void tell(const char *text, struct tasks_told *out)
{
	static const struct rule *const rules[] = {&rule_dir_listing_exclusive, &rule_task_hung};
	const char *texts[] = {text, NULL};

	tasks_tell(rules, sizeof(rules) / sizeof(rules[0]), texts, out);
}

/* Whether the finding of this id tells these words; CHECKs that there is one. */
static bool tells(const char *text, const char *id, const char *words)
{
	const struct finding *f;
	struct tasks_told t;
	bool found = false;

	tell(text, &t);
	f = tasks_found(&t, id);
	if (CHECK(f))
		found = strstr(f->why, words) != NULL;
	tasks_told_deinit(&t);
	return found;
}

#define HUNG(at, pid, name)                                                                     \
	"[  " at "] INFO: task " name ":" pid " blocked for more than 120 seconds.\n"           \
	"[  " at "] task:" name " state:D stack:0 pid:" pid " tgid:" pid " ppid:1 flags:0x00\n" \
	"[  " at "] Call Trace:\n"
#define WANTS(at)                                           \
	"[  " at "]  schedule+0x27/0xf0\n"                  \
	"[  " at "]  rwsem_down_write_slowpath+0x2a/0x6b\n" \
	"[  " at "]  down_write+0x5a/0x60\n"                \
	"[  " at "]  do_unlinkat+0x120/0x2e0\n"
#define OWNED(at, pid, name, by, by_name, how) \
	"[  " at "] INFO: task " name ":" pid  \
	" <writer> blocked on an rw-semaphore likely owned by task " by_name ":" by " <" how ">\n"
#define SHOWN(at, pid, name) \
	"[  " at "] task:" name " state:D stack:0 pid:" pid " tgid:" pid " ppid:1 flags:0x00\n"
#define CREATES(at)                                              \
	"[  " at "]  rpc_wait_bit_killable+0x11/0x70 [sunrpc]\n" \
	"[  " at "]  __rpc_execute+0x135/0x530 [sunrpc]\n"       \
	"[  " at "]  nfs3_proc_create+0x12f/0x1a0 [nfsv3]\n"     \
	"[  " at "]  nfs_create+0x12f/0x1a0 [nfs]\n"             \
	"[  " at "]  path_openat+0x12f/0x1a0\n"

TEST(two_that_wait_for_each_other)
{
	CHECK(tells(HUNG("9.100000", "41", "mv") WANTS("9.110000") OWNED("9.120000", "41", "mv",
									 "42", "ub.loop", "writer")
			    HUNG("9.200000", "42", "ub.loop") WANTS("9.210000")
				    OWNED("9.220000", "42", "ub.loop", "41", "mv", "writer"),
		    "task-hung", "wait for each other in a circle"));
}

TEST(twin_owners_that_read_make_no_circle)
{
	CHECK(!tells(HUNG("9.100000", "41", "mv") WANTS("9.110000")
			     OWNED("9.120000", "41", "mv", "42", "rm", "reader")
				     HUNG("9.200000", "42", "rm") WANTS("9.210000")
					     OWNED("9.220000", "42", "rm", "41", "mv", "writer"),
		     "task-hung", "circle"));
}

TEST(holder_of_a_holder)
{
	const char *text = HUNG("9.100000", "41", "mv") WANTS("9.110000")
		OWNED("9.120000", "41", "mv", "42", "rm", "writer") HUNG("9.200000", "42", "rm")
			WANTS("9.210000") OWNED("9.220000", "42", "rm", "43", "cp", "writer")
				SHOWN("9.230000", "43", "cp") CREATES("9.240000");

	CHECK(tells(text, "task-hung",
		    "held by rm (PID 42), by the kernel's own word (\"likely owned by\"), which "
		    "waits for a lock that is held by cp (PID 43)"));
	CHECK(tells(text, "task-hung", "which waits for the server's reply to CREATE"));
	CHECK(!tells(text, "task-hung", "circle"));
}

/* --- lockdep's lists --- */

#define LOCKS "[    9.300000] Showing all locks held in the system:\n"
#define LISTS(pid, name, last)                                                              \
	"[    9.310000] 2 locks held by " name "/" pid ":\n"                                \
	"[    9.320000]  #0: ffff888003a5c3f0 (sb_writers#14){.+.+}-{0:0}, at: a+0x1/0x2\n" \
	"[    9.330000]  #1: " last "\n"
#define DIRECTORY(at) \
	"ffff888006e3c7a8 (&type->i_mutex_dir_key#5/1){++++}-{3:3}, at: " at "+0x1/0x2"
#define OTHER    "ffff888006e3ffff (&type->i_mutex_dir_key#5){++++}-{3:3}, at: path_openat+0x1/0x2"
#define MORE     "[    9.340000]  #2: ffff888007700000 (&x->y){+.+.}-{3:3}, at: b+0x1/0x2\n"
#define HUNG_MV  HUNG("9.100000", "41", "mv") WANTS("9.110000")
#define MV_LISTS LISTS("41", "mv", DIRECTORY("do_unlinkat"))

TEST(lockdep_lists_who_holds_it)
{
	/* More locks came behind it: so it has it. */
	CHECK(tells(HUNG_MV LOCKS MV_LISTS LISTS("43", "cp", DIRECTORY("path_openat")) MORE,
		    "task-hung", "held by cp (PID 43), by lockdep's list of locks, and no stack"));
	/* Its stack shows that it waits for no lock. */
	CHECK(tells(SHOWN("8.100000", "43", "cp") CREATES("8.200000") SHOWN("9.100000", "41", "mv")
			    WANTS("9.110000")
				    LOCKS MV_LISTS LISTS("43", "cp", DIRECTORY("path_openat"))
					    HUNG("9.500000", "41", "mv") WANTS("9.510000"),
		    "task-hung",
		    "held by cp (PID 43), by lockdep's list of locks, which waits for the server's "
		    "reply to CREATE"));
	/* Nobody else has it, and somebody must. */
	CHECK(tells(HUNG_MV LOCKS MV_LISTS LISTS("43", "cp", DIRECTORY("path_openat"))
			    LISTS("44", "ls", OTHER),
		    "task-hung", "held by cp (PID 43), most likely"));
}

TEST(twin_lists_that_do_not_tell_the_holder)
{
	static const char *const texts[] = {
		/* of two one holds it, and of neither is a stack shown */
		HUNG_MV LOCKS MV_LISTS LISTS("43", "cp", DIRECTORY("path_openat"))
			LISTS("44", "ls", DIRECTORY("iterate_dir")),
		/* another directory's */
		HUNG_MV LOCKS MV_LISTS LISTS("43", "cp", OTHER),
		/* before 4.15 lockdep lists classes, and 4.15 hides which lock it is */
		HUNG_MV LOCKS LISTS("41", "mv",
				    "(&type->i_mutex_dir_key#5/1){+.+.}, at: [<ffffffff81>] a")
			LISTS("43", "cp",
			      "(&type->i_mutex_dir_key#5/1){+.+.}, at: [<ffffffff81>] b"),
		HUNG_MV LOCKS LISTS("41", "mv",
				    "(____ptrval____) (&type->i_mutex_dir_key#5){++++}, at: a")
			LISTS("43", "cp",
			      "(____ptrval____) (&type->i_mutex_dir_key#5){++++}, at: b"),
		HUNG_MV "[    9.300000] INFO: lockdep is turned off.\n",
	};

	for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++)
		if (!CHECK(!tells(texts[i], "task-hung", "cp (PID 43)")))
			printf("# text %zu\n", i);
}

/* The stack of the owner is not the stack of the one that waits. */
TEST(stack_ends_where_the_owner_is_shown)
{
	CHECK(!tells(HUNG("9.100000", "41", "mv") WANTS("9.110000")
			     OWNED("9.120000", "41", "mv", "43", "cp", "writer")
				     SHOWN("9.230000", "43", "cp") CREATES("9.240000"),
		     "task-hung", "called from"));
}

TEST(report_that_was_pasted_without_times)
{
	CHECK(tells("INFO: task find:7576 blocked for more than 120 seconds.\n"
		    "      Not tainted 2.6.32-754.el6.x86_64 #1\n"
		    "find          D 0000000000000006     0  7576      2 0x00000080\n"
		    " ffff880c281c5b70 0000000000000046 ffff880c2fb99d80 000000012fb99d80\n"
		    "Call Trace:\n"
		    " [<ffffffff8152a1be>] __mutex_lock_slowpath+0x13e/0x180\n"
		    " [<ffffffff8119b0ef>] do_lookup+0x11f/0x230\n",
		    "task-hung", "waits in do_lookup"));
}

TEST(state_and_free_stack_in_one_word)
{
	CHECK(tells("[ 1108.700000] INFO: task systemd-tmpfile:5135 blocked for more than 120 "
		    "seconds.\n"
		    "[ 1108.700000] systemd-tmpfile D11968  5135      1 0x00040000\n"
		    "[ 1108.700000] Call Trace:\n"
		    "[ 1108.700000] [c000001b9ab07730] [c000000000b31f24] __schedule+0x384/0xa20\n"
		    "[ 1108.700000] [c000001b9ab07830] [c00000000011d5bc] nfs_wb_all+0x11c/0x190\n",
		    "task-hung", "waits in nfs_wb_all"));
}

#define PS(owner)                                                                     \
	"PID: 336      TASK: " owner "  CPU: 0    COMMAND: \"sh\"\n"                  \
	" #0 [ffffd095c062f848] __schedule at ffffffffb9c5271d\n"                     \
	" #1 [ffffd095c062f8e8] rpc_wait_bit_killable at ffffffffc06e019d [sunrpc]\n" \
	" #2 [ffffd095c062f9a8] __rpc_execute at ffffffffc06e26ff [sunrpc]\n"         \
	" #3 [ffffd095c062fad8] _nfs4_proc_readdir at ffffffffc083914f [nfsv4]\n"     \
	" #4 [ffffd095c062fcd0] nfs_readdir at ffffffffc079bfd9 [nfs]\n"              \
	" #5 [ffffd095c062fe30] iterate_dir at ffffffffb9c00000\n\n"
#define LISTER(pid, task, page)                                                        \
	"PID: " pid "      TASK: " task "  CPU: 0    COMMAND: \"sh\"\n"                \
	" #0 [ffffd095c06" page "a08] __schedule at ffffffffb9c5271d\n"                \
	" #1 [ffffd095c06" page "aa8] rwsem_down_write_slowpath at ffffffffb9c56145\n" \
	" #2 [ffffd095c06" page "e30] iterate_dir at ffffffffb9c00000\n\n"
#define LOCK(count, owner, next, prev)                                                  \
	"crash> struct rw_semaphore ffff8905d88cbdd8\nstruct rw_semaphore {\n"          \
	"  count = {\n    counter = " count "\n  },\n  owner = {\n    counter = " owner \
	"\n  },\n  wait_list = {\n    next = " next ",\n    prev = " prev "\n  }\n}\n"
#define DUMP                   \
	PS("ffff8905c23d9840") \
	LISTER("338", "ffff8905c25548c0", "37") LISTER("340", "ffff8905d6abe100", "3f")

/* Silence is as good as a possibility. */
static unsigned confidence(const char *text)
{
	const struct finding *f;
	struct tasks_told t;
	unsigned result = CONFIDENCE_POSSIBLE;

	tell(text, &t);
	f = tasks_found(&t, "dir-listing-exclusive");
	if (f)
		result = f->confidence;
	tasks_told_deinit(&t);
	return result;
}

TEST(lock_that_names_owner_and_waiters_is_certain)
{
	CHECK_EQ_U64(confidence(DUMP LOCK("3", "0xffff8905c23d9840", "0xffffd095c063fd70",
					  "0xffffd095c0637af0")),
		     CONFIDENCE_CERTAIN);
}

TEST(twin_lock_of_another_owner)
{
	CHECK(confidence(DUMP LOCK("3", "0xffff8905c25548c0", "0xffffd095c063fd70",
				   "0xffffd095c0637af0")) != CONFIDENCE_CERTAIN);
}

TEST(twin_lock_whose_owner_reads)
{
	CHECK(confidence(DUMP LOCK("258", "0xffff8905c23d9841", "0xffffd095c063fd70",
				   "0xffffd095c0637af0")) != CONFIDENCE_CERTAIN);
}

TEST(twin_lock_for_which_others_wait)
{
	CHECK(confidence(DUMP LOCK("3", "0xffff8905c23d9840", "0xffffd095c073fd70",
				   "0xffffd095c0737af0")) != CONFIDENCE_CERTAIN);
}
