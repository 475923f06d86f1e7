// SPDX-License-Identifier: GPL-2.0-or-later
/* Sessions of the lab's NFSv4 server: CREATE_SESSION, slots, the reply cache; RFC 8881 2.10.6. */
#include "check.h"
#include "nfs4_talk.h"

TEST(create_session_is_replayed)
{
	struct talk *t = talk_create(NULL);
	uint8_t id[16];
	uint64_t client;

	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0), NFS4_OK);
	client = t->results[0].opexchange_id.eir_resok4.eir_clientid;
	CHECK_EQ_U64(talk_create_session(t, client, 0), NFS4ERR_SEQ_MISORDERED);
	CHECK_EQ_U64(talk_create_session(t, client, 2), NFS4ERR_SEQ_MISORDERED);
	CHECK_EQ_U64(talk_create_session(t, client, 1), NFS4_OK);
	memcpy(id, t->results[0].opcreate_session.csr_resok4.csr_sessionid, 16);
	CHECK_EQ_U64(talk_create_session(t, client, 1), NFS4_OK);
	CHECK_BYTES(t->results[0].opcreate_session.csr_resok4.csr_sessionid, 16, id, 16);
	CHECK_EQ_U64(talk_create_session(t, client, 3), NFS4ERR_SEQ_MISORDERED);
	CHECK_EQ_U64(talk_create_session(t, client, 2), NFS4_OK);
	CHECK(memcmp(t->results[0].opcreate_session.csr_resok4.csr_sessionid, id, 16) != 0);
	CHECK_EQ_U64(talk_create_session(t, client + 1, 1), NFS4ERR_STALE_CLIENTID);
	talk_destroy(t);
}

TEST(create_session_limits)
{
	struct talk *t = talk_create(NULL);
	struct nfs4_CREATE_SESSION4resok *ok;
	uint64_t client;

	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0), NFS4_OK);
	client = t->results[0].opexchange_id.eir_resok4.eir_clientid;
	t->call.cred.uid = 9;
	CHECK_EQ_U64(talk_create_session(t, client, 1), NFS4ERR_CLID_INUSE);
	t->call.cred.uid = 0;
	CHECK_EQ_U64(talk_create_session(t, client, 1), NFS4_OK);
	ok = &t->results[0].opcreate_session.csr_resok4;
	CHECK_EQ_U64(ok->csr_fore_chan_attrs.ca_maxrequests, 8);
	CHECK(ok->csr_fore_chan_attrs.ca_maxresponsesize_cached < 4096);
	CHECK_EQ_U64(ok->csr_flags, CREATE_SESSION4_FLAG_CONN_BACK_CHAN);
	/* The ID of the session begins with the client's. */
	for (int i = 0; i < 8; i++)
		CHECK_EQ_U64(ok->csr_sessionid[i], (uint8_t)(client >> (56 - 8 * i)));
	talk_destroy(t);
}

static void sequence_put(struct talk *t, const struct talk_session *session, uint32_t seqid,
			 uint32_t slot)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_SEQUENCE};

	memcpy(op.opsequence.sa_sessionid, session->id, 16);
	op.opsequence.sa_sequenceid = seqid;
	op.opsequence.sa_slotid = slot;
	talk_begin(t, 1);
	talk_add(t, &op);
}

TEST(sequence_order)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');

	sequence_put(t, &session, 3, 0); /* RECLAIM_COMPLETE was 1 */
	CHECK_EQ_U64(talk_run(t), NFS4ERR_SEQ_MISORDERED);
	sequence_put(t, &session, 0, 0);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_SEQ_MISORDERED);
	sequence_put(t, &session, 0, 1); /* the slot was never used: nothing to repeat */
	CHECK_EQ_U64(talk_run(t), NFS4ERR_SEQ_MISORDERED);
	sequence_put(t, &session, 1, 8);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BADSLOT);
	sequence_put(t, &session, 1, 7);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(t->results[0].opsequence.sr_resok4.sr_target_highest_slotid, 7);
	sequence_put(t, &session, 2, 0);
	talk_op(t, OP_PUTROOTFH);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	talk_destroy(t);
}

TEST(reply_cache)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	uint8_t first[512];
	size_t len;

	/* Cached: a file that is made once. */
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_open(t, session.client_id, "o", 0, "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	len = t->reply_len;
	CHECK(len <= sizeof(first));
	memcpy(first, t->reply_bytes, len);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_BYTES(t->reply_bytes, t->reply_len, first, len);

	/* The same number, another call: shorter, longer, another user, not to be cached. */
	session.seqid--;
	talk_sequence(t, &session, true);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_SEQ_FALSE_RETRY);
	session.seqid--;
	talk_sequence(t, &session, false);
	talk_op(t, OP_PUTROOTFH);
	talk_op(t, OP_GETFH);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_SEQ_FALSE_RETRY);
	session.seqid--;
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_op(t, OP_GETFH);
	t->call.cred.uid = 3;
	CHECK_EQ_U64(talk_run(t), NFS4ERR_SEQ_FALSE_RETRY);
	talk_destroy(t);
}

