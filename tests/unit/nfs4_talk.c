// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_talk.h. */
#include "nfs4_talk.h"
#include "base/mem.h"
#include "check.h"

#include <stdlib.h>

static bool callback_note(void *context, const struct nfs4_callback *callback)
{
	struct talk *t = context;
	struct talk_callback *note;

	if (t->callbacks_fail || t->callback_count == TALK_CALLBACKS)
		return false;
	note = &t->callbacks[t->callback_count++];
	note->token = callback->token;
	note->connection = callback->connection;
	note->procedure = callback->procedure;
	note->program = callback->program;
	note->args_len = callback->args.len;
	if (callback->args.len > 0)
		memcpy(note->args, callback->args.ptr, callback->args.len);
	return true;
}

struct talk *talk_create(void (*change)(struct nfs4_server_config *config))
{
	struct talk *t = mem_alloc(1, sizeof(*t));
	struct nfs4_server_config config = {
		.ops = {.send_callback = callback_note, .context = t},
		.owner = "owner",
		.scope = "scope",
		.boot_seconds = 1700000000,
		.max_minor = 2,
	};

	t->now_ns = 1000 * TALK_SECOND;
	t->tree = tree_create(&(struct tree_limits){0}, 1, 0);
	config.tree = t->tree;
	if (change)
		change(&config);
	t->server = nfs4_server_create(&config, t->now_ns);
	t->call = (struct nfs4_call){.cred = {.flavor = 1}, .connection = 1};
	t->op_bytes = mem_alloc(1, TALK_BYTES);
	t->reply_bytes = mem_alloc(1, TALK_BYTES);
	return t;
}

void talk_destroy(struct talk *t)
{
	nfs4_server_destroy(t->server);
	tree_destroy(t->tree);
	free(t->op_bytes);
	free(t->reply_bytes);
	free(t);
}

void talk_begin(struct talk *t, uint32_t minor)
{
	t->minor = minor;
	t->op_count = 0;
	t->ops = xdr_writer_make(t->op_bytes, TALK_BYTES);
}

void talk_add(struct talk *t, const struct nfs4_nfs_argop4 *op)
{
	nfs4_encode_nfs_argop4(&t->ops, op);
	t->op_count++;
}

void talk_op(struct talk *t, uint32_t op)
{
	talk_add(t, &(struct nfs4_nfs_argop4){.argop = op});
}

static void results_take(struct talk *t)
{
	struct cursor at = cursor_make(slice_make(t->reply_bytes, t->reply_len));
	struct nfs4_COMPOUND4res head;

	nfs4_decode_COMPOUND4res_head(&at, &head);
	t->status = head.status;
	t->result_count = head.resarray.count;
	for (uint32_t i = 0; i < head.resarray.count && i < TALK_OPS; i++)
		nfs4_decode_nfs_resop4(&at, &t->results[i]);
	CHECK(cursor_ok(&at) && cursor_left(&at) == 0);
}

uint32_t talk_run(struct talk *t)
{
	uint8_t *args = mem_alloc(1, TALK_BYTES);
	struct xdr_writer w = xdr_writer_make(args, TALK_BYTES);
	struct xdr_writer out = xdr_writer_make(t->reply_bytes, TALK_BYTES);
	struct slice ops = xdr_writer_bytes(&t->ops);
	struct nfs4_COMPOUND4args head = {.minorversion = t->minor};
	uint8_t *exact;
	enum nfs4_outcome outcome;

	CHECK(xdr_writer_ok(&t->ops));
	head.argarray = xdr_array_make(t->op_count, ops);
	nfs4_encode_COMPOUND4args(&w, &head);
	exact = check_copy(args, xdr_writer_bytes(&w).len);
	outcome = nfs4_compound(t->server, &t->call,
				cursor_make(slice_make(exact, xdr_writer_bytes(&w).len)), &out,
				t->now_ns);
	CHECK(outcome == NFS4_REPLY);
	t->reply_len = xdr_writer_bytes(&out).len;
	nfs4_tick(t->server, t->now_ns); /* sends callbacks */
	results_take(t);
	free(exact);
	free(args);
	return t->status;
}

