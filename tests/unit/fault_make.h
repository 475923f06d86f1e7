/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Messages for tests of faults: calls and replies as clients and servers send them. */
#ifndef FAULT_MAKE_H
#define FAULT_MAKE_H

#include "names/nfs4.h"
#include "proto/nfs4_xdr.h"
#include "proto/rpc_encode.h"

struct made {
	uint8_t bytes[1024];
	struct xdr_writer w;
};

static inline struct slice made_bytes(const struct made *m)
{
	return xdr_writer_bytes(&m->w);
}

static inline struct xdr_opaque made_opaque(const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	return (struct xdr_opaque){(const uint8_t *)text, len, len};
}

/* A call with AUTH_SYS of uid 1000; its arguments are to be written to m->w. */
static inline void make_call(struct made *m, uint32_t xid, uint32_t program, uint32_t version,
			     uint32_t procedure)
{
	static uint8_t cred[64];
	struct xdr_writer c = xdr_writer_make(cred, sizeof(cred));
	struct rpc_auth_sys sys = {.machine = slice_of_string("alpha"), .uid = 1000, .gid = 100};
	struct rpc_call_header head = {
		.rpcvers = 2, .program = program, .version = version, .procedure = procedure};

	rpc_auth_sys_encode(&c, &sys);
	head.cred = (struct rpc_auth){RPC_AUTH_SYS, xdr_writer_bytes(&c)};
	m->w = xdr_writer_make(m->bytes, sizeof(m->bytes));
	rpc_call_encode(&m->w, xid, &head);
}

static inline void make_reply(struct made *m, uint32_t xid)
{
	struct rpc_reply_header head = {.reply_stat = RPC_REPLY_ACCEPTED};

	m->w = xdr_writer_make(m->bytes, sizeof(m->bytes));
	rpc_reply_encode(&m->w, xid, &head);
}

/* SEQUENCE (slot 3), PUTFH "dir", OPEN? LOOKUP name, GETFH. */
static inline void make_lookup4(struct made *m, uint32_t xid, const char *handle, const char *name)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_SEQUENCE};

	make_call(m, xid, NFS4_PROGRAM, NFS_V4, NFSPROC4_COMPOUND);
	xdr_put_u32(&m->w, 0); /* tag */
	xdr_put_u32(&m->w, 1); /* minor version */
	xdr_put_u32(&m->w, 4);
	op.opsequence = (struct nfs4_SEQUENCE4args){.sa_sequenceid = 7, .sa_slotid = 3};
	nfs4_encode_nfs_argop4(&m->w, &op);
	op = (struct nfs4_nfs_argop4){.argop = OP_PUTFH, .opputfh.object = made_opaque(handle)};
	nfs4_encode_nfs_argop4(&m->w, &op);
	op = (struct nfs4_nfs_argop4){.argop = OP_LOOKUP, .oplookup.objname = made_opaque(name)};
	nfs4_encode_nfs_argop4(&m->w, &op);
	op = (struct nfs4_nfs_argop4){.argop = OP_GETFH};
	nfs4_encode_nfs_argop4(&m->w, &op);
}

/* The reply: the first `count` operations succeed. */
static inline void make_lookup4_reply(struct made *m, uint32_t xid, uint32_t count,
				      const char *handle)
{
	struct nfs4_nfs_resop4 op = {.resop = OP_SEQUENCE};

	make_reply(m, xid);
	xdr_put_u32(&m->w, NFS4_OK);
	xdr_put_u32(&m->w, 0);
	xdr_put_u32(&m->w, count);
	op.opsequence.sr_resok4 = (struct nfs4_SEQUENCE4resok){.sr_sequenceid = 7, .sr_slotid = 3};
	if (count > 0)
		nfs4_encode_nfs_resop4(&m->w, &op);
	op = (struct nfs4_nfs_resop4){.resop = OP_PUTFH};
	if (count > 1)
		nfs4_encode_nfs_resop4(&m->w, &op);
	op = (struct nfs4_nfs_resop4){.resop = OP_LOOKUP};
	if (count > 2)
		nfs4_encode_nfs_resop4(&m->w, &op);
	op = (struct nfs4_nfs_resop4){.resop = OP_GETFH,
				      .opgetfh.resok4.object = made_opaque(handle)};
	if (count > 3)
		nfs4_encode_nfs_resop4(&m->w, &op);
}

/* NFSv3 LOOKUP of name in handle. */
static inline void make_lookup3(struct made *m, uint32_t xid, const char *handle, const char *name)
{
	make_call(m, xid, 100003, 3, 3);
	xdr_put_opaque(&m->w, made_opaque(handle), 64);
	xdr_put_opaque(&m->w, made_opaque(name), 255);
}

#endif
