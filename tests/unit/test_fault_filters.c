// SPDX-License-Identifier: GPL-2.0-or-later
/* Each filter of faults: what it asks an endpoint to do, and what it makes of the bytes. */
#include "check.h"
#include "fault_make.h"
#include "lab/fault/fault.h"
#include "names/nlm.h"
#include "proto/nlm_xdr.h"

#include <stdlib.h>

static const struct fault_peer client = {
	.address = {[10] = 0xff, [11] = 0xff, [12] = 192, [13] = 0, [14] = 2, [15] = 7},
	.port = 871};

/* An engine, the call that it judged, and what it said of the call and its reply. */
struct play {
	struct fault_engine *engine;
	struct fault_paths paths;
	struct made call, reply;
	struct fault_message call_facts, reply_facts;
	struct fault_verdict of_call, of_reply;
	struct fault_call kept;
	struct strbuf out;
	struct strbuf log;
	unsigned acts;
	struct fault_server_request last;
};

static void fired(void *context, const struct fault_firing *firing)
{
	struct play *p = context;

	fault_firing_add_text(&p->log, firing);
	strbuf_add_char(&p->log, '\n');
}

static struct err *act(void *context, const struct fault_server_request *request)
{
	struct play *p = context;

	p->acts++;
	p->last = *request;
	return request->action == FAULT_MOVE_PORT ? err_new("no port is free") : NULL;
}

static void play_begin(struct play *p, const char *script)
{
	static const struct fault_server_ops server = {.act = act};
	struct err *err;

	memset(p, 0, sizeof(*p));
	strbuf_init(&p->out);
	strbuf_init(&p->log);
	fault_paths_init(&p->paths);
	p->engine = fault_engine_create(1, 0);
	fault_engine_on_fired(p->engine, fired, p);
	fault_engine_serve(p->engine, &server, p);
	err = fault_engine_add(p->engine, "test", slice_of_string(script));
	CHECK_TEXT(err ? err_text(err) : "", "");
	err_destroy(err);
	make_lookup4(&p->call, 9, "dirfh", "a.log");
}

static void play_judge_call(struct play *p)
{
	CHECK(fault_message_read_call(made_bytes(&p->call), 0, false, &client, &p->paths,
				      &p->call_facts));
	fault_engine_judge(p->engine, &p->call_facts, NULL, 1500000000, &p->of_call);
	fault_call_keep(&p->call_facts, &p->kept);
	p->kept.plan = p->of_call.plan;
}

static void play_judge_reply(struct play *p)
{
	CHECK(fault_message_read_reply(made_bytes(&p->reply), 0, &p->kept, &client, &p->paths,
				       &p->reply_facts));
	fault_engine_judge(p->engine, &p->reply_facts, &p->kept.plan, 1600000000, &p->of_reply);
	fault_verdict_apply(&p->of_reply, &p->reply_facts, &p->out);
}

/* LOOKUP of NFSv4.1 that succeeds. */
static void play_run(struct play *p, const char *script)
{
	play_begin(p, script);
	play_judge_call(p);
	make_lookup4_reply(&p->reply, 9, 4, "filefh");
	play_judge_reply(p);
}

static void play_end(struct play *p)
{
	fault_engine_destroy(p->engine);
	fault_paths_deinit(&p->paths);
	strbuf_deinit(&p->out);
	strbuf_deinit(&p->log);
}

static bool reply_is_untouched(const struct play *p)
{
	return CHECK_BYTES(p->out.data, p->out.len, p->reply.bytes, made_bytes(&p->reply).len);
}

/* The facts of what came out. */
static void read_out(struct play *p, struct fault_message *m)
{
	CHECK(fault_message_read_reply(slice_make(p->out.data, p->out.len), 0, &p->kept, &client,
				       NULL, m));
}

TEST(nothing_happens_without_a_match)
{
	struct play p;

	play_run(&p, "when READ do drop call, drop reply, delay 1s");
	CHECK_EQ_U64(p.of_call.fired_count + p.of_reply.fired_count, 0);
	CHECK_EQ_U64(p.of_call.plan.len, 0);
	reply_is_untouched(&p);
	CHECK_TEXT(strbuf_text(&p.log), "");
	play_end(&p);
}

