// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * What a stack tells: tables of functions, by their names alone. Kernels differ in what is inlined
 * and what locks are called, not in who takes them:
 *
 *	i_mutex until 4.6; i_rwsem since 9902af79c01a (4.7)
 *	rwsem_down_{read,write}_failed[_killable] and call_rwsem_* until 5.1;
 *	rwsem_down_{read,write}_slowpath since 5e1ebd5a2f6a and 3f6d517a3ece (5.2, 5.3)
 *
 * /proc/PID/stack leaves out the scheduler's own functions, and compilers inline down_write() into
 * its caller: no single one of them must be there.
 */
#include "model/task/task.h"

#include <string.h>

static bool rest_matches(const char *pattern, const char *name)
{
	while (*pattern && *pattern == *name && *pattern != '*') {
		pattern++;
		name++;
	}
	return (pattern[0] == '*' && pattern[1] == '\0') || (pattern[0] == '\0' && name[0] == '\0');
}

/*
 * A trailing star matches any rest. Of each function on a stack hundreds are asked: most differ in
 * one of the first two bytes, and no pattern is shorter.
 */
static inline bool matches(const char *pattern, const char *name)
{
	return pattern[0] == name[0] && pattern[1] == name[1] && rest_matches(pattern, name);
}

static bool is_any(const char *const *patterns, const char *name)
{
	for (; *patterns; patterns++)
		if (matches(*patterns, name))
			return true;
	return false;
}

/* Of these every stack of a sleeping task has some: they tell nothing. */
static bool is_scheduler(const char *name)
{
	static const char *const patterns[] = {"__switch_to*", "context_switch",    "__schedule*",
					       "schedule*",    "preempt_schedule*", NULL};

	return is_any(patterns, name);
}

/* Sleeping itself. */
static bool is_sleep(const char *name)
{
	static const char *const patterns[] = {"__switch_to*",
					       "context_switch",
					       "__schedule*",
					       "schedule*",
					       "preempt_schedule*",
					       "io_schedule*",
					       "bit_wait*",
					       "__wait_on_bit*",
					       "out_of_line_wait_on_bit*",
					       "wait_on_bit*",
					       "prepare_to_wait*",
					       "do_wait_for_common",
					       "wait_for_common*",
					       "__wait_for_common",
					       "wait_for_completion*",
					       "wait_woken",
					       "nfs_wait_bit_killable",
					       "rpc_wait_bit_killable",
					       "freezable_schedule*",
					       "nfs_wait_bit_uninterruptible",
					       "nfs_wait_killable",
					       "wait_on_page_bit*",
					       "__wait_on_page_bit",
					       "wait_on_page*",
					       "sleep_on_page*",
					       "folio_wait_bit*",
					       "__folio_wait*",
					       "__lock_page*",
					       "__folio_lock*",
					       "lock_page*",
					       "wait_on_commit",
					       "_raw_spin*",
					       "kthread_*",
					       "__wait_rcu_gp",
					       "synchronize_*",
					       "wait_var_event*",
					       "percpu_rwsem_wait*", /* a frozen file system */
					       "__percpu_down_read*",
					       "percpu_down_write*",
					       NULL};

	return is_any(patterns, name);
}

/* The locks themselves, of a mutex, an rw_semaphore, and of either in PREEMPT_RT. */
static bool is_lock(const char *name)
{
	static const char *const patterns[] = {"rwsem_down_*",
					       "__rwsem_down*",
					       "call_rwsem_down_*",
					       "down_read*",
					       "down_write*",
					       "__down_read*",
					       "__down_write*",
					       "mutex_lock*",
					       "__mutex_lock*",
					       "rwbase_*",
					       "__rwbase_*",
					       "rt_mutex_*",
					       "__rt_mutex_*",
					       "rt_down_*",
					       "inode_lock*",
					       "ww_mutex_*",
					       NULL};

	return is_any(patterns, name);
}

/*
 * Frames `from` to `to` are locks': "rwsem_down_read_failed", or "__mutex_lock_slowpath". With
 * PREEMPT_RT the inner ones of an rw_semaphore are those of an rt_mutex.
 */
static void classify_mode(struct task_seen *t, size_t from, size_t to)
{
	t->mode = TASK_MODE_WRITE;
	t->mutex = true;
	for (size_t i = from; i < to; i++) {
		if (strstr(t->frames[i], "read"))
			t->mode = TASK_MODE_READ;
		if (!strstr(t->frames[i], "mutex") && is_lock(t->frames[i]))
			t->mutex = false;
	}
}

