/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files of the NFSv4 model share among themselves; nobody else includes this. */
#ifndef MODEL_NFS4_INTERNAL_H
#define MODEL_NFS4_INTERNAL_H

#include "model/nfs4/nfs4.h"

/* --- tables (nfs4_tables.c): find or make; NULL when a cap refuses (counted in dropped) --- */

struct nfs4_server *nfs4_server_get(struct nfs4_model *m, const struct endpoint *at);
struct nfs4_owner *nfs4_owner_get(struct nfs4_model *m, struct nfs4_server *server,
				  struct nfs4_name name, uint32_t minor_version);
struct nfs4_instance *nfs4_instance_get(struct nfs4_model *m, struct nfs4_owner *owner,
					const uint8_t verifier[NFS4_VERIFIER_BYTES]);
struct nfs4_party *nfs4_party_make(struct nfs4_model *m, struct nfs4_server *server);
struct nfs4_path *nfs4_path_get(struct nfs4_model *m, const struct conn *conn);
struct nfs4_path *nfs4_path_find(const struct nfs4_model *m, const struct conn *conn);

struct nfs4_clientid *nfs4_clientid_find(const struct nfs4_model *m,
					 const struct nfs4_server *server, uint64_t id);
struct nfs4_clientid *nfs4_clientid_get(struct nfs4_model *m, struct nfs4_server *server,
					uint64_t id);
struct nfs4_session *nfs4_session_find(const struct nfs4_model *m, const struct nfs4_server *server,
				       const uint8_t id[NFS4_SESSIONID_BYTES]);
struct nfs4_session *nfs4_session_get(struct nfs4_model *m, struct nfs4_server *server,
				      const uint8_t id[NFS4_SESSIONID_BYTES]);

/* --- identity (nfs4_identity.c): who presents which owner, and what the server made of it --- */

/* EXCHANGE_ID or SETCLIENTID, when it is sent. */
void nfs4_identity_presented(struct nfs4_model *m, struct nfs4_path *path,
			     const struct rpc_call *call, const struct nfs4_fact *fact);

/* The same when it is answered, in whatever way. */
void nfs4_identity_answered(struct nfs4_model *m, struct nfs4_path *path,
			    const struct rpc_call *call, const struct nfs4_fact *fact);

/* CREATE_SESSION, answered in whatever way. */
void nfs4_identity_session(struct nfs4_model *m, struct nfs4_path *path,
			   const struct rpc_call *call, const struct nfs4_fact *fact);

/* SETCLIENTID_CONFIRM, answered in whatever way. */
void nfs4_identity_confirm(struct nfs4_model *m, struct nfs4_path *path,
			   const struct rpc_call *call, const struct nfs4_fact *fact);

/* DESTROY_SESSION and DESTROY_CLIENTID. */
void nfs4_identity_destroyed(struct nfs4_model *m, struct nfs4_path *path,
			     const struct rpc_call *call, const struct nfs4_fact *fact);

/* Makes the path's party stand for the other one too, or gives way to it. */
void nfs4_party_join(struct nfs4_path *path, struct nfs4_party *known);

/* --- the ladder (nfs4_ladder.c) --- */

/* The server refused the party's session (may be NULL) or client ID. */
void nfs4_ladder_lost(struct nfs4_party *p, struct nfs4_session *session,
		      const struct rpc_call *call, uint32_t op, uint32_t status);
void nfs4_ladder_destroyed(struct nfs4_party *p, const struct rpc_call *call);
void nfs4_ladder_refused(struct nfs4_party *p, const struct rpc_call *call);
void nfs4_ladder_identified(struct nfs4_party *p, const struct rpc_call *call,
			    const struct nfs4_fact *fact);
void nfs4_ladder_created(struct nfs4_party *p, const struct rpc_call *call,
			 const struct nfs4_clientid *clientid);
void nfs4_ladder_reclaim_complete(struct nfs4_party *p, const struct rpc_call *call);

