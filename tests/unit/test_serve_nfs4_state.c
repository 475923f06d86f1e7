// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Opens, locks, delegations, grace and courtesy of the lab's NFSv4 server, and what faults do to
 * them.
 */
#include "check.h"
#include "nfs4_talk.h"

enum { READ = OPEN4_SHARE_ACCESS_READ, WRITE = OPEN4_SHARE_ACCESS_WRITE, BOTH = READ | WRITE };

/* SEQUENCE, PUTROOTFH, LOOKUP of the file: what stands before an operation on it. */
static void file_begin(struct talk *t, struct talk_session *session, const char *name)
{
	talk_sequence(t, session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, name);
}

static uint32_t open_try(struct talk *t, struct talk_session *session, const char *owner,
			 const char *name, uint32_t access, uint32_t deny)
{
	talk_sequence(t, session, true);
	talk_op(t, OP_PUTROOTFH);
	talk_open(t, session->client_id, owner, 0, name, access, deny, false);
	return talk_run(t);
}

static uint32_t lock_try(struct talk *t, struct talk_session *session, const char *name,
			 struct nfs4_stateid4 open, const char *owner, uint64_t offset,
			 uint64_t length)
{
	file_begin(t, session, name);
	talk_lock(t, open, owner, offset, length, true);
	return talk_run(t);
}

TEST(data_is_written_and_read)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 open = talk_opened(t, &session, "o", "f", BOTH);
	struct nfs4_READ4resok *read = &t->results[3].opread.resok4;

	file_begin(t, &session, "f");
	talk_write(t, open, 3, "hello");
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(t->results[3].opwrite.resok4.count, 5);
	file_begin(t, &session, "f");
	talk_read(t, open, 0, 100);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_BYTES(read->data.ptr, read->data.len, "\0\0\0hello", 8);
	CHECK(read->eof);
	file_begin(t, &session, "f");
	talk_close(t, 0, open);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	file_begin(t, &session, "f");
	talk_write(t, open, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BAD_STATEID);
	talk_destroy(t);
}

TEST(seqids_of_stateids)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 first = talk_opened(t, &session, "o", "f", WRITE);
	struct nfs4_stateid4 second = talk_opened(t, &session, "o", "f", BOTH);

	CHECK_EQ_U64(first.seqid, 1);
	CHECK_EQ_U64(second.seqid, 2);
	CHECK_BYTES(first.other, 12, second.other, 12);
	file_begin(t, &session, "f");
	talk_write(t, first, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_OLD_STATEID);
	second.seqid = 3;
	file_begin(t, &session, "f");
	talk_write(t, second, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BAD_STATEID);
	second.seqid = 0; /* "whatever it is now" */
	file_begin(t, &session, "f");
	talk_write(t, second, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	talk_destroy(t);
}

TEST(shares_deny)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 open = talk_opened(t, &session, "o", "f", WRITE);
	struct nfs4_stateid4 zero = {0};

	CHECK_EQ_U64(open_try(t, &session, "p", "f", READ, OPEN4_SHARE_DENY_WRITE),
		     NFS4ERR_SHARE_DENIED);
	CHECK_EQ_U64(open_try(t, &session, "o", "f", READ, OPEN4_SHARE_DENY_WRITE), NFS4_OK);
	CHECK_EQ_U64(open_try(t, &session, "p", "f", WRITE, 0), NFS4ERR_SHARE_DENIED);
	file_begin(t, &session, "f");
	talk_write(t, zero, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_LOCKED);
	file_begin(t, &session, "f");
	talk_read(t, zero, 0, 1);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	(void)open;
	talk_destroy(t);
}

TEST(open_downgrade)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_nfs_argop4 op = {.argop = OP_OPEN_DOWNGRADE};

	op.opopen_downgrade.open_stateid = talk_opened(t, &session, "o", "f", BOTH);
	op.opopen_downgrade.share_access = READ;
	file_begin(t, &session, "f");
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_INVAL); /* never opened with READ alone */
	op.opopen_downgrade.open_stateid = talk_opened(t, &session, "o", "f", READ);
	file_begin(t, &session, "f");
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(t->results[3].opopen_downgrade.resok4.open_stateid.seqid, 3);
	file_begin(t, &session, "f");
	talk_write(t, t->results[3].opopen_downgrade.resok4.open_stateid, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_OPENMODE);
	talk_destroy(t);
}

