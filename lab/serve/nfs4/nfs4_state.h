/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The tables of the NFSv4 server: clients, sessions with their slots, owners, states (what a
 * stateid names), files and byte ranges. Private to nfs4_*.c. Everything is owned from above:
 *
 *	server > client > session > slot
 *	                > owner
 *	                > state > range
 *	       > file (as long as there is a state on it)
 */
#ifndef LAB_SERVE_NFS4_STATE_H
#define LAB_SERVE_NFS4_STATE_H

#include "base/map.h"
#include "lab/serve/nfs4/nfs4_list.h"
#include "lab/serve/nfs4/nfs4_server.h"
#include "proto/nfs4_xdr.h"

/* Caps. Where one is reached the operation is answered RESOURCE (4.0) or DELAY, as by nfsd. */
enum {
	NFS4_MAX_CLIENTS = 16384,
	NFS4_MAX_SESSIONS = 16384,
	NFS4_MAX_STATES = 131072,
	NFS4_MAX_OWNERS = 131072,
	NFS4_MAX_RANGES = 131072,
	NFS4_MAX_RECLAIMERS = NFS4_MAX_CLIENTS,
	NFS4_MAX_CALLBACKS = 4096,
	NFS4_MAX_SLOTS = 1024,
	NFS4_MAX_OPS = 50,            /* NFSD_MAX_OPS_PER_COMPOUND */
	NFS4_SLOT_CACHE_BYTES = 2048, /* NFSD_SLOT_CACHE_SIZE */
	NFS4_SESSION_CONNS = 16,
	NFS4_REPLAY_BYTES = 2048, /* of one operation of an owner of 4.0 */
};

#define NFS4_SECOND INT64_C(1000000000)
#define NFS4_NEVER  INT64_MAX

enum nfs4_callback_path {
	NFS4_PATH_UNKNOWN, /* not tried yet */
	NFS4_PATH_UP,
	NFS4_PATH_DOWN,
	NFS4_PATH_FAULT, /* the client's answer was not one */
};

struct nfs4_client {
	struct nfs4_link in_server;
	uint64_t id; /* as the wire has it: boot time, then number */
	uint8_t *owner;
	uint32_t owner_len;
	uint8_t verifier[8];
	uint8_t confirm[8]; /* of SETCLIENTID */
	struct nfs4_cred cred;
	uint32_t minor;
	uint32_t exchange_flags;
	bool by_exchange_id;
	bool confirmed;
	bool reclaim_complete;
	bool may_reclaim;   /* its owner held state before the restart */
	bool courtesy;      /* the lease ran out, the state is kept while nobody minds */
	int64_t renewed_ns; /* the lease counts from here */

	/* 4.0: where callbacks go. */
	uint32_t cb_program;
	uint32_t cb_ident;
	char cb_netid[8];
	char cb_address[80];
	enum nfs4_callback_path cb_path;

	/* The slot of CREATE_SESSION and what was answered last. */
	uint32_t create_seqid;
	uint32_t create_status;
	struct nfs4_CREATE_SESSION4resok create_reply;

	struct nfs4_link sessions;
	struct nfs4_link owners;
	struct nfs4_link states;
	uint32_t revoked_count; /* states that are kept only to be freed */
	uint32_t admin_revoked_count;
	uint32_t expired_count;
};

struct nfs4_slot {
	uint32_t seqid;
	bool used;      /* a call was executed on it */
	bool cachethis; /* the client wanted the reply kept */
	uint32_t op_count;
	uint32_t status; /* of the COMPOUND */
	struct nfs4_cred cred;
	uint8_t *reply; /* COMPOUND4res; NULL: not kept */
	uint32_t reply_len;
};

