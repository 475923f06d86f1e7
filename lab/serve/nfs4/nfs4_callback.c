// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_callback.h. */
#include "lab/serve/nfs4/nfs4_callback.h"
#include "base/mem.h"
#include "lab/serve/nfs4/nfs4_stateid.h"
#include "lab/serve/tree/tree.h"

#include <stdlib.h>

enum { CALLBACK_BYTES = 1024 };

/* nfsd's NFSD4_CB_RECALL, again after 2 s: nfsd4_cb_recall_done. */
#define RECALL_AGAIN_NS (2 * NFS4_SECOND)

struct nfs4_session *nfs4_client_back_session(const struct nfs4_client *client)
{
	for (const struct nfs4_link *link = client->sessions.next; link != &client->sessions;
	     link = link->next) {
		struct nfs4_session *session = NFS4_ITEM(link, struct nfs4_session, in_client);

		if (session->back_conn != 0)
			return session;
	}
	return NULL;
}

void nfs4_pending_destroy(struct nfs4_server *server, struct nfs4_pending_callback *pending)
{
	nfs4_list_remove(&pending->in_server);
	server->callback_count--;
	free(pending->args);
	free(pending);
}

/* Where a callback to this client goes. False: there is no way. */
static bool path_find(const struct nfs4_client *client, struct nfs4_pending_callback *pending,
		      struct nfs4_session **session)
{
	*session = NULL;
	if (client->by_exchange_id) {
		*session = nfs4_client_back_session(client);
		if (!*session)
			return false;
		pending->connection = (*session)->back_conn;
		pending->program = (*session)->cb_program;
		return true;
	}
	memcpy(pending->netid, client->cb_netid, sizeof(pending->netid));
	memcpy(pending->address, client->cb_address, sizeof(pending->address));
	pending->program = client->cb_program;
	return client->cb_address[0] != '\0';
}

/* A callback that is to be sent by the next tick; NULL: no way, or no room. */
static struct nfs4_pending_callback *pending_create(struct nfs4_server *server,
						    struct nfs4_client *client,
						    struct nfs4_session **session)
{
	struct nfs4_pending_callback path = {.client_id = client->id};
	const struct nfs4_server_ops *ops = &server->config.ops;
	struct nfs4_pending_callback *pending;

	if (!ops->send_callback || server->callback_count >= NFS4_MAX_CALLBACKS ||
	    !path_find(client, &path, session))
		return NULL;
	pending = mem_alloc(1, sizeof(*pending));
	*pending = path;
	pending->token = ++server->next_token;
	nfs4_list_append(&server->callbacks, &pending->in_server);
	server->callback_count++;
	if (ops->wake)
		ops->wake(ops->context);
	return pending;
}

static bool pending_send(struct nfs4_server *server, struct nfs4_pending_callback *pending)
{
	const struct nfs4_server_ops *ops = &server->config.ops;
	struct nfs4_callback callback = {
		.token = pending->token,
		.connection = pending->connection,
		.netid = pending->netid,
		.address = pending->address,
		.program = pending->program,
		.procedure = pending->args ? 1 : 0,
		.args = slice_make(pending->args, pending->args_len),
	};

	pending->sent = true;
	return ops->send_callback(ops->context, &callback);
}

bool nfs4_callbacks_send(struct nfs4_server *server, int64_t now_ns)
{
	bool failed = false;
	struct nfs4_link *next;

	for (struct nfs4_link *link = server->callbacks.next; link != &server->callbacks;
	     link = next) {
		struct nfs4_pending_callback *pending =
			NFS4_ITEM(link, struct nfs4_pending_callback, in_server);

		next = link->next;
		if (pending->sent || pending_send(server, pending))
			continue;
		nfs4_callback_done(server, pending->token, false, cursor_make(slice_make(NULL, 0)),
				   now_ns);
		failed = true;
	}
	return failed;
}

void nfs4_callback_probe(struct nfs4_server *server, struct nfs4_client *client)
{
	struct nfs4_session *session;

	client->cb_path =
		pending_create(server, client, &session) ? NFS4_PATH_UNKNOWN : NFS4_PATH_DOWN;
}

static void sequence_put(struct xdr_writer *w, const struct nfs4_session *session)
{
	struct nfs4_nfs_cb_argop4 op = {.argop = OP_CB_SEQUENCE};
	struct nfs4_CB_SEQUENCE4args *args = &op.opcb_sequence;

	memcpy(args->csa_sessionid, session->id, sizeof(session->id));
	args->csa_sequenceid = session->cb_seqid;
	nfs4_encode_nfs_cb_argop4(w, &op);
}

static void recall_put(struct nfs4_server *server, struct xdr_writer *w,
		       const struct nfs4_state *deleg, const struct nfs4_session *session)
{
	struct nfs4_nfs_cb_argop4 op = {.argop = OP_CB_RECALL};
	uint8_t handle[TREE_HANDLE_BYTES];

	xdr_put_u32(w, 0); /* no tag */
	xdr_put_u32(w, session ? deleg->client->minor : 0);
	xdr_put_u32(w, deleg->client->cb_ident);
	xdr_put_u32(w, session ? 2 : 1);
	if (session)
		sequence_put(w, session);
	tree_handle_make(server->config.tree, deleg->file->fileid, handle);
	op.opcb_recall.stateid = nfs4_stateid_of(deleg);
	op.opcb_recall.fh = nfs4_opaque_bytes(slice_make(handle, sizeof(handle)));
	nfs4_encode_nfs_cb_argop4(w, &op);
}