TEST(delay)
{
	struct play p;

	play_run(&p, "when LOOKUP do delay 1500ms, delay call 20ms");
	CHECK_EQ_I64(p.of_call.delay_ns, 20000000);
	CHECK_EQ_I64(p.of_reply.delay_ns, 1500000000);
	reply_is_untouched(&p);
	CHECK_TEXT(strbuf_text(&p.log),
		   "1.5 s fault1: delay call 20ms (NFSv4.1 SEQUENCE PUTFH LOOKUP GETFH xid "
		   "0x00000009 from 192.0.2.7:871)\n"
		   "1.6 s fault1: delay 1500ms (NFSv4.1 SEQUENCE PUTFH LOOKUP GETFH xid "
		   "0x00000009 from 192.0.2.7:871)\n");
	play_end(&p);
}

TEST(drop)
{
	struct play p;

	play_run(&p, "when LOOKUP do drop reply");
	CHECK(!p.of_call.drops && p.of_reply.drops);
	play_end(&p);
	play_run(&p, "when LOOKUP do drop call");
	CHECK(p.of_call.drops && !p.of_reply.drops);
	play_end(&p);
}

TEST(duplicate_and_reorder)
{
	struct play p;

	play_run(&p, "when LOOKUP do duplicate reply 3, reorder");
	CHECK_EQ_U64(p.of_reply.copies, 3);
	CHECK(p.of_reply.reorders && !p.of_call.reorders);
	play_end(&p);
}

TEST(cut)
{
	struct play p;

	play_run(&p, "when LOOKUP do cut reply at 30");
	CHECK_BYTES(p.out.data, p.out.len, p.reply.bytes, 30);
	play_end(&p);
	play_run(&p, "when LOOKUP do cut reply at 3000");
	reply_is_untouched(&p);
	play_end(&p);
}

TEST(corrupt)
{
	struct play p;

	play_run(&p, "when LOOKUP do corrupt reply at 5 with beef, corrupt reply mark");
	CHECK(p.of_reply.breaks_mark);
	CHECK_BYTES(p.out.data + 5, 2, "\xbe\xef", 2);
	p.out.data[5] = (char)p.reply.bytes[5];
	p.out.data[6] = (char)p.reply.bytes[6];
	reply_is_untouched(&p);
	play_end(&p);
	play_run(&p, "when PUTFH do corrupt call handle");
	fault_verdict_apply(&p.of_call, &p.call_facts, &p.out);
	CHECK_EQ_U64(p.out.len, made_bytes(&p.call).len);
	CHECK(memmem(p.out.data, p.out.len, "\x9birfh", 5) != NULL);
	play_end(&p);
	play_run(&p, "when LOOKUP do corrupt reply status with 00002718");
	CHECK(memmem(p.out.data, p.out.len, "\0\0\0\x0f\0\0\x27\x18", 8) != NULL);
	play_end(&p);
	play_run(&p, "when LOOKUP do corrupt reply at 5000");
	reply_is_untouched(&p);
	play_end(&p);
}

TEST(xid)
{
	struct play p;

	play_run(&p, "when LOOKUP do xid reply");
	CHECK_BYTES(p.out.data, 4, "\x80\0\0\x09", 4);
	play_end(&p);
}

TEST(close_reset_stop_ignore)
{
	struct play p;

	play_run(&p, "when LOOKUP do close reply");
	CHECK(p.of_reply.drops && p.of_reply.conn == FAULT_CONN_CLOSE && !p.of_call.drops);
	play_end(&p);
	play_run(&p, "when LOOKUP do stop writing, reset");
	CHECK(p.of_call.drops && p.of_call.conn == FAULT_CONN_RESET);
	play_end(&p);
	play_run(&p, "when LOOKUP do stop reading for 2s");
	CHECK(!p.of_call.drops && p.of_call.conn == FAULT_CONN_STOP_READING);
	CHECK_EQ_I64(p.of_call.conn_ns, 2000000000);
	play_end(&p);
	play_run(&p, "when LOOKUP do ignore");
	CHECK(p.of_call.drops && p.of_call.conn == FAULT_CONN_IGNORE);
	play_end(&p);
}

TEST(refuse)
{
	struct fault_verdict v;
	struct fault_message m;
	struct play p;

	play_begin(&p, "when connect program 100021 do refuse; when connect program 100003 do "
		       "ignore");
	fault_message_of_connect(100021, &client, &m);
	fault_engine_judge(p.engine, &m, NULL, 0, &v);
	CHECK(v.refuses && v.conn == FAULT_CONN_KEEP);
	fault_message_of_connect(100003, &client, &m);
	fault_engine_judge(p.engine, &m, NULL, 0, &v);
	CHECK(!v.refuses && v.conn == FAULT_CONN_IGNORE);
	fault_message_of_connect(100005, &client, &m);
	fault_engine_judge(p.engine, &m, NULL, 0, &v);
	CHECK_EQ_U64(v.fired_count, 0);
	play_judge_call(&p);
	CHECK_EQ_U64(p.of_call.fired_count, 0);
	play_end(&p);
}

