/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Locks of NFSv3 and v2 clients, as the network lock manager negotiates them (NLM: X/Open XNFS
 * chapter 10; version 4: RFC 1813 appendix II): who asked, who waits for whom, how the lock was
 * granted in the end, and when it was given back. Synchronous procedures and the asynchronous _MSG
 * and _RES are the same here.
 *
 * A server calls back on another connection, the other way round, when a blocked lock is granted;
 * file handle, range and owner link the callback to the lock. Linux clients ask again every 30 s
 * as well (fs/lockd/clntproc.c). Who holds a lock is known as far as the evidence shows how it was
 * granted.
 */
#ifndef MODEL_NLM_H
#define MODEL_NLM_H

#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"
#include "model/longest.h"

enum {
	NLM_LOCKS_MAX = 4096,     /* held or waited for; beyond it the oldest is forgotten */
	NLM_FILE_LOCKS_MAX = 256, /* the same, of one file */
	NLM_WAITS_MAX = 2048,     /* locks that were waited for and ended: the longest waits */
	NLM_GRACES_MAX = 1024,
	NLM_NOTIFIES_MAX = 1024,
	NLM_RECLAIMS_MAX = 1024,
	NLM_TAKEN_MAX = 1024,
	NLM_DENIALS_MAX = 1024,
	NLM_DOUBLES_MAX = 256,
	NLM_DENIED_RECENT = 64, /* denied requests of which another copy may be granted */
	NLM_CITES_MAX = 8,
	NLM_HOSTS_MAX = 8,
	NLM_CALLER_KEEP_BYTES = 64,
	NLM_MESSAGES_MAX = 64, /* asynchronous calls whose result is awaited */
};

enum nlm_state {
	NLM_WAITING,   /* answered BLOCKED: the server will call back */
	NLM_TRYING,    /* answered DENIED or DENIED_GRACE_PERIOD: the client may ask again */
	NLM_HELD,      /* GRANTED */
	NLM_RELEASED,  /* by UNLOCK */
	NLM_CANCELLED, /* given up while it was waited for */
	NLM_FAILED,    /* answered with another status: `status` tells */
	NLM_GONE,      /* the server gave it to somebody else; how it was released was not seen */
	NLM_CLEARED,   /* one of the two hosts restarted, or FREE_ALL */
	NLM_STATE_COUNT,
};

/* Who asks for a lock, or holds it. */
struct nlm_owner {
	struct endpoint host;               /* port 0 */
	char caller[NLM_CALLER_KEEP_BYTES]; /* the host's name for itself; "": not told */
	int32_t svid;                       /* the process, as the client numbers them */
	uint64_t hash;                      /* of oh and svid */
};

/* The conflicting lock, copied when the other one was refused. */
struct nlm_holder {
	bool seen; /* its granting is in the evidence: all of this is valid */
	bool told; /* an answered TEST told svid, range and mode; the host is not known */
	struct nlm_owner owner;
	bool exclusive;
	uint64_t offset, length;
	struct provenance granted, released; /* FRAME_NONE: not seen */
};

/* One lock, from the first request on. Provenances are FRAME_NONE where there was no such thing. */
struct nlm_lock {
	struct nlm_owner owner;
	struct conn conn; /* a copy: of the last LOCK call, for cites; server is the lock manager */
	struct file_handle file;
	uint64_t offset, length; /* length 0: to the end */
	bool exclusive, block, reclaim;
	enum nlm_state state;
	uint32_t status;               /* of the last answer to LOCK */
	struct provenance asked;       /* the first LOCK call; of a split lock: of the whole */
	struct provenance refused;     /* the first answer BLOCKED, DENIED or DENIED_GRACE_PERIOD */
	struct provenance asked_last;  /* the last LOCK call */
	struct provenance granted;     /* the answer, or the server's callback */
	struct provenance ended;       /* UNLOCK, CANCEL ...; FRAME_NONE: not within the evidence */
	struct provenance called_back; /* the first callback */
	/* Held, and its server said since that it has restarted: it must be reclaimed. */
	struct provenance void_since;
	uint32_t requests;               /* LOCK calls */
	uint32_t callbacks;              /* GRANTED calls of the server, without those sent again */
	uint32_t callbacks_again;        /* sent again before they were answered */
	uint32_t callback_status;        /* the client's last answer; UINT32_MAX: none */
	struct conn callback;            /* a copy: of the first, for cites; serial 0: none */
	struct provenance callback_last; /* the last one, or the last time that one was sent */
	uint32_t graces;                 /* answers DENIED_GRACE_PERIOD */
	bool granted_by_callback;
	uint32_t holders;         /* how many were seen in its way, one after the other */
	struct nlm_holder holder; /* the last of them */

	/* The model's own. */
	struct nlm_file *in;
	struct nlm_lock *file_next, *older, *newer;
};

/* A stretch of DENIED_GRACE_PERIOD answers of one server. */
struct nlm_grace {
	struct conn conn;       /* a copy: of the first one, for cites */
	struct endpoint server; /* port 0 */
	struct endpoint clients[NLM_HOSTS_MAX];
	uint32_t clients_len;
	uint64_t count;
	struct provenance first, last;
	struct provenance cites[NLM_CITES_MAX]; /* the first ones */
	uint32_t cites_len;
	uint64_t reclaims;      /* locks granted with the reclaim flag, in it */
	struct provenance over; /* the first new lock granted after it */
};

