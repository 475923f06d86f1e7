/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the rules about TCP and RPC share: whose ports count, what a capture can prove, wordings. */
#ifndef DIAGNOSE_RULES_TRANSPORT_H
#define DIAGNOSE_RULES_TRANSPORT_H

#include "diagnose/rule.h"
#include "model/conn.h"
#include "model/path.h"
#include "model/vantage.h"

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

static inline bool transport_known(const struct provenance *p)
{
	return p->frame != FRAME_NONE;
}

static inline struct conn_record *transport_record(const struct rule_input *in, size_t i)
{
	return *(struct conn_record **)vec_at(&in->conns->records, i);
}

/* Someone in vain: a client host that could not reach a server, from first to end. */
struct transport_trouble {
	struct conn conn;
	bool connecting;     /* no SYN was answered; else an established connection is silent */
	enum conn_side from; /* who sends in vain */
	struct stamp first, end;
	bool over;                    /* it worked again at `end`; else `end` is the last try */
	uint32_t tries;               /* segments in vain */
	struct provenance cite_first; /* the first of them */
	struct provenance cites[PATH_CITES_MAX];
	uint32_t cites_len;
	struct provenance cite_last, cite_over; /* FRAME_NONE: none */
	struct provenance heard; /* the other side's last segment before; or FRAME_NONE */
	bool worked_before;
	uint64_t conns; /* connections, or attempts, that are folded here */
};

/* Connection attempts that nobody answered (tcp_syn.c), and connections on which one side fell
 * silent (tcp_silent.c): struct transport_trouble, by server, client and time. */
void transport_unanswered(const struct rule_input *in, struct vec *out);
void transport_silences(const struct rule_input *in, struct vec *out);

/* The same for answered attempts whose SYN-ACKs were not taken (tcp_syn.c). */
void transport_unacknowledged(const struct rule_input *in, struct vec *out);

/* True when only segments of the largest size are sent in vain, and the other host is there
 * (tcp_loss.c). */
bool transport_stall_is_large(const struct rule_input *in, const struct path_stall *s);

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