TEST(status_replaces_the_result_and_what_follows)
{
	struct fault_message m;
	struct play p;

	play_run(&p, "when LOOKUP do status NFS4ERR_DELAY");
	CHECK(!p.of_call.answer);
	read_out(&p, &m);
	CHECK_EQ_U64(m.status, NFS4ERR_DELAY);
	CHECK_EQ_U64(m.ops_len, 3);
	CHECK_EQ_U64(m.ops[1].status, NFS4_OK);
	CHECK_EQ_U64(m.ops[2].number, OP_LOOKUP);
	CHECK_EQ_U64(m.ops[2].status, NFS4ERR_DELAY);
	play_end(&p);
}

TEST(status_of_rpc)
{
	struct play p;

	play_run(&p, "when LOOKUP do status SYSTEM_ERR");
	CHECK_BYTES(p.out.data, p.out.len, "\0\0\0\x09\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\5",
		    24);
	play_end(&p);
	play_run(&p, "when LOOKUP do status AUTH_BADCRED");
	CHECK_BYTES(p.out.data, p.out.len, "\0\0\0\x09\0\0\0\1\0\0\0\1\0\0\0\1\0\0\0\1", 20);
	play_end(&p);
}

TEST(a_condition_on_the_status)
{
	struct play p;

	play_run(&p, "when LOOKUP status NFS4_OK do delay 1s");
	CHECK_EQ_U64(p.of_call.fired_count, 0);
	CHECK_EQ_U64(p.of_call.plan.len, 1);
	CHECK_EQ_I64(p.of_reply.delay_ns, 1000000000);
	play_end(&p);
	play_run(&p, "when LOOKUP status NFS4ERR_NOENT do delay 1s");
	CHECK_EQ_I64(p.of_reply.delay_ns, 0);
	play_end(&p);
	play_run(&p, "when any status NFS4_OK do drop reply");
	CHECK(p.of_reply.drops);
	play_end(&p);
}

/* Of a COMPOUND what stands before the operation is executed: the slot goes on. */
TEST(answer_in_a_compound)
{
	struct fault_message m;
	struct play p;
	bool whole = false;

	play_begin(&p, "when LOOKUP do answer NFS4ERR_STALE");
	play_judge_call(&p);
	if (!CHECK(p.of_call.answer != NULL))
		return;
	CHECK(fault_answer_build(&p.of_call.answer->status, p.of_call.answer_op, &p.call_facts,
				 &p.out, &whole));
	CHECK(!whole);
	CHECK(fault_message_read_call(slice_make(p.out.data, p.out.len), 0, false, &client,
				      &p.paths, &m));
	CHECK_EQ_U64(m.ops_len, 2);
	CHECK_EQ_U64(m.ops[1].number, OP_PUTFH);
	make_lookup4_reply(&p.reply, 9, 2, "");
	play_judge_reply(&p);
	read_out(&p, &m);
	CHECK_EQ_U64(m.status, NFS4ERR_STALE);
	CHECK_EQ_U64(m.ops_len, 3);
	CHECK_EQ_U64(m.ops[2].number, OP_LOOKUP);
	CHECK_EQ_U64(m.ops[2].status, NFS4ERR_STALE);
	play_end(&p);
}

TEST(answer_to_the_first_operation_is_whole)
{
	struct fault_message m;
	struct play p;
	bool whole = false;

	play_begin(&p, "when SEQUENCE do answer NFS4ERR_BADSESSION");
	play_judge_call(&p);
	CHECK(p.of_call.answer && fault_answer_build(&p.of_call.answer->status, p.of_call.answer_op,
						     &p.call_facts, &p.out, &whole));
	CHECK(whole);
	read_out(&p, &m);
	CHECK_EQ_U64(m.xid, 9);
	CHECK_EQ_U64(m.status, NFS4ERR_BADSESSION);
	CHECK_EQ_U64(m.ops_len, 1);
	CHECK_EQ_U64(m.ops[0].number, OP_SEQUENCE);
	play_end(&p);
}

