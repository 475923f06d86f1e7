// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * COMPOUND: one operation after the other until one fails. RFC 7530 section 15.2, RFC 8881 sections
 * 2.10.6 and 16.2; the order of the tests is nfsd4_proc_compound's.
 */
#include "lab/serve/nfs4/nfs4_ops.h"
#include "lab/serve/nfs4/nfs4_owner.h"

enum {
	TAG_BYTES = 1024,
	OP_HEAD_BYTES = 8, /* number and status */
	CHANGE_ROOM_BYTES =
		512, /* a changing operation is not begun with less room for its result */
};

/* What the table says of an operation. */
enum {
	OP_NEEDS_FH = 1,
	OP_NEEDS_SAVED = 2,
	OP_FIRST = 4,    /* may be the first of a COMPOUND of 4.1 */
	OP_ALONE = 8,    /* as first it has to be the only one */
	OP_CHANGES = 16, /* must not be done when its result has no room */
};

struct op_row {
	nfs4_op_fn *run; /* NULL: not supported */
	uint8_t min_minor;
	uint8_t max_minor;
	uint8_t flags;
};

static const struct op_row op_rows[] = {
	[OP_ACCESS] = {nfs4_op_access, 0, 2, OP_NEEDS_FH},
	[OP_CLOSE] = {nfs4_op_close, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_COMMIT] = {nfs4_op_commit, 0, 2, OP_NEEDS_FH},
	[OP_CREATE] = {nfs4_op_create, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_DELEGPURGE] = {nfs4_op_delegpurge, 0, 2, 0},
	[OP_DELEGRETURN] = {nfs4_op_delegreturn, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_GETATTR] = {nfs4_op_getattr, 0, 2, OP_NEEDS_FH},
	[OP_GETFH] = {nfs4_op_getfh, 0, 2, OP_NEEDS_FH},
	[OP_LINK] = {nfs4_op_link, 0, 2, OP_NEEDS_FH | OP_NEEDS_SAVED | OP_CHANGES},
	[OP_LOCK] = {nfs4_op_lock, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_LOCKT] = {nfs4_op_lockt, 0, 2, OP_NEEDS_FH},
	[OP_LOCKU] = {nfs4_op_locku, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_LOOKUP] = {nfs4_op_lookup, 0, 2, OP_NEEDS_FH},
	[OP_LOOKUPP] = {nfs4_op_lookupp, 0, 2, OP_NEEDS_FH},
	[OP_NVERIFY] = {nfs4_op_nverify, 0, 2, OP_NEEDS_FH},
	[OP_OPEN] = {nfs4_op_open, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_OPENATTR] = {NULL, 0, 2, 0},
	[OP_OPEN_CONFIRM] = {nfs4_op_open_confirm, 0, 0, OP_NEEDS_FH | OP_CHANGES},
	[OP_OPEN_DOWNGRADE] = {nfs4_op_open_downgrade, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_PUTFH] = {nfs4_op_putfh, 0, 2, 0},
	[OP_PUTPUBFH] = {nfs4_op_putrootfh, 0, 2, 0},
	[OP_PUTROOTFH] = {nfs4_op_putrootfh, 0, 2, 0},
	[OP_READ] = {nfs4_op_read, 0, 2, OP_NEEDS_FH},
	[OP_READDIR] = {nfs4_op_readdir, 0, 2, OP_NEEDS_FH},
	[OP_READLINK] = {nfs4_op_readlink, 0, 2, OP_NEEDS_FH},
	[OP_REMOVE] = {nfs4_op_remove, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_RENAME] = {nfs4_op_rename, 0, 2, OP_NEEDS_FH | OP_NEEDS_SAVED | OP_CHANGES},
	[OP_RENEW] = {nfs4_op_renew, 0, 0, 0},
	[OP_RESTOREFH] = {nfs4_op_restorefh, 0, 2, 0},
	[OP_SAVEFH] = {nfs4_op_savefh, 0, 2, OP_NEEDS_FH},
	[OP_SECINFO] = {nfs4_op_secinfo, 0, 2, OP_NEEDS_FH},
	[OP_SETATTR] = {nfs4_op_setattr, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_SETCLIENTID] = {nfs4_op_setclientid, 0, 0, OP_CHANGES},
	[OP_SETCLIENTID_CONFIRM] = {nfs4_op_setclientid_confirm, 0, 0, OP_CHANGES},
	[OP_VERIFY] = {nfs4_op_verify, 0, 2, OP_NEEDS_FH},
	[OP_WRITE] = {nfs4_op_write, 0, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_RELEASE_LOCKOWNER] = {nfs4_op_release_lockowner, 0, 0, OP_CHANGES},
	[OP_BACKCHANNEL_CTL] = {nfs4_op_backchannel_ctl, 1, 2, OP_CHANGES},
	[OP_BIND_CONN_TO_SESSION] = {nfs4_op_bind_conn, 1, 2, OP_FIRST | OP_ALONE | OP_CHANGES},
	[OP_EXCHANGE_ID] = {nfs4_op_exchange_id, 1, 2, OP_FIRST | OP_ALONE | OP_CHANGES},
	[OP_CREATE_SESSION] = {nfs4_op_create_session, 1, 2, OP_FIRST | OP_ALONE | OP_CHANGES},
	[OP_DESTROY_SESSION] = {nfs4_op_destroy_session, 1, 2, OP_FIRST | OP_ALONE | OP_CHANGES},
	[OP_FREE_STATEID] = {nfs4_op_free_stateid, 1, 2, OP_CHANGES},
	[OP_GET_DIR_DELEGATION] = {NULL, 1, 2, 0},
	[OP_GETDEVICEINFO] = {NULL, 1, 2, 0},
	[OP_GETDEVICELIST] = {NULL, 1, 2, 0},
	[OP_LAYOUTCOMMIT] = {NULL, 1, 2, 0},
	[OP_LAYOUTGET] = {NULL, 1, 2, 0},
	[OP_LAYOUTRETURN] = {NULL, 1, 2, 0},
	[OP_SECINFO_NO_NAME] = {nfs4_op_secinfo_no_name, 1, 2, OP_NEEDS_FH},
	[OP_SEQUENCE] = {nfs4_op_sequence, 1, 2, OP_FIRST},
	[OP_SET_SSV] = {NULL, 1, 2, 0},
	[OP_TEST_STATEID] = {nfs4_op_test_stateid, 1, 2, 0},
	[OP_WANT_DELEGATION] = {NULL, 1, 2, 0},
	[OP_DESTROY_CLIENTID] = {nfs4_op_destroy_clientid, 1, 2, OP_FIRST | OP_ALONE | OP_CHANGES},
	[OP_RECLAIM_COMPLETE] = {nfs4_op_reclaim_complete, 1, 2, OP_CHANGES},
	[OP_ALLOCATE] = {nfs4_op_allocate, 2, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_COPY] = {nfs4_op_copy, 2, 2, OP_NEEDS_FH | OP_NEEDS_SAVED | OP_CHANGES},
	[OP_COPY_NOTIFY] = {NULL, 2, 2, 0},
	[OP_DEALLOCATE] = {nfs4_op_deallocate, 2, 2, OP_NEEDS_FH | OP_CHANGES},
	[OP_IO_ADVISE] = {NULL, 2, 2, 0},
	[OP_LAYOUTERROR] = {NULL, 2, 2, 0},
	[OP_LAYOUTSTATS] = {NULL, 2, 2, 0},
	[OP_OFFLOAD_CANCEL] = {NULL, 2, 2, 0},
	[OP_OFFLOAD_STATUS] = {NULL, 2, 2, 0},
	[OP_READ_PLUS] = {NULL, 2, 2, 0},
	[OP_SEEK] = {nfs4_op_seek, 2, 2, OP_NEEDS_FH},
	[OP_WRITE_SAME] = {NULL, 2, 2, 0},
	[OP_CLONE] = {NULL, 2, 2, 0},
	[OP_GETXATTR] = {NULL, 2, 2, 0},
	[OP_SETXATTR] = {NULL, 2, 2, 0},
	[OP_LISTXATTRS] = {NULL, 2, 2, 0},
	[OP_REMOVEXATTR] = {NULL, 2, 2, 0},
};

