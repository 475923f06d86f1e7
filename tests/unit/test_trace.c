// SPDX-License-Identifier: GPL-2.0-or-later
/* Lines of a kernel's trace, and what nfsd's tracepoints tell of two instances of one owner. */
#include "evidence/line/trace_line.h"
#include "trace_script.h"

static bool parses(const char *text, const char *event, int64_t pid, int64_t ns)
{
	struct trace_line line;

	return trace_line_parse(slice_of_string(text), &line) &&
	       slice_equal(line.event, slice_of_string(event)) && line.pid == pid &&
	       line.boot_ns == ns;
}

TEST(forms_of_a_line)
{
	const int64_t at = INT64_C(15558473000);

	CHECK(parses("            nfsd-172     [000] ...1.    15.558473: nfsd_clid_fresh: addr=1",
		     "nfsd_clid_fresh", 172, at));
	CHECK(parses("            nfsd-172   [000]    15.558473: nfsd_clid_fresh:      addr=1",
		     "nfsd_clid_fresh", 172, at));
	CHECK(parses("nfsd   172 [003]    15.558473: nfsd:nfsd_clid_fresh: addr=1",
		     "nfsd_clid_fresh", 172, at));
	CHECK(parses(
		"    kworker/u2:0-9       [000] .....    14.108329: rpc_socket_connect: error=1",
		"rpc_socket_connect", 9, INT64_C(14108329000)));
	CHECK(parses(" nfsd-172 (  172) [000] ...1. 15.558473: nfsd_clid_fresh: a",
		     "nfsd_clid_fresh", 172, at));
}

TEST(no_line_of_a_trace)
{
	CHECK(!parses("Nov 22 01:09:29 srv kernel: [   12.345678] nfsd: text", "", 0, 0));
	CHECK(!parses("[ 15.558473] nfsd_clid_fresh: addr=1", "", 0, 0));
	CHECK(!parses(" => nfsd4_sequence", "", 0, 0));
	CHECK(!parses("a-1 [000] ", "", 0, 0));
	CHECK(parses(" nfsd-172 [000] ..... 15.557365: <stack trace>", "kernel_stack", 172,
		     INT64_C(15557365000)));
}

#define LINE "            nfsd-172     [000] ...1.    "
#define FRESH(time, port, verifier, id)                            \
	LINE time ": nfsd_clid_fresh: addr=192.0.2.2" port         \
		  " name='Linux NFSv4.2 app' verifier=0x" verifier \
		  " flavor=sys client=6b02414d:" id "\n"
#define REPLACED(time, id, old, new, port)                                        \
	LINE time ": nfsd_clid_verf_mismatch: client 6b02414d:" id " verf=0x" old \
		  ", updated=0x" new " from addr=192.0.2.2" port "\n"
#define A "18ea38d82236acbf"
#define B "18ea38d864a4ac67"
#define C "18ea38d999999999"

/* 1 + the confidence of the one finding; 0: there is none. */
static unsigned confidence_told(const char *text)
{
	struct trace_told t;
	unsigned result = 0;

	trace_tell(text, &t);
	CHECK_EQ_U64(t.kind, EVIDENCE_TRACE);
	CHECK(t.clids.instances.len);
	if (t.d.findings.len) {
		const struct finding *f = trace_found(&t, "nfs4-client-owner-collision");

		CHECK_EQ_U64(t.d.findings.len, 1);
		CHECK_EQ_U64(f->clients.len, 2);
		CHECK(strstr(f->title, "Linux NFSv4.2 app"));
		result = 1 + f->confidence;
	}
	trace_told_deinit(&t);
	return result;
}

#define MOUNT_A FRESH("15.558473", "1:751", A, "3ea42ef8")
#define ROUND(s)                                    \
	REPLACED(s ".1", "3ea42ef9", A, B, "2:790") \
	REPLACED(s ".2", "3ea42ef9", A, B, "2:790") REPLACED(s ".3", "3ea42efb", B, A, "1:751")

TEST(two_instances_that_throw_each_other_out)
{
	CHECK_EQ_U64(confidence_told(MOUNT_A ROUND("21") ROUND("22") ROUND("23")),
		     1 + CONFIDENCE_CERTAIN);
	CHECK_EQ_U64(confidence_told(MOUNT_A ROUND("21") ROUND("22")), 1 + CONFIDENCE_LIKELY);
}

