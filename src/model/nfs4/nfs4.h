/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NFSv4 state as the wire shows it: server → client owner → client instance (a boot verifier) →
 * client ID → session → slots, the lease, and how clients recover (the ladder).
 *
 * Sources: RFC 8881 sections 2.4, 2.10, 8, 18.35-18.50; RFC 7530 sections 3.3, 9, 16.33-16.34 for
 * minor version 0; Linux fs/nfs/nfs4state.c (nfs4_state_manager) for the ladder and
 * fs/nfsd/nfs4state.c for what a client ID and a session ID of Linux nfsd hold.
 *
 * Everything is kept until the end of the run, up to the caps below; what a cap dropped is counted.
 */
#ifndef MODEL_NFS4_H
#define MODEL_NFS4_H

#include "base/arena.h"
#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	NFS4_SERVERS_MAX = 1024,
	NFS4_OWNERS_MAX = 8192,
	NFS4_INSTANCES_MAX = 8192,
	NFS4_PARTIES_MAX = 8192,
	NFS4_PATHS_MAX = 32768,    /* pairs of client and server endpoints */
	NFS4_CLIENTIDS_MAX = 8192, /* the oldest is forgotten first */
	NFS4_SESSIONS_MAX = 8192,  /* likewise */
	NFS4_RECOVERIES_MAX = 4, /* kept in full for each party: the first ones and the last one */
	NFS4_HOSTS_MAX = 4,      /* hosts kept for each instance */
	NFS4_BOOTS_MAX = 8,      /* server boot times kept */
	NFS4_CITES_MAX = 8,
	NFS4_GRACE_PERIODS_MAX = 8, /* the first ones are kept */
	NFS4_SLOTS_WATCHED = 4,     /* of a session, from 0: whether calls are missing */
};

/* How a server builds its client IDs; found out by comparing them with its session IDs. */
enum nfs4_clientid_layout {
	NFS4_LAYOUT_UNKNOWN,
	NFS4_LAYOUT_NFSD_LE, /* Linux nfsd, little endian: {u32 boot time, u32 counter} */
	NFS4_LAYOUT_NFSD_BE, /* the same on a big-endian server */
	NFS4_LAYOUT_GANESHA, /* nfs-ganesha: the same as one number; session IDs hold it reversed */
};

/* A boot time of a server (seconds since 1970) and where its client IDs showed it. */
struct nfs4_boot {
	int64_t boot_s;
	struct provenance first, last;
};

/* GRACE answers of a server between which it accepted no new open or lock. */
struct nfs4_grace_period {
	struct provenance opened_before; /* the last accepted before; FRAME_NONE: none was seen */
	struct provenance first;
	uint64_t count;
};

/* GRACE answers of a server, as one stretch, and by periods. */
struct nfs4_grace {
	uint64_t count;
	struct provenance first, last;
	struct provenance cites[NFS4_CITES_MAX];
	struct nfs4_grace_period periods[NFS4_GRACE_PERIODS_MAX];
	uint32_t periods_len;
	uint64_t periods_count; /* all, also those not kept */
	uint64_t opened_then;   /* opens_ok.count at the last answer */
};

/* Answers of one kind of a server, as one stretch. */
struct nfs4_stretch {
	uint64_t count;
	struct provenance first, last;
};

