// SPDX-License-Identifier: GPL-2.0-or-later
/* The server's lock manager and status monitor: who gets which lock, and who is told. */
#include "check.h"
#include "lab/serve/nlm/nlm.h"
#include "names/nlm.h"
#include "names/nsm.h"
#include "proto/nlm_xdr.h"
#include "proto/nsm_xdr.h"
#include "serve_stage.h"

#define SECOND_NS INT64_C(1000000000)

/* What the lock manager sent to clients. */
struct post {
	struct stage s;
	struct nlm_server *nlm;
	uint32_t sent; /* calls */
	uint32_t program, procedure;
	struct net_address to;
	uint8_t args[NLM_CALL_BYTES_MAX];
	size_t args_len;
	struct held_range foreign; /* of another protocol, in /a; */
	bool has_foreign;
	uint64_t foreign_fileid;
};

enum { PLAIN = 0, SHARED = 1, BLOCK = 2, RECLAIM = 4 };

/* A lock as a test writes it. */
struct want {
	const char *host, *path;
	int32_t svid;
	uint64_t offset, len;
	unsigned how;
};

static void keep(void *context, const struct nlm_send *send)
{
	struct post *p = context;

	p->sent++;
	p->to = *send->client;
	p->program = send->program;
	p->procedure = send->procedure;
	p->args_len = send->args.len;
	if (CHECK(send->args.len <= sizeof(p->args)))
		memcpy(p->args, send->args.ptr, send->args.len);
}

static bool held_by_others(void *context, uint64_t fileid, const struct held_range *wanted,
			   struct held_range *out)
{
	const struct post *p = context;

	*out = p->foreign;
	return p->has_foreign && fileid == p->foreign_fileid && p->foreign.start <= wanted->end &&
	       wanted->start <= p->foreign.end && (p->foreign.exclusive || wanted->exclusive);
}

static void post_init(struct post *p)
{
	struct nlm_ops ops = {.send = keep, .held = held_by_others, .context = p};

	memset(p, 0, sizeof(*p));
	stage_init(&p->s, "file /a\nfile /b\n");
	p->nlm = nlm_create(p->s.tree, &ops, 90 * SECOND_NS);
	p->s.server.nlm = p->nlm;
}

static void post_deinit(struct post *p)
{
	nlm_destroy(p->nlm);
	stage_deinit(&p->s);
}

static void put_lock(struct post *p, const struct want *w)
{
	put_text(&p->s, w->host);
	put_handle(&p->s, w->path);
	put_text(&p->s, "owner");
	PUT(&p->s, (uint32_t)w->svid);
	xdr_put_u64(&p->s.w, w->offset);
	xdr_put_u64(&p->s.w, w->len);
}

/* Sends the request; for a synchronous one the result's status. */
static uint32_t ask(struct post *p, uint32_t procedure, struct want w)
{
	bool is_lock = procedure == NLMPROC4_LOCK || procedure == NLMPROC4_LOCK_MSG;
	bool is_cancel = procedure == NLMPROC4_CANCEL;
	struct xdr_opaque cookie;

	put_text(&p->s, "ck");
	if (is_lock || is_cancel)
		PUT(&p->s, (w.how & BLOCK) != 0);
	if (procedure != NLMPROC4_UNLOCK)
		PUT(&p->s, !(w.how & SHARED));
	put_lock(p, &w);
	if (is_lock)
		PUT(&p->s, (w.how & RECLAIM) != 0, 1);
	CHECK_EQ_U64(call(&p->s, NLM_PROG, NLM4_VERS, procedure), RPC_ACCEPT_SUCCESS);
	if (procedure == NLMPROC4_LOCK_MSG) {
		results_end(&p->s);
		return 0;
	}
	nlm_decode_netobj(&p->s.results, &cookie);
	CHECK_BYTES(cookie.ptr, cookie.len, "ck", 2);
	return cursor_u32(&p->s.results);
}

#define LOCK(p, ...)   ask(p, NLMPROC4_LOCK, (struct want){__VA_ARGS__})
#define UNLOCK(p, ...) ask(p, NLMPROC4_UNLOCK, (struct want){__VA_ARGS__})

