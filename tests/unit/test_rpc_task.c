// SPDX-License-Identifier: GPL-2.0-or-later
/* A client's RPC tasks, by lists and traces of several kernels: what they say, and when nothing. */
#include "evidence/line/rpc_task_line.h"
#include "trace_script.h"

/* --- lines of lists --- */

TEST(a_line_of_a_list)
{
	struct rpc_task_line line;

	CHECK(rpc_task_head(
		slice_of_string("-pid- flgs status -client- --rqstp- -timeout ---ops--")));
	CHECK(rpc_task_line_parse(
		slice_of_string(
			"    1 8881   -110 d88df19f 9c4ec553     4942 abc6d810 lockdv4 LOCK "
			"a:call_bind_status [sunrpc] q:xprt_binding"),
		&line));
	CHECK(line.task == 1 && line.client == 0xd88df19f && line.sent && line.status == -110);
	CHECK(!line.has_xid && slice_equal(line.program, slice_of_string("lockdv4")));
	CHECK(slice_equal(line.procedure, slice_of_string("LOCK")));
	CHECK(slice_equal(line.queue, slice_of_string("xprt_binding")));
}

TEST(a_line_of_debugfs_has_the_xid)
{
	struct rpc_task_line line;

	CHECK(rpc_task_line_parse(
		slice_of_string("  812 c880      0 0x3 0x28f27607    14999 nfs41_call_sync_ops "
				"[nfsv4] nfsv4 READ a:call_status [sunrpc] "
				"q:ForeChannel Slot table"),
		&line));
	CHECK(line.has_xid && line.xid == 0x28f27607 && line.client == 3 && line.sent);
	CHECK(slice_equal(line.queue, slice_of_string("ForeChannel Slot table")));
}

TEST(no_line_of_a_list)
{
	struct rpc_task_line line;

	CHECK(!rpc_task_line_parse(slice_of_string("usb 1-1: new a:b q:c"), &line));
	CHECK(!rpc_task_line_parse(slice_of_string("1 8881 0 d88df19f 9c4e 1 abc nfs READ a:x q:y"),
				   &line));
	CHECK(!rpc_task_line_parse(slice_of_string(" a: q:"), &line));
}

/* --- what they say --- */

/* Confidence + 1 of the finding; 0: it was not made. */
static unsigned told(const char *text, const char *id)
{
	struct trace_told t;
	const struct finding *f;
	unsigned result;

	trace_tell(text, &t);
	CHECK(t.rpc_tasks.hosts.len);
	f = trace_found(&t, id);
	result = f ? 1 + f->confidence : 0;
	trace_told_deinit(&t);
	return result;
}

#define LINE(time) "            dd-173     [000] .....    " time ": "
#define SENT(time, id) \
	LINE(time) "xprt_transmit: task:" id "@5 xid=0x0000a0" id " seqno=0 status=0\n"
#define REPLY(time, id) \
	LINE(time) "xprt_lookup_rqst: peer=[192.0.2.10]:2049 xid=0x0000a0" id " status=0\n"
#define NAMED(time, id) LINE(time) "rpc_request: task:" id "@5 nfsv4 READ (sync)\n"
#define LOST_SOME       "CPU:0 [LOST 23 EVENTS]\n"

TEST(a_call_that_was_overtaken_and_has_no_answer)
{
	const char *text = NAMED("10.0", "11") SENT("10.1", "11") SENT("10.2", "12")
		REPLY("10.3", "12") SENT("55.0", "13") REPLY("55.1", "13");

	CHECK_EQ_U64(told(text, "rpc-server-silent"), 1 + CONFIDENCE_LIKELY);
	CHECK_EQ_U64(told(text, "rpc-server-slow"), 0);
}

TEST(twin_the_number_of_a_task_is_used_again)
{
	const char *text = SENT("10.1", "11")
		LINE("80.0") "rpc_task_begin: task:11@5 flags=SENT\n" SENT("80.1", "11")
			SENT("80.2", "12") REPLY("80.3", "12") REPLY("80.4", "11");

	CHECK_EQ_U64(told(text, "rpc-server-slow"), 0);
	CHECK_EQ_U64(told(text, "rpc-server-silent"), 0);
}