struct nfs4_session {
	struct nfs4_link in_client;
	struct nfs4_client *client;
	uint8_t id[16];
	uint32_t flags;
	struct nfs4_channel_attrs4 fore;
	struct nfs4_channel_attrs4 back;
	struct nfs4_slot *slots; /* fore.ca_maxrequests of them */
	uint64_t conns[NFS4_SESSION_CONNS];
	uint32_t conn_count;
	uint64_t back_conn; /* 0: none */
	uint32_t cb_program;
	uint32_t cb_seqid; /* of the backchannel's only slot that we use */
	bool cb_busy;
	int64_t busy_until_ns; /* a fault: all slots are in use */
};

enum nfs4_state_kind { NFS4_OPEN, NFS4_LOCK, NFS4_DELEG };

enum nfs4_state_life {
	NFS4_VALID,
	NFS4_CLOSED,        /* 4.0: the last of its owner, kept for a repeated CLOSE */
	NFS4_REVOKED,       /* a delegation that was not returned in time */
	NFS4_ADMIN_REVOKED, /* by somebody at the server */
	NFS4_STATE_EXPIRED,
};

struct nfs4_file {
	uint64_t fileid;
	struct nfs4_link states;
	struct nfs4_link ranges;
};

struct nfs4_owner {
	struct nfs4_link in_client;
	struct nfs4_client *client;
	bool locks; /* a lock owner; else an open owner */
	uint8_t *name;
	uint32_t name_len;
	struct nfs4_link states;
	/* 4.0 only */
	bool confirmed;
	uint32_t seqid;     /* of the last operation that counted */
	uint32_t replay_op; /* 0: nothing to replay */
	uint8_t *replay;    /* nfs_resop4 */
	uint32_t replay_len;
	uint64_t replay_fileid;    /* the current file behind the last OPEN; 0: none */
	struct nfs4_state *closed; /* the last one; NULL: none */
	int64_t used_ns;
};

struct nfs4_state {
	struct nfs4_link in_client;
	struct nfs4_link in_file;
	struct nfs4_link in_owner; /* not of delegations */
	struct nfs4_client *client;
	struct nfs4_file *file;   /* NULL once it protects nothing */
	struct nfs4_owner *owner; /* NULL for delegations */
	enum nfs4_state_kind kind;
	enum nfs4_state_life life;
	uint32_t number; /* in the stateid */
	uint32_t seqid;
	/* OPEN */
	uint32_t access; /* OPEN4_SHARE_ACCESS_*, united */
	uint32_t deny;
	uint32_t access_set; /* bit n: an OPEN with access n was done; for OPEN_DOWNGRADE */
	uint32_t deny_set;
	/* LOCK */
	struct nfs4_state *open;
	/* DELEG */
	uint32_t deleg_type; /* OPEN_DELEGATE_READ or _WRITE */
	bool recalled;
	bool recall_sent;
	int64_t recalled_ns;
	int64_t resend_ns; /* NFS4_NEVER: not */
};

/* A locked range [start, end], end included. */
struct nfs4_range {
	struct nfs4_link in_file;
	struct nfs4_state *state;
	bool exclusive;
	uint64_t start;
	uint64_t end;
};

struct nfs4_reclaimer {
	struct nfs4_link in_server;
	uint8_t *owner;
	uint32_t owner_len;
	bool done; /* RECLAIM_COMPLETE */
};

/* A callback that waits to be sent, or for its answer. */
struct nfs4_pending_callback {
	struct nfs4_link in_server;
	uint64_t token;
	uint64_t client_id;
	uint8_t session_id[16];
	bool has_session;
	uint32_t state_number; /* of the recalled delegation; 0: a probe */
	bool sent;
	uint64_t connection; /* 0: to the address */
	char netid[8];
	char address[80];
	uint32_t program;
	uint8_t *args; /* of a COMPOUND; NULL: CB_NULL */
	uint32_t args_len;
};

struct nfs4_server {
	struct nfs4_server_config config;
	char *owner;
	char *scope;
	uint32_t boot;
	uint8_t write_verifier[8];
	int64_t lease_ns;
	int64_t grace_end_ns; /* in the past: no grace */
	bool grace_forced;    /* does not end early */
	uint32_t next_client;
	uint32_t next_session;
	uint32_t next_state;
	uint64_t next_token;
	uint64_t next_confirm;

