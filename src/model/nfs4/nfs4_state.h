/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What NFSv4 clients go through with the state of single files, as the wire shows it:
 *
 * - runs: one client gets one operation on one file answered alike again and again (NFS4ERR_DELAY;
 *   BAD_STATEID, OLD_STATEID, STALE_STATEID), and nothing else in between;
 * - delegations that are given, recalled and returned;
 * - flags that stay set in the replies to a session's SEQUENCE (callback path, revoked state);
 * - locks, and what became of them when they were asked for again;
 * - TEST_STATEID for the same stateid again and again.
 *
 * Sources: RFC 8881 sections 8.2, 10.2, 10.4, 18.46-18.48, 20.2; RFC 7530 sections 9.1.4, 10.2,
 * 16.28. Clients are told apart by host here, as a stateid and a file handle are the server's own.
 * Each table has a cap: what was not heard of for longest goes first, and is counted.
 */
#ifndef MODEL_NFS4_STATE_H
#define MODEL_NFS4_STATE_H

#include "base/vec.h"
#include "event/event.h"
#include "model/longest.h"
#include "model/nfs4/nfs4_gaps.h"
#include "model/recent.h"

enum {
	NFS4_RUNS_MAX = 4096,    /* under way */
	NFS4_RUNS_KEPT_MAX = 64, /* over: the longest */
	NFS4_DELEGATIONS_MAX = 2048,
	NFS4_RECALLS_KEPT_MAX = 64, /* over: the longest */
	NFS4_FLAGGED_MAX = 2048,    /* sessions whose replies had one of the flags */
	NFS4_TESTERS_MAX = 1024,    /* pairs of client and server */
	NFS4_TESTED_MAX = 4,        /* stateids watched for each pair */
	NFS4_LOCKS_MAX = 8192,      /* files with a lock of one client */
	NFS4_OP_NUMBERS = 80,       /* operations counted one by one; RFC 8276 ends at 75 */
};

/*
 * A run that was not heard of for so long is over. Linux asks again after 15 s at the latest
 * (NFS4_POLL_RETRY_MAX in fs/nfs/nfs4proc.c).
 */
#define NFS4_RUN_PAUSE_NS (60 * STAMP_NS_PER_S)

/* The same for tests of one stateid: a client may look only when it renews its lease. */
#define NFS4_TEST_PAUSE_NS (150 * STAMP_NS_PER_S)

/* Replies, as one stretch. */
struct nfs4_span {
	uint64_t count;
	struct provenance first, last;
	struct nfs4_gaps gaps;
};

enum nfs4_run_kind { NFS4_RUN_DELAY, NFS4_RUN_STATEID };

/* One operation on one file, answered alike to one client, and never otherwise in between. */
struct nfs4_run {
	struct recent_item item;
	/* The key. */
	struct endpoint server;
	struct endpoint client; /* port 0 */
	uint32_t op;
	uint32_t name;           /* hash of the name in the directory; 0: none */
	struct file_handle file; /* the current file */

	enum nfs4_run_kind kind;
	uint32_t status; /* the last */
	uint32_t minor_version;
	struct nfs4_span all;
	struct provenance call;      /* the first */
	struct nfs4_stateid stateid; /* STATEID: the last; DELAY: zero */
	struct nfs4_span unchanged;  /* STATEID: with that stateid, as long as it was so */
	struct nfs4_span unchanged_longest;
	struct nfs4_stateid stateid_longest;
	uint64_t changes;        /* of the stateid from one reply to the next */
	struct provenance ended; /* answered otherwise; FRAME_NONE: not */
	uint32_t ended_status;
	struct file_handle found; /* OPEN of a name that succeeded in the end: its file; empty */
	bool lossy;               /* the capture lacks bytes of its connection */
};

/* A delegation: given, recalled, returned, as far as the evidence shows. */
struct nfs4_delegation {
	struct recent_item item;
	/* The key. */
	struct endpoint server;      /* port 0 */
	struct nfs4_stateid stateid; /* `other` alone */

