// SPDX-License-Identifier: GPL-2.0-or-later
/* See granted.h. */
#include "lab/probe/granted.h"

#include <unistd.h>

#include "names/nlm.h"
#include "names/portmap.h"
#include "proto/nlm_xdr.h"
#include "proto/portmap_xdr.h"

enum { PORTMAP_PORT = 111, PROTO_TCP = 6, MARK_BYTES = 4, RES_BYTES_MAX = 1024 };

/*
 * Of a program of one version, all but what the caller knows is answered here: the NULL procedure,
 * and what there is not.
 */
static bool refuses(const struct rpc_in *in, uint32_t version, bool known, struct xdr_writer *reply)
{
	if (in->version != version)
		rpc_reply_versions(reply, in->xid, version, version);
	else if (known)
		return false;
	else if (in->procedure == 0) /* NULL of every program: RFC 5531 section 12 */
		rpc_reply_success(reply, in->xid);
	else
		rpc_reply_failure(reply, in->xid, RPC_ACCEPT_PROC_UNAVAIL);
	return true;
}

static void tell_port(const struct granted *g, const struct rpc_in *in, struct xdr_writer *reply)
{
	struct cursor at = cursor_make(in->args);
	struct portmap_mapping asked;

	if (refuses(in, PMAP_VERS, in->procedure == PMAPPROC_GETPORT, reply))
		return;
	portmap_decode_mapping(&at, &asked);
	if (!cursor_ok(&at)) {
		rpc_reply_failure(reply, in->xid, RPC_ACCEPT_GARBAGE_ARGS);
		return;
	}
	rpc_reply_success(reply, in->xid);
	xdr_put_u32(reply,
		    asked.prog == NLM_PROG && asked.vers == NLM4_VERS && asked.prot == PROTO_TCP
			    ? g->port
			    : 0);
}

/* As nlmclnt_grant has it: it is the lock that is waited for, or no lock of ours. */
static uint32_t take_grant(struct granted *g, const struct nlm_nlm4_lock *lock)
{
	const struct v3_handle *file = &g->v->file;

	if (!g->waits || lock->svid != (int32_t)getpid() ||
	    !slice_equal(xdr_opaque_slice(lock->fh), slice_make(file->bytes, file->len)))
		return NLM4_DENIED;
	g->granted = true;
	net_loop_stop(&g->v->client->loop);
	return NLM4_GRANTED;
}

/* The answer to GRANTED_MSG is a call of its own, to which nothing is answered. */
static void send_granted_res(const struct granted *g, const struct nlm_nlm4_res *res)
{
	uint8_t bytes[RES_BYTES_MAX];
	struct xdr_writer w = xdr_writer_make(bytes + MARK_BYTES, sizeof(bytes) - MARK_BYTES);
	struct xdr_writer mark = xdr_writer_make(bytes, MARK_BYTES);
	struct client *c = g->v->client;
	size_t len;

	/* The server calls again when it hears nothing. */
	if (!g->v->has_nlm || !g->v->nlm.connected)
		return;
	rpc_call_begin(&w, c->next_xid++, NLM_PROG, NLM4_VERS, NLMPROC4_GRANTED_RES, &c->sys);
	nlm_encode_nlm4_res(&w, res);
	len = xdr_writer_bytes(&w).len;
	rpc_mark_encode(&mark, (uint32_t)len, true);
	if (xdr_writer_ok(&w))
		net_stream_send(g->v->nlm.stream, slice_make(bytes, MARK_BYTES + len));
}

static void take_nlm(struct granted *g, const struct rpc_in *in, struct xdr_writer *reply)
{
	bool is_message = in->procedure == NLMPROC4_GRANTED_MSG;
	struct cursor at = cursor_make(in->args);
	struct nlm_nlm4_testargs args;
	struct nlm_nlm4_res res;

	if (refuses(in, NLM4_VERS, is_message || in->procedure == NLMPROC4_GRANTED, reply))
		return;
	nlm_decode_nlm4_testargs(&at, &args);
	if (!cursor_ok(&at)) {
		rpc_reply_failure(reply, in->xid, RPC_ACCEPT_GARBAGE_ARGS);
		return;
	}
	res = (struct nlm_nlm4_res){.cookie = args.cookie};
	res.stat.stat = take_grant(g, &args.alock);
	rpc_reply_success(reply, in->xid);
	if (is_message)
		send_granted_res(g, &res);
	else
		nlm_encode_nlm4_res(reply, &res);
}

static bool answer(void *context, const struct rpc_in *in, struct xdr_writer *reply)
{
	struct granted *g = context;

	if (in->program == PMAP_PROG)
		tell_port(g, in, reply);
	else if (in->program == NLM_PROG)
		take_nlm(g, in, reply);
	else
		rpc_reply_failure(reply, in->xid, RPC_ACCEPT_PROG_UNAVAIL);
	return true;
}

static void take_caller(void *context, int fd, const struct net_address *peer)
{
	struct granted *g = context;

	for (size_t i = 0; i < GRANTED_CONNECTIONS_MAX; i++) {
		if (g->callers[i].stream)
			continue;
		client_peer_accept(&g->callers[i], g->v->client, fd, peer, answer, g);
		return;
	}
	(void)close(fd);
}

struct err *granted_init(struct granted *g, struct v3 *v, uint16_t port)
{
	struct net_loop *loop = &v->client->loop;
	struct net_address at = v->client->server;
	struct err *err;

	*g = (struct granted){.v = v, .port = port};
	if (v->nfs.stream)
		at = *net_stream_local(v->nfs.stream);
	else
		net_address_set_any(&at);
	net_address_set_port(&at, PORTMAP_PORT);
	err = net_listener_create(loop, &at, take_caller, g, &g->portmap);
	net_address_set_port(&at, port);
	return err ? err : net_listener_create(loop, &at, take_caller, g, &g->nlm);
}

void granted_deinit(struct granted *g)
{
	net_listener_destroy(g->portmap);
	net_listener_destroy(g->nlm);
	for (size_t i = 0; i < GRANTED_CONNECTIONS_MAX; i++)
		if (g->callers[i].stream)
			client_peer_deinit(&g->callers[i]);
}

bool granted_wait(struct granted *g, int64_t ns)
{
	bool going;

	g->granted = false;
	g->waits = true;
	going = client_sleep_unless(g->v->client, ns, &g->granted);
	g->waits = false;
	return going;
}