TEST(locks_conflict_where_they_overlap)
{
	static struct post p;

	post_init(&p);
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 1, 0, 10, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 9, 1, PLAIN), NLM4_DENIED);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 10, 5, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(LOCK(&p, "two", "/b", 1, 0, 0, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 2, 0, 0, PLAIN), NLM4_DENIED);
	/* The same owner may have it again, and smaller. */
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 1, 2, 3, SHARED), NLM4_GRANTED);
	CHECK_EQ_U64(nlm_held_count(p.nlm), 5);
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 2, 3, 1, SHARED), NLM4_GRANTED);
	CHECK_EQ_U64(ask(&p, NLMPROC4_TEST, (struct want){"two", "/a", 1, 0, 1, PLAIN}),
		     NLM4_DENIED);
	CHECK(cursor_bool(&p.s.results)); /* the holder's is exclusive */
	CHECK_EQ_U64(UNLOCK(&p, "one", "/a", 1, 0, 0, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(nlm_held_count(p.nlm), 3);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 0, 3, PLAIN), NLM4_GRANTED);
	post_deinit(&p);
}

TEST(unlocking_the_middle_splits_a_lock)
{
	static struct post p;

	post_init(&p);
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 1, 0, 0, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(UNLOCK(&p, "one", "/a", 1, 100, 10, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(nlm_held_count(p.nlm), 2);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 100, 10, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 99, 1, PLAIN), NLM4_DENIED);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, UINT64_MAX, 1, PLAIN), NLM4_DENIED);
	post_deinit(&p);
}

TEST(waiting_lock_is_granted_and_told_until_answered)
{
	static struct post p;
	struct nlm_nlm4_testargs args;
	struct cursor sent;

	post_init(&p);
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 1, 0, 0, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 7, 5, 5, BLOCK), NLM4_BLOCKED);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 7, 5, 5, BLOCK), NLM4_BLOCKED);
	CHECK_EQ_U64(p.sent, 0);
	CHECK_EQ_U64(UNLOCK(&p, "one", "/a", 1, 0, 0, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(p.sent, 1);
	CHECK_EQ_U64(p.procedure, NLMPROC4_GRANTED_MSG);
	sent = cursor_make(slice_make(p.args, p.args_len));
	nlm_decode_nlm4_testargs(&sent, &args);
	CHECK(cursor_ok(&sent) && args.exclusive);
	CHECK_EQ_I64(args.alock.svid, 7);
	CHECK_EQ_U64(args.alock.l_offset, 5);
	CHECK_EQ_U64(args.alock.l_len, 5);
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 1, 6, 1, PLAIN), NLM4_DENIED);
	/* Again after ten seconds, until GRANTED_RES. */
	CHECK_EQ_I64(nlm_tick(p.nlm, p.s.now_ns), p.s.now_ns + 10 * SECOND_NS);
	CHECK_EQ_U64(p.sent, 1);
	nlm_tick(p.nlm, p.s.now_ns + 10 * SECOND_NS);
	CHECK_EQ_U64(p.sent, 2);
	xdr_put_opaque(&p.s.w, args.cookie, XDR_ANY);
	PUT(&p.s, NLM4_GRANTED);
	CHECK_EQ_U64(call(&p.s, NLM_PROG, NLM4_VERS, NLMPROC4_GRANTED_RES), 0);
	CHECK_EQ_I64(nlm_tick(p.nlm, p.s.now_ns + 30 * SECOND_NS), INT64_MAX);
	CHECK_EQ_U64(p.sent, 2);
	post_deinit(&p);
}

