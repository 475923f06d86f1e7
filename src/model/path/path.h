/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What went wrong on the way: data that was sent again and again without an acknowledgement, calls
 * that were answered late, sent again, refused or never answered, hosts that the network says it
 * cannot reach.
 *
 * Everything here is rare in healthy traffic: in order and answered in time, a packet or call costs
 * no more than a comparison. What is kept is folded, capped, and cites by value.
 */
#ifndef MODEL_PATH_H
#define MODEL_PATH_H

#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	PATH_CONNS_MAX = 1024,  /* connections with a retransmission, open or worth keeping */
	PATH_STALLS_MAX = 1024, /* kept stalls */
	PATH_CALLS_MAX = 1024,  /* client host, server endpoint and program */
	PATH_WAITS_MAX = 2048,  /* connections that ended with calls unanswered */
	PATH_NETS_MAX = 4096,   /* of each kind */
	PATH_PORTS_MAX = 4096,  /* told by a portmapper */
	PATH_CITES_MAX = 4,
	PATH_ASKERS_MAX = 4,
	PATH_FLAVORS_MAX = 4,
};

/* Shorter waits for an acknowledgement are everyday: they are added up, not kept one by one. */
#define PATH_STALL_KEEP_NS STAMP_NS_PER_S

/* Replies that took less are not late. */
#define PATH_LATE_NS (5 * STAMP_NS_PER_S)

/* A time in which one side's segments brought nothing back at all. */
struct path_quiet {
	struct provenance from;  /* the first unanswered one, or the other side's last segment */
	struct provenance last;  /* the last segment sent again in it */
	struct provenance until; /* the other side again; FRAME_NONE: not seen */
	uint32_t repeats;
};

/* Data that was sent more than once before any of it was acknowledged, or never was. */
struct path_stall {
	struct conn conn;
	enum conn_side from;        /* who sends */
	struct provenance since;    /* first sent, or the last progress before */
	struct provenance first;    /* sent again for the first time */
	struct provenance last;     /* and for the last */
	struct provenance progress; /* acknowledged; FRAME_NONE: never seen */
	struct provenance reset;    /* RST instead; FRAME_NONE: none */
	enum conn_side reset_from;
	struct provenance cites[PATH_CITES_MAX]; /* the first repetitions */
	uint32_t cites_len;
	uint32_t repeats, full; /* of them: no smaller than any segment of this side */
	uint64_t bytes_min, bytes_max;
	bool heard_before;       /* the other side was heard on this connection before it */
	struct provenance heard; /* its last segment since `since`; FRAME_NONE: none */
	struct path_quiet quiet; /* the longest one in it */
	struct path_quiet now;   /* the model's own */
};

/* A connection with retransmissions of what was not acknowledged. */
struct path_conn {
	struct conn conn;
	struct path_stall open[2]; /* by side; valid with is_open */
	bool is_open[2];
	/* When a stall of this side was last over, or its bytes were shown after their
	 * acknowledgement; unknown: never. */
	struct stamp progress[2];
	uint32_t stalls[2];
	uint64_t repeats[2];
	int64_t stalled_ns[2]; /* all stalls together */
	bool kept;             /* it is in the list of what was kept */
};

/* A call that took long. */
struct path_late {
	struct provenance call, reply;
	uint32_t xid, version, procedure;
	uint32_t repeats; /* it was sent again so often */
	int64_t ns;       /* from the call to the reply, less what the network took */
	/* The last segment of the server, after the call, that shows that its reply had not been
	 * sent yet. FRAME_NONE: none. */
	struct provenance unsent;
	/* How old the reply was when it was captured, by the rate of the server's clock; valid with
	 * has_age. */
	int64_t age_ns;
	bool has_age;
	int64_t ahead_ns; /* so much of the time the server's own clock had not seen; 0: none */
};

/* How it is known that a message was sent long before it was captured. */
enum path_held_by {
	PATH_HELD_BY_CLOCK,   /* its timestamp is older than that of what came before it */
	PATH_HELD_BY_ID,      /* no timestamps: its bytes had been sent, and its IP id is older */
	PATH_HELD_OR_LOST,    /* no timestamps: its bytes had been sent; or this is a later copy */
	PATH_HELD_SENT_AGAIN, /* its bytes had been sent, and this copy of them is new */
	PATH_HELD_BY_COUNT,
};

/* A call or reply that was captured long after it was sent. */
struct path_held {
	struct conn conn;
	struct provenance call; /* FRAME_NONE where the call is the message itself */
	struct provenance message;
	struct provenance shown; /* captured before it: it had been sent by then */
	enum path_held_by by;
	enum conn_side from;         /* whose message it is */
	uint32_t tsval, shown_tsval; /* of both, with PATH_HELD_BY_CLOCK */
	uint32_t xid, version, procedure;
	int64_t ns; /* so long at least from `shown` to `message` */
};