static const struct purpose_row {
	const char *caller;
	enum task_purpose purpose;
} purpose_rows[] = {
	{"iterate_dir", TASK_PURPOSE_LIST},
	{"vfs_readdir", TASK_PURPOSE_LIST},
	{"wrap_directory_iterator", TASK_PURPOSE_LIST},
	{"lookup_slow", TASK_PURPOSE_LOOKUP},
	{"__lookup_slow", TASK_PURPOSE_LOOKUP},
	{"walk_component", TASK_PURPOSE_LOOKUP},
	{"do_lookup", TASK_PURPOSE_LOOKUP},
	{"real_lookup", TASK_PURPOSE_LOOKUP}, /* until 3.0 */
	{"link_path_walk", TASK_PURPOSE_LOOKUP},
	{"path_lookupat", TASK_PURPOSE_LOOKUP},
	{"lookup_one*", TASK_PURPOSE_LOOKUP},
	{"lookup_positive_unlocked", TASK_PURPOSE_LOOKUP},
	{"do_last", TASK_PURPOSE_OPEN},
	{"do_filp_open", TASK_PURPOSE_OPEN}, /* until 3.0 */
	{"path_openat", TASK_PURPOSE_OPEN},
	{"open_last_lookups", TASK_PURPOSE_OPEN},
	{"filename_create", TASK_PURPOSE_CHANGE},
	{"kern_path_create", TASK_PURPOSE_CHANGE},
	{"lookup_create", TASK_PURPOSE_CHANGE},
	{"do_unlinkat", TASK_PURPOSE_CHANGE},
	{"do_rmdir", TASK_PURPOSE_CHANGE},
	{"do_renameat2", TASK_PURPOSE_CHANGE},
	{"lock_rename*", TASK_PURPOSE_CHANGE},
	{"do_linkat", TASK_PURPOSE_CHANGE},
	{"do_mkdirat", TASK_PURPOSE_CHANGE},
	{"do_mknodat", TASK_PURPOSE_CHANGE},
	{"do_symlinkat", TASK_PURPOSE_CHANGE},
	{"vfs_unlink", TASK_PURPOSE_CHANGE},
	{"vfs_rmdir", TASK_PURPOSE_CHANGE},
	{"start_creating*", TASK_PURPOSE_CHANGE},
	{"start_dirop", TASK_PURPOSE_CHANGE},
	{"nfs_start_io_*", TASK_PURPOSE_IO},
	{"generic_file_write_iter", TASK_PURPOSE_IO},
	{"generic_file_aio_write", TASK_PURPOSE_IO},
	{"nfs_file_write", TASK_PURPOSE_IO},
	{"nfs_file_fsync*", TASK_PURPOSE_IO},
	{"do_truncate", TASK_PURPOSE_IO},
};

static enum task_purpose purpose_of(const char *caller)
{
	for (size_t i = 0; i < sizeof(purpose_rows) / sizeof(purpose_rows[0]); i++)
		if (matches(purpose_rows[i].caller, caller))
			return purpose_rows[i].purpose;
	return TASK_PURPOSE_NONE;
}