TEST(reply_not_cached)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');

	talk_sequence(t, &session, false);
	talk_op(t, OP_PUTROOTFH);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_RETRY_UNCACHED_REP);
	CHECK_EQ_U64(t->result_count, 2);
	CHECK_EQ_U64(t->results[0].status, NFS4_OK);
	/* A SEQUENCE alone is always its own answer. */
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	talk_destroy(t);
}

TEST(order_of_operations)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_nfs_argop4 op = {.argop = OP_EXCHANGE_ID};

	talk_begin(t, 1);
	talk_op(t, OP_PUTROOTFH);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_OP_NOT_IN_SESSION);
	op.opexchange_id.eia_clientowner.co_ownerid = talk_text("b");
	talk_begin(t, 1);
	talk_add(t, &op);
	talk_op(t, OP_PUTROOTFH);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_NOT_ONLY_OP);
	talk_sequence(t, &session, false);
	op = (struct nfs4_nfs_argop4){.argop = OP_SEQUENCE};
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_SEQUENCE_POS);
	/* 4.0 knows none of it, 4.1 no longer RENEW; nobody knows 3. */
	talk_begin(t, 0);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_OP_ILLEGAL);
	CHECK_EQ_U64(t->results[0].resop, OP_ILLEGAL);
	talk_sequence(t, &session, false);
	op = (struct nfs4_nfs_argop4){.argop = OP_RENEW};
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_NOTSUPP);
	talk_begin(t, 3);
	talk_op(t, OP_PUTROOTFH);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_MINOR_VERS_MISMATCH);
	CHECK_EQ_U64(t->result_count, 0);
	talk_destroy(t);
}

TEST(limits_of_the_session)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');

	talk_sequence(t, &session, false);
	for (int i = 0; i < 16; i++)
		talk_op(t, OP_PUTROOTFH);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_TOO_MANY_OPS);
	session.seqid--;
	t->call.record_bytes = 8 << 20;
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_REQ_TOO_BIG);
	session.seqid--;
	t->call.record_bytes = 0;
	/* More than the cached reply may have: the reading is cut to what has room. */
	struct nfs4_stateid4 stateid = talk_opened(t, &session, "o", "f", OPEN4_SHARE_ACCESS_BOTH);
	struct nfs4_nfs_argop4 size = {.argop = OP_SETATTR};
	static const uint8_t big[8] = {0, 0, 0, 0, 0, 0, 0x40, 0};

	size.opsetattr.stateid = stateid;
	xdr_bitmap_set(&size.opsetattr.obj_attributes.attrmask, FATTR4_SIZE);
	size.opsetattr.obj_attributes.attr_vals =
		(struct xdr_opaque){.ptr = big, .len = 8, .have = 8};
	talk_sequence(t, &session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, "f");
	talk_add(t, &size);
	talk_read(t, stateid, 0, 16384);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK(t->results[4].opread.resok4.data.len > 1024);
	CHECK(t->results[4].opread.resok4.data.len < 4096);
	CHECK(!t->results[4].opread.resok4.eof);
	talk_destroy(t);
}

TEST(connections_and_the_way_back)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_nfs_argop4 op = {.argop = OP_BIND_CONN_TO_SESSION};

	CHECK_EQ_U64(t->callback_count, 1); /* the probe */
	CHECK_EQ_U64(t->callbacks[0].procedure, 0);
	CHECK_EQ_U64(t->callbacks[0].connection, 1);
	talk_callback_answer(t, NFS4_OK);
	nfs4_connection_closed(t->server, 1, t->now_ns);
	t->call.connection = 2;
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(t->results[0].opsequence.sr_resok4.sr_status_flags,
		     SEQ4_STATUS_CB_PATH_DOWN | SEQ4_STATUS_CB_PATH_DOWN_SESSION);
	memcpy(op.opbind_conn_to_session.bctsa_sessid, session.id, 16);
	op.opbind_conn_to_session.bctsa_dir = CDFC4_FORE_OR_BOTH;
	talk_begin(t, 1);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(t->results[0].opbind_conn_to_session.bctsr_resok4.bctsr_dir, CDFS4_BOTH);
	CHECK_EQ_U64(t->callbacks[1].connection, 2);
	talk_callback_answer(t, NFS4_OK);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(t->results[0].opsequence.sr_resok4.sr_status_flags, 0);
	talk_destroy(t);
}
