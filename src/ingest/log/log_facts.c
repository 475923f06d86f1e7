// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * See log_facts.h. A wording is its fixed words with marks for what changes between them:
 *
 *	$P program   $S server   $N number   $T subject   $* anything
 *
 * A mark takes all up to the next fixed words. Words at the end of a wording need not stand at the
 * end of the message: mails and scans cut lines, and glue others to them.
 */
#include "ingest/log/log_facts.h"

#include "evidence/text_scan.h"

#include <arpa/inet.h>

enum {
	SERVER_BYTES_MAX = 255,
	PROGRAM_BYTES_MAX = 32,
	SUBJECT_BYTES_MAX = 4096,
	ADDRESS_BYTES_MAX = 46,
};

/* `gate` stands in it: most lines hold none, and need no look at the wordings. */
static const struct wording {
	enum log_gate gate;
	const char *text;
	enum log_fact_kind kind;
	bool gave_up;
	bool to_end; /* nothing but punctuation may follow */
} wordings[] = {
	/* net/sunrpc/clnt.c: rpc_check_timeout, call_decode */
	{LOG_GATE_NOT_RESPONDING, "$P: server $S not responding, timed", LOG_NOT_RESPONDING, true,
	 false},
	{LOG_GATE_NOT_RESPONDING, "$P: server $S not responding", LOG_NOT_RESPONDING, false, false},
	{LOG_GATE_SERVER, "$P: server $S OK", LOG_RESPONDING, false, true},
	{LOG_GATE_SERVER, "$P: server $S 0K", LOG_RESPONDING, false, true}, /* as scans have it */
	{LOG_GATE_SERVER, "$P: server $S Ok", LOG_RESPONDING, false, true},
	/* clients of the BSDs and of macOS, where the server is "HOST:/PATH"; of Solaris and HP-UX
	 */
	{LOG_GATE_NOT_RESPONDING, "nfs server $S: not responding", LOG_NOT_RESPONDING, false,
	 false},
	{LOG_GATE_SERVER, "nfs server $S: is alive again", LOG_RESPONDING, false, true},
	{LOG_GATE_NOT_RESPONDING, "NFS server $S not responding still trying", LOG_NOT_RESPONDING,
	 false, true},
	{LOG_GATE_SERVER, "NFS server $S ok", LOG_RESPONDING, false, true},
	/* fs/nfs/nfs4state.c */
	{LOG_GATE_LOCKS, "NFS: $S: lost $N locks", LOG_LOCKS_LOST, false, false},
	{LOG_GATE_RECLAIM, "NFS: $T: Lock reclaim failed", LOG_LOCKS_LOST, false, false},
	{LOG_GATE_MANAGER, "NFS: state manager: $T failed on NFSv4 server $S with error $N",
	 LOG_RECOVERY_FAILED, false, false},
	{LOG_GATE_MANAGER, "tate manager failed on NFSv4 server $S with error $N",
	 LOG_RECOVERY_FAILED, false, false},
	{LOG_GATE_RECOVERY, "NFSv4: state recovery failed for open file $T, error = $N",
	 LOG_OPEN_UNRECOVERED, false, false},
	{LOG_GATE_CLIENTID, "NFS: Server $S reports our clientid is in use", LOG_CLIENTID_IN_USE,
	 false, false},
	/* fs/nfsd/nfs4state.c; before 663e36f07666 */
	{LOG_GATE_INCORRECT, "NFSD: client $S testing state ID with incorrect client ID",
	 LOG_CLIENTID_MISMATCH, false, false},
	/* fs/nfsd/nfs4recover.c: clients will not be let reclaim after the next restart */
	{LOG_GATE_TRACKING, "NFSD: Unable to initialize client recovery tracking! ($N",
	 LOG_TRACKING_FAILED, false, false},
	{LOG_GATE_GRACE, "NFSD: starting $N-second grace period", LOG_GRACE_STARTED, false, false},
	{LOG_GATE_GRACE, "NFSD: no clients to reclaim, skipping NFSv4 grace", LOG_GRACE_SKIPPED,
	 false, false},
	{LOG_GATE_GRACE, "NFSD: end of grace period", LOG_GRACE_ENDED, false, false},
	{LOG_GATE_GRACE, "ending NFSv4 grace period", LOG_GRACE_ENDED, false, false},
	/* fs/nfs/fscache.c, before 5.17; fs/nfs/nfs4idmap.c */
	{LOG_GATE_NETFS, "FS-Cache: Netfs 'nfs' registered", LOG_NFS_LOADED, false, false},
	{LOG_GATE_RESOLVER, "Key type id_resolver registered", LOG_NFS4_LOADED, false, false},
	/* fs/lockd/mon.c */
	{LOG_GATE_LOCKD, "lockd: cannot monitor $S", LOG_MONITOR_FAILED, false, false},
	/* fs/lockd/clntproc.c: nlmclnt_reclaim, nlmclnt_unlock, nlmclnt_lock */
	{LOG_GATE_LOCKD, "lockd: failed to reclaim lock for pid $* (errno $N, status $T)",
	 LOG_LOCK_UNRECLAIMED, false, false},
	{LOG_GATE_LOCKD, "lockd: unexpected unlock status: $N", LOG_UNLOCK_REFUSED, false, false},
	{LOG_GATE_OUT_OF_SYNC, "VFS is out of sync with lock manager", LOG_LOCK_OUT_OF_STEP, false,
	 false},
	/* fs/nfs/inode.c: nfs_update_inode */
	{LOG_GATE_FILEID, "NFS: server $S error: fileid changed", LOG_FILEID_CHANGED, false, false},
	/* net/sunrpc/svcsock.c: svc_tcp_recv_record, svc_tcp_read_marker, receive_data_ready */
	{LOG_GATE_FRAGMENT, "RPC: fragment too large: $*", LOG_FRAGMENT_REFUSED, false, false},
	{LOG_GATE_FRAGMENT, "RPC fragment too large: $*", LOG_FRAGMENT_REFUSED, false, false},
	{LOG_GATE_FRAGMENT, "svc: $T oversized RPC fragment ($N", LOG_FRAGMENT_REFUSED, false,
	 false},
	/* fs/nfs/dir.c: nfs_readdir_search_for_cookie, until 5.18 */
	{LOG_GATE_READDIR, "NFS: directory $T contains a readdir loop", LOG_READDIR_LOOP, false,
	 false},
	/* net/sunrpc/auth_gss/auth_gss.c: warn_gssd; "timed out" until 3.13 */
	{LOG_GATE_UPCALL, "RPC: AUTH_GSS upcall timed out", LOG_GSS_UPCALL, false, false},
	{LOG_GATE_UPCALL, "RPC: AUTH_GSS upcall failed", LOG_GSS_UPCALL, false, false},
	/* kernel/watchdog.c */
	{LOG_GATE_LOCKUP, "BUG: soft lockup - CPU$* stuck for $Ns! [$T]", LOG_SOFT_LOCKUP, false,
	 false},
	/* kernel/power/suspend.c, hibernate.c, process.c; drivers/acpi/sleep.c */
	{LOG_GATE_PM, "PM: suspend exit", LOG_AWAKE, false, false},
	{LOG_GATE_PM, "PM: hibernation exit", LOG_AWAKE, false, false},
	{LOG_GATE_PM, "PM: hibernation: hibernation exit", LOG_AWAKE, false, false},
	{LOG_GATE_PM, "PM: Finishing wakeup", LOG_AWAKE, false, false},
	{LOG_GATE_PM, "PM: Waking up from system sleep state", LOG_AWAKE, false, false},
	/* kernel/hung_task.c, mm/oom_kill.c, init/version.c */
	{LOG_GATE_BLOCKED, "INFO: task $T blocked for more than $N seconds", LOG_HUNG_TASK, false,
	 false},
	{LOG_GATE_BLOCKED, "INFO: task $T blocked in I/O wait for more than $N seconds",
	 LOG_HUNG_TASK, false, false},
	/* "Memory cgroup out of memory" is a limit that was set, and not the machine's memory. */
	{LOG_GATE_MEMORY, "Out of memory: Kill$* process $N", LOG_OUT_OF_MEMORY, false, false},
	/* net/netfilter/nf_conntrack_core.c: __nf_conntrack_alloc */
	{LOG_GATE_CONNTRACK, "conntrack: table full, dropping packet", LOG_CONNTRACK_FULL, false,
	 false},
	{LOG_GATE_LINUX, "Linux version $T", LOG_BOOT, false, false},
};

