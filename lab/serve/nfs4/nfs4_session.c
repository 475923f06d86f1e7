// SPDX-License-Identifier: GPL-2.0-or-later
/*
 * Sessions: CREATE_SESSION with its replay, DESTROY_SESSION, BIND_CONN_TO_SESSION, BACKCHANNEL_CTL;
 * RFC 8881 sections 18.33, 18.34, 18.36, 18.37. As nfsd4_create_session and its neighbours. What
 * SEQUENCE does with the slots is in nfs4_sequence.c.
 */
#include "base/hash.h"
#include "base/mem.h"
#include "lab/serve/nfs4/nfs4_callback.h"
#include "lab/serve/nfs4/nfs4_stateid.h"

#include <stdlib.h>

enum {
	SEQUENCE_CALL_BYTES = 152,  /* nfsd's NFSD_MIN_REQ_HDR_SEQ_SZ, rounded */
	SEQUENCE_REPLY_BYTES = 100, /* and NFSD_MIN_RESP_HDR_SEQ_SZ */
	RECALL_BYTES = 340,         /* about what a CB_RECALL needs */
	CLIENT_SESSIONS = 64,
};

static uint64_t session_hash(const uint8_t id[16])
{
	return hash_bytes(id, 16);
}

struct nfs4_session *nfs4_session_of_id(struct nfs4_server *server, const uint8_t id[16])
{
	return map_find(&server->sessions, session_hash(id), id);
}

void nfs4_session_destroy(struct nfs4_server *server, struct nfs4_session *session)
{
	map_remove(&server->sessions, session_hash(session->id), session->id);
	nfs4_list_remove(&session->in_client);
	server->session_count--;
	for (uint32_t i = 0; i < session->fore.ca_maxrequests; i++)
		free(session->slots[i].reply);
	free(session->slots);
	free(session);
}

void nfs4_session_bind(struct nfs4_session *session, uint64_t connection)
{
	if (connection == 0)
		return;
	for (uint32_t i = 0; i < session->conn_count; i++) {
		if (session->conns[i] == connection)
			return;
	}
	if (session->conn_count == NFS4_SESSION_CONNS) {
		memmove(session->conns, session->conns + 1,
			sizeof(session->conns) - sizeof(session->conns[0]));
		session->conn_count--;
	}
	session->conns[session->conn_count++] = connection;
}

