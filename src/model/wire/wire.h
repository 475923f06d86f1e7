/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Two captures of one wire: what of each connection both show, what one shows alone, which of them
 * is nearer to which host, and how their clocks differ.
 *
 * Who is nearer to whom is told by time: what host A sends passes the capture near A first, what it
 * gets passes that one last. So the difference of the two stamps of a segment is larger for one
 * direction than for the other, by the time on the way there and back, whatever the clocks show;
 * and the true difference of the clocks lies between the two. It is asked only of segments that
 * follow each other soon, so that a drift of the clocks does not matter.
 *
 * Judges nothing: how many lost segments make a cause is the rules' business.
 */
#ifndef MODEL_WIRE_H
#define MODEL_WIRE_H

#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	WIRE_CONNS_MAX = 8192, /* connections, each with each other capture */
	WIRE_PATHS_MAX = 4096, /* two captures with two hosts */
	WIRE_PLACES_MAX = 32,  /* notable segments kept of each direction: the first and the last */
	WIRE_PLACES_TOTAL = 1 << 16,
	WIRE_LATE_MAX = 16, /* late segments kept of each direction: the latest */
	WIRE_LATE_TOTAL = 1 << 14,
	WIRE_PAIRS = 4,  /* segments of each direction by which the others are judged */
	WIRE_SLOTS = 32, /* times at which the difference of two clocks is kept */
};

/* So long on its way between two captures, or after what it may answer, a segment is late. */
#define WIRE_LATE_NS (5 * STAMP_NS_PER_S)

/*
 * A segment with data that both captures show, and surely the same transmission: it took long from
 * the one to the other, there and back; or the server sent it long after the client's last.
 */
struct wire_late {
	struct provenance at[2]; /* by WIRE_SPEAKER, WIRE_OTHER */
	int64_t delta_ns;        /* stamp in b minus stamp in a, as in struct wire_path */
	/* The same of what the other side had sent last, and of what it sent next, as both captures
	 * show their order; the latter with has_after. */
	int64_t before_ns, after_ns;
	bool has_after;
	int64_t rank_ns; /* how late it is, one way or the other */
};

/* A segment that is worth telling: sent again, of a handshake or a close, or shown by one only. */
struct wire_place {
	struct provenance at[2]; /* WIRE_SPEAKER, WIRE_OTHER; FRAME_NONE: not there */
	enum wire_kind kind;
	enum wire_fate fate;
	bool again;
	uint32_t bytes;
	int64_t speaker_ns; /* by the speaker's clock, as far as that is known */
};

/* Segments in a row that one capture shows and the other does not, bare acknowledgements too. */
struct wire_run {
	uint64_t count;
	struct provenance first, last; /* in the capture that shows them */
};

/* One direction of a connection. Bare acknowledgements and resets are counted apart. */
struct wire_way {
	uint64_t both;      /* segments that both captures show, as the speaker shows them */
	uint64_t alone[2];  /* shown by WIRE_SPEAKER, by WIRE_OTHER alone */
	uint64_t missed[2]; /* the same, and the receiver had them: the other capture missed them */
	uint64_t bare_both;
	uint64_t bare_alone[2];
	struct provenance bare_first[2], bare_last[2]; /* of those; FRAME_NONE: none */
	struct wire_run longest[2]; /* in time, by who shows them; count 0: none */
	struct wire_run now[2];     /* the model's own */
	uint64_t unplaced;
	uint64_t both_frame;     /* the model's own: the speaker's frame that was counted last */
	struct vec places;       /* struct wire_place, by time after wire_model_finish */
	struct vec late;         /* struct wire_late, the latest first */
	bool late_dropped;       /* there were more */
	uint64_t places_dropped; /* in the middle */
	uint32_t places_next;    /* the model's own: which of the last ones goes next */
};

/* Two captures, and two hosts that both watch. a is the lower index of evidence. */
struct wire_path {
	uint32_t a, b;
	struct endpoint low, high;        /* hosts; port 0 */
	uint64_t both[2];                 /* segments from low, from high */
	uint64_t a_near_high, a_near_low; /* votes */

	/* clock of b minus that of a */
	struct wire_slot {
		int64_t at_ns; /* by a's clock */
		int64_t low_ns, high_ns;
		bool used;
	} slots[WIRE_SLOTS];
	int64_t slot_span_ns, slots_from_ns;
	bool clock_set;  /* one of the clocks was: no difference holds for all of the time */
	bool has_bounds; /* the next are valid: of the window before this one */
	int64_t bounds_low_ns, bounds_high_ns;
	struct wire_window {
		bool used;
		int64_t from_ns;
		bool has[2]; /* of segments from low, from high */
		int64_t min_ns[2], max_ns[2];
	} window;
};

/* A segment that both captures show: where, and its delta as in struct wire_late. */
struct wire_pair {
	uint64_t frame[2];
	int64_t delta_ns;
};

