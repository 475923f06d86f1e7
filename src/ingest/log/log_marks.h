/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the wire shows of the moments that kernels write a line about, besides the waits of
 * log_wire.h: a client introduces itself, a server started, a client has its state anew, a host is
 * silent; and what hosts tell of themselves in passing: their name and, older Linux clients, their
 * uptime. Logs are joined with the captures by these (log_anchor.c).
 *
 * A sink like a model, but for ingest's own use: it judges nothing. Memory is bounded, and what
 * found no room is known.
 */
#ifndef INGEST_LOG_MARKS_H
#define INGEST_LOG_MARKS_H

#include "base/map.h"
#include "base/vec.h"
#include "event/event.h"

enum {
	LOG_MARKS_MAX = 1024, /* of each kind */
	LOG_MARK_HOSTS_MAX = 4096,
	LOG_MARK_NAME_BYTES = 64,
	LOG_MARK_VERIFIERS_MAX = 4, /* of one client, known again */
};

/* Shorter silences are not kept. */
#define LOG_MARK_SILENCE_MIN_NS STAMP_NS_PER_S

enum log_mark_kind {
	/* EXCHANGE_ID or SETCLIENTID of a client with a verifier that it had not shown before. */
	LOG_MARK_INTRODUCED,
	LOG_MARK_SERVER_START, /* the first session or client ID of a start of Linux's nfsd */
	LOG_MARK_RECOVERED,    /* a client has a session, or its client ID confirmed */
	LOG_MARK_SILENCE,      /* no call of a host was answered between two answers */
	LOG_MARK_KIND_COUNT,
};

struct log_mark {
	enum log_mark_kind kind;
	struct endpoint host;   /* who writes the line; port 0 */
	struct endpoint server; /* INTRODUCED, RECOVERED: whose client it is; port 0 */
	struct provenance at;   /* SILENCE: the answer that ended it */
	/* INTRODUCED: the verifier, SERVER_START: the client ID as a date; else CLOCK_UNKNOWN. */
	struct stamp date;
	/* SILENCE: the answer before it. SERVER_START: the last sign of life of the start before;
	 * CLOCK_UNKNOWN: none is known. */
	struct stamp before;
	bool troubled; /* SILENCE: something was asked for in it, and for a while in vain */
};

/* A host of the captures. */
struct log_mark_host {
	struct endpoint at;             /* port 0 */
	bool calls, answers;            /* NFS: callbacks and locks go the other way, too */
	char name[LOG_MARK_NAME_BYTES]; /* its own for itself; "": not told */
	bool name_torn;                 /* it told several */
	uint32_t stamp;                 /* of AUTH_SYS, the first one; 0: none */
	bool stamp_torn;                /* later ones did not count seconds on from it */
	struct provenance stamp_at;
	uint64_t verifiers[LOG_MARK_VERIFIERS_MAX];
	uint32_t verifiers_len;
	uint32_t start_s;         /* server: as its client IDs tell; 0: not known */
	struct stamp alive;       /* server: the last SEQUENCE that it answered well */
	struct stamp first, last; /* answers to or of it */
};

struct log_marks {
	struct map hosts;     /* struct log_mark_host */
	struct vec host_list; /* struct log_mark_host * */
	struct vec marks;     /* struct log_mark, in order of sight */
	bool hosts_full;      /* hosts were left out: none is known to be the only one */
	size_t count[LOG_MARK_KIND_COUNT];
	bool full[LOG_MARK_KIND_COUNT]; /* marks of the kind were left out */
};

void log_marks_init(struct log_marks *m);
void log_marks_deinit(struct log_marks *m);
void log_marks_attach(struct log_marks *m, struct event_board *board);

#endif