/* What one fight counts, told by these files. */
static uint64_t returns_told(const char *const files[], uint32_t count)
{
	struct trace_told t;
	const struct finding *f;
	uint64_t result;

	trace_tell_files(files, count, &t);
	f = trace_found(&t, "nfs4-client-owner-collision");
	CHECK_EQ_U64(t.d.findings.len, f != NULL);
	result = f ? f->count : 0;
	trace_told_deinit(&t);
	return result;
}

TEST(a_recording_that_is_given_twice_counts_once)
{
	static const char whole[] = MOUNT_A ROUND("21") ROUND("22") ROUND("23");
	static const char *const once[] = {whole};
	static const char *const twice[] = {whole, whole};

	CHECK(returns_told(once, 1) != 0);
	CHECK_EQ_U64(returns_told(twice, 2), returns_told(once, 1));
}

#define D             "18ea38dbbbbbbbbb"
#define E             "18ea38dddddddddd"
#define BOOT(t, x, y) REPLACED(t, "3ea42ef9", x, y, "1:790")

/* A machine that reboots, in files that are given again or in the wrong order. */
TEST(twin_reboots_told_twice_or_out_of_order)
{
	static const char *const twice[] = {
		BOOT("21.1", A, B) BOOT("41.1", B, C) BOOT("61.1", C, D) BOOT("81.1", D, E),
		BOOT("21.1", A, B) BOOT("41.1", B, C) BOOT("61.1", C, D) BOOT("81.1", D, E)};
	static const char *const backwards[] = {
		BOOT("81.1", D, E), BOOT("41.1", B, C) BOOT("61.1", C, D), BOOT("21.1", A, B)};

	CHECK_EQ_U64(returns_told(twice, 2), 0);
	CHECK_EQ_U64(returns_told(backwards, 3), 0);
}

TEST(twin_a_client_that_reboots_again_and_again)
{
	CHECK_EQ_U64(confidence_told(MOUNT_A REPLACED("21.1", "3ea42ef9", A, B, "1:790")
					     REPLACED("41.1", "3ea42efa", B, C, "1:790")),
		     0);
}

/* It presents a verifier of ones to give up its state, and then its own. */
TEST(twin_a_client_that_purges_its_state_again_and_again)
{
#define ONES "ffffffffffffffff"
#define PURGE(s)                                       \
	REPLACED(s ".1", "3ea42ef9", A, ONES, "1:751") \
	REPLACED(s ".2", "3ea42efa", ONES, A, "1:751")
	CHECK_EQ_U64(confidence_told(MOUNT_A PURGE("21") PURGE("41") PURGE("61") PURGE("81")), 0);
}

TEST(twin_a_snapshot_put_back_once)
{
	CHECK_EQ_U64(confidence_told(MOUNT_A ROUND("21")), 0);
}

/* --- probes of functions --- */

#define PID(n, time) "            nfsd-" #n "     [000] .....    " time ": "
#define CALL(n, time, client) \
	PID(n, time) "svc_process: addr=" client " xid=0x1 service=nfsd vers=4 proc=COMPOUND\n"
#define STACK(n, time, by)                                               \
	PID(n, time)                                                     \
	"<stack trace>\n => kprobe_trace_func\n => 0xffffffffc04750c8\n" \
	" => unhash_client_locked\n => " by "\n => nfsd4_proc_compound\n => nfsd\n"
#define THROWN(n, time, by) \
	PID(n, time) "p_unhash: (unhash_client_locked+0x0/0x130 [nfsd])\n" STACK(n, time, by)
#define MISSED(n, time)                                                             \
	PID(n, time)                                                                \
	"r_find: (nfsd4_sequence+0x133/0x830 [nfsd] <- find_in_sessionid_hashtbl) " \
	"ret=0x0\n"
#define FOUND(n, time)                                                              \
	PID(n, time)                                                                \
	"r_find: (nfsd4_sequence+0x133/0x830 [nfsd] <- find_in_sessionid_hashtbl) " \
	"ret=0xffff8d7207936800\n"
#define DESTROYED(n, time) PID(n, time) "p_ds: (nfsd4_destroy_session+0x0/0x120 [nfsd])\n"
#define ONE                "192.0.2.21:751"
#define TWO                "[2001:db8::22]:790"

