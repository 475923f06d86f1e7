// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The part of v4.h that is about state: who the client is, its session, and the ladder of recovery
 * of fs/nfs/nfs4state.c (nfs4_state_manager): session, client ID, opens and locks,
 * RECLAIM_COMPLETE.
 */
#include <inttypes.h>
#include <stdio.h>

#include "base/stamp.h"
#include "lab/probe/v4.h"

enum {
	REQUEST_BYTES = 1 << 20,
	CACHED_BYTES = 4096,
	FORE_SLOTS = 64,
	BACK_SLOTS = 16,
	OPERATIONS = 8,
	CB_PROGRAM = 0x40000000,
};

/* NFS4_POLL_RETRY_MIN and MAX of fs/nfs/nfs4proc.c. */
static const int64_t poll_min_ns = STAMP_NS_PER_S / 10;
static const int64_t poll_max_ns = 15 * STAMP_NS_PER_S;

static struct xdr_opaque owner_of(const struct v4 *v)
{
	uint32_t len = (uint32_t)strlen(v->owner);

	return (struct xdr_opaque){.ptr = (const uint8_t *)v->owner, .len = len, .have = len};
}

static bool exchange_id(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_EXCHANGE_ID};

	memcpy(op.opexchange_id.eia_clientowner.co_verifier, v->verifier, sizeof(v->verifier));
	op.opexchange_id.eia_clientowner.co_ownerid = owner_of(v);
	op.opexchange_id.eia_flags =
		EXCHGID4_FLAG_SUPP_MOVED_REFER | EXCHGID4_FLAG_BIND_PRINC_STATEID;
	v4_begin(v, false);
	v4_add(v, &op);
	return v4_run(v);
}

static struct nfs4_channel_attrs4 channel(uint32_t bytes, uint32_t slots)
{
	return (struct nfs4_channel_attrs4){
		.ca_maxrequestsize = bytes,
		.ca_maxresponsesize = bytes,
		.ca_maxresponsesize_cached = CACHED_BYTES,
		.ca_maxoperations = OPERATIONS,
		.ca_maxrequests = slots,
	};
}

static bool create_session(struct v4 *v)
{
	struct nfs4_callback_sec_parms4 plain = {.cb_secflavor = 0};
	uint8_t parms[64];
	struct xdr_writer w = xdr_writer_make(parms, sizeof(parms));
	struct nfs4_nfs_argop4 op = {
		.argop = OP_CREATE_SESSION,
		.opcreate_session = {.csa_clientid = v->clientid,
				     .csa_sequence = v->create_sequence,
				     .csa_flags = CREATE_SESSION4_FLAG_CONN_BACK_CHAN,
				     .csa_cb_program = CB_PROGRAM}};

	op.opcreate_session.csa_fore_chan_attrs = channel(REQUEST_BYTES, FORE_SLOTS);
	op.opcreate_session.csa_back_chan_attrs = channel(CACHED_BYTES, BACK_SLOTS);
	nfs4_encode_callback_sec_parms4(&w, &plain);
	op.opcreate_session.csa_sec_parms = xdr_array_make(1, xdr_writer_bytes(&w));
	v4_begin(v, false);
	v4_add(v, &op);
	return v4_run(v);
}

static bool destroy_session(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_DESTROY_SESSION};

	memcpy(op.opdestroy_session.dsa_sessionid, v->session, sizeof(v->session));
	v->has_session = false;
	v4_begin(v, false);
	v4_add(v, &op);
	return v4_run(v);
}

static bool reclaim_complete(struct v4 *v)
{
	const struct nfs4_nfs_argop4 op = {.argop = OP_RECLAIM_COMPLETE};

	v4_begin(v, true);
	v4_add(v, &op);
	return v4_run(v);
}

/* 4.0. The callback's address says nothing: there is none. */
static bool set_clientid(struct v4 *v)
{
	static const char netid[] = "tcp", nowhere[] = "0.0.0.0.0.0";
	struct nfs4_nfs_argop4 op = {.argop = OP_SETCLIENTID};
	struct nfs4_cb_client4 *callback = &op.opsetclientid.callback;
	struct nfs4_nfs_argop4 confirm = {.argop = OP_SETCLIENTID_CONFIRM};

	memcpy(op.opsetclientid.client.verifier, v->verifier, sizeof(v->verifier));
	op.opsetclientid.client.id = owner_of(v);
	callback->cb_program = CB_PROGRAM;
	callback->cb_location.na_r_netid = (struct xdr_opaque){
		.ptr = (const uint8_t *)netid, .len = sizeof(netid) - 1, .have = sizeof(netid) - 1};
	callback->cb_location.na_r_addr = (struct xdr_opaque){.ptr = (const uint8_t *)nowhere,
							      .len = sizeof(nowhere) - 1,
							      .have = sizeof(nowhere) - 1};
	v4_begin(v, false);
	v4_add(v, &op);
	if (!v4_run(v) || v->status != NFS4_OK)
		return v->status != NFS4_OK;
	confirm.opsetclientid_confirm.clientid = v->clientid;
	memcpy(confirm.opsetclientid_confirm.setclientid_confirm, v->confirm, sizeof(v->confirm));
	v4_begin(v, false);
	v4_add(v, &confirm);
	return v4_run(v);
}

