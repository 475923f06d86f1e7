/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a server's own kernel tells of the calls that it serves (tracepoints svc_* and
 * cache_entry_*, include/trace/events/sunrpc.h): a thread begins one and answers it, drops it, or
 * puts it off until a program in user space has told what the kernel asked for. Texts are borrowed:
 * a sink copies what it keeps.
 */
#ifndef EVENT_SERVED_H
#define EVENT_SERVED_H

#include "base/slice.h"
#include "event/ident.h"

enum served_step {
	SERVED_BEGUN,
	SERVED_ENDED,    /* answered: the thread is free again */
	SERVED_DROPPED,  /* not answered: it is free, too. Follows PUT_OFF of the same call */
	SERVED_PUT_OFF,  /* kept until user space has told something */
	SERVED_TAKEN_UP, /* what was put off will be begun again */
	SERVED_GIVEN_UP, /* what was put off is dropped */
	SERVED_ASKED,    /* no call: a question to user space */
	SERVED_TOLD,     /* no call: user space told something */
	SERVED_LOST,     /* no call: what was told lately was lost in part */
	SERVED_OVER,     /* no call: the trace goes on until here */
};

struct served_fact {
	enum served_step step;
	int64_t pid; /* the thread */
	bool has_client;
	struct endpoint client; /* of a call: valid with has_client */
	bool has_xid;
	uint32_t xid;           /* of a call: valid with has_xid */
	struct slice service;   /* BEGUN: "nfsd", "lockd"; empty: not told */
	struct slice procedure; /* BEGUN: "COMPOUND"; empty: not told */
	struct slice cache;     /* ASKED, TOLD: "nfsd.export" */
	struct slice host;      /* as in struct log_fact */
	bool host_told;
};

#endif
