/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the files about traces share; nobody else includes this. */
#ifndef INGEST_TRACES_PRIVATE_H
#define INGEST_TRACES_PRIVATE_H

#include "base/texts.h"
#include "evidence/line/trace_line.h"
#include "evidence/text_scan.h"
#include "ingest/log/log_facts.h"
#include "ingest/log/log_private.h"

enum {
	TRACE_THREADS = 64,
	TRACE_PATHS = 8,
	TRACE_XPRTS = 32,
	TRACE_PROBED = 32,
	TRACE_LISTED_MAX = 1024
};

/* A connection of this host. */
struct trace_path {
	struct endpoint local, peer;
};

/* What a thread of nfsd is at, as the last lines of it tell. */
struct trace_thread {
	int64_t pid; /* 0: the slot is free */
	bool has_client;
	struct endpoint client; /* whose call it serves, by svc_process */
	bool in_create;         /* inside of CREATE_SESSION */
	bool in_confirm;        /* inside of SETCLIENTID_CONFIRM */
	bool moved;             /* in it, a client was moved to the confirmed ones */
	bool awaits_stack;      /* a client is thrown out: the stack tells why */
	bool awaits_name;       /* a probe at `probed`: the stack's first function is it */
	uint64_t probed;
	uint64_t line; /* of that */
	int64_t boot_ns;
	int64_t expelled_ns; /* when it was told; valid with told_expelled */
	bool told_expelled;  /* of this call it was told already */
	bool told_missed;
	int64_t missed_ns; /* when; valid with told_missed */
};

enum trace_kind { TRACE_CLID, TRACE_LADDER, TRACE_RPC_TASK, TRACE_SERVED };

struct trace_record {
	enum trace_kind kind;
	const void *fact; /* its struct, in the logs' arena, as are its texts */
	uint32_t file;    /* index into logs.files */
	uint64_t line;
	int64_t boot_ns;
	const struct klog_head *head; /* of a line of a log; NULL: of a trace */
	bool untimed;                 /* the line tells no time at all */
	uint64_t hash; /* of thread, event and what it prints; 0: of no line of a trace */
	bool is_copy;  /* another file of the host has it */
};

struct traces {
	struct logs *logs;
	struct vec records; /* struct trace_record */
	struct texts names;
	size_t kept[2]; /* of them: of others than calls, and of calls */
	uint64_t dropped;
	/* of the file at hand */
	uint64_t found, unknown;
	int64_t first_ns, last_ns; /* valid with found */
	uint64_t lost;             /* times that the tracer lost something */
	uint64_t served;           /* calls that a thread of a server began */
	uint32_t boot;      /* the server's start by the last client ID that was told; 0: none */
	bool boot_is_given; /* and it was one that the server had given or took for its own */
	struct trace_thread threads[TRACE_THREADS]; /* by PID */
	struct trace_thread *last;                  /* of the last line; NULL: none yet */
	struct trace_path paths[TRACE_PATHS];       /* the last ones that were told */
	size_t paths_told;
	uint64_t line; /* the line at hand */
	int64_t boot_ns;
	const struct klog_head *head; /* borrowed for that line; NULL: it has none */
	bool untimed;
	uint64_t hash; /* of the line at hand, as in a record */
	uint32_t list; /* number of the list of RPC tasks at hand; 0: none yet */
	struct {
		uint64_t task, client;
	} listed[TRACE_LISTED_MAX]; /* in it */
	size_t listed_len;
	/* Transports by the kernel's address of them, as its debugging output has them. */
	struct trace_xprt {
		uint64_t address; /* 0: free */
		struct endpoint peer;
	} xprts[TRACE_XPRTS];
	size_t xprts_told;
	/* Functions that are probed, by their address, where nothing else names them. */
	struct trace_probed {
		uint64_t address; /* 0: free */
		int probe;        /* which one; -1: of no interest */
	} probed[TRACE_PROBED];
	bool bpftrace; /* the file is of bpftrace: stacks in its own form follow */
	struct trace_xprt *xprt_changes; /* whose state the next line tells; NULL: none's */
};

/* --- traces.c --- */

/* One copy of each text; empty when there is no room for one more. */
struct slice trace_keep(struct traces *t, struct slice text);

/* Keeps a fact of the line at hand, or of the thread's one. Its texts are kept already. */
void trace_add(struct traces *t, enum trace_kind kind, const void *fact, size_t bytes);

/* Hexadecimal up to the end, with 0x or without. */
bool trace_hex_parse(struct slice text, size_t digits_max, uint64_t *out);

/* "192.0.2.21:751", "[2001:db8::1]:751", "[192.0.2.10]:2049" */
bool trace_address_parse(struct slice text, struct endpoint *out);

/* --- trace_server.c: tracepoints and probes of nfsd. False: it is none of those known. --- */
bool trace_take_server(struct traces *t, const struct trace_line *line, struct trace_thread *th);

/* A function of the stack behind the thread's last line, the innermost first. */
void trace_take_frame(struct traces *t, struct trace_thread *th, struct slice function);

/* --- trace_client.c: tracepoints of the client --- */
bool trace_take_client(struct traces *t, const struct trace_line *line);

/* The client's connection to this peer failed, or is there. */
void trace_take_peer(struct traces *t, const struct trace_line *line, const struct endpoint *peer);

/* The file's trace is over: what its server had under way, it had until then. */
void trace_end_served(struct traces *t);

/* The tracer lost lines. */
void trace_lose_served(struct traces *t);

/* --- trace_bpf.c: what bpftrace prints; nothing is concluded from it --- */
bool trace_take_bpftrace(struct traces *t, uint64_t line, struct slice text);

/* --- trace_rpc.c: tracepoints of the client's RPC, and what the tracer lost --- */
bool trace_take_lost(struct traces *t, uint64_t number, struct slice text);
bool trace_take_rpc(struct traces *t, const struct trace_line *line);

#endif
