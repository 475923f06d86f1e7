/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A server without sockets, and calls to it: for tests of what it serves. */
#ifndef SERVE_STAGE_H
#define SERVE_STAGE_H

#include <stdlib.h>
#include <string.h>

#include "check.h"
#include "lab/serve/server.h"
#include "lab/serve/tree/tree_text.h"
#include "names/nfs3.h"

enum { ALL_PORTS = (1 << SERVER_PORTS) - 1, START_NS = 5000 };

/* A server, one call to it, and the results of its reply. */
struct stage {
	struct tree *tree;
	struct server server;
	struct rpc_auth_sys who;
	struct net_address peer;
	int64_t now_ns;
	uint8_t args[8192];
	struct xdr_writer w; /* the arguments */
	uint8_t *reply;
	struct cursor results;
};

static inline void stage_init(struct stage *s, const char *tree)
{
	struct err *err;

	memset(s, 0, sizeof(*s));
	s->tree = tree_create(NULL, 7, 1000);
	err = tree_text_add(s->tree, slice_of_string(tree), 1000);
	CHECK(err == NULL);
	err_destroy(err);
	server_init(&s->server, s->tree, 0);
	s->now_ns = START_NS;
	s->peer = net_address_loopback(700);
	s->reply = malloc(SERVER_REPLY_BYTES);
	s->w = xdr_writer_make(s->args, sizeof(s->args));
	server_register(&s->server, SERVER_NFS, RPC_OVER_TCP, false, 2049);
	server_register(&s->server, SERVER_MOUNT, RPC_OVER_UDP, false, 999);
}

static inline void stage_deinit(struct stage *s)
{
	server_deinit(&s->server);
	tree_destroy(s->tree);
	free(s->reply);
}

/* Makes the call with the arguments that were written; the accept_stat, or 100 + auth_stat. */
static inline uint32_t call(struct stage *s, uint32_t program, uint32_t version, uint32_t procedure)
{
	uint8_t memory[10000];
	struct xdr_writer w = xdr_writer_make(memory, sizeof(memory));
	struct xdr_writer out = xdr_writer_make(s->reply, SERVER_REPLY_BYTES);
	struct rpc_in in = {.peer = &s->peer}, answer = {0};

	rpc_call_begin(&w, 99, program, version, procedure, &s->who);
	xdr_put_raw(&w, xdr_writer_bytes(&s->w));
	s->w = xdr_writer_make(s->args, sizeof(s->args));
	CHECK_EQ_U64(rpc_in_take(xdr_writer_bytes(&w), &in), RPC_TAKEN_CALL);
	CHECK_EQ_U64(serve_handle(&s->server, &in, ALL_PORTS, &out, s->now_ns), SERVER_REPLY);
	CHECK_EQ_U64(rpc_in_take(xdr_writer_bytes(&out), &answer), RPC_TAKEN_REPLY);
	CHECK_EQ_U64(answer.xid, 99);
	s->results = cursor_make(answer.args);
	return answer.message.reply.reply_stat == RPC_REPLY_DENIED
		       ? 100 + answer.message.reply.auth_stat
		       : answer.message.reply.accept_stat;
}

/* The whole result was read. */
static inline void results_end(struct stage *s)
{
	CHECK(cursor_ok(&s->results) && cursor_left(&s->results) == 0);
}

static inline uint64_t at(const struct stage *s, const char *path)
{
	uint64_t id = tree_root(s->tree);

	while (*path == '/' && path[1]) {
		size_t len = strcspn(++path, "/");

		if (!CHECK_EQ_U64(tree_lookup(s->tree, id, slice_make(path, len), &id), TREE_OK))
			return 0;
		path += len;
	}
	return id;
}

static inline void put_text(struct stage *s, const char *text)
{
	struct xdr_opaque o = {.ptr = (const uint8_t *)text,
			       .len = (uint32_t)strlen(text),
			       .have = (uint32_t)strlen(text)};

	xdr_put_opaque(&s->w, o, XDR_ANY);
}

static inline void put_handle(struct stage *s, const char *path)
{
	uint8_t handle[TREE_HANDLE_BYTES];
	struct xdr_opaque o = {.ptr = handle, .len = sizeof(handle), .have = sizeof(handle)};

	tree_handle_make(s->tree, at(s, path), handle);
	xdr_put_opaque(&s->w, o, NFS3_FHSIZE);
}

static inline void put_name(struct stage *s, const char *dir, const char *name)
{
	put_handle(s, dir);
	put_text(s, name);
}

static inline void put_words(struct stage *s, size_t count, const uint32_t *words)
{
	for (size_t i = 0; i < count; i++)
		xdr_put_u32(&s->w, words[i]);
}

#define PUT(s, ...) \
	put_words(s, sizeof((uint32_t[]){__VA_ARGS__}) / 4, (const uint32_t[]){__VA_ARGS__})

#endif
