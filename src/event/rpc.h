/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Facts about RPC calls and replies (RFC 5531), and about the NFSv4 operations in them that carry
 * state (RFC 7530, 8881). Ingest makes them; show prints them; models live on them.
 */
#ifndef EVENT_RPC_H
#define EVENT_RPC_H

#include "base/slice.h"
#include "event/ident.h"

/* A status that is not known: the call has no reply, or the reply was cut before it. */
#define NFS4_STATUS_NONE UINT32_MAX

enum {
	NFS4_SESSIONID_BYTES = 16,
	NFS4_VERIFIER_BYTES = 8,
	NFS4_OTHER_BYTES = 12,
	NFS4_STATEID_BYTES = 16,
	NFS4_OWNER_KEEP_BYTES = 1024,
};

/* How an RPC reply ended, RFC 5531 section 9. */
enum rpc_outcome {
	RPC_NO_REPLY,      /* none in the evidence */
	RPC_SUCCESS,       /* accepted, executed */
	RPC_PROG_UNAVAIL,  /* accepted, but ... */
	RPC_PROG_MISMATCH, /* ... */
	RPC_PROC_UNAVAIL,
	RPC_GARBAGE_ARGS,
	RPC_SYSTEM_ERR,
	RPC_MISMATCH,   /* denied: RPC version */
	RPC_AUTH_ERROR, /* denied: auth_stat is in rpc_call.auth_stat */
	RPC_REPLY_CUT,  /* there is a reply, but it was cut before its outcome */
};

/* State-carrying operations, as far as models want them. */
enum nfs4_fact_kind {
	NFS4_FACT_EXCHANGE_ID,
	NFS4_FACT_CREATE_SESSION,
	NFS4_FACT_DESTROY_SESSION,
	NFS4_FACT_DESTROY_CLIENTID,
	NFS4_FACT_BIND_CONN,
	NFS4_FACT_RECLAIM_COMPLETE,
	NFS4_FACT_SETCLIENTID,
	NFS4_FACT_SETCLIENTID_CONFIRM,
	NFS4_FACT_RENEW,
	NFS4_FACT_OPEN,       /* only its claim, owner's clientid, status and delegation */
	NFS4_FACT_LOCK,       /* only reclaim flag, owner's clientid and status */
	NFS4_FACT_LEASE_TIME, /* a GETATTR that told the lease time */
	NFS4_FACT_TEST_STATEID,
};

/* RFC 8881 section 8.2: what a server calls an open, a lock, a delegation or a layout. */
struct nfs4_stateid {
	uint32_t seqid;
	uint8_t other[NFS4_OTHER_BYTES];
};

/* A client owner or server owner/scope: copied, cut at NFS4_OWNER_KEEP_BYTES. */
struct nfs4_name {
	uint16_t len; /* bytes kept */
	const uint8_t *bytes;
};

/*
 * One state-carrying operation: arguments from the call, results from the reply. `status` is
 * NFS4_STATUS_NONE until a reply told it; results are only valid when status is NFS4_OK.
 * Which members are used is told behind each.
 */
struct nfs4_fact {
	enum nfs4_fact_kind kind;
	uint16_t index;  /* position in the COMPOUND, from 0 */
	uint32_t status; /* nfsstat4 or NFS4_STATUS_NONE */
	uint32_t op;     /* operation number */

	struct nfs4_name owner;                /* EXCHANGE_ID, SETCLIENTID: co_ownerid / id */
	uint8_t verifier[NFS4_VERIFIER_BYTES]; /* the same: the client's boot verifier */
	uint32_t flags;                        /* EXCHANGE_ID, CREATE_SESSION: as sent;
						* BIND_CONN: channel_dir_from_client4 */
	uint64_t clientid;                     /* argument: CREATE_SESSION, DESTROY_CLIENTID, RENEW,
						* SETCLIENTID_CONFIRM, OPEN and LOCK owner */
	uint32_t sequence;                     /* CREATE_SESSION csa_sequence */
	uint32_t slots; /* CREATE_SESSION: fore channel ca_maxrequests asked */
	uint8_t sessionid[NFS4_SESSIONID_BYTES]; /* argument: DESTROY_SESSION, BIND_CONN */
	uint32_t claim;                          /* OPEN: open_claim_type4; LOCK: 1 = reclaim */
	bool one_fs;                             /* RECLAIM_COMPLETE */
	uint32_t tested; /* TEST_STATEID: how many; the first is the operation's stateid */