struct xdr_opaque talk_text(const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	return (struct xdr_opaque){.ptr = (const uint8_t *)text, .len = len, .have = len};
}

uint32_t talk_exchange_id(struct talk *t, const char *owner, char verifier, uint32_t flags)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_EXCHANGE_ID};

	op.opexchange_id.eia_clientowner.co_ownerid = talk_text(owner);
	memset(op.opexchange_id.eia_clientowner.co_verifier, verifier, 8);
	op.opexchange_id.eia_flags = flags;
	talk_begin(t, 1);
	talk_add(t, &op);
	return talk_run(t);
}

uint32_t talk_create_session(struct talk *t, uint64_t client_id, uint32_t seqid)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_CREATE_SESSION};
	struct nfs4_CREATE_SESSION4args *args = &op.opcreate_session;

	args->csa_clientid = client_id;
	args->csa_sequence = seqid;
	args->csa_flags = CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
	args->csa_fore_chan_attrs = (struct nfs4_channel_attrs4){
		.ca_maxrequestsize = 1 << 20,
		.ca_maxresponsesize = 1 << 20,
		.ca_maxresponsesize_cached = 4096,
		.ca_maxoperations = 16,
		.ca_maxrequests = 8,
	};
	args->csa_back_chan_attrs = (struct nfs4_channel_attrs4){
		.ca_maxrequestsize = 4096,
		.ca_maxresponsesize = 4096,
		.ca_maxoperations = 2,
		.ca_maxrequests = 1,
	};
	args->csa_cb_program = 0x40000000;
	talk_begin(t, 1);
	talk_add(t, &op);
	return talk_run(t);
}

struct talk_session talk_client(struct talk *t, const char *owner, char verifier)
{
	struct talk_session session = {0};
	struct nfs4_nfs_argop4 op = {.argop = OP_RECLAIM_COMPLETE};

	CHECK_EQ_U64(talk_exchange_id(t, owner, verifier, 0), NFS4_OK);
	session.client_id = t->results[0].opexchange_id.eir_resok4.eir_clientid;
	CHECK_EQ_U64(talk_create_session(t, session.client_id,
					 t->results[0].opexchange_id.eir_resok4.eir_sequenceid),
		     NFS4_OK);
	memcpy(session.id, t->results[0].opcreate_session.csr_resok4.csr_sessionid, 16);
	talk_sequence(t, &session, false);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	return session;
}

void talk_sequence(struct talk *t, struct talk_session *session, bool cachethis)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_SEQUENCE};

	memcpy(op.opsequence.sa_sessionid, session->id, 16);
	op.opsequence.sa_sequenceid = ++session->seqid;
	op.opsequence.sa_cachethis = cachethis;
	talk_begin(t, 1);
	talk_add(t, &op);
}

uint64_t talk_client40(struct talk *t, const char *owner, char verifier)
{
	struct nfs4_nfs_argop4 set = {.argop = OP_SETCLIENTID};
	struct nfs4_nfs_argop4 confirm = {.argop = OP_SETCLIENTID_CONFIRM};
	struct nfs4_SETCLIENTID4resok *ok;

	set.opsetclientid.client.id = talk_text(owner);
	memset(set.opsetclientid.client.verifier, verifier, 8);
	set.opsetclientid.callback.cb_program = 0x40000000;
	set.opsetclientid.callback.cb_location.na_r_netid = talk_text("tcp");
	set.opsetclientid.callback.cb_location.na_r_addr = talk_text("127.0.0.1.3.4");
	talk_begin(t, 0);
	talk_add(t, &set);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	ok = &t->results[0].opsetclientid.resok4;
	confirm.opsetclientid_confirm.clientid = ok->clientid;
	memcpy(confirm.opsetclientid_confirm.setclientid_confirm, ok->setclientid_confirm, 8);
	talk_begin(t, 0);
	talk_add(t, &confirm);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	return confirm.opsetclientid_confirm.clientid;
}