/* The directory of this path, as the root of what follows; "": that of the server. */
static bool find_path(struct v4 *v, const char *at)
{
	v4_begin(v, true);
	v4_add_plain(v, OP_PUTROOTFH);
	while (*at) {
		size_t len = strcspn(at, "/");
		const struct nfs4_nfs_argop4 op = {.argop = OP_LOOKUP,
						   .oplookup.objname = {.ptr = (const uint8_t *)at,
									.len = (uint32_t)len,
									.have = (uint32_t)len}};

		if (len > 0)
			v4_add(v, &op);
		at += len + (at[len] == '/');
	}
	v4_add_plain(v, OP_GETFH);
	v4_add_getattr(v);
	if (!v4_run(v))
		return false;
	if (v->status == NFS4_OK)
		v->root = v->got;
	return true;
}

/* The root of the server, then that of the mount. */
static bool find_root(struct v4 *v)
{
	return find_path(v, "") && (v->words->export[1] == '\0' || find_path(v, v->words->export));
}

/* A client ID and, where there are such, a session. */
static bool establish(struct v4 *v)
{
	v->has_client = false;
	v->owner_number++;
	v->seqid = v->lock_seqid = 0;
	if (v->words->minor == 0)
		return set_clientid(v);
	return exchange_id(v) && (v->status != NFS4_OK || create_session(v));
}

/* What the kernel says when a lock does not come back (nfs4state.c, __nfs4_reclaim_open_state). */
static void lose_lock(struct v4 *v)
{
	client_say("NFS: __nfs4_reclaim_open_state: Lock reclaim failed!");
	v->has_lock = false;
}

/* The file and the lock after a new client ID: reclaimed, else opened anew without the lock. */
static bool reclaim(struct v4 *v)
{
	bool had_lock = v->has_lock;

	if (!v->has_file)
		return true;
	if (!v->scope_changed && !v4_open(v, CLAIM_PREVIOUS))
		return false;
	if (!v->scope_changed && v->status == NFS4_OK)
		return !had_lock || v4_lock(v, true);
	v->has_file = false;
	if (had_lock)
		lose_lock(v);
	return true;
}

/* Up to the root, with what was open and locked; *attached: it came so far. */
static bool attach(struct v4 *v, bool *attached)
{
	*attached = false;
	if (!establish(v))
		return false;
	if (v->status != NFS4_OK)
		return true;
	if (!find_root(v))
		return false;
	if (v->status != NFS4_OK)
		return true;
	*attached = true;
	return reclaim(v) && (v->words->minor == 0 || reclaim_complete(v));
}

bool v4_attach(struct v4 *v)
{
	bool attached;

	return attach(v, &attached);
}

static bool recover_client(struct v4 *v)
{
	bool had_file = v->has_file, attached;

	if (!attach(v, &attached))
		return false;
	return !attached || !had_file || v->has_file || v4_open(v, CLAIM_NULL);
}

static bool recover_session(struct v4 *v)
{
	if (v->has_session && !destroy_session(v))
		return false;
	if (!create_session(v))
		return false;
	return v->status == NFS4_OK || recover_client(v);
}

/* An error of one file's state: the kernel tests it, frees it, and opens the file anew. */
static bool recover_file(struct v4 *v)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_TEST_STATEID};
	uint8_t bytes[16];
	struct xdr_writer w = xdr_writer_make(bytes, sizeof(bytes));

	if (v->words->minor > 0) {
		nfs4_encode_stateid4(&w, &v->open);
		op.optest_stateid.ts_stateids = xdr_array_make(1, xdr_writer_bytes(&w));
		v4_begin(v, true);
		v4_add(v, &op);
		if (!v4_run(v))
			return false;
	}
	if (v->has_lock)
		lose_lock(v);
	return v4_open(v, CLAIM_NULL);
}

static int64_t longer(int64_t wait_ns)
{
	if (wait_ns == 0)
		return poll_min_ns;
	return wait_ns * 2 < poll_max_ns ? wait_ns * 2 : poll_max_ns;
}

enum v4_next v4_handle_status(struct v4 *v, int64_t *wait_ns)
{
	bool going = true;

	switch (v->status) {
	case NFS4_OK:
		return V4_DONE;
	case NFS4ERR_DELAY:
	case NFS4ERR_GRACE:
	case NFS4ERR_DENIED:
	case NFS4ERR_CLID_INUSE:
		*wait_ns = longer(*wait_ns);
		return client_sleep(v->client, *wait_ns) ? V4_AGAIN : V4_STOP;
	case NFS4ERR_BADSESSION:
	case NFS4ERR_DEADSESSION:
	case NFS4ERR_CONN_NOT_BOUND_TO_SESSION:
		going = recover_session(v);
		break;
	case NFS4ERR_SEQ_MISORDERED:
	case NFS4ERR_SEQ_FALSE_RETRY:
	case NFS4ERR_OLD_STATEID: /* it has the newest that it knows of */
		*wait_ns = longer(*wait_ns);
		going = client_sleep(v->client, *wait_ns);
		break;
	case NFS4ERR_STALE_CLIENTID:
	case NFS4ERR_EXPIRED:
	case NFS4ERR_STALE_STATEID:
		going = recover_client(v);
		break;
	case NFS4ERR_BAD_STATEID:
	case NFS4ERR_ADMIN_REVOKED:
		/* A wait between two rounds: the state manager is one thread for all. */
		*wait_ns = longer(*wait_ns);
		going = client_sleep(v->client, *wait_ns) && recover_file(v);
		break;
	default:
		/* The program has its error. */
		return V4_DONE;
	}
	return going ? V4_AGAIN : V4_STOP;
}

bool v4_do(struct v4 *v, bool (*what)(struct v4 *v))
{
	enum v4_next next = V4_AGAIN;
	int64_t wait_ns = 0;

	while (next == V4_AGAIN) {
		if (!what(v))
			return false;
		next = v4_handle_status(v, &wait_ns);
	}
	return next == V4_DONE && !client_is_over(v->client);
}