/* The capture lacks bytes of the party: what it sent meanwhile is not known. */
void nfs4_ladder_missed(struct nfs4_party *p);

/* The client gave its client ID up: nothing is held any more that could be lost. */
void nfs4_ladder_gave_up(struct nfs4_party *p, const struct rpc_call *call);

/* A call that would renew the lease if the server liked it. */
void nfs4_ladder_attempted(struct nfs4_party *p, const struct rpc_call *call);

/* A reply that renewed the lease. */
void nfs4_ladder_renewed(struct nfs4_party *p, const struct rpc_call *call);

/* Hands the recoveries of a party that turned out to be the known one over to it. */
void nfs4_ladder_absorb(struct nfs4_party *known, struct nfs4_party *unknown);

/* The server's client IDs turned out to hold no start times: forgets what was read from them. */
void nfs4_ladder_disown_boots(struct nfs4_party *p);

/* The evidence ends, or the state ended by the client's own will: keeps an open recovery. */
void nfs4_ladder_end(struct nfs4_party *p);

/* --- slots (nfs4_slots.c) --- */

/* A call with SEQUENCE was sent, seen for the first time; and answered by whatever status. */
void nfs4_slots_called(struct nfs4_model *m, struct nfs4_session *s, const struct rpc_call *call);
void nfs4_slots_answered(struct nfs4_model *m, struct nfs4_session *s, const struct rpc_call *call);

/* The session is gone, or no longer looked at: keeps what was under way with its party. */
void nfs4_slots_drop(struct nfs4_model *m, struct nfs4_session *s);

/* The same for all. */
void nfs4_slots_finish(struct nfs4_model *m);

/* Hands over what the slots of a party went through that turned out to be the known one. */
void nfs4_slots_absorb(struct nfs4_party *known, struct nfs4_party *unknown);

/* --- waits (nfs4_waits.c) --- */

/* A call of the party was answered GRACE. */
void nfs4_waits_grace(struct nfs4_model *m, struct nfs4_party *p, const struct rpc_call *call);

/* A new open or lock of the party was accepted. */
void nfs4_waits_opened(struct nfs4_party *p, const struct rpc_call *call);

/* A step of recovery was answered. */
void nfs4_waits_step(struct nfs4_model *m, struct nfs4_party *p, const struct rpc_call *call,
		     const struct nfs4_fact *fact);

/* Another call of the party was accepted. */
void nfs4_waits_moved(struct nfs4_party *p);

/* Hands over what a party waited for that turned out to be the known one; ends what is open. */
void nfs4_waits_absorb(struct nfs4_party *known, struct nfs4_party *unknown);
void nfs4_waits_end(struct nfs4_party *p);

/* --- layout (nfs4_layout.c) --- */

/* Learns the layout of the server's client IDs from a CREATE_SESSION that succeeded. */
void nfs4_layout_learn(struct nfs4_server *server, uint64_t clientid,
		       const uint8_t sessionid[NFS4_SESSIONID_BYTES], struct stamp at);

/* Guesses it from a client ID alone (minor version 0), where nothing better is known. */
void nfs4_layout_guess(struct nfs4_server *server, uint64_t clientid, struct stamp at);

/* Notes the boot time that this client ID shows. */
void nfs4_boot_note(struct nfs4_server *server, uint64_t clientid, const struct provenance *at);

static inline void nfs4_stretch_add(struct nfs4_stretch *stretch, const struct provenance *at)
{
	if (stretch->count++ == 0)
		stretch->first = *at;
	stretch->last = *at;
}

static inline bool provenance_seen(const struct provenance *at)
{
	return at->frame != FRAME_NONE;
}

/* The order in one capture is that of its frames, whatever its clock did meanwhile. */
static inline bool provenance_before(const struct provenance *a, const struct provenance *b)
{
	return a->evidence == b->evidence ? a->frame < b->frame : a->at.ns < b->at.ns;
}

#endif
