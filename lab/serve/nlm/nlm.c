// SPDX-License-Identifier: GPL-2.0-or-later
/* The procedures of NLM version 4 and NSM version 1. See nlm.h. */
#include "lab/serve/nlm/nlm_private.h"
#include "names/nsm.h"
#include "proto/nsm_xdr.h"

/* A request that was decoded, and what came of it. */
struct request {
	struct nlm_server *n;
	struct program_call *c;
	struct xdr_opaque cookie;
	struct nlm_lock lock; /* wanted; client NULL: stat says why not */
	const struct nlm_lock *holder;
	struct nlm_lock foreign; /* a holder that is none of ours */
	uint32_t stat;           /* nlm4_stats */
};

static bool in_grace(const struct request *r)
{
	return r->c->now_ns < r->n->grace_until_ns;
}

/* Fills in the lock that is wanted; false: stat says why not. */
static bool take_lock(struct request *r, const struct nlm_nlm4_lock *alock, bool exclusive)
{
	struct nlm_lock *l = &r->lock;
	enum tree_status status;

	r->stat = NLM4_FAILED;
	if (alock->caller_name.len > NLM_NAME_MAX || alock->oh.len > NLM_OWNER_MAX)
		return false;
	status = tree_handle_find(r->n->tree, xdr_opaque_slice(alock->fh), &l->fileid);
	if (status != TREE_OK) {
		r->stat = NLM4_STALE_FH;
		return false;
	}
	l->start = alock->l_offset;
	l->length = alock->l_len;
	/* Length 0, and -1 as some clients have it, is to the end of the file. */
	l->end = UINT64_MAX;
	if (alock->l_len && alock->l_len - 1 <= UINT64_MAX - l->start)
		l->end = l->start + (alock->l_len - 1);
	l->exclusive = exclusive;
	l->svid = alock->svid;
	nlm_bytes_set(&l->owner, xdr_opaque_slice(alock->oh));
	l->client = nlm_client_seen(r->n, xdr_opaque_slice(alock->caller_name), r->c->in);
	r->stat = l->client ? NLM4_GRANTED : NLM4_DENIED_NOLOCKS;
	return l->client != NULL;
}

/* nlmsvc_lock. */
static void lock_want(struct request *r, bool block, bool reclaim)
{
	struct nlm_server *n = r->n;
	struct nlm_lock *waiting = nlm_waiting_find(n, &r->lock);

	if (in_grace(r) != reclaim) {
		r->stat = NLM4_DENIED_GRACE_PERIOD;
		return;
	}
	r->holder = nlm_conflict(n, &r->lock, &r->foreign);
	if (r->holder) {
		r->lock.state = NLM_WAITING;
		r->stat = block ? NLM4_BLOCKED : NLM4_DENIED;
		if (block && !waiting && !nlm_add(n, &r->lock))
			r->stat = NLM4_DENIED_NOLOCKS;
		return;
	}
	if (waiting)
		nlm_remove(n, waiting);
	r->lock.state = NLM_HELD;
	if (!nlm_carve(n, &r->lock) || !nlm_add(n, &r->lock))
		r->stat = NLM4_DENIED_NOLOCKS;
	/* What was exclusive may be shared now. */
	nlm_grant_waiting(n, r->c->now_ns);
}

/* The same for what no grace period lets through; false: the answer is known. */
static bool take_lock_after_grace(struct request *r, const struct nlm_nlm4_lock *alock,
				  bool is_exclusive)
{
	if (!take_lock(r, alock, is_exclusive))
		return false;
	if (!in_grace(r))
		return true;
	r->stat = NLM4_DENIED_GRACE_PERIOD;
	return false;
}

static bool do_lock(struct request *r)
{
	struct nlm_nlm4_lockargs args;

	nlm_decode_nlm4_lockargs(&r->c->args, &args);
	r->cookie = args.cookie;
	if (!program_args_ok(r->c))
		return false;
	/* NM_LOCK is not monitored, else the same. */
	if (take_lock(r, &args.alock, args.exclusive))
		lock_want(r, args.block, args.reclaim);
	return true;
}

static bool do_test(struct request *r)
{
	struct nlm_nlm4_testargs args;

	nlm_decode_nlm4_testargs(&r->c->args, &args);
	r->cookie = args.cookie;
	if (!program_args_ok(r->c))
		return false;
	if (!take_lock_after_grace(r, &args.alock, args.exclusive))
		return true;
	r->holder = nlm_conflict(r->n, &r->lock, &r->foreign);
	r->stat = r->holder ? NLM4_DENIED : NLM4_GRANTED;
	return true;
}

