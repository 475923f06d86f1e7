// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Results of COMPOUND and CB_COMPOUND: the status of each operation goes to the operation of the
 * call that it answers, results that carry state to its facts.
 */
#include "ingest/private.h"

#include "base/mem.h"
#include "base/strbuf.h"
#include "names/nfs4.h"
#include "proto/nfs4_xdr.h"

#include <stdlib.h>

static void read_sequence(struct rpc_call *call, struct cursor c, uint32_t status)
{
	struct nfs4_SEQUENCE4resok ok;

	call->sequence.status = status;
	if (status != NFS4_OK)
		return;
	nfs4_decode_SEQUENCE4resok(&c, &ok);
	call->sequence.status_flags = ok.sr_status_flags;
	call->sequence.target_highest_slot = ok.sr_target_highest_slotid;
}

static void read_exchange_id(struct pending_call *p, struct cursor c, struct nfs4_fact *f)
{
	struct nfs4_EXCHANGE_ID4resok ok;

	nfs4_decode_EXCHANGE_ID4resok(&c, &ok);
	f->res_clientid = ok.eir_clientid;
	f->res_sequence = ok.eir_sequenceid;
	f->res_flags = ok.eir_flags;
	f->server_owner = pending_keep_name(p, ok.eir_server_owner.so_major_id);
	f->server_scope = pending_keep_name(p, ok.eir_server_scope);
}

static void read_create_session(struct cursor c, struct nfs4_fact *f)
{
	struct nfs4_CREATE_SESSION4resok ok;

	nfs4_decode_CREATE_SESSION4resok(&c, &ok);
	memcpy(f->res_sessionid, ok.csr_sessionid, NFS4_SESSIONID_BYTES);
	f->res_sequence = ok.csr_sequence;
	f->res_flags = ok.csr_flags;
	f->res_slots = ok.csr_fore_chan_attrs.ca_maxrequests;
}

static void read_delegation(struct cursor c, struct nfs4_fact *f)
{
	struct nfs4_OPEN4resok ok;

	nfs4_decode_OPEN4resok(&c, &ok);
	if (!cursor_ok(&c))
		return;
	switch (ok.delegation.delegation_type) {
	case OPEN_DELEGATE_READ:
	case OPEN_DELEGATE_READ_ATTRS_DELEG:
		f->res_stateid.seqid = ok.delegation.read.stateid.seqid;
		memcpy(f->res_stateid.other, ok.delegation.read.stateid.other, NFS4_OTHER_BYTES);
		break;
	case OPEN_DELEGATE_WRITE:
	case OPEN_DELEGATE_WRITE_ATTRS_DELEG:
		f->res_stateid.seqid = ok.delegation.write.stateid.seqid;
		memcpy(f->res_stateid.other, ok.delegation.write.stateid.other, NFS4_OTHER_BYTES);
		break;
	default:
		return;
	}
	f->delegation = ok.delegation.delegation_type;
}

static void read_tested(struct cursor c, struct nfs4_fact *f)
{
	uint32_t count = cursor_u32(&c);
	uint32_t status = cursor_u32(&c);

	if (count && cursor_ok(&c))
		f->test_status = status;
}

/* The results of the operations whose results are wanted; `c` stands behind the status. */
static void read_fact(struct pending_call *p, uint32_t index, struct cursor c, uint32_t status)
{
	for (uint32_t i = 0; i < p->call.facts_len; i++) {
		struct nfs4_fact *f = &p->call.facts[i];

		if (f->index != index)
			continue;
		f->status = status;
		if (status != NFS4_OK)
			return;
		if (f->kind == NFS4_FACT_EXCHANGE_ID)
			read_exchange_id(p, c, f);
		else if (f->kind == NFS4_FACT_CREATE_SESSION)
			read_create_session(c, f);
		else if (f->kind == NFS4_FACT_SETCLIENTID)
			f->res_clientid = cursor_u64(&c);
		else if (f->kind == NFS4_FACT_OPEN)
			read_delegation(c, f);
		else if (f->kind == NFS4_FACT_TEST_STATEID)
			read_tested(c, f);
		return;
	}
}

static void read_lease_time(struct pending_call *p, uint32_t index, struct cursor at)
{
	uint32_t seconds = cursor_u32(&at);
	struct nfs4_fact *f;

	if (!cursor_ok(&at))
		return;
	f = pending_add_fact(p);
	f->kind = NFS4_FACT_LEASE_TIME;
	f->op = OP_GETATTR;
	f->index = (uint16_t)index;
	f->status = NFS4_OK;
	f->lease_time_s = seconds;
}