	uint64_t res_clientid; /* EXCHANGE_ID, SETCLIENTID */
	uint32_t res_sequence; /* EXCHANGE_ID eir_sequenceid, CREATE_SESSION */
	uint32_t res_flags;    /* EXCHANGE_ID (EXCHGID4_FLAG_CONFIRMED_R ...), CREATE_SESSION */
	uint32_t res_slots;    /* CREATE_SESSION: fore channel ca_maxrequests granted */
	uint8_t res_sessionid[NFS4_SESSIONID_BYTES]; /* CREATE_SESSION */
	struct nfs4_name server_owner;               /* EXCHANGE_ID: so_major_id */
	struct nfs4_name server_scope;               /* EXCHANGE_ID */
	uint32_t lease_time_s;                       /* LEASE_TIME */
	uint32_t test_status;            /* TEST_STATEID: of the first; NFS4_STATUS_NONE */
	uint32_t delegation;             /* OPEN: open_delegation_type4 that was given */
	struct nfs4_stateid res_stateid; /* OPEN: the delegation's, where one was given */
};

/* SEQUENCE of a compound (RFC 8881 section 18.46), inline because nearly every call has one. */
struct nfs4_sequence {
	bool present;
	uint8_t sessionid[NFS4_SESSIONID_BYTES];
	uint32_t seqid;
	uint32_t slot;
	uint32_t highest_slot;
	bool cache_this;
	uint32_t status;       /* NFS4_STATUS_NONE until a reply told it */
	uint32_t status_flags; /* SEQ4_STATUS_*, valid when status is NFS4_OK */
	uint32_t target_highest_slot;
};

/* `file` or `stateid` of an operation that has none, or of which it is not known. */
enum { NFS4_INDEX_NONE = UINT8_MAX };

/* One operation of a COMPOUND or CB_COMPOUND. */
struct nfs4_op_fact {
	uint32_t op;
	uint32_t status; /* NFS4_STATUS_NONE: not reached, or not known */
	uint32_t name;   /* a hash of the name that it looks up, for comparing; 0: none */
	uint8_t file;    /* in rpc_call.files: the current file when it runs; GETFH: the answer;
			  * CB_RECALL, CB_GETATTR: whose */
	uint8_t stateid; /* in rpc_call.stateids: of its arguments */
};

/* What the arguments and results of some other programs tell; see `told` in struct rpc_call. */
enum rpc_told {
	RPC_TOLD_NOTHING,
	RPC_TOLD_PORT,  /* struct portmap_told: GETPORT, GETADDR */
	RPC_TOLD_LOCK,  /* struct nlm_told: NLM TEST, LOCK, CANCEL, UNLOCK, GRANTED and their _MSG,
			   _RES */
	RPC_TOLD_STATE, /* struct nsm_told: SM_NOTIFY */
	RPC_TOLD_LISTING, /* struct listing_told: READDIR, READDIRPLUS of NFSv3; READDIR of NFSv4 */
};

enum { RPC_HANDLE_BYTES_MAX = 128, RPC_NAME_KEEP_BYTES = 256, NLM_COOKIE_BYTES = 32 };

/* Handles of entries that are kept of one reply to READDIRPLUS or READDIR. */
enum { RPC_LISTED_HANDLES_MAX = 8192 };

/* A file handle, copied whole: NFSv4 allows 128 bytes. */
struct file_handle {
	uint8_t len; /* 0: not known */
	uint8_t bytes[RPC_HANDLE_BYTES_MAX];
};