/* A connection in the capture that speaks for it, and in one other. */
struct wire_record {
	struct conn conn; /* the speaker's */
	uint32_t other;   /* evidence */
	struct wire_path *path;
	struct endpoint ends[2]; /* as the other shows them: lower and higher end of conn; port 0:
				  * not shown there */
	struct wire_way way[2];  /* from the lower, from the higher end */

	/* The model's own: the last segment of each direction that both show. */
	bool has_last[2];
	int64_t last_ns[2], last_delta_ns[2];
	struct wire_pair pairs[2][WIRE_PAIRS]; /* the last ones */
	uint32_t pairs_next[2];
	int64_t asked_ns; /* the client's last data, by the speaker's clock; with has_asked */
	bool has_asked;
};

struct wire_model {
	struct map record_map;
	struct vec records; /* struct wire_record *: by serial and other after wire_model_finish */
	struct map path_map;
	struct vec paths; /* struct wire_path *, in order of first sight */
	struct wire_record *recent;
	size_t places_total;
	size_t late_total;
	uint64_t dropped; /* facts for which there was no room */
};

void wire_model_init(struct wire_model *m);
void wire_model_deinit(struct wire_model *m);
void wire_model_attach(struct wire_model *m, struct event_board *board);

/* After the last event: puts everything in order. */
void wire_model_finish(struct wire_model *m);

/* Which of the two captures is nearer to which host. */
enum wire_order {
	WIRE_ORDER_UNKNOWN,
	WIRE_ORDER_A_LOW,  /* a is nearer to the lower host */
	WIRE_ORDER_A_HIGH, /* a is nearer to the higher host */
};

enum wire_order wire_path_order(const struct wire_path *p);

/* Clock of b minus clock of a, at a time of a's clock. */
struct wire_clock {
	int64_t at_ns;
	int64_t offset_ns, bound_ns; /* it is so much, give or take the bound */
	bool has_drift;              /* the next are valid */
	int64_t drift_ppb, drift_bound_ppb;
};

/* False when the segments do not tell. */
bool wire_path_clock(const struct wire_path *p, struct wire_clock *out);

/* One direction of a connection, seen from its sender. */
struct wire_tale {
	const struct wire_record *record;
	const struct wire_way *way;
	uint32_t near_sender, near_receiver; /* evidence */
	int sender;                          /* which of WIRE_SPEAKER, WIRE_OTHER is near_sender */
	uint64_t arrived;                    /* both show them */
	uint64_t lost;       /* shown near the sender only, and no sign that they arrived */
	uint64_t not_shown;  /* shown near the sender only, but received: that capture's loss */
	uint64_t not_caught; /* shown near the receiver only: the loss of the one near the sender */
	/* The direction is shown there at all: of this connection, or of another of the same hosts;
	 * without it nothing is told by what is not there. */
	bool is_shown;
};

/* The index of the first record of this connection in m->records, or m->records.len. */
size_t wire_model_find(const struct wire_model *m, uint64_t serial);

/* What one record tells of what `from` sent. False: it is not known who is nearer to whom. */
bool wire_record_tale(const struct wire_record *r, enum conn_side from, struct wire_tale *out);

/*
 * What two captures tell of what `from` sent on the connection with this serial. False when only
 * one captured it, or when it is not known which is nearer to whom. Of several others the one that
 * shares most.
 */
bool wire_ask(const struct wire_model *m, uint64_t serial, enum conn_side from,
	      struct wire_tale *out);

/* Notable segments of a tale from one time to another, by the speaker's clock. */
struct wire_span {
	uint64_t arrived, lost;
	const struct wire_place *arrived_first, *arrived_last; /* NULL: none */
	const struct wire_place *lost_first, *lost_last;
};

struct wire_span wire_tale_span(const struct wire_tale *t, struct stamp first, struct stamp last);

/* How long a late segment was on its way from one capture to the other. */
struct wire_transit {
	/* With what the other side sent before or after it, whichever is less: no clock matters. */
	int64_t there_and_back_ns;
	bool has_one_way; /* the clocks are known well enough for the next */
	int64_t ns, bound_ns;
};

/* False: it is not sure that no clock was set meanwhile. */
bool wire_tale_transit(const struct wire_tale *t, const struct wire_late *late,
		       struct wire_transit *out);

/* The late segment that the speaker shows in this frame, or NULL. */
const struct wire_late *wire_tale_late(const struct wire_tale *t, const struct provenance *at);

/* True when a segment of this direction was WIRE_LATE_NS or more between the captures, there and
 * back. */
bool wire_tale_is_late(const struct wire_tale *t);

/*
 * True when bare acknowledgements are shown near the sender only, all of them in this time by the
 * speaker's clock.
 */
bool wire_tale_bare_within(const struct wire_tale *t, struct stamp first, struct stamp last);

#endif