bool nfs4_callback_recall(struct nfs4_server *server, struct nfs4_state *deleg)
{
	struct nfs4_session *session = nfs4_client_back_session(deleg->client);
	struct nfs4_pending_callback *pending;
	uint8_t bytes[CALLBACK_BYTES];
	struct xdr_writer w = xdr_writer_make(bytes, sizeof(bytes));

	if (session && session->cb_busy)
		return false;
	pending = pending_create(server, deleg->client, &session);
	if (!pending)
		return false;
	recall_put(server, &w, deleg, session);
	pending->args = mem_copy(bytes, xdr_writer_bytes(&w).len);
	pending->args_len = (uint32_t)xdr_writer_bytes(&w).len;
	pending->state_number = deleg->number;
	pending->has_session = session != NULL;
	if (session) {
		memcpy(pending->session_id, session->id, sizeof(session->id));
		session->cb_busy = true;
	}
	return true;
}

void nfs4_callbacks_forget(struct nfs4_server *server, uint32_t state_number)
{
	for (struct nfs4_link *link = server->callbacks.next; link != &server->callbacks;
	     link = link->next) {
		struct nfs4_pending_callback *pending =
			NFS4_ITEM(link, struct nfs4_pending_callback, in_server);

		/* The answer still frees the slot; it is no state's any more. */
		if (pending->state_number == state_number)
			pending->state_number = UINT32_MAX;
	}
}

/* The status of the COMPOUND's last result, or UINT32_MAX for what is no answer. */
static uint32_t answer_status(struct cursor results, bool *sequenced)
{
	struct nfs4_CB_COMPOUND4res res;
	struct nfs4_nfs_cb_resop4 op;

	*sequenced = false;
	nfs4_decode_CB_COMPOUND4res_head(&results, &res);
	if (!cursor_ok(&results))
		return UINT32_MAX;
	for (uint32_t i = 0; i < res.resarray.count; i++) {
		nfs4_decode_nfs_cb_resop4(&results, &op);
		if (!cursor_ok(&results))
			return UINT32_MAX;
		if (op.resop == OP_CB_SEQUENCE && op.status == NFS4_OK)
			*sequenced = true;
	}
	return res.status;
}

static void recall_done(struct nfs4_server *server, struct nfs4_state *deleg, uint32_t status,
			int64_t now_ns)
{
	switch (status) {
	case NFS4_OK: /* what matters is DELEGRETURN */
		deleg->client->cb_path = NFS4_PATH_UP;
		break;
	case NFS4ERR_DELAY:
		deleg->resend_ns = now_ns + RECALL_AGAIN_NS;
		break;
	case NFS4ERR_BAD_STATEID: /* it may not have the answer to its OPEN yet */
	case NFS4ERR_BADHANDLE:
		deleg->resend_ns = now_ns + RECALL_AGAIN_NS;
		break;
	case UINT32_MAX:
		deleg->client->cb_path = NFS4_PATH_FAULT;
		deleg->resend_ns = now_ns + RECALL_AGAIN_NS;
		break;
	default:
		deleg->client->cb_path = NFS4_PATH_DOWN;
		deleg->resend_ns = now_ns + RECALL_AGAIN_NS;
		break;
	}
	nfs4_log(server, "recall answered with status %u", status);
}

static struct nfs4_pending_callback *pending_find(struct nfs4_server *server, uint64_t token)
{
	for (struct nfs4_link *link = server->callbacks.next; link != &server->callbacks;
	     link = link->next) {
		struct nfs4_pending_callback *pending =
			NFS4_ITEM(link, struct nfs4_pending_callback, in_server);

		if (pending->token == token)
			return pending;
	}
	return NULL;
}

void nfs4_callback_done(struct nfs4_server *server, uint64_t token, bool answered,
			struct cursor results, int64_t now_ns)
{
	struct nfs4_pending_callback *pending = pending_find(server, token);
	struct nfs4_session *session = NULL;
	struct nfs4_client *client;
	struct nfs4_state *deleg;
	bool sequenced = false;
	uint32_t status;

	if (!pending)
		return;
	client = nfs4_client_by_id(server, pending->client_id, true);
	if (pending->state_number == 0) {
		if (client)
			client->cb_path = answered ? NFS4_PATH_UP : NFS4_PATH_DOWN;
		nfs4_pending_destroy(server, pending);
		return;
	}
	status = answered ? answer_status(results, &sequenced) : NFS4ERR_CB_PATH_DOWN;
	if (pending->has_session)
		session = nfs4_session_of_id(server, pending->session_id);
	if (session) {
		session->cb_busy = false;
		session->cb_seqid += sequenced;
	}
	deleg = nfs4_state_by_number(server, pending->state_number);
	if (deleg && deleg->life == NFS4_VALID)
		recall_done(server, deleg, status, now_ns);
	nfs4_pending_destroy(server, pending);
}
