// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The state of NFSv4 as far as a mount sets it up: 4.1 and 4.2 with EXCHANGE_ID, CREATE_SESSION and
 * SEQUENCE (RFC 8881 section 18.35 and following), 4.0 with SETCLIENTID (RFC 7530 section 16.33).
 */
#include "lab/probe/check_private.h"

#include <stdio.h>
#include <unistd.h>

#include "names/names.h"
#include "names/nfs4.h"
#include "proto/nfs4_xdr.h"

enum {
	OWNER_BYTES_MAX = 96,
	CALLBACK_PROGRAM = 0x40000000,
	FORE_SLOTS = 16,
	MESSAGE_BYTES = 1 << 16,
	OPS_MAX = 8
};

struct session {
	uint64_t clientid;
	uint32_t create_sequence;
	bool has_session;
	uint8_t id[16];
	uint32_t sequence;
	uint32_t flags; /* of CREATE_SESSION */
	uint32_t slots;
};

static struct xdr_opaque opaque_of(const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	return (struct xdr_opaque){(const uint8_t *)text, len, len};
}

/* A client of our own: another owner for each process, so that nobody's state is touched. */
static void owner_of(const struct check *c, char text[OWNER_BYTES_MAX])
{
	if (c->words->owner)
		(void)snprintf(text, OWNER_BYTES_MAX, "%s", c->words->owner);
	else
		(void)snprintf(text, OWNER_BYTES_MAX, "nfsleuth probe check v4.%u %ld", c->minor,
			       (long)getpid());
}

static void verifier_of(struct check *c, uint8_t out[8])
{
	uint64_t value =
		c->words->verifier ? c->words->verifier : (uint64_t)net_loop_utc_ns(&c->loop);

	for (unsigned i = 0; i < 8; i++)
		out[i] = (uint8_t)(value >> (56 - 8 * i));
}

/*
 * A COMPOUND of these operations. True: the results of the last one are in *res. Otherwise a row
 * tells which operation failed and how; `step` is what the whole is for.
 */
static bool compound(struct check *c, const char *layer, const char *step, uint16_t port,
		     const struct nfs4_nfs_argop4 *ops, uint32_t count, struct nfs4_nfs_resop4 *res)
{
	struct xdr_writer *w = ask_begin(&c->ask, NFS4_PROGRAM, NFS_V4, NFSPROC4_COMPOUND);
	struct nfs4_COMPOUND4res head;
	const char *name;
	struct cursor at;

	xdr_put_u32(w, 0); /* no tag */
	xdr_put_u32(w, c->minor);
	xdr_put_u32(w, count);
	for (uint32_t i = 0; i < count; i++)
		nfs4_encode_nfs_argop4(w, &ops[i]);
	if (ask_call(&c->ask, c->limit_ns, &at) != ASK_OK) {
		check_row_failed(c, layer, step, port);
		return false;
	}
	nfs4_decode_COMPOUND4res_head(&at, &head);
	memset(res, 0, sizeof(*res));
	for (uint32_t i = 0; i < head.resarray.count && i < OPS_MAX && cursor_ok(&at); i++)
		nfs4_decode_nfs_resop4(&at, res);
	if (cursor_ok(&at) && head.status == NFS4_OK && head.resarray.count == count)
		return true;
	name = names_status(NFS4_PROGRAM, NFS_V4, head.status);
	if (cursor_ok(&at) && head.status == NFS4ERR_MINOR_VERS_MISMATCH)
		check_row(c, layer, step, port, CHECK_ABSENT, "is not offered");
	else if (cursor_ok(&at) && head.status != NFS4_OK)
		check_row(c, layer, step, port, CHECK_FAILED, "%s: %s",
			  nfs4_nfs_opnum4_name(res->resop) ? nfs4_nfs_opnum4_name(res->resop) : "?",
			  name ? name : "an unknown status");
	else
		check_row(c, layer, step, port, CHECK_FAILED, "the answer cannot be understood");
	return false;
}

static bool exchange_id(struct check *c, const char *layer, uint16_t port, struct session *s)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_EXCHANGE_ID};
	const struct nfs4_EXCHANGE_ID4resok *ok;
	char owner[OWNER_BYTES_MAX];
	struct nfs4_nfs_resop4 res;

	owner_of(c, owner);
	verifier_of(c, op.opexchange_id.eia_clientowner.co_verifier);
	op.opexchange_id.eia_clientowner.co_ownerid = opaque_of(owner);
	if (!compound(c, layer, "EXCHANGE_ID", port, &op, 1, &res))
		return false;
	ok = &res.opexchange_id.eir_resok4;
	s->clientid = ok->eir_clientid;
	s->create_sequence = ok->eir_sequenceid;
	check_row(c, layer, "EXCHANGE_ID", port, CHECK_OK, "client ID 0x%016llx",
		  (unsigned long long)s->clientid);
	return true;
}