struct nfs4_server {
	struct endpoint at;
	enum nfs4_clientid_layout layout;
	bool layout_proven; /* a session ID began with its client ID; else it is only plausible */
	bool layout_disproved; /* a client ID did not fit the guess: nothing is read from them */
	uint32_t lease_time_s; /* 0: not told on the wire */
	struct provenance lease_cite;
	struct nfs4_boot boots[NFS4_BOOTS_MAX]; /* in order of first sight */
	uint32_t boots_len;
	int64_t boot_current_s; /* of the last client ID that told one; 0: none */
	uint64_t boot_returns;  /* came back after another: several instances behind one address */
	struct nfs4_name owner, scope; /* last told; empty: not told */
	struct nfs4_name scope_before; /* the one before the last change */
	uint64_t scope_changes;
	struct provenance scope_told;    /* the last EXCHANGE_ID that told a scope */
	struct provenance scope_seen;    /* the last that told scope_before */
	struct provenance scope_changed; /* the first that told another than before */
	uint64_t boot_changes;           /* client IDs that named another start time than before */
	struct nfs4_stretch opens_ok;    /* new opens and locks that were accepted */
	struct nfs4_grace grace;
	uint64_t identifications; /* EXCHANGE_ID and SETCLIENTID that it answered OK, by anybody */
	struct nfs4_stretch put_off; /* EXCHANGE_ID and SETCLIENTID answered DELAY */
	uint64_t reclaims_ok; /* OPEN with CLAIM_PREVIOUS or LOCK with reclaim, answered OK */
	uint64_t reclaims_refused;
	struct provenance reclaim_ok, reclaim_refused; /* the first of each */
};

/* A client owner (co_ownerid; nfs_client_id4.id in 4.0) as one server knows it. */
struct nfs4_owner {
	struct nfs4_server *server;
	uint32_t minor_version; /* of the COMPOUND that first presented it */
	struct nfs4_name name;
	struct vec instances;          /* struct nfs4_instance *, in order of first sight */
	struct nfs4_instance *current; /* who presented it last */
	/* An instance that came back after another one had presented the owner: both are alive. */
	uint64_t returns;
	uint64_t returns_in_one_capture;   /* of them: by one clock, so that the order is sure */
	struct provenance return_first[3]; /* A, then B, then A again: the first time */
	const struct nfs4_instance *return_instance[2]; /* A and B */
	struct provenance return_last;
};

/* One incarnation of a client: an owner with one boot verifier. */
struct nfs4_instance {
	struct nfs4_owner *owner;
	uint8_t verifier[NFS4_VERIFIER_BYTES];
	struct stamp boot; /* the verifier read as a date; CLOCK_UNKNOWN: it is none */
	struct endpoint hosts[NFS4_HOSTS_MAX]; /* addresses it came from; port 0 */
	struct provenance host_first[NFS4_HOSTS_MAX];
	uint32_t hosts_len;
	uint64_t identifications; /* EXCHANGE_ID or SETCLIENTID calls, without retransmissions */
	struct provenance first, last;
	uint64_t in_use;           /* answered CLID_INUSE */
	uint64_t in_use_confirmed; /* of them: CREATE_SESSION, SETCLIENTID_CONFIRM */
	struct provenance in_use_first, in_use_last;
	struct provenance accepted_first,
		accepted_last; /* CREATE_SESSION or SETCLIENTID_CONFIRM OK */
	uint64_t accepted;
	uint32_t evidence; /* the capture that saw it first */
	bool in_several_captures;
	struct nfs4_party *party;
};

struct nfs4_clientid {
	struct nfs4_clientid *next; /* younger */
	struct nfs4_server *server;
	uint64_t id;
	struct nfs4_instance *instance;              /* NULL: its EXCHANGE_ID was not seen */
	struct provenance given, confirmed, refused; /* refused: first STALE_CLIENTID or EXPIRED */
	uint64_t given_count; /* the server's `identifications` then; 0: not seen */
	bool destroyed;       /* by DESTROY_CLIENTID */
};

struct nfs4_session {
	struct nfs4_session *next; /* younger */
	struct nfs4_server *server;
	uint8_t id[NFS4_SESSIONID_BYTES];
	bool has_clientid;
	uint64_t clientid;         /* valid with has_clientid */
	struct nfs4_party *party;  /* through nfs4_party_find */
	struct provenance created; /* FRAME_NONE: before the evidence */
	struct provenance last_ok; /* reply to the last SEQUENCE that was answered OK */
	struct provenance refused; /* first BADSESSION, DEADSESSION */
	struct provenance destroyed;
	uint64_t sequences, refusals;
	uint32_t slots, slots_asked;                /* granted; 0: not known */
	uint32_t highest_slot;                      /* used */
	uint32_t slot_sequence[NFS4_SLOTS_WATCHED]; /* the last seen on the slot; 0: none */
	struct nfs4_slots
		*watched;  /* nfs4_slots.c; NULL: no calls yet, or too many sessions since */
	bool destroy_sent; /* DESTROY_SESSION was sent: refusals from then on are no loss */
	bool destroyed_by_client;
};