	struct endpoint holder;  /* port 0 */
	struct file_handle file; /* empty: not known */
	uint32_t type;           /* open_delegation_type4; 0: not known */
	struct provenance given;
	struct nfs4_span recalls;      /* CB_RECALL calls */
	bool v40;                      /* the callback came over a connection of the server's */
	struct provenance answered;    /* the first answer to a CB_RECALL */
	uint32_t answered_status;      /* of it; NFS4_STATUS_NONE */
	uint64_t given_up;             /* CB_RECALLs that got no answer until the evidence ended */
	struct provenance return_call; /* DELEGRETURN was sent */
	struct provenance returned;    /* DELEGRETURN or FREE_STATEID was answered: it is gone */
	uint32_t returned_op, returned_status;
	bool lossy; /* the capture lacks bytes of the callback's connection */
};

enum nfs4_flag_group { NFS4_FLAGS_BACKCHANNEL, NFS4_FLAGS_REVOKED, NFS4_FLAG_GROUPS };

/* Replies to SEQUENCE (4.0: to RENEW) with flags of one group, and what the client did. */
struct nfs4_flag_stretch {
	uint32_t flags; /* all that were seen, SEQ4_STATUS_* */
	struct nfs4_span span;
	struct provenance cleared; /* the first reply without; FRAME_NONE: none */
	uint64_t binds, binds_ok;  /* BIND_CONN_TO_SESSION answered, and answered OK */
	struct provenance bind_first, bind_last;
	uint32_t bind_status; /* of the last */
};

/* A session (4.0: a client ID) with such flags, or that was made without a backchannel. */
struct nfs4_flagged {
	struct recent_item item;
	/* The key. */
	struct endpoint server;
	uint8_t sessionid[NFS4_SESSIONID_BYTES]; /* 4.0: the client ID, then zeroes */

	struct endpoint client; /* port 0 */
	uint32_t minor_version;
	bool no_backchannel; /* CREATE_SESSION did not ask for one, or was given none */
	struct nfs4_flag_stretch now[NFS4_FLAG_GROUPS], longest[NFS4_FLAG_GROUPS];
};

/* TEST_STATEID of one client for one stateid. */
struct nfs4_tested {
	struct nfs4_stateid stateid;
	struct nfs4_span
		tests; /* answered; each apart from the one before by less than the pause */
	struct nfs4_span longest; /* the longest such stretch that is over */
	uint32_t status;          /* what was said of it last */
	uint32_t statuses[2];     /* the first two that differ; NFS4_STATUS_NONE */
};

/* What one client tests at one server. */
struct nfs4_tester {
	struct recent_item item;
	struct endpoint server, client; /* the key; the client's port is 0 */
	uint64_t tests, frees, frees_ok;
	struct provenance free_last;
	struct nfs4_tested watched[NFS4_TESTED_MAX];
	uint32_t watched_len;
};

/* That a client has a lock on a file: until it unlocks any of it, or closes it. */
struct nfs4_lock {
	struct recent_item item;
	struct endpoint server, client; /* the key; the client's port is 0 */
	struct file_handle file;        /* the key */
	struct provenance taken;        /* the last LOCK that was answered OK */
	/* Since then: reclaims that were refused, and LOCKs that were answered DENIED. */
	uint64_t refusals;
	struct provenance refused; /* the first */
	uint32_t refused_status;   /* of the last */
	bool refused_reclaim;
};

struct nfs4_state_model {
	struct recent runs_open;              /* struct nfs4_run */
	struct longest runs_over;             /* struct nfs4_run, by length */
	uint32_t open_by_op[NFS4_OP_NUMBERS]; /* runs under way: most replies end none */
	struct recent delegations;            /* struct nfs4_delegation that are not gone */
	struct longest recalls_over; /* struct nfs4_delegation, by how long the return took */
	struct recent flagged;       /* struct nfs4_flagged */
	struct recent locks;         /* struct nfs4_lock */
	struct recent testers;       /* struct nfs4_tester */
	/* Made by nfs4_state_finish, for rules. */
	struct vec runs;    /* struct nfs4_run *, in order of the first call */
	struct vec recalls; /* struct nfs4_delegation *: recalled ones, likewise */
};

void nfs4_state_init(struct nfs4_state_model *m);
void nfs4_state_deinit(struct nfs4_state_model *m);
void nfs4_state_attach(struct nfs4_state_model *m, struct event_board *board);

/* After the last event. */
void nfs4_state_finish(struct nfs4_state_model *m);

/*
 * A delegation for this file that the server gave to another host than `other` and that is not
 * gone; NULL: none that the evidence shows.
 */
const struct nfs4_delegation *nfs4_state_holder(const struct nfs4_state_model *m,
						const struct endpoint *server,
						const struct file_handle *file,
						const struct endpoint *other);

#endif
