// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * The records of clients of the lab's NFSv4 server, case by case: EXCHANGE_ID by the table of RFC
 * 8881 section 18.35.4, SETCLIENTID by the cases of RFC 7530 section 16.33.5; and how they end.
 */
#include "check.h"
#include "nfs4_talk.h"

static struct nfs4_EXCHANGE_ID4resok *exchanged(struct talk *t)
{
	return &t->results[0].opexchange_id.eir_resok4;
}

TEST(exchange_id_case_1_new_owner)
{
	struct talk *t = talk_create(NULL);

	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0), NFS4_OK);
	CHECK(!(exchanged(t)->eir_flags & EXCHGID4_FLAG_CONFIRMED_R));
	CHECK_EQ_U64(exchanged(t)->eir_sequenceid, 1);
	/* The ID begins with the start of the server, low byte first. */
	CHECK_EQ_U64(exchanged(t)->eir_clientid >> 32, __builtin_bswap32(1700000000));
	talk_destroy(t);
}

TEST(exchange_id_case_2_confirmed_and_repeated)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');

	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0), NFS4_OK);
	CHECK(exchanged(t)->eir_flags & EXCHGID4_FLAG_CONFIRMED_R);
	CHECK_EQ_U64(exchanged(t)->eir_clientid, session.client_id);
	CHECK_EQ_U64(exchanged(t)->eir_sequenceid, 2);
	talk_destroy(t);
}

TEST(exchange_id_case_3_another_principal)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_nfs_argop4 op = {.argop = OP_DESTROY_SESSION};

	t->call.cred.uid = 1000;
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0), NFS4ERR_CLID_INUSE);
	/* Without state the old record is in nobody's way. */
	t->call.cred.uid = 0;
	memcpy(op.opdestroy_session.dsa_sessionid, session.id, 16);
	talk_begin(t, 1);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	t->call.cred.uid = 1000;
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0), NFS4_OK);
	CHECK(exchanged(t)->eir_clientid != session.client_id);
	CHECK(!(exchanged(t)->eir_flags & EXCHGID4_FLAG_CONFIRMED_R));
	talk_destroy(t);
}

TEST(exchange_id_case_4_unconfirmed_is_replaced)
{
	struct talk *t = talk_create(NULL);
	uint64_t first;

	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0), NFS4_OK);
	first = exchanged(t)->eir_clientid;
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0), NFS4_OK);
	CHECK(exchanged(t)->eir_clientid != first);
	CHECK_EQ_U64(talk_create_session(t, first, 1), NFS4ERR_STALE_CLIENTID);
	talk_destroy(t);
}

TEST(exchange_id_case_5_restart_of_the_client)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	uint64_t second;

	CHECK_EQ_U64(talk_exchange_id(t, "a", 'w', 0), NFS4_OK);
	second = exchanged(t)->eir_clientid;
	CHECK(second != session.client_id);
	/* The old one lives until the new one has a session. */
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(talk_create_session(t, second, 1), NFS4_OK);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BADSESSION);
	talk_destroy(t);
}

TEST(exchange_id_cases_6_to_9_update)
{
	enum { UPDATE = EXCHGID4_FLAG_UPD_CONFIRMED_REC_A };
	struct talk *t = talk_create(NULL);
	struct talk_session session;

	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', UPDATE), NFS4ERR_NOENT); /* 7 */
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0), NFS4_OK);
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', UPDATE), NFS4ERR_NOENT);
	session = talk_client(t, "a", 'v');
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', UPDATE), NFS4_OK); /* 6 */
	CHECK_EQ_U64(exchanged(t)->eir_clientid, session.client_id);
	CHECK(exchanged(t)->eir_flags & EXCHGID4_FLAG_CONFIRMED_R);
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'w', UPDATE), NFS4ERR_NOT_SAME); /* 8 */
	t->call.cred.uid = 5;
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', UPDATE), NFS4ERR_PERM); /* 9 */
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'w', UPDATE), NFS4ERR_PERM);
	talk_destroy(t);
}

TEST(exchange_id_refuses_flags_of_servers)
{
	struct talk *t = talk_create(NULL);

	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', EXCHGID4_FLAG_CONFIRMED_R), NFS4ERR_INVAL);
	CHECK_EQ_U64(talk_exchange_id(t, "a", 'v', 0x00000010), NFS4ERR_INVAL);
	talk_destroy(t);
}

TEST(two_clients_with_one_owner_throw_each_other_out)
{
	struct talk *t = talk_create(NULL);
	struct talk_session first = talk_client(t, "same", 'v');
	struct talk_session second;

	t->call.connection = 2;
	second = talk_client(t, "same", 'w');
	CHECK(first.client_id != second.client_id);
	talk_sequence(t, &first, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BADSESSION);
	t->call.connection = 1;
	first = talk_client(t, "same", 'v');
	talk_sequence(t, &second, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BADSESSION);
	talk_destroy(t);
}

TEST(destroy_clientid)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_nfs_argop4 op = {.argop = OP_DESTROY_CLIENTID};
	struct nfs4_nfs_argop4 end = {.argop = OP_DESTROY_SESSION};

	op.opdestroy_clientid.dca_clientid = session.client_id;
	talk_begin(t, 1);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_CLIENTID_BUSY);
	memcpy(end.opdestroy_session.dsa_sessionid, session.id, 16);
	talk_begin(t, 1);
	talk_add(t, &end);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BADSESSION);
	talk_begin(t, 1);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_STALE_CLIENTID);
	talk_destroy(t);
}