/* RFC 1833: which service's port was asked for, and the answer. */
struct portmap_told {
	uint32_t program, version;
	uint32_t protocol; /* IPPROTO_TCP, IPPROTO_UDP; 0: by name in netid, not known */
	bool answered;     /* port is valid */
	uint16_t port;     /* 0: not registered */
};

/* A lock as NLM sees it (Open Group XNFS, nlm4). */
struct nlm_told {
	struct file_handle file;
	uint8_t cookie[NLM_COOKIE_BYTES];
	uint8_t cookie_len;
	char caller[RPC_NAME_KEEP_BYTES]; /* caller_name; made safe for output; "" where there is
					     none */
	uint64_t owner_hash;              /* of oh and svid; 0: none */
	int32_t svid;
	uint64_t offset, length; /* length 0: to the end */
	bool exclusive, block, reclaim;
	bool has_lock; /* all of the above but the cookie are valid */
	/* TEST that was denied: who holds it. */
	bool has_holder, holder_exclusive;
	int32_t holder_svid;
	uint64_t holder_offset, holder_length;
};

/* What SM_NOTIFY says (X/Open XNFS chapter 11): who has restarted. */
struct nsm_told {
	char name[RPC_NAME_KEEP_BYTES]; /* the sender's name for itself; made safe for output */
	int32_t state;                  /* odd: it is up; higher with each restart */
};

/* One step of listing a directory. */
struct listing_told {
	struct file_handle dir;
	uint64_t cookie; /* asked: 0 begins */
	bool plus;       /* READDIRPLUS, or NFSv4 with attributes other than the inode number */
	bool answered;   /* what follows is valid */
	uint32_t entries;
	uint64_t first_cookie, last_cookie; /* of the first and last entry */
	bool ascending;                     /* each cookie is larger than the one before */
	uint32_t same_cookies;   /* entries with the cookie of the one before, or that was asked */
	const uint32_t *handles; /* of entries, as rpc_call.object; valid with the reply's event */
	uint32_t handles_len;    /* at most RPC_LISTED_HANDLES_MAX */
	bool eof;
	bool whole; /* the reply was not cut: entries and cookies count */
};

/*
 * What its sender's own earlier segments tell about the one that completed a message (TCP):
 * proto/tcp_past.h tells how. All zero: nothing, the message came in order.
 */
struct rpc_past {
	/* The first segment that was captured before it, and made after it by the sender's clock
	 * (TSval): the message was held back on its way. FRAME_NONE: there is none. */
	struct provenance made_before;
	uint32_t tsval, made_tsval; /* of the message; and of made_before */
	/* The first that was captured before it, and shows that its bytes had been sent.
	 * FRAME_NONE: there is none. */
	struct provenance sent_before;
	/* The last that was captured before it, and shows that its bytes had not been sent yet:
	 * told of replies that came a second or more after their call. FRAME_NONE: none is known.
	 */
	struct provenance unsent_last;
	/* How old it was when it was captured, by the rate of its sender's clock; told as
	 * unsent_last is. Valid with has_age. */
	int64_t age_ns;
	bool has_age;
	bool has_older_id; /* its IP identification is older than that of sent_before */
	bool has_clock;    /* the sender's segments have timestamps */
};

/*
 * One RPC transaction. Ingest owns it; it lives from the call's event until after its reply's (or
 * until it is given up). Pointers in it live as long as it does.
 */
struct rpc_call {
	const struct conn *conn;
	enum conn_side from; /* CONN_FROM_SERVER: a callback on the backchannel */
	uint32_t xid;
	uint32_t program;
	uint32_t version;
	uint32_t procedure;
	bool has_call;        /* false: a reply whose call is not in the evidence */
	bool is_callback;     /* program is an NFSv4 callback program */
	uint32_t cred_flavor; /* AUTH_SYS ...; UINT32_MAX: not known */
	uint32_t uid;         /* AUTH_SYS; UINT32_MAX: not known */
	/* AUTH_SYS: the client's name and its stamp (RFC 5531 appendix A), in EVENT_RPC_CALL only:
	 * the name lies in the packet. Empty and 0: not told. */
	struct slice machine;
	uint32_t machine_stamp;