TEST(locks_conflict_split_and_merge)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 open = talk_opened(t, &session, "o", "f", BOTH);
	struct nfs4_nfs_argop4 unlock = {.argop = OP_LOCKU};

	CHECK_EQ_U64(lock_try(t, &session, "f", open, "one", 0, 100), NFS4_OK);
	unlock.oplocku.lock_stateid = t->results[3].oplock.resok4.lock_stateid;
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "two", 50, 1), NFS4ERR_DENIED);
	CHECK_EQ_U64(t->results[3].oplock.denied.offset, 0);
	CHECK_EQ_U64(t->results[3].oplock.denied.length, 100);
	CHECK_BYTES(t->results[3].oplock.denied.owner.owner.ptr, 3, "one", 3);
	unlock.oplocku.locktype = WRITE_LT;
	unlock.oplocku.offset = 40;
	unlock.oplocku.length = 20;
	file_begin(t, &session, "f");
	talk_add(t, &unlock);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "two", 40, 20), NFS4_OK);
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "two", 39, 1), NFS4ERR_DENIED);
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "two", 60, 1), NFS4ERR_DENIED);
	CHECK_EQ_U64(t->results[3].oplock.denied.length, 40);
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "two", 100, UINT64_MAX), NFS4_OK);
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "two", 0, 0), NFS4ERR_INVAL);
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "two", 2, UINT64_MAX - 1), NFS4ERR_INVAL);
	talk_destroy(t);
}

/* A lock of another protocol on bytes 10 to 19 of every file. */
static bool held_elsewhere(void *context, uint64_t fileid, const struct held_range *wanted,
			   struct held_range *out)
{
	(void)context, (void)fileid;
	*out = (struct held_range){10, 19, true};
	return wanted->start <= 19 && wanted->end >= 10;
}

static void with_others(struct nfs4_server_config *config)
{
	config->ops.held = held_elsewhere;
}

TEST(locks_of_another_protocol_stand_against_ours)
{
	struct talk *t = talk_create(with_others);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 open = talk_opened(t, &session, "o", "f", BOTH);
	struct held_range wanted = {0, 5, false}, held;
	uint64_t fileid;

	CHECK_EQ_U64(lock_try(t, &session, "f", open, "one", 0, 10), NFS4_OK);
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "two", 15, 1), NFS4ERR_DENIED);
	CHECK_EQ_U64(t->results[3].oplock.denied.offset, 10);
	CHECK_EQ_U64(t->results[3].oplock.denied.length, 10);
	CHECK_EQ_U64(t->results[3].oplock.denied.owner.owner.len, 0);
	/* What others are told of ours. */
	CHECK_EQ_U64(tree_lookup(t->tree, tree_root(t->tree), slice_of_string("f"), &fileid),
		     TREE_OK);
	CHECK(nfs4_holds(t->server, fileid, &wanted, &held));
	CHECK(held.start == 0 && held.end == 9 && held.exclusive);
	wanted = (struct held_range){10, UINT64_MAX, true};
	CHECK(!nfs4_holds(t->server, fileid, &wanted, &held));
	talk_destroy(t);
}

TEST(closing_and_freeing)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 open = talk_opened(t, &session, "o", "f", BOTH);
	struct nfs4_nfs_argop4 op = {.argop = OP_FREE_STATEID};

	CHECK_EQ_U64(lock_try(t, &session, "f", open, "one", 0, 1), NFS4_OK);
	op.opfree_stateid.fsa_stateid = t->results[3].oplock.resok4.lock_stateid;
	talk_sequence(t, &session, true);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_LOCKS_HELD);
	file_begin(t, &session, "f");
	talk_close(t, 0, open);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	talk_sequence(t, &session, true);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BAD_STATEID);
	open = talk_opened(t, &session, "p", "f", BOTH);
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "two", 0, 1), NFS4_OK);
	talk_destroy(t);
}

/* 4.0: an OPEN of an owner's with this sequence number. */
static uint32_t open40(struct talk *t, uint64_t client, uint32_t seqid, const char *name)
{
	talk_begin(t, 0);
	talk_op(t, OP_PUTROOTFH);
	talk_open(t, client, "o", seqid, name, BOTH, 0, true);
	talk_op(t, OP_GETFH);
	return talk_run(t);
}

static uint32_t confirm40(struct talk *t, uint32_t seqid, struct nfs4_stateid4 stateid,
			  const char *name)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_OPEN_CONFIRM};

	op.opopen_confirm.open_stateid = stateid;
	op.opopen_confirm.seqid = seqid;
	talk_begin(t, 0);
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, name);
	talk_add(t, &op);
	return talk_run(t);
}