static bool do_cancel(struct request *r)
{
	struct nlm_nlm4_cancargs args;
	struct nlm_lock *waiting;

	nlm_decode_nlm4_cancargs(&r->c->args, &args);
	r->cookie = args.cookie;
	if (!program_args_ok(r->c))
		return false;
	if (!take_lock_after_grace(r, &args.alock, args.exclusive))
		return true;
	waiting = nlm_waiting_find(r->n, &r->lock);
	r->stat = waiting ? NLM4_GRANTED : NLM4_DENIED;
	if (waiting)
		nlm_remove(r->n, waiting);
	return true;
}

static bool do_unlock(struct request *r)
{
	struct nlm_nlm4_unlockargs args;
	struct nlm_lock *waiting;

	nlm_decode_nlm4_unlockargs(&r->c->args, &args);
	r->cookie = args.cookie;
	if (!program_args_ok(r->c))
		return false;
	if (!take_lock_after_grace(r, &args.alock, true))
		return true;
	/* nlmsvc_unlock cancels what waits, too. */
	waiting = nlm_waiting_find(r->n, &r->lock);
	if (waiting)
		nlm_remove(r->n, waiting);
	if (!nlm_carve(r->n, &r->lock))
		r->stat = NLM4_DENIED_NOLOCKS;
	nlm_grant_waiting(r->n, r->c->now_ns);
	return true;
}

/* Shares: nlmsvc_share_file. */
static void share(struct request *r, const struct nlm_nlm_share *s, bool is_unshare)
{
	struct nlm_lock *own = NULL;

	r->lock.state = NLM_SHARE;
	r->lock.mode = s->mode;
	r->lock.access = s->access;
	for (struct nlm_lock *l = r->n->locks; l; l = l->next) {
		if (l->state != NLM_SHARE || l->fileid != r->lock.fileid)
			continue;
		if (nlm_same_owner(l, &r->lock))
			own = l;
		else if (!is_unshare && ((l->mode & s->access) || (l->access & s->mode)))
			r->stat = NLM4_DENIED;
	}
	if (own && r->stat == NLM4_GRANTED)
		nlm_remove(r->n, own);
	if (!is_unshare && r->stat == NLM4_GRANTED && !nlm_add(r->n, &r->lock))
		r->stat = NLM4_DENIED_NOLOCKS;
}

static enum program_done call_share(struct request *r)
{
	bool is_unshare = r->c->in->procedure == NLMPROC4_UNSHARE;
	struct nlm_nlm4_shareargs args;
	struct nlm_nlm4_lock alock;
	struct nlm_nlm4_shareres res;

	nlm_decode_nlm4_shareargs(&r->c->args, &args);
	if (!program_args_ok(r->c))
		return PROGRAM_GARBAGE;
	alock = (struct nlm_nlm4_lock){
		.caller_name = args.share.caller_name, .fh = args.share.fh, .oh = args.share.oh};
	if (take_lock(r, &alock, false)) {
		if (in_grace(r) != args.reclaim && !is_unshare)
			r->stat = NLM4_DENIED_GRACE_PERIOD;
		else
			share(r, &args.share, is_unshare);
	}
	res = (struct nlm_nlm4_shareres){.cookie = args.cookie, .stat = r->stat};
	nlm_encode_nlm4_shareres(r->c->out, &res);
	return PROGRAM_DONE;
}

static void put_result(const struct request *r, bool is_test, struct xdr_writer *w)
{
	struct nlm_nlm4_testres test = {.cookie = r->cookie, .stat = {.stat = r->stat}};
	struct nlm_nlm4_res res = {.cookie = r->cookie, .stat = {.stat = r->stat}};
	const struct nlm_lock *h = r->holder;

	if (!is_test) {
		nlm_encode_nlm4_res(w, &res);
		return;
	}
	if (r->stat == NLM4_DENIED)
		test.stat.holder = (struct nlm_nlm4_holder){
			.exclusive = h->exclusive,
			.svid = h->svid,
			.oh = program_opaque(nlm_bytes_slice(&h->owner)),
			.l_offset = h->start,
			.l_len = h->end == UINT64_MAX ? 0 : h->end - h->start + 1};
	nlm_encode_nlm4_testres(w, &test);
}

/* A procedure with its asynchronous form, whose result goes out as a call of ours. */
struct procedure {
	bool (*run)(struct request *r);
	bool is_async;
	uint32_t result; /* the procedure of the result */
};

static const struct procedure procedures[] = {
	[NLMPROC4_TEST] = {do_test, false, 0},
	[NLMPROC4_LOCK] = {do_lock, false, 0},
	[NLMPROC4_CANCEL] = {do_cancel, false, 0},
	[NLMPROC4_UNLOCK] = {do_unlock, false, 0},
	[NLMPROC4_TEST_MSG] = {do_test, true, NLMPROC4_TEST_RES},
	[NLMPROC4_LOCK_MSG] = {do_lock, true, NLMPROC4_LOCK_RES},
	[NLMPROC4_CANCEL_MSG] = {do_cancel, true, NLMPROC4_CANCEL_RES},
	[NLMPROC4_UNLOCK_MSG] = {do_unlock, true, NLMPROC4_UNLOCK_RES},
	[NLMPROC4_NM_LOCK] = {do_lock, false, 0},
};

