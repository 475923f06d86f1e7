// SPDX-License-Identifier: GPL-2.0-or-later
/* See nfs4_faults.h. */
#include "lab/serve/nfs4/nfs4_faults.h"
#include "base/mem.h"
#include "lab/serve/nfs4/nfs4_deleg.h"
#include "lab/serve/nfs4/nfs4_lease.h"
#include "lab/serve/nfs4/nfs4_stateid.h"

#include <stdio.h>
#include <stdlib.h>

/* Whom an action is for. */
struct target {
	struct nfs4_client *client;   /* NULL: all of them */
	struct nfs4_session *session; /* NULL: all of the client's */
};

/* The ID of the client that the operation shows; 0: none. */
static uint64_t shown_client(const struct nfs4_nfs_argop4 *op)
{
	switch (op->argop) {
	case OP_RENEW:
		return op->oprenew.clientid;
	case OP_SETCLIENTID_CONFIRM:
		return op->opsetclientid_confirm.clientid;
	case OP_CREATE_SESSION:
		return op->opcreate_session.csa_clientid;
	case OP_DESTROY_CLIENTID:
		return op->opdestroy_clientid.dca_clientid;
	case OP_OPEN:
		return op->opopen.owner.clientid;
	case OP_LOCKT:
		return op->oplockt.owner.clientid;
	case OP_LOCK:
		return op->oplock.locker.new_lock_owner
			       ? op->oplock.locker.open_owner.lock_owner.clientid
			       : nfs4_stateid_client(&op->oplock.locker.lock_owner.lock_stateid);
	case OP_LOCKU:
		return nfs4_stateid_client(&op->oplocku.lock_stateid);
	case OP_CLOSE:
		return nfs4_stateid_client(&op->opclose.open_stateid);
	case OP_READ:
		return nfs4_stateid_client(&op->opread.stateid);
	case OP_WRITE:
		return nfs4_stateid_client(&op->opwrite.stateid);
	case OP_DELEGRETURN:
		return nfs4_stateid_client(&op->opdelegreturn.deleg_stateid);
	case OP_OPEN_CONFIRM:
		return nfs4_stateid_client(&op->opopen_confirm.open_stateid);
	case OP_OPEN_DOWNGRADE:
		return nfs4_stateid_client(&op->opopen_downgrade.open_stateid);
	default:
		return 0;
	}
}

static void call_look(struct nfs4_server *server, struct cursor at, struct target *target)
{
	struct nfs4_COMPOUND4args head;
	struct nfs4_nfs_argop4 op;

	nfs4_decode_COMPOUND4args_head(&at, &head);
	for (uint32_t i = 0; i < head.argarray.count && cursor_ok(&at) && !target->client; i++) {
		nfs4_decode_nfs_argop4(&at, &op);
		if (!cursor_ok(&at))
			return;
		if (op.argop == OP_SEQUENCE)
			target->session = nfs4_session_of_id(server, op.opsequence.sa_sessionid);
		target->client = target->session
					 ? target->session->client
					 : nfs4_client_by_id(server, shown_client(&op), true);
	}
}

/* A reply tells less: the session, where there is one. */
static void reply_look(struct nfs4_server *server, struct cursor at, struct target *target)
{
	struct nfs4_COMPOUND4res head;
	struct nfs4_nfs_resop4 op;

	nfs4_decode_COMPOUND4res_head(&at, &head);
	if (!cursor_ok(&at) || head.resarray.count == 0)
		return;
	nfs4_decode_nfs_resop4(&at, &op);
	if (cursor_ok(&at) && op.resop == OP_SEQUENCE && op.status == NFS4_OK)
		target->session = nfs4_session_of_id(server, op.opsequence.sr_resok4.sr_sessionid);
	if (target->session)
		target->client = target->session->client;
}

static struct err *target_find(struct nfs4_server *server, const struct fault_message *m,
			       struct target *target)
{
	struct slice body;

	*target = (struct target){0};
	if (!m)
		return NULL;
	if (m->is_callback || !m->is_compound || !m->is_plain || m->body_offset == 0 ||
	    m->body_offset > m->bytes.len)
		return err_new("the message shows no client of NFSv4");
	body = slice_make(m->bytes.ptr + m->body_offset, m->bytes.len - m->body_offset);
	if (m->side == FAULT_CALL)
		call_look(server, cursor_make_cut(body, m->missing_bytes), target);
	else
		reply_look(server, cursor_make_cut(body, m->missing_bytes), target);
	return target->client ? NULL : err_new("the message shows no client that is known");
}

typedef void client_fn(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns);

static void each_client(struct nfs4_server *server, const struct target *target, client_fn *act,
			int64_t now_ns)
{
	struct nfs4_link *next;

	if (target->client) {
		act(server, target->client, now_ns);
		return;
	}
	for (struct nfs4_link *link = server->clients.next; link != &server->clients; link = next) {
		next = link->next;
		act(server, NFS4_ITEM(link, struct nfs4_client, in_server), now_ns);
	}
}

static void client_forget(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns)
{
	(void)now_ns;
	nfs4_client_destroy(server, client);
}

static void sessions_forget(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns)
{
	(void)now_ns;
	while (!nfs4_list_empty(&client->sessions))
		nfs4_session_destroy(
			server, NFS4_ITEM(client->sessions.next, struct nfs4_session, in_client));
}

/* The first state of these kinds that is not yet of that life; NULL: none is left. */
static struct nfs4_state *state_first(const struct nfs4_client *client, uint32_t kinds,
				      bool only_valid)
{
	for (struct nfs4_link *link = client->states.next; link != &client->states;
	     link = link->next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_client);

		if ((1U << state->kind & kinds) && (!only_valid || state->life == NFS4_VALID))
			return state;
	}
	return NULL;
}

