// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The lab's server, all programs but NFSv4 (which has a target of its own): the input is what a
 * client sends on a connection, records with their marks. All handles are the same in each run.
 * Whatever is answered has to be well formed.
 */
#include "fuzz.h"
#include "lab/rpc/record.h"
#include "lab/serve/nlm/nlm.h"
#include "lab/serve/server.h"
#include "lab/serve/tree/tree_text.h"
#include "proto/xdr_type.h"

#include <stdlib.h>

enum { ALL_PORTS = (1 << SERVER_PORTS) - 1, LIMIT_BYTES = 64 << 10, RECORDS_MAX = 64 };

static const char description[] = "dir /d\nfile /f text=hello\ndir /big entries=100 size=9\n"
				  "link /l target=f\nfifo /q\n";

struct world {
	struct tree *tree;
	struct server server;
	struct nlm_server *nlm;
	struct net_address peer;
	int64_t now_ns;
	uint8_t *reply;
};

static void require(bool holds)
{
	if (!holds)
		abort();
}

/* The arguments of a call to a client are as well formed as a reply. */
static void check_sent(void *context, const struct nlm_send *send)
{
	const struct xdr_procedure *p =
		xdr_procedure_find(send->program, send->version, send->procedure);
	struct cursor c = cursor_make(send->args);

	(void)context;
	require(p != NULL && p->args != NULL);
	p->args->skip(&c);
	require(cursor_ok(&c) && cursor_left(&c) == 0);
}

static void check_reply(const struct rpc_in *in, struct slice reply)
{
	const struct xdr_procedure *p = xdr_procedure_find(in->program, in->version, in->procedure);
	struct rpc_in out = {0};
	struct cursor c;

	require(rpc_in_take(reply, &out) == RPC_TAKEN_REPLY && out.xid == in->xid);
	c = cursor_make(out.args);
	if (out.message.reply.reply_stat != RPC_REPLY_ACCEPTED ||
	    out.message.reply.accept_stat != RPC_ACCEPT_SUCCESS || !p) {
		require(cursor_left(&c) == 0);
		return;
	}
	if (p->results)
		p->results->skip(&c);
	require(cursor_ok(&c) && cursor_left(&c) == 0);
}

static void message(struct world *w, struct slice bytes)
{
	struct rpc_in in = {.peer = &w->peer, .local = &w->peer};
	struct xdr_writer out = xdr_writer_make(w->reply, SERVER_REPLY_BYTES);
	uint8_t *copy = malloc(bytes.len + 1);

	if (bytes.len)
		memcpy(copy, bytes.ptr, bytes.len);
	in.transport = bytes.len & 4 ? RPC_OVER_UDP : RPC_OVER_TCP;
	switch (rpc_in_take(slice_make(copy, bytes.len), &in)) {
	case RPC_TAKEN_CALL:
		if (serve_handle(&w->server, &in, ALL_PORTS, &out, w->now_ns) == SERVER_REPLY)
			check_reply(&in, xdr_writer_bytes(&out));
		break;
	case RPC_TAKEN_REFUSED:
		rpc_refuse(&out, &in);
		break;
	case RPC_TAKEN_REPLY:
	case RPC_TAKEN_GARBAGE:
		break;
	}
	w->now_ns += INT64_C(1000000000);
	nlm_tick(w->nlm, w->now_ns);
	free(copy);
}

static void world_init(struct world *w)
{
	struct tree_limits limits = {.data_bytes_max = 1 << 20, .nodes_max = 1000};
	struct nlm_ops ops = {.send = check_sent};

	*w = (struct world){.peer = net_address_loopback(700)};
	w->tree = tree_create(&limits, 7, 0);
	require(tree_text_add(w->tree, slice_of_string(description), 0) == NULL);
	server_init(&w->server, w->tree, 0);
	w->nlm = nlm_create(w->tree, &ops, INT64_C(5000000000));
	w->server.nlm = w->nlm;
	for (int port = 0; port < SERVER_PORTS; port++)
		server_register(&w->server, (enum server_port)port, RPC_OVER_TCP, false, 2049);
	w->reply = malloc(SERVER_REPLY_BYTES);
}

static void world_deinit(struct world *w)
{
	server_deinit(&w->server);
	nlm_destroy(w->nlm);
	tree_destroy(w->tree);
	free(w->reply);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rpc_assembler assembler = {.limit_bytes = LIMIT_BYTES};
	struct slice record;
	struct world w;
	size_t consumed;

	world_init(&w);
	for (int i = 0; i < RECORDS_MAX; i++) {
		if (rpc_assembler_take(&assembler, slice_make(data, size), &consumed, &record) !=
		    RPC_ASSEMBLY_RECORD)
			break;
		message(&w, record);
		data += consumed;
		size -= consumed;
	}
	rpc_assembler_deinit(&assembler);
	world_deinit(&w);
	return 0;
}
