/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What server.c and the programs of the server share; nobody else includes it. */
#ifndef LAB_SERVE_PROGRAM_H
#define LAB_SERVE_PROGRAM_H

#include "lab/serve/server.h"

/* What came of a procedure. All but DONE take back what was written. */
enum program_done {
	PROGRAM_DONE,
	PROGRAM_GARBAGE,      /* the arguments cannot be decoded */
	PROGRAM_NO_PROCEDURE, /* there is none of that number */
	PROGRAM_SILENT,       /* no reply at all */
};

/* A call on its way through a program. The reply's header stands in `out` already. */
struct program_call {
	struct server *server;
	struct tree *tree;
	const struct rpc_in *in;
	struct cursor args;
	struct xdr_writer *out;
	struct tree_cred cred;
	int64_t now_ns;
	int64_t wall_ns; /* now, since 1970 */
};

typedef enum program_done program_fn(struct program_call *c);

program_fn portmap_call, mount_call, nfs3_call, nfs4_call, nlm_call, nsm_call;

/* A version of a program, or a range of versions. */
struct program {
	enum server_port port;
	uint32_t number, low, high;
	program_fn *run;
};

/* All programs, count of them in *count. */
const struct program *program_table(size_t *count);

/* True when this version of the program is to be served. */
bool program_is_served(const struct server *s, const struct program *p, uint32_t version);

/* Decoding went well and nothing is left to be read. */
static inline bool program_args_ok(const struct program_call *c)
{
	return cursor_ok(&c->args);
}

static inline struct xdr_opaque program_opaque(struct slice bytes)
{
	return (struct xdr_opaque){
		.ptr = bytes.ptr, .len = (uint32_t)bytes.len, .have = (uint32_t)bytes.len};
}

static inline struct xdr_opaque program_text(const char *text)
{
	return program_opaque(slice_of_string(text));
}

#endif