static void send_result(const struct request *r, const struct procedure *p)
{
	uint8_t memory[NLM_CALL_BYTES_MAX * 2];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct nlm_send send = {.client = r->c->in->peer,
				.transport = r->c->in->transport,
				.program = NLM_PROG,
				.version = NLM4_VERS,
				.procedure = p->result};

	put_result(r, p->run == do_test, &w);
	send.args = xdr_writer_bytes(&w);
	if (r->n->ops.send && send.client && xdr_writer_ok(&w))
		r->n->ops.send(r->n->ops.context, &send);
}

/* The client has the lock, or does not want it. */
static enum program_done granted_res(struct request *r)
{
	struct nlm_nlm4_res res;
	struct nlm_lock *next;

	nlm_decode_nlm4_res(&r->c->args, &res);
	if (!program_args_ok(r->c))
		return PROGRAM_GARBAGE;
	for (struct nlm_lock *l = r->n->locks; l; l = next) {
		next = l->next;
		if (!l->tell_ns ||
		    !slice_equal(nlm_bytes_slice(&l->cookie), xdr_opaque_slice(res.cookie)))
			continue;
		l->tell_ns = 0;
		if (res.stat.stat != NLM4_GRANTED) {
			nlm_remove(r->n, l);
			nlm_grant_waiting(r->n, r->c->now_ns);
		}
		break;
	}
	return PROGRAM_DONE;
}

/* The host of this name starts anew: its locks are gone. */
static void host_restarted(struct nlm_server *n, struct slice name, const struct rpc_in *in,
			   int64_t now_ns)
{
	for (struct nlm_client *c = n->clients; c; c = c->next)
		if (slice_equal(nlm_bytes_slice(&c->name), name) ||
		    (in->peer && net_address_same_host(in->peer, &c->address)))
			nlm_forget_client(n, c);
	nlm_grant_waiting(n, now_ns);
}

static enum program_done free_all(struct request *r)
{
	struct nlm_nlm_notify args;

	nlm_decode_nlm_notify(&r->c->args, &args);
	if (!program_args_ok(r->c))
		return PROGRAM_GARBAGE;
	host_restarted(r->n, xdr_opaque_slice(args.name), r->c->in, r->c->now_ns);
	return PROGRAM_DONE;
}

enum program_done nlm_call(struct program_call *c)
{
	struct nlm_server *n = c->server->nlm;
	uint32_t number = c->in->procedure;
	struct request r = {.n = n, .c = c};
	const struct procedure *p;

	if (c->now_ns < n->frozen_until_ns)
		return PROGRAM_SILENT;
	if (number == NLMPROC4_NULL)
		return PROGRAM_DONE;
	if (number == NLMPROC4_GRANTED_RES)
		return granted_res(&r);
	if (number == NLMPROC4_SHARE || number == NLMPROC4_UNSHARE)
		return call_share(&r);
	if (number == NLMPROC4_FREE_ALL)
		return free_all(&r);
	if (number >= sizeof(procedures) / sizeof(procedures[0]) || !procedures[number].run)
		return PROGRAM_NO_PROCEDURE;
	p = &procedures[number];
	if (!p->run(&r))
		return PROGRAM_GARBAGE;
	if (p->is_async)
		send_result(&r, p);
	else
		put_result(&r, p->run == do_test, c->out);
	return PROGRAM_DONE;
}

/* The status monitor: what a client's one asks or tells. Nobody is monitored for others. */
enum program_done nsm_call(struct program_call *c)
{
	struct nlm_server *n = c->server->nlm;
	struct nsm_sm_stat_res res = {.res_stat = STAT_SUCC, .state = n->state};
	struct nsm_stat_chge change;
	struct nsm_sm_name name;

	switch (c->in->procedure) {
	case SMPROC_NULL:
		return PROGRAM_DONE;
	case SMPROC_STAT:
		nsm_decode_sm_name(&c->args, &name);
		if (!program_args_ok(c))
			return PROGRAM_GARBAGE;
		nsm_encode_sm_stat_res(c->out, &res);
		return PROGRAM_DONE;
	case SMPROC_NOTIFY:
		nsm_decode_stat_chge(&c->args, &change);
		if (!program_args_ok(c))
			return PROGRAM_GARBAGE;
		host_restarted(n, xdr_opaque_slice(change.mon_name), c->in, c->now_ns);
		return PROGRAM_DONE;
	default:
		return PROGRAM_NO_PROCEDURE;
	}
}