/* The change attribute (RFC 8881 section 5.8.1.4), and the lease time (5.8.1.11). */
static void read_attributes(struct pending_call *p, uint32_t index, struct cursor c)
{
	struct nfs4_fattr4 attributes;
	struct cursor at;

	nfs4_decode_fattr4(&c, &attributes);
	if (xdr_bitmap_has(&attributes.attrmask, FATTR4_CHANGE) &&
	    nfs4_attr_find(&attributes, FATTR4_CHANGE, &at)) {
		p->call.change = cursor_u64(&at);
		p->call.has_change = cursor_ok(&at);
	}
	if (index <= UINT16_MAX && xdr_bitmap_has(&attributes.attrmask, FATTR4_LEASE_TIME) &&
	    nfs4_attr_find(&attributes, FATTR4_LEASE_TIME, &at))
		read_lease_time(p, index, at);
}

static void append_text(struct pending_call *p, uint32_t index, const struct cursor *c)
{
	struct strbuf text;
	char *result;

	if (!p->call.ops_text || index >= p->call.ops_len || index >= INGEST_OPS_TEXT_MAX)
		return;
	result = ingest_text_op(*c, p->call.is_callback, true);
	strbuf_init(&text);
	if (p->call.ops_text[index])
		strbuf_add_text(&text, p->call.ops_text[index]);
	strbuf_add_text(&text, " -> ");
	strbuf_add_text(&text, result);
	free(result);
	free(p->call.ops_text[index]);
	p->call.ops_text[index] = strbuf_take(&text);
}

/* The operation that a result answers. A result that answers another operation ends the walk. */
static struct nfs4_op_fact *op_answered(struct pending_call *p, uint32_t index, uint32_t op)
{
	struct nfs4_op_fact *asked;

	if (index >= p->call.ops_len) {
		/* The call was cut before it: the reply tells what it was. */
		if (!p->call.call_damage || index > p->call.ops_len || p->call.ops_text)
			return NULL;
		asked = pending_add_op(p);
		asked->op = op;
		return asked;
	}
	asked = &p->call.ops[index];
	/* An operation that the server does not know is answered as OP_ILLEGAL. */
	return asked->op == op || op == OP_ILLEGAL || op == OP_CB_ILLEGAL ? asked : NULL;
}

/* What the operation tells besides its status, behind which the cursor stands. */
static void read_results(struct pending_call *p, struct nfs4_op_fact *asked, uint32_t op,
			 uint32_t index, struct cursor *at)
{
	uint32_t status = asked->status;

	if (op == OP_SEQUENCE)
		read_sequence(&p->call, *at, status);
	else if (p->call.facts_len)
		read_fact(p, index, *at, status);
	if (status != NFS4_OK)
		return;
	if (op == OP_GETFH)
		asked->file = pending_keep_file(p, cursor_opaque(at, RPC_HANDLE_BYTES_MAX));
	else if (op == OP_READDIR)
		ingest_told_readdir4_reply(p, *at);
	else if (op == OP_GETATTR)
		read_attributes(p, index, *at);
}

static void read_op(const struct ingest *in, struct pending_call *p, uint32_t index,
		    struct cursor *c)
{
	struct nfs4_op_fact *asked;
	uint32_t op, status;
	struct cursor at;

	cursor_copy(&at, c);
	op = cursor_u32(&at);
	status = cursor_u32(&at);
	if (!cursor_ok(&at)) {
		cursor_fail(c, at.fault);
		return;
	}
	asked = op_answered(p, index, op);
	if (!asked) {
		cursor_fail(c, CURSOR_VALUE);
		return;
	}
	asked->status = status;
	append_text(p, index, c);
	if (p->call.is_callback) {
		nfs4_skip_nfs_cb_resop4(c);
		return;
	}
	if (!in->options.counts_only)
		read_results(p, asked, op, index, &at);
	nfs4_skip_nfs_resop4(c);
}

void ingest_nfs4_reply(const struct ingest *in, struct pending_call *p, struct cursor *c)
{
	uint32_t status = cursor_u32(c);

	p->call.has_status = cursor_ok(c);
	if (p->call.has_status)
		p->call.status = status;
	cursor_opaque(c, UINT32_MAX); /* tag */
	p->call.ops_in_reply = cursor_u32(c);
	for (uint32_t i = 0; i < p->call.ops_in_reply && cursor_ok(c); i++)
		read_op(in, p, i, c);
	p->call.reply_damage = ingest_fault_text(c->fault);
}