/* The same without svc_process: whose calls they are is not told. */
#define PROBED(a, b)                                                                           \
	a THROWN(172, "21.1", "nfsd4_create_session") FOUND(172, "21.2") b MISSED(173, "21.3") \
		DESTROYED(173, "21.4") b THROWN(173, "21.6", "nfsd4_create_session")           \
			a MISSED(172, "21.8")

static unsigned probes_told(const char *text, bool clients)
{
	struct trace_told t;
	const struct finding *f;
	unsigned result;

	trace_tell(text, &t);
	f = trace_found(&t, "nfs4-client-owner-collision");
	result = f ? 1 + f->confidence : 0;
	if (f)
		CHECK_EQ_U64(f->clients.len, clients ? 2 : 0);
	trace_told_deinit(&t);
	return result;
}

TEST(probes_show_two_instances_that_throw_each_other_out)
{
	const char *known = PROBED(CALL(172, "21.0", ONE), CALL(173, "21.0", TWO))
		PROBED(CALL(172, "22.0", ONE), CALL(173, "22.0", TWO));
	const char *unknown = PROBED("", "") PROBED("", "") PROBED("", "");

	CHECK_EQ_U64(probes_told(known, true), 1 + CONFIDENCE_CERTAIN);
	CHECK_EQ_U64(probes_told(unknown, false), 1 + CONFIDENCE_LIKELY);
}

/* Two recordings of one time, of which one has no clients: that tells nothing more. */
TEST(two_recordings_of_probes_count_once)
{
	static const char *const files[] = {PROBED("", ""),
					    PROBED(CALL(172, "21.0", ONE), CALL(173, "21.0", TWO))};
	struct trace_told t;

	trace_tell_files(files, 2, &t);
	CHECK_EQ_U64(t.clids.tables.len, 2);
	CHECK_EQ_U64((*(struct clid_table **)vec_at(&t.clids.tables, 0))->expelled, 2);
	CHECK_EQ_U64((*(struct clid_table **)vec_at(&t.clids.tables, 1))->expelled, 2);
	CHECK_EQ_U64(t.d.findings.len, 1);
	trace_told_deinit(&t);
}

TEST(probes_without_returns_make_it_possible)
{
	const char *text = THROWN(172, "21.1", "nfsd4_create_session") DESTROYED(173, "21.4")
		THROWN(173, "21.6", "nfsd4_create_session") DESTROYED(172, "22.4")
			THROWN(172, "22.6", "nfsd4_create_session") DESTROYED(173, "23.4")
				THROWN(173, "23.6", "nfsd4_create_session");

	CHECK_EQ_U64(probes_told(text, false), 1 + CONFIDENCE_POSSIBLE);
}

/* After a power cut many clients come anew: nobody misses a session. */
TEST(twin_clients_that_reboot)
{
	struct trace_told t;

	trace_tell(CALL(172, "21.0", ONE) THROWN(172, "21.1", "nfsd4_create_session")
			   FOUND(172, "21.2") CALL(173, "21.3", TWO)
				   THROWN(173, "21.6", "nfsd4_create_session") FOUND(173, "21.8")
					   THROWN(172, "31.6", "nfsd4_create_session"),
		   &t);
	CHECK_EQ_U64(t.clids.tables.len, 1);
	CHECK_EQ_U64((*(struct clid_table **)vec_at(&t.clids.tables, 0))->expelled, 3);
	CHECK_EQ_U64(t.d.findings.len, 0);
	CHECK_EQ_U64(t.d.undecided.len, 1);
	trace_told_deinit(&t);
}

/* Records that were never confirmed, and clients that unmount or whose lease ended. */
TEST(twin_clients_that_come_and_go)
{
	const char *rounds = THROWN(172, "21.1", "nfsd4_exchange_id") MISSED(172, "21.2")
		DESTROYED(172, "22.1") THROWN(172, "22.3", "nfsd4_destroy_clientid")
			THROWN(173, "31.6", "nfs4_laundromat") MISSED(172, "31.8");

	CHECK_EQ_U64(probes_told(rounds, false), 0);
}

/* perf script and trace-cmd print addresses for what was probed, and names in the stack. */
#define PERF(pid, time, probe)                                                     \
	"nfsd   " #pid " [003]    " time ": probe:" probe ": (ffffffffc0b1c2d0)\n" \
	"\tffffffffc0b1c2d1 " probe "+0x1 ([nfsd])\n"                              \
	"\tffffffffc0b2aab0 nfsd4_create_session+0x3b0 ([nfsd])\n"                 \
	"\tffffffffc0b0f1f0 nfsd4_proc_compound+0x352 ([nfsd])\n\n"
