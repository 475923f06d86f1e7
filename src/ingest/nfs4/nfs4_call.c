// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Arguments of COMPOUND and CB_COMPOUND (RFC 8881 sections 16.2, 20.2): walks the operations,
 * decodes those that carry state and skips the others. What a cut leaves of an operation is used as
 * far as it tells something whole.
 */
#include "ingest/private.h"

#include "base/mem.h"
#include "names/nfs4.h"
#include "proto/nfs4_xdr.h"

#include <stdlib.h>

const char *ingest_fault_text(enum cursor_fault fault)
{
	static const char *const texts[] = {
		[CURSOR_OK] = NULL,
		[CURSOR_CUT] = "cut short in the capture",
		[CURSOR_SHORT] = "ends too early",
		[CURSOR_LIMIT] = "length above its limit",
		[CURSOR_VALUE] = "value that is not allowed",
	};

	return texts[fault];
}

static void read_sequence(struct pending_call *p, struct cursor c)
{
	struct nfs4_sequence *s = &p->call.sequence;

	s->status = NFS4_STATUS_NONE;
	xdr_take_bytes(&c, s->sessionid, NFS4_SESSIONID_BYTES);
	s->present = cursor_ok(&c);
	s->seqid = cursor_u32(&c);
	s->slot = cursor_u32(&c);
	s->highest_slot = cursor_u32(&c);
	s->cache_this = cursor_bool(&c);
}

/* --- one function for each kind of fact: fills it in, or leaves kind untouched --- */

static bool read_exchange_id(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	struct nfs4_EXCHANGE_ID4args args;

	nfs4_decode_EXCHANGE_ID4args(c, &args);
	memcpy(f->verifier, args.eia_clientowner.co_verifier, NFS4_VERIFIER_BYTES);
	f->owner = pending_keep_name(p, args.eia_clientowner.co_ownerid);
	f->flags = args.eia_flags;
	return args.eia_clientowner.co_ownerid.have == args.eia_clientowner.co_ownerid.len;
}

static bool read_create_session(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	struct nfs4_CREATE_SESSION4args args;

	(void)p;
	nfs4_decode_CREATE_SESSION4args(c, &args);
	f->clientid = args.csa_clientid;
	f->sequence = args.csa_sequence;
	f->flags = args.csa_flags;
	f->slots = args.csa_fore_chan_attrs.ca_maxrequests;
	return f->clientid != 0;
}

static bool read_sessionid(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	(void)p;
	xdr_take_bytes(c, f->sessionid, NFS4_SESSIONID_BYTES);
	return cursor_ok(c);
}

static bool read_bind(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	bool read = read_sessionid(p, c, f);

	f->flags = cursor_u32(c);
	return read;
}

/* DESTROY_CLIENTID, RENEW and SETCLIENTID_CONFIRM begin with the client ID. */
static bool read_clientid(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	(void)p;
	f->clientid = cursor_u64(c);
	return cursor_ok(c);
}

static bool read_reclaim_complete(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	(void)p;
	f->one_fs = cursor_bool(c);
	return cursor_ok(c);
}

static bool read_setclientid(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	struct nfs4_SETCLIENTID4args args;

	nfs4_decode_SETCLIENTID4args(c, &args);
	memcpy(f->verifier, args.client.verifier, NFS4_VERIFIER_BYTES);
	f->owner = pending_keep_name(p, args.client.id);
	return args.client.id.have == args.client.id.len;
}

static bool read_open(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	struct nfs4_op_fact *op = &p->call.ops[p->call.ops_len - 1];
	struct nfs4_OPEN4args args;

	nfs4_decode_OPEN4args(c, &args);
	f->clientid = args.owner.clientid;
	f->claim = (uint32_t)args.claim.claim;
	if (!cursor_ok(c))
		return false;
	if (args.claim.claim == CLAIM_DELEGATE_CUR)
		op->name = ingest_name(args.claim.delegate_cur_info.file);
	else if (args.claim.claim == CLAIM_NULL || args.claim.claim == CLAIM_DELEGATE_PREV)
		op->name = ingest_name(args.claim.file);
	return true;
}

static bool read_lock(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	struct nfs4_LOCK4args args;

	(void)p;
	nfs4_decode_LOCK4args(c, &args);
	f->claim = args.reclaim;
	if (args.locker.new_lock_owner)
		f->clientid = args.locker.open_owner.lock_owner.clientid;
	return cursor_ok(c);
}

static bool read_test_stateid(struct pending_call *p, struct cursor *c, struct nfs4_fact *f)
{
	(void)p;
	f->tested = cursor_u32(c);
	f->test_status = NFS4_STATUS_NONE;
	return cursor_ok(c);
}