static uint32_t close40(struct talk *t, uint32_t seqid, struct nfs4_stateid4 stateid,
			const char *name)
{
	talk_begin(t, 0);
	talk_op(t, OP_PUTROOTFH);
	talk_lookup(t, name);
	talk_close(t, seqid, stateid);
	return talk_run(t);
}

TEST(sequence_of_an_owner_of_40)
{
	struct talk *t = talk_create(NULL);
	uint64_t client = talk_client40(t, "a", 'v');
	struct nfs4_stateid4 stateid;
	size_t len;

	CHECK_EQ_U64(open40(t, client, 5, "f"), NFS4_OK);
	CHECK(t->results[1].opopen.resok4.rflags & OPEN4_RESULT_CONFIRM);
	stateid = t->results[1].opopen.resok4.stateid;
	CHECK_EQ_U64(confirm40(t, 8, stateid, "f"), NFS4ERR_BAD_SEQID);
	CHECK_EQ_U64(confirm40(t, 6, stateid, "f"), NFS4_OK);
	CHECK_EQ_U64(confirm40(t, 6, stateid, "f"), NFS4_OK); /* once more */
	stateid = t->results[2].opopen_confirm.resok4.open_stateid;
	CHECK_EQ_U64(stateid.seqid, 2);
	CHECK_EQ_U64(open40(t, client, 7, "g"), NFS4_OK);
	CHECK(!(t->results[1].opopen.resok4.rflags & OPEN4_RESULT_CONFIRM));
	len = t->reply_len;
	CHECK_EQ_U64(open40(t, client, 7, "g"), NFS4_OK);
	CHECK_EQ_U64(t->reply_len, len);
	CHECK_EQ_U64(t->results[1].opopen.resok4.stateid.seqid, 1);
	CHECK_EQ_U64(open40(t, client, 9, "h"), NFS4ERR_BAD_SEQID);
	CHECK_EQ_U64(close40(t, 8, stateid, "f"), NFS4_OK);
	CHECK_EQ_U64(close40(t, 8, stateid, "f"), NFS4_OK);
	CHECK_EQ_U64(close40(t, 9, stateid, "f"), NFS4ERR_BAD_STATEID);
	CHECK_EQ_U64(open40(t, client, 9, "f"), NFS4_OK);
	talk_destroy(t);
}

static void lease_short(struct nfs4_server_config *config)
{
	config->lease_seconds = 10;
	config->courtesy_seconds = 1000;
}

