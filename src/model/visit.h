/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Visits: a stretch in which one client lists a directory and asks for its entries one by one:
 * LOOKUP in it; GETATTR, ACCESS and GETACL of what its READDIRPLUS (or NFSv4 READDIR with handles)
 * told of; of NFSv3, NFSACL and NFSv4.
 *
 * Where the capture cut the replies to READDIR nothing tells whose entries are asked for: calls
 * for objects that were never listed are counted apart then, as loose ones.
 */
#ifndef MODEL_VISIT_H
#define MODEL_VISIT_H

#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"
#include "model/longest.h"

enum {
	VISIT_HOSTS_MAX = 1024,      /* pairs of client and server; the least recently seen goes */
	VISIT_OPEN_MAX = 8,          /* directories of one pair at once; likewise */
	VISIT_KEPT_MAX = 1024,       /* visits that are over: those that took longest */
	VISIT_ENTRIES_MAX = 1 << 18, /* handles known as entries; a newer one may replace one */
	VISIT_BITS = 4096,           /* to count different objects with */
	VISIT_CALLS_KEEP = 64,       /* with fewer calls for entries a visit that ended is not kept,
				      * unless its directory changed */
};

/* A pause of this length ends a visit. */
#define VISIT_PAUSE_NS (15 * STAMP_NS_PER_S)

enum visit_call { VISIT_GETATTR, VISIT_LOOKUP, VISIT_ACCESS, VISIT_GETACL, VISIT_CALL_COUNT };

/* Calls for single entries, answered. */
struct visit_calls {
	uint64_t count[VISIT_CALL_COUNT];
	int64_t rtt_sum_ns;            /* call to reply */
	struct provenance first, last; /* replies; FRAME_NONE: none */
	uint32_t seen_count;           /* bits that are set in: */
	uint8_t *seen; /* VISIT_BITS of them, by a hash of the object or name; NULL: none is set,
			* or the visit is over */
};

struct visit {
	struct conn conn;       /* a copy: of the first call, for cites */
	struct endpoint client; /* port 0 */
	struct endpoint server;
	uint32_t dir; /* as rpc_call.object; 0: handles are cut, and all directories are one */
	struct provenance first, last; /* the first listing call's reply, the last reply of all */
	uint64_t listing_calls;        /* answered */
	uint64_t entries;              /* in their replies, as far as they are whole */
	bool cut;                      /* some reply was not whole, or some call */
	int64_t listing_rtt_sum_ns;
	struct provenance listing_first, listing_last;
	struct visit_calls linked; /* for its entries */
	struct visit_calls loose;  /* for objects of which nothing is known; only with `cut` */
	uint64_t work;             /* of the client meanwhile: OPEN, READ, WRITE and what changes */
	uint64_t changes;          /* how often another change attribute (mtime) was seen */
	struct provenance change;  /* the first such reply; FRAME_NONE: none */

	/* The model's own. */
	uint64_t change_value, work_before;
	bool change_known;
};

struct visit_host;
struct visit_entry;

struct visit_model {
	struct map map; /* struct visit_host, private */
	struct visit_host *oldest, *newest;
	size_t hosts_len;
	struct visit_host *last;     /* found last; NULL: none */
	struct visit_entry *entries; /* VISIT_ENTRIES_MAX of them; NULL until the first is known */
	struct longest visits;       /* struct visit, by how long they took */
};

void visit_model_init(struct visit_model *m);
void visit_model_deinit(struct visit_model *m);
void visit_model_attach(struct visit_model *m, struct event_board *board);

/* After the last event: visits that go on end. */
void visit_model_finish(struct visit_model *m);

/* All kinds together. */
uint64_t visit_calls_count(const struct visit_calls *c);

/*
 * How many different objects were asked for, by linear counting; at most about eight times
 * VISIT_BITS, which stands for "at least".
 */
uint64_t visit_calls_objects(const struct visit_calls *c);

/* From the first to the last reply; 0 when they are not on one clock. */
int64_t visit_elapsed_ns(const struct visit *v);

#endif