static const uint8_t *find(struct slice in, const char *words, size_t len)
{
	return len && in.len >= len ? memmem(in.ptr, in.len, words, len) : NULL;
}

static int64_t number_parse(struct slice text)
{
	bool minus = text.len > 0 && text.ptr[0] == '-';
	int64_t number = 0;

	for (size_t i = minus; i < text.len && number < INT64_MAX / 100; i++) {
		if (text.ptr[i] < '0' || text.ptr[i] > '9')
			break;
		number = number * 10 + (text.ptr[i] - '0');
	}
	return minus ? -number : number;
}

/* Blanks of a line that was cut and put together again are no part of a name. */
static struct slice trimmed(struct slice text)
{
	while (text.len && text.ptr[0] == ' ')
		text = slice_make(text.ptr + 1, text.len - 1);
	while (text.len && text.ptr[text.len - 1] == ' ')
		text.len--;
	return text;
}

static bool is_word(struct slice text, size_t max)
{
	return text.len > 0 && text.len <= max && !memchr(text.ptr, ' ', text.len);
}

/* Takes what a mark stands for; false: it cannot be that. */
static bool mark_take(char mark, struct slice text, struct log_fact *out)
{
	text = trimmed(text);
	switch (mark) {
	case 'P':
		out->program = text;
		return text.len > 0 && text.len <= PROGRAM_BYTES_MAX;
	case 'S':
		out->server = text;
		return is_word(text, SERVER_BYTES_MAX);
	case 'N':
		out->number = number_parse(text);
		return text.len > 0 &&
		       (text.ptr[0] == '-' || (text.ptr[0] >= '0' && text.ptr[0] <= '9'));
	case 'T':
		out->subject = text;
		return text.len > 0 && text.len <= SUBJECT_BYTES_MAX;
	default:
		return true;
	}
}

