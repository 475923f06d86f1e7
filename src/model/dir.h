/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Directories being listed: READDIR and READDIRPLUS of NFSv3 (RFC 1813 sections 3.3.16, 3.3.17),
 * READDIR of NFSv4 (RFC 8881 section 18.23), as chains: cookie 0 begins one, and each next call
 * asks with the cookie of the last entry before it (or of an earlier one in that reply, when the
 * client had no room for the rest, as Linux before 5.18). One call of a chain waits for the one
 * before, so a chain takes as long as all its round trips. Several processes of a client may list
 * one directory at once.
 */
#ifndef MODEL_DIR_H
#define MODEL_DIR_H

#include "base/map.h"
#include "event/event.h"
#include "model/longest.h"

enum {
	DIR_LISTED_MAX = 2048, /* directories being listed; the one not asked for longest goes */
	DIR_ACTIVE_MAX = 32,   /* chains at once of one client in one directory */
	DIR_ACTIVE_ALL_MAX = 3072, /* of all: beyond it as if there were too many directories */
	DIR_SERVERS_MAX = 256,     /* whose other answers are counted */
	DIR_CHAINS_MAX = 1024,     /* ended chains kept: those that took longest */
};

enum dir_state {
	DIR_ASKED,     /* the last call has no reply yet */
	DIR_ANSWERED,  /* the last call was answered, and there is more to come */
	DIR_COMPLETE,  /* to the end of the directory */
	DIR_FAILED,    /* answered with an error: `status` tells */
	DIR_RESTARTED, /* left, and the client began again with cookie 0 */
	DIR_LEFT,      /* not seen to go on */
	DIR_STATE_COUNT,
};

struct dir_chain {
	struct conn conn;       /* a copy: of the first call, for cites */
	struct endpoint client; /* port 0 */
	struct endpoint server;
	struct file_handle dir;
	uint32_t version; /* of NFS */
	bool plus;        /* with attributes */
	bool joined;      /* its beginning is not in the evidence */
	bool cut;         /* some reply was not whole: entries are at least as many */
	enum dir_state state;
	uint32_t status;         /* of the last reply */
	struct provenance first; /* the first call */
	struct provenance asked; /* the last call */
	struct provenance last;  /* the last reply; FRAME_NONE: none */
	uint64_t calls, replies; /* without what was sent again */
	uint64_t entries;
	int64_t rtt_sum_ns, rtt_min_ns, rtt_max_ns; /* call to reply; 0 without a reply */
	int64_t made_sum_ns; /* call to the reply's first byte: without its way over the wire */
	struct provenance slowest; /* the reply with the largest of them */
	uint64_t repeats;          /* calls with the cookie of the call before */
	struct provenance repeat;  /* the first of them */
	uint64_t empty;            /* replies without an entry, and without the end, one after the
				    * other; the most there were */
	struct provenance empty_last;
	uint64_t same_cookies; /* entries with the cookie of the one before, or that was asked */
	struct provenance same_cookie; /* the first reply with one */
	uint64_t rounds; /* calls with a cookie that the chain had asked with long before */
	struct provenance round_from, round_to; /* the first such pair of calls */
	/* Other calls (GETATTR, LOOKUP, ACCESS, READ) that the server answered meanwhile, to
	 * anybody. */
	uint64_t other_calls;
	int64_t other_rtt_sum_ns;
	bool skipped;    /* the client went on from within a reply: `entries` is about right */
	uint32_t others; /* most other chains in the same directory at once */

	/* The model's own. */
	struct dir_server *at_server; /* NULL: too many servers */
	uint64_t cookie, next;        /* asked last; to be asked next */
	uint64_t from; /* the first cookie of the last reply, where they ascend; else `next` */
	uint32_t got;  /* entries in it */
	bool next_known;
	uint64_t empty_now;
	uint64_t mark, mark_due; /* a cookie asked for before, and at which step it is renewed */
	uint64_t steps;
	struct provenance mark_at;
	bool superseded; /* a chain began after it and before it went on */
};

/* What a server answered besides listings, all in all. */
struct dir_server {
	struct endpoint server;
	uint64_t calls;
	int64_t rtt_sum_ns;
};

struct dir_model {
	struct map servers;      /* struct dir_server, private */
	struct dir_server *last; /* found last; NULL: none */
	struct map map;          /* struct dir_listed, private */
	struct dir_listed *oldest, *newest;
	size_t listed_len, active_len; /* directories, and chains in them */
	struct longest chains;         /* struct dir_chain: ended ones */
	uint64_t forgotten;            /* chains that a cap ended */
	/* Told each chain when it ends; NULL: nobody. */
	void (*ended)(void *context, const struct dir_chain *chain);
	void *ended_context;
};

void dir_model_init(struct dir_model *m);
void dir_model_deinit(struct dir_model *m);
void dir_model_attach(struct dir_model *m, struct event_board *board);

/* After the last event: chains that go on end as they are. */
void dir_model_finish(struct dir_model *m);

/* From the first call to the last reply; 0 when it is not known. */
int64_t dir_chain_elapsed_ns(const struct dir_chain *c);

/* "complete", "restarted" ... */
const char *dir_state_name(enum dir_state state);

#endif