void talk_lookup(struct talk *t, const char *name)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_LOOKUP};

	op.oplookup.objname = talk_text(name);
	talk_add(t, &op);
}

void talk_open(struct talk *t, uint64_t client_id, const char *owner, uint32_t seqid,
	       const char *name, uint32_t access, uint32_t deny, bool create)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_OPEN};

	op.opopen.seqid = seqid;
	op.opopen.share_access = access;
	op.opopen.share_deny = deny;
	op.opopen.owner.clientid = client_id;
	op.opopen.owner.owner = talk_text(owner);
	op.opopen.openhow.opentype = create ? OPEN4_CREATE : OPEN4_NOCREATE;
	op.opopen.openhow.how.mode = UNCHECKED4;
	op.opopen.claim.claim = CLAIM_NULL;
	op.opopen.claim.file = talk_text(name);
	talk_add(t, &op);
}

void talk_close(struct talk *t, uint32_t seqid, struct nfs4_stateid4 stateid)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_CLOSE};

	op.opclose.seqid = seqid;
	op.opclose.open_stateid = stateid;
	talk_add(t, &op);
}

void talk_lock(struct talk *t, struct nfs4_stateid4 open, const char *owner, uint64_t offset,
	       uint64_t length, bool exclusive)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_LOCK};

	op.oplock.locktype = exclusive ? WRITE_LT : READ_LT;
	op.oplock.offset = offset;
	op.oplock.length = length;
	op.oplock.locker.new_lock_owner = true;
	op.oplock.locker.open_owner.open_stateid = open;
	op.oplock.locker.open_owner.lock_owner.owner = talk_text(owner);
	talk_add(t, &op);
}

void talk_write(struct talk *t, struct nfs4_stateid4 stateid, uint64_t offset, const char *text)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_WRITE};

	op.opwrite.stateid = stateid;
	op.opwrite.offset = offset;
	op.opwrite.stable = FILE_SYNC4;
	op.opwrite.data = talk_text(text);
	talk_add(t, &op);
}

void talk_read(struct talk *t, struct nfs4_stateid4 stateid, uint64_t offset, uint32_t count)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_READ};

	op.opread.stateid = stateid;
	op.opread.offset = offset;
	op.opread.count = count;
	talk_add(t, &op);
}

struct nfs4_stateid4 talk_opened(struct talk *t, struct talk_session *session, const char *owner,
				 const char *name, uint32_t access)
{
	talk_sequence(t, session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_open(t, session->client_id, owner, 0, name, access, OPEN4_SHARE_DENY_NONE,
		  (access & OPEN4_SHARE_ACCESS_WRITE) != 0);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	return t->results[2].opopen.resok4.stateid;
}

void talk_callback_answer(struct talk *t, uint32_t status)
{
	struct talk_callback *callback = &t->callbacks[t->callback_count - 1];
	struct cursor at = cursor_make(slice_make(callback->args, callback->args_len));
	struct nfs4_CB_COMPOUND4args head;
	struct nfs4_nfs_cb_resop4 res = {.resop = OP_CB_SEQUENCE};
	struct xdr_writer w = xdr_writer_make(t->op_bytes, TALK_BYTES);

	if (callback->procedure == 0) {
		nfs4_callback_done(t->server, callback->token, status == NFS4_OK,
				   cursor_make(slice_make(NULL, 0)), t->now_ns);
		return;
	}
	nfs4_decode_CB_COMPOUND4args_head(&at, &head);
	CHECK(cursor_ok(&at));
	xdr_put_u32(&w, status);
	xdr_put_u32(&w, 0);
	xdr_put_u32(&w, head.argarray.count);
	if (head.argarray.count == 2)
		nfs4_encode_nfs_cb_resop4(&w, &res);
	res = (struct nfs4_nfs_cb_resop4){.resop = OP_CB_RECALL};
	res.opcb_recall.status = status;
	nfs4_encode_nfs_cb_resop4(&w, &res);
	CHECK(xdr_writer_ok(&w));
	nfs4_callback_done(t->server, callback->token, true, cursor_make(xdr_writer_bytes(&w)),
			   t->now_ns);
}