/* NULL for what is no operation of the minor version. */
static const struct op_row *op_row_find(uint32_t number, uint32_t minor)
{
	if (number < OP_ACCESS || number >= sizeof(op_rows) / sizeof(op_rows[0]) ||
	    op_rows[number].min_minor > minor)
		return NULL;
	return &op_rows[number];
}

/* nfsd's nfs41_check_op_ordering. */
static uint32_t order_check(const struct nfs4_run *run, const struct op_row *row, uint32_t number)
{
	if (run->minor == 0 || run->op_index > 0)
		return NFS4_OK;
	if (!(row->flags & OP_FIRST))
		return NFS4ERR_OP_NOT_IN_SESSION;
	if (number != OP_SEQUENCE && run->op_count != 1)
		return NFS4ERR_NOT_ONLY_OP;
	return NFS4_OK;
}

static size_t room_left(const struct nfs4_run *run, const struct xdr_writer *out)
{
	size_t used = (size_t)(out->pos - run->reply_start);
	size_t memory = (size_t)(out->end - out->pos);

	if (run->reply_limit == 0)
		return memory;
	if (used >= run->reply_limit)
		return 0;
	return run->reply_limit - used < memory ? run->reply_limit - used : memory;
}

/* What can be said before the operation is looked at. */
static uint32_t op_precheck(const struct nfs4_run *run, const struct op_row *row, uint32_t number)
{
	uint32_t status = order_check(run, row, number);

	if (status != NFS4_OK)
		return status;
	if (!row->run || row->max_minor < run->minor)
		return NFS4ERR_NOTSUPP;
	if (run->replay_refused)
		return NFS4ERR_RETRY_UNCACHED_REP;
	if ((row->flags & OP_NEEDS_FH) && !run->current.set)
		return NFS4ERR_NOFILEHANDLE;
	if ((row->flags & OP_NEEDS_SAVED) && !run->saved.set)
		return NFS4ERR_NOFILEHANDLE;
	if ((row->flags & OP_CHANGES) && run->room_bytes < CHANGE_ROOM_BYTES && run->op_index > 0)
		return run->limit_status;
	return NFS4_OK;
}

