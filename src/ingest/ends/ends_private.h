/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the two files of the matcher share: ends.c keeps connections, ends_place.c segments. */
#ifndef INGEST_ENDS_PRIVATE_H
#define INGEST_ENDS_PRIVATE_H

#include "ingest/ends/ends.h"

enum { ENDS_SEEN = 4, ENDS_BUCKETS = 1 << 14 };

/* A segment, or what is left of it, that waits for its like. */
struct ends_segment {
	struct ends_segment *prev, *next;     /* of its side and sort, in order of arrival */
	struct ends_segment *elder, *younger; /* of all */
	struct ends_segment *after, **place;  /* of its bucket, the youngest first */
	struct ends_pair *pair;
	struct provenance at;
	int64_t aligned_ns;
	uint32_t from, to; /* sequence numbers; SYN and FIN count one */
	uint32_t mark;     /* timestamp, or else IP identification */
	uint32_t ip_id;    /* 0: none (IPv6) */
	uint32_t ack;      /* WIRE_BARE */
	uint32_t bytes;    /* of the whole segment */
	uint32_t acked;    /* what the receiver had acknowledged when it came; with has_acked */
	uint32_t serial;   /* of its side */
	uint8_t kind;      /* enum wire_kind */
	uint8_t fate;      /* enum wire_fate, as far as it is known */
	bool has_mark_ts;  /* the mark is a timestamp */
	bool has_acked;
	bool again;
	bool maybe_twice; /* its capture may show an earlier one once more: it is not missed */
	bool high, side;
	bool is_datagram; /* the mark is the XID */
	bool is_reply;
	bool is_unsure; /* a datagram like it waits at the other side, at another time */
};

/* Enough to know a segment again that one capture shows twice. */
struct ends_seen {
	int64_t ns;
	uint32_t from, to, ack, mark, ip_id;
	bool used;
};

/* One direction as one of the two captures shows it. */
struct ends_side {
	struct ends_waiting {
		struct ends_segment *first, *last;
	} waiting[2]; /* with bytes, without */
	struct ends_seen seen[ENDS_SEEN];
	uint32_t seen_next;
	uint32_t serial;  /* segments so far */
	uint32_t alone;   /* serial of the last that the other capture does not show */
	uint32_t sent_to; /* the furthest byte; with has_sent */
	bool has_sent;
};

/* One direction. [WIRE_SPEAKER], [WIRE_OTHER]. */
struct ends_way {
	struct ends_side side[2];
	uint32_t acked; /* the furthest acknowledgement that either shows; with has_acked */
	bool has_acked;
	bool crowded; /* so much waits that not all was compared: fates are not sure */
};

/* A connection in two captures. */
struct ends_pair {
	struct ends_pair *next;
	struct ends_conn *conn;
	uint32_t other;
	int64_t first_ns[2], last_ns[2]; /* what each capture covers, aligned */
	struct endpoint ends[2];         /* as in struct event_wire */
	bool has_both; /* both show something of the connection: from when to when, aligned */
	int64_t both_first_ns, both_last_ns;
	uint32_t ids_same, ids_differ;    /* segments of one size with the same IP identification */
	struct ends_way way[2];           /* by the survey's `high` */
	struct ends_datagrams *datagrams; /* ends_udp.c; NULL: none yet */
};

struct ends_conn {
	uint32_t index;                  /* the survey's number */
	struct ends_conn *older, *newer; /* by last use */
	struct ends_pair *pairs;
	struct conn conn;
	bool has_conn;      /* conn is valid */
	bool flip;          /* the survey's high end is the lower one of conn */
	bool off;           /* carries no RPC: of no interest */
	int64_t recheck_ns; /* other captures may have begun or ended by then */
};

struct ends {
	const struct survey *survey;
	const struct event_board *board;
	struct ends_conn **conns; /* by the survey's number */
	size_t conns_cap;
	size_t conns_count;
	struct ends_conn *oldest, *newest;
	int64_t now_ns; /* aligned; never decreases */
	struct ends_segment *pool, *unused;
	size_t pool_used;
	struct ends_segment *eldest, *youngest;
	struct ends_segment *buckets[ENDS_BUCKETS]; /* by timestamp, or by connection */
};

/* Places a segment of this side: looks for its like, or lets it wait. */
void ends_place(struct ends *e, struct ends_pair *pair, uint8_t side, bool high,
		const struct provenance *at, const struct packet *packet);

/* The same of a UDP datagram that carries an RPC message (ends_udp.c). */
void ends_place_datagram(struct ends *e, struct ends_pair *pair, uint8_t side, bool high,
			 const struct provenance *at, const struct packet *packet);

/* Before a datagram that waits is decided: its like may wait at the other side. */
void ends_datagram_settle(struct ends *e, struct ends_segment *s);

/* --- ends_place.c, for ends_udp.c --- */

/* What is told of a segment; `twin`: of one that both show, where the other does. */
struct event_wire ends_tell(const struct ends_segment *s, enum wire_fact fact,
			    const struct provenance *twin, uint32_t bytes, bool again);
void ends_send(struct ends *e, const struct ends_segment *s, const struct event_wire *wire);

/* Where what is like s, of this side, waits. */
struct ends_segment **ends_bucket(struct ends *e, const struct ends_segment *s, unsigned side);

/* Lets it wait, from `from` to `to`; takes it out. */
void ends_wait(struct ends *e, const struct ends_segment *like, uint32_t from, uint32_t to);
void ends_take_out(struct ends *e, struct ends_segment *s);

/* Both captures show it: they cover its time. */
void ends_note_both(const struct ends_segment *s);

/* Does this capture show the segment for the second time? */
bool ends_seen_twice(const struct ends_segment *like, struct ends_side *side);

/* Decides what has waited for long, seen from e->now_ns. */
void ends_place_late(struct ends *e);

/* Decides all that waits, in the order in which it came. */
void ends_place_rest(struct ends *e);

/* Decides all that waits of this pair; or (for want of room) tells it as not placed. */
void ends_place_all(struct ends *e, struct ends_pair *pair, bool decide);

#endif