/* By operation; those without `read` tell no fact. */
static const struct fact_row {
	enum nfs4_fact_kind kind;
	bool (*read)(struct pending_call *p, struct cursor *c, struct nfs4_fact *f);
} fact_rows[] = {
	[OP_LOCK] = {NFS4_FACT_LOCK, read_lock},
	[OP_OPEN] = {NFS4_FACT_OPEN, read_open},
	[OP_RENEW] = {NFS4_FACT_RENEW, read_clientid},
	[OP_SETCLIENTID] = {NFS4_FACT_SETCLIENTID, read_setclientid},
	[OP_SETCLIENTID_CONFIRM] = {NFS4_FACT_SETCLIENTID_CONFIRM, read_clientid},
	[OP_BIND_CONN_TO_SESSION] = {NFS4_FACT_BIND_CONN, read_bind},
	[OP_EXCHANGE_ID] = {NFS4_FACT_EXCHANGE_ID, read_exchange_id},
	[OP_CREATE_SESSION] = {NFS4_FACT_CREATE_SESSION, read_create_session},
	[OP_DESTROY_SESSION] = {NFS4_FACT_DESTROY_SESSION, read_sessionid},
	[OP_TEST_STATEID] = {NFS4_FACT_TEST_STATEID, read_test_stateid},
	[OP_DESTROY_CLIENTID] = {NFS4_FACT_DESTROY_CLIENTID, read_clientid},
	[OP_RECLAIM_COMPLETE] = {NFS4_FACT_RECLAIM_COMPLETE, read_reclaim_complete},
};

/* `args` stands behind the operation number. */
static void read_fact(struct pending_call *p, uint32_t op, const struct cursor *args)
{
	struct nfs4_fact *f;
	struct cursor c;

	if (op >= sizeof(fact_rows) / sizeof(*fact_rows) || !fact_rows[op].read)
		return;
	f = pending_add_fact(p);
	f->kind = fact_rows[op].kind;
	f->op = op;
	f->index = (uint16_t)(p->call.ops_len - 1);
	cursor_copy(&c, args);
	if (!fact_rows[op].read(p, &c, f))
		p->call.facts_len--;
}

/* The current and the saved file (RFC 8881 section 16.2.3.1.1), as indices into call.files. */
struct compound_files {
	uint8_t current, saved;
};

/* What the operation makes the current file, where the call alone tells it. */
static uint8_t file_after(const struct pending_call *p, const struct compound_files *files,
			  uint32_t op)
{
	switch (op) {
	case OP_RESTOREFH:
		return files->saved;
	case OP_LOOKUP:
	case OP_LOOKUPP:
	case OP_PUTROOTFH:
	case OP_PUTPUBFH:
	case OP_CREATE:
	case OP_OPENATTR:
		return NFS4_INDEX_NONE;
	case OP_OPEN: /* of a name: the file that it finds; else the current one */
		return p->call.facts_len && p->call.facts[p->call.facts_len - 1].op == OP_OPEN &&
				       p->call.ops[p->call.ops_len - 1].name == 0
			       ? files->current
			       : NFS4_INDEX_NONE;
	default:
		return files->current;
	}
}

/* By operation: how many bytes before the stateid stand in the arguments, and one; 0: it has none.
 */
static const uint8_t stateid_places[] = {
	[OP_CLOSE] = 1 + 4,      [OP_DELEGRETURN] = 1,
	[OP_LOCKU] = 1 + 8,      [OP_OPEN_CONFIRM] = 1,
	[OP_OPEN_DOWNGRADE] = 1, [OP_READ] = 1,
	[OP_SETATTR] = 1,        [OP_WRITE] = 1,
	[OP_FREE_STATEID] = 1,   [OP_LAYOUTCOMMIT] = 1 + 20,
	[OP_LAYOUTGET] = 1 + 36, [OP_TEST_STATEID] = 1 + 4,
	[OP_ALLOCATE] = 1,       [OP_DEALLOCATE] = 1,
	[OP_READ_PLUS] = 1,      [OP_SEEK] = 1,
};

enum { LOCK_OFFSET_NEW_OWNER = 24, LOCK_OFFSET_STATEID = 28, LOCK_OPEN_SEQID_BYTES = 4 };

static uint8_t read_stateid(struct pending_call *p, uint32_t op, const struct cursor *args)
{
	struct cursor at;

	if (op == OP_LOCK) {
		cursor_copy(&at, args);
		cursor_skip(&at, LOCK_OFFSET_NEW_OWNER);
		if (cursor_bool(&at))
			cursor_skip(&at, LOCK_OPEN_SEQID_BYTES);
		return pending_keep_stateid(p, at);
	}
	if (op >= sizeof(stateid_places) || stateid_places[op] == 0)
		return NFS4_INDEX_NONE;
	cursor_copy(&at, args);
	cursor_skip(&at, stateid_places[op] - 1U);
	return pending_keep_stateid(p, at);
}