TEST(courtesy_lasts_until_somebody_minds)
{
	struct talk *t = talk_create(lease_short);
	struct talk_session first = talk_client(t, "a", 'v');
	struct nfs4_stateid4 open = talk_opened(t, &first, "o", "f", BOTH);
	struct talk_session second;
	struct nfs4_stateid4 other;

	CHECK_EQ_U64(lock_try(t, &first, "f", open, "one", 0, 10), NFS4_OK);
	t->now_ns += 50 * TALK_SECOND;
	nfs4_tick(t->server, t->now_ns);
	talk_sequence(t, &first, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK); /* it comes back, and has all that it had */
	second = talk_client(t, "b", 'v');
	other = talk_opened(t, &second, "p", "f", BOTH);
	CHECK_EQ_U64(lock_try(t, &second, "f", other, "two", 0, 10), NFS4ERR_DENIED);
	t->now_ns += 8 * TALK_SECOND;
	talk_sequence(t, &second, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	t->now_ns += 5 * TALK_SECOND;
	nfs4_tick(t->server, t->now_ns);
	CHECK_EQ_U64(lock_try(t, &second, "f", other, "two", 0, 10), NFS4_OK);
	talk_sequence(t, &first, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BADSESSION);
	talk_destroy(t);
}

static uint32_t reclaim(struct talk *t, struct talk_session *session, const char *name)
{
	struct nfs4_nfs_argop4 op = {.argop = OP_OPEN};

	op.opopen.share_access = BOTH;
	op.opopen.owner.clientid = session->client_id;
	op.opopen.owner.owner = talk_text("o");
	op.opopen.claim.claim = CLAIM_PREVIOUS;
	file_begin(t, session, name);
	talk_add(t, &op);
	return talk_run(t);
}

/* A client after a restart, before its RECLAIM_COMPLETE. */
static struct talk_session client_again(struct talk *t, const char *owner, char verifier)
{
	struct talk_session session = {0};

	CHECK_EQ_U64(talk_exchange_id(t, owner, verifier, 0), NFS4_OK);
	session.client_id = t->results[0].opexchange_id.eir_resok4.eir_clientid;
	CHECK_EQ_U64(talk_create_session(t, session.client_id, 1), NFS4_OK);
	memcpy(session.id, t->results[0].opcreate_session.csr_resok4.csr_sessionid, 16);
	return session;
}

TEST(restart_grace_and_reclaim)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 old = talk_opened(t, &session, "o", "f", BOTH);
	struct talk_session stranger;
	struct nfs4_stateid4 open;
	struct nfs4_nfs_argop4 lock = {.argop = OP_LOCK};

	CHECK_EQ_U64(reclaim(t, &session, "f"), NFS4ERR_NO_GRACE);
	nfs4_server_restart(t->server, 1700000100, 0, t->now_ns);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BADSESSION);
	session = client_again(t, "a", 'v');
	stranger = client_again(t, "b", 'v');
	file_begin(t, &session, "f");
	talk_write(t, old, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BAD_STATEID);
	CHECK_EQ_U64(open_try(t, &session, "o", "f", BOTH, 0), NFS4ERR_GRACE);
	CHECK_EQ_U64(reclaim(t, &stranger, "f"), NFS4ERR_RECLAIM_BAD);
	CHECK_EQ_U64(reclaim(t, &session, "f"), NFS4_OK);
	open = t->results[3].opopen.resok4.stateid;
	CHECK_EQ_U64(lock_try(t, &session, "f", open, "one", 0, 1), NFS4ERR_GRACE);
	lock.oplock.locktype = WRITE_LT;
	lock.oplock.reclaim = true;
	lock.oplock.length = 1;
	lock.oplock.locker.new_lock_owner = true;
	lock.oplock.locker.open_owner.open_stateid = open;
	lock.oplock.locker.open_owner.lock_owner.owner = talk_text("one");
	file_begin(t, &session, "f");
	talk_add(t, &lock);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	/* The only one who could reclaim is done: grace is over. */
	talk_sequence(t, &session, true);
	talk_op(t, OP_RECLAIM_COMPLETE);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(open_try(t, &session, "p", "f", BOTH, 0), NFS4_OK);
	talk_sequence(t, &session, true);
	talk_op(t, OP_RECLAIM_COMPLETE);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_COMPLETE_ALREADY);
	file_begin(t, &session, "f");
	talk_add(t, &lock);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_NO_GRACE);
	talk_destroy(t);
}

TEST(delegation_is_recalled_and_returned)
{
	struct talk *t = talk_create(NULL);
	struct talk_session first = talk_client(t, "a", 'v');
	struct talk_session second;
	struct nfs4_nfs_argop4 op = {.argop = OP_DELEGRETURN};
	struct nfs4_stateid4 open;

	talk_callback_answer(t, NFS4_OK);
	open = talk_opened(t, &first, "o", "f", WRITE);
	file_begin(t, &first, "f");
	talk_close(t, 0, open);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	talk_opened(t, &first, "o", "f", READ);
	CHECK_EQ_U64(t->results[2].opopen.resok4.delegation.delegation_type, OPEN_DELEGATE_READ);
	op.opdelegreturn.deleg_stateid = t->results[2].opopen.resok4.delegation.read.stateid;
	t->call.connection = 2;
	second = talk_client(t, "b", 'v');
	CHECK_EQ_U64(open_try(t, &second, "p", "f", WRITE, 0), NFS4ERR_DELAY);
	CHECK_EQ_U64(t->callbacks[t->callback_count - 1].procedure, 1);
	CHECK_EQ_U64(t->callbacks[t->callback_count - 1].connection, 1);
	talk_callback_answer(t, NFS4_OK);
	CHECK_EQ_U64(open_try(t, &second, "p", "f", WRITE, 0), NFS4ERR_DELAY);
	file_begin(t, &first, "f");
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(open_try(t, &second, "p", "f", WRITE, 0), NFS4_OK);
	talk_destroy(t);
}