/* The innermost of these that is on the stack says what the task waits for. */
static const struct wait_row {
	const char *function;
	enum task_wait wait;
} wait_rows[] = {
	{"__break_lease", TASK_WAIT_LEASE},
	{"nfsd_wait_for_delegreturn", TASK_WAIT_LEASE},
	{"nfs4_wait_clnt_recover", TASK_WAIT_STATE},
	{"nfs4_client_recover_expired_lease", TASK_WAIT_STATE},
	{"nfs41_wait_for_recovery", TASK_WAIT_STATE},
	{"nfs4_drain_slot_tbl", TASK_WAIT_DRAIN},
	{"nfs4_begin_drain_session", TASK_WAIT_DRAIN},
	{"nfs4_drain_session", TASK_WAIT_DRAIN},
	{"nfs_wait_client_init_complete", TASK_WAIT_CLIENT},
	{"nfs_wait_client_init", TASK_WAIT_CLIENT},
	{"gss_cred_init", TASK_WAIT_GSS},
	{"gss_create_upcall", TASK_WAIT_GSS},
	{"gss_setup_upcall", TASK_WAIT_GSS},
	{"wait_for_key_construction", TASK_WAIT_KEY},
	{"request_key*", TASK_WAIT_KEY},
	{"nfs_idmap_get_key", TASK_WAIT_KEY},
	{"nfs_idmap_request_key", TASK_WAIT_KEY},
	{"nfs_idmap_id", TASK_WAIT_KEY},
	{"call_usermodehelper*", TASK_WAIT_KEY},
	{"balance_dirty_pages*", TASK_WAIT_DIRTY},
	{"nlmclnt_block", TASK_WAIT_NLM},
	{"nlmclnt_wait", TASK_WAIT_NLM},
	{"nlmclnt_call", TASK_WAIT_NLM},
	{"rpc_wait_for_completion_task", TASK_WAIT_RPC},
	{"__rpc_wait_for_completion_task", TASK_WAIT_RPC},
	{"__rpc_execute", TASK_WAIT_RPC},
	{"rpc_execute", TASK_WAIT_RPC},
	{"rpc_run_task", TASK_WAIT_RPC},
	{"rpc_call_sync", TASK_WAIT_RPC},
	{"nfs_wb_page*", TASK_WAIT_WRITEBACK},
	{"nfs_wb_folio*", TASK_WAIT_WRITEBACK},
	{"nfs_wb_all", TASK_WAIT_WRITEBACK},
	{"nfs_commit_inode", TASK_WAIT_WRITEBACK},
	{"__nfs_commit_inode", TASK_WAIT_WRITEBACK},
	{"nfs_wait_on_request", TASK_WAIT_WRITEBACK},
	{"nfs_page_group_lock*", TASK_WAIT_WRITEBACK},
	{"nfs_lock_and_join_requests", TASK_WAIT_WRITEBACK},
	{"filemap_fdatawait*", TASK_WAIT_WRITEBACK},
	{"__filemap_fdatawait*", TASK_WAIT_WRITEBACK},
	{"file_write_and_wait_range", TASK_WAIT_WRITEBACK},
	{"filemap_write_and_wait*", TASK_WAIT_WRITEBACK},
	{"wait_on_page_writeback", TASK_WAIT_WRITEBACK},
	{"folio_wait_writeback", TASK_WAIT_WRITEBACK},
	{"wb_wait_for_completion", TASK_WAIT_WRITEBACK},
	{"write_cache_pages", TASK_WAIT_WRITEBACK},
	{"wait_on_page_read", TASK_WAIT_PAGE},
	{"filemap_update_page", TASK_WAIT_PAGE},
	{"filemap_get_pages", TASK_WAIT_PAGE},
	{"generic_file_read_iter", TASK_WAIT_PAGE},
	{"generic_file_buffered_read", TASK_WAIT_PAGE},
	{"filemap_fault", TASK_WAIT_PAGE},
	{"do_read_cache_page", TASK_WAIT_PAGE},
	{"pagecache_get_page", TASK_WAIT_PAGE},
	{"__filemap_get_folio", TASK_WAIT_PAGE},
};

static enum task_wait wait_of(const char *function)
{
	for (size_t i = 0; i < sizeof(wait_rows) / sizeof(wait_rows[0]); i++)
		if (matches(wait_rows[i].function, function))
			return wait_rows[i].wait;
	return TASK_WAIT_NONE;
}

/* The call that a function makes; the innermost one that is known names it. */
static const struct call_row {
	const char *function;
	const char *procedure;
} call_rows[] = {
	{"_nfs4_proc_readdir", "READDIR"},
	{"nfs4_proc_readdir", "READDIR"},
	{"nfs3_proc_readdir", "READDIR"},
	{"nfs_proc_readdir", "READDIR"},
	{"nfs_readdir_xdr_to_array", "READDIR"},
	{"nfs_readdir_xdr_filler", "READDIR"},
	{"_nfs4_proc_getattr", "GETATTR"},
	{"nfs*_proc_getattr", "GETATTR"},
	{"__nfs_revalidate_inode", "GETATTR"},
	{"_nfs4_proc_lookup*", "LOOKUP"},
	{"_nfs4_proc_access", "ACCESS"},
	{"_nfs4_proc_readlink", "READLINK"},
	{"_nfs4_proc_remove", "REMOVE"},
	{"_nfs4_proc_link", "LINK"},
	{"_nfs4_proc_statfs", "GETATTR"},
	{"_nfs4_proc_pathconf", "GETATTR"},
	{"_nfs4_proc_open*", "OPEN"},
	{"nfs4_run_open_task", "OPEN"},
	{"_nfs4_open_and_get_state", "OPEN"},
	{"nfs4_do_close", "CLOSE"},
	{"_nfs4_do_setattr", "SETATTR"},
	{"_nfs4_do_setlk", "LOCK"},
	{"nfs4_do_unlck", "LOCKU"},
	{"_nfs4_proc_delegreturn", "DELEGRETURN"},
	{"nfs4_proc_delegreturn", "DELEGRETURN"},
	{"_nfs4_proc_exchange_id", "EXCHANGE_ID"},
	{"nfs4_run_exchange_id", "EXCHANGE_ID"},
	{"nfs4_proc_create_session", "CREATE_SESSION"},
	{"_nfs4_proc_create_session", "CREATE_SESSION"},
	{"nfs4_proc_destroy_session", "DESTROY_SESSION"},
	{"nfs4_proc_setclientid*", "SETCLIENTID"},
	{"nfs41_proc_reclaim_complete", "RECLAIM_COMPLETE"},
	{"nfs4_proc_renew", "RENEW"},
	{"nfs3_proc_lookup", "LOOKUP"},
	{"nfs3_proc_access", "ACCESS"},
	{"nfs3_proc_create", "CREATE"},
	{"nfs3_proc_remove", "REMOVE"},
	{"nfs3_proc_setattr", "SETATTR"},
	{"nfs3_proc_readlink", "READLINK"},
	{"nfs3_proc_statfs", "FSSTAT"},
	{"nfs3_proc_getacl", "GETACL"},
	{"nfs3_get_acl", "GETACL"},
	{"__nfs3_proc_lookup", "LOOKUP"},
	{"nlmclnt_*", "LOCK"},
};