/* SETCLIENTID of this owner and verifier, and the answer's two numbers. */
static uint32_t setclientid(struct talk *t, const char *owner, char verifier, uint64_t *id,
			    uint8_t confirm[8])
{
	struct nfs4_nfs_argop4 op = {.argop = OP_SETCLIENTID};

	op.opsetclientid.client.id = talk_text(owner);
	memset(op.opsetclientid.client.verifier, verifier, 8);
	op.opsetclientid.callback.cb_location.na_r_netid = talk_text("tcp");
	op.opsetclientid.callback.cb_location.na_r_addr = talk_text("10.0.0.1.3.4");
	talk_begin(t, 0);
	talk_add(t, &op);
	if (talk_run(t) == NFS4_OK) {
		*id = t->results[0].opsetclientid.resok4.clientid;
		memcpy(confirm, t->results[0].opsetclientid.resok4.setclientid_confirm, 8);
	}
	return t->status;
}

static uint32_t setclientid_confirm(struct talk *t, uint64_t id, const uint8_t confirm[8])
{
	struct nfs4_nfs_argop4 op = {.argop = OP_SETCLIENTID_CONFIRM};

	op.opsetclientid_confirm.clientid = id;
	memcpy(op.opsetclientid_confirm.setclientid_confirm, confirm, 8);
	talk_begin(t, 0);
	talk_add(t, &op);
	return talk_run(t);
}

static uint32_t renew(struct talk *t, uint64_t id)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_RENEW};

	op.oprenew.clientid = id;
	talk_begin(t, 0);
	talk_add(t, &op);
	return talk_run(t);
}

TEST(setclientid_new_and_repeated)
{
	struct talk *t = talk_create(NULL);
	uint8_t confirm[2][8];
	uint64_t id[2];

	CHECK_EQ_U64(setclientid(t, "a", 'v', &id[0], confirm[0]), NFS4_OK);
	CHECK_EQ_U64(renew(t, id[0]), NFS4ERR_EXPIRED); /* not confirmed */
	CHECK_EQ_U64(setclientid(t, "a", 'v', &id[1], confirm[1]), NFS4_OK);
	CHECK_EQ_U64(setclientid_confirm(t, id[0], confirm[0]), NFS4ERR_STALE_CLIENTID);
	CHECK_EQ_U64(setclientid_confirm(t, id[1], confirm[1]), NFS4_OK);
	CHECK_EQ_U64(setclientid_confirm(t, id[1], confirm[1]), NFS4_OK); /* once more */
	CHECK_EQ_U64(renew(t, id[1]), NFS4_OK);
	talk_destroy(t);
}

TEST(setclientid_changes_the_callback)
{
	struct talk *t = talk_create(NULL);
	uint64_t first = talk_client40(t, "a", 'v');
	uint64_t second = talk_client40(t, "a", 'v');

	CHECK_EQ_U64(first, second);
	talk_destroy(t);
}

TEST(setclientid_restart_of_the_client)
{
	struct talk *t = talk_create(NULL);
	uint64_t first = talk_client40(t, "a", 'v');
	uint64_t second = talk_client40(t, "a", 'w');

	CHECK(first != second);
	CHECK_EQ_U64(renew(t, first), NFS4ERR_EXPIRED);
	CHECK_EQ_U64(renew(t, second), NFS4_OK);
	talk_destroy(t);
}

TEST(setclientid_another_principal)
{
	struct talk *t = talk_create(NULL);
	uint64_t id = talk_client40(t, "a", 'v');
	uint8_t confirm[8];

	/* Without state anybody may take the name; with it nobody. */
	t->call.cred.uid = 7;
	CHECK_EQ_U64(setclientid(t, "a", 'w', &id, confirm), NFS4_OK);
	t->call.cred.uid = 8;
	CHECK_EQ_U64(setclientid_confirm(t, id, confirm), NFS4ERR_CLID_INUSE);
	t->call.cred.uid = 0;
	id = talk_client40(t, "b", 'v');
	talk_begin(t, 0);
	talk_op(t, OP_PUTROOTFH);
	talk_open(t, id, "o", 1, "f", OPEN4_SHARE_ACCESS_BOTH, 0, true);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	t->call.cred.uid = 7;
	CHECK_EQ_U64(setclientid(t, "b", 'w', &id, confirm), NFS4ERR_CLID_INUSE);
	CHECK_EQ_U64(t->results[0].opsetclientid.client_using.na_r_addr.len,
		     strlen("127.0.0.1.3.4"));
	talk_destroy(t);
}

TEST(setclientid_id_of_another_boot_is_stale)
{
	struct talk *t = talk_create(NULL);
	uint64_t id = talk_client40(t, "a", 'v');
	static const uint8_t confirm[8];

	nfs4_server_restart(t->server, 1700000500, 0, t->now_ns);
	CHECK_EQ_U64(renew(t, id), NFS4ERR_STALE_CLIENTID);
	CHECK_EQ_U64(setclientid_confirm(t, id, confirm), NFS4ERR_STALE_CLIENTID);
	talk_destroy(t);
}

TEST(leases_run_out)
{
	struct talk *t = talk_create(NULL);
	uint64_t id = talk_client40(t, "a", 'v');
	struct talk_session session = talk_client(t, "b", 'v');

	t->now_ns += 60 * TALK_SECOND;
	nfs4_tick(t->server, t->now_ns);
	CHECK_EQ_U64(renew(t, id), NFS4_OK);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	t->now_ns += 91 * TALK_SECOND;
	nfs4_tick(t->server, t->now_ns);
	CHECK_EQ_U64(renew(t, id), NFS4ERR_EXPIRED);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BADSESSION);
	talk_destroy(t);
}