static bool create_session(struct check *c, const char *layer, uint16_t port, struct session *s)
{
	struct nfs4_channel_attrs4 attrs = {.ca_maxrequestsize = MESSAGE_BYTES,
					    .ca_maxresponsesize = MESSAGE_BYTES,
					    .ca_maxresponsesize_cached = 4096,
					    .ca_maxoperations = OPS_MAX,
					    .ca_maxrequests = FORE_SLOTS};
	/* One kind of callback security: AUTH_NONE. */
	static const uint8_t no_security[4] = {0};
	struct nfs4_nfs_argop4 op = {.argop = OP_CREATE_SESSION};
	const struct nfs4_CREATE_SESSION4resok *ok;
	struct nfs4_nfs_resop4 res;

	op.opcreate_session = (struct nfs4_CREATE_SESSION4args){
		.csa_clientid = s->clientid,
		.csa_sequence = s->create_sequence,
		.csa_flags = CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
		.csa_fore_chan_attrs = attrs,
		.csa_back_chan_attrs = attrs,
		.csa_cb_program = CALLBACK_PROGRAM,
		.csa_sec_parms = xdr_array_make(1, slice_make(no_security, sizeof(no_security)))};
	op.opcreate_session.csa_back_chan_attrs.ca_maxrequests = 1;
	op.opcreate_session.csa_back_chan_attrs.ca_maxrequestsize = 4096;
	op.opcreate_session.csa_back_chan_attrs.ca_maxresponsesize = 4096;
	if (!compound(c, layer, "CREATE_SESSION", port, &op, 1, &res))
		return false;
	ok = &res.opcreate_session.csr_resok4;
	memcpy(s->id, ok->csr_sessionid, sizeof(s->id));
	s->sequence = 1;
	s->has_session = true;
	s->flags = ok->csr_flags;
	s->slots = ok->csr_fore_chan_attrs.ca_maxrequests;
	check_row(c, layer, "CREATE_SESSION", port, CHECK_OK, "%u of %u slots, %s", s->slots,
		  FORE_SLOTS,
		  s->flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN
			  ? "callbacks on this connection"
			  : "no callbacks on this connection");
	return true;
}

static struct nfs4_nfs_argop4 sequence(struct session *s)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_SEQUENCE};

	memcpy(op.opsequence.sa_sessionid, s->id, sizeof(s->id));
	op.opsequence.sa_sequenceid = s->sequence++;
	return op;
}

/* The root of the server's name space and how long a lease lasts. */
static void look_at_root(struct check *c, const char *layer, uint16_t port,
			 const struct nfs4_nfs_argop4 *first)
{
	struct nfs4_nfs_argop4 ops[3] = {{0}};
	uint32_t count = 0;
	struct nfs4_nfs_resop4 res;
	struct cursor at;

	if (first)
		ops[count++] = *first;
	ops[count++] = (struct nfs4_nfs_argop4){.argop = OP_PUTROOTFH};
	ops[count].argop = OP_GETATTR;
	xdr_bitmap_set(&ops[count++].opgetattr.attr_request, FATTR4_LEASE_TIME);
	if (!compound(c, layer, "PUTROOTFH GETATTR", port, ops, count, &res))
		return;
	if (nfs4_attr_find(&res.opgetattr.resok4.obj_attributes, FATTR4_LEASE_TIME, &at))
		check_row(c, layer, "PUTROOTFH GETATTR", port, CHECK_OK, "lease %u s",
			  cursor_u32(&at));
	else
		check_row(c, layer, "PUTROOTFH GETATTR", port, CHECK_OK, "%s", "");
}

/* Gives back what was made. */
static void destroy(struct check *c, const char *layer, uint16_t port, struct session *s)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_DESTROY_SESSION};
	struct nfs4_nfs_resop4 res;

	memcpy(op.opdestroy_session.dsa_sessionid, s->id, sizeof(s->id));
	if (!compound(c, layer, "DESTROY_SESSION", port, &op, 1, &res))
		return;
	op = (struct nfs4_nfs_argop4){.argop = OP_DESTROY_CLIENTID};
	op.opdestroy_clientid.dca_clientid = s->clientid;
	if (compound(c, layer, "DESTROY_CLIENTID", port, &op, 1, &res))
		check_row(c, layer, "DESTROY", port, CHECK_OK, "session and client ID are gone");
}

void check_nfs4_sessions(struct check *c, const char *layer, uint16_t port)
{
	struct session s = {0};
	struct nfs4_nfs_argop4 first;

	if (!exchange_id(c, layer, port, &s) || !create_session(c, layer, port, &s))
		return;
	first = sequence(&s);
	look_at_root(c, layer, port, &first);
	destroy(c, layer, port, &s);
}

void check_nfs4_clientid(struct check *c, const char *layer, uint16_t port)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_SETCLIENTID};
	const struct nfs4_SETCLIENTID4resok *ok;
	char owner[OWNER_BYTES_MAX];
	struct nfs4_nfs_resop4 res;

	owner_of(c, owner);
	verifier_of(c, op.opsetclientid.client.verifier);
	op.opsetclientid.client.id = opaque_of(owner);
	/* Nobody listens for callbacks: the server gives no delegations. */
	op.opsetclientid.callback.cb_program = CALLBACK_PROGRAM;
	op.opsetclientid.callback.cb_location.na_r_netid = opaque_of("tcp");
	op.opsetclientid.callback.cb_location.na_r_addr = opaque_of("0.0.0.0.0.0");
	if (!compound(c, layer, "SETCLIENTID", port, &op, 1, &res))
		return;
	ok = &res.opsetclientid.resok4;
	check_row(c, layer, "SETCLIENTID", port, CHECK_OK, "client ID 0x%016llx",
		  (unsigned long long)ok->clientid);
	op = (struct nfs4_nfs_argop4){.argop = OP_SETCLIENTID_CONFIRM};
	op.opsetclientid_confirm.clientid = ok->clientid;
	memcpy(op.opsetclientid_confirm.setclientid_confirm, ok->setclientid_confirm, 8);
	if (!compound(c, layer, "SETCLIENTID_CONFIRM", port, &op, 1, &res))
		return;
	check_row(c, layer, "SETCLIENTID_CONFIRM", port, CHECK_OK, "%s", "");
	look_at_root(c, layer, port, NULL);
}