static void failure_put(struct xdr_writer *out, uint8_t *start, uint32_t number, uint32_t status)
{
	out->pos = start;
	out->overflow = false;
	out->invalid = false;
	xdr_put_u32(out, number);
	xdr_put_u32(out, status);
	if (number == OP_SETATTR)
		xdr_put_u32(out, 0); /* its result has the bitmap in any case */
}

/* The owner's sequence goes on, or its last result is said again. Returns the status. */
static uint32_t owner_settle(struct nfs4_run *run, struct xdr_writer *out, uint8_t *start,
			     uint32_t number, uint32_t status)
{
	struct nfs4_owner *owner = run->owner;
	struct cursor kept;

	if (run->owner_replayed) {
		out->pos = start;
		xdr_put_raw(out, slice_make(owner->replay, owner->replay_len));
		kept = cursor_make(slice_make(owner->replay, owner->replay_len));
		cursor_skip(&kept, 4);
		return cursor_u32(&kept);
	}
	nfs4_owner_store(owner, number, status, slice_make(start, (size_t)(out->pos - start)));
	return status;
}

/* Executes what was decoded and writes the result. */
static uint32_t op_execute(struct nfs4_run *run, const struct op_row *row,
			   const struct nfs4_nfs_argop4 *arg, struct xdr_writer *out)
{
	uint8_t *start = out->pos;
	struct nfs4_nfs_resop4 res;
	uint32_t status;

	memset(&res, 0, sizeof(res));
	run->scratch = xdr_writer_make(run->server->scratch, run->server->scratch_bytes);
	if (!run->session)
		run->client = NULL; /* each operation of 4.0 names its own */
	run->owner = NULL;
	run->owner_replayed = false;
	status = op_precheck(run, row, arg->argop);
	if (status != NFS4_OK) {
		failure_put(out, start, arg->argop, status);
		return status;
	}
	status = row->run(run, arg, &res);
	res.resop = arg->argop;
	res.status = status;
	nfs4_encode_nfs_resop4(out, &res);
	if (out->invalid) {
		status = NFS4ERR_SERVERFAULT;
		failure_put(out, start, arg->argop, status);
	} else if (out->overflow || (size_t)(out->pos - start) > run->room_bytes) {
		status = run->limit_status;
		failure_put(out, start, arg->argop, status);
	}
	if (run->owner)
		status = owner_settle(run, out, start, arg->argop, status);
	return status;
}

