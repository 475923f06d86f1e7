/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots of NFSv4.1 sessions (RFC 8881 section 2.10.6): each carries one call at a time, under a
 * number that counts up by one; and how servers refuse what does not fit. Linux fs/nfs/nfs4proc.c
 * (nfs41_sequence_process) has what a client does then, fs/nfsd/nfs4state.c (check_slot_seqid,
 * nfsd4_sequence) what a server checks.
 */
#ifndef MODEL_NFS4_SLOTS_H
#define MODEL_NFS4_SLOTS_H

#include "model/nfs4/nfs4.h"

enum {
	NFS4_SLOTS_MAX = 64,     /* of a session, from 0; further ones are not looked at */
	NFS4_SLOTTED_MAX = 1024, /* sessions with slots that are looked at: the last ones made */
};

/* Answers to SEQUENCE itself that say that the slot is not ready for this call. */
enum nfs4_slot_answer {
	SLOT_MISORDERED,  /* NFS4ERR_SEQ_MISORDERED: another number was due */
	SLOT_FALSE_RETRY, /* NFS4ERR_SEQ_FALSE_RETRY: the number was used for another call */
	SLOT_UNCACHED,    /* NFS4ERR_RETRY_UNCACHED_REP: the answer was not kept */
	SLOT_DELAYED,     /* NFS4ERR_DELAY: to the server the number's call is still at work */
	SLOT_ANSWERS,
};

/* A call on a slot. */
struct nfs4_slot_call {
	struct provenance at; /* FRAME_NONE: none */
	uint32_t seqid, xid;
	uint32_t op;     /* the first after SEQUENCE and PUTFH; OP_SEQUENCE where it is alone */
	bool cache_this; /* the answer was to be kept */
};

/* One slot that was answered in one way, with nothing accepted in between. */
struct nfs4_slot_streak {
	uint32_t slot;
	uint8_t sessionid[NFS4_SESSIONID_BYTES];
	uint64_t count;
	uint64_t descents;              /* of them: under a lower number than the one before */
	uint64_t others_accepted;       /* calls accepted on other slots of the session meanwhile */
	struct nfs4_slot_call refused;  /* the first */
	bool sent_again;                /* it, or one with its XID and number, was sent before */
	struct nfs4_slot_call copy;     /* the first time, on another connection maybe */
	struct nfs4_slot_call accepted; /* the last before that the server accepted */
	struct nfs4_slot_call unanswered; /* a call after that which got no answer */
	struct provenance first, last;    /* the answers */
	uint32_t last_seqid;
	struct provenance over; /* the call that is accepted again; FRAME_NONE: none */
};

/* All such answers of one kind to one party. */
struct nfs4_slot_trouble {
	struct nfs4_stretch all;
	struct nfs4_slot_streak longest; /* by time; over or still going on */
};

/* A time in which all slots that the server grants were in use, with pauses of 1 s at most. */
struct nfs4_slot_use {
	uint32_t slots;                /* granted */
	uint32_t asked;                /* by the client; 0: not known */
	struct provenance first, last; /* the call that took the last free slot; the last answer */
	int64_t full_ns;               /* within it, when all were in use */
	int64_t carried_ns; /* of all calls then: how long answers were on their way while
			     * they waited (rpc_call.reply_busy_ns) */
	uint64_t fills;     /* calls that took the last free slot */
	uint64_t handovers; /* of them: at once after the last answer on any slot: within
			     * 1/32 of its round trip, 1 ms at least, 20 at most */
};

/* What a party's slots went through; NULL until something did. */
struct nfs4_slot_history {
	struct nfs4_slot_trouble of[SLOT_ANSWERS];
	struct nfs4_slot_use busiest; /* the longest; fills 0: none */
};

#endif