/* Where a client stands on the ladder (catalogue 0.5). */
enum nfs4_ladder {
	LADDER_IDLE,       /* no recovery under way */
	LADDER_LOST,       /* the server refused session or client ID */
	LADDER_DESTROYED,  /* DESTROY_SESSION was sent */
	LADDER_REFUSED,    /* CREATE_SESSION answered STALE_CLIENTID */
	LADDER_IDENTIFIED, /* EXCHANGE_ID or SETCLIENTID was answered OK */
	LADDER_CREATED,    /* CREATE_SESSION or SETCLIENTID_CONFIRM OK */
	LADDER_STATE_COUNT,
};

enum nfs4_recovery_kind {
	RECOVERY_OPEN,         /* did not get to its end within the evidence */
	RECOVERY_SESSION_ONLY, /* a new session for the old client ID */
	RECOVERY_FULL,         /* a new client ID */
};

/* One run up the ladder: from the refusal to the working state. Provenances may be FRAME_NONE. */
struct nfs4_recovery {
	enum nfs4_recovery_kind kind;
	uint32_t lost_status; /* BADSESSION, STALE_CLIENTID, EXPIRED ... */
	uint32_t lost_op;
	struct provenance lost;          /* the reply that refused */
	struct provenance lost_call;     /* the call that it refused */
	struct provenance last_renewal;  /* the last reply before that renewed the lease */
	struct provenance first_attempt; /* the first call after that which would have renewed it */
	int64_t silence_ns;              /* from last_renewal to lost_call; -1: not known */
	/* Of it: what the stamps do not show, as the capture's clock stood still; -1: not known. */
	int64_t hidden_ns;
	uint64_t calls_in_silence; /* calls of the party between the two that got no answer */
	bool renewals_missed; /* the capture lacks calls from that time: silence is only apparent */
	struct provenance destroy, create_refused, identified, created, reclaim_complete;
	bool has_old_session; /* old_sessionid is the session that was refused */
	uint8_t old_sessionid[NFS4_SESSIONID_BYTES];
	uint64_t old_clientid, new_clientid; /* 0: not known */
	int64_t old_boot_s, new_boot_s;      /* -1: not known */
	int64_t clientid_steps; /* counter new minus counter old; -1: not known (layout, other boot)
				 */
	uint32_t own_identifications; /* EXCHANGE_IDs of the party in it */
	bool has_new_session;         /* new_sessionid is the session that works in the end */
	uint8_t new_sessionid[NFS4_SESSIONID_BYTES];
	/* Sessions that a Linux nfsd made from the old one to the new one, that one included; -1:
	 * not known. */
	int64_t session_steps;
	/* Of anybody that the capture shows, from the old client ID to the new one; -1: not known.
	 */
	int64_t seen_identifications;
	uint64_t old_given_count;
	bool confirmed; /* the EXCHANGE_ID that gave the client ID had EXCHGID4_FLAG_CONFIRMED_R */
	bool scope_changed;   /* the server names another scope than when the lost state was made */
	bool connection_lost; /* it was refused on another connection than the last renewal's */
	/* Another instance of the same owner accepted by the server since the lost state was made.
	 */
	const struct nfs4_instance *other;
	struct provenance other_accepted;
	uint64_t grace; /* GRACE answers in it */
	uint64_t reclaims_ok, reclaims_refused;
};

/* Who holds and recovers state: an instance, or whoever stands behind a connection while unknown.
 */