TEST(hosts_of_one_name_are_told_apart_by_address)
{
	struct net_address other = net_address_loopback(700);
	static struct post p;

	other.v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1);
	post_init(&p);
	CHECK_EQ_U64(LOCK(&p, "same", "/a", 1, 0, 0, PLAIN), NLM4_GRANTED);
	p.s.peer = other;
	CHECK_EQ_U64(LOCK(&p, "same", "/a", 1, 0, 0, BLOCK), NLM4_BLOCKED);
	p.s.peer = net_address_loopback(700);
	CHECK_EQ_U64(UNLOCK(&p, "same", "/a", 1, 0, 0, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(p.procedure, NLMPROC4_GRANTED_MSG);
	CHECK(net_address_same_host(&p.to, &other));
	post_deinit(&p);
}

TEST(waiting_lock_can_be_cancelled)
{
	static struct post p;
	struct want w = {"two", "/a", 7, 5, 5, BLOCK};

	post_init(&p);
	LOCK(&p, "one", "/a", 1, 0, 0, PLAIN);
	CHECK_EQ_U64(ask(&p, NLMPROC4_CANCEL, w), NLM4_DENIED);
	CHECK_EQ_U64(ask(&p, NLMPROC4_LOCK, w), NLM4_BLOCKED);
	CHECK_EQ_U64(ask(&p, NLMPROC4_CANCEL, w), NLM4_GRANTED);
	UNLOCK(&p, "one", "/a", 1, 0, 0, PLAIN);
	CHECK_EQ_U64(p.sent, 0);
	post_deinit(&p);
}

TEST(asynchronous_form_answers_by_a_call)
{
	static struct post p;
	struct nlm_nlm4_res res;
	struct cursor sent;

	post_init(&p);
	ask(&p, NLMPROC4_LOCK_MSG, (struct want){"one", "/a", 1, 0, 0, PLAIN});
	CHECK_EQ_U64(p.procedure, NLMPROC4_LOCK_RES);
	sent = cursor_make(slice_make(p.args, p.args_len));
	nlm_decode_nlm4_res(&sent, &res);
	CHECK(cursor_ok(&sent));
	CHECK_EQ_U64(res.stat.stat, NLM4_GRANTED);
	CHECK_EQ_U64(nlm_held_count(p.nlm), 1);
	post_deinit(&p);
}

TEST(restart_notifies_and_has_a_grace_period)
{
	static struct post p;

	post_init(&p);
	LOCK(&p, "one", "/a", 1, 0, 0, PLAIN);
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 1, 0, 0, RECLAIM), NLM4_DENIED_GRACE_PERIOD);
	nlm_restart(p.nlm, 0, p.s.now_ns);
	CHECK_EQ_U64(p.sent, 1);
	CHECK_EQ_U64(p.program, SM_PROG);
	CHECK_EQ_U64(p.procedure, SMPROC_NOTIFY);
	CHECK_EQ_U64(nlm_held_count(p.nlm), 0);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 0, 0, PLAIN), NLM4_DENIED_GRACE_PERIOD);
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 1, 0, 0, RECLAIM), NLM4_GRANTED);
	CHECK_EQ_U64(UNLOCK(&p, "one", "/a", 1, 0, 0, PLAIN), NLM4_DENIED_GRACE_PERIOD);
	p.s.now_ns += 90 * SECOND_NS;
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 0, 0, PLAIN), NLM4_DENIED);
	CHECK_EQ_U64(UNLOCK(&p, "one", "/a", 1, 0, 0, PLAIN), NLM4_GRANTED);
	post_deinit(&p);
}

TEST(client_that_restarts_loses_its_locks)
{
	static struct post p;

	post_init(&p);
	LOCK(&p, "one", "/a", 1, 0, 0, PLAIN);
	put_text(&p.s, "one");
	PUT(&p.s, 3);
	CHECK_EQ_U64(call(&p.s, SM_PROG, SM_VERS, SMPROC_NOTIFY), RPC_ACCEPT_SUCCESS);
	CHECK_EQ_U64(nlm_held_count(p.nlm), 0);
	LOCK(&p, "one", "/a", 1, 0, 0, PLAIN);
	PUT(&p.s, 3);
	CHECK_EQ_U64(call(&p.s, SM_PROG, SM_VERS, SMPROC_NOTIFY), RPC_ACCEPT_GARBAGE_ARGS);
	put_text(&p.s, "one");
	PUT(&p.s, 0);
	CHECK_EQ_U64(call(&p.s, NLM_PROG, NLM4_VERS, NLMPROC4_FREE_ALL), RPC_ACCEPT_SUCCESS);
	CHECK_EQ_U64(nlm_held_count(p.nlm), 0);
	post_deinit(&p);
}