	struct provenance call; /* the frame with the call's last byte */
	/*
	 * It was sent before, under the same XID, on a connection that broke: `call` is where it
	 * came on this one, `origin` where it came first of all (else the same as `call`). The
	 * broken connection's part was told as EVENT_RPC_UNANSWERED; what is told once a call, as
	 * by EVENT_RPC_SETTLED, is told of this one.
	 */
	bool again;
	bool left; /* EVENT_RPC_UNANSWERED: because it is now sent again on another connection */
	struct provenance origin;
	uint64_t origin_first_frame; /* the frame with its first byte; `origin` has its last */
	struct provenance reply;     /* frame FRAME_NONE: none */
	int64_t reply_took_ns;       /* from its first byte to its last, as captured */
	/* Of the time since the call, how long replies were on their way on its connection, from
	 * the first byte of each to its last; this one with them. */
	int64_t reply_busy_ns;
	struct rpc_frames {
		uint64_t *items;
		uint32_t len, cap;
	} retransmissions; /* frames of the same call sent again, with `again` on any connection */
	uint32_t reply_repeats; /* further replies to it */
	struct rpc_past call_past, reply_past;

	enum rpc_outcome outcome;
	uint32_t auth_stat; /* RPC_AUTH_ERROR */
	bool has_status;    /* `status` is the program's own status of the reply */
	uint32_t status;    /* nfsstat3, nfsstat4 of the COMPOUND, nlm4_stats ... */

	uint32_t minor_version; /* COMPOUND */
	struct nfs4_op_fact *ops;
	uint32_t ops_len;
	uint32_t ops_in_reply;     /* how many results the reply announced */
	struct file_handle *files; /* to which the operations refer; see rpc_op_file */
	uint32_t files_len;
	struct nfs4_stateid *stateids; /* likewise; see rpc_op_stateid */
	uint32_t stateids_len;
	struct nfs4_sequence sequence;
	struct nfs4_fact *facts; /* state-carrying operations, in order */
	uint32_t facts_len;

	/*
	 * NFS: the file or directory that the call is about: of NFSv3 and NFSACL the handle that
	 * its arguments begin with, of NFSv4 that of the first PUTFH, by file_handle_hash; 0: not
	 * known.
	 */
	uint32_t object;
	uint32_t name_hash; /* LOOKUP: of the name, by file_handle_hash_bytes; 0: not known */
	/* NFSv4: what the last GETATTR told as the change attribute; NFSv3: the object's mtime. */
	bool has_change;
	uint64_t change;

	enum rpc_told told_kind;
	union {
		const struct portmap_told *port;
		const struct nlm_told *lock;
		const struct nsm_told *state;
		const struct listing_told *listing;
	} told; /* by told_kind; lives as long as the call */

	const char *call_damage;  /* why the call could not be decoded to its end; NULL: it could */
	const char *reply_damage; /* the same for the reply */
	char **ops_text;          /* per operation, only when a viewer asked for it; else NULL */
	char *args_text; /* arguments of the call as text, only when asked for; else NULL */
	char *result_text;
};

/* The file or stateid of an operation; NULL: none, or not known. */
static inline const struct file_handle *rpc_op_file(const struct rpc_call *call,
						    const struct nfs4_op_fact *op)
{
	return op->file < call->files_len ? &call->files[op->file] : NULL;
}

static inline const struct nfs4_stateid *rpc_op_stateid(const struct rpc_call *call,
							const struct nfs4_op_fact *op)
{
	return op->stateid < call->stateids_len ? &call->stateids[op->stateid] : NULL;
}

#endif