#define CMD(pid, time, probe)                                                                   \
	"            nfsd-" #pid "   [000]    " time ": p_" probe ":  (ffffffffc0b1c2d0)\n"     \
	"            nfsd-" #pid "   [000]    " time ": kernel_stack:         <stack trace >\n" \
	"=> " probe " (ffffffffc0b1c2d1)\n=> nfsd4_create_session (ffffffffc0b2aab0)\n"         \
	"=> nfsd4_proc_compound (ffffffffc0b0f1f0)\n"
#define LOOKS(pid, time)                                                                \
	"            nfsd-" #pid "   [000]    " time ": r_find_in_sessionid_hashtbl:  " \
	"(ffffffffc0b2bab0 <- ffffffffc0b1c000) arg1=0x0\n"

TEST(probes_as_other_tools_print_them)
{
	const char *perf = PERF(1, "1.1", "unhash_client_locked") LOOKS(2, "1.2")
		PERF(2, "1.4", "expire_client") LOOKS(1, "1.6")
			PERF(1, "1.8", "unhash_client_locked") LOOKS(2, "2.0")
				PERF(2, "2.2", "unhash_client_locked");
	const char *cmd = CMD(1, "1.1", "unhash_client_locked") LOOKS(2, "1.2")
		CMD(2, "1.4", "unhash_client_locked") LOOKS(1, "1.6")
			CMD(1, "1.8", "unhash_client_locked") LOOKS(2, "2.0")
				CMD(2, "2.2", "unhash_client_locked");

	CHECK_EQ_U64(probes_told(perf, false), 1 + CONFIDENCE_LIKELY);
	CHECK_EQ_U64(probes_told(cmd, false), 1 + CONFIDENCE_LIKELY);
}

/* --- the client's own trace --- */

#define STEP(time, event, error)                                                   \
	"      mount.nfs-161     [000] .....    " time ": " event ": error=" error \
	" dstaddr=192.0.2.10\n"
#define LOST(time)                                      \
	"            touch-99     [000] .....    " time \
	": nfs4_sequence_done: error=-10052 (BADSESSION) session=0x37ff3f12 slot_nr=0\n"
#define REBUILT(time)                                                    \
	STEP(time "1", "nfs4_destroy_session", "-10052 (BADSESSION)")    \
	STEP(time "2", "nfs4_create_session", "-10022 (STALE_CLIENTID)") \
	STEP(time "3", "nfs4_exchange_id", "0 (OK)")                     \
	STEP(time "4", "nfs4_create_session", "0 (OK)")

TEST(a_client_that_rebuilds_its_state_again_and_again)
{
	struct trace_told t;
	const struct finding *f;

	trace_tell(LOST("1.1") REBUILT("1.2") LOST("2.1") REBUILT("2.2") LOST("3.1") REBUILT("3.2"),
		   &t);
	f = trace_found(&t, "nfs4-session-reset-loop");
	CHECK(f && f->count == 3 && f->server);
	CHECK_EQ_U64(t.d.findings.len, 1);
	CHECK_EQ_U64(t.d.undecided.len, 1);
	trace_told_deinit(&t);
}

TEST(twin_a_client_that_mounts_and_recovers_once)
{
	struct trace_told t;

	trace_tell(STEP("0.1", "nfs4_exchange_id", "0 (OK)")
			   STEP("0.2", "nfs4_create_session", "0 (OK)") LOST("1.1") REBUILT("1.2")
				   STEP("7.1", "nfs4_create_session", "0 (OK)")
					   STEP("8.1", "nfs4_create_session", "0 (OK)"),
		   &t);
	CHECK_EQ_U64(t.ladders.clients.len, 1);
	CHECK_EQ_U64((*(struct ladder_client **)vec_at(&t.ladders.clients, 0))->rounds, 1);
	CHECK_EQ_U64(t.d.findings.len, 0);
	trace_told_deinit(&t);
}