static const char *procedure_of(const struct task_seen *t)
{
	for (size_t f = 0; f < t->frames_len; f++)
		for (size_t i = 0; i < sizeof(call_rows) / sizeof(call_rows[0]); i++) {
			const char *pattern = call_rows[i].function;

			if (pattern[3] == '*' && strncmp(pattern, "nfs*_", 5) == 0
				    ? strncmp(t->frames[f], "nfs", 3) == 0 &&
					      strstr(t->frames[f], pattern + 4)
				    : matches(pattern, t->frames[f]))
				return call_rows[i].procedure;
		}
	return "";
}

bool task_function_is_nfs(const char *function)
{
	static const char *const patterns[] = {
		"nfs*", "_nfs*",     "__nfs*", "rpc_*", "__rpc_*",   "nlm*", "xprt_*",
		"xs_*", "rpcauth_*", "gss_*",  "svc_*", "fh_verify", NULL};

	return is_any(patterns, function);
}

/* The operation of NFS under the lock of a directory, and what that lock is held for. */
static enum task_purpose held_by(const char *function)
{
	static const struct purpose_row rows[] = {
		{"nfs_readdir", TASK_PURPOSE_LIST},
		{"nfs_lookup", TASK_PURPOSE_LOOKUP},
		{"nfs4_lookup_revalidate", TASK_PURPOSE_NONE},
		{"nfs_atomic_open", TASK_PURPOSE_OPEN},
		{"nfs_create", TASK_PURPOSE_CHANGE},
		{"nfs_unlink", TASK_PURPOSE_CHANGE},
		{"nfs_mkdir", TASK_PURPOSE_CHANGE},
		{"nfs_rmdir", TASK_PURPOSE_CHANGE},
		{"nfs_rename", TASK_PURPOSE_CHANGE},
		{"nfs_link", TASK_PURPOSE_CHANGE},
		{"nfs_symlink", TASK_PURPOSE_CHANGE},
		{"nfs_mknod", TASK_PURPOSE_CHANGE},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (matches(rows[i].caller, function))
			return rows[i].purpose;
	return TASK_PURPOSE_NONE;
}

static bool calls_trunking(const struct task_seen *t, size_t from)
{
	for (size_t i = from; i < t->frames_len; i++)
		if (matches("nfs4_discover_server_trunking", t->frames[i]))
			return true;
	return false;
}

/* Frame i is a lock's: the first function behind the locks is who takes it. */
static void classify_lock(struct task_seen *t, size_t i)
{
	size_t caller = i;

	while (caller < t->frames_len &&
	       (is_lock(t->frames[caller]) || is_sleep(t->frames[caller])))
		caller++;
	t->sleeps_in = t->frames[i];
	if (caller == t->frames_len)
		return;
	t->where = t->frames[caller];
	if (calls_trunking(t, caller)) {
		t->wait = TASK_WAIT_TRUNKING;
		return;
	}
	t->purpose = purpose_of(t->where);
	if (t->purpose == TASK_PURPOSE_NONE)
		return;
	t->wait = TASK_WAIT_LOCK;
	classify_mode(t, i, caller);
	t->proof = TASK_PROOF_STACK;
}

static void classify_holding(struct task_seen *t)
{
	for (size_t i = 0; i < t->frames_len; i++) {
		enum task_purpose held = held_by(t->frames[i]);

		if (held == TASK_PURPOSE_NONE)
			continue;
		/* nfs_readdir runs under iterate_dir's lock. Others show who locked, too. */
		for (size_t k = i + 1; k < t->frames_len; k++)
			if (purpose_of(t->frames[k]) != TASK_PURPOSE_NONE) {
				t->holds = held;
				t->holds_in = t->frames[i];
				return;
			}
	}
}

/* A directory of another file system is listed under the same kind of lock. */
static void classify_other(struct task_seen *t)
{
	if (t->holds != TASK_PURPOSE_NONE || t->wait == TASK_WAIT_LOCK)
		return;
	for (size_t i = 1; i < t->frames_len; i++) {
		const char *inner = t->frames[i - 1];

		if (purpose_of(t->frames[i]) == TASK_PURPOSE_LIST && !is_lock(inner) &&
		    !is_sleep(inner) && !task_function_is_nfs(inner) &&
		    purpose_of(inner) != TASK_PURPOSE_LIST)
			t->lists_other = inner;
	}
}

void task_classify(struct task_seen *t)
{
	size_t i = 0;

	t->sleeps_in = t->where = t->procedure = t->holds_in = t->lists_other = "";
	for (size_t k = 0; k < t->frames_len; k++)
		t->of_nfs |= task_function_is_nfs(t->frames[k]);
	for (; i < t->frames_len && is_sleep(t->frames[i]); i++)
		if (t->sleeps_in[0] == '\0' && !is_scheduler(t->frames[i]))
			t->sleeps_in = t->frames[i];
	if (i == t->frames_len)
		return;
	if (t->first_frame > 0) {
		/* Inner frames were left out: the first one shown is all that is known. */
		t->where = t->frames[i];
		t->purpose = purpose_of(t->where);
		t->proof = TASK_PROOF_PART;
		classify_holding(t);
		classify_other(t);
		return;
	}
	if (is_lock(t->frames[i])) {
		classify_lock(t, i);
		classify_holding(t);
		return;
	}
	t->where = t->frames[i];
	for (size_t k = 0; k < t->frames_len && t->wait == TASK_WAIT_NONE; k++)
		t->wait = wait_of(t->frames[k]);
	if (t->wait != TASK_WAIT_NONE)
		t->proof = TASK_PROOF_STACK;
	if (t->wait == TASK_WAIT_RPC || t->wait == TASK_WAIT_NLM)
		t->procedure = procedure_of(t);
	classify_holding(t);
	classify_other(t);
}

void task_classify_like(struct task_seen *t, const struct task_seen *like)
{
	t->of_nfs = like->of_nfs;
	t->wait = like->wait;
	t->mode = like->mode;
	t->mutex = like->mutex;
	t->purpose = like->purpose;
	t->sleeps_in = like->sleeps_in;
	t->where = like->where;
	t->procedure = like->procedure;
	t->holds = like->holds;
	t->holds_in = like->holds_in;
	t->lists_other = like->lists_other;
	t->proof = like->proof;
}

const char *task_wait_text(enum task_wait wait)
{
	static const char *const texts[TASK_WAIT_COUNT] = {
		[TASK_WAIT_NONE] = "something that its stack does not tell",
		[TASK_WAIT_LOCK] = "the lock of an inode",
		[TASK_WAIT_RPC] = "the reply to a call",
		[TASK_WAIT_STATE] = "the state manager",
		[TASK_WAIT_DRAIN] = "calls that hold slots of the session",
		[TASK_WAIT_CLIENT] = "another mount of the same server",
		[TASK_WAIT_TRUNKING] = "the mutex of trunking discovery",
		[TASK_WAIT_GSS] = "rpc.gssd",
		[TASK_WAIT_KEY] = "a key from user space",
		[TASK_WAIT_DIRTY] = "dirty pages to be written",
		[TASK_WAIT_WRITEBACK] = "pages to be written back",
		[TASK_WAIT_PAGE] = "a page of a file",
		[TASK_WAIT_LEASE] = "a delegation to be given back",
		[TASK_WAIT_NLM] = "a lock of lockd",
	};

	return texts[wait];
}

const char *task_purpose_text(enum task_purpose purpose)
{
	static const char *const texts[] = {
		[TASK_PURPOSE_NONE] = "",
		[TASK_PURPOSE_LIST] = "to list the directory",
		[TASK_PURPOSE_LOOKUP] = "to look up a name",
		[TASK_PURPOSE_OPEN] = "to open a file",
		[TASK_PURPOSE_CHANGE] = "to change the directory",
		[TASK_PURPOSE_IO] = "to read or write the file",
	};

	return texts[purpose];
}
