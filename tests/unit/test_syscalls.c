// SPDX-License-Identifier: GPL-2.0-or-later
/* An strace alone: what it says of calls, and the rules that join it with the mounts. */
#include "check.h"
#include "diagnose/engine.h"
#include "diagnose/rules/rules.h"
#include "ingest/syscalls.h"
#include "model/host.h"
#include "model/mount.h"

static const char prologue[] = "1 1795716854.1 brk(NULL) = 0x55c201131000 <0.000010>\n"
			       "1 1795716854.1 close(9) = 0 <0.000010>\n"
			       "1 1795716854.1 openat(AT_FDCWD, \"/mnt/nfs/d/f\", O_RDONLY) = 3 "
			       "<0.000010>\n";

static void host_read(struct host_model *m, struct event_board *board, const char *text,
		      uint64_t lines)
{
	const char *parts[] = {prologue, text};
	struct syscalls *s = syscalls_create();
	uint64_t line = 0;

	host_model_init(m);
	host_model_attach(m, board);
	for (size_t i = 0; i < 2; i++)
		for (const char *at = parts[i]; *at;) {
			size_t len = strcspn(at, "\n");

			syscalls_take_line(s, 0, ++line, slice_make(at, len));
			at += len + (at[len] != '\0');
		}
	CHECK_EQ_U64(syscalls_end_text(s, 0), lines);
	syscalls_emit(s, board);
	syscalls_destroy(s);
}

/* How surely the rule speaks of the calls with this mount, as 1 to 3 for possible to certain. */
static int says(const struct rule *rule, const char *options, const char *text, uint64_t lines)
{
	struct mount_fact fact = {
		.server = slice_of_string("srv"),
		.export = slice_of_string("/data"),
		.mount_point = slice_of_string("/mnt/nfs"),
		.options = slice_of_string(options),
	};
	struct event event = {.kind = EVENT_MOUNT, .mount = &fact};
	struct event_board board = {0};
	struct mount_model mounts;
	struct host_model hosts;
	struct rule_input in = {.hosts = &hosts, .mounts = &mounts};
	struct diagnosis d;
	int said = 0;

	mount_model_init(&mounts);
	mount_model_attach(&mounts, &board);
	event_emit(&board, &event);
	host_read(&hosts, &board, text, lines);
	diagnosis_init(&d);
	rule->run(&in, &d);
	if (d.findings.len)
		said = 1 + (int)finding_at(&d.findings, 0)->confidence;
	else if (d.undecided.len)
		said = -1;
	diagnosis_deinit(&d);
	host_model_deinit(&hosts);
	mount_model_deinit(&mounts);
	return said;
}

TEST(what_took_long_and_what_was_never_over)
{
	static const char text[] =
		"1 1795716855.0 read(3,  <unfinished ...>\n"
		"2 1795716855.5 stat(\"/mnt/nfs/x\",  <unfinished ...>\n"
		"1 1795716858.0 <... read resumed>0x7f78ea399000, 131072) = -1 EIO (Input/output "
		"error)\n"
		"1 1795716858.1 getdents64(3, [], 32768) = 0 <2.500000>\n"
		"1 1795716861.0 getdents64(3, [], 32768) = 0 <1.500000>\n";
	struct event_board board = {0};
	struct host_model m;
	const struct host_record *r;
	size_t i = 0;

	host_read(&m, &board, text, 8);
	CHECK_EQ_U64(m.records.len, 3);
	r = host_model_next(&m, HOST_SYSCALL, &i);
	CHECK_BYTES(r->fact.syscall.path.ptr, r->fact.syscall.path.len, "/mnt/nfs/d/f", 12);
	CHECK_BYTES(r->fact.syscall.error.ptr, r->fact.syscall.error.len, "EIO", 3);
	CHECK_EQ_I64(r->fact.syscall.longest_ns, 3 * STAMP_NS_PER_S);
	CHECK_EQ_U64(r->at.frame, 4);
	r = host_model_next(&m, HOST_SYSCALL, &i);
	CHECK_EQ_U64(r->fact.syscall.count, 2);
	CHECK_EQ_I64(r->fact.syscall.sum_ns, 4 * STAMP_NS_PER_S);
	CHECK_EQ_U64(r->at.frame, 7);
	r = host_model_next(&m, HOST_SYSCALL, &i);
	CHECK(r->fact.syscall.unfinished);
	CHECK_BYTES(r->fact.syscall.path.ptr, r->fact.syscall.path.len, "/mnt/nfs/x", 10);
	host_model_deinit(&m);
}

TEST(other_texts_are_no_strace)
{
	static const char text[] = "one\ntwo\nthree\nfour: read(3, \"x\", 1) = -1 EIO (Input)\n";
	struct event_board board = {0};
	struct host_model m;

	host_read(&m, &board, text, 0);
	CHECK_EQ_U64(m.records.len, 0);
	host_model_deinit(&m);
}

TEST(eio_of_a_soft_mount_and_twins)
{
	static const char late[] = "1 1795716855.0 read(3, 0x7f, 131072) = -1 EIO (Input/output "
				   "error) <2.004427>\n";
	static const char soon[] = "1 1795716855.0 read(3, 0x7f, 131072) = -1 EIO (Input/output "
				   "error) <0.004427>\n";
	static const char soft[] = "vers=3,proto=tcp,soft,timeo=10,retrans=1";
	const struct rule *rule = &rule_soft_mount_traced;

	CHECK_EQ_I64(says(rule, soft, late, 4), 2);
	CHECK_EQ_I64(says(rule, soft, soon, 4), 0);
	CHECK_EQ_I64(says(rule, "vers=3,proto=tcp,hard,timeo=10,retrans=1", late, 4), 0);
	CHECK_EQ_I64(says(rule, soft,
			  "1 1795716855.0 read(9, 0x7f, 131072) = -1 EIO (Input/output error) "
			  "<2.004427>\n",
			  4),
		     -1);
}

TEST(stale_handles_and_twins)
{
	const struct rule *rule = &rule_file_handle_stale_traced;

	CHECK_EQ_I64(says(rule, "vers=3",
			  "1 1795716855.0 stat(\"/mnt/nfs\", 0x7f) = -1 ESTALE (Stale) <0.1>\n", 4),
		     1);
	CHECK_EQ_I64(says(rule, "vers=3",
			  "1 1795716855.0 stat(\"/mnt/nfs/a\", 0x7f) = -1 ESTALE (Stale) <0.1>\n",
			  4),
		     -1);
	CHECK_EQ_I64(says(rule, "vers=3",
			  "1 1795716855.0 stat(\"/mnt/nfsother\", 0x7f) = -1 ENOENT (No) <0.1>\n",
			  4),
		     0);
}

TEST(locks_that_nobody_grants_and_twins)
{
	static const char text[] = "1 1795716855.0 fcntl(3, F_SETLK, {l_type=F_WRLCK}) = -1 ENOLCK "
				   "(No locks available) <0.000031>\n";
	const struct rule *rule = &rule_nsm_monitor_traced;

	CHECK_EQ_I64(says(rule, "vers=3", text, 4), 1);
	CHECK_EQ_I64(says(rule, "vers=4.1", text, 4), -1);
}