TEST(answers_by_other_tracepoints)
{
	const char *text = SENT("10.1", "11") SENT("10.2", "12")
		LINE("10.3") "xprt_complete_rqst: peer=[192.0.2.10]:2049 xid=0xa012 "
			     "status=116\n" SENT("10.4", "13")
				     LINE("10.5") "rpc_xdr_recvfrom: task:13@5 head=[(nil),124] "
						  "page=4096\n" SENT("50.0", "14");
	struct trace_told t;

	trace_tell(text, &t);
	CHECK(trace_found(&t, "rpc-server-silent"));
	CHECK_EQ_U64(t.d.findings.len, 1);
	trace_told_deinit(&t);
}

/* The last thing sent is never overtaken: nothing shows that it arrived. */
TEST(twin_nothing_sent_behind_it_was_answered)
{
	struct trace_told t;

	trace_tell(SENT("10.0", "10") REPLY("10.1", "10") SENT("10.2", "11") SENT("10.3", "12")
			   LINE("55.0") "xprt_timer: peer=[192.0.2.10]:2049 xid=0xa011 "
					"status=-110\n" SENT("55.1", "11"),
		   &t);
	CHECK_EQ_U64(t.rpc_tasks.under_way.len, 3);
	CHECK_EQ_U64(t.d.findings.len, 0);
	trace_told_deinit(&t);
	trace_tell(SENT("10.0", "10") REPLY("10.1", "10") SENT("10.2", "11") NAMED("55.0", "12"),
		   &t);
	CHECK_EQ_U64(t.d.findings.len, 0);
	CHECK_EQ_U64(t.d.undecided.len, 1);
	trace_told_deinit(&t);
}

TEST(twin_its_answer_may_be_among_what_was_lost)
{
	const char *text = NAMED("10.0", "11") SENT("10.1", "11") SENT("10.2", "12")
		REPLY("10.3", "12") LOST_SOME SENT("55.0", "13") REPLY("55.1", "13");

	CHECK_EQ_U64(told(text, "rpc-server-silent"), 0);
}

TEST(an_answer_that_came_late_while_others_came)
{
	const char *text =
		SENT("10.1", "11") SENT("10.2", "12") REPLY("10.3", "12") REPLY("45.3", "11");
	const char *quick = SENT("10.1", "11") SENT("10.2", "12") REPLY("10.3", "12")
		REPLY("10.4", "11") SENT("90.0", "13") REPLY("90.1", "13");
	const char *alone =
		SENT("10.1", "11") REPLY("45.3", "11") SENT("45.4", "12") REPLY("45.5", "12");

	CHECK_EQ_U64(told(text, "rpc-server-slow"), 1 + CONFIDENCE_LIKELY);
	CHECK_EQ_U64(told(text, "rpc-server-silent"), 0);
	CHECK_EQ_U64(told(quick, "rpc-server-slow"), 0);
	CHECK_EQ_U64(told(alone, "rpc-server-slow"), 0);
}

/* 5.10: tasks in digits, flags in hexadecimal, no tracepoint of sending is on. */
#define OLD(time, id, what, state, status)                                             \
	LINE(time)                                                                     \
	what ": task:" id "@3 flags=0880 state=" state " status=" status " timeout=0 " \
	     "queue=xprt_pending\n"

TEST(flags_in_digits)
{
	const char *text = OLD("10.1", "11", "rpc_task_sleep", "0015", "0")
		OLD("10.2", "12", "rpc_task_sleep", "0015", "0")
			OLD("10.3", "12", "rpc_task_wakeup", "0006", "0")
				OLD("77.0", "14", "rpc_task_sleep", "0015", "0");
	const char *woken = OLD("10.1", "11", "rpc_task_sleep", "0015", "0")
		OLD("10.2", "12", "rpc_task_sleep", "0015", "0")
			OLD("10.3", "12", "rpc_task_wakeup", "0016", "-110")
				OLD("77.0", "14", "rpc_task_sleep", "0015", "0");

	CHECK_EQ_U64(told(text, "rpc-server-silent"), 1 + CONFIDENCE_LIKELY);
	CHECK_EQ_U64(told(woken, "rpc-server-silent"), 0);
}

/* --- slots --- */

