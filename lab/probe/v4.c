// SPDX-License-Identifier: GPL-2.0-or-later
/* See v4.h: COMPOUNDs out, results in. */
#include "lab/probe/v4.h"

#include <stdio.h>

#include "names/nfs4.h"

enum { NFS_PORT = 2049, TAG_BYTES_MAX = 1024 };

static void put_u32_at(uint8_t *at, uint32_t value)
{
	struct xdr_writer w = xdr_writer_make(at, sizeof(value));

	xdr_put_u32(&w, value);
}

/* CB_NULL, and CB_COMPOUND with CB_SEQUENCE and CB_RECALL in it: done, whatever it is. */
static bool answer_callback(void *context, const struct rpc_in *in, struct xdr_writer *reply)
{
	struct v4 *v = context;
	struct cursor at = cursor_make(in->args);
	struct nfs4_CB_COMPOUND4args args;
	struct nfs4_nfs_cb_argop4 op;

	/* The path is there, and so is CB_NULL's answer: it is the rest that nobody hears. */
	if (in->procedure != 0 && v->words->callbacks && strcmp(v->words->callbacks, "none") == 0)
		return false;
	rpc_reply_success(reply, in->xid);
	if (in->procedure == 0)
		return true;
	nfs4_decode_CB_COMPOUND4args(&at, &args);
	if (!cursor_ok(&at))
		return false;
	xdr_put_u32(reply, NFS4_OK);
	xdr_put_opaque(reply, args.tag, TAG_BYTES_MAX);
	xdr_put_u32(reply, args.argarray.count);
	for (uint32_t i = 0; i < args.argarray.count && cursor_ok(&args.argarray.at); i++) {
		nfs4_decode_nfs_cb_argop4(&args.argarray.at, &op);
		xdr_put_u32(reply, op.argop);
		xdr_put_u32(reply, NFS4_OK);
		if (op.argop == OP_CB_RECALL)
			v->recalled = true;
		if (op.argop != OP_CB_SEQUENCE)
			continue;
		xdr_put_raw(reply, slice_make(op.opcb_sequence.csa_sessionid, 16));
		xdr_put_u32(reply, op.opcb_sequence.csa_sequenceid);
		xdr_put_u32(reply, op.opcb_sequence.csa_slotid);
		xdr_put_u32(reply, op.opcb_sequence.csa_highest_slotid);
		xdr_put_u32(reply, op.opcb_sequence.csa_highest_slotid);
	}
	return true;
}

void v4_init(struct v4 *v, struct client *client, const struct probe_words *words)
{
	struct timing_call timing = timing_call_of_mount(&words->timing);
	uint64_t verifier =
		words->verifier ? words->verifier : (uint64_t)net_loop_utc_ns(&client->loop);

	*v = (struct v4){.client = client, .words = words};
	client_peer_init(&v->nfs, client, "nfs", words->port ? words->port : NFS_PORT, &timing);
	v->nfs.serve = answer_callback;
	v->nfs.serve_context = v;
	if (words->owner)
		(void)snprintf(v->owner, sizeof(v->owner), "%s", words->owner);
	else
		(void)snprintf(v->owner, sizeof(v->owner), "Linux NFSv4.%u %s", words->minor,
			       client->machine);
	for (size_t i = 0; i < sizeof(v->verifier); i++)
		v->verifier[i] = (uint8_t)(verifier >> (8 * (7 - i)));
}

void v4_deinit(struct v4 *v)
{
	client_peer_deinit(&v->nfs);
}

void v4_begin(struct v4 *v, bool in_session)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_SEQUENCE};

	v->writer = client_begin(&v->nfs, NFS4_PROGRAM, NFS_V4, NFSPROC4_COMPOUND);
	xdr_put_u32(v->writer, 0); /* no tag */
	xdr_put_u32(v->writer, v->words->minor);
	v->count_at = v->writer->pos;
	v->op_count = 0;
	xdr_put_u32(v->writer, 0);
	if (!in_session || v->words->minor == 0)
		return;
	memcpy(op.opsequence.sa_sessionid, v->session, sizeof(v->session));
	op.opsequence.sa_sequenceid = v->sequences[v->slot];
	op.opsequence.sa_slotid = v->slot;
	op.opsequence.sa_highest_slotid = v->slot;
	op.opsequence.sa_cachethis = true;
	v4_add(v, &op);
}

void v4_add(struct v4 *v, const struct nfs4_nfs_argop4 *op)
{
	nfs4_encode_nfs_argop4(v->writer, op);
	put_u32_at(v->count_at, ++v->op_count);
}

void v4_add_plain(struct v4 *v, uint32_t op)
{
	xdr_put_u32(v->writer, op);
	put_u32_at(v->count_at, ++v->op_count);
}

void v4_add_handle(struct v4 *v, const struct v4_handle *h)
{
	const struct nfs4_nfs_argop4 op = {
		.argop = OP_PUTFH,
		.opputfh.object = {.ptr = h->bytes, .len = h->len, .have = h->len}};

	v4_add(v, &op);
}