static bool only_punctuation(struct slice rest)
{
	for (size_t i = 0; i < rest.len; i++)
		if (!strchr(" .,;!'\"`|)]", rest.ptr[i]) || rest.ptr[i] == '\0')
			return false;
	return true;
}

/* What a last mark takes: up to a blank; a subject takes the rest. */
static size_t last_mark_bytes(char mark, struct slice rest)
{
	const uint8_t *blank = rest.len ? memchr(rest.ptr, ' ', rest.len) : NULL;

	return mark == 'T' || mark == '*' || !blank ? rest.len : (size_t)(blank - rest.ptr);
}

static bool wording_match(const struct wording *w, struct slice text, struct log_fact *out)
{
	const char *at = w->text;
	struct slice rest = text;
	char mark = *at == '$' ? '\0' : '*'; /* fixed words first: anything may precede them */

	for (;;) {
		size_t len;
		const uint8_t *found;

		if (*at == '$') {
			mark = at[1];
			at += 2;
		}
		len = strcspn(at, "$");
		if (len == 0)
			return mark_take(mark, slice_make(rest.ptr, last_mark_bytes(mark, rest)),
					 out);
		found = find(rest, at, len);
		if (!found ||
		    !mark_take(mark, slice_make(rest.ptr, (size_t)(found - rest.ptr)), out))
			return false;
		rest = slice_make(found + len, rest.len - (size_t)(found - rest.ptr) - len);
		at += len;
		if (*at == '\0')
			return !w->to_end || only_punctuation(rest);
	}
}

