/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A filter: one kind of fault, as a row of functions. Each has a file of its own, filter_NAME.c,
 * and a paragraph in nfsleuth-faults(7). It reads its words into a step, says in the verdict what
 * is to happen to a message, and changes the bytes of one where it must.
 */
#ifndef FAULT_FILTER_H
#define FAULT_FILTER_H

#include "base/strbuf.h"
#include "lab/fault/message.h"
#include "lab/fault/server.h"
#include "lab/fault/status.h"
#include "lab/fault/words.h"

enum { FAULT_STEP_BYTES_MAX = 64, FAULT_STEP_TEXT_MAX = 80, FAULT_EDITS_MAX = 8 };

struct fault_filter;

/* Which part of a corrupted message. */
enum fault_place { FAULT_AT_OFFSET, FAULT_AT_MARK, FAULT_AT_HANDLE, FAULT_AT_STATUS };

/* One action of a fault, with what its words said. Zero where a filter has no use for it. */
struct fault_step {
	const struct fault_filter *filter;
	enum fault_side side; /* what it happens to */
	int64_t duration_ns;  /* 0: for good, where a filter may last */
	uint64_t number;
	enum fault_place place;
	struct fault_status status;
	enum fault_server_action action;
	uint32_t listing; /* what becomes of a page: the filter knows */
	size_t bytes_len;
	uint8_t bytes[FAULT_STEP_BYTES_MAX];
	char text[FAULT_STEP_TEXT_MAX]; /* as it stands in the script; a long one is cut */
};

/* What happens to the connection; the later in this list wins. */
enum fault_conn {
	FAULT_CONN_KEEP,
	FAULT_CONN_STOP_READING, /* nothing is read from the client */
	FAULT_CONN_STOP_WRITING, /* nothing is sent to the client */
	FAULT_CONN_IGNORE,       /* all that the client sends is read and thrown away */
	FAULT_CONN_CLOSE,        /* FIN */
	FAULT_CONN_RESET,        /* RST */
};

/* A change of bytes that a step asked for. */
struct fault_edit {
	const struct fault_step *step; /* borrowed from the engine */
	uint8_t op;                    /* index of the operation that was meant */
	uint32_t number;               /* of that operation, in the call */
};

/*
 * What is to happen to one message, in this order: edits (or the answer instead of the server's),
 * drop, delay, copies. Valid until the engine is changed or judges again. conn_ns: how long, 0 is
 * for good.
 */
struct fault_verdict {
	uint32_t fired_count; /* faults that fired: 0 is the ordinary case, nothing else is set */
	bool drops;
	bool reorders;    /* hold it until another message of its direction went by, or a second */
	bool breaks_mark; /* its record mark announces other bytes than follow */
	bool refuses;     /* FAULT_CONNECT */
	uint32_t copies;  /* beyond the first */
	int64_t delay_ns;
	enum fault_conn conn;
	int64_t conn_ns;
	const struct fault_step *answer; /* calls: not to be executed, see fault_answer_build */
	uint8_t answer_op;
	uint32_t edits_len;
	struct fault_edit edits[FAULT_EDITS_MAX];
	struct fault_plan plan; /* calls: for fault_message of the reply */
};

struct fault_filter {
	const char *name;  /* the first word: "drop" */
	const char *usage; /* "drop call|reply", for errors */
	/* Reads what follows the name; step is zeroed but for its filter. */
	struct err *(*parse)(struct fault_words *w, struct fault_step *step);
	/* Does it make sense for the message? NULL: always. */
	bool (*fits)(const struct fault_step *step, const struct fault_message *m);
	/* Adds itself to the verdict over a message of its side; op as in fault_edit. */
	void (*judge)(const struct fault_step *step, uint8_t op, struct fault_verdict *v);
	/* Changes the message in `bytes`, of which m tells the facts. NULL: never asked for. */
	void (*edit)(const struct fault_edit *e, const struct fault_message *m,
		     struct strbuf *bytes);
};

/* All filters, ended by NULL. */
extern const struct fault_filter *const fault_filters[];

extern const struct fault_filter fault_filter_delay, fault_filter_drop, fault_filter_answer,
	fault_filter_status, fault_filter_duplicate, fault_filter_reorder, fault_filter_cut,
	fault_filter_corrupt, fault_filter_xid, fault_filter_close, fault_filter_reset,
	fault_filter_stop, fault_filter_refuse, fault_filter_ignore, fault_filter_listing,
	fault_filter_server;

/* Takes "call" or "reply" when it is there, else `otherwise`. */
enum fault_side fault_take_side(struct fault_words *w, enum fault_side otherwise);

/* Takes "for DURATION" when it is there. */
struct err *fault_take_for(struct fault_words *w, int64_t *duration_ns);

/* Adds an edit of the step; more than FAULT_EDITS_MAX are not done. The engine adds the number. */
void fault_verdict_edit(struct fault_verdict *v, const struct fault_step *step, uint8_t op);

/* The stronger of what was asked for and this. */
void fault_verdict_conn(struct fault_verdict *v, enum fault_conn conn, int64_t duration_ns);

/* Overwrites a word of the message, when it is there. */
void fault_put_u32(struct strbuf *bytes, size_t offset, uint32_t value);

/*
 * The reply with which a call is turned away. Whole: the reply itself. Otherwise (a COMPOUND whose
 * operation stands behind others) the call without that operation and what follows it: what stands
 * before it is to be executed, and the reply's edits add the status. False: not to be built
 * (a broken call, or a procedure without results); then `out` is untouched.
 */
bool fault_answer_build(const struct fault_status *s, uint8_t op, const struct fault_message *call,
			struct strbuf *out, bool *is_whole);

/* The header of a reply with this RPC status, as the whole of the message. */
void fault_reply_of_status(const struct fault_status *s, uint32_t xid, struct strbuf *out);

/* Gives the reply this status for the operation: replaced when it was executed, else added. */
void fault_reply_set_status(const struct fault_status *s, const struct fault_edit *e,
			    const struct fault_message *m, struct strbuf *bytes);

#endif