TEST(shares_exclude_each_other)
{
	static struct post p;
	static const char *const hosts[] = {"one", "two", "one"};
	static const uint32_t wants[] = {NLM4_GRANTED, NLM4_DENIED, NLM4_GRANTED};

	post_init(&p);
	for (int i = 0; i < 3; i++) {
		struct nlm_nlm4_shareres res;

		put_text(&p.s, "ck");
		put_text(&p.s, hosts[i]);
		put_handle(&p.s, "/a");
		put_text(&p.s, "owner");
		PUT(&p.s, fsm_DW, fsa_RW, 0);
		CHECK_EQ_U64(call(&p.s, NLM_PROG, NLM4_VERS, NLMPROC4_SHARE), 0);
		nlm_decode_nlm4_shareres(&p.s.results, &res);
		CHECK_EQ_U64(res.stat, wants[i]);
		results_end(&p.s);
	}
	post_deinit(&p);
}

TEST(frozen_lock_manager_says_nothing)
{
	static struct post p;
	uint8_t memory[128], reply[128];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct xdr_writer out = xdr_writer_make(reply, sizeof(reply));
	struct rpc_in in = {0};

	post_init(&p);
	nlm_freeze(p.nlm, SECOND_NS, p.s.now_ns);
	rpc_call_begin(&w, 9, NLM_PROG, NLM4_VERS, 0, NULL);
	CHECK_EQ_U64(rpc_in_take(xdr_writer_bytes(&w), &in), RPC_TAKEN_CALL);
	CHECK_EQ_U64(serve_handle(&p.s.server, &in, ALL_PORTS, &out, p.s.now_ns), SERVER_SILENT);
	p.s.now_ns += SECOND_NS;
	CHECK_EQ_U64(call(&p.s, NLM_PROG, NLM4_VERS, 0), RPC_ACCEPT_SUCCESS);
	CHECK_EQ_U64(call(&p.s, NLM_PROG, 1, 0), RPC_ACCEPT_PROG_MISMATCH);
	post_deinit(&p);
}

TEST(locks_of_another_protocol_stand_against_ours)
{
	struct held_range wanted = {0, 4, false}, held;
	static struct post p;

	post_init(&p);
	CHECK_EQ_U64(LOCK(&p, "one", "/a", 1, 20, 10, PLAIN), NLM4_GRANTED);
	/* What others are told of ours. */
	p.foreign_fileid = at(&p.s, "/a");
	CHECK(!nlm_holds(p.nlm, p.foreign_fileid, &wanted, &held));
	wanted.end = 20;
	CHECK(nlm_holds(p.nlm, p.foreign_fileid, &wanted, &held));
	CHECK(held.start == 20 && held.end == 29 && held.exclusive);
	/* And theirs. */
	p.has_foreign = true;
	p.foreign = (struct held_range){5, 9, true};
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 0, 5, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(LOCK(&p, "two", "/b", 1, 5, 5, PLAIN), NLM4_GRANTED);
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 5, 5, SHARED), NLM4_DENIED);
	CHECK_EQ_U64(ask(&p, NLMPROC4_TEST, (struct want){"two", "/a", 1, 0, 6, PLAIN}),
		     NLM4_DENIED);
	CHECK(cursor_bool(&p.s.results));
	CHECK_EQ_U64(LOCK(&p, "two", "/a", 1, 5, 5, BLOCK), NLM4_BLOCKED);
	nlm_tick(p.nlm, p.s.now_ns);
	CHECK_EQ_U64(p.sent, 0);
	p.has_foreign = false;
	nlm_tick(p.nlm, p.s.now_ns);
	CHECK_EQ_U64(p.sent, 1);
	CHECK_EQ_U64(p.procedure, NLMPROC4_GRANTED_MSG);
	post_deinit(&p);
}