TEST(delegation_that_is_not_returned_is_revoked)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct fault_server_request request = {.action = FAULT_RECALL, .now_ns = t->now_ns};
	struct nfs4_nfs_argop4 op = {.argop = OP_FREE_STATEID};
	struct nfs4_stateid4 deleg;

	talk_callback_answer(t, NFS4_OK);
	file_begin(t, &session, "f");
	talk_run(t); /* there is none yet */
	talk_opened(t, &session, "w", "f", WRITE);
	file_begin(t, &session, "f");
	talk_close(t, 0, (struct nfs4_stateid4){.seqid = 0});
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BAD_STATEID);
	CHECK(nfs4_fault_act(t->server,
			     &(struct fault_server_request){.action = FAULT_FORGET_STATEID,
							    .now_ns = t->now_ns}) == NULL);
	talk_opened(t, &session, "o", "f", READ);
	deleg = t->results[2].opopen.resok4.delegation.read.stateid;
	CHECK(nfs4_fault_act(t->server, &request) == NULL);
	nfs4_tick(t->server, t->now_ns);
	talk_callback_answer(t, NFS4ERR_DELAY);
	t->now_ns += 3 * TALK_SECOND;
	nfs4_tick(t->server, t->now_ns);
	CHECK_EQ_U64(t->callback_count, 3); /* the probe, and the recall twice */
	t->now_ns += 60 * TALK_SECOND;
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	t->now_ns += 60 * TALK_SECOND;
	nfs4_tick(t->server, t->now_ns);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK(t->results[0].opsequence.sr_resok4.sr_status_flags &
	      SEQ4_STATUS_RECALLABLE_STATE_REVOKED);
	file_begin(t, &session, "f");
	talk_read(t, deleg, 0, 1);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_DELEG_REVOKED);
	op.opfree_stateid.fsa_stateid = deleg;
	talk_sequence(t, &session, false);
	talk_add(t, &op);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK(!(t->results[0].opsequence.sr_resok4.sr_status_flags &
		SEQ4_STATUS_RECALLABLE_STATE_REVOKED));
	talk_destroy(t);
}

static struct err *act(struct talk *t, enum fault_server_action action, int64_t duration_ns)
{
	return nfs4_fault_act(t->server, &(struct fault_server_request){.action = action,
									.duration_ns = duration_ns,
									.now_ns = t->now_ns});
}

TEST(faults_on_states)
{
	struct talk *t = talk_create(NULL);
	struct talk_session session = talk_client(t, "a", 'v');
	struct nfs4_stateid4 open = talk_opened(t, &session, "o", "f", BOTH);
	struct nfs4_stateid4 lock;
	struct err *err;

	CHECK_EQ_U64(lock_try(t, &session, "f", open, "one", 0, 1), NFS4_OK);
	lock = t->results[3].oplock.resok4.lock_stateid;
	CHECK(act(t, FAULT_REVOKE, 0) == NULL);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK_EQ_U64(t->results[0].opsequence.sr_resok4.sr_status_flags &
			     SEQ4_STATUS_ADMIN_STATE_REVOKED,
		     SEQ4_STATUS_ADMIN_STATE_REVOKED);
	file_begin(t, &session, "f");
	talk_write(t, lock, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_ADMIN_REVOKED);
	CHECK(act(t, FAULT_FORGET_LOCK, 0) == NULL);
	file_begin(t, &session, "f");
	talk_write(t, lock, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BAD_STATEID);
	CHECK(act(t, FAULT_FORGET_STATEID, 0) == NULL);
	file_begin(t, &session, "f");
	talk_write(t, open, 0, "x");
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BAD_STATEID);
	CHECK(act(t, FAULT_FILL_SLOTS, 5 * TALK_SECOND) == NULL);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_DELAY);
	t->now_ns += 6 * TALK_SECOND;
	CHECK_EQ_U64(talk_run(t), NFS4_OK);
	CHECK(act(t, FAULT_GRACE, 5 * TALK_SECOND) == NULL);
	CHECK_EQ_U64(open_try(t, &session, "o", "f", READ, 0), NFS4ERR_GRACE);
	CHECK(act(t, FAULT_GRACE_END, 0) == NULL);
	CHECK_EQ_U64(open_try(t, &session, "o", "f", READ, 0), NFS4_OK);
	CHECK(act(t, FAULT_FORGET_SESSION, 0) == NULL);
	talk_sequence(t, &session, false);
	CHECK_EQ_U64(talk_run(t), NFS4ERR_BADSESSION);
	err = act(t, FAULT_MOVE_PORT, 0);
	CHECK(err != NULL);
	err_destroy(err);
	talk_destroy(t);
}