/* Calls of which each waits for the slot of the one before, which is answered after so long. */
static void slots_play(struct strbuf *text, double from, unsigned reply_ms)
{
	unsigned id = (unsigned)from * 100;

	for (unsigned i = 0; i < 30; i++, id++) {
		double at = from + i * 2.0 * reply_ms / 1000;
		double end = at + reply_ms / 1000.0;

		strbuf_add_format(
			text,
			" dd-1 [000] ..... %.6f: xprt_transmit: task:%x@5 xid=0x%x "
			"seqno=0 status=0\n"
			" dd-1 [000] ..... %.6f: rpc_task_sleep: task:%x@5 flags=DYNAMIC "
			"runstate=ACTIVE status=0 timeout=0 queue=ForeChannel Slot table\n"
			" dd-1 [000] ..... %.6f: xprt_lookup_rqst: peer=[192.0.2.10]:2049 "
			"xid=0x%x status=0\n"
			" dd-1 [000] ..... %.6f: rpc_task_wakeup: task:%x@5 flags=DYNAMIC "
			"runstate=ACTIVE status=0 timeout=0 queue=ForeChannel Slot table\n",
			at, id + 1, id + 1, at, id + 2, end, id + 1, end, id + 2);
	}
}

static unsigned slots_told(const char *before, unsigned reply_ms)
{
	struct strbuf text;
	unsigned result;

	strbuf_init(&text);
	strbuf_add_text(&text, before);
	slots_play(&text, 20, reply_ms);
	result = told(strbuf_text(&text), "nfs4-slots-exhausted");
	strbuf_deinit(&text);
	return result;
}

TEST(calls_that_wait_for_slots)
{
	CHECK_EQ_U64(slots_told("", 8), 1 + CONFIDENCE_LIKELY);
}

/* Files of one trace, the newest first: the time is that of all of them. */
TEST(waits_for_slots_in_two_files)
{
	struct strbuf late, early;
	const struct finding *f;
	struct trace_told t;

	strbuf_init(&late);
	strbuf_init(&early);
	slots_play(&late, 60, 8);
	slots_play(&early, 20, 8);
	trace_tell_files((const char *const[]){strbuf_text(&late), strbuf_text(&early)}, 2, &t);
	f = trace_found(&t, "nfs4-slots-exhausted");
	if (CHECK(f)) {
		CHECK_EQ_I64(f->first.ns / STAMP_NS_PER_S, 20);
		CHECK_EQ_I64(f->last.ns / STAMP_NS_PER_S, 60);
	}
	trace_told_deinit(&t);
	strbuf_deinit(&early);
	strbuf_deinit(&late);
}

TEST(twin_answers_are_slow)
{
	CHECK_EQ_U64(slots_told("", 3000), 0);
	CHECK_EQ_U64(slots_told("", 1), 0); /* nor does anybody care */
}

TEST(twin_recovery_empties_the_slots)
{
	CHECK_EQ_U64(slots_told(" dd-1 [000] ..... 9.0: nfs4_sequence_done: error=-10052 "
				"(BADSESSION) session=0x1 slot_nr=0\n",
				8),
		     0);
}

/* --- connections --- */

#define BEGINS(time) LINE(time) "rpc_task_begin: task:7@5 flags=DYNAMIC runstate=ACTIVE status=0\n"
#define FAILS(time, error)                                                           \
	LINE(time)                                                                   \
	"rpc_socket_error: error=" error " socket:[13872] srcaddr=192.0.2.31:54074 " \
	"dstaddr=192.0.2.10:2049 state=2 (CONNECTING) sk_state=7 (CLOSE)\n"
#define JOINS(time)                                                         \
	LINE(time)                                                          \
	"rpc_socket_state_change: socket:[13885] srcaddr=192.0.2.31:50370 " \
	"dstaddr=192.0.2.10:2049 state=2 (CONNECTING) sk_state=1 (ESTABLISHED)\n"

TEST(connections_that_fail_while_a_call_waits)
{
	const char *no_way =
		BEGINS("10.0") FAILS("12.0", "-113") FAILS("17.0", "-113") JOINS("33.0");
	const char *refused =
		BEGINS("10.0") FAILS("12.0", "-111") FAILS("17.0", "-111") JOINS("33.0");

	CHECK_EQ_U64(told(no_way, "net-unreachable"), 1 + CONFIDENCE_LIKELY);
	CHECK_EQ_U64(told(no_way, "tcp-syn-refused"), 0);
	CHECK_EQ_U64(told(refused, "tcp-syn-refused"), 1 + CONFIDENCE_LIKELY);
}