static void states_forget(struct nfs4_server *server, struct nfs4_client *client, uint32_t kinds)
{
	struct nfs4_state *state;

	/* One may take others with it: begin again each time. */
	while ((state = state_first(client, kinds, false)) != NULL)
		nfs4_state_destroy(server, state);
}

static void stateids_forget(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns)
{
	(void)now_ns;
	states_forget(server, client, 1U << NFS4_OPEN | 1U << NFS4_DELEG);
}

static void locks_forget(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns)
{
	(void)now_ns;
	states_forget(server, client, 1U << NFS4_LOCK);
}

static void client_revoke(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns)
{
	struct nfs4_state *state;

	(void)now_ns;
	while ((state = state_first(client, 1U << NFS4_DELEG, true)) != NULL)
		nfs4_deleg_revoke(server, state);
	while ((state = state_first(client, 1U << NFS4_LOCK, true)) != NULL)
		nfs4_state_end(server, state, NFS4_ADMIN_REVOKED);
}

static void client_recall(struct nfs4_server *server, struct nfs4_client *client, int64_t now_ns)
{
	for (struct nfs4_link *link = client->states.next; link != &client->states;
	     link = link->next) {
		struct nfs4_state *state = NFS4_ITEM(link, struct nfs4_state, in_client);

		if (state->kind == NFS4_DELEG)
			nfs4_deleg_recall(server, state, now_ns);
	}
}

static void slots_fill(struct nfs4_server *server, const struct target *target, int64_t until_ns)
{
	struct nfs4_session *session;
	size_t index = 0;

	while ((session = map_next(&server->sessions, &index)) != NULL) {
		if ((!target->session || session == target->session) &&
		    (!target->client || session->client == target->client))
			session->busy_until_ns = until_ns;
	}
}

static void name_change(char **name)
{
	char *old = *name;
	size_t size = strlen(old) + 2;

	*name = mem_alloc(1, size);
	snprintf(*name, size, "%s+", old);
	free(old);
}

static void grace_prolong(struct nfs4_server *server, int64_t length_ns, int64_t now_ns)
{
	int64_t from_ns = nfs4_in_grace(server, now_ns) ? server->grace_end_ns : now_ns;

	if (length_ns == 0)
		length_ns = server->config.grace_seconds * NFS4_SECOND;
	nfs4_grace_start(server, from_ns - now_ns + length_ns, true, now_ns);
}

void nfs4_server_restart(struct nfs4_server *server, uint32_t boot_seconds, int64_t grace_ns,
			 int64_t now_ns)
{
	nfs4_log(server, "restart: all state is lost");
	nfs4_reclaimers_collect(server);
	nfs4_server_clear(server);
	nfs4_server_boot(server, boot_seconds);
	server->grace_end_ns = now_ns;
	if (grace_ns != 0)
		nfs4_grace_start(server, grace_ns, true, now_ns);
	else if (!nfs4_list_empty(&server->reclaimers))
		nfs4_grace_start(server, server->config.grace_seconds * NFS4_SECOND, false, now_ns);
}

static uint32_t wall_seconds(const struct nfs4_server *server, int64_t now_ns)
{
	return (uint32_t)((now_ns + server->config.wall_offset_ns) / NFS4_SECOND);
}

/* Actions on the server as a whole. False: it is none of them. */
static bool server_act(struct nfs4_server *server, const struct fault_server_request *request)
{
	switch (request->action) {
	case FAULT_RESTART:
		nfs4_server_restart(server, wall_seconds(server, request->now_ns),
				    request->duration_ns, request->now_ns);
		return true;
	case FAULT_GRACE:
		grace_prolong(server, request->duration_ns, request->now_ns);
		return true;
	case FAULT_GRACE_END:
		server->grace_end_ns = request->now_ns;
		nfs4_reclaimers_clear(server);
		return true;
	case FAULT_CHANGE_SCOPE:
		name_change(&server->scope);
		return true;
	case FAULT_CHANGE_OWNER:
		name_change(&server->owner);
		return true;
	case FAULT_CHANGE_VERIFIER:
		server->write_verifier[7]++;
		return true;
	default:
		return false;
	}
}

static struct err *client_act(struct nfs4_server *server,
			      const struct fault_server_request *request,
			      const struct target *target)
{
	static client_fn *const actions[] = {
		[FAULT_FORGET_CLIENT] = client_forget,    [FAULT_FORGET_SESSION] = sessions_forget,
		[FAULT_FORGET_STATEID] = stateids_forget, [FAULT_FORGET_LOCK] = locks_forget,
		[FAULT_EXPIRE] = client_forget,           [FAULT_REVOKE] = client_revoke,
		[FAULT_RECALL] = client_recall,
	};
	size_t action = request->action;

	if (action == FAULT_FORGET_SESSION && target->session) {
		nfs4_session_destroy(server, target->session);
		return NULL;
	}
	if (action == FAULT_FILL_SLOTS) {
		slots_fill(server, target,
			   request->duration_ns == 0 ? NFS4_NEVER
						     : request->now_ns + request->duration_ns);
		return NULL;
	}
	if (action >= sizeof(actions) / sizeof(actions[0]) || !actions[action])
		return err_new("NFSv4 does not know the action '%s'",
			       fault_server_action_name(request->action));
	each_client(server, target, actions[action], request->now_ns);
	return NULL;
}

struct err *nfs4_fault_act(struct nfs4_server *server, const struct fault_server_request *request)
{
	struct target target;
	struct err *err;

	if (server_act(server, request))
		return NULL;
	err = target_find(server, request->call, &target);
	return err ? err : client_act(server, request, &target);
}