TEST(forms_of_other_kernels)
{
	const int64_t at = INT64_C(15558473000);
	struct slice none = slice_make(NULL, 0);
	struct trace_line line;

	/* 3.10 to 4.18, with and without the flags, with thread groups; RT; perf with its comm. */
	CHECK(parses("            nfsd-172   [000] ....    15.558473: svc_process: addr=1",
		     "svc_process", 172, at));
	CHECK(parses("            nfsd-172   [012] d.h2    15.558473: svc_process: addr=1",
		     "svc_process", 172, at));
	CHECK(parses("           <...>-172   (-----) [000] ....    15.558473: svc_process: addr=1",
		     "svc_process", 172, at));
	CHECK(parses("            nfsd-172   [000] d..h2..    15.558473: svc_process: addr=1",
		     "svc_process", 172, at));
	CHECK(parses("        (sd-pam)-172   [000] .....    15.558473: svc_process: addr=1",
		     "svc_process", 172, at));
	CHECK(parses("kworker/u2:1-rp   172 [000]    15.558473:  sunrpc:rpc_task_sleep: task:1@1",
		     "rpc_task_sleep", 172, at));
	CHECK(parses("          <idle>-0     [000] ..s1.    15.558473: rpc_socket_connect: error=1",
		     "rpc_socket_connect", 0, at));
	CHECK(trace_line_parse(slice_of_string("a b-172 [000] .... 15.558473: p: (f+0x0/0x8)"),
			       &line));
	CHECK(slice_equal(line.task, slice_of_string("a b")));
	CHECK(!trace_line_parse(none, &line));
}

/* Probes that are named after nothing, as trace-cmd 3.1 prints them with their stacks. */
#define BARE(n, time, address, frames)                                           \
	"            nfsd-" #n "   [000]    " time ": lookup:   (" address ")\n" \
	"            nfsd-" #n "   [000]    " time ": kernel_stack:         \t=> " frames
#define BARE_RETURN(n, time, address, ret)                                            \
	"            nfsd-" #n "   [000]    " time ": done:     (" address            \
	" <- ffffffffc072c833) ret=" ret "\n            nfsd-" #n "   [000]    " time \
	": kernel_stack:         \t=> nfsd4_sequence\n\t=> nfsd4_proc_compound\n"
#define BARE_THROWN(n, time)              \
	BARE(n, time, "ffffffffc0728000", \
	     "unhash_client_locked\n\t=> nfsd4_create_session\n\t=> nfsd4_proc_compound\n")
#define BARE_LOOKS(n, time) \
	BARE(n, time, "ffffffffc0728ed0", "find_in_sessionid_hashtbl\n\t=> nfsd4_sequence\n")

#define BARE_ROUND(a, b, c)                          \
	BARE_THROWN(1, a)                            \
	BARE_LOOKS(2, b)                             \
	BARE_RETURN(2, b, "ffffffffc0728ed0", "0x0") \
	BARE_LOOKS(3, c) BARE_RETURN(3, c, "ffffffffc0728ed0", "0xffff8a2ee3e63400")

TEST(probes_by_address_are_named_by_their_stacks)
{
	CHECK_EQ_U64(probes_told(BARE_ROUND("1.1", "1.2", "1.3") BARE_ROUND("2.1", "2.2", "2.3")
					 BARE_ROUND("3.1", "3.2", "3.3")
						 BARE_ROUND("4.1", "4.2", "4.3"),
				 false),
		     1 + CONFIDENCE_LIKELY);
}

TEST(twin_all_sessions_are_found)
{
	CHECK_EQ_U64(probes_told(BARE_THROWN(1, "1.1") BARE_LOOKS(2, "1.2") BARE_RETURN(
					 2, "1.2", "ffffffffc0728ed0",
					 "0xffff8a2e") BARE_THROWN(1, "2.1") BARE_LOOKS(2, "2.2")
					 BARE_RETURN(2, "2.2", "ffffffffc0728ed0", "0xffff8a2e"),
				 false),
		     0);
}

TEST(what_bpftrace_prints_is_known_and_not_used)
{
	static const char *const text =
		"Attaching 2 probes...\n\n\n@[\n    rpc_wait_bit_killable+1\n"
		"    __wait_on_bit+72\n    0xffffffffc04750c8\n]: 12\n"
		"@seq[nfsd, 198]: 44\n@us: \n"
		"[64, 128)             28 |@@@@@@@@@@|\n";
	struct trace_told t;

	trace_tell(text, &t);
	CHECK_EQ_U64(t.kind, EVIDENCE_TRACE);
	CHECK_EQ_U64(t.d.findings.len, 0);
	trace_told_deinit(&t);
}