/* SM_NOTIFY from one host to another: `from` says that it has restarted. */
struct nlm_notify {
	struct conn conn;                 /* a copy: of the first one, for cites */
	struct endpoint from, to;         /* port 0 */
	char name[NLM_CALLER_KEEP_BYTES]; /* the last one's; "": not told */
	int32_t state;                    /* the last one's */
	uint64_t count, repeats;          /* calls, and how often they were sent again */
	struct provenance first, last;
	struct provenance answered; /* the first reply; FRAME_NONE: none */
};

/* Locks that one client asked to get back from one server, with the reclaim flag. */
struct nlm_reclaim {
	struct conn conn;               /* a copy: of the first one, for cites */
	struct endpoint client, server; /* port 0 */
	uint64_t granted, refused;
	struct provenance first, last; /* answers */
	/* Of the refused ones. What the first was about, and when it was had nevertheless. */
	struct provenance refused_first, refused_last;
	uint32_t refused_status; /* of the first */
	uint64_t refused_owner;  /* of the first: as in struct nlm_owner */
	struct file_handle refused_file;
	struct provenance regained; /* FRAME_NONE: it was not */
	bool regained_reclaim;      /* by another call with the reclaim flag */
};

/* A lock that the server gave to somebody else although its holder is not seen to give it back. */
struct nlm_taken {
	struct conn conn, conn_from; /* copies: of the new holder's LOCK, of the old one's */
	struct endpoint server;      /* port 0 */
	struct file_handle file;
	struct nlm_owner from, to;
	struct provenance granted, taken; /* to the old holder, to the new one */
	struct provenance unlocked;       /* the old holder gives it back nevertheless, later */
	struct provenance reclaimed;      /* the old holder asks for it with the reclaim flag */
	struct provenance heard;          /* the old holder's host calls for anything, later */
};

/* Requests of one client that one server answered DENIED_NOLOCKS. */
struct nlm_denial {
	struct conn conn;               /* a copy: of the first one, for cites */
	struct endpoint client, server; /* port 0 */
	char caller[NLM_CALLER_KEEP_BYTES];
	uint64_t count;
	struct provenance first, last;          /* answers */
	struct provenance slow_call, slow;      /* the one that took longest */
	struct provenance over;                 /* the first lock granted after them */
	struct provenance cites[NLM_CITES_MAX]; /* the first ones */
	uint32_t cites_len;
};

/* A request that was denied, and another copy of it, sent before the denial came, was granted. */
struct nlm_double {
	struct nlm_owner owner;
	struct conn conn; /* a copy: of the one that was granted */
	struct file_handle file;
	uint64_t offset, length;
	uint32_t xid;                    /* of the one that was denied */
	bool same_xid;                   /* two replies to one call */
	struct provenance asked, denied; /* the copy that was denied */
	struct provenance again;         /* the other one; FRAME_NONE with same_xid */
	struct provenance granted;
	struct provenance given_back; /* UNLOCK of it; FRAME_NONE: not seen */
};

struct nlm_model {
	struct map files; /* struct nlm_file, private: those with a lock */
	struct nlm_lock *oldest, *newest;
	size_t locks_len;
	struct longest waits;         /* struct nlm_lock: ended ones that had to wait */
	struct vec graces;            /* struct nlm_grace *, in order of their beginning */
	struct vec notifies;          /* struct nlm_notify *, in order of first sight */
	struct vec reclaims;          /* struct nlm_reclaim *, likewise */
	struct vec taken;             /* struct nlm_taken *, likewise */
	struct vec denials;           /* struct nlm_denial *, likewise */
	struct vec doubles;           /* struct nlm_double *, likewise */
	struct nlm_message *messages; /* private: a ring of NLM_MESSAGES_MAX */
	uint32_t messages_next;
	uint32_t taken_unheard;    /* private: of `taken`, those whose `heard` is not known */
	uint32_t reclaims_refused; /* private: of `reclaims`, those with `regained` to look for */
	struct nlm_denied *denied; /* private: a ring of NLM_DENIED_RECENT */
	uint32_t denied_next;
	uint64_t forgotten; /* locks that a cap forgot while they were held or waited for */
	uint64_t dropped;   /* what else there was no room for */
	/* Told each lock when it ends, and in nlm_model_finish those that did not; NULL: nobody. */
	void (*ended)(void *context, const struct nlm_lock *lock);
	void *ended_context;
};

void nlm_model_init(struct nlm_model *m);
void nlm_model_deinit(struct nlm_model *m);
void nlm_model_attach(struct nlm_model *m, struct event_board *board);

/* After the last event: what is still held or waited for is told; waits join `waits`. */
void nlm_model_finish(struct nlm_model *m);

/*
 * Nanoseconds from the first request until it was granted, cancelled or last asked for; 0 when it
 * did not wait, or when the stamps are not of one clock.
 */
int64_t nlm_lock_wait_ns(const struct nlm_lock *lock);

/* "waiting", "held", "released" ... */
const char *nlm_state_name(enum nlm_state state);

#endif