/* Decodes and executes the next operation. */
static uint32_t op_next(struct nfs4_run *run, struct cursor *args, struct xdr_writer *out)
{
	struct cursor peek = *args;
	uint32_t number = cursor_u32(&peek);
	const struct op_row *row = op_row_find(number, run->minor);
	struct nfs4_nfs_argop4 arg;

	run->room_bytes = room_left(run, out);
	if (!cursor_ok(&peek)) {
		failure_put(out, out->pos, OP_ILLEGAL, NFS4ERR_BADXDR);
		return NFS4ERR_BADXDR;
	}
	if (!row) {
		failure_put(out, out->pos, OP_ILLEGAL, NFS4ERR_OP_ILLEGAL);
		return NFS4ERR_OP_ILLEGAL;
	}
	nfs4_decode_nfs_argop4(args, &arg);
	if (!cursor_ok(args)) {
		failure_put(out, out->pos, number, NFS4ERR_BADXDR);
		return NFS4ERR_BADXDR;
	}
	return op_execute(run, row, &arg, out);
}

static uint32_t head_check(const struct nfs4_run *run)
{
	if (run->minor > run->server->config.max_minor)
		return NFS4ERR_MINOR_VERS_MISMATCH;
	if (run->minor == 0 && run->op_count > NFS4_MAX_OPS)
		return NFS4ERR_RESOURCE;
	return NFS4_OK;
}

/* The operations; *results of them have a result. Returns the status of the last. */
static uint32_t ops_run(struct nfs4_run *run, struct cursor *args, struct xdr_writer *out,
			uint32_t *results)
{
	uint32_t status = NFS4_OK;

	*results = 0;
	for (run->op_index = 0; run->op_index < run->op_count && status == NFS4_OK;
	     run->op_index++) {
		/* A message that no session bounds: the last results would have no room. */
		if (out->end - out->pos < OP_HEAD_BYTES + 4)
			return NFS4ERR_RESOURCE;
		status = op_next(run, args, out);
		(*results)++;
		if (run->replayed)
			return status;
	}
	return status;
}

enum nfs4_outcome nfs4_compound(struct nfs4_server *server, const struct nfs4_call *call,
				struct cursor args, struct xdr_writer *out, int64_t now_ns)
{
	struct nfs4_run run = {
		.server = server,
		.call = call,
		.now_ns = now_ns,
		.reply_start = out->pos,
		.limit_status = NFS4ERR_RESOURCE,
	};
	struct nfs4_COMPOUND4args head;
	uint8_t *status_at = out->pos;
	uint8_t *count_at;
	uint32_t results = 0;
	uint32_t status;

	nfs4_decode_COMPOUND4args_head(&args, &head);
	if (!cursor_ok(&args) || head.tag.len > TAG_BYTES || head.tag.have != head.tag.len)
		return NFS4_GARBAGE_ARGS;
	run.minor = head.minorversion;
	run.op_count = head.argarray.count;
	xdr_put_u32(out, 0);
	xdr_put_opaque(out, head.tag, TAG_BYTES);
	count_at = out->pos;
	xdr_put_u32(out, 0);
	if (!xdr_writer_ok(out))
		return NFS4_GARBAGE_ARGS;
	status = head_check(&run);
	if (status == NFS4_OK)
		status = ops_run(&run, &args, out, &results);
	if (run.replayed) {
		out->pos = run.reply_start;
		xdr_put_raw(out, slice_make(run.slot->reply, run.slot->reply_len));
		return NFS4_REPLY;
	}
	nfs4_u32_set(status_at, status);
	nfs4_u32_set(count_at, results);
	if (run.slot)
		nfs4_slot_store(&run, status, results,
				slice_make(run.reply_start, (size_t)(out->pos - run.reply_start)));
	return NFS4_REPLY;
}