struct nfs4_party {
	struct nfs4_server *server;
	struct nfs4_instance *instance; /* NULL: not known */
	struct nfs4_party *merged_into; /* NULL: this one is valid; else see nfs4_party_find */
	struct endpoint host;           /* last address; port 0 */
	uint32_t evidence;              /* the capture that saw it first */
	uint32_t minor_version;
	bool lossy; /* some capture of its connections lost bytes */
	struct provenance first_seen, last_renewal;
	uint64_t renewals;
	uint64_t grace_answers;
	uint64_t calls_since_renewal;
	bool renewals_missed;            /* the capture lacks calls from after the last renewal */
	struct provenance first_attempt; /* the first call after the last renewal */
	struct nfs4_session *session;    /* the current one; NULL: none */
	bool has_clientid;
	uint64_t clientid;             /* the current one */
	uint64_t clientid_given_count; /* see struct nfs4_clientid */
	struct provenance state_made;  /* when the current client ID was accepted */
	enum nfs4_ladder ladder;
	struct nfs4_recovery *now;        /* while ladder is not IDLE; else NULL */
	struct nfs4_recovery *recoveries; /* NULL until the first */
	uint32_t recoveries_len;
	uint64_t recoveries_count; /* all, also those not kept */
	uint64_t full_count, session_only_count;
	int64_t longest_silence_ns;      /* of all recoveries */
	uint64_t renewed_on;             /* serial of the connection of the last renewal; 0: none */
	int64_t renewed_clock_ns;        /* its clock_lost_ns then */
	struct nfs4_waits *waits;        /* see nfs4_waits.h; NULL: it never had to */
	bool reclaim_complete;           /* accepted for the current client ID */
	uint64_t scope_changes;          /* the server's when it last told its name to this party */
	bool scope_known;                /* the above is valid */
	struct nfs4_slot_history *slots; /* see nfs4_slots.h; NULL: nothing happened to them */
};

/* Which party speaks on a pair of endpoints: survives a reconnection from the same port. */
struct nfs4_path {
	struct endpoint client, server;
	struct nfs4_server *server_at;
	struct nfs4_party *party; /* through nfs4_party_find */
	uint64_t connection;      /* serial of its last connection */
};

struct nfs4_model {
	struct arena arena;
	struct map server_map, owner_map, instance_map, clientid_map, session_map, path_map;
	struct nfs4_path *last_path;       /* of the last event: saves a look-up; NULL: none */
	struct nfs4_session *last_session; /* likewise */
	struct nfs4_clientid *clientids, *clientids_last; /* oldest first, by next */
	struct nfs4_session *sessions, *sessions_last;    /* oldest first, by next */
	size_t clientids_len, sessions_len;
	struct nfs4_session **slotted; /* those with `watched`: NFS4_SLOTTED_MAX, in a ring */
	size_t slotted_count;          /* that there ever were */
	struct vec servers;            /* struct nfs4_server *, each list in order of first sight */
	struct vec owners;             /* struct nfs4_owner * */
	struct vec instances;          /* struct nfs4_instance * */
	struct vec parties;            /* struct nfs4_party *, with merged ones */
	uint64_t forgotten;            /* client IDs and sessions that a cap forgot */
	uint64_t dropped;              /* facts that a cap refused */
};

void nfs4_model_init(struct nfs4_model *m);
void nfs4_model_deinit(struct nfs4_model *m);
void nfs4_model_attach(struct nfs4_model *m, struct event_board *board);

/* Ends what is open: a recovery without an end is kept as RECOVERY_OPEN. After the last event. */
void nfs4_model_finish(struct nfs4_model *m);

/* Follows merged_into. */
struct nfs4_party *nfs4_party_find(struct nfs4_party *p);

/*
 * The boot time in a client ID (or in the first eight bytes of a session ID) of this layout, in
 * seconds since 1970; -1 when the layout does not tell. The counter likewise.
 */
int64_t nfs4_clientid_boot_s(enum nfs4_clientid_layout layout, uint64_t clientid);
int64_t nfs4_clientid_counter(enum nfs4_clientid_layout layout, uint64_t clientid);

/* How many sessions a Linux nfsd made after this one until that one; -1 when it cannot be told. */
int64_t nfs4_session_steps(enum nfs4_clientid_layout layout,
			   const uint8_t from[NFS4_SESSIONID_BYTES],
			   const uint8_t to[NFS4_SESSIONID_BYTES]);

#endif