TEST(answer_of_nfs3_has_the_failing_arm)
{
	struct play p;
	bool whole = false;

	play_begin(&p, "when LOOKUP do answer NFS3ERR_JUKEBOX");
	make_lookup3(&p.call, 5, "root", "name");
	play_judge_call(&p);
	CHECK(p.of_call.answer &&
	      fault_answer_build(&p.of_call.answer->status, 0, &p.call_facts, &p.out, &whole));
	CHECK(whole);
	/* Accepted, no verifier, SUCCESS, NFS3ERR_JUKEBOX, no attributes. */
	CHECK_BYTES(p.out.data, p.out.len,
		    "\0\0\0\x05\0\0\0\1\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x27\x18\0\0\0\0", 32);
	play_end(&p);
	/* The twin: a status of another version does not fit the call. */
	play_begin(&p, "when LOOKUP do answer NFS4ERR_DELAY");
	make_lookup3(&p.call, 5, "root", "name");
	play_judge_call(&p);
	CHECK(!p.of_call.answer);
	play_end(&p);
}

TEST(answer_of_nlm_has_the_cookie)
{
	struct nlm_nlm4_lockargs args = {.cookie = made_opaque("cook"),
					 .block = true,
					 .alock = {.caller_name = made_opaque("alpha"),
						   .fh = made_opaque("filefh"),
						   .oh = made_opaque("1@alpha")}};
	struct play p;
	bool whole = false;

	play_begin(&p, "when NLM.LOCK handle 66696c656668 do answer NLM4_DENIED_NOLOCKS");
	make_call(&p.call, 5, NLM_PROG, NLM4_VERS, NLMPROC4_LOCK);
	nlm_encode_nlm4_lockargs(&p.call.w, &args);
	play_judge_call(&p);
	CHECK(p.of_call.answer &&
	      fault_answer_build(&p.of_call.answer->status, 0, &p.call_facts, &p.out, &whole));
	CHECK(p.out.len == 36 && memcmp(p.out.data + 24, "\0\0\0\4cook\0\0\0\2", 12) == 0);
	play_end(&p);
}

TEST(actions_of_a_server)
{
	struct play p;

	play_run(&p, "when LOOKUP do forget client, grace for 20s; at 5s do restart");
	CHECK_EQ_U64(p.acts, 2);
	CHECK(p.last.action == FAULT_GRACE && p.last.call == &p.call_facts);
	CHECK_EQ_I64(p.last.duration_ns, 20000000000);
	CHECK(!p.of_call.drops);
	CHECK_EQ_I64(fault_engine_next_ns(p.engine), 5000000000);
	fault_engine_tick(p.engine, 4999999999);
	CHECK_EQ_U64(p.acts, 2);
	fault_engine_tick(p.engine, 5000000000);
	fault_engine_tick(p.engine, 6000000000);
	CHECK_EQ_U64(p.acts, 3);
	CHECK(p.last.action == FAULT_RESTART && !p.last.call);
	CHECK_EQ_I64(fault_engine_next_ns(p.engine), INT64_MAX);
	play_end(&p);
}

TEST(an_action_that_fails_is_told)
{
	struct play p;

	play_run(&p, "when LOOKUP do move port");
	CHECK(strstr(strbuf_text(&p.log), "move port (NFSv4.1 ") != NULL);
	CHECK(strstr(strbuf_text(&p.log), ": not done: no port is free") != NULL);
	play_end(&p);
}

TEST(every_action_of_a_server_is_read_by_its_own_name)
{
	for (unsigned a = FAULT_RESTART; a <= FAULT_SHUT; a++) {
		const char *name = fault_server_action_name((enum fault_server_action)a);
		char script[64] = "at 1s do ";
		struct play p;

		memcpy(script + strlen(script), name, strlen(name) + 1);
		play_begin(&p, script);
		fault_engine_tick(p.engine, 1000000000);
		CHECK_EQ_U64(p.last.action, a);
		play_end(&p);
	}
}

TEST(a_fault_may_be_removed_before_the_reply)
{
	struct play p;

	play_begin(&p, "a: when LOOKUP do drop reply");
	play_judge_call(&p);
	CHECK_EQ_U64(p.of_call.plan.len, 1);
	CHECK(fault_engine_remove(p.engine, "a") == NULL);
	make_lookup4_reply(&p.reply, 9, 4, "filefh");
	play_judge_reply(&p);
	CHECK(!p.of_reply.drops);
	play_end(&p);
}