	struct nfs4_link clients;
	struct map by_id[2];    /* [confirmed] */
	struct map by_owner[2]; /* [confirmed] */
	struct map sessions;
	struct map states; /* by number */
	struct map files;  /* by fileid */
	struct nfs4_link reclaimers;
	struct nfs4_link callbacks;
	uint32_t client_count;
	uint32_t session_count;
	uint32_t state_count;
	uint32_t owner_count;
	uint32_t range_count;
	uint32_t reclaimer_count;
	uint32_t callback_count;

	uint8_t *scratch; /* results of the operation at hand */
	uint32_t scratch_bytes;
};

/* nfs4_server.c: log a line; format as printf. */
void nfs4_log(struct nfs4_server *server, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A new instance: its time of start is in client IDs, verifiers and stateids. */
void nfs4_server_boot(struct nfs4_server *server, uint32_t boot_seconds);
/* Forgets all clients and what they have. */
void nfs4_server_clear(struct nfs4_server *server);

/* An opaque of a text of ours; borrowed. */
static inline struct xdr_opaque nfs4_opaque_text(const char *text)
{
	uint32_t len = (uint32_t)strlen(text);

	return (struct xdr_opaque){.ptr = (const uint8_t *)text, .len = len, .have = len};
}

/* Writes an XDR number over bytes that were kept free for it. */
static inline void nfs4_u32_set(uint8_t at[4], uint32_t value)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(value >> (24 - 8 * i));
}

static inline struct xdr_opaque nfs4_opaque_bytes(struct slice bytes)
{
	return (struct xdr_opaque){
		.ptr = bytes.ptr, .len = (uint32_t)bytes.len, .have = (uint32_t)bytes.len};
}

/*
 * nfs4_client.c: the records of clients. RFC 7530 section 16.33.5, RFC 8881 section 18.35.4.
 */

/* True for the ID of a client of another boot: STALE_CLIENTID. */
bool nfs4_clientid_stale(const struct nfs4_server *server, uint64_t id);
bool nfs4_cred_equal(const struct nfs4_cred *a, const struct nfs4_cred *b);

/* A new unconfirmed record, in no table yet; NULL where the table is full. */
struct nfs4_client *nfs4_client_create(struct nfs4_server *server, const uint8_t verifier[8],
				       struct xdr_opaque owner, const struct nfs4_cred *cred,
				       int64_t now_ns);
void nfs4_client_add(struct nfs4_server *server, struct nfs4_client *client);
/* Moves it to the tables of confirmed records. */
void nfs4_client_confirm(struct nfs4_server *server, struct nfs4_client *client);
struct nfs4_client *nfs4_client_by_id(struct nfs4_server *server, uint64_t id, bool confirmed);
struct nfs4_client *nfs4_client_by_owner(struct nfs4_server *server, struct slice owner,
					 bool confirmed);
/* Sessions, owners with opens, locks, delegations: nfsd's client_has_state. */
bool nfs4_client_has_state(const struct nfs4_client *client);
/* Destroys it with all that it has. */
void nfs4_client_destroy(struct nfs4_server *server, struct nfs4_client *client);
void nfs4_client_renew(struct nfs4_client *client, int64_t now_ns);
/* The name of its owner for the log, in a form safe to print. */
void nfs4_client_text(const struct nfs4_client *client, char *text, size_t size_bytes);
/* Whether an owner was there before the restart. */
struct nfs4_reclaimer *nfs4_reclaimer_find(struct nfs4_server *server, struct slice owner);
void nfs4_reclaimers_clear(struct nfs4_server *server);

/* nfs4_session.c */
struct nfs4_session *nfs4_session_of_id(struct nfs4_server *server, const uint8_t id[16]);
void nfs4_session_destroy(struct nfs4_server *server, struct nfs4_session *session);
/* Binds the fore channel; more than NFS4_SESSION_CONNS: the oldest is forgotten. */
void nfs4_session_bind(struct nfs4_session *session, uint64_t connection);

#endif