/* Calls of one flavor of credentials that were refused (RFC 5531 section 9). */
struct path_refusals {
	uint32_t flavor, auth_stat;
	uint64_t refused, refused_now; /* all; since the last success with this flavor */
	uint64_t longest;              /* most in a row */
	struct provenance first, last;
	struct provenance cites[PATH_CITES_MAX];
	uint32_t cites_len;
};

/* Calls of one client host to one program at one server endpoint. */
struct path_calls {
	struct conn conn; /* the first connection of that kind */
	uint32_t program;

	uint64_t late; /* took PATH_LATE_NS or more */
	int64_t late_sum_ns;
	struct provenance late_first, late_last; /* call of the first, reply of the last */
	struct path_late worst[PATH_CITES_MAX];  /* the slowest first */
	uint32_t worst_len;
	/* Not late by the server: answers were on their way to the client all the
	 * time, one behind the other. */
	uint64_t queued;
	struct provenance queued_first, queued_last; /* call of the first, reply of the last */
	int64_t queued_worst_ns;                     /* from call to reply */
	struct path_late repeated_worst;          /* the slowest that was sent again; ns 0: none */
	struct provenance late_sent_again_answer; /* a reply to such a call */

	/* Messages that were captured PATH_LATE_NS or more after they were sent. */
	uint64_t held[PATH_HELD_BY_COUNT];
	struct provenance held_first, held_last; /* the first call, the last message */
	struct path_held *held_worst; /* PATH_CITES_MAX, the longest first; NULL: none yet */
	uint32_t held_worst_len;

	uint64_t repeats; /* calls sent again on their connection before they were answered */
	struct provenance repeat_first, repeat_last, repeat_call;
	struct provenance repeat_cites[PATH_CITES_MAX];
	uint32_t repeat_cites_len;
	int64_t repeat_after_ns; /* the longest time from a call to its repetition */

	struct path_refusals *refusals; /* PATH_FLAVORS_MAX; NULL: none yet */
	uint32_t refusals_len;
	struct stamp accepted_last; /* the last call that was accepted after a refusal */
};

/* Calls that were unanswered when their connection, or the evidence, ended, or that left it. */
struct path_wait {
	struct conn conn;
	uint32_t program, version;
	uint64_t count, repeats;
	struct provenance first, last; /* calls */
	struct provenance cites[PATH_CITES_MAX];
	uint32_t procedures[PATH_CITES_MAX];
	uint32_t cites_len;
};

/* ICMP destination unreachable about packets to one endpoint. */
struct path_unreachable {
	struct endpoint src, dst; /* of the quoted packets; src without port */
	struct endpoint from;     /* who says so */
	uint8_t ip_version, type, code;
	uint64_t count;
	struct provenance first, last;
	struct provenance cites[PATH_CITES_MAX];
	uint32_t cites_len;
};

/* Asking for a hardware address without an answer. */
struct path_asked {
	uint32_t evidence;
	struct endpoint target;
	struct endpoint askers[PATH_ASKERS_MAX];
	uint32_t askers_len;
	struct path_ask_run {
		uint64_t count;
		struct provenance first, last;
		struct provenance answered; /* FRAME_NONE: never */
		struct provenance cites[PATH_CITES_MAX];
		uint32_t cites_len;
	} now, longest;
};

struct path_port {
	struct endpoint at;
	uint32_t program;
};

struct path_model {
	struct map conn_map; /* struct path_conn, by serial */
	struct vec conns;    /* struct path_conn *: with a second or more of stalls */
	struct vec stalls;   /* struct path_stall: by connection's serial after path_model_finish */
	struct map call_map;
	struct vec calls;  /* struct path_calls *, in order of first sight */
	struct vec waits;  /* struct path_wait */
	struct vec ending; /* struct path_wait of the connection that is ending */
	struct map unreachable_map;
	struct vec unreachable; /* struct path_unreachable * */
	struct map asked_map;
	struct vec asked; /* struct path_asked * */
	struct vec ports; /* struct path_port */
	uint64_t dropped; /* of anything, for want of room */
};

void path_model_init(struct path_model *m);
void path_model_deinit(struct path_model *m);
void path_model_attach(struct path_model *m, struct event_board *board);

/* After the last event: settles what is open and puts everything into a fixed order. */
void path_model_finish(struct path_model *m);

/* True when a portmapper told this port for one of NFS's programs. */
bool path_model_port_told(const struct path_model *m, const struct endpoint *at);

/* Nanoseconds from a to b; 0 when they are not on one clock or run backwards. */
int64_t path_span_ns(struct stamp a, struct stamp b);

#endif
