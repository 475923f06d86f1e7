/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about TCP and RPC share: whose ports count, what a capture can prove, wordings. */
#ifndef DIAGNOSE_RULES_TRANSPORT_H
#define DIAGNOSE_RULES_TRANSPORT_H

#include "diagnose/rule.h"
#include "model/conn.h"
#include "model/path/path.h"
#include "model/vantage.h"
#include "model/wire/wire.h"

/* True when the port is NFS's: RPC was seen there, a portmapper told it, or it is well known. */
bool transport_port_is_nfs(const struct rule_input *in, const struct endpoint *server);

/* True when the evidence holds a segment that went to this host, on any connection: it does not
 * show one direction only. */
bool transport_host_hears(const struct rule_input *in, uint32_t evidence,
			  const struct endpoint *host);

/* When the evidence ends; unknown where it does not tell. */
struct stamp transport_evidence_end(const struct rule_input *in, uint32_t evidence);

/*
 * What the place of the capture says about segments of this side that got no answer: a sentence, in
 * the diagnosis' arena.
 */
const char *transport_place_tells(const struct rule_input *in, struct diagnosis *d,
				  const struct conn *conn, enum conn_side from);

/* What two captures show of one side's segments that are notable (sent again, SYN, FIN). */
struct transport_sight {
	struct wire_tale tale;
	uint64_t lost;    /* near the sender only */
	uint64_t arrived; /* in both captures */
	struct provenance lost_first, lost_last, arrived_here, arrived_there; /* or FRAME_NONE */
	/* What the other side sent meanwhile and the capture near the sender does not show, where
	 * all arrived; 0: nothing like that. */
	uint64_t answers_lost;
	struct provenance answer;
};

/*
 * Of the segments that `from` sent from first to last, by the clock of the connection's evidence.
 * False: there is no second capture, or it cannot tell.
 */
bool transport_sight(const struct rule_input *in, const struct conn *conn, enum conn_side from,
		     struct stamp first, struct stamp last, struct transport_sight *out);

/* The same as sentences, in the diagnosis' arena; and its cites. */
const char *transport_sight_text(const struct rule_input *in, struct diagnosis *d,
				 const struct conn *conn, enum conn_side from,
				 const struct transport_sight *s);
void transport_sight_cite(struct diagnosis *d, struct finding *f, const struct conn *conn,
			  const struct transport_sight *s);

/*
 * Where both captures show all of a connection: a sentence that says so and begins with a blank, in
 * the diagnosis' arena; else "".
 */
const char *transport_ends_text(const struct rule_input *in, struct diagnosis *d,
				const struct conn *conn);

static inline bool transport_known(const struct provenance *p)
{
	return p->frame != FRAME_NONE;
}

static inline struct conn_record *transport_record(const struct rule_input *in, size_t i)
{
	return *(struct conn_record **)vec_at(&in->conns->records, i);
}

/* True when somebody chose what this evidence shows: what it lacks may have been there. */
bool transport_is_partial(const struct rule_input *in, uint32_t evidence);

/* Someone in vain: a client host that could not reach a server, from first to end. */
struct transport_trouble {
	struct conn conn;
	bool connecting;     /* no SYN was answered; else an established connection is silent */
	enum conn_side from; /* who sends in vain */
	struct stamp first, end;
	bool over;      /* it worked again at `end`; else `end` is the last try */
	uint32_t tries; /* segments in vain */
	/* SYN-ACKs in vain: those with another number than before; SYNs sent again behind one. */
	uint32_t anew, asked_again;
	struct provenance cite_first; /* the first of them */
	struct provenance cites[PATH_CITES_MAX];
	uint32_t cites_len;
	struct provenance cite_last, cite_over; /* FRAME_NONE: none */
	struct provenance heard; /* the other side's last segment before; or FRAME_NONE */
	bool worked_before;
	uint64_t conns; /* connections, or attempts, that are folded here */
};

/*
 * What two captures tell of segments in vain, or else the place of the one. Of those until the one
 * that was answered in the end. Adds cites.
 */
const char *transport_where(const struct rule_input *in, struct diagnosis *d, struct finding *f,
			    const struct transport_trouble *t, enum conn_side from);

/* Connection attempts that nobody answered (tcp_syn.c), and connections on which one side fell
 * silent (tcp_silent.c): struct transport_trouble, by server, client and time. */
void transport_unanswered(const struct rule_input *in, struct vec *out);
void transport_silences(const struct rule_input *in, struct vec *out);

/* The same for answered attempts whose SYN-ACKs were not taken (tcp_syn.c). */
void transport_unacknowledged(const struct rule_input *in, struct vec *out);

/* True when only segments of the largest size are sent in vain, and the other host is there
 * (tcp_loss.c). */
bool transport_stall_is_large(const struct rule_input *in, const struct path_stall *s);

/* It may be that: only large ones are sent in vain, of whatever size the others are. */
bool transport_stall_may_be_large(const struct rule_input *in, const struct path_stall *s);

/* Puts troubles into order and joins those of the same hosts that follow within gap_ns. */
void transport_join(struct vec *troubles, int64_t gap_ns);

/* Texts in the diagnosis' arena. */
const char *transport_host(struct diagnosis *d, const struct endpoint *e);
const char *transport_endpoint(struct diagnosis *d, const struct endpoint *e);
const char *transport_time(struct diagnosis *d, struct stamp at);
const char *transport_duration(struct diagnosis *d, int64_t ns);
const char *transport_program(struct diagnosis *d, uint32_t program);
const char *transport_procedure(struct diagnosis *d, uint32_t program, uint32_t version,
				uint32_t procedure);

/* A finding about a server and a client, from first to last. */
struct finding *transport_finding(struct diagnosis *d, const char *id,
				  enum finding_confidence confidence, const struct conn *conn,
				  struct stamp first, struct stamp last);

#endif