void v4_add_getattr(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_GETATTR};

	xdr_bitmap_set(&op.opgetattr.attr_request, FATTR4_TYPE);
	xdr_bitmap_set(&op.opgetattr.attr_request, FATTR4_CHANGE);
	xdr_bitmap_set(&op.opgetattr.attr_request, FATTR4_SIZE);
	v4_add(v, &op);
}

static void take_handle(struct v4_handle *h, struct xdr_opaque o)
{
	if (o.have > sizeof(h->bytes))
		return;
	h->len = o.have;
	memcpy(h->bytes, o.ptr, o.have);
}

static void take_open(struct v4 *v, const struct nfs4_OPEN4resok *r)
{
	v->open = r->stateid;
	v->has_file = true;
	v->has_delegation = r->delegation.delegation_type == OPEN_DELEGATE_READ ||
			    r->delegation.delegation_type == OPEN_DELEGATE_WRITE;
	/* Both arms begin with the stateid. */
	if (v->has_delegation)
		v->delegation = r->delegation.read.stateid;
}

static void take_page(struct v4 *v, const struct nfs4_READDIR4resok *r)
{
	struct cursor walk = r->reply.entries.at;
	struct nfs4_entry4 entry;

	memcpy(v->cookie_verifier, r->cookieverf, sizeof(v->cookie_verifier));
	v->eof = r->reply.eof;
	while (cursor_bool(&walk)) {
		nfs4_decode_entry4(&walk, &entry);
		v->cookie = entry.cookie;
	}
}

static void take_scope(struct v4 *v, struct xdr_opaque scope)
{
	uint32_t len = scope.have < sizeof(v->scope) ? scope.have : (uint32_t)sizeof(v->scope);

	v->scope_changed = v->scope_len > 0 && !slice_equal(slice_make(v->scope, v->scope_len),
							    slice_make(scope.ptr, len));
	memcpy(v->scope, scope.ptr, len);
	v->scope_len = len;
}

static void take_slots(struct v4 *v, uint32_t granted)
{
	v->slots = granted < V4_SLOTS_MAX ? granted : V4_SLOTS_MAX;
	v->slot = 0;
	for (uint32_t i = 0; i < V4_SLOTS_MAX; i++)
		v->sequences[i] = 1;
}

/* One operation that succeeded. */
static void take_result(struct v4 *v, const struct nfs4_nfs_resop4 *r)
{
	switch (r->resop) {
	case OP_SEQUENCE:
		v->sequences[v->slot]++;
		break;
	case OP_EXCHANGE_ID:
		v->clientid = r->opexchange_id.eir_resok4.eir_clientid;
		v->create_sequence = r->opexchange_id.eir_resok4.eir_sequenceid;
		take_scope(v, r->opexchange_id.eir_resok4.eir_server_scope);
		break;
	case OP_CREATE_SESSION:
		memcpy(v->session, r->opcreate_session.csr_resok4.csr_sessionid, 16);
		take_slots(v, r->opcreate_session.csr_resok4.csr_fore_chan_attrs.ca_maxrequests);
		v->create_sequence++;
		v->has_session = v->has_client = true;
		break;
	case OP_SETCLIENTID:
		v->clientid = r->opsetclientid.resok4.clientid;
		memcpy(v->confirm, r->opsetclientid.resok4.setclientid_confirm, 8);
		break;
	case OP_SETCLIENTID_CONFIRM:
		v->has_client = true;
		break;
	case OP_GETFH:
		take_handle(&v->got, r->opgetfh.resok4.object);
		break;
	case OP_OPEN:
		take_open(v, &r->opopen.resok4);
		break;
	case OP_OPEN_CONFIRM:
		v->open = r->opopen_confirm.resok4.open_stateid;
		break;
	case OP_LOCK:
		v->lock = r->oplock.resok4.lock_stateid;
		v->has_lock = true;
		break;
	case OP_LOCKU:
		v->lock = r->oplocku.lock_stateid;
		v->has_lock = false;
		break;
	case OP_CLOSE:
		v->has_file = v->has_lock = false;
		break;
	case OP_READDIR:
		take_page(v, &r->opreaddir.resok4);
		break;
	default:
		break;
	}
}

void v4_take(struct v4 *v, struct cursor at)
{
	struct nfs4_COMPOUND4res res;
	struct nfs4_nfs_resop4 op;

	nfs4_decode_COMPOUND4res(&at, &res);
	v->status = res.status;
	v->failed_op = 0;
	for (uint32_t i = 0; i < res.resarray.count && cursor_ok(&res.resarray.at); i++) {
		nfs4_decode_nfs_resop4(&res.resarray.at, &op);
		if (!cursor_ok(&res.resarray.at))
			break;
		if (op.status == NFS4_OK)
			take_result(v, &op);
		else
			v->failed_op = op.resop;
	}
}

bool v4_run(struct v4 *v)
{
	struct cursor at;

	enum client_result result = client_call(&v->nfs, &at);

	v->refused = result == CLIENT_REFUSED;
	if (result == CLIENT_ANSWERED)
		v4_take(v, at);
	return result == CLIENT_ANSWERED;
}