static uint32_t lesser(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

/* nfsd's check_forechannel_attrs. */
static uint32_t fore_negotiate(const struct nfs4_server *server, struct nfs4_channel_attrs4 *ca)
{
	uint32_t message = server->config.max_io_bytes + 4096;

	if (ca->ca_maxrequestsize < SEQUENCE_CALL_BYTES ||
	    ca->ca_maxresponsesize < SEQUENCE_REPLY_BYTES)
		return NFS4ERR_TOOSMALL;
	ca->ca_headerpadsize = 0;
	ca->ca_maxrequestsize = lesser(ca->ca_maxrequestsize, message);
	ca->ca_maxresponsesize = lesser(ca->ca_maxresponsesize, message);
	ca->ca_maxoperations = lesser(ca->ca_maxoperations, NFS4_MAX_OPS);
	ca->ca_maxresponsesize_cached =
		lesser(ca->ca_maxresponsesize_cached, NFS4_SLOT_CACHE_BYTES + SEQUENCE_REPLY_BYTES);
	ca->ca_maxrequests = lesser(ca->ca_maxrequests, server->config.max_slots);
	if (ca->ca_maxrequests == 0)
		ca->ca_maxrequests = 1;
	ca->ca_rdma_ird = (struct xdr_array){0};
	return NFS4_OK;
}

/* nfsd's check_backchannel_attrs. */
static uint32_t back_negotiate(struct nfs4_channel_attrs4 *ca)
{
	ca->ca_headerpadsize = 0;
	if (ca->ca_maxrequestsize < RECALL_BYTES || ca->ca_maxresponsesize < SEQUENCE_REPLY_BYTES ||
	    ca->ca_maxoperations < 2)
		return NFS4ERR_TOOSMALL;
	ca->ca_maxresponsesize_cached = 0;
	ca->ca_rdma_ird = (struct xdr_array){0};
	return NFS4_OK;
}

/* A session's ID begins with its client's, as nfsd's gen_sessionid makes it. */
static void session_id_make(struct nfs4_server *server, struct nfs4_session *session)
{
	uint32_t number = server->next_session++;

	for (uint32_t i = 0; i < 8; i++)
		session->id[i] = (uint8_t)(session->client->id >> (56 - 8 * i));
	for (uint32_t i = 0; i < 4; i++)
		session->id[8 + i] = (uint8_t)(number >> (8 * i));
}

static struct nfs4_session *session_create(struct nfs4_run *run, struct nfs4_client *client,
					   const struct nfs4_CREATE_SESSION4args *args,
					   const struct nfs4_channel_attrs4 *fore,
					   const struct nfs4_channel_attrs4 *back)
{
	struct nfs4_server *server = run->server;
	struct nfs4_session *session = mem_alloc(1, sizeof(*session));

	session->client = client;
	session->fore = *fore;
	session->back = *back;
	session->flags = args->csa_flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN;
	session->cb_program = args->csa_cb_program;
	session->cb_seqid = 1;
	session->busy_until_ns = run->now_ns;
	session->slots = mem_alloc(fore->ca_maxrequests, sizeof(session->slots[0]));
	session_id_make(server, session);
	nfs4_session_bind(session, run->call->connection);
	if (session->flags & CREATE_SESSION4_FLAG_CONN_BACK_CHAN)
		session->back_conn = run->call->connection;
	nfs4_list_append(&client->sessions, &session->in_client);
	map_add(&server->sessions, session_hash(session->id), session);
	server->session_count++;
	return session;
}

/* Which client's slot it is, and whether the sequence is right; *replay: answer what was answered.
 */
static uint32_t create_judge(struct nfs4_run *run, const struct nfs4_CREATE_SESSION4args *args,
			     struct nfs4_client **out, bool *replay)
{
	struct nfs4_server *server = run->server;
	struct nfs4_client *client = nfs4_client_by_id(server, args->csa_clientid, true);
	struct nfs4_client *old;

	if (client) {
		*out = client;
		*replay = args->csa_sequence == client->create_seqid;
		if (*replay || args->csa_sequence == client->create_seqid + 1)
			return NFS4_OK;
		return NFS4ERR_SEQ_MISORDERED;
	}
	client = nfs4_client_by_id(server, args->csa_clientid, false);
	if (!client)
		return NFS4ERR_STALE_CLIENTID;
	if (!nfs4_cred_equal(&client->cred, &run->call->cred))
		return NFS4ERR_CLID_INUSE;
	if (args->csa_sequence != client->create_seqid + 1)
		return NFS4ERR_SEQ_MISORDERED;
	/* The client has restarted (case 5 of EXCHANGE_ID), or another one has its owner. */
	old = nfs4_client_by_owner(server, slice_make(client->owner, client->owner_len), true);
	if (old && old == run->client) /* in use by this very call: nfsd says so, too */
		return NFS4ERR_DELAY;
	if (old)
		nfs4_client_destroy(server, old);
	nfs4_client_confirm(server, client);
	*out = client;
	return NFS4_OK;
}

static uint32_t clients_sessions(const struct nfs4_client *client)
{
	uint32_t count = 0;

	for (const struct nfs4_link *link = client->sessions.next; link != &client->sessions;
	     link = link->next)
		count++;
	return count;
}

uint32_t nfs4_op_create_session(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
				struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_CREATE_SESSION4args *args = &arg->opcreate_session;
	struct nfs4_CREATE_SESSION4resok *ok = &res->opcreate_session.csr_resok4;
	struct nfs4_channel_attrs4 fore = args->csa_fore_chan_attrs;
	struct nfs4_channel_attrs4 back = args->csa_back_chan_attrs;
	struct nfs4_session *session;
	struct nfs4_client *client;
	bool replay = false;
	uint32_t status;

	if ((args->csa_flags &
	     ~(uint32_t)(CREATE_SESSION4_FLAG_PERSIST | CREATE_SESSION4_FLAG_CONN_BACK_CHAN |
			 CREATE_SESSION4_FLAG_CONN_RDMA)) != 0)
		return NFS4ERR_INVAL;
	status = fore_negotiate(run->server, &fore);
	if (status == NFS4_OK)
		status = back_negotiate(&back);
	if (status == NFS4_OK && run->server->session_count >= NFS4_MAX_SESSIONS)
		status = NFS4ERR_DELAY;
	if (status == NFS4_OK)
		status = create_judge(run, args, &client, &replay);
	if (status != NFS4_OK)
		return status;
	if (replay) {
		*ok = client->create_reply;
		return client->create_status;
	}
	if (clients_sessions(client) >= CLIENT_SESSIONS)
		return NFS4ERR_DELAY;
	session = session_create(run, client, args, &fore, &back);
	nfs4_client_renew(client, run->now_ns);
	client->create_seqid++;
	memcpy(ok->csr_sessionid, session->id, sizeof(session->id));
	ok->csr_sequence = client->create_seqid;
	ok->csr_flags = session->flags;
	ok->csr_fore_chan_attrs = session->fore;
	ok->csr_back_chan_attrs = session->back;
	client->create_reply = *ok;
	client->create_status = NFS4_OK;
	if (session->back_conn != 0)
		nfs4_callback_probe(run->server, client);
	return NFS4_OK;
}

uint32_t nfs4_op_destroy_session(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
				 struct nfs4_nfs_resop4 *res)
{
	struct nfs4_session *session =
		nfs4_session_of_id(run->server, arg->opdestroy_session.dsa_sessionid);

	(void)res;
	/* RFC 8881 section 18.37.3: in its own session it is the last operation. */
	if (session && session == run->session && run->op_index + 1 != run->op_count)
		return NFS4ERR_NOT_ONLY_OP;
	if (!session)
		return NFS4ERR_BADSESSION;
	if (session == run->session) {
		run->session = NULL;
		run->slot = NULL;
	}
	nfs4_session_destroy(run->server, session);
	return NFS4_OK;
}

uint32_t nfs4_op_bind_conn(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
			   struct nfs4_nfs_resop4 *res)
{
	const struct nfs4_BIND_CONN_TO_SESSION4args *args = &arg->opbind_conn_to_session;
	struct nfs4_BIND_CONN_TO_SESSION4resok *ok = &res->opbind_conn_to_session.bctsr_resok4;
	struct nfs4_session *session = nfs4_session_of_id(run->server, args->bctsa_sessid);
	uint32_t direction;

	if (!session)
		return NFS4ERR_BADSESSION;
	/* nfsd4_map_bcts_dir: who leaves it to us gets both. */
	switch (args->bctsa_dir) {
	case CDFC4_FORE:
		direction = CDFS4_FORE;
		break;
	case CDFC4_BACK:
		direction = CDFS4_BACK;
		break;
	case CDFC4_FORE_OR_BOTH:
	case CDFC4_BACK_OR_BOTH:
		direction = CDFS4_BOTH;
		break;
	default:
		return NFS4ERR_INVAL;
	}
	if (direction & CDFS4_FORE)
		nfs4_session_bind(session, run->call->connection);
	if (direction & CDFS4_BACK) {
		session->back_conn = run->call->connection;
		session->cb_busy = false;
		nfs4_callback_probe(run->server, session->client);
	}
	memcpy(ok->bctsr_sessid, session->id, sizeof(session->id));
	ok->bctsr_dir = direction;
	ok->bctsr_use_conn_in_rdma_mode = false;
	return NFS4_OK;
}

uint32_t nfs4_op_backchannel_ctl(struct nfs4_run *run, const struct nfs4_nfs_argop4 *arg,
				 struct nfs4_nfs_resop4 *res)
{
	(void)res;
	run->session->cb_program = arg->opbackchannel_ctl.bca_cb_program;
	nfs4_callback_probe(run->server, run->client);
	return NFS4_OK;
}

void nfs4_connection_closed(struct nfs4_server *server, uint64_t connection, int64_t now_ns)
{
	struct nfs4_session *session;
	size_t index = 0;

	(void)now_ns;
	while ((session = map_next(&server->sessions, &index)) != NULL) {
		uint32_t kept = 0;

		for (uint32_t i = 0; i < session->conn_count; i++) {
			if (session->conns[i] != connection)
				session->conns[kept++] = session->conns[i];
		}
		session->conn_count = kept;
		if (session->back_conn != connection || connection == 0)
			continue;
		session->back_conn = 0;
		session->cb_busy = false;
		/* nfsd's nfsd4_conn_lost probes, and finds no way. */
		if (!nfs4_client_back_session(session->client))
			session->client->cb_path = NFS4_PATH_DOWN;
	}
}
