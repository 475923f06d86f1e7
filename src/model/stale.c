// SPDX-License-Identifier: GPL-2.0-or-later
/* See stale.h. */
#include "model/stale.h"

#include "base/hash.h"
#include "base/mem.h"
#include "event/handle.h"
#include "names/nfs3.h"
#include "names/nfs4.h"

#include <stdlib.h>
#include <string.h>

/* struct knfsd_fh: version, authentication, kind of file system ID, kind of file ID. */
enum { NFSD_VERSION, NFSD_AUTH, NFSD_FSID_TYPE, NFSD_FILEID_TYPE, NFSD_HEAD_BYTES };
enum { NFSD_FH_VERSION = 1, NFSD_FILEID_ROOT = 0 };

/* Bytes of a file system ID by its kind (fs/nfsd/nfsfh.h: key_len). */
static const uint8_t nfsd_fsid_bytes[] = {8, 4, 12, 8, 8, 8, 16, 24};

/* 0: not a Linux nfsd's. */
static uint8_t nfsd_prefix_bytes(const struct file_handle *h)
{
	uint8_t kind;

	if (h->len < NFSD_HEAD_BYTES || h->bytes[NFSD_VERSION] != NFSD_FH_VERSION ||
	    h->bytes[NFSD_AUTH] != 0)
		return 0;
	kind = h->bytes[NFSD_FSID_TYPE];
	if (kind >= sizeof(nfsd_fsid_bytes) || h->len < NFSD_HEAD_BYTES + nfsd_fsid_bytes[kind])
		return 0;
	return (uint8_t)(NFSD_HEAD_BYTES + nfsd_fsid_bytes[kind]);
}

static bool export_equal(const void *item, const void *key)
{
	const struct stale_export *a = item, *b = key;

	return a->version == b->version && a->prefix_len == b->prefix_len &&
	       memcmp(a->prefix, b->prefix, a->prefix_len) == 0 &&
	       endpoint_equal(&a->client, &b->client) && endpoint_equal(&a->server, &b->server);
}

static uint64_t export_hash(const struct stale_export *e)
{
	uint64_t hash = hash_u64(hash_bytes(e->prefix, e->prefix_len), e->version);

	hash = hash_u64(hash, hash_bytes(e->client.addr, sizeof(e->client.addr)));
	return hash_u64(hash ^ hash_bytes(e->server.addr, sizeof(e->server.addr)), e->server.port);
}

static struct stale_export *export_get(struct stale_model *m, const struct rpc_call *call,
				       const struct file_handle *handle)
{
	struct stale_export key; /* of which only the key is filled in: it is large */
	struct stale_export *e;
	uint64_t hash;

	key.server = call->conn->server;
	key.client = call->conn->client;
	key.client.port = 0;
	key.version = call->version;
	key.prefix_len = nfsd_prefix_bytes(handle);
	memcpy(key.prefix, handle->bytes, key.prefix_len);
	if (key.prefix_len)
		key.prefix[NFSD_FILEID_TYPE] = 0; /* of the file, not of the export */
	if (m->last && export_equal(m->last, &key))
		return m->last;
	hash = export_hash(&key);
	e = recent_find(&m->exports, hash, &key);
	if (e) {
		recent_touch(&m->exports, &e->item);
	} else {
		e = mem_alloc(1, sizeof(*e));
		e->server = key.server;
		e->client = key.client;
		e->version = key.version;
		e->prefix_len = key.prefix_len;
		memcpy(e->prefix, key.prefix, key.prefix_len);
		free(recent_add(&m->exports, hash, &e->item));
	}
	m->last = e;
	return e;
}

static bool handle_is_root(const struct rpc_call *call, const struct file_handle *h)
{
	/* FSSTAT and FSINFO are asked of an export's root (RFC 1813 sections 3.3.18, 3.3.19). */
	if (call->program == NFS_PROGRAM && call->version == NFS_V3 &&
	    (call->procedure == NFSPROC3_FSSTAT || call->procedure == NFSPROC3_FSINFO))
		return true;
	return nfsd_prefix_bytes(h) && h->bytes[NFSD_FILEID_TYPE] == NFSD_FILEID_ROOT;
}

static void run_add_handle(struct stale_run *r, uint32_t hash)
{
	for (uint32_t i = 0; i < r->handles_len; i++)
		if (r->handles[i] == hash)
			return;
	if (r->handles_len < STALE_HANDLES_MAX)
		r->handles[r->handles_len++] = hash;
}

static void take_stale(struct stale_model *m, const struct rpc_call *call,
		       const struct file_handle *handle)
{
	struct stale_export *e = export_get(m, call, handle);
	struct stale_run *r = &e->now;

	if (r->count++ == 0) {
		r->first = call->reply;
		r->serial = call->conn->serial;
		r->worked = e->worked;
		r->worked_count = e->worked_count;
		r->worked_serial = e->worked_serial;
	}
	r->last = call->reply;
	r->lossy |= call->conn->lossy;
	run_add_handle(r, file_handle_hash(handle));
	if (!r->root && handle_is_root(call, handle)) {
		r->root = true;
		r->root_at = call->reply;
	}
}

static int64_t run_ns(const struct stale_run *r)
{
	return r->count ? r->last.at.ns - r->first.at.ns : 0;
}

static void take_works(struct stale_model *m, const struct rpc_call *call,
		       const struct file_handle *handle)
{
	struct stale_export *e = export_get(m, call, handle);

	if (e->now.count) {
		e->now.ended = call->reply;
		if (run_ns(&e->now) >= run_ns(&e->longest))
			e->longest = e->now;
		e->now = (struct stale_run){0};
		e->worked_count = 0;
	}
	e->worked = call->reply;
	e->worked_serial = call->conn->serial;
	e->worked_count++;
}

static void take_v3(struct stale_model *m, const struct rpc_call *call)
{
	if (!call->has_status || call->files_len == 0)
		return;
	if (call->status == NFS3ERR_STALE)
		take_stale(m, call, &call->files[0]);
	else if (call->status != NFS3ERR_BADHANDLE)
		take_works(m, call, &call->files[0]);
}

/* What was put as the current file is taken, or the first operation that fails tells. */
static void take_v4(struct stale_model *m, const struct rpc_call *call)
{
	const struct file_handle *taken = NULL, *file;

	for (uint32_t i = 0; i < call->ops_len; i++) {
		const struct nfs4_op_fact *op = &call->ops[i];

		if (op->status == NFS4_STATUS_NONE)
			break;
		file = rpc_op_file(call, op);
		if (op->status == NFS4ERR_STALE && file) {
			take_stale(m, call, file);
			return;
		}
		if (op->op == OP_PUTFH && op->status == NFS4_OK && file && !taken)
			taken = file;
	}
	if (taken)
		take_works(m, call, taken);
}

static void take_reply(void *context, const struct event *event)
{
	const struct rpc_call *call = event->rpc;

	if (!call->has_call || call->outcome != RPC_SUCCESS || call->program != NFS_PROGRAM ||
	    call->from != CONN_FROM_CLIENT)
		return;
	if (call->version == NFS_V3)
		take_v3(context, call);
	else if (call->version == NFS_V4)
		take_v4(context, call);
}

void stale_model_init(struct stale_model *m)
{
	*m = (struct stale_model){0};
	recent_init(&m->exports, export_equal, STALE_EXPORTS_MAX);
}

void stale_model_deinit(struct stale_model *m)
{
	recent_deinit(&m->exports);
}

void stale_model_attach(struct stale_model *m, struct event_board *board)
{
	event_board_add(board, EVENT_RPC_REPLY, take_reply, m);
}