static void read_name(struct pending_call *p, struct nfs4_op_fact *fact, struct xdr_opaque name)
{
	fact->name = ingest_name(name);
	if (fact->op == OP_LOOKUP)
		p->call.name_hash = ingest_name(name);
}

/* Notes on which file and with which stateid the operation works. */
static void read_use(struct pending_call *p, struct compound_files *files, uint32_t op,
		     const struct cursor *args)
{
	static const struct file_handle unknown = {0};
	struct nfs4_op_fact *fact = &p->call.ops[p->call.ops_len - 1];
	struct cursor at;

	if (op == OP_PUTFH) {
		struct xdr_opaque handle;

		cursor_copy(&at, args);
		handle = cursor_opaque(&at, RPC_HANDLE_BYTES_MAX);

		files->current = pending_keep_file(p, handle);
		if (p->call.object == 0)
			p->call.object = ingest_object(handle);
	}
	fact->file = files->current;
	fact->stateid = read_stateid(p, op, args);
	if (op == OP_SAVEFH) {
		files->saved = files->current;
	} else if (op == OP_REMOVE || op == OP_LOOKUP) {
		cursor_copy(&at, args);
		read_name(p, fact, cursor_opaque(&at, UINT32_MAX));
	} else if (op == OP_READDIR) {
		ingest_told_readdir4(
			p, fact->file == NFS4_INDEX_NONE ? &unknown : &p->call.files[fact->file],
			*args);
	}
}

/* What a callback is about. */
static void read_callback(struct pending_call *p, uint32_t op, struct cursor args)
{
	struct nfs4_op_fact *fact = &p->call.ops[p->call.ops_len - 1];

	if (op == OP_CB_RECALL) {
		fact->stateid = pending_keep_stateid(p, args);
		cursor_skip(&args, NFS4_STATEID_BYTES);
		cursor_bool(&args); /* truncate */
	} else if (op != OP_CB_GETATTR) {
		return;
	}
	fact->file = pending_keep_file(p, cursor_opaque(&args, RPC_HANDLE_BYTES_MAX));
}

/* What the operation is about; the cursor stands behind its number. */
static void read_subject(struct pending_call *p, struct compound_files *files, uint32_t op,
			 const struct cursor *at)
{
	if (p->call.is_callback) {
		read_callback(p, op, *at);
	} else if (op == OP_SEQUENCE) {
		read_sequence(p, *at);
	} else {
		read_use(p, files, op, at);
		if (p->call.ops_len <= UINT16_MAX)
			read_fact(p, op, at);
		files->current = file_after(p, files, op);
	}
}

static void read_op(const struct ingest *in, struct pending_call *p, struct compound_files *files,
		    struct cursor *c)
{
	struct cursor at;
	uint32_t op;

	cursor_copy(&at, c);
	op = cursor_u32(&at);
	if (!cursor_ok(&at)) {
		cursor_fail(c, at.fault);
		return;
	}
	pending_add_op(p)->op = op;
	if (!in->options.counts_only)
		read_subject(p, files, op, &at);
	if (p->call.is_callback)
		nfs4_skip_nfs_cb_argop4(c);
	else
		nfs4_skip_nfs_argop4(c);
}

static void read_texts(struct pending_call *p, const struct cursor *starts)
{
	p->call.ops_text = mem_alloc(p->call.ops_len, sizeof(*p->call.ops_text));
	for (uint32_t i = 0; i < p->call.ops_len && i < INGEST_OPS_TEXT_MAX; i++)
		p->call.ops_text[i] = ingest_text_op(starts[i], p->call.is_callback, false);
}

void ingest_nfs4_call(struct ingest *in, struct pending_call *p, struct cursor *c)
{
	struct compound_files files = {NFS4_INDEX_NONE, NFS4_INDEX_NONE};
	struct cursor *starts = NULL;
	uint32_t count;

	cursor_opaque(c, UINT32_MAX); /* tag */
	p->call.minor_version = cursor_u32(c);
	if (p->call.is_callback)
		cursor_u32(c); /* callback_ident */
	count = cursor_u32(c);
	if (in->options.keep_text)
		starts = mem_alloc(INGEST_OPS_TEXT_MAX, sizeof(*starts));
	for (uint32_t i = 0; i < count && cursor_ok(c); i++) {
		if (starts && i < INGEST_OPS_TEXT_MAX)
			starts[i] = *c;
		read_op(in, p, &files, c);
	}
	if (starts)
		read_texts(p, starts);
	free(starts);
	p->call.call_damage = ingest_fault_text(c->fault);
}