TEST(twin_connections_that_fail_and_nobody_waits)
{
	const char *nobody = FAILS("12.0", "-111") JOINS("33.0");
	const char *at_once = BEGINS("10.0") FAILS("10.1", "-111") JOINS("10.4")
		LINE("90.0") "rpc_task_end: task:7@5 flags=SENT status=0\n";

	CHECK_EQ_U64(told(nobody, "tcp-syn-refused"), 0);
	CHECK_EQ_U64(told(at_once, "tcp-syn-refused"), 0);
}

/* --- the log of a client that is debugged --- */

#define CONNECTS                                                                        \
	"[   27.512263] RPC:       worker connecting xprt 00000000781ebd72 via tcp to " \
	"192.0.2.10 (port 111)\n"                                                       \
	"[   27.522164] RPC:       00000000781ebd72 connect status 115 connected 0 sock state 2\n"
#define JOINED                                                                       \
	"[   27.610000] RPC:       xs_tcp_state_change client 00000000781ebd72...\n" \
	"[   27.610000] RPC:       state 1 conn 0 dead 0 zapped 1 sk_shutdown 0\n"
#define LISTED(time)                                                                        \
	"[   " time "] -pid- flgs status -client- --rqstp- -timeout ---ops--\n"             \
	"[   " time "]     1 0681      0 b66cd413 b94b19b2     4942 f99762e4 rpcbindv2 "    \
	"GETPORT a:call_connect_status [sunrpc] q:xprt_pending\n"                           \
	"[   " time "]     1 8080      0 d88df19f 9c4ec553     4942 abc6d810 lockdv4 LOCK " \
	"a:call_bind_status [sunrpc] q:xprt_binding\n"

TEST(a_port_that_cannot_be_learnt)
{
	CHECK_EQ_U64(told(CONNECTS LISTED("67.728442"), "portmap-unanswered"),
		     1 + CONFIDENCE_LIKELY);
	CHECK_EQ_U64(told(LISTED("67.728442") LISTED("97.728442"), "portmap-unanswered"),
		     1 + CONFIDENCE_LIKELY);
}

TEST(twin_a_port_that_is_just_asked_for)
{
	CHECK_EQ_U64(told(CONNECTS LISTED("27.728442"), "portmap-unanswered"), 0);
	CHECK_EQ_U64(told(CONNECTS JOINED LISTED("67.728442"), "portmap-unanswered"), 0);
	CHECK_EQ_U64(told(LISTED("67.728442"), "portmap-unanswered"), 0);
}

/* --- recovery --- */

#define RECOVERS(time, more)                                                            \
	"[  " time "] -pid- flgs status -client- --rqstp- -timeout ---ops--\n"          \
	"[  " time "]   17 c080      0 d88df19f        0     4942 abc6d810 nfsv4 OPEN " \
	"a:rpc_prepare_task [sunrpc] q:NFS client\n" more
#define EXCHANGES(time)                                                                        \
	"[  " time "]   18 c880      0 d88df11f 9c4ec553     4942 abc6d810 nfsv4 EXCHANGE_ID " \
	"a:call_status [sunrpc] q:xprt_pending\n"

TEST(calls_that_wait_for_recovery)
{
	const char *text = RECOVERS("100.000000", "") RECOVERS("190.000000", "");

	CHECK_EQ_U64(told(text, "nfs4-state-manager-stuck"), 1 + CONFIDENCE_LIKELY);
}

TEST(twin_recovery_that_waits_for_the_server)
{
	const char *waits = RECOVERS("100.000000", EXCHANGES("100.000000"))
		RECOVERS("190.000000", EXCHANGES("190.000000"));
	const char *once = RECOVERS("100.000000", "");
	const char *soon = RECOVERS("100.000000", "") RECOVERS("110.000000", "");

	CHECK_EQ_U64(told(waits, "nfs4-state-manager-stuck"), 0);
	CHECK_EQ_U64(told(once, "nfs4-state-manager-stuck"), 0);
	CHECK_EQ_U64(told(soon, "nfs4-state-manager-stuck"), 0);
}