bool log_address_parse(struct slice text, struct endpoint *out)
{
	char name[ADDRESS_BYTES_MAX + 1];
	struct endpoint e = {.addr = {[10] = 0xff, [11] = 0xff}};
	size_t len = text.len;

	if (len > 2 && text.ptr[0] == '[' && text.ptr[len - 1] == ']')
		text = slice_make(text.ptr + 1, len -= 2);
	if (len == 0 || len > ADDRESS_BYTES_MAX)
		return false;
	memcpy(name, text.ptr, len);
	name[len] = '\0';
	name[strcspn(name, "%")] = '\0'; /* the zone of a link-local address */
	if (inet_pton(AF_INET, name, e.addr + 12) != 1 && inet_pton(AF_INET6, name, e.addr) != 1)
		return false;
	*out = e;
	return true;
}

/* "NAME:PID": the PID stands behind the last colon. */
static void task_settle(struct log_fact *f)
{
	size_t colon = f->subject.len;

	f->seconds = f->number;
	f->number = 0;
	while (colon > 0 && f->subject.ptr[colon - 1] != ':')
		colon--;
	if (colon == 0)
		return;
	f->number = number_parse(slice_make(f->subject.ptr + colon, f->subject.len - colon));
	f->subject.len = colon - 1;
}

/* A program's name that is more than a word or two is prose. */
static bool program_is_plausible(struct slice program)
{
	for (size_t i = 0; i < program.len; i++)
		if (program.ptr[i] >= 0x80 || program.ptr[i] == ':')
			return false;
	return true;
}

/*
 * "HOST:/PATH" is the host: Linux tells no path. Its timers are not those of Linux either, so such
 * a client has a name of its own.
 */
static void server_settle(struct log_fact *f)
{
	struct slice path = text_find(f->server, ":/");

	if (f->program.len || (f->kind != LOG_NOT_RESPONDING && f->kind != LOG_RESPONDING))
		return;
	f->program = slice_of_string("nfs client");
	if (path.len && path.len < f->server.len)
		f->server.len -= path.len;
}

bool log_fact_parse(struct slice text, bool kernel, struct log_fact *out)
{
	uint32_t gates = log_gates_find(text);

	if (gates == 0)
		return false;
	if (log_packet_parse(text, gates, out) || log_link_parse(text, gates, out))
		return true;
	if (!kernel)
		return false;
	for (size_t i = 0; i < sizeof(wordings) / sizeof(wordings[0]); i++) {
		const struct wording *w = &wordings[i];
		struct log_fact f = {.kind = w->kind, .line = text, .gave_up = w->gave_up};

		if (!(gates >> w->gate & 1) || !wording_match(w, text, &f) ||
		    !program_is_plausible(f.program))
			continue;
		if (f.kind == LOG_HUNG_TASK || f.kind == LOG_SOFT_LOCKUP)
			task_settle(&f);
		server_settle(&f);
		f.server_is_address = f.server.len && log_address_parse(f.server, &f.server_at);
		*out = f;
		return true;
	}
	return false;
}

struct slice log_hostname_parse(struct slice text)
{
	static const char *const words[] = {"ostname set to <", "et hostname to <"};

	if (text.len == 0 || !memchr(text.ptr, '<', text.len))
		return slice_make(NULL, 0); /* most lines: each is looked at */
	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		size_t len = strlen(words[i]);
		const uint8_t *found = find(text, words[i], len);
		const uint8_t *end =
			found ? memchr(found, '>', text.len - (size_t)(found - text.ptr)) : NULL;

		if (end && end > found + len)
			return slice_make(found + len, (size_t)(end - found) - len);
	}
	return slice_make(NULL, 0);
}
